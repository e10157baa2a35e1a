//! Single calls to one model, each admitted by the provider's limits.

use tracing::{Instrument as _, Span};
use tributary_protocol::task::Kind;

use super::{answer::PaidAnswer, models::ConnectedModel, telemetry};
use crate::{
    model::{ModelCall, ModelError, ModelReply},
    throttle::{CallOutcome, CallPermit},
};

/// Issues single calls to a model, for tasks of one kind.
#[derive(Clone, Copy)]
pub(super) struct CallIssuer<'a> {
    pub kind: Kind,
    pub model: &'a ConnectedModel,
}

impl<'a> CallIssuer<'a> {
    pub fn model_name(&self) -> &'a str {
        self.model.model.name()
    }

    /// Waits for the permission to make a call of so many tokens, prompt and reply. Fails where the provider asks to wait
    /// for longer than any call waits.
    pub async fn admit(&self, tokens: u64) -> Result<CallPermit, ModelError> {
        let throttle = &self.model.throttle;
        tokio::select! {
            biased;
            permit = throttle.admit(tokens) => Ok(permit),
            asked = throttle.exhausted() => {
                let message = format!("{}: the provider asks to wait for {} s", self.model_name(), asked.as_secs());
                Err(ModelError::RateLimited { retry_after: Some(asked), message })
            }
        }
    }

    /// Makes the call, once.
    pub async fn issue(&self, call: &ModelCall, permit: CallPermit, span: Span) -> Result<PaidAnswer, ModelError> {
        let result = self.model.model.complete(call).instrument(span.clone()).await;
        telemetry::record_call(&span, &result);
        permit.done(outcome(&result));
        let result = PaidAnswer::of(result);
        match &result {
            Ok(_) => telemetry::call_answered(self.kind, self.model_name()),
            Err(_) => telemetry::call_failed(self.kind, self.model_name()),
        }
        result
    }
}

/// The part of a call's result relevant to the provider's limits.
fn outcome(result: &Result<ModelReply, ModelError>) -> CallOutcome {
    match result {
        Err(ModelError::RateLimited { retry_after, .. }) => CallOutcome::RateLimited { retry_after: *retry_after },
        Err(ModelError::Unavailable { .. }) => CallOutcome::Unavailable,
        _ => CallOutcome::Ok,
    }
}
