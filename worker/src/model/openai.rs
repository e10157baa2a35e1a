//! Chat completions, as OpenAI, vLLM, llama.cpp's server, Ollama, OpenRouter and many others speak them.

mod dialect;
mod failure;
mod reply;

use async_trait::async_trait;
use reqwest::header::AUTHORIZATION;
use serde::Serialize;
use serde_json::{Value, json};

use self::{
    dialect::{Dialect, Spoken},
    failure::Failure,
};
use super::{
    Call, ConnectError, Endpoints, LanguageModel, Message, ModelError, ModelName, Reply, ReplySchema, Role,
    format::{Format, instructed},
    http::{Server, address},
    schema,
};

const OPENAI: &str = "https://api.openai.com/v1";
/// More steps than there are things to learn about one server.
const STEPS: usize = 12;

/// A model behind a server that speaks chat completions.
pub struct OpenAi {
    name: String,
    /// The server's own name of the model.
    model: String,
    server: Server,
    dialect: Dialect,
}

impl OpenAi {
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
        let server = Server::new(name, base, url, key, endpoints)?;
        Ok(Self { name: name.to_string(), model: name.name.clone(), server, dialect: Dialect::default() })
    }

    async fn ask(&self, call: &Call, spoken: Spoken) -> Result<Reply, Failure> {
        let answer = self.server.post(&Body::new(&self.model, call, spoken)).await?;
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
impl LanguageModel for OpenAi {
    fn name(&self) -> &str {
        &self.name
    }

    fn shaping(&self, schema: &ReplySchema) -> &'static str {
        self.dialect.spoken(&schema.name).format.told()
    }

    async fn complete(&self, call: &Call) -> Result<Reply, ModelError> {
        let mut last = None;
        for _ in 0..STEPS {
            let spoken = self.dialect.spoken(&call.schema.name);
            match self.ask(call, spoken).await {
                Ok(reply) => return Ok(reply),
                Err(Failure::Model(error)) => return Err(error),
                Err(Failure::Refused { feature, message }) => {
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
struct Body<'a> {
    model: &'a str,
    messages: Vec<Said>,
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
struct Said {
    role: Role,
    content: String,
}

impl<'a> Body<'a> {
    fn new(model: &'a str, call: &Call, spoken: Spoken) -> Self {
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

fn messages(call: &Call, format: Format) -> Vec<Said> {
    let said = |message: Message| Said { role: message.role, content: message.text };
    match format {
        Format::Schema => call.messages.iter().cloned().map(said).collect(),
        Format::Object | Format::Plain => instructed(&call.messages, &call.schema).into_iter().map(said).collect(),
    }
}

fn response_format(call: &Call, format: Format) -> Option<Value> {
    match format {
        Format::Schema => Some(json!({
            "type": "json_schema",
            "json_schema": { "name": call.schema.name, "strict": true, "schema": schema::strict(&call.schema.schema) },
        })),
        Format::Object => Some(json!({ "type": "json_object" })),
        Format::Plain => None,
    }
}
