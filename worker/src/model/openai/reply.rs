//! The reply in a chat completion.

use serde_json::Value;

use crate::model::{
    error::ModelError,
    http::ModelServer,
    reply::{ModelReply, read_text},
    usage::TokenUsage,
};

/// Reads a completion, without reasoning in fields of its own (`reasoning`, `reasoning_content`).
pub fn read(server: &ModelServer, body: &Value) -> Result<ModelReply, ModelError> {
    let usage = usage(&body["usage"]);
    let choice = &body["choices"][0];
    let message = &choice["message"];
    let model = || server.at.clone();
    if let Some(refusal) = message["refusal"].as_str().filter(|refusal| !refusal.is_empty()) {
        return Err(ModelError::Refused { model: model(), reason: refusal.to_owned(), usage });
    }
    let end = choice["finish_reason"].as_str().unwrap_or_default();
    match end {
        "content_filter" => Err(ModelError::Refused { model: model(), reason: end.to_owned(), usage }),
        "error" => {
            let why = choice["error"]["message"].as_str().unwrap_or("the reply broke off");
            Err(server.unavailable(why))
        }
        _ => read_text(&text(&message["content"]), matches!(end, "length" | "max_tokens"), usage, &server.at),
    }
}

/// The content; some servers send the content in parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn usage(usage: &Value) -> TokenUsage {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    TokenUsage {
        prompt_tokens: count(&usage["prompt_tokens"]),
        cached_prompt_tokens: count(&usage["prompt_tokens_details"]["cached_tokens"])
            .max(count(&usage["prompt_cache_hit_tokens"])),
        reply_tokens: count(&usage["completion_tokens"]),
    }
}
