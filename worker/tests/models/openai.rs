//! Chat completions.

use std::time::Duration;

use serde_json::{Value, json};
use tributary_worker::model::{ModelError, ModelReply};

use crate::{
    GREETING, assert_names, call, greeting, model,
    server::{Answer, Asked, ModelServer},
};

const NAME: &str = "openai/small";

fn completion(message: Value, finish_reason: &str) -> Answer {
    let usage = json!({
        "prompt_tokens": 30, "completion_tokens": 9, "prompt_tokens_details": { "cached_tokens": 20 },
    });
    Answer::json(200, json!({ "choices": [{ "message": message, "finish_reason": finish_reason }], "usage": usage }))
}

fn content(text: &str) -> Answer {
    completion(json!({ "role": "assistant", "content": text }), "stop")
}

fn error(status: u16, message: &str, code: &str) -> Answer {
    Answer::json(status, json!({ "error": { "message": message, "type": "invalid_request_error", "code": code } }))
}

async fn ask(server: &ModelServer) -> Result<ModelReply, ModelError> {
    model(NAME, &server.base).complete(&call()).await
}

/// The only error of a server that always answers this.
async fn failure(answer: Answer) -> ModelError {
    let server = ModelServer::answering([answer]).await;
    let error = ask(&server).await.unwrap_err();
    assert_names(&error, NAME, &server.base);
    assert_eq!(server.asked().len(), 1, "asked again after {error}");
    error
}

/// A server that refuses requests with `wrong` in them, by this answer.
async fn refusing(wrong: fn(&Value) -> bool, answer: Answer) -> ModelServer {
    ModelServer::deciding(move |asked: &Asked| if wrong(&asked.body) { answer.clone() } else { content(GREETING) })
        .await
}

/// Asks twice, and says how often the server was asked and what it was asked in the end.
async fn learned(server: ModelServer) -> (usize, Value) {
    let model = model(NAME, &server.base);
    for _ in 0..2 {
        assert_eq!(model.complete(&call()).await, Ok(greeting(30, 20, 9)));
    }
    (server.asked().len(), server.last())
}

#[tokio::test]
async fn a_call_goes_out_whole_with_a_strict_schema_and_comes_back_with_its_usage() {
    let server = ModelServer::answering([content(GREETING)]).await;
    assert_eq!(ask(&server).await, Ok(greeting(30, 20, 9)));
    let asked = server.asked().remove(0);
    assert_eq!((asked.path.as_str(), asked.key.as_str()), ("/v1/chat/completions", "Bearer sk-test"));
    let body = asked.body;
    assert_eq!(body["messages"][0], json!({ "role": "system", "content": "Be kind." }));
    assert_eq!(body["messages"][1], json!({ "role": "user", "content": "Greet Ada." }));
    assert_eq!((&body["model"], &body["max_tokens"], &body["seed"]), (&json!("small"), &json!(500), &json!(7)));
    assert_eq!(body["temperature"], 0.7);
    let format = &body["response_format"]["json_schema"];
    assert_eq!((&format["name"], &format["strict"]), (&json!("Greeting"), &json!(true)));
    assert_eq!(format["schema"]["required"], json!(["name", "words"]));
}

#[tokio::test]
async fn fences_chatter_and_reasoning_are_taken_off() {
    for text in [
        format!("```json\n{GREETING}\n```"),
        format!("Of course:\n{GREETING}\nAnything else?"),
        format!("<think>Perhaps {{\"name\":\"Bob\"}}?</think>\n{GREETING}"),
        format!("Hm.</think>{GREETING}"),
    ] {
        let server = ModelServer::answering([content(&text)]).await;
        assert_eq!(ask(&server).await.unwrap().text.as_str(), GREETING, "of {text}");
    }
}

#[tokio::test]
async fn reasoning_in_fields_of_its_own_and_content_in_parts_are_understood() {
    let parts = json!([{ "type": "text", "text": GREETING }]);
    for message in [
        json!({ "content": GREETING, "reasoning_content": "Perhaps {}" }),
        json!({ "content": GREETING, "reasoning": "Perhaps {}" }),
        json!({ "content": parts }),
    ] {
        let server = ModelServer::answering([completion(message, "stop")]).await;
        assert_eq!(ask(&server).await, Ok(greeting(30, 20, 9)));
    }
}

#[tokio::test]
async fn a_reply_without_usage_counts_nothing() {
    let body = json!({ "choices": [{ "message": { "content": GREETING } }] });
    let server = ModelServer::answering([Answer::json(200, body)]).await;
    assert_eq!(ask(&server).await, Ok(greeting(0, 0, 0)));
}

#[tokio::test]
async fn text_without_json_comes_as_it_is() {
    let server = ModelServer::answering([content("<think>Hm.</think> I greet Ada. ")]).await;
    assert_eq!(ask(&server).await.unwrap().text.as_str(), "I greet Ada.");
}

#[tokio::test]
async fn a_refused_schema_format_steps_down_to_json_once_and_the_prompt_carries_the_schema() {
    let wrong = |body: &Value| body["response_format"]["type"] == "json_schema";
    for answer in [
        error(400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", ""),
        error(400, "This model does not support response format `json_schema`.", ""),
        error(400, "This response_format type is unavailable now", "invalid_request_error"),
        Answer::json(
            422,
            json!({ "detail": [{ "type": "extra_forbidden", "loc": ["body", "response_format", "json_schema"], "msg": "Extra inputs are not permitted" }] }),
        ),
        error(404, "No endpoints found that can handle the requested parameters.", ""),
        error(501, "structured outputs are not implemented", ""),
        Answer::json(400, json!({ "error": "'response_format.type' must be 'json_object' or 'text'" })),
    ] {
        let (requests, last) = learned(refusing(wrong, answer.clone()).await).await;
        assert_eq!((requests, &last["response_format"]), (3, &json!({ "type": "json_object" })), "after {answer:?}");
        let prompt = last["messages"][1]["content"].as_str().unwrap();
        assert!(prompt.starts_with("Greet Ada.") && prompt.contains("\"words\""), "{prompt}");
    }
}

#[tokio::test]
async fn a_server_without_any_response_format_gets_plain_text_from_then_on() {
    let wrong = |body: &Value| body.get("response_format").is_some();
    let answer = error(400, "Unrecognized request argument supplied: response_format", "");
    let (requests, last) = learned(refusing(wrong, answer).await).await;
    assert_eq!((requests, last.get("response_format")), (4, None));
}

#[tokio::test]
async fn a_refusal_of_one_schema_leaves_other_schemas_typed() {
    let wrong = |body: &Value| body["response_format"]["json_schema"]["name"] == "Greeting";
    let server =
        refusing(wrong, error(400, "Invalid schema for response_format 'Greeting'", "invalid_json_schema")).await;
    let model = model(NAME, &server.base);
    model.complete(&call()).await.unwrap();
    let mut other = call();
    other.schema.name = "Other".to_owned();
    model.complete(&other).await.unwrap();
    assert_eq!(server.last()["response_format"]["json_schema"]["name"], "Other");
}

#[tokio::test]
async fn calls_that_run_into_the_same_refusal_at_once_all_succeed() {
    let server = refusing(
        |body| body["response_format"]["type"] == "json_schema",
        error(400, "response_format json_schema is not supported", ""),
    )
    .await;
    let model = model(NAME, &server.base);
    let replies = futures::future::join_all((0..16).map(|_| {
        let model = &model;
        async move { model.complete(&call()).await }
    }))
    .await;
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    assert!(server.asked().iter().all(|asked| asked.body.get("response_format").is_some()), "one step, not two");
}

#[tokio::test]
async fn a_server_that_wants_max_completion_tokens_gets_them() {
    let message =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    let answer = Answer::json(
        400,
        json!({ "error": { "message": message, "param": "max_tokens", "code": "unsupported_parameter" } }),
    );
    let (requests, last) = learned(refusing(|body| body.get("max_tokens").is_some(), answer).await).await;
    assert_eq!((requests, &last["max_completion_tokens"]), (3, &json!(500)));
}

#[tokio::test]
async fn a_server_with_a_lower_reply_ceiling_is_asked_for_no_more() {
    let message =
        "max_tokens is too large: 500. This model supports at most 400 completion tokens, whereas you provided 500.";
    let answer =
        Answer::json(400, json!({ "error": { "message": message, "param": "max_tokens", "code": "invalid_value" } }));
    let (requests, last) = learned(refusing(|body| body["max_tokens"] == 500, answer).await).await;
    assert_eq!((requests, &last["max_tokens"]), (3, &json!(400)));
}

#[tokio::test]
async fn temperature_and_seed_are_left_out_where_they_are_refused() {
    let message =
        "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) is supported.";
    let temperature = Answer::json(
        400,
        json!({ "error": { "message": message, "param": "temperature", "code": "unsupported_value" } }),
    );
    let (requests, last) = learned(refusing(|body| body.get("temperature").is_some(), temperature).await).await;
    assert_eq!((requests, last.get("temperature"), &last["seed"]), (3, None, &json!(7)));

    let detail = json!({ "detail": [{ "type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted" }] });
    let (requests, last) = learned(refusing(|body| body.get("seed").is_some(), Answer::json(422, detail)).await).await;
    assert_eq!((requests, last.get("seed")), (3, None));
}

#[tokio::test]
async fn a_refusal_that_names_a_model_called_seed_is_not_about_the_seed() {
    let failure = failure(error(404, "unknown model bytedance/seed-oss-36b", "")).await;
    assert!(matches!(failure, ModelError::Fatal { .. }), "{failure:?}");
}

#[tokio::test]
async fn an_over_long_prompt_is_known_for_one_whatever_the_server() {
    let llama = json!({ "error": { "code": 400, "message": "the request exceeds the available context size, try increasing it",
        "type": "exceed_context_size_error", "n_prompt_tokens": 14429, "n_ctx": 8192 } });
    let vllm = json!({ "object": "error", "type": "BadRequestError", "param": null, "code": 400,
        "message": "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the completion)." });
    for answer in [
        error(400, "Too much.", "context_length_exceeded"),
        Answer::json(400, vllm),
        Answer::json(400, llama.clone()),
        Answer::json(500, llama),
        error(400, "The decoder prompt (length 9000) is longer than the maximum model length of 8192.", ""),
        error(400, "This endpoint's maximum context length is 32,768 tokens. response_format is not supported.", ""),
        Answer::json(400, json!({ "error": "the input length exceeds the context length" })),
        error(
            429,
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000.",
            "rate_limit_exceeded",
        ),
        Answer::text(413, "<html>Request Entity Too Large</html>"),
    ] {
        let failure = failure(answer).await;
        assert!(matches!(failure, ModelError::TooLong { .. }), "{failure:?}");
    }
}

#[tokio::test]
async fn a_reply_cut_at_its_ceiling_is_cut_with_what_there_is() {
    let answer = completion(json!({ "content": r#"<think>Hm.</think>{"name":"A"# }), "length");
    match failure(answer).await {
        ModelError::Cut { partial, usage, .. } => {
            assert_eq!((partial.as_str(), usage.reply_tokens), (r#"{"name":"A"#, 9))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reply_cut_off_in_thought_is_told_from_one_that_ran_on() {
    // The usage of these says 9 tokens.
    for (content, is_thought) in [
        (json!(null), true),
        (json!("<think>Hm. The user wants a name, and there are many"), true),
        (json!(r#"{"name":"A long name"#), false),
        (json!("{\n\n          \n\n     \n"), false),
    ] {
        let failure = failure(completion(json!({ "content": content }), "length")).await;
        assert!(matches!(failure, ModelError::Cut { in_thought, .. } if in_thought == is_thought), "{failure:?}");
    }
}

#[tokio::test]
async fn a_reply_that_was_whole_before_it_was_cut_is_whole() {
    let server =
        ModelServer::answering([completion(json!({ "content": format!("{GREETING}\n\n\n\n") }), "length")]).await;
    assert_eq!(ask(&server).await, Ok(greeting(30, 20, 9)));
}

#[tokio::test]
async fn no_choice_no_content_and_mere_reasoning_are_empty() {
    for answer in [
        Answer::json(200, json!({ "choices": [] })),
        Answer::json(200, json!({})),
        completion(json!({ "content": null }), "stop"),
        completion(json!({ "content": null, "reasoning_content": "Hm." }), "stop"),
        completion(json!({ "content": "<think>Hm.</think>\n" }), "stop"),
        error(400, "Failed to generate JSON. Please adjust your prompt.", "json_validate_failed"),
    ] {
        assert!(matches!(failure(answer).await, ModelError::Empty { .. }));
    }
}

#[tokio::test]
async fn refusals_and_content_filters_refuse() {
    for (answer, why) in [
        (completion(json!({ "content": null, "refusal": "I can't." }), "stop"), "I can't."),
        (completion(json!({ "content": "half" }), "content_filter"), "content_filter"),
    ] {
        match failure(answer).await {
            ModelError::Refused { reason, usage, .. } => assert_eq!((reason.as_str(), usage.prompt_tokens), (why, 30)),
            other => panic!("{other:?}"),
        }
    }
    // A filter before the model answers in its stead.
    let moderated = json!({ "error": { "message": "flagged", "code": 403, "metadata": { "reasons": ["violence"] } } });
    for answer in [
        error(400, "The response was filtered.", "content_filter"),
        error(400, "Invalid prompt: your prompt was flagged.", "invalid_prompt"),
        Answer::json(403, moderated),
    ] {
        let error = failure(answer).await;
        assert!(matches!(error, ModelError::Refused { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait_in_any_of_its_ways() {
    let limited = || error(429, "Rate limit reached", "rate_limit_exceeded");
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    for (answer, wait) in [
        (limited(), None),
        (limited().header("retry-after", "17"), Some(Duration::from_secs(17))),
        (limited().header("retry-after", "0.5"), Some(Duration::from_millis(500))),
        (limited().header("retry-after", "2").header("retry-after-ms", "1250"), Some(Duration::from_millis(1250))),
        (
            limited().header("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT").header("date", date),
            Some(Duration::from_secs(30)),
        ),
        (limited().header("retry-after", "Wed, 21 Oct 2020 07:28:30 GMT").header("date", date), Some(Duration::ZERO)),
        (limited().header("retry-after", "soon"), None),
        (limited().header("retry-after", "-5"), None),
    ] {
        let error = failure(answer).await;
        assert!(matches!(error, ModelError::RateLimited { retry_after, .. } if retry_after == wait), "{error:?}");
    }
}

#[tokio::test]
async fn what_no_repetition_mends_is_fatal() {
    for answer in [
        error(429, "You exceeded your current quota", "insufficient_quota"),
        error(401, "Incorrect API key provided", "invalid_api_key"),
        error(402, "Insufficient credits", ""),
        Answer::text(403, "<html>Forbidden</html>"),
        error(404, "The model `small` does not exist", "model_not_found"),
        Answer::text(404, "404 page not found"),
        Answer::text(301, "").header("location", "https://elsewhere.example/"),
    ] {
        let error = failure(answer).await;
        assert!(matches!(error, ModelError::Fatal { .. }), "{error:?}");
    }
    let error = failure(error(400, "'messages' must not be empty", "invalid_value")).await;
    assert!(matches!(error, ModelError::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_in_trouble_is_unavailable() {
    for answer in [
        Answer::text(500, ""),
        error(503, "The engine is overloaded", ""),
        Answer::text(408, "Request Timeout"),
        Answer::text(502, "<html><body>Bad Gateway</body></html>"),
        Answer::text(200, "<html><body>Welcome to the hotel's Wi-Fi</body></html>"),
        Answer::json(200, json!({ "error": { "code": 502, "message": "Provider returned error" } })),
        completion(json!({ "content": "half" }), "error"),
    ] {
        let error = failure(answer).await;
        assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_quoted() {
    let error = failure(Answer::text(200, "<html>\n  Wi-Fi   login</html>")).await.to_string();
    assert!(error.contains("<html> Wi-Fi login</html>"), "{error}");
}

#[tokio::test]
async fn a_gateway_that_tells_of_a_rate_limit_in_a_success_is_heard() {
    let error = failure(Answer::json(200, json!({ "error": { "code": 429, "message": "slow down" } }))).await;
    assert!(matches!(error, ModelError::RateLimited { .. }), "{error:?}");
}

#[tokio::test]
async fn a_silent_server_and_one_that_stalls_within_its_answer_are_unavailable_in_time() {
    for answer in [Answer::silent(), Answer::text(200, "{\"choices\":").stalled()] {
        let error = failure(answer).await;
        assert!(matches!(&error, ModelError::Unavailable { message } if message.contains("in time")), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = model(NAME, &base).complete(&call()).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    assert_names(&error, NAME, &base);
}
