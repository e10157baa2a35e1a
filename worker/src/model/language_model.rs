//! The seam between kernels and servers: whatever answers a call.

use async_trait::async_trait;

use super::{call::ModelCall, error::ModelError, reply::ModelReply, schema::ReplySchema};

/// A language model. Any number of tasks may call an instance at the same time.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// The model's full name, `openai/gpt-4o-mini`.
    fn name(&self) -> &str;

    /// The format used for replies of this shape, as far as known, for people.
    fn shaping(&self, _schema: &ReplySchema) -> &'static str {
        "by the prompt alone"
    }

    /// Asks once. What a server doesn't understand of the call is left out and asked again; nothing else is retried.
    async fn complete(&self, call: &ModelCall) -> Result<ModelReply, ModelError>;
}
