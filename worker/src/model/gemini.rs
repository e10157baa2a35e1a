//! Gemini's native API.

mod failure;
mod reply;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use reqwest::header::HeaderName;
use serde::Serialize;
use serde_json::Value;

use self::failure::GeminiFeature;
use super::{
    call::{ChatMessage, MessageRole, ModelCall},
    endpoints::Endpoints,
    error::{ConnectError, ModelError},
    failure::RequestFailure,
    format::{FormatLadder, ReplyFormat, instructed},
    http::{ModelServer, address},
    language_model::LanguageModel,
    name::ModelName,
    reply::ModelReply,
    schema::{self, ReplySchema},
};

const GOOGLE: &str = "https://generativelanguage.googleapis.com";
/// The most requests for a call: more than there are lessons to learn about a model.
const STEPS: usize = 6;

/// A model behind Gemini's API.
pub struct GeminiModel {
    name: String,
    server: ModelServer,
    ladder: FormatLadder,
    /// Puts system instructions into the first message, for models without a separate place for them.
    folds_system: AtomicBool,
}

impl GeminiModel {
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
        let server = ModelServer::new(name, base, url, key, endpoints)?;
        Ok(Self { name: name.to_string(), server, ladder: FormatLadder::default(), folds_system: false.into() })
    }

    async fn ask(
        &self,
        call: &ModelCall,
        format: ReplyFormat,
        folds_system: bool,
    ) -> Result<ModelReply, RequestFailure<GeminiFeature>> {
        let answer = self.server.post(&GeminiRequest::new(call, format, folds_system)).await?;
        if !answer.status.is_success() {
            return Err(failure::read(&self.server, &answer, format, folds_system));
        }
        match answer.json() {
            Some(body) => Ok(reply::read(&self.server, &body)?),
            None => Err(self.server.unavailable(format!("no JSON in the answer ({})", answer.excerpt())).into()),
        }
    }

    fn learn(&self, refused: GeminiFeature, format: ReplyFormat, schema: &str) -> bool {
        match refused {
            GeminiFeature::ReplyFormat(scope) => self.ladder.step_down(format, scope, schema, &self.server.at),
            GeminiFeature::System => {
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
impl LanguageModel for GeminiModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn shaping(&self, schema: &ReplySchema) -> &'static str {
        self.ladder.format(&schema.name).told()
    }

    async fn complete(&self, call: &ModelCall) -> Result<ModelReply, ModelError> {
        let mut last = None;
        for _ in 0..STEPS {
            let (format, folds_system) = (self.ladder.format(&call.schema.name), self.folds_system.load(Relaxed));
            match self.ask(call, format, folds_system).await {
                Ok(reply) => return Ok(reply),
                Err(RequestFailure::Model(error)) => return Err(error),
                Err(RequestFailure::Refused { feature, message }) => {
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
struct GeminiRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<GeminiContent>,
    contents: Vec<GeminiContent>,
    generation_config: GenerationConfig,
}

#[derive(Serialize)]
struct GeminiContent {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<GeminiPart>,
}

#[derive(Serialize)]
struct GeminiPart {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_schema: Option<Value>,
    max_output_tokens: u32,
    temperature: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
}

impl GeminiRequest {
    fn new(call: &ModelCall, format: ReplyFormat, folds_system: bool) -> Self {
        let messages = match format {
            ReplyFormat::Schema => call.messages.clone(),
            ReplyFormat::Object | ReplyFormat::Plain => instructed(&call.messages, &call.schema),
        };
        let (system, said): (Vec<_>, Vec<_>) = messages.into_iter().partition(|said| said.role == MessageRole::System);
        let mut system: Vec<_> = system.into_iter().map(|message| GeminiPart { text: message.text }).collect();
        let mut contents: Vec<_> = said.into_iter().map(content).collect();
        if folds_system && let Some(first) = contents.first_mut() {
            system.append(&mut first.parts);
            first.parts = std::mem::take(&mut system);
        }
        Self {
            system_instruction: (!system.is_empty()).then_some(GeminiContent { role: None, parts: system }),
            contents,
            generation_config: GenerationConfig {
                response_mime_type: (format != ReplyFormat::Plain).then_some("application/json"),
                response_schema: (format == ReplyFormat::Schema).then(|| schema::gemini(&call.schema.schema)),
                max_output_tokens: call.max_reply_tokens,
                temperature: call.temperature,
                seed: call.small_seed(),
            },
        }
    }
}

fn content(message: ChatMessage) -> GeminiContent {
    let role = if message.role == MessageRole::Assistant { "model" } else { "user" };
    GeminiContent { role: Some(role), parts: vec![GeminiPart { text: message.text }] }
}
