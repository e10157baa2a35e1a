//! The coordinator as a service: claims jobs, runs several of them in parallel, and keeps the results.
//!
//! A job is [`submit`]ted with its texts and a [`State`]. A coordinator that has claimed the job renews its lease
//! regularly; a coordinator that falls silent loses the job to another, and the new holder replays the journal. Both
//! may be alive (a process that was suspended doesn't know), so each holder writes a higher fencing term into the
//! state, and a holder that sees a higher term than its own lets go.

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
use tributary_protocol::bus::{Bus, Gossip, JobQueue};

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

/// Claims and runs jobs until `stop`; then requeues the jobs held, for another coordinator to resume. Listens to
/// workers' announcements, so that a job can report that no worker serves its tasks.
///
/// # Errors
///
/// Fails if the actor system refuses to start. A bus that fails is retried.
pub async fn serve<B: Bus + JobQueue + Gossip>(
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
                    tracing::warn!(%error, "failed to claim a job; retrying");
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

/// Logs a panic. The job goes to another coordinator, and the reason must not get lost.
fn tell_panic(held: Result<(), JoinError>) {
    if let Err(error) = held {
        tracing::error!(%error, "a job's task panicked; another coordinator will take the job");
    }
}
