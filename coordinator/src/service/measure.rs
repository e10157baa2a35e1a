//! Metrics and traces of jobs.

use std::time::{Duration, UNIX_EPOCH};

use metrics::counter;
use tracing::Span;
use tributary_protocol::id::JobId;

use super::state::{State, Status};
use crate::trace;

/// Sets all counters to zero: a counter that begins with its first event has no rate then, and an alarm would miss the
/// event.
pub(super) fn start() {
    for outcome in Status::ENDS {
        counter!("tributary_jobs_total", "outcome" => outcome).increment(0);
    }
}

/// Records that a job was released, with its state.
pub(super) fn let_go(job: JobId, state: &State) {
    let outcome = state.status.name();
    Span::current().record("term", state.term as i64).record("outcome", outcome);
    if state.status.has_ended() {
        counter!("tributary_jobs_total", "outcome" => outcome).increment(1);
        let began = UNIX_EPOCH + Duration::from_secs(state.submitted);
        trace::ended(job, &state.title, began, &state.progress.usage(), outcome, state.status.reason());
    }
}
