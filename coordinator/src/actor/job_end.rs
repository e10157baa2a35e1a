//! How a run of a job ends.

use tributary_protocol::bus::BusError;

use crate::engine::Machine;

/// Why a job stopped before its end. The job's state is kept in every case.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The model is unusable; the reason names the cause.
    #[error("{0}")]
    Model(String),
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A fault of this program.
    #[error("the job's coordination failed: {0}")]
    Crashed(String),
    /// The coordinator was asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// A job at its end.
pub struct Ran {
    pub machine: Box<dyn Machine>,
    /// Tasks that had ended before this run of the job.
    pub done_before: u64,
}
