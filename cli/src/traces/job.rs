//! Puts all spans of a job into one trace, across processes.
//!
//! A job's id is the id of the trace, and the first half is the id of the root span. A worker therefore knows the
//! parent of a task's span without any extra data in the task.

use std::{
    cell::Cell,
    time::{Duration, UNIX_EPOCH},
};

use opentelemetry::{
    Context,
    trace::{SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer};
use tributary_protocol::trace::{BEGAN, JOB};

/// A tracer that attaches spans without a parent to the job's root span.
#[derive(Debug)]
pub struct JobTracer(pub SdkTracer);

impl Tracer for JobTracer {
    type Span = <SdkTracer as Tracer>::Span;

    fn build_with_context(&self, mut span: SpanBuilder, parent: &Context) -> Self::Span {
        begin_earlier(&mut span);
        match ids_of_job(&span) {
            Some(_) if parent.span().span_context().is_valid() => self.0.build_with_context(span, parent),
            Some(ids) if span.name == JOB => JobIds::next(ids, || self.0.build_with_context(span, parent)),
            Some((trace, root)) => {
                let root = SpanContext::new(trace, root, TraceFlags::SAMPLED, true, TraceState::NONE);
                self.0.build_with_context(span, &parent.with_remote_span_context(root))
            }
            None => self.0.build_with_context(span, parent),
        }
    }
}

fn ids_of_job(span: &SpanBuilder) -> Option<(TraceId, SpanId)> {
    let job = span.attributes.iter().flatten().find(|attribute| attribute.key.as_str() == "job")?;
    let job = job.value.as_str();
    Some((TraceId::from_hex(&job).ok()?, SpanId::from_hex(job.get(..16)?).ok()?))
}

/// Sets the start time of a span that is reported at the end, from the span's attribute.
fn begin_earlier(span: &mut SpanBuilder) {
    let Some(attributes) = &mut span.attributes else { return };
    let Some(at) = attributes.iter().position(|attribute| attribute.key.as_str() == BEGAN) else { return };
    let micros = attributes.remove(at).value.as_str().parse().unwrap_or_default();
    span.start_time = Some(UNIX_EPOCH + Duration::from_micros(micros));
}

/// An id generator: random ids, except for the root span of a job.
#[derive(Debug, Default)]
pub struct JobIds(RandomIdGenerator);

thread_local! {
    static NEXT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

impl JobIds {
    /// Uses these ids for the span that `build` creates.
    fn next<T>(ids: (TraceId, SpanId), build: impl FnOnce() -> T) -> T {
        NEXT.set(Some(ids));
        let built = build();
        NEXT.set(None);
        built
    }
}

impl IdGenerator for JobIds {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |(trace, _)| trace)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().map_or_else(|| self.0.new_span_id(), |(_, span)| span)
    }
}
