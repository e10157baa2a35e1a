//! What monitoring and traces see of jobs.

use std::time::{Duration, UNIX_EPOCH};

use metrics::counter;
use tracing::Span;
use tributary_protocol::id::JobId;

use super::state::{State, Status};
use crate::trace;

/// Counters that begin with their first event have no rate then: an alarm would miss it.
pub(super) fn start() {
    for outcome in Status::ENDS {
        counter!("tributary_jobs_total", "outcome" => outcome).increment(0);
    }
}

/// A job was let go, and this is how it stands now.
pub(super) fn let_go(job: JobId, state: &State) {
    let outcome = state.status.name();
    Span::current().record("term", state.term as i64).record("outcome", outcome);
    if state.status.has_ended() {
        counter!("tributary_jobs_total", "outcome" => outcome).increment(1);
        let began = UNIX_EPOCH + Duration::from_secs(state.submitted);
        trace::ended(job, &state.title, began, &state.progress.usage(), outcome, state.status.reason());
    }
}
