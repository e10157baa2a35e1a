//! Gossip between the processes of a deployment.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use super::error::Result;

/// Short messages to all processes that listen to a group at the moment. Nothing is kept, and a message may be lost:
/// senders repeat whatever must arrive.
#[async_trait]
pub trait Gossip: Send + Sync + 'static {
    /// Sends a message to all listeners of the group, the sender included. Fails where the others can't be reached now.
    async fn tell(&self, group: &str, word: Bytes) -> Result<()>;

    /// Gives the group's messages from now on, without an end.
    async fn hear(&self, group: &str) -> Result<BoxStream<'static, Bytes>>;
}
