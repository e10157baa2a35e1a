//! Announces to a deployment's coordinators what this worker serves.

use std::sync::Arc;

use tokio::{task::JoinHandle, time::sleep};
use tributary_protocol::{
    bus::Gossip,
    roster::{Announcement, EVERY, GROUP},
    wire,
};

/// Announces a worker time and again, until the returned task is aborted. Must be called within a runtime.
pub fn announce(announcement: Announcement, gossip: Arc<dyn Gossip>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            if let Err(error) = gossip.tell(GROUP, wire::encode(&announcement).into()).await {
                tracing::debug!(%error, "failed to announce this worker; trying again");
            }
            sleep(EVERY).await;
        }
    })
}
