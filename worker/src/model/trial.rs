//! A tiny call, to see whether a model can be used at all.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    call::{ChatMessage, ModelCall},
    error::ModelError,
    language_model::LanguageModel,
    schema::ReplySchema,
};

/// The result of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialResult {
    /// The server's format for a typed reply, for people.
    pub shaping: &'static str,
    /// The reply had the requested shape.
    pub fits: bool,
}

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sum {
    /// The sum.
    sum: i64,
}

/// Enough tokens for a model with reasoning.
const MAX_REPLY_TOKENS: u32 = 2_000;

/// A tiny call with next to no content.
pub fn call() -> ModelCall {
    ModelCall {
        messages: vec![ChatMessage::system("You answer with JSON alone."), ChatMessage::user("What is 2 + 3?")],
        schema: ReplySchema::of::<Sum>(),
        max_reply_tokens: MAX_REPLY_TOKENS,
        temperature: 0.0,
        seed: Some(0),
    }
}

/// Asks the model for next to nothing.
///
/// # Errors
///
/// Why there is no reply.
pub async fn try_out(model: &dyn LanguageModel) -> Result<TrialResult, ModelError> {
    let call = call();
    let reply = model.complete(&call).await?;
    let fits = serde_json::from_str::<Sum>(reply.text.as_str()).is_ok_and(|Sum { sum }| sum != i64::MIN);
    Ok(TrialResult { shaping: model.shaping(&call.schema), fits })
}
