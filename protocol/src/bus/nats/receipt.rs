//! Messages in flight: extended, acknowledged or requeued by their holder.

use std::{sync::Arc, time::Duration};

use async_nats::{Message, jetstream::AckKind};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::runtime::Handle;

use super::link::{AttemptError, NatsLink};
use crate::bus::{Receipt, Result};

/// A message that must be acknowledged. A message that is dropped is redelivered at once.
pub(super) struct HeldMessage {
    link: Arc<NatsLink>,
    pub message: Message,
    pub deliveries: u32,
    /// The message's number in the stream.
    sequence: u64,
    lease: Duration,
    armed: bool,
}

impl HeldMessage {
    pub fn new(link: Arc<NatsLink>, message: Message, deliveries: u32, sequence: u64, lease: Duration) -> Self {
        Self { link, message, deliveries, sequence, lease, armed: true }
    }

    /// Acknowledges the message, and waits for the server to confirm: the stream would reject an equal message, such as
    /// a stopped task that is published again, until then. If the acknowledgement is lost, the message is redelivered,
    /// which does no harm: its work is done.
    pub async fn settle(mut self) -> Result<()> {
        self.armed = false;
        let Some(reply) = &self.message.reply else { return Ok(()) };
        if let Err(error) = self.link.client.request(reply.clone(), AckKind::Ack.into()).await {
            tracing::debug!(%error, "an acknowledgement was not confirmed; the message may be redelivered");
        }
        Ok(())
    }

    async fn answer(&self, kind: AckKind) -> Result<()> {
        let Some(reply) = &self.message.reply else { return Ok(()) };
        let answer = Bytes::from(kind);
        self.link
            .persist("answer a delivery", || async {
                self.link.client.publish(reply.clone(), answer.clone()).await.map_err(AttemptError::from)
            })
            .await
    }
}

impl Drop for HeldMessage {
    fn drop(&mut self) {
        let (true, Some(reply)) = (self.armed, self.message.reply.take()) else { return };
        // Without a runtime the process is ending, and the task is redelivered when the lease expires.
        if let Ok(runtime) = Handle::try_current() {
            let client = self.link.client.clone();
            runtime.spawn(async move { client.publish(reply, AckKind::Nak(None).into()).await });
        }
    }
}

#[async_trait]
impl Receipt for HeldMessage {
    async fn extend_lease(&self) -> Result<()> {
        self.answer(AckKind::Progress).await
    }

    fn abandon(mut self: Box<Self>) {
        self.armed = false;
    }

    fn lease(&self) -> Duration {
        self.lease
    }

    async fn acknowledge(self: Box<Self>) -> Result<()> {
        self.settle().await
    }

    async fn acknowledge_unconfirmed(mut self: Box<Self>) -> Result<()> {
        self.armed = false;
        self.answer(AckKind::Ack).await
    }

    async fn requeue_after(mut self: Box<Self>, delay: Duration) -> Result<()> {
        self.armed = false;
        self.answer(AckKind::Nak((!delay.is_zero()).then_some(delay))).await
    }

    /// Acknowledges the message and stores a copy, since the server counts every delivery; of a cleared job there is no
    /// copy. If the process dies in between, the coordinator publishes the task again after a while without news.
    async fn requeue_uncounted(self: Box<Self>, delay: Duration) -> Result<()> {
        if !delay.is_zero() {
            self.extend_lease().await?;
            tokio::time::sleep(delay.min(self.lease / 2)).await;
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
