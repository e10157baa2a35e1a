//! Failures, read from Google's error answers.

use std::time::Duration;

use serde_json::Value;

use crate::model::{
    error::ModelError,
    failure::RequestFailure,
    format::{RefusalScope, ReplyFormat},
    http::{HttpAnswer, ModelServer},
};

/// A part of a request not supported by all models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeminiFeature {
    /// The way to ask for a typed reply.
    ReplyFormat(RefusalScope),
    /// System instructions of their own.
    System,
}

/// The failure in an error answer to a request of this form.
pub fn read(
    server: &ModelServer,
    answer: &HttpAnswer,
    format: ReplyFormat,
    folds_system: bool,
) -> RequestFailure<GeminiFeature> {
    let body = answer.json().unwrap_or_default();
    let error = &body.get(0).unwrap_or(&body)["error"];
    let said = error["message"].as_str().unwrap_or_default();
    let wording = said.to_lowercase();
    let text = match said {
        "" => answer.excerpt(),
        said => format!("{}: {}", answer.status, said.chars().take(600).collect::<String>()),
    };
    let message = format!("{}: {text}", server.at);
    let model = match (answer.status.as_u16(), error["status"].as_str().unwrap_or_default()) {
        (429, _) | (_, "RESOURCE_EXHAUSTED") if is_spent_for_the_day(error) => ModelError::Fatal { message },
        (429, _) | (_, "RESOURCE_EXHAUSTED") => {
            ModelError::RateLimited { retry_after: retry_delay(error).or_else(|| answer.retry_after()), message }
        }
        (408 | 500.., _) => ModelError::Unavailable { message },
        (413, _) => ModelError::TooLong { message },
        (400, _) if is_bad_key(error) => ModelError::Fatal { message },
        (400, _) if wording.contains("token count") || wording.contains("maximum number of tokens") => {
            ModelError::TooLong { message }
        }
        (400, _) => match refused(&wording, format, folds_system) {
            Some(feature) => return RequestFailure::Refused { feature, message: text },
            None if error["status"] == "INVALID_ARGUMENT" => ModelError::Rejected { message },
            None => ModelError::Fatal { message },
        },
        _ => ModelError::Fatal { message },
    };
    RequestFailure::Model(model)
}

fn details<'a>(error: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    let suffix = format!("google.rpc.{kind}");
    let all = error["details"].as_array().into_iter().flatten();
    all.filter(move |detail| detail["@type"].as_str().is_some_and(|name| name.ends_with(&suffix)))
}

fn is_bad_key(error: &Value) -> bool {
    details(error, "ErrorInfo").any(|info| info["reason"].as_str().is_some_and(|why| why.starts_with("API_KEY")))
}

/// A daily quota comes back tomorrow: nothing to wait for.
fn is_spent_for_the_day(error: &Value) -> bool {
    let violations = details(error, "QuotaFailure").flat_map(|failure| failure["violations"].as_array());
    violations.flatten().any(|violation| violation["quotaId"].as_str().is_some_and(|id| id.contains("PerDay")))
}

fn retry_delay(error: &Value) -> Option<Duration> {
    let delay = details(error, "RetryInfo").find_map(|info| info["retryDelay"].as_str())?;
    Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
}

fn refused(wording: &str, format: ReplyFormat, folds_system: bool) -> Option<GeminiFeature> {
    let has = |words: &[&str]| words.iter().any(|word| wording.contains(word));
    if !folds_system && has(&["developer instruction", "system instruction", "system_instruction"]) {
        return Some(GeminiFeature::System);
    }
    if format == ReplyFormat::Plain {
        return None;
    }
    if has(&["json mode", "response mime type", "response_mime_type", "controlled generation"]) {
        return Some(GeminiFeature::ReplyFormat(RefusalScope::Way));
    }
    // The API supports schemas, so a complaint concerns this schema alone.
    has(&["schema", "too many states", "constraint"]).then_some(GeminiFeature::ReplyFormat(RefusalScope::Schema))
}
