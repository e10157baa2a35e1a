//! The coordinator as a service: claims jobs, runs several of them beside each other, and keeps what came of them.
//!
//! A job is [`submit`]ted with its texts and a [`State`] that tells how it stands. A coordinator that claims it says so
//! time and again; one that falls silent loses it to another, which replays the journal. Both may live (a process that
//! was asleep doesn't know that it was), so each holder writes a higher term into the state, and whoever sees a higher
//! one than its own lets go.

mod hold;
mod kept_result;
mod measure;
mod shared;
mod state;
mod submit;
mod sweep;

use std::sync::{Arc, atomic::Ordering::Relaxed};

use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};
use tributary_protocol::bus::{Bus, JobQueue, Members};

use self::shared::{PAUSE, Shared};
pub use self::{
    kept_result::KeptResult,
    shared::{ServiceFigures, ServiceOptions},
    state::{State, Status, state, states},
    submit::{Resumed, Submitted, cancel, resume, submit},
};
use crate::{
    actor::{Coordinator, JobError},
    roster::Roster,
};

/// Claims and runs jobs until `stop`; then hands back what it holds, for another coordinator to go on with. What workers
/// announce is listened to, so that a job tells that none of them serves its tasks.
///
/// # Errors
///
/// Where the actor system refuses to start. A bus that fails is waited for.
pub async fn serve<B: Bus + JobQueue + Members>(
    bus: Arc<B>,
    options: ServiceOptions,
    figures: Arc<ServiceFigures>,
    stop: impl Future<Output = ()>,
) -> Result<(), JobError> {
    measure::start();
    let (roster, listening) = Roster::listen(bus.clone());
    let coordinator = Coordinator::start(bus.clone(), options.run, Some(roster)).await?;
    let (stopper, stopping) = watch::channel(false);
    let shared = Arc::new(Shared { bus: bus.clone(), queue: bus, coordinator, options, stopping, figures });
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
    listening.abort();
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
