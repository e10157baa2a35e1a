//! The pool: tasks run side by side in slots, from delivery to recorded outcome.
//!
//! A feeder pulls from the bus only while a slot is free, so no task waits here for want of a slot. Tasks run on a
//! ractor factory with a worker for each slot: the first free worker takes the next task, and a panicked worker is
//! replaced. The bus gets signs of life while a task runs; then the outcome is recorded, and only then is the delivery
//! acknowledged.

mod feeder;
mod phase;
mod slot;
mod telemetry;

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
    feeder::PoolFeeder,
    phase::PoolPhase,
    slot::{PoolSlot, PulledTask},
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

/// A running pool. It goes on until it is drained; dropped without that, it stops at once, and its tasks go to other
/// workers when the bus misses them.
pub struct Pool {
    factory: ActorRef<FactoryMessage<(), PulledTask>>,
    factory_ended: ActorHandle<()>,
    feeder: JoinHandle<()>,
    phase: watch::Sender<PoolPhase>,
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
        telemetry::pool_started();
        let (phase, watched) = watch::channel(PoolPhase::Working);
        let in_flight = Arc::<AtomicU64>::default();
        let slot =
            PoolSlot { bus: Arc::clone(&bus), performer, phase: watched.clone(), in_flight: Arc::clone(&in_flight) };
        let arguments = FactoryArguments::builder()
            .worker_builder(Box::new(worker_builder(move |_| (slot.clone(), ()))))
            .num_initial_workers(concurrency)
            .router(QueuerRouting::default())
            .queue(DefaultQueue::default())
            .build();
        let factory: Factory<
            (),
            PulledTask,
            (),
            PoolSlot,
            QueuerRouting<(), PulledTask>,
            DefaultQueue<(), PulledTask>,
        > = Factory::default();
        let (factory, factory_ended) =
            Actor::spawn(None, factory, arguments).await.map_err(|error| PoolError(error.to_string()))?;
        let slots = Arc::new(Semaphore::new(concurrency));
        let feeder = PoolFeeder { bus, factory: factory.clone(), slots: Arc::clone(&slots), kinds: options.kinds };
        let feeder = tokio::spawn(feeder.run(watched));
        Ok(Self { factory, factory_ended, feeder, phase, slots, concurrency: concurrency as u32, in_flight })
    }

    /// Pulls no more; lets running tasks finish for as long as `grace`, then hands them back and ends. True where none
    /// had to be handed back.
    pub async fn drain(self, grace: Duration) -> bool {
        let _ = self.phase.send(PoolPhase::Draining);
        let _ = self.feeder.await;
        let all = || self.slots.acquire_many(self.concurrency);
        let finished = timeout(grace, all()).await.is_ok();
        if !finished {
            let _ = self.phase.send(PoolPhase::HandingBack);
            // Handing back needs the bus, which may be out of reach.
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
