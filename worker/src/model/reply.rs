//! The reply of a language model, and the search for JSON in the surrounding text.

use serde::{Deserialize, Serialize};
use tributary_protocol::budget::count;

use super::{error::ModelError, json, usage::TokenUsage};

/// The reply of a model to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelReply {
    pub text: ReplyText,
    pub usage: TokenUsage,
}

/// The text of a reply, without reasoning, code fences and chatter. Written down as the text alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ReplyText {
    /// The JSON value in the text.
    Json(String),
    /// The whole text, for want of a JSON value.
    Prose(String),
}

impl ReplyText {
    /// The JSON value, if the reply has one.
    pub fn json(&self) -> Option<&str> {
        match self {
            Self::Json(json) => Some(json),
            Self::Prose(_) => None,
        }
    }

    pub fn as_str(&self) -> &str {
        let (Self::Json(text) | Self::Prose(text)) = self;
        text
    }
}

impl From<String> for ReplyText {
    fn from(text: String) -> Self {
        match json::find_json(&text) {
            Some(json) => Self::Json(json.to_owned()),
            None => Self::Prose(text),
        }
    }
}

impl From<&str> for ReplyText {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<ReplyText> for String {
    fn from(text: ReplyText) -> Self {
        let (ReplyText::Json(text) | ReplyText::Prose(text)) = text;
        text
    }
}

/// Tells whether a cut-off reply, with so much `text` visible, is mostly reasoning. A visible token has a byte at
/// least; a model lost in blanks has not reasoned.
fn is_thought(text: &str, usage: TokenUsage) -> bool {
    if json::is_within_reasoning(text) {
        return true;
    }
    let (bytes, tokens) = (text.len() as u64, u64::from(count(text)));
    if usage.reply_tokens == 0 { bytes == 0 } else { usage.reply_tokens > bytes.max(2 * tokens) }
}

/// Reads the reply in a model's text; `cut` for a reply stopped at its ceiling.
pub(super) fn read_text(text: &str, cut: bool, usage: TokenUsage, at: &str) -> Result<ModelReply, ModelError> {
    let found = json::find_json(text);
    // A reply cut off in an endless tail behind its JSON has lost nothing.
    if cut && !found.is_some_and(json::is_object) {
        let (model, partial) = (at.to_owned(), json::without_reasoning(text).to_owned());
        return Err(ModelError::Cut { model, partial, in_thought: is_thought(text, usage), usage });
    }
    let text = match found {
        Some(json) => ReplyText::Json(json.to_owned()),
        None => ReplyText::Prose(json::without_reasoning(text).to_owned()),
    };
    if text.as_str().is_empty() {
        return Err(ModelError::Empty { model: at.to_owned(), usage });
    }
    Ok(ModelReply { text, usage })
}
