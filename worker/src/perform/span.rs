//! What traces tell of a call, in OpenTelemetry's words for calls of models.

use tracing::{Span, field::Empty, info_span};
use tributary_protocol::trace::TARGET;

use crate::model::{ModelError, Reply};

/// One attempt to have a call answered.
pub(super) fn of_call(model: &str, attempt: u32) -> Span {
    info_span!(
        target: TARGET, "call", otel.kind = "client", otel.status_description = Empty,
        gen_ai.operation.name = "chat", gen_ai.request.model = model, attempt = i64::from(attempt),
        gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
    )
}

pub(super) fn tell(span: &Span, result: &Result<Reply, ModelError>) {
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
