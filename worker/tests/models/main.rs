//! The models that live behind servers, each against a server that answers as the test tells it to.

mod gemini;
mod openai;
mod server;

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use tributary_worker::model::{
    ChatMessage, Endpoints, LanguageModel, ModelCall, ModelError, ModelReply, ReplySchema, TokenUsage, connect,
};

#[derive(JsonSchema)]
#[allow(dead_code)]
struct Greeting {
    /// To whom.
    name: String,
    #[schemars(length(max = 3))]
    words: Option<Vec<String>>,
}

const GREETING: &str = r#"{"name":"Ada","words":null}"#;

fn call() -> ModelCall {
    ModelCall {
        messages: vec![ChatMessage::system("Be kind."), ChatMessage::user("Greet Ada.")],
        schema: ReplySchema::of::<Greeting>(),
        max_reply_tokens: 500,
        temperature: 0.7,
        seed: Some(7),
    }
}

/// A model whose server is at `base`, whichever provider's it is.
fn model(name: &str, base: &str) -> Arc<dyn LanguageModel> {
    let endpoints = Endpoints {
        openai_base: Some(base.to_owned()),
        openai_key: Some("sk-test\n".into()),
        gemini_base: Some(base.to_owned()),
        gemini_key: Some("g-test".into()),
        // Short enough to be waited for, and longer than a busy machine stalls by itself.
        stall_timeout: Duration::from_secs(3),
        ..Endpoints::default()
    };
    connect(&name.parse().unwrap(), &endpoints).unwrap()
}

fn greeting(prompt_tokens: u64, cached_prompt_tokens: u64, reply_tokens: u64) -> ModelReply {
    ModelReply { text: GREETING.into(), usage: TokenUsage { prompt_tokens, cached_prompt_tokens, reply_tokens } }
}

/// The error's own words name the model and its server, whatever the error.
fn assert_names(error: &ModelError, model: &str, base: &str) {
    let text = error.to_string();
    assert!(text.contains(model) && text.contains(base), "{text}");
}

#[test]
fn equal_calls_have_one_id_and_others_another() {
    let other = ModelCall { temperature: 0.8, ..call() };
    assert_eq!(call().id("openai/a"), call().id("openai/a"));
    assert_ne!(call().id("openai/a"), call().id("openai/b"));
    assert_ne!(call().id("openai/a"), other.id("openai/a"));
}

#[test]
fn a_provider_s_own_server_wants_a_key_and_says_where_from() {
    let refusal = |name: &str| connect(&name.parse().unwrap(), &Endpoints::default()).err().unwrap().to_string();
    assert!(refusal("openai/gpt-4o").contains("OPENAI_API_KEY"));
    assert!(refusal("gemini/gemini-2.5-flash").contains("GOOGLE_API_KEY"));
    assert!(refusal("extractive").contains("no server"));
}

#[test]
fn a_key_that_no_header_takes_is_refused() {
    let endpoints = Endpoints { openai_key: Some("sk\n-x".into()), ..Endpoints::default() };
    let refusal = connect(&"openai/gpt-4o".parse().unwrap(), &endpoints).err().unwrap().to_string();
    assert!(refusal.contains("key for openai/gpt-4o") && !refusal.contains("sk"), "{refusal}");
}
