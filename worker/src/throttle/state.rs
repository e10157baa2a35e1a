//! The throttle's arithmetic: no waiting, no clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::{Limits, Outcome, Snapshot, pace::Pace};

/// The first pause after a refusal that names none; each further one in a row is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the first in line waits for.
pub enum Wait {
    /// A call's end.
    Change,
    /// This instant, or a call's end.
    Until(Instant),
}

pub struct State {
    ceiling: usize,
    allowed: usize,
    in_flight: usize,
    pace: Pace,
    paused_until: Option<Instant>,
    /// Counts refusals that were answered to: what was admitted before one says nothing new after it.
    epoch: u64,
    /// Successes since the allowance last changed.
    successes: usize,
    refusals_in_a_row: u32,
}

impl State {
    pub fn new(limits: Limits) -> Self {
        let ceiling = limits.in_flight.filter(|limit| *limit > 0).map_or(usize::MAX, |limit| limit as usize);
        Self {
            ceiling,
            allowed: ceiling,
            in_flight: 0,
            pace: Pace::new(limits.requests_per_minute.unwrap_or(0), limits.tokens_per_minute.unwrap_or(0)),
            paused_until: None,
            epoch: 0,
            successes: 0,
            refusals_in_a_row: 0,
        }
    }

    /// Admits a call into the epoch that is returned, or says what to wait for.
    pub fn admit(&mut self, now: Instant, tokens: u64) -> Result<u64, Wait> {
        if self.in_flight >= self.allowed {
            return Err(Wait::Change);
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(Wait::Until(until));
        }
        self.pace.admit(now, tokens).map_err(Wait::Until)?;
        self.in_flight += 1;
        Ok(self.epoch)
    }

    /// A call that was admitted in `epoch` has ended; None where it was given up.
    pub fn settle(&mut self, now: Instant, epoch: u64, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Ok) if epoch == self.epoch => self.succeed(),
            Some(Outcome::RateLimited { retry_after }) => self.slow_down(now, epoch, retry_after),
            Some(Outcome::Unavailable) => self.successes = 0,
            _ => {}
        }
        self.in_flight -= 1;
    }

    fn succeed(&mut self) {
        self.refusals_in_a_row = 0;
        self.successes += 1;
        if self.successes >= self.allowed && self.allowed < self.ceiling {
            self.allowed += 1;
            self.successes = 0;
        }
    }

    fn slow_down(&mut self, now: Instant, epoch: u64, retry_after: Option<Duration>) {
        if epoch == self.epoch {
            self.epoch += 1;
            self.refusals_in_a_row = self.refusals_in_a_row.saturating_add(1);
            let before = if self.allowed == usize::MAX { self.in_flight } else { self.allowed };
            self.allowed = (before / 2).max(1);
            self.successes = 0;
        }
        let pause = retry_after.unwrap_or_else(|| self.own_pause());
        let until = now.checked_add(pause).unwrap_or(now + LONGEST_PAUSE);
        if self.paused_until.is_none_or(|paused| paused < until) {
            self.paused_until = Some(until);
            tracing::info!(?pause, allowed = self.allowed, "the provider has too many calls; all wait");
        }
    }

    fn own_pause(&self) -> Duration {
        let doublings = self.refusals_in_a_row.saturating_sub(1).min(16);
        FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
    }

    pub fn snapshot(&self, now: Instant) -> Snapshot {
        Snapshot {
            in_flight: self.in_flight,
            allowed: (self.allowed < usize::MAX).then_some(self.allowed),
            paused: self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)),
        }
    }
}
