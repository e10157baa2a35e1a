//! Cleaning up behind jobs that have ended.
//!
//! A job's tasks, journal and blobs are cleared when it ends. A worker that was still busy with a task of it, because
//! the task had come twice or the job was cancelled, records an outcome after that; so what has ended is cleared a few
//! times more.

use std::{sync::Arc, time::Duration};

use tributary_protocol::{
    bus::{Bus, JobQueue},
    id::JobId,
};

use super::state::{Status, state, states};

/// When a job that has ended is cleared again, in seconds after the time before. The last is longer than any call.
const AGAIN: [u64; 5] = [2, 10, 30, 120, 900];

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

/// Clears, once, what coordinators before this one may have left.
pub(super) async fn what_was_left(bus: Arc<dyn Bus>, queue: Arc<dyn JobQueue>) {
    match states(&*queue).await {
        Ok(states) => {
            for (job, _) in states.iter().filter(|(_, state)| is_over(&state.status)) {
                clear_if_over(&*bus, &*queue, *job).await;
            }
        }
        Err(error) => tracing::warn!(%error, "jobs that have ended can't be cleaned up behind"),
    }
}

/// Those are not over that may go on where they are.
fn is_over(status: &Status) -> bool {
    matches!(status, Status::Done(_) | Status::Cancelled)
}

/// False of a job that is not over, or not any more.
async fn clear_if_over(bus: &dyn Bus, queue: &dyn JobQueue, job: JobId) -> bool {
    match state(queue, job).await {
        Ok(Some(state)) if is_over(&state.status) => {
            if let Err(error) = bus.clear(job).await {
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
