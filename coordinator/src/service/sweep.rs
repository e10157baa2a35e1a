//! Cleaning up behind jobs that have ended.
//!
//! A job's tasks, journal and blobs are cleared when it ends. A worker that was still busy with a task of it, because
//! the task had come twice or the job was cancelled, records an outcome after that; so what has ended is cleared a few
//! times more.
//!
//! What is left of an ended job is forgotten when the queue's time for it is up, and so is a submission that was cut
//! short. How a job stands decides, not how old its parts are: one that waits or runs needs them for however long it does.

use std::{sync::Arc, time::Duration};

use tributary_protocol::{
    bus::{self, Bus, JobQueue},
    id::JobId,
};

use super::state::{State, Status, state, states};

/// When a job that has ended is cleared again, in seconds after the time before. The last is longer than any call.
const AGAIN: [u64; 5] = [2, 10, 30, 120, 900];

/// How often jobs are looked for whose time is up.
const EVERY: Duration = Duration::from_secs(3600);

pub(super) fn later(bus: Arc<dyn Bus>, queue: Arc<dyn JobQueue>, job: JobId) {
    tokio::spawn(async move {
        for seconds in AGAIN {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            if !clear_if_over(&*bus, &*queue, job).await {
                return;
            }
        }
    });
}

/// Clears, once, what coordinators before this one may have left, and forgets time and again what has been kept for long
/// enough. Never ends.
pub(super) async fn what_is_left(bus: Arc<dyn Bus>, queue: Arc<dyn JobQueue>) {
    let mut every = tokio::time::interval(EVERY);
    let mut is_first = true;
    loop {
        every.tick().await;
        match states(&*queue).await {
            Ok(states) => sweep(&*bus, &*queue, &states, is_first).await,
            Err(error) => tracing::warn!(%error, "jobs that have ended can't be cleaned up behind"),
        }
        is_first = false;
    }
}

async fn sweep(bus: &dyn Bus, queue: &dyn JobQueue, states: &[(JobId, State)], is_first: bool) {
    for (job, state) in states {
        if has_had_its_time(queue, state) {
            if let Err(error) = forget_if_still(bus, queue, *job, state).await {
                tracing::warn!(%job, %error, "a job can't be forgotten whose time is up");
            }
        } else if is_first && is_over(&state.status) {
            clear_if_over(bus, queue, *job).await;
        }
    }
}

/// Whether its time is up, if it has ended or is not even out.
fn has_had_its_time(queue: &dyn JobQueue, state: &State) -> bool {
    let may_have_ended = state.status != Status::Running;
    may_have_ended && queue.retention().is_some_and(|retention| state.is_unchanged_for(retention))
}

/// Forgets a job that stands as it was `read`, with all that is kept of it. How it stands goes last, so that a forgetting
/// that is cut short goes on the next time.
async fn forget_if_still(bus: &dyn Bus, queue: &dyn JobQueue, job: JobId, read: &State) -> bus::Result<()> {
    let is_as_read = state(queue, job).await?.as_ref() == Some(read);
    // The document is stored when all texts are: a job that waits without one was not submitted to the end.
    let is_out = !read.status.has_ended() && queue.document(job).await?.is_some();
    if !is_as_read || is_out {
        return Ok(());
    }
    tracing::info!(%job, status = %read.status, "a job is forgotten");
    bus.clear(job).await?;
    queue.forget(job).await
}

/// Those are not over that may go on where they are.
fn is_over(status: &Status) -> bool {
    matches!(status, Status::Done(_) | Status::Cancelled)
}

/// False of a job that is not over, or not any more.
async fn clear_if_over(bus: &dyn Bus, queue: &dyn JobQueue, job: JobId) -> bool {
    match state(queue, job).await {
        Ok(Some(state)) if is_over(&state.status) => {
            let cleared = match state.status {
                // The result refers to the sources' texts.
                Status::Done(_) => bus.clear_work(job).await,
                _ => bus.clear(job).await,
            };
            if let Err(error) = cleared {
                tracing::warn!(%job, %error, "what a job has left can't be cleared");
            }
            true
        }
        Ok(_) => false,
        Err(error) => {
            tracing::warn!(%job, %error, "how a job stands can't be read");
            true
        }
    }
}
