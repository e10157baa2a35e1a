//! The errors of a bus: the caller's choices, and the kinds of trouble.

use crate::{id::BlobId, wire::WireError};

pub type Result<T, E = BusError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// Another process works on the same local state.
    #[error("{place} is in use by another process")]
    InUse { place: String },
    /// The bus at `place`, a folder or a server, failed to do the work. A later attempt may succeed.
    #[error("{place}: {problem}")]
    Unavailable { place: String, problem: BusProblem },
    /// The bus at `place` stays out of use until somebody mends the settings or the server.
    #[error("{place}: {problem}")]
    Unusable { place: String, problem: BusProblem },
    #[error("the bus holds no blob {0}")]
    NoBlob(BlobId),
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl BusError {
    pub(super) fn at(place: String, problem: BusProblem) -> Self {
        if problem.needs_repair() { Self::Unusable { place, problem } } else { Self::Unavailable { place, problem } }
    }

    /// The kind of trouble, where the place of the bus is in trouble.
    pub fn problem(&self) -> Option<&BusProblem> {
        match self {
            Self::Unavailable { problem, .. } | Self::Unusable { problem, .. } => Some(problem),
            Self::InUse { .. } | Self::NoBlob(_) | Self::Wire(_) => None,
        }
    }
}

/// The kinds of trouble with the place of a bus. Causes are in the words of the server, the client or the system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusProblem {
    #[error("no address of a NATS server ({cause}); addresses look like nats://host:4222")]
    Address { cause: String },
    #[error("`{prefix}` is no prefix for names: letters, digits, `-` and `_` are allowed in a prefix")]
    Prefix { prefix: String },
    #[error("no NATS server can be reached ({cause}); start the server, or correct the address")]
    Unreachable { cause: String },
    #[error("no TLS connection can be made ({cause}); check the certificates, and that the server speaks TLS")]
    Tls { cause: String },
    #[error("the server refuses this login; set a login that the server knows")]
    LoginRefused,
    #[error("the credentials file {path} can't be used: {cause}")]
    Credentials { path: String, cause: String },
    #[error("nats-server {found} is too old: Tributary needs {needed} or newer; upgrade nats-server")]
    ServerTooOld { found: String, needed: String },
    #[error("JetStream is off on this server, and jobs need JetStream; start the server with `-js`")]
    JetStreamOff,
    #[error("JetStream is refused to this account ({cause}); enable JetStream for the account")]
    JetStreamRefused { cause: String },
    #[error("JetStream doesn't answer ({cause}); check the server, and that this account may use `$JS.API.>`")]
    JetStreamSilent { cause: String },
    /// A stream or consumer under a name of this deployment is configured for something else.
    #[error("{what} has another shape: {difference}; choose another prefix, or remove {what} if nobody needs it")]
    OtherShape { what: String, difference: String },
    /// A stream, bucket or consumer is missing, and this account may not or could not create it.
    #[error("{what} can't be opened or created ({cause}); start a coordinator, which creates what is missing")]
    NotCreated { what: String, cause: String },
    #[error("{what} can't be changed to the settings ({cause}); allow this account to update streams and consumers")]
    NotChanged { what: String, cause: String },
    #[error("the folder holds other files, and no state of Tributary's; choose another folder")]
    OtherFiles,
    #[error(
        "the state in the folder has layout {found}, and this build reads layout {known}; use the build that wrote it, or another folder"
    )]
    OtherLayout { found: String, known: String },
    #[error("the state in the folder is damaged ({cause}); move the folder away to begin anew")]
    Damaged { cause: String },
    #[error("{0}")]
    Other(String),
}

impl BusProblem {
    /// True where every later attempt fails as well, unless somebody mends the settings, the server or the folder.
    ///
    /// A coordinator may still create what is missing, and an operator may remove a stream of another shape while
    /// processes wait.
    fn needs_repair(&self) -> bool {
        match self {
            Self::Address { .. }
            | Self::Prefix { .. }
            | Self::Tls { .. }
            | Self::LoginRefused
            | Self::Credentials { .. }
            | Self::ServerTooOld { .. }
            | Self::JetStreamOff
            | Self::JetStreamRefused { .. }
            | Self::OtherFiles
            | Self::OtherLayout { .. }
            | Self::Damaged { .. } => true,
            Self::Unreachable { .. }
            | Self::JetStreamSilent { .. }
            | Self::OtherShape { .. }
            | Self::NotCreated { .. }
            | Self::NotChanged { .. }
            | Self::Other(_) => false,
        }
    }
}
