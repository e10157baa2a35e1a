//! Words between workers: plain messages, which no stream keeps.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};

use super::NatsBus;
use crate::bus::{Members, Result};

#[async_trait]
impl Members for NatsBus {
    async fn tell(&self, group: &str, word: Bytes) -> Result<()> {
        // The client would keep it until the server is back, when it has long been out of date.
        if !self.is_connected() {
            return Err(self.link.failed("there is no connection"));
        }
        let told = self.link.client.publish(self.link.names.member(group), word).await;
        told.map_err(|error| self.link.failed(error))
    }

    async fn hear(&self, group: &str) -> Result<BoxStream<'static, Bytes>> {
        let heard = self.link.client.subscribe(self.link.names.member(group)).await;
        let heard = heard.map_err(|error| self.link.failed(error))?;
        // What is told after this returns is heard.
        self.link.client.flush().await.map_err(|error| self.link.failed(error))?;
        Ok(heard.map(|message| message.payload).boxed())
    }
}
