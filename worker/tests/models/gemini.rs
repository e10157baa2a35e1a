//! Gemini's native API.

use std::time::Duration;

use serde_json::{Value, json};
use tributary_worker::model::{ModelError, ModelReply};

use crate::{
    GREETING, assert_names, call, greeting, model,
    server::{Answer, Asked, ModelServer},
};

const NAME: &str = "gemini/flash";

fn candidate(parts: Value, finish_reason: &str) -> Answer {
    let usage = json!({
        "promptTokenCount": 30, "cachedContentTokenCount": 20, "candidatesTokenCount": 5, "thoughtsTokenCount": 4,
    });
    let candidate = json!({ "content": { "role": "model", "parts": parts }, "finishReason": finish_reason });
    Answer::json(200, json!({ "candidates": [candidate], "usageMetadata": usage }))
}

fn text(text: &str) -> Answer {
    candidate(json!([{ "text": text }]), "STOP")
}

fn error(code: u16, status: &str, message: &str, details: Value) -> Answer {
    Answer::json(code, json!({ "error": { "code": code, "status": status, "message": message, "details": details } }))
}

fn invalid(message: &str) -> Answer {
    error(400, "INVALID_ARGUMENT", message, json!([]))
}

async fn ask(server: &ModelServer) -> Result<ModelReply, ModelError> {
    model(NAME, &server.base).complete(&call()).await
}

async fn failure(answer: Answer) -> ModelError {
    let server = ModelServer::answering([answer]).await;
    let error = ask(&server).await.unwrap_err();
    assert_names(&error, NAME, &server.base);
    assert_eq!(server.asked().len(), 1, "asked again after {error}");
    error
}

/// Asks twice a server that refuses what is `wrong`; how often it was asked, and what in the end.
async fn learned(wrong: fn(&Value) -> bool, answer: Answer) -> (usize, Value) {
    let server =
        ModelServer::deciding(move |asked: &Asked| if wrong(&asked.body) { answer.clone() } else { text(GREETING) })
            .await;
    let model = model(NAME, &server.base);
    for _ in 0..2 {
        assert_eq!(model.complete(&call()).await, Ok(greeting(30, 20, 9)));
    }
    (server.asked().len(), server.last())
}

#[tokio::test]
async fn a_call_goes_out_whole_with_a_response_schema_and_comes_back_with_its_usage() {
    let server = ModelServer::answering([text(GREETING)]).await;
    assert_eq!(ask(&server).await, Ok(greeting(30, 20, 9)));
    let asked = server.asked().remove(0);
    assert_eq!((asked.path.as_str(), asked.key.as_str()), ("/v1beta/models/flash:generateContent", "g-test"));
    let body = asked.body;
    assert_eq!(body["systemInstruction"], json!({ "parts": [{ "text": "Be kind." }] }));
    assert_eq!(body["contents"], json!([{ "role": "user", "parts": [{ "text": "Greet Ada." }] }]));
    let config = &body["generationConfig"];
    assert_eq!(config["responseMimeType"], "application/json");
    assert_eq!(
        (&config["maxOutputTokens"], &config["temperature"], &config["seed"]),
        (&json!(500), &json!(0.7), &json!(7))
    );
    let schema = &config["responseSchema"];
    assert_eq!(schema["propertyOrdering"], json!(["name", "words"]));
    assert_eq!((&schema["properties"]["words"]["nullable"], schema.get("additionalProperties")), (&json!(true), None));
}

#[tokio::test]
async fn thoughts_are_left_out() {
    let parts =
        json!([{ "text": "Perhaps {}", "thought": true }, { "text": &GREETING[..9] }, { "text": &GREETING[9..] }]);
    let server = ModelServer::answering([candidate(parts, "STOP")]).await;
    assert_eq!(ask(&server).await, Ok(greeting(30, 20, 9)));
}

#[tokio::test]
async fn a_refused_schema_goes_into_the_prompt_instead_once() {
    let wrong = |body: &Value| body["generationConfig"].get("responseSchema").is_some();
    let message = "The specified schema produces a constraint that has too many states for serving.";
    let (requests, last) = learned(wrong, invalid(message)).await;
    assert_eq!((requests, &last["generationConfig"]["responseMimeType"]), (3, &json!("application/json")));
    let prompt = last["contents"][0]["parts"][0]["text"].as_str().unwrap();
    assert!(prompt.starts_with("Greet Ada.") && prompt.contains("\"words\""), "{prompt}");
}

#[tokio::test]
async fn a_model_without_json_mode_and_system_instructions_gets_plain_text() {
    let wrong = |body: &Value| body["generationConfig"].get("responseMimeType").is_some();
    let (requests, last) = learned(wrong, invalid("JSON mode is not enabled for models/gemma")).await;
    assert_eq!((requests, last["generationConfig"].get("responseMimeType")), (4, None));

    let wrong = |body: &Value| body.get("systemInstruction").is_some();
    let (requests, last) = learned(wrong, invalid("Developer instruction is not enabled for models/gemma")).await;
    assert_eq!((requests, &last["contents"][0]["parts"][0]["text"]), (3, &json!("Be kind.")));
}

#[tokio::test]
async fn an_over_long_prompt_says_the_window() {
    let message = "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).";
    assert!(matches!(failure(invalid(message)).await, ModelError::TooLong { .. }));
}

#[tokio::test]
async fn a_reply_cut_at_its_ceiling_is_cut() {
    let error = failure(candidate(json!([{ "text": "{\"name\"" }]), "MAX_TOKENS")).await;
    assert!(matches!(&error, ModelError::Cut { partial, .. } if partial == "{\"name\""), "{error:?}");
    let ModelError::Cut { usage, .. } = error else { panic!() };
    assert_eq!(usage.reply_tokens, 9);
}

#[tokio::test]
async fn blocked_prompts_and_replies_are_refused() {
    for reason in ["SAFETY", "RECITATION", "PROHIBITED_CONTENT"] {
        let error = failure(candidate(json!([]), reason)).await;
        assert!(matches!(&error, ModelError::Refused { reason: why, .. } if why == reason), "{error:?}");
    }
    let error = failure(Answer::json(200, json!({ "promptFeedback": { "blockReason": "BLOCKLIST" } }))).await;
    assert!(matches!(&error, ModelError::Refused { reason, .. } if reason == "BLOCKLIST"), "{error:?}");
}

#[tokio::test]
async fn no_candidate_and_no_text_are_empty() {
    for answer in
        [Answer::json(200, json!({})), candidate(json!([]), "STOP"), candidate(json!([{ "text": " " }]), "OTHER")]
    {
        assert!(matches!(failure(answer).await, ModelError::Empty { .. }));
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let info = json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s" }]);
    let error = failure(error(429, "RESOURCE_EXHAUSTED", "slow down", info)).await;
    let wait = Some(Duration::from_millis(17_500));
    assert!(matches!(error, ModelError::RateLimited { retry_after, .. } if retry_after == wait), "{error:?}");
}

#[tokio::test]
async fn what_no_repetition_mends_is_fatal() {
    let quota = json!([{ "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{ "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }] }]);
    let bad_key = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID" }]);
    for answer in [
        error(429, "RESOURCE_EXHAUSTED", "quota", quota),
        error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", bad_key),
        error(403, "PERMISSION_DENIED", "denied", json!([])),
        error(404, "NOT_FOUND", "models/flash is not found", json!([])),
        error(400, "FAILED_PRECONDITION", "User location is not supported for the API use.", json!([])),
    ] {
        let error = failure(answer).await;
        assert!(matches!(error, ModelError::Fatal { .. }), "{error:?}");
    }
    let error = failure(invalid("Request contains an invalid argument.")).await;
    assert!(matches!(error, ModelError::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_in_trouble_is_unavailable() {
    for answer in [
        error(503, "UNAVAILABLE", "The model is overloaded.", json!([])),
        error(500, "INTERNAL", "An internal error has occurred.", json!([])),
        error(504, "DEADLINE_EXCEEDED", "too slow", json!([])),
        Answer::text(200, "<html></html>"),
        Answer::silent(),
    ] {
        let error = failure(answer).await;
        assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    }
}
