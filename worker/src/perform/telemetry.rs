//! Telemetry of calls: counters and spans. Calls are counted at their own end: the end of their task may be far off.

use metrics::counter;
use tracing::{Span, field::Empty, info_span};
use tributary_protocol::{task::Kind, trace::TARGET};

use crate::{
    metric_names::CALLS,
    model::{ModelError, ModelReply},
};

/// Starts the counters of a model at zero: without a zero, alarms would miss a counter's first event.
pub(super) fn model_connected(model: &str) {
    for kind in Kind::all() {
        for result in ["answered", "cached", "failed"] {
            counter!(CALLS, "kind" => kind.name(), "model" => model.to_owned(), "result" => result).increment(0);
        }
    }
}

pub(super) fn call_answered(kind: Kind, model: &str) {
    count_call(kind, model, "answered");
}

/// Counts a call answered by the reply cache.
pub(super) fn call_from_cache(kind: Kind, model: &str) {
    count_call(kind, model, "cached");
}

pub(super) fn call_failed(kind: Kind, model: &str) {
    count_call(kind, model, "failed");
}

fn count_call(kind: Kind, model: &str, result: &'static str) {
    counter!(CALLS, "kind" => kind.name(), "model" => model.to_owned(), "result" => result).increment(1);
}

/// The span of an attempt, named as in OpenTelemetry's conventions for models.
pub(super) fn call_span(model: &str, attempt: u32) -> Span {
    info_span!(
        target: TARGET, "call", otel.kind = "client", otel.status_description = Empty,
        gen_ai.operation.name = "chat", gen_ai.request.model = model, attempt = i64::from(attempt),
        gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
    )
}

/// Records the result of an attempt in its span.
pub(super) fn record_call(span: &Span, result: &Result<ModelReply, ModelError>) {
    match result {
        Ok(reply) => {
            span.record("gen_ai.usage.input_tokens", reply.usage.prompt_tokens as i64);
            span.record("gen_ai.usage.output_tokens", reply.usage.reply_tokens as i64);
        }
        Err(error) => {
            span.record("otel.status_description", tracing::field::display(error));
        }
    }
}
