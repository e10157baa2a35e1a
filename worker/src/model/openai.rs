//! Chat completions, the API of OpenAI, vLLM, llama.cpp's server, Ollama, OpenRouter and many others.

mod dialect;
mod failure;
mod reply;

use async_trait::async_trait;
use reqwest::header::AUTHORIZATION;
use serde::Serialize;
use serde_json::{Value, json};

use self::{
    dialect::{RequestDialect, ServerDialect},
    failure::ChatFeature,
};
use super::{
    call::{ChatMessage, MessageRole, ModelCall},
    endpoints::Endpoints,
    error::{ConnectError, ModelError},
    failure::RequestFailure,
    format::{ReplyFormat, instructed},
    http::{ModelServer, address},
    language_model::LanguageModel,
    name::ModelName,
    reply::ModelReply,
    schema::{self, ReplySchema},
};

const OPENAI: &str = "https://api.openai.com/v1";
/// The most requests for a call: more than there are lessons to learn about a server.
const STEPS: usize = 12;

/// A model behind a server for chat completions.
pub struct OpenAiModel {
    name: String,
    /// The server's own name of the model.
    model: String,
    server: ModelServer,
    dialect: ServerDialect,
}

impl OpenAiModel {
    /// # Errors
    ///
    /// Where the address is none, the key is unusable, or OpenAI's own server is meant and there is no key.
    pub fn new(name: &ModelName, endpoints: &Endpoints) -> Result<Self, ConnectError> {
        let key = endpoints.openai_key.as_ref().filter(|key| !key.expose().is_empty());
        if endpoints.openai_base.is_none() && key.is_none() {
            return Err(ConnectError::NoKey { model: name.to_string(), variable: "OPENAI_API_KEY" });
        }
        let base = endpoints.openai_base.as_deref().unwrap_or(OPENAI);
        let url = address(name, base, "v1", "chat/completions")?;
        let key = key.map(|key| (AUTHORIZATION, "Bearer ", key));
        let server = ModelServer::new(name, base, url, key, endpoints)?;
        Ok(Self { name: name.to_string(), model: name.name.clone(), server, dialect: ServerDialect::default() })
    }

    async fn ask(&self, call: &ModelCall, spoken: RequestDialect) -> Result<ModelReply, RequestFailure<ChatFeature>> {
        let answer = self.server.post(&ChatRequest::new(&self.model, call, spoken)).await?;
        if !answer.status.is_success() {
            return Err(failure::read(&self.server, &answer, spoken.format));
        }
        let Some(body) = answer.json() else {
            return Err(self.server.unavailable(format!("no JSON in the answer ({})", answer.excerpt())).into());
        };
        if failure::is_failure(&body) {
            return Err(failure::read(&self.server, &answer, spoken.format));
        }
        Ok(reply::read(&self.server, &body)?)
    }
}

#[async_trait]
impl LanguageModel for OpenAiModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn shaping(&self, schema: &ReplySchema) -> &'static str {
        self.dialect.spoken(&schema.name).format.told()
    }

    async fn complete(&self, call: &ModelCall) -> Result<ModelReply, ModelError> {
        let mut last = None;
        for _ in 0..STEPS {
            let spoken = self.dialect.spoken(&call.schema.name);
            match self.ask(call, spoken).await {
                Ok(reply) => return Ok(reply),
                Err(RequestFailure::Model(error)) => return Err(error),
                Err(RequestFailure::Refused { feature, message }) => {
                    if !self.dialect.learn(feature, spoken, &call.schema.name, &self.server.at) {
                        return Err(self.server.fatal(message));
                    }
                    last = Some(message);
                }
            }
        }
        Err(self.server.fatal(last.unwrap_or_default()))
    }
}

#[derive(Serialize)]
struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<RequestMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
}

#[derive(Serialize)]
struct RequestMessage {
    role: MessageRole,
    content: String,
}

impl<'a> ChatRequest<'a> {
    fn new(model: &'a str, call: &ModelCall, spoken: RequestDialect) -> Self {
        let ceiling = call.max_reply_tokens.min(spoken.reply_ceiling);
        Self {
            model,
            messages: messages(call, spoken.format),
            response_format: response_format(call, spoken.format),
            max_tokens: (!spoken.completion_tokens).then_some(ceiling),
            max_completion_tokens: spoken.completion_tokens.then_some(ceiling),
            temperature: spoken.temperature.then_some(call.temperature),
            seed: call.small_seed().filter(|_| spoken.seed),
        }
    }
}

fn messages(call: &ModelCall, format: ReplyFormat) -> Vec<RequestMessage> {
    let said = |message: ChatMessage| RequestMessage { role: message.role, content: message.text };
    match format {
        ReplyFormat::Schema => call.messages.iter().cloned().map(said).collect(),
        ReplyFormat::Object | ReplyFormat::Plain => {
            instructed(&call.messages, &call.schema).into_iter().map(said).collect()
        }
    }
}

fn response_format(call: &ModelCall, format: ReplyFormat) -> Option<Value> {
    match format {
        ReplyFormat::Schema => Some(json!({
            "type": "json_schema",
            "json_schema": { "name": call.schema.name, "strict": true, "schema": schema::strict(&call.schema.schema) },
        })),
        ReplyFormat::Object => Some(json!({ "type": "json_object" })),
        ReplyFormat::Plain => None,
    }
}
