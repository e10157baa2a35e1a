//! Language models: a call in, a typed reply out, whatever the server.
//!
//! A [`ModelCall`] is the complete question, a [`ModelReply`] carries the JSON text of the answer, and a [`ModelError`]
//! tells the possible remedies of a failure. [`connect`] makes an HTTP client from a [`ModelName`] and the
//! [`Endpoints`].

mod call;
mod endpoints;
mod error;
mod failure;
mod format;
pub mod gemini;
mod http;
pub mod json;
mod language_model;
mod name;
pub mod openai;
mod reply;
pub mod schema;
pub(crate) mod trial;
mod usage;

use std::sync::Arc;

pub use self::{
    call::{ChatMessage, MessageRole, ModelCall},
    endpoints::{Endpoints, Secret},
    error::{ConnectError, ModelError},
    language_model::LanguageModel,
    name::{BadModelName, ModelName, Provider},
    reply::{ModelReply, ReplyText},
    schema::ReplySchema,
    trial::{TrialResult, try_out},
    usage::TokenUsage,
};

/// Connects to a model behind a server. The instance keeps all knowledge about its server, so share one instance for a
/// model.
///
/// # Errors
///
/// A name without a server ([`Provider::Extractive`]), a missing or unusable key, or an invalid address.
pub fn connect(name: &ModelName, endpoints: &Endpoints) -> Result<Arc<dyn LanguageModel>, ConnectError> {
    match name.provider {
        Provider::Openai => Ok(Arc::new(openai::OpenAiModel::new(name, endpoints)?)),
        Provider::Gemini => Ok(Arc::new(gemini::GeminiModel::new(name, endpoints)?)),
        Provider::Extractive => Err(ConnectError::NoServer { model: name.to_string() }),
    }
}
