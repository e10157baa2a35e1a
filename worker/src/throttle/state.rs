//! The throttle's arithmetic: no waiting, no clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Limits, Outcome, Snapshot,
    pace::Pace,
    share::{Share, Use},
    shares::ENDLESS,
};

/// The first pause after a refusal that names none; each further one in a row is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause that a provider may ask for. Who asks for more has no quota left: calls end at once, for a while.
pub const LONGEST_ASKED: Duration = Duration::from_secs(600);
const EXHAUSTED: Duration = Duration::from_secs(60);

/// A pause from which on people are told why nothing goes on.
const NOTICED: Duration = Duration::from_secs(30);

/// Refusals that others tell of within this time are one.
const ONE_BURST: Duration = Duration::from_secs(1);

/// What the first in line waits for.
pub enum Wait {
    /// A call's end.
    Change,
    /// This instant, or a call's end.
    Until(Instant),
}

pub struct State {
    share: Share,
    /// From then on the share is nothing.
    share_ends: Option<Instant>,
    /// Where the provider had too many calls: how many seem right since.
    adapted: Option<u64>,
    in_flight: u64,
    /// Tokens of the first in line.
    waiting: u64,
    slowed: Option<Instant>,
    pace: Pace,
    paused_until: Option<Instant>,
    /// The provider asks to wait for longer than anybody does: until when that stands, and for how long.
    exhausted: Option<(Instant, Duration)>,
    /// Counts refusals that were answered to: what was admitted before one says nothing new after it.
    epoch: u64,
    /// Successes since the allowance last changed.
    successes: u64,
    refusals_in_a_row: u32,
}

impl State {
    pub fn new(limits: Limits) -> Self {
        Self {
            share: Share::whole(limits),
            share_ends: None,
            adapted: None,
            in_flight: 0,
            waiting: 0,
            slowed: None,
            pace: Pace::default(),
            paused_until: None,
            exhausted: None,
            epoch: 0,
            successes: 0,
            refusals_in_a_row: 0,
        }
    }

    /// Admits a call into the epoch that is returned, or says what to wait for.
    pub fn admit(&mut self, now: Instant, tokens: u64) -> Result<u64, Wait> {
        self.waiting = tokens;
        if self.in_flight >= self.allowed() || self.share_ends.is_some_and(|end| end <= now) {
            return Err(Wait::Change);
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(Wait::Until(until));
        }
        let admitted = self.pace.admit(now, tokens, &self.share);
        admitted.map_err(|again| again.map_or(Wait::Change, Wait::Until))?;
        self.in_flight += 1;
        Ok(self.epoch)
    }

    /// The first in line was admitted, or is gone.
    pub fn waits_no_more(&mut self) {
        self.waiting = 0;
    }

    /// Keeps to this share from now on, until `end` where there is one.
    pub fn set_share(&mut self, share: Share, end: Option<Instant>) {
        self.share = share;
        self.share_ends = end;
    }

    pub fn used(&mut self, now: Instant) -> Use {
        let (requests, tokens, largest) = self.pace.used(now);
        Use { in_flight: self.in_flight, requests, tokens, largest: largest.max(self.waiting) }
    }

    fn allowed(&self) -> u64 {
        self.adapted.map_or(self.share.in_flight, |adapted| adapted.min(self.share.in_flight))
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
        self.exhausted = None;
        self.refusals_in_a_row = 0;
        self.successes += 1;
        let Some(adapted) = self.adapted.filter(|_| self.successes >= self.allowed()) else { return };
        self.successes = 0;
        // Nobody knows how far it may grow without a share to grow to.
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
        // One burst of refusals meets many processes, and each of them tells of it.
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
            tracing::warn!(?asked, allowed, "the provider has too many calls; all wait");
        } else {
            tracing::info!(?asked, allowed, "the provider has too many calls; all wait");
        }
    }

    /// For how long the provider asks to wait, where that is longer than anybody does.
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

    pub fn snapshot(&self, now: Instant) -> Snapshot {
        Snapshot {
            in_flight: self.in_flight as usize,
            allowed: (self.allowed() < ENDLESS).then_some(self.allowed() as usize),
            paused: self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)),
        }
    }
}
