//! The tokens used by a call.

use serde::{Deserialize, Serialize};

/// Tokens of a call as counted by the server; zero throughout where the server reports none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    pub prompt_tokens: u64,
    /// Prompt tokens read from the server's prefix cache.
    pub cached_prompt_tokens: u64,
    /// The reply's tokens, reasoning included.
    pub reply_tokens: u64,
}
