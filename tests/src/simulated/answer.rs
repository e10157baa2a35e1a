//! Replies and errors in OpenAI's shapes.

use super::call::Call;
use super::limits::Refused;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};
use std::io;

/// An answer of the model.
#[derive(Clone, Debug)]
pub struct Answer {
    pub content: Option<String>,
    pub refusal: Option<&'static str>,
    pub finish_reason: &'static str,
    /// Set if the response contains a choice.
    pub choices: bool,
}

/// The tokens of a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub prompt: usize,
    pub cached: usize,
    pub reply: usize,
}

impl Answer {
    /// Returns a complete answer with this content.
    pub fn of(content: &str) -> Self {
        Self { content: Some(content.to_owned()), refusal: None, finish_reason: "stop", choices: true }
    }

    /// Returns a refusal.
    pub fn refusal() -> Self {
        Self { content: None, refusal: Some("I'm sorry, but I can't help with that."), ..Self::of("") }
    }

    /// Returns the response body with this answer.
    pub fn completion(&self, call: &Call, usage: Usage, created: u64) -> Value {
        let choice = json!({
            "index": 0,
            "message": { "role": "assistant", "content": self.content, "refusal": self.refusal },
            "logprobs": null,
            "finish_reason": self.finish_reason,
        });
        json!({
            "id": format!("chatcmpl-{}", call.id.hex()),
            "object": "chat.completion",
            "created": created,
            "model": call.model,
            "choices": if self.choices { vec![choice] } else { vec![] },
            "usage": {
                "prompt_tokens": usage.prompt,
                "completion_tokens": usage.reply,
                "total_tokens": usage.prompt + usage.reply,
                "prompt_tokens_details": { "cached_tokens": usage.cached },
                "completion_tokens_details": { "reasoning_tokens": 0 },
            },
        })
    }
}

/// Returns an error in OpenAI's shape.
pub fn error(status: StatusCode, kind: &str, code: Option<&str>, message: &str) -> Response {
    let error = json!({ "error": { "message": message, "type": kind, "param": null, "code": code } });
    (status, Json(error)).into_response()
}

/// Returns a 400: the request is malformed.
pub fn bad_request(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "invalid_request_error", None, message)
}

/// Returns a 401: the key is wrong.
pub fn unauthorised() -> Response {
    error(StatusCode::UNAUTHORIZED, "invalid_request_error", Some("invalid_api_key"), "Incorrect API key provided.")
}

/// Returns a 400: the prompt and the reserved reply tokens exceed the window.
pub fn too_long(window: usize, prompt: usize, reserved: usize) -> Response {
    let message = format!(
        "This model's maximum context length is {window} tokens. However, you requested {} tokens ({prompt} in the \
         messages, {reserved} in the completion). Please reduce the length of the messages or completion.",
        prompt + reserved
    );
    error(StatusCode::BAD_REQUEST, "invalid_request_error", Some("context_length_exceeded"), &message)
}

/// Returns a 429: a rate limit is reached.
pub fn rate_limited(refused: &Refused) -> Response {
    let message = format!("Rate limit reached for {}.", refused.ceiling);
    let mut response = error(StatusCode::TOO_MANY_REQUESTS, "requests", Some("rate_limit_exceeded"), &message);
    let wait = refused.retry_after;
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, wait.as_secs_f64().ceil().max(1.0).to_string().parse().expect("digits"));
    response.headers_mut().insert("retry-after-ms", wait.as_millis().to_string().parse().expect("digits"));
    response
}

/// Returns a 500 of the model's server.
pub fn internal_error() -> Response {
    let message = "The server had an error while processing your request. Sorry about that!";
    error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None, message)
}

/// Returns a 503 of a proxy before the server.
pub fn unavailable() -> Response {
    let page = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>";
    (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response()
}

/// Returns a response that breaks off in the middle.
pub fn torn(completion: &Value) -> Response {
    let text = completion.to_string();
    let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
    let parts = [Ok(half), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(futures::stream::iter(parts))).into_response()
}
