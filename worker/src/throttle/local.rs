//! The limits of a model within a process.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Mutex as Turnstile, Notify},
    time::{Instant, sleep_until},
};

use super::{
    contract::Throttle,
    limits::RateLimits,
    permit::{CallOutcome, CallPermit},
    share::{LimitShare, LimitUse},
    state::{AdmissionWait, ThrottleSnapshot, ThrottleState},
};

/// The limits of a model within this process.
///
/// Below the given ceiling the calls in flight adapt: a refusal halves the allowance, once for all calls under way, and
/// a run of successes as long as the allowance adds one.
pub struct LocalThrottle {
    /// The line of callers; only the first caller looks at the state.
    turnstile: Turnstile<()>,
    shared: Arc<LocalState>,
}

struct LocalState {
    state: Mutex<ThrottleState>,
    /// Wakes the first in line. A notice is kept, so none is missed between a look and a wait.
    changed: Notify,
    /// Wakes all waiters for exhaustion.
    refused: Notify,
}

impl LocalState {
    fn state(&self) -> MutexGuard<'_, ThrottleState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalThrottle {
    pub fn new(limits: RateLimits) -> Self {
        let shared = LocalState {
            state: Mutex::new(ThrottleState::new(limits)),
            changed: Notify::new(),
            refused: Notify::new(),
        };
        Self { turnstile: Turnstile::new(()), shared: Arc::new(shared) }
    }

    pub fn snapshot(&self) -> ThrottleSnapshot {
        self.shared.state().snapshot(Instant::now())
    }

    pub(super) fn set_share(&self, share: LimitShare, end: Option<Instant>) {
        self.shared.state().set_share(share, end);
        self.shared.changed.notify_one();
    }

    pub(super) fn used(&self) -> LimitUse {
        self.shared.state().used(Instant::now())
    }

    /// The number of slowdowns so far.
    pub(super) fn slowings(&self) -> u64 {
        self.shared.state().epoch()
    }

    pub(super) fn slow_down_with_others(&self, pause: Duration) {
        self.shared.state().slow_down_with_others(Instant::now(), pause);
    }
}

#[async_trait]
impl Throttle for LocalThrottle {
    async fn admit(&self, estimated_tokens: u64) -> CallPermit {
        let _turn = self.turnstile.lock().await;
        let _waiting = FirstInLine(&self.shared);
        loop {
            let wait = match self.shared.state().admit(Instant::now(), estimated_tokens) {
                Ok(epoch) => return permit(&self.shared, epoch),
                Err(wait) => wait,
            };
            match wait {
                AdmissionWait::Change => self.shared.changed.notified().await,
                AdmissionWait::Until(instant) => tokio::select! {
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

/// The first caller in line, possibly cancelled before admission.
struct FirstInLine<'a>(&'a LocalState);

impl Drop for FirstInLine<'_> {
    fn drop(&mut self) {
        self.0.state().leave_line();
    }
}

fn permit(shared: &Arc<LocalState>, epoch: u64) -> CallPermit {
    let shared = Arc::clone(shared);
    CallPermit::new(move |outcome| {
        shared.state().settle(Instant::now(), epoch, outcome);
        shared.changed.notify_one();
        if let Some(CallOutcome::RateLimited { .. }) = outcome {
            shared.refused.notify_waiters();
        }
    })
}

#[cfg(test)]
mod tests;
