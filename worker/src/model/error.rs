//! How a call to a model fails, by what can be done about it.

use std::time::Duration;

use super::Usage;

/// A call that brought no reply. Every one names the model and its server.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// The prompt, or the prompt and the reply asked for, outgrows the model's window. Ask for less.
    #[error("{message}")]
    TooLong { message: String },
    /// The reply reached its ceiling before its end.
    #[error("{model}: the reply was cut off at its ceiling")]
    Cut {
        model: String,
        partial: String,
        /// Most of it is not to be seen: it was reasoning.
        in_thought: bool,
        usage: Usage,
    },
    /// The model answered nothing.
    #[error("{model}: the reply is empty")]
    Empty { model: String, usage: Usage },
    /// The model, or a filter before or behind it, will not answer this.
    #[error("{model}: refused: {reason}")]
    Refused { model: String, reason: String, usage: Usage },
    /// Too many calls or tokens at once. The same call may do later.
    #[error("{message}")]
    RateLimited {
        /// How long to wait, where the server says it.
        retry_after: Option<Duration>,
        message: String,
    },
    /// The server is down, overloaded, silent or unreachable. The same call may do later.
    #[error("{message}")]
    Unavailable { message: String },
    /// The server takes this one request for wrong. A model that has answered others may answer the next.
    #[error("{message}")]
    Rejected { message: String },
    /// No repetition will mend it: a wrong key, an unknown model, no quota.
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
    #[error("the key for {model} has characters that no key has")]
    BadKey { model: String },
    #[error("`{base}` is no address for {model}: {reason}")]
    BadAddress { model: String, base: String, reason: String },
    #[error("no HTTP client for {model}: {reason}")]
    Client { model: String, reason: String },
}
