//! The failures of calls to a model, sorted by their remedies.

use std::time::Duration;

use super::usage::TokenUsage;

/// A call without a reply. Every error names the model and its server.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// The prompt, or the prompt and the reply asked for, outgrows the model's window. Ask for less.
    #[error("{message}")]
    TooLong { message: String },
    /// The reply was cut off at its ceiling.
    #[error("{model}: the reply was cut off at its ceiling")]
    Cut {
        model: String,
        partial: String,
        /// Most of the reply was hidden reasoning.
        in_thought: bool,
        usage: TokenUsage,
    },
    /// The model answered nothing.
    #[error("{model}: the reply is empty")]
    Empty { model: String, usage: TokenUsage },
    /// The model refuses to answer, or a filter before or behind the model.
    #[error("{model}: refused: {reason}")]
    Refused { model: String, reason: String, usage: TokenUsage },
    /// Too many calls or tokens at once. The same call may do later.
    #[error("{message}")]
    RateLimited {
        /// The wait requested by the server, if any.
        retry_after: Option<Duration>,
        message: String,
    },
    /// The server is down, overloaded, silent or unreachable. The same call may do later.
    #[error("{message}")]
    Unavailable { message: String },
    /// The server rejects this request as wrong. Other requests may still be answered.
    #[error("{message}")]
    Rejected { message: String },
    /// No retry can help: a wrong key, an unknown model, no quota.
    #[error("{message}")]
    Fatal { message: String },
}

/// Why a model can't even be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("{model} has no server to connect to")]
    NoServer { model: String },
    #[error("{model} needs a key: set {variable}")]
    NoKey { model: String, variable: &'static str },
    #[error("the key for {model} has characters not allowed in an HTTP header")]
    BadKey { model: String },
    #[error("`{base}` is no address for {model}: {reason}")]
    BadAddress { model: String, base: String, reason: String },
    #[error("failed to set up an HTTP client for {model}: {reason}")]
    Client { model: String, reason: String },
}
