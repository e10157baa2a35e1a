//! A provider's limits for an account.

use serde::Deserialize;

/// A provider's limits for a model. None, or 0, is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RateLimits {
    /// Calls at the same time.
    pub in_flight: Option<u32>,
    pub requests_per_minute: Option<u32>,
    /// Tokens of prompts and replies together.
    pub tokens_per_minute: Option<u64>,
}
