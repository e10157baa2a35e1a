//! Feeds the pool: a pull for each free slot, several at a time.

use std::sync::Arc;

use futures::{StreamExt as _, stream::FuturesUnordered};
use ractor::{ActorRef, factory::FactoryMessage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tributary_protocol::bus::{Bus, Kinds, Result};

use super::{phase::PoolPhase, slot::PulledTask};
use crate::perform::RetryPatience;

/// Pulls at a time. One after the other, each would cost a way to the bus and back.
const PULLS: usize = 32;

pub(super) struct PoolFeeder {
    pub bus: Arc<dyn Bus>,
    pub factory: ActorRef<FactoryMessage<(), PulledTask>>,
    pub slots: Arc<Semaphore>,
    pub kinds: Kinds,
}

impl PoolFeeder {
    /// Feeds the pool until its drain. Pulls under way are then cancelled.
    pub async fn run(self, mut phase: watch::Receiver<PoolPhase>) {
        tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase > PoolPhase::Working) => {}
            () = self.feed() => {}
        }
    }

    async fn feed(&self) {
        let (patience, mut failures) = (RetryPatience::default(), 0);
        let mut pulls = FuturesUnordered::new();
        loop {
            let pulled = tokio::select! {
                Some(pulled) = pulls.next() => pulled,
                Ok(slot) = Arc::clone(&self.slots).acquire_owned(), if pulls.len() < PULLS => {
                    pulls.push(self.pull(slot));
                    continue;
                }
            };
            match pulled {
                Ok(taken) => {
                    failures = 0;
                    if self.factory.dispatch((), taken).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    // The other pulls are about to fail the same way: all begin again, as a single failure.
                    pulls.clear();
                    failures += 1;
                    tracing::warn!(%error, failures, "failed to pull a task; trying again");
                    tokio::time::sleep(patience.pause(failures)).await;
                }
            }
        }
    }

    async fn pull(&self, slot: OwnedSemaphorePermit) -> Result<PulledTask> {
        let delivery = self.bus.pull(&self.kinds).await?;
        Ok(PulledTask { delivery, slot })
    }
}
