//! Cleanup after jobs that have ended.
//!
//! A job's tasks, journal and blobs are cleared when the job ends. A worker still busy with a task, because the task
//! was redelivered or the job was cancelled, records an outcome after that; so ended jobs are cleared a few times more.
//!
//! The rest of an ended job is deleted after the queue's retention, and so is a submission that was cut short. The
//! job's state decides, not the age of its parts: a queued or running job needs them for however long it takes.

use std::{sync::Arc, time::Duration};

use tributary_protocol::{
    bus::{self, Bus, JobQueue},
    id::JobId,
};

use super::state::{State, Status, state, states};

/// The delays before an ended job is cleared again, in seconds after the previous time. The last is longer than any
/// call.
const AGAIN: [u64; 5] = [2, 10, 30, 120, 900];

/// The interval between searches for expired jobs.
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

/// Clears once the data that earlier coordinators may have left, and deletes expired jobs regularly. Never returns.
pub(super) async fn what_is_left(bus: Arc<dyn Bus>, queue: Arc<dyn JobQueue>) {
    let mut every = tokio::time::interval(EVERY);
    let mut is_first = true;
    loop {
        every.tick().await;
        match states(&*queue).await {
            Ok(states) => sweep(&*bus, &*queue, &states, is_first).await,
            Err(error) => tracing::warn!(%error, "failed to list the jobs for cleanup"),
        }
        is_first = false;
    }
}

async fn sweep(bus: &dyn Bus, queue: &dyn JobQueue, states: &[(JobId, State)], is_first: bool) {
    for (job, state) in states {
        if has_had_its_time(queue, state) {
            if let Err(error) = forget_if_still(bus, queue, *job, state).await {
                tracing::warn!(%job, %error, "failed to delete an expired job");
            }
        } else if is_first && is_over(&state.status) {
            clear_if_over(bus, queue, *job).await;
        }
    }
}

/// True if a job has expired and isn't running.
fn has_had_its_time(queue: &dyn JobQueue, state: &State) -> bool {
    let may_have_ended = state.status != Status::Running;
    may_have_ended && queue.retention().is_some_and(|retention| state.is_unchanged_for(retention))
}

/// Deletes a job and all its data if its state is still as `read`. The state goes last, so that an interrupted deletion
/// is resumed the next time.
async fn forget_if_still(bus: &dyn Bus, queue: &dyn JobQueue, job: JobId, read: &State) -> bus::Result<()> {
    let is_as_read = state(queue, job).await?.as_ref() == Some(read);
    // The document is stored after all texts: a queued job without a document was not submitted to the end.
    let is_out = !read.status.has_ended() && queue.document(job).await?.is_some();
    if !is_as_read || is_out {
        return Ok(());
    }
    tracing::info!(%job, status = %read.status, "deleting an expired job");
    bus.clear(job).await?;
    queue.forget(job).await
}

/// True for jobs that won't go on: done or cancelled. Failed jobs may be resumed.
fn is_over(status: &Status) -> bool {
    matches!(status, Status::Done(_) | Status::Cancelled)
}

/// Clears the data of a job that is over. Returns false for any other job, which needs no more cleanup.
async fn clear_if_over(bus: &dyn Bus, queue: &dyn JobQueue, job: JobId) -> bool {
    match state(queue, job).await {
        Ok(Some(state)) if is_over(&state.status) => {
            let cleared = match state.status {
                // The kept result refers to the sources' texts.
                Status::Done(_) => bus.clear_work(job).await,
                _ => bus.clear(job).await,
            };
            if let Err(error) = cleared {
                tracing::warn!(%job, %error, "failed to clear the data of an ended job");
            }
            true
        }
        Ok(_) => false,
        Err(error) => {
            tracing::warn!(%job, %error, "failed to read a job's state");
            true
        }
    }
}
