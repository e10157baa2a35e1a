//! Spans of a job on the coordinator's side.

use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{Span, field::Empty, info_span};
use tributary_protocol::{
    id::JobId,
    task::Usage,
    trace::{JOB, TARGET},
};

/// Records the span of a whole job, from `began` until now. `reason` says why the job isn't done. Called once, by the
/// coordinator or client that sees the end.
pub fn ended(job: JobId, title: &str, began: SystemTime, usage: &Usage, outcome: &str, reason: Option<&str>) {
    info_span!(
        target: TARGET, parent: None, JOB, %job, title, outcome, began = micros(began), otel.status_description = reason,
        calls = usage.calls as i64, calls_from_cache = usage.calls_from_cache as i64,
        calls_failed = usage.calls_failed as i64, prompt_tokens = usage.prompt_tokens as i64,
        reply_tokens = usage.reply_tokens as i64, cost_micros = usage.cost_micros as i64,
    );
}

/// Records the reading of a job's input, from `began` until now: the job's id is known only at the end.
pub fn ingested(job: JobId, sources: usize, began: SystemTime) {
    info_span!(target: TARGET, "ingest", %job, sources = sources as i64, began = micros(began));
}

/// Opens the span of a job's time with a coordinator.
pub(crate) fn held(job: JobId) -> Span {
    info_span!(target: TARGET, "hold", %job, term = Empty, outcome = Empty)
}

/// Opens the span of making a finished job's files.
pub fn reduced(job: JobId) -> Span {
    info_span!(target: TARGET, "reduce", %job)
}

fn micros(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64
}
