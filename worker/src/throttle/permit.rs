//! The permission for a call, and the call's lesson for the provider's limits.

use std::time::Duration;

/// The end of an admitted call, as relevant to the provider's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The provider accepted the call, whatever the worth of the reply.
    Ok,
    /// The provider had too many calls.
    RateLimited {
        /// The wait requested by the provider.
        retry_after: Option<Duration>,
    },
    /// The provider did not answer.
    Unavailable,
}

/// The permission for one call. A dropped permit makes room for the next call, without a lesson about the provider.
#[must_use = "the call is in flight until its permit is done or dropped"]
pub struct CallPermit {
    settle: Option<Box<dyn FnOnce(Option<CallOutcome>) + Send>>,
}

impl CallPermit {
    /// A permit with `settle`, called once: with the outcome, or with none after a drop.
    pub fn new(settle: impl FnOnce(Option<CallOutcome>) + Send + 'static) -> Self {
        Self { settle: Some(Box::new(settle)) }
    }

    /// The call has ended.
    pub fn done(mut self, outcome: CallOutcome) {
        self.settle(Some(outcome));
    }

    fn settle(&mut self, outcome: Option<CallOutcome>) {
        if let Some(settle) = self.settle.take() {
            settle(outcome);
        }
    }
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        self.settle(None);
    }
}
