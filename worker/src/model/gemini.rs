//! Gemini's native API.

mod failure;
mod reply;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use reqwest::header::HeaderName;
use serde::Serialize;
use serde_json::Value;

use self::failure::{Failure, Feature};
use super::{
    Call, ConnectError, Endpoints, LanguageModel, Message, ModelError, ModelName, Reply, ReplySchema, Role,
    format::{Format, Ladder, instructed},
    http::{Server, address},
    schema,
};

const GOOGLE: &str = "https://generativelanguage.googleapis.com";
/// More steps than there are things to learn about one model.
const STEPS: usize = 6;

/// A model behind Gemini's API.
pub struct Gemini {
    name: String,
    server: Server,
    ladder: Ladder,
    /// Whether system instructions go with the first message, as models want them that have no place for them.
    folds_system: AtomicBool,
}

impl Gemini {
    /// # Errors
    ///
    /// Where the address is none, the key is unusable, or Google's own server is meant and there is no key.
    pub fn new(name: &ModelName, endpoints: &Endpoints) -> Result<Self, ConnectError> {
        let key = endpoints.gemini_key.as_ref().filter(|key| !key.expose().is_empty());
        if endpoints.gemini_base.is_none() && key.is_none() {
            return Err(ConnectError::NoKey { model: name.to_string(), variable: "GOOGLE_API_KEY" });
        }
        let base = endpoints.gemini_base.as_deref().unwrap_or(GOOGLE);
        let model = name.name.strip_prefix("models/").unwrap_or(&name.name);
        let url = address(name, base, "v1beta", &format!("models/{model}:generateContent"))?;
        let key = key.map(|key| (HeaderName::from_static("x-goog-api-key"), "", key));
        let server = Server::new(name, base, url, key, endpoints)?;
        Ok(Self { name: name.to_string(), server, ladder: Ladder::default(), folds_system: false.into() })
    }

    async fn ask(&self, call: &Call, format: Format, folds_system: bool) -> Result<Reply, Failure> {
        let answer = self.server.post(&Body::new(call, format, folds_system)).await?;
        if !answer.status.is_success() {
            return Err(failure::read(&self.server, &answer, format, folds_system));
        }
        match answer.json() {
            Some(body) => Ok(reply::read(&self.server, &body)?),
            None => Err(self.server.unavailable(format!("no JSON in the answer ({})", answer.excerpt())).into()),
        }
    }

    fn learn(&self, refused: Feature, format: Format, schema: &str) -> bool {
        match refused {
            Feature::Format(scope) => self.ladder.step_down(format, scope, schema, &self.server.at),
            Feature::System => {
                if !self.folds_system.swap(true, Relaxed) {
                    tracing::info!(
                        server = self.server.at,
                        "system instructions go with the first message from now on"
                    );
                }
                true
            }
        }
    }
}

#[async_trait]
impl LanguageModel for Gemini {
    fn name(&self) -> &str {
        &self.name
    }

    fn shaping(&self, schema: &ReplySchema) -> &'static str {
        self.ladder.format(&schema.name).told()
    }

    async fn complete(&self, call: &Call) -> Result<Reply, ModelError> {
        let mut last = None;
        for _ in 0..STEPS {
            let (format, folds_system) = (self.ladder.format(&call.schema.name), self.folds_system.load(Relaxed));
            match self.ask(call, format, folds_system).await {
                Ok(reply) => return Ok(reply),
                Err(Failure::Model(error)) => return Err(error),
                Err(Failure::Refused { feature, message }) => {
                    if !self.learn(feature, format, &call.schema.name) {
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
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content>,
    contents: Vec<Content>,
    generation_config: Config,
}

#[derive(Serialize)]
struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_schema: Option<Value>,
    max_output_tokens: u32,
    temperature: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
}

impl Body {
    fn new(call: &Call, format: Format, folds_system: bool) -> Self {
        let messages = match format {
            Format::Schema => call.messages.clone(),
            Format::Object | Format::Plain => instructed(&call.messages, &call.schema),
        };
        let (system, said): (Vec<_>, Vec<_>) = messages.into_iter().partition(|said| said.role == Role::System);
        let mut system: Vec<_> = system.into_iter().map(|message| Part { text: message.text }).collect();
        let mut contents: Vec<_> = said.into_iter().map(content).collect();
        if folds_system && let Some(first) = contents.first_mut() {
            system.append(&mut first.parts);
            first.parts = std::mem::take(&mut system);
        }
        Self {
            system_instruction: (!system.is_empty()).then_some(Content { role: None, parts: system }),
            contents,
            generation_config: Config {
                response_mime_type: (format != Format::Plain).then_some("application/json"),
                response_schema: (format == Format::Schema).then(|| schema::gemini(&call.schema.schema)),
                max_output_tokens: call.max_reply_tokens,
                temperature: call.temperature,
                seed: call.small_seed(),
            },
        }
    }
}

fn content(message: Message) -> Content {
    let role = if message.role == Role::Assistant { "model" } else { "user" };
    Content { role: Some(role), parts: vec![Part { text: message.text }] }
}
