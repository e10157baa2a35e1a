//! What the workers of a deployment tell one another.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use super::Result;

/// Short words to all members of a group who listen right now. Nothing is kept, and a word may be lost: what must hold
/// is said again.
#[async_trait]
pub trait Members: Send + Sync + 'static {
    /// Tells everybody who hears the group, the teller included. Fails where the others can't be reached now.
    async fn tell(&self, group: &str, word: Bytes) -> Result<()>;

    /// What is told to a group from now on, without an end.
    async fn hear(&self, group: &str) -> Result<BoxStream<'static, Bytes>>;
}
