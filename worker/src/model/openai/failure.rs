//! What went wrong, from an error answer: structured codes first, wording second.

use reqwest::StatusCode;
use serde_json::Value;

use crate::model::{
    ModelError, Usage,
    format::{Format, Scope},
    http::{Answer, Server, number_after},
};

/// A part of a request that a server may not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// The way to ask for a typed reply.
    Format(Scope),
    /// `max_tokens`, in favour of `max_completion_tokens`.
    MaxTokens,
    /// A reply ceiling above this one, in tokens.
    ReplyCeiling(u32),
    Temperature,
    Seed,
}

/// The end of one request without a reply.
pub enum Failure {
    Model(ModelError),
    /// The same call may do without this feature.
    Refused {
        feature: Feature,
        message: String,
    },
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

/// Whether the body of an answer that claims success tells of a failure.
pub fn is_failure(body: &Value) -> bool {
    let error = said(body).get("error").is_some_and(|error| !error.is_null());
    error && said(body)["choices"].as_array().is_none_or(Vec::is_empty)
}

/// The failure that an answer tells of; the request had asked for its reply in `format`.
pub fn read(server: &Server, answer: &Answer, format: Format) -> Failure {
    let told = Told::of(answer);
    let message = format!("{}: {}", server.at, told.text);
    let model = match told.status {
        400 | 403 if told.is_filtered => {
            ModelError::Refused { model: server.at.clone(), reason: told.text, usage: Usage::default() }
        }
        401..=403 => ModelError::Fatal { message },
        429 if told.is_coded(&["insufficient_quota", "billing_hard_limit_reached"]) => ModelError::Fatal { message },
        413 => ModelError::TooLong { message },
        _ if told.is_too_long() => ModelError::TooLong { message },
        _ if told.is_coded(&["json_validate_failed"]) => {
            ModelError::Empty { model: server.at.clone(), usage: Usage::default() }
        }
        429 => ModelError::RateLimited { retry_after: answer.retry_after(), message },
        400 | 404 | 422 | 501 => match told.refused(format) {
            Some(feature) => return Failure::Refused { feature, message: told.text },
            None if matches!(told.status, 400 | 422) => ModelError::Rejected { message },
            None => ModelError::Fatal { message },
        },
        408 | 409 | 425 | 500.. => ModelError::Unavailable { message },
        _ => ModelError::Fatal { message },
    };
    Failure::Model(model)
}

/// Gemini's compatible server wraps its errors in a list.
fn said(body: &Value) -> &Value {
    body.get(0).unwrap_or(body)
}

/// What an error answer says, whichever server's shape it has.
struct Told {
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

impl Told {
    fn of(answer: &Answer) -> Self {
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
            // OpenRouter names no code, but what its moderation found.
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
        // A parameter that is named is at fault, whatever else the message goes on to say of windows.
        let named = ["response_format", "temperature", "seed"].iter().any(|name| self.parameter.contains(name));
        !named && (self.has_words(TOO_LONG) || (self.status == 429 && self.has_words(&["request too large"])))
    }

    fn refused(&self, format: Format) -> Option<Feature> {
        let most = number_after(&self.wording, "at most").filter(|_| self.wording.contains("completion tokens"));
        if let Some(most) = most {
            return Some(Feature::ReplyCeiling(most));
        }
        if self.is_at_fault("max_tokens") && self.names_successor() {
            return Some(Feature::MaxTokens);
        }
        for (name, feature) in [("temperature", Feature::Temperature), ("seed", Feature::Seed)] {
            if self.is_at_fault(name) {
                return Some(feature);
            }
        }
        let scope = if self.is_about_one_schema() { Scope::Schema } else { Scope::Way };
        let format_at_fault = self.is_at_fault("response_format")
            || self.is_coded(&["invalid_json_schema"])
            || (self.has_words(FORMATS) && self.has_words(REFUSALS));
        (format != Format::Plain && format_at_fault).then_some(Feature::Format(scope))
    }

    /// Whether the server names this parameter as the one that it doesn't take.
    fn is_at_fault(&self, name: &str) -> bool {
        match self.parameter.is_empty() {
            true => has_name(&self.wording, name) && self.has_words(REFUSALS),
            false => self.parameter.split('.').any(|part| part == name),
        }
    }

    /// Whether it is the name of `max_tokens` that is wrong, not the number in it.
    fn names_successor(&self) -> bool {
        let code = self.is_coded(&["unsupported_parameter", "extra_forbidden", "unknown_parameter"]);
        code || (self.wording.contains("max_completion_tokens") && !self.wording.contains("too large"))
    }

    fn is_about_one_schema(&self) -> bool {
        self.is_coded(&["invalid_json_schema"]) || self.has_words(ONE_SCHEMA)
    }
}

/// Whether a text has this name as a word of its own: `seed`, but not in a model's name such as `seed-oss`.
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

/// The codes of a prompt that a filter refuses.
const FILTERED: &[&str] = &["content_filter", "content_policy_violation", "invalid_prompt"];

/// How servers say that a prompt outgrows the window.
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

/// What they call the ways to ask for typed replies.
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

/// How they complain of one schema.
const ONE_SCHEMA: &[&str] = &["invalid schema", "schema is too", "too many states", "conversion failed", "grammar"];

/// How they say that they don't take a part of a request.
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
