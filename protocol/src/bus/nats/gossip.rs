//! Gossip as plain messages: no stream keeps them.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};

use super::NatsBus;
use crate::bus::{Gossip, Result};

#[async_trait]
impl Gossip for NatsBus {
    async fn tell(&self, group: &str, word: Bytes) -> Result<()> {
        // The client would keep the message until the server is back, when the message has long been out of date.
        if !self.is_connected() {
            return Err(self.link.failed("failed to tell other processes: there is no connection"));
        }
        let told = self.link.client.publish(self.link.names.member(group), word).await;
        told.map_err(|error| self.link.failed(error))
    }

    async fn hear(&self, group: &str) -> Result<BoxStream<'static, Bytes>> {
        let heard = self.link.client.subscribe(self.link.names.member(group)).await;
        let heard = heard.map_err(|error| self.link.failed(error))?;
        // From here on the server forwards every message of the group.
        self.link.client.flush().await.map_err(|error| self.link.failed(error))?;
        Ok(heard.map(|message| message.payload).boxed())
    }
}
