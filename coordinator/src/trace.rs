//! What traces tell of a job on the coordinator's side.

use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{Span, field::Empty, info_span};
use tributary_protocol::{
    id::JobId,
    task::Usage,
    trace::{JOB, TARGET},
};

/// A job that began then and ends now, in this way; a reason says why it isn't done. Told once, by whoever sees the end.
pub fn ended(job: JobId, title: &str, began: SystemTime, usage: &Usage, outcome: &str, reason: Option<&str>) {
    info_span!(
        target: TARGET, parent: None, JOB, %job, title, outcome, began = micros(began), otel.status_description = reason,
        calls = usage.calls as i64, calls_from_cache = usage.calls_from_cache as i64,
        calls_failed = usage.calls_failed as i64, prompt_tokens = usage.prompt_tokens as i64,
        reply_tokens = usage.reply_tokens as i64, cost_micros = usage.cost_micros as i64,
    );
}

/// The reading of a job's input, from then to now: only its end tells which job it is.
pub fn ingested(job: JobId, sources: usize, began: SystemTime) {
    info_span!(target: TARGET, "ingest", %job, sources = sources as i64, began = micros(began));
}

/// The time that a job is in a coordinator's hands.
pub(crate) fn held(job: JobId) -> Span {
    info_span!(target: TARGET, "hold", %job, term = Empty, outcome = Empty)
}

/// The making of a finished job's files.
pub fn reduced(job: JobId) -> Span {
    info_span!(target: TARGET, "reduce", %job)
}

fn micros(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64
}
