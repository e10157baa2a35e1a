//! The patience of a worker: the number of retries, and the pauses between them.

use std::time::Duration;

use rand::RngExt;

use crate::throttle::LONGEST_ASKED;

/// The number of retries for each failure, and the pauses between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPatience {
    /// The number of times a flawed reply is sent back.
    pub repairs: u32,
    /// The least number of attempts at a call without an answer.
    pub attempts: u32,
    /// The longest wait for a model with answers before and none now.
    pub outage: Duration,
    /// The longest wait for a model without any answer yet.
    pub first_answer: Duration,
    /// The longest time of retries after a provider's first refusal for a rate limit. Calls are given up at once where
    /// the provider asks for a longer wait.
    pub rate_limited: Duration,
    /// The longest pause after the first failure, doubled with each further failure.
    pub pause: Duration,
    /// The longest pause of all, unless the provider asks for more.
    pub longest_pause: Duration,
    /// The share of calls after whose latency a call of the same kind is hedged; 0 hedges none.
    pub hedge: f64,
}

impl Default for RetryPatience {
    fn default() -> Self {
        Self {
            repairs: 2,
            attempts: 6,
            outage: Duration::from_secs(600),
            first_answer: Duration::from_secs(30),
            rate_limited: LONGEST_ASKED,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            hedge: 0.0,
        }
    }
}

impl RetryPatience {
    /// The pause after the `failures`-th failure: random up to a ceiling, so calls with a common failure don't come
    /// back together.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let ceiling = self.pause.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.longest_pause);
        ceiling.mul_f64(rand::rng().random::<f64>())
    }
}
