//! A provider's limits, kept before the provider has to.
//!
//! Every call asks for a [`Permit`] first and says in the end how it went. [`LocalThrottle`] keeps the limits of one model
//! for one process; [`SharedThrottle`] keeps them for all processes of a deployment together.

mod group;
mod pace;
mod share;
mod shared;
mod shares;
mod state;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde::Deserialize;
use tokio::{
    sync::{Mutex as Turnstile, Notify},
    time::{Instant, sleep_until},
};

use self::{
    share::{Share, Use},
    state::{State, Wait},
};
pub use self::{shared::SharedThrottle, state::LONGEST_ASKED};

/// A provider's limits for one model. None, or 0, is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Calls at the same time.
    pub in_flight: Option<u32>,
    pub requests_per_minute: Option<u32>,
    /// Tokens of prompts and replies together.
    pub tokens_per_minute: Option<u64>,
}

/// How an admitted call ended, as far as the provider's limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it, whatever the reply was worth.
    Ok,
    /// The provider had too many calls.
    RateLimited {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider did not answer.
    Unavailable,
}

/// The seam between those who call and those who count.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Waits until a call of about this many tokens, prompt and reply, may be made; first come, first served. Safe to
    /// cancel.
    async fn admit(&self, estimated_tokens: u64) -> Permit;

    /// Returns once the provider asks to wait for longer than [`LONGEST_ASKED`], and tells for how long. Safe to cancel.
    async fn exhausted(&self) -> Duration {
        std::future::pending().await
    }
}

/// Leave for one call. One that is dropped makes room for the next call and tells nothing of the provider.
#[must_use = "the call is in flight until its permit is done or dropped"]
pub struct Permit {
    settle: Option<Box<dyn FnOnce(Option<Outcome>) + Send>>,
}

impl Permit {
    /// A permit that calls `settle` once: with the outcome, or with none where it was dropped.
    pub fn new(settle: impl FnOnce(Option<Outcome>) + Send + 'static) -> Self {
        Self { settle: Some(Box::new(settle)) }
    }

    /// The call has ended.
    pub fn done(mut self, outcome: Outcome) {
        self.settle(Some(outcome));
    }

    fn settle(&mut self, outcome: Option<Outcome>) {
        if let Some(settle) = self.settle.take() {
            settle(outcome);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.settle(None);
    }
}

/// What a throttle is doing, for people and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub in_flight: usize,
    /// Calls that may be in flight now; None where nothing limits them.
    pub allowed: Option<usize>,
    /// How much longer the provider asked to wait.
    pub paused: Duration,
}

/// The limits of one model within this process.
///
/// Below the given ceiling the calls in flight adapt: a refusal halves them, once for all calls that were on their way,
/// and each run of as many successes as are allowed adds one.
pub struct LocalThrottle {
    /// Callers stand in line here; only the first one looks at the state.
    turnstile: Turnstile<()>,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Wakes the first in line. It keeps one notice, so none is missed between a look and a wait.
    changed: Notify,
    /// Wakes all who ask whether the provider is exhausted.
    refused: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalThrottle {
    pub fn new(limits: Limits) -> Self {
        let shared = Shared { state: Mutex::new(State::new(limits)), changed: Notify::new(), refused: Notify::new() };
        Self { turnstile: Turnstile::new(()), shared: Arc::new(shared) }
    }

    pub fn snapshot(&self) -> Snapshot {
        self.shared.state().snapshot(Instant::now())
    }

    fn set_share(&self, share: Share, end: Option<Instant>) {
        self.shared.state().set_share(share, end);
        self.shared.changed.notify_one();
    }

    fn used(&self) -> Use {
        self.shared.state().used(Instant::now())
    }

    /// How often it has slowed down.
    fn slowings(&self) -> u64 {
        self.shared.state().epoch()
    }

    fn slow_down_with_others(&self, pause: Duration) {
        self.shared.state().slow_down_with_others(Instant::now(), pause);
    }
}

#[async_trait]
impl Throttle for LocalThrottle {
    async fn admit(&self, estimated_tokens: u64) -> Permit {
        let _turn = self.turnstile.lock().await;
        let _waiting = Waiting(&self.shared);
        loop {
            let wait = match self.shared.state().admit(Instant::now(), estimated_tokens) {
                Ok(epoch) => return permit(&self.shared, epoch),
                Err(wait) => wait,
            };
            match wait {
                Wait::Change => self.shared.changed.notified().await,
                Wait::Until(instant) => tokio::select! {
                    () = sleep_until(instant) => {}
                    () = self.shared.changed.notified() => {}
                },
            }
        }
    }

    async fn exhausted(&self) -> Duration {
        loop {
            let refused = self.shared.refused.notified();
            if let Some(asked) = self.shared.state().exhausted(Instant::now()) {
                return asked;
            }
            refused.await;
        }
    }
}

/// The first in line, who may be gone before it is admitted.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waits_no_more();
    }
}

fn permit(shared: &Arc<Shared>, epoch: u64) -> Permit {
    let shared = Arc::clone(shared);
    Permit::new(move |outcome| {
        shared.state().settle(Instant::now(), epoch, outcome);
        shared.changed.notify_one();
        if let Some(Outcome::RateLimited { .. }) = outcome {
            shared.refused.notify_waiters();
        }
    })
}

#[cfg(test)]
mod tests;
