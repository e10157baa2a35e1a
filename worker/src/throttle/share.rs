//! A process's part in a provider's limits: what it may use, and what it uses.

use serde::{Deserialize, Serialize};

use super::{Limits, shares::ENDLESS};

/// What one process may use of a provider's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub in_flight: u64,
    /// Of a minute, as are tokens.
    pub requests: u64,
    pub tokens: u64,
    /// The tokens that all processes together may use.
    pub all_tokens: u64,
}

impl Share {
    pub fn whole(limits: Limits) -> Self {
        let limit = |limit: Option<u64>| limit.filter(|most| *most > 0).unwrap_or(ENDLESS);
        let tokens = limit(limits.tokens_per_minute);
        Self {
            in_flight: limit(limits.in_flight.map(u64::from)),
            requests: limit(limits.requests_per_minute.map(u64::from)),
            tokens,
            all_tokens: tokens,
        }
    }

    /// Nothing of what is limited.
    pub fn none_of(whole: Self) -> Self {
        let none = |limit| if limit == ENDLESS { ENDLESS } else { 0 };
        Self {
            in_flight: none(whole.in_flight),
            requests: none(whole.requests),
            tokens: none(whole.tokens),
            all_tokens: whole.all_tokens,
        }
    }

    /// What both of them hold.
    pub fn least(self, other: Self) -> Self {
        Self {
            in_flight: self.in_flight.min(other.in_flight),
            requests: self.requests.min(other.requests),
            tokens: self.tokens.min(other.tokens),
            all_tokens: self.all_tokens,
        }
    }
}

/// What one process uses of a provider's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    pub in_flight: u64,
    /// Of the last minute, as are tokens.
    pub requests: u64,
    pub tokens: u64,
    /// Tokens of the largest call that is waiting, or was made within the last minute.
    pub largest: u64,
}
