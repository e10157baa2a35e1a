//! Failures, read from error answers: structured codes first, wording second.

use reqwest::StatusCode;
use serde_json::Value;

use crate::model::{
    error::ModelError,
    failure::RequestFailure,
    format::{RefusalScope, ReplyFormat},
    http::{HttpAnswer, ModelServer, number_after},
    usage::TokenUsage,
};

/// A part of a request not supported by all servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatFeature {
    /// The way to ask for a typed reply.
    ReplyFormat(RefusalScope),
    /// `max_tokens`, in favour of `max_completion_tokens`.
    MaxTokens,
    /// A reply ceiling above this number of tokens.
    ReplyCeiling(u32),
    Temperature,
    Seed,
}

/// Tells whether the body of a successful answer reports a failure.
pub fn is_failure(body: &Value) -> bool {
    let error = said(body).get("error").is_some_and(|error| !error.is_null());
    error && said(body)["choices"].as_array().is_none_or(Vec::is_empty)
}

/// The failure in an error answer to a request for a reply in `format`.
pub fn read(server: &ModelServer, answer: &HttpAnswer, format: ReplyFormat) -> RequestFailure<ChatFeature> {
    let told = ErrorAnswer::of(answer);
    let message = format!("{}: {}", server.at, told.text);
    let model = match told.status {
        400 | 403 if told.is_filtered => {
            ModelError::Refused { model: server.at.clone(), reason: told.text, usage: TokenUsage::default() }
        }
        401..=403 => ModelError::Fatal { message },
        429 if told.is_coded(&["insufficient_quota", "billing_hard_limit_reached"]) => ModelError::Fatal { message },
        413 => ModelError::TooLong { message },
        _ if told.is_too_long() => ModelError::TooLong { message },
        _ if told.is_coded(&["json_validate_failed"]) => {
            ModelError::Empty { model: server.at.clone(), usage: TokenUsage::default() }
        }
        429 => ModelError::RateLimited { retry_after: answer.retry_after(), message },
        400 | 404 | 422 | 501 => match told.refused(format) {
            Some(feature) => return RequestFailure::Refused { feature, message: told.text },
            None if matches!(told.status, 400 | 422) => ModelError::Rejected { message },
            None => ModelError::Fatal { message },
        },
        408 | 409 | 425 | 500.. => ModelError::Unavailable { message },
        _ => ModelError::Fatal { message },
    };
    RequestFailure::Model(model)
}

/// The body of an answer; Gemini's compatible server wraps errors in a list.
fn said(body: &Value) -> &Value {
    body.get(0).unwrap_or(body)
}

/// The content of an error answer, for all servers' shapes.
struct ErrorAnswer {
    status: u16,
    /// Codes and types in lower case.
    codes: Vec<String>,
    /// The parameter at fault, `response_format` or `body.seed`.
    parameter: String,
    /// For people: the status and the message.
    text: String,
    /// The message in lower case.
    wording: String,
    /// A filter in front of the model took the prompt for improper.
    is_filtered: bool,
}

impl ErrorAnswer {
    fn of(answer: &HttpAnswer) -> Self {
        let body = answer.json().unwrap_or_default();
        let body = said(&body);
        let error = if body["error"].is_object() { &body["error"] } else { body };
        let first = &body["detail"][0];
        let messages = [&error["message"], &body["error"], &body["detail"], &first["msg"], &error["metadata"]["raw"]];
        let messages: Vec<_> = messages.into_iter().filter_map(Value::as_str).collect();
        let message = messages.join(": ");
        let text = match message.is_empty() {
            true => answer.excerpt(),
            false => format!("{}: {}", answer.status, message.chars().take(600).collect::<String>()),
        };
        let codes = [&error["code"], &error["type"], &error["status"], &first["type"], &body["error_type"]];
        let location: Vec<_> = first["loc"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let codes: Vec<_> = codes.into_iter().filter_map(Value::as_str).map(str::to_lowercase).collect();
        Self {
            status: status(answer.status, error),
            // OpenRouter sends no code but the reasons of its moderation.
            is_filtered: codes.iter().any(|code| FILTERED.contains(&code.as_str()))
                || error["metadata"]["reasons"].is_array(),
            codes,
            parameter: error["param"].as_str().map_or_else(|| location.join("."), str::to_lowercase),
            text,
            wording: message.to_lowercase(),
        }
    }

    fn is_coded(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }

    fn has_words(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.wording.contains(word))
    }

    fn is_too_long(&self) -> bool {
        if self.is_coded(&["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"]) {
            return true;
        }
        // A named parameter is at fault, even if the message also mentions windows.
        let named = ["response_format", "temperature", "seed"].iter().any(|name| self.parameter.contains(name));
        !named && (self.has_words(TOO_LONG) || (self.status == 429 && self.has_words(&["request too large"])))
    }

    fn refused(&self, format: ReplyFormat) -> Option<ChatFeature> {
        let most = number_after(&self.wording, "at most").filter(|_| self.wording.contains("completion tokens"));
        if let Some(most) = most {
            return Some(ChatFeature::ReplyCeiling(most));
        }
        if self.is_at_fault("max_tokens") && self.names_successor() {
            return Some(ChatFeature::MaxTokens);
        }
        for (name, feature) in [("temperature", ChatFeature::Temperature), ("seed", ChatFeature::Seed)] {
            if self.is_at_fault(name) {
                return Some(feature);
            }
        }
        let scope = if self.is_about_one_schema() { RefusalScope::Schema } else { RefusalScope::Way };
        let format_at_fault = self.is_at_fault("response_format")
            || self.is_coded(&["invalid_json_schema"])
            || (self.has_words(FORMATS) && self.has_words(REFUSALS));
        (format != ReplyFormat::Plain && format_at_fault).then_some(ChatFeature::ReplyFormat(scope))
    }

    /// Tells whether the server blames this parameter.
    fn is_at_fault(&self, name: &str) -> bool {
        match self.parameter.is_empty() {
            true => has_name(&self.wording, name) && self.has_words(REFUSALS),
            false => self.parameter.split('.').any(|part| part == name),
        }
    }

    /// Tells whether the server rejects the name `max_tokens`, not the number.
    fn names_successor(&self) -> bool {
        let code = self.is_coded(&["unsupported_parameter", "extra_forbidden", "unknown_parameter"]);
        code || (self.wording.contains("max_completion_tokens") && !self.wording.contains("too large"))
    }

    fn is_about_one_schema(&self) -> bool {
        self.is_coded(&["invalid_json_schema"]) || self.has_words(ONE_SCHEMA)
    }
}

/// Tells whether a text has this name as a whole word: `seed`, but not in a model's name such as `seed-oss`.
fn has_name(text: &str, name: &str) -> bool {
    let joined = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(joined) && !text[at + name.len()..].starts_with(joined))
}

/// Some gateways answer 200 and put the upstream's status into the body; llama.cpp repeats its own there.
fn status(status: StatusCode, error: &Value) -> u16 {
    let inner =
        error["code"].as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    match inner {
        Some(inner) if status.is_success() => inner,
        None if status.is_success() => StatusCode::BAD_GATEWAY.as_u16(),
        _ => status.as_u16(),
    }
}

/// The codes of prompts refused by a filter.
const FILTERED: &[&str] = &["content_filter", "content_policy_violation", "invalid_prompt"];

/// Servers' phrases for a prompt longer than the window.
const TOO_LONG: &[&str] = &[
    "maximum context length",
    "context_length_exceeded",
    "available context size",
    "exceeds the context",
    "exceed context window",
    "exceeds the model's context",
    "exceeds the maximum context",
    "exceeded max context length",
    "longer than the model's context length",
    "longer than the maximum model length",
    "context window of this model",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input length exceeds",
    "input token count",
    "max_tokens must be at least 1, got -",
    "reduce the length of the",
];

/// Servers' names for the formats of typed replies.
const FORMATS: &[&str] = &[
    "response_format",
    "response format",
    "json_schema",
    "json schema",
    "json_object",
    "json mode",
    "structured output",
    "grammar",
    "requested parameters",
];

/// Servers' complaints about a single schema.
const ONE_SCHEMA: &[&str] = &["invalid schema", "schema is too", "too many states", "conversion failed", "grammar"];

/// Servers' phrases for an unsupported part of a request.
const REFUSALS: &[&str] = &[
    "not support",
    "n't support",
    "unsupported",
    "not permitted",
    "not allowed",
    "not available",
    "not implemented",
    "not enabled",
    "not valid",
    "unavailable",
    "unrecognized",
    "unrecognised",
    "unknown",
    "unexpected",
    "invalid",
    "must be",
    "too many states",
    "schema is too",
    "failed",
    "no endpoints found",
];
