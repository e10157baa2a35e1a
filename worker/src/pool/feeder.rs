//! Feeds the pool: a pull for each free slot, several at a time.

use std::sync::Arc;

use futures::{StreamExt as _, stream::FuturesUnordered};
use ractor::{ActorRef, factory::FactoryMessage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tributary_protocol::bus::{Bus, Kinds, Result};

use super::{Phase, slot::Taken};
use crate::perform::Patience;

/// Pulls at a time. One after the other, each would cost a way to the bus and back; more than these gain nothing.
const PULLS: usize = 32;

pub(super) struct Feeder {
    pub bus: Arc<dyn Bus>,
    pub factory: ActorRef<FactoryMessage<(), Taken>>,
    pub slots: Arc<Semaphore>,
    pub kinds: Kinds,
}

impl Feeder {
    /// Feeds until the pool drains. Pulls that are under way then are given up.
    pub async fn run(self, mut phase: watch::Receiver<Phase>) {
        tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase > Phase::Working) => {}
            () = self.feed() => {}
        }
    }

    async fn feed(&self) {
        let (patience, mut failures) = (Patience::default(), 0);
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
                    // What one meets the others are about to: all begin again, so that it is one failure.
                    pulls.clear();
                    failures += 1;
                    tracing::warn!(%error, failures, "no task can be pulled; trying again");
                    tokio::time::sleep(patience.pause(failures)).await;
                }
            }
        }
    }

    async fn pull(&self, slot: OwnedSemaphorePermit) -> Result<Taken> {
        let delivery = self.bus.pull(&self.kinds).await?;
        Ok(Taken { delivery, slot })
    }
}
