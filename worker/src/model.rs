//! Language models: one call in, one typed reply out, whatever the server.
//!
//! A [`Call`] says all that is asked, a [`Reply`] carries the JSON text alone, and a [`ModelError`] says what can be done
//! about a failure. [`connect`] makes a model that is reached over HTTP from its [`ModelName`] and the [`Endpoints`].

mod endpoints;
mod error;
mod format;
pub mod gemini;
mod http;
pub mod json;
mod name;
pub mod openai;
pub mod schema;
pub(crate) mod trial;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tributary_protocol::{
    budget::{Window, count},
    id::{CallId, Hasher},
    wire,
};

pub use self::{
    endpoints::{Endpoints, Secret},
    error::{ConnectError, ModelError},
    name::{BadModelName, ModelName, Provider},
    schema::ReplySchema,
    trial::{Trial, try_out},
};

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub text: String,
}

impl Message {
    pub fn system(text: impl Into<String>) -> Self {
        Self { role: Role::System, text: text.into() }
    }

    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, text: text.into() }
    }

    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, text: text.into() }
    }
}

/// One call to a language model, complete: equal calls have equal bytes and so one id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub messages: Vec<Message>,
    /// What the reply must look like.
    pub schema: ReplySchema,
    /// The ceiling of the reply, in tokens, reasoning included.
    pub max_reply_tokens: u32,
    /// 0 for the likeliest reply; how far above 1 it may go is the server's business.
    pub temperature: f32,
    /// Servers that take a seed give equal replies to equal calls, as far as they can.
    pub seed: Option<u64>,
}

impl Call {
    /// The name of this call to this model. The dialect that a server is spoken to in has no part in it.
    pub fn id(&self, model: &str) -> CallId {
        CallId::of(Hasher::new("call").part(model.as_bytes()).part(&wire::fields(self)))
    }

    /// Tokens of the prompt: the messages, and the schema, which some servers show to the model.
    pub fn prompt_tokens(&self) -> u32 {
        self.message_tokens() + count(&self.schema.schema.to_string())
    }

    /// Tokens of the messages: what every server counts.
    pub fn message_tokens(&self) -> u32 {
        /// Tokens that a chat's format adds for each message.
        const FRAME: u32 = 4;
        self.messages.iter().map(|message| count(&message.text) + FRAME).sum()
    }

    /// The fewest tokens that a reply may be left with.
    pub(crate) const LEAST_REPLY: u32 = 48;

    /// Lowers the reply's ceiling to what the window leaves beside the prompt. False where that is nothing worth asking
    /// for.
    pub(crate) fn fit(&mut self, window: Window) -> bool {
        let left = window.usable().saturating_sub(self.prompt_tokens());
        self.max_reply_tokens = self.max_reply_tokens.min(left.max(Self::LEAST_REPLY));
        left >= Self::LEAST_REPLY
    }

    /// The seed as every server takes it: 31 bits.
    fn small_seed(&self) -> Option<u32> {
        self.seed.map(|seed| ((seed ^ (seed >> 32)) & 0x7fff_ffff) as u32)
    }
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The JSON text, without reasoning, code fences and chatter. Where no JSON was found, the text as it came.
    pub text: String,
    pub usage: Usage,
}

/// Tokens of one call as the server counted them; all zero where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub prompt_tokens: u64,
    /// Of the prompt's tokens, those that the server had in its prefix cache.
    pub cached_prompt_tokens: u64,
    /// The reply's tokens, reasoning included.
    pub reply_tokens: u64,
}

/// A language model. One instance may be called from any number of tasks at once.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// The model's full name, `openai/gpt-4o-mini`.
    fn name(&self) -> &str;

    /// How replies of this shape are asked for, as far as the server is known, for people.
    fn shaping(&self, _schema: &ReplySchema) -> &'static str {
        "by the prompt alone"
    }

    /// Asks once. What a server doesn't understand of the call is left out and asked again; nothing else is retried.
    async fn complete(&self, call: &Call) -> Result<Reply, ModelError>;
}

/// A model behind a server. What it learns about its server is kept in the instance, so make one a model and share it.
///
/// # Errors
///
/// Where the name is no server's ([`Provider::Extractive`]), a key is missing or unusable, or the address is none.
pub fn connect(name: &ModelName, endpoints: &Endpoints) -> Result<Arc<dyn LanguageModel>, ConnectError> {
    match name.provider {
        Provider::Openai => Ok(Arc::new(openai::OpenAi::new(name, endpoints)?)),
        Provider::Gemini => Ok(Arc::new(gemini::Gemini::new(name, endpoints)?)),
        Provider::Extractive => Err(ConnectError::NoServer { model: name.to_string() }),
    }
}

/// Whether a reply that was cut off, `text` as far as it came, is reasoning for the most part. A token that is to be seen has
/// a byte at least: a model that only fell into blanks has not reasoned.
fn is_thought(text: &str, usage: Usage) -> bool {
    if json::is_within_reasoning(text) {
        return true;
    }
    let (bytes, tokens) = (text.len() as u64, u64::from(count(text)));
    if usage.reply_tokens == 0 { bytes == 0 } else { usage.reply_tokens > bytes.max(2 * tokens) }
}

/// The reply in a model's text; `cut` says that the server stopped it at its ceiling.
fn read_text(text: String, cut: bool, usage: Usage, at: &str) -> Result<Reply, ModelError> {
    let found = json::find_json(&text);
    // A model that fell into an endless tail after its JSON was cut as well, and lost nothing.
    if cut && !found.is_some_and(json::is_object) {
        let (model, partial) = (at.to_owned(), json::without_reasoning(&text).to_owned());
        return Err(ModelError::Cut { model, partial, in_thought: is_thought(&text, usage), usage });
    }
    let text = found.unwrap_or_else(|| json::without_reasoning(&text)).to_owned();
    if text.is_empty() {
        return Err(ModelError::Empty { model: at.to_owned(), usage });
    }
    Ok(Reply { text, usage })
}
