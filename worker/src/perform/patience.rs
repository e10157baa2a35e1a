//! How often and how long a worker tries again.

use std::time::Duration;

use rand::RngExt;

use crate::throttle::LONGEST_ASKED;

/// What is tried again, how often, and with what pauses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// How often a flawed reply is sent back.
    pub repairs: u32,
    /// How often a call is made, at the least, that the server doesn't answer.
    pub attempts: u32,
    /// How long a model is waited for that has answered, and answers nobody any more.
    pub outage: Duration,
    /// The same of a model that has never answered.
    pub first_answer: Duration,
    /// How long a call is repeated that the provider has too many of, from the first time that it says so. One that is to
    /// wait for longer is given up at once.
    pub rate_limited: Duration,
    /// The longest pause after the first failure; it doubles with each.
    pub pause: Duration,
    /// No pause is longer, but where the provider asks for it.
    pub longest_pause: Duration,
    /// A call that takes longer than this share of those of its kind is made a second time; 0 makes none twice.
    pub hedge: f64,
}

impl Default for Patience {
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

impl Patience {
    /// A pause after the `failures`-th failure, at random from nothing to its ceiling: those who failed together don't
    /// come back together.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let ceiling = self.pause.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.longest_pause);
        ceiling.mul_f64(rand::rng().random::<f64>())
    }
}
