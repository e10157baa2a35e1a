//! The throttle's arithmetic: no waiting, no clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    ceiling::ENDLESS,
    limits::RateLimits,
    minute::MinuteWindow,
    permit::CallOutcome,
    share::{LimitShare, LimitUse},
};

/// The first pause after a refusal without a requested wait, doubled with each further refusal in a row up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The longest acceptable pause. A provider with a longer request has no quota left: calls end at once, for a while.
pub const LONGEST_ASKED: Duration = Duration::from_secs(600);
const EXHAUSTED: Duration = Duration::from_secs(60);

/// The shortest pause logged as a warning.
const NOTICED: Duration = Duration::from_secs(30);

/// The time within which refusals of other members count as one.
const ONE_BURST: Duration = Duration::from_secs(1);

/// The event awaited by the first in line.
pub enum AdmissionWait {
    /// A call's end.
    Change,
    /// This instant, or the end of a call.
    Until(Instant),
}

/// The state of a throttle, for people and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleSnapshot {
    pub in_flight: usize,
    /// The most calls in flight for now; None for no limit.
    pub allowed: Option<usize>,
    /// The remaining wait requested by the provider.
    pub paused: Duration,
}

pub struct ThrottleState {
    share: LimitShare,
    /// From then on the share is nothing.
    share_ends: Option<Instant>,
    /// The adapted number of calls in flight after a refusal.
    adapted: Option<u64>,
    in_flight: u64,
    /// Tokens of the first in line.
    waiting: u64,
    slowed: Option<Instant>,
    pace: MinuteWindow,
    paused_until: Option<Instant>,
    /// The provider asks to wait for longer than anybody does: until when that stands, and for how long.
    exhausted: Option<(Instant, Duration)>,
    /// The number of refusals with a reaction. A refusal of a call from an earlier epoch is no news.
    epoch: u64,
    /// Successes since the allowance last changed.
    successes: u64,
    refusals_in_a_row: u32,
}

impl ThrottleState {
    pub fn new(limits: RateLimits) -> Self {
        Self {
            share: LimitShare::whole(limits),
            share_ends: None,
            adapted: None,
            in_flight: 0,
            waiting: 0,
            slowed: None,
            pace: MinuteWindow::default(),
            paused_until: None,
            exhausted: None,
            epoch: 0,
            successes: 0,
            refusals_in_a_row: 0,
        }
    }

    /// Admits a call into the returned epoch, or returns the event to wait for.
    pub fn admit(&mut self, now: Instant, tokens: u64) -> Result<u64, AdmissionWait> {
        self.waiting = tokens;
        if self.in_flight >= self.allowed() || self.share_ends.is_some_and(|end| end <= now) {
            return Err(AdmissionWait::Change);
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(AdmissionWait::Until(until));
        }
        let admitted = self.pace.admit(now, tokens, &self.share);
        admitted.map_err(|again| again.map_or(AdmissionWait::Change, AdmissionWait::Until))?;
        self.in_flight += 1;
        Ok(self.epoch)
    }

    /// The first in line was admitted, or is gone.
    pub fn leave_line(&mut self) {
        self.waiting = 0;
    }

    /// Keeps within this share from now on, until `end` if there is an end.
    pub fn set_share(&mut self, share: LimitShare, end: Option<Instant>) {
        self.share = share;
        self.share_ends = end;
    }

    pub fn used(&mut self, now: Instant) -> LimitUse {
        let (requests, tokens, largest) = self.pace.used(now);
        LimitUse { in_flight: self.in_flight, requests, tokens, largest: largest.max(self.waiting) }
    }

    fn allowed(&self) -> u64 {
        self.adapted.map_or(self.share.in_flight, |adapted| adapted.min(self.share.in_flight))
    }

    /// Settles a call admitted in `epoch`; None for a cancelled call.
    pub fn settle(&mut self, now: Instant, epoch: u64, outcome: Option<CallOutcome>) {
        match outcome {
            Some(CallOutcome::Ok) if epoch == self.epoch => self.succeed(),
            Some(CallOutcome::RateLimited { retry_after }) => self.slow_down(now, epoch, retry_after),
            Some(CallOutcome::Unavailable) => self.successes = 0,
            _ => {}
        }
        self.in_flight -= 1;
    }

    fn succeed(&mut self) {
        self.exhausted = None;
        self.refusals_in_a_row = 0;
        self.successes += 1;
        let Some(adapted) = self.adapted.filter(|_| self.successes >= self.allowed()) else { return };
        self.successes = 0;
        // Growth has no known end without a share as its goal.
        self.adapted = (self.share.in_flight == 0 || adapted + 1 < self.share.in_flight).then_some(adapted + 1);
    }

    fn slow_down(&mut self, now: Instant, epoch: u64, retry_after: Option<Duration>) {
        if epoch == self.epoch {
            self.refusals_in_a_row = self.refusals_in_a_row.saturating_add(1);
            self.halve(now);
        }
        self.pause(now, retry_after.unwrap_or_else(|| self.own_pause()));
    }

    /// Another process of the same provider was refused.
    pub fn slow_down_with_others(&mut self, now: Instant, pause: Duration) {
        // A burst of refusals meets many processes, and each reports the burst.
        if self.slowed.is_none_or(|slowed| now.duration_since(slowed) >= ONE_BURST) {
            self.halve(now);
        }
        self.pause(now, pause);
    }

    fn halve(&mut self, now: Instant) {
        self.epoch += 1;
        self.slowed = Some(now);
        let before = if self.allowed() == ENDLESS { self.in_flight } else { self.allowed() };
        self.adapted = Some((before / 2).max(1));
        self.successes = 0;
    }

    fn pause(&mut self, now: Instant, asked: Duration) {
        let pause = if asked > LONGEST_ASKED { EXHAUSTED } else { asked };
        let until = now + pause;
        if asked > LONGEST_ASKED {
            self.exhausted = Some((until, asked));
        }
        if self.paused_until.is_some_and(|paused| paused >= until) {
            return;
        }
        self.paused_until = Some(until);
        let allowed = self.allowed();
        if asked >= NOTICED {
            tracing::warn!(?asked, allowed, "the provider refuses calls for its rate limit; all calls wait");
        } else {
            tracing::info!(?asked, allowed, "the provider refuses calls for its rate limit; all calls wait");
        }
    }

    /// The wait requested by an exhausted provider, too long for any call.
    pub fn exhausted(&self, now: Instant) -> Option<Duration> {
        self.exhausted.filter(|(until, _)| *until > now).map(|(_, asked)| asked)
    }

    fn own_pause(&self) -> Duration {
        let doublings = self.refusals_in_a_row.saturating_sub(1).min(16);
        FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    pub fn snapshot(&self, now: Instant) -> ThrottleSnapshot {
        ThrottleSnapshot {
            in_flight: self.in_flight as usize,
            allowed: (self.allowed() < ENDLESS).then_some(self.allowed() as usize),
            paused: self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)),
        }
    }
}
