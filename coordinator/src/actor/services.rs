//! The services that all jobs of a coordinator share.

use std::sync::Arc;

use tributary_protocol::bus::Bus;

use super::options::Options;
use crate::roster::Roster;

/// What every job of a coordinator uses.
#[derive(Clone)]
pub(super) struct JobServices {
    pub bus: Arc<dyn Bus>,
    pub options: Options,
    /// The workers of the deployment. None where they are those of this process.
    pub roster: Option<Arc<Roster>>,
}
