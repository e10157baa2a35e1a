//! The state that all jobs of a run share.

use std::sync::Arc;

use tributary_coordinator::{actor::Coordinator, ingest::Problem};
use tributary_protocol::bus::Bus;

use crate::{args::ProgressStyle, interrupt::Interrupt, settings::Config, terminal::Terminal};

/// What all jobs of a run share.
pub struct Run {
    pub bus: Arc<dyn Bus>,
    pub coordinator: Coordinator,
    pub config: Config,
    /// Of the input as a whole.
    pub problems: Vec<Problem>,
    pub fresh: bool,
    pub style: ProgressStyle,
    pub interrupt: Interrupt,
    pub terminal: Terminal,
}
