//! The coordinator as a service: claims jobs, runs several of them beside each other, and keeps what came of them.
//!
//! A job is [`submit`]ted with its texts and a [`State`] that tells how it stands. A coordinator that claims it says so
//! time and again; one that falls silent loses it to another, which replays the journal. Both may live (a process that
//! was asleep doesn't know that it was), so each holder writes a higher term into the state, and whoever sees a higher
//! one than its own lets go.

mod hold;
mod made;
mod measure;
mod state;
mod submit;
mod sweep;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};
use tributary_protocol::bus::{Bus, JobQueue};

pub use self::{
    made::Made,
    state::{Numbers, State, Status, state, states},
    submit::{Resumed, Submitted, cancel, resume, submit},
};
use crate::actor::{self, Coordinator, JobError};

/// How a service works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Jobs at a time, at least 1.
    pub jobs: usize,
    pub run: actor::Options,
    /// The shortest time between two writings of a job's state.
    pub state_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { jobs: 16, run: actor::Options::default(), state_every: Duration::from_secs(1) }
    }
}

/// What a service is doing, in figures.
#[derive(Debug, Default)]
pub struct Figures {
    running: AtomicUsize,
}

impl Figures {
    /// Jobs that are held now.
    pub fn running(&self) -> usize {
        self.running.load(Relaxed)
    }
}

/// What all jobs of a service share.
struct Shared {
    bus: Arc<dyn Bus>,
    queue: Arc<dyn JobQueue>,
    coordinator: Coordinator,
    options: Options,
    stopping: watch::Receiver<bool>,
    figures: Arc<Figures>,
}

/// After a queue that failed, so long nothing is claimed.
const PAUSE: Duration = Duration::from_secs(2);

/// Claims and runs jobs until `stop`; then hands back what it holds, for another coordinator to go on with.
///
/// # Errors
///
/// Where the actor system refuses to start. A bus that fails is waited for.
pub async fn serve(
    bus: Arc<dyn Bus>,
    queue: Arc<dyn JobQueue>,
    options: Options,
    figures: Arc<Figures>,
    stop: impl Future<Output = ()>,
) -> Result<(), JobError> {
    measure::start();
    let coordinator = Coordinator::start(bus.clone(), options.run).await?;
    let (stopper, stopping) = watch::channel(false);
    let shared = Arc::new(Shared { bus, queue, coordinator, options, stopping, figures });
    let sweeping = tokio::spawn(sweep::what_is_left(shared.bus.clone(), shared.queue.clone()));
    let mut stop = std::pin::pin!(stop);
    let mut jobs = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(held) = jobs.join_next(), if !jobs.is_empty() => tell_panic(held),
            claim = shared.queue.claim(), if jobs.len() < options.jobs.max(1) => match claim {
                Ok(claim) => {
                    jobs.spawn(hold::hold(shared.clone(), claim));
                }
                Err(error) => {
                    tracing::warn!(%error, "no job can be claimed; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
        shared.figures.running.store(jobs.len(), Relaxed);
    }
    stopper.send_replace(true);
    while let Some(held) = jobs.join_next().await {
        tell_panic(held);
    }
    shared.figures.running.store(0, Relaxed);
    sweeping.abort();
    if let Some(shared) = Arc::into_inner(shared) {
        shared.coordinator.stop().await;
    }
    Ok(())
}

/// A job whose keeper panicked goes to another coordinator; the reason must not go with it.
fn tell_panic(held: Result<(), JoinError>) {
    if let Err(error) = held {
        tracing::error!(%error, "a job was dropped");
    }
}
