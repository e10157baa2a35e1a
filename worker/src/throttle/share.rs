//! A process's part of a provider's limits: its share and its use.

use serde::{Deserialize, Serialize};

use super::{ceiling::ENDLESS, limits::RateLimits};

/// The share of a process in a provider's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitShare {
    pub in_flight: u64,
    /// Of a minute, as are tokens.
    pub requests: u64,
    pub tokens: u64,
    /// The tokens for all processes together.
    pub all_tokens: u64,
}

impl LimitShare {
    pub fn whole(limits: RateLimits) -> Self {
        let limit = |limit: Option<u64>| limit.filter(|most| *most > 0).unwrap_or(ENDLESS);
        let tokens = limit(limits.tokens_per_minute);
        Self {
            in_flight: limit(limits.in_flight.map(u64::from)),
            requests: limit(limits.requests_per_minute.map(u64::from)),
            tokens,
            all_tokens: tokens,
        }
    }

    /// A share of zero in every limit.
    pub fn none_of(whole: Self) -> Self {
        let none = |limit| if limit == ENDLESS { ENDLESS } else { 0 };
        Self {
            in_flight: none(whole.in_flight),
            requests: none(whole.requests),
            tokens: none(whole.tokens),
            all_tokens: whole.all_tokens,
        }
    }

    /// The smaller of two shares, limit by limit.
    pub fn least(self, other: Self) -> Self {
        Self {
            in_flight: self.in_flight.min(other.in_flight),
            requests: self.requests.min(other.requests),
            tokens: self.tokens.min(other.tokens),
            all_tokens: self.all_tokens,
        }
    }
}

/// The use of a provider's limits by a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUse {
    pub in_flight: u64,
    /// Of the last minute, as are tokens.
    pub requests: u64,
    pub tokens: u64,
    /// Tokens of the largest call, waiting or made within the last minute.
    pub largest: u64,
}
