//! A call to a language model: its messages, the shape of its reply, its ceiling.

use serde::{Deserialize, Serialize};
use tributary_protocol::{
    budget::{Window, count},
    id::{CallId, Hasher},
    wire,
};

use super::schema::ReplySchema;

/// The speaker of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageRole {
    System,
    User,
    Assistant,
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    pub role: MessageRole,
    pub text: String,
}

impl ChatMessage {
    pub fn system(text: impl Into<String>) -> Self {
        Self { role: MessageRole::System, text: text.into() }
    }

    pub fn user(text: impl Into<String>) -> Self {
        Self { role: MessageRole::User, text: text.into() }
    }

    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: MessageRole::Assistant, text: text.into() }
    }
}

/// A complete call to a language model: equal calls have equal bytes and so an equal id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCall {
    pub messages: Vec<ChatMessage>,
    /// The shape of the reply.
    pub schema: ReplySchema,
    /// The ceiling of the reply, in tokens, reasoning included.
    pub max_reply_tokens: u32,
    /// The temperature: 0 for the likeliest reply. Servers decide how far above 1 they go.
    pub temperature: f32,
    /// The seed, for servers able to repeat a reply to an equal call.
    pub seed: Option<u64>,
}

impl ModelCall {
    /// The id of this call to this model. The server's dialect plays no part.
    pub fn id(&self, model: &str) -> CallId {
        CallId::of(Hasher::new("call").part(model.as_bytes()).part(&wire::fields(self)))
    }

    /// Tokens of the prompt: the messages, and the schema, as shown to the model by some servers.
    pub fn prompt_tokens(&self) -> u32 {
        self.message_tokens() + count(&self.schema.schema.to_string())
    }

    /// Tokens of the messages, as counted by every server.
    pub fn message_tokens(&self) -> u32 {
        /// Tokens added by a chat's format for each message.
        const FRAME: u32 = 4;
        self.messages.iter().map(|message| count(&message.text) + FRAME).sum()
    }

    /// The lowest useful ceiling of a reply, in tokens.
    pub(crate) const LEAST_REPLY: u32 = 48;

    /// Lowers the reply's ceiling to the room left beside the prompt. False where too little room is left for a reply.
    pub(crate) fn fit(&mut self, window: Window) -> bool {
        let left = window.usable().saturating_sub(self.prompt_tokens());
        self.max_reply_tokens = self.max_reply_tokens.min(left.max(Self::LEAST_REPLY));
        left >= Self::LEAST_REPLY
    }

    /// The seed in 31 bits, as accepted by every server.
    pub(super) fn small_seed(&self) -> Option<u32> {
        self.seed.map(|seed| ((seed ^ (seed >> 32)) & 0x7fff_ffff) as u32)
    }
}
