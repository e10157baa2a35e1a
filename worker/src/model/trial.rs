//! A tiny call, to see whether a model can be used at all.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, LanguageModel, Message, ModelError, ReplySchema};

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// How the server takes a reply's shape, for people.
    pub shaping: &'static str,
    /// Whether the reply had the shape that was asked for.
    pub fits: bool,
}

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sum {
    /// The sum.
    sum: i64,
}

/// Enough for a model that reasons before it answers.
const MAX_REPLY_TOKENS: u32 = 2_000;

/// A call that asks for next to nothing.
pub fn call() -> Call {
    Call {
        messages: vec![Message::system("You answer with JSON alone."), Message::user("What is 2 + 3?")],
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
pub async fn try_out(model: &dyn LanguageModel) -> Result<Trial, ModelError> {
    let call = call();
    let reply = model.complete(&call).await?;
    let fits = serde_json::from_str::<Sum>(&reply.text).is_ok_and(|Sum { sum }| sum != i64::MIN);
    Ok(Trial { shaping: model.shaping(&call.schema), fits })
}
