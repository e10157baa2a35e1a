//! The seam between callers and limits.

use std::time::Duration;

use async_trait::async_trait;

use super::permit::CallPermit;

/// The seam between callers and limits.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Waits until a call of about this many tokens, prompt and reply, may be made; first come, first served. Safe to
    /// cancel.
    async fn admit(&self, estimated_tokens: u64) -> CallPermit;

    /// Returns the wait requested by the provider, once the request is longer than
    /// [`LONGEST_ASKED`](super::LONGEST_ASKED). Safe to cancel.
    async fn exhausted(&self) -> Duration {
        std::future::pending().await
    }
}
