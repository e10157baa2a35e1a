//! The adapter's side of what is leased.

use std::time::Duration;

use async_trait::async_trait;

use super::error::Result;

/// The adapter's side of a [`Delivery`](crate::bus::Delivery) or a [`Claim`](crate::bus::Claim).
#[async_trait]
pub trait Receipt: Send + Sync {
    async fn extend_lease(&self) -> Result<()>;
    fn lease(&self) -> Duration;
    /// Gives the lease up without a message to the bus: somebody else holds the message by now.
    fn abandon(self: Box<Self>);
    async fn acknowledge(self: Box<Self>) -> Result<()>;
    async fn acknowledge_unconfirmed(self: Box<Self>) -> Result<()> {
        self.acknowledge().await
    }
    async fn requeue_after(self: Box<Self>, delay: Duration) -> Result<()>;
    async fn requeue_uncounted(self: Box<Self>, delay: Duration) -> Result<()> {
        self.requeue_after(delay).await
    }
}
