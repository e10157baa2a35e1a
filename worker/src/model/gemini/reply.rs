//! The reply among Gemini's candidates.

use serde_json::Value;

use crate::model::{
    error::ModelError,
    http::ModelServer,
    reply::{ModelReply, read_text},
    usage::TokenUsage,
};

/// Reads the first candidate, without its thoughts.
pub fn read(server: &ModelServer, body: &Value) -> Result<ModelReply, ModelError> {
    let usage = usage(&body["usageMetadata"]);
    let refused = |reason: &str| {
        let reason = format!("{reason} {}", body["promptFeedback"]["blockReasonMessage"].as_str().unwrap_or_default());
        Err(ModelError::Refused { model: server.at.clone(), reason: reason.trim().to_owned(), usage })
    };
    if let Some(reason) = body["promptFeedback"]["blockReason"].as_str() {
        return refused(reason);
    }
    let candidate = &body["candidates"][0];
    let end = candidate["finishReason"].as_str().unwrap_or_default();
    match end {
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE" => refused(end),
        _ => read_text(&text(&candidate["content"]["parts"]), end == "MAX_TOKENS", usage, &server.at),
    }
}

fn text(parts: &Value) -> String {
    let spoken = parts.as_array().into_iter().flatten().filter(|part| part["thought"] != true);
    spoken.filter_map(|part| part["text"].as_str()).collect()
}

fn usage(usage: &Value) -> TokenUsage {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    TokenUsage {
        prompt_tokens: count("promptTokenCount"),
        cached_prompt_tokens: count("cachedContentTokenCount"),
        reply_tokens: count("candidatesTokenCount") + count("thoughtsTokenCount"),
    }
}
