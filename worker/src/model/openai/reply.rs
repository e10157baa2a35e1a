//! The reply in a chat completion.

use serde_json::Value;

use crate::model::{ModelError, Reply, Usage, http::Server, read_text};

/// Reads a completion. Reasoning that has a field of its own (`reasoning`, `reasoning_content`) is left there.
pub fn read(server: &Server, body: &Value) -> Result<Reply, ModelError> {
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
        _ => read_text(text(&message["content"]), matches!(end, "length" | "max_tokens"), usage, &server.at),
    }
}

/// The content, which some servers give in parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn usage(usage: &Value) -> Usage {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    Usage {
        prompt_tokens: count(&usage["prompt_tokens"]),
        cached_prompt_tokens: count(&usage["prompt_tokens_details"]["cached_tokens"])
            .max(count(&usage["prompt_cache_hit_tokens"])),
        reply_tokens: count(&usage["completion_tokens"]),
    }
}
