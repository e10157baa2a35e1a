//! A message in someone's hands.

use std::{sync::Arc, time::Duration};

use async_nats::{Message, jetstream::AckKind};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::runtime::Handle;

use super::link::{AttemptError, NatsLink};
use crate::bus::{Receipt, Result};

/// A message that must be acknowledged. Dropped without a word, it is given to another at once.
pub(super) struct HeldMessage {
    link: Arc<NatsLink>,
    pub message: Message,
    pub deliveries: u32,
    /// Its number in the stream.
    sequence: u64,
    patience: Duration,
    armed: bool,
}

impl HeldMessage {
    pub fn new(link: Arc<NatsLink>, message: Message, deliveries: u32, sequence: u64, patience: Duration) -> Self {
        Self { link, message, deliveries, sequence, patience, armed: true }
    }

    /// The server forgets the message, and has done so when this returns: a task that is published again at once, as one
    /// that was stopped may be, would else be taken for the one that is out. Should it not hear of it, the message comes
    /// again, which does no harm: what it asks for has been done.
    pub async fn settle(mut self) -> Result<()> {
        self.armed = false;
        let Some(reply) = &self.message.reply else { return Ok(()) };
        if let Err(error) = self.link.client.request(reply.clone(), AckKind::Ack.into()).await {
            tracing::debug!(%error, "the end of a delivery was not confirmed");
        }
        Ok(())
    }

    async fn answer(&self, kind: AckKind) -> Result<()> {
        let Some(reply) = &self.message.reply else { return Ok(()) };
        let word = Bytes::from(kind);
        self.link
            .persist("a delivery can't be answered", || async {
                self.link.client.publish(reply.clone(), word.clone()).await.map_err(AttemptError::from)
            })
            .await
    }
}

impl Drop for HeldMessage {
    fn drop(&mut self) {
        let (true, Some(reply)) = (self.armed, self.message.reply.take()) else { return };
        // Without a runtime the process is ending, and the task comes back when its time is up.
        if let Ok(runtime) = Handle::try_current() {
            let client = self.link.client.clone();
            runtime.spawn(async move { client.publish(reply, AckKind::Nak(None).into()).await });
        }
    }
}

#[async_trait]
impl Receipt for HeldMessage {
    async fn working(&self) -> Result<()> {
        self.answer(AckKind::Progress).await
    }

    fn leave(mut self: Box<Self>) {
        self.armed = false;
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    async fn done(self: Box<Self>) -> Result<()> {
        self.settle().await
    }

    async fn done_unconfirmed(mut self: Box<Self>) -> Result<()> {
        self.armed = false;
        self.answer(AckKind::Ack).await
    }

    async fn hand_back(mut self: Box<Self>, delay: Duration) -> Result<()> {
        self.armed = false;
        self.answer(AckKind::Nak((!delay.is_zero()).then_some(delay))).await
    }

    /// The server counts every delivery, so the message is taken out and stored anew, unless its job was cleared meanwhile.
    /// Should it be lost in between, its job's coordinator hears nothing of it for a while, and publishes it again.
    async fn pass_on(self: Box<Self>, delay: Duration) -> Result<()> {
        if !delay.is_zero() {
            self.working().await?;
            tokio::time::sleep(delay.min(self.patience / 2)).await;
        }
        let (link, message) = (self.link.clone(), self.message.clone());
        let is_wanted = link.stores(&message.subject, self.sequence).await?;
        self.settle().await?;
        if is_wanted {
            link.store(message.subject.to_string(), message.headers.unwrap_or_default(), message.payload).await?;
        }
        Ok(())
    }
}
