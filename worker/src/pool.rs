//! The pool: as many tasks at a time as it has slots, each from its delivery to its recorded outcome.
//!
//! A feeder pulls from the bus only while a slot is free, so that no task waits here that another worker could do. Tasks
//! run on a ractor factory with a worker for each slot: the first free worker takes the next task, and one that panics is
//! replaced. While a task runs, its bus is told so in time; then the outcome is recorded, and only then is the delivery
//! acknowledged.

mod feeder;
mod measure;
mod slot;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use ractor::{
    Actor, ActorRef,
    concurrency::JoinHandle as ActorHandle,
    factory::{
        Factory, FactoryArguments, FactoryMessage, queues::DefaultQueue, routing::QueuerRouting, worker_builder,
    },
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};
use tributary_protocol::bus::{Bus, Kinds};

use self::{
    feeder::Feeder,
    slot::{Slot, Taken},
};
use crate::perform::Perform;

/// How a pool works.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// Tasks at a time, at least 1.
    pub concurrency: usize,
    /// The kinds of task that are pulled.
    pub kinds: Kinds,
}

/// A pool can't start: the actors of it can't be spawned.
#[derive(Debug, thiserror::Error)]
#[error("the worker pool can't start: {0}")]
pub struct PoolError(String);

/// What the pool's tasks are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Phase {
    Working,
    /// No new task.
    Draining,
    /// Running tasks go back to the bus.
    HandingBack,
}

/// A running pool. It goes on until it is drained; dropped without that, it stops at once, and its tasks go to other
/// workers when the bus misses them.
pub struct Pool {
    factory: ActorRef<FactoryMessage<(), Taken>>,
    factory_ended: ActorHandle<()>,
    feeder: JoinHandle<()>,
    phase: watch::Sender<Phase>,
    slots: Arc<Semaphore>,
    concurrency: u32,
    /// Tasks that run now.
    in_flight: Arc<AtomicU64>,
}

impl Pool {
    /// Starts pulling.
    ///
    /// # Errors
    ///
    /// Where its actors can't be spawned.
    pub async fn start(
        bus: Arc<dyn Bus>,
        performer: Arc<dyn Perform>,
        options: PoolOptions,
    ) -> Result<Self, PoolError> {
        let concurrency = options.concurrency.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        measure::start();
        let (phase, watched) = watch::channel(Phase::Working);
        let in_flight = Arc::<AtomicU64>::default();
        let slot = Slot { bus: Arc::clone(&bus), performer, phase: watched.clone(), in_flight: Arc::clone(&in_flight) };
        let arguments = FactoryArguments::builder()
            .worker_builder(Box::new(worker_builder(move |_| (slot.clone(), ()))))
            .num_initial_workers(concurrency)
            .router(QueuerRouting::default())
            .queue(DefaultQueue::default())
            .build();
        let factory: Factory<(), Taken, (), Slot, QueuerRouting<(), Taken>, DefaultQueue<(), Taken>> =
            Factory::default();
        let (factory, factory_ended) =
            Actor::spawn(None, factory, arguments).await.map_err(|error| PoolError(error.to_string()))?;
        let slots = Arc::new(Semaphore::new(concurrency));
        let feeder = Feeder { bus, factory: factory.clone(), slots: Arc::clone(&slots), kinds: options.kinds };
        let feeder = tokio::spawn(feeder.run(watched));
        Ok(Self { factory, factory_ended, feeder, phase, slots, concurrency: concurrency as u32, in_flight })
    }

    /// Pulls no more; lets running tasks finish for as long as `grace`, then hands them back and ends. True where none
    /// had to be handed back.
    pub async fn drain(self, grace: Duration) -> bool {
        let _ = self.phase.send(Phase::Draining);
        let _ = self.feeder.await;
        let all = || self.slots.acquire_many(self.concurrency);
        let finished = timeout(grace, all()).await.is_ok();
        if !finished {
            let _ = self.phase.send(Phase::HandingBack);
            // Handing back takes a word to the bus, which may be gone.
            let _ = timeout(Duration::from_secs(5), all()).await;
        }
        self.factory.stop(None);
        let _ = self.factory_ended.await;
        finished
    }

    /// How many tasks run now.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }
}
