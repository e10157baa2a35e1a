//! The end of a request to a server without a reply.

use super::error::ModelError;

/// The end of a request to a server without a reply; `F` names the parts of a request open to refusal.
pub(super) enum RequestFailure<F> {
    /// The call has failed.
    Model(ModelError),
    /// The server refuses a part of the request. The same call may succeed without the part.
    Refused { feature: F, message: String },
}

impl<F> From<ModelError> for RequestFailure<F> {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}
