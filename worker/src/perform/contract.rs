//! The contract between the pool and whatever does the work of tasks.

use std::sync::Arc;

use async_trait::async_trait;
use tributary_protocol::{
    bus::BusError,
    task::{Kind, Outcome, Task, Usage},
};

/// Does the work of tasks.
#[async_trait]
pub trait Perform: Send + Sync + 'static {
    /// The reason why this worker declines the task; none for a welcome task.
    fn declines(&self, _: &Task) -> Option<String> {
        None
    }

    /// Reports whether the model answers this worker now, for tasks of this kind. A tiny call may be made to find out.
    async fn can_use(&self, _model: &str, _kind: Kind) -> bool {
        true
    }

    /// Does the task's work.
    ///
    /// # Errors
    ///
    /// The reason for the lack of an outcome. The task is then unchanged.
    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, NoOutcome>;
}

/// The reason why a worker has no outcome for a task.
#[derive(Debug, thiserror::Error)]
pub enum NoOutcome {
    /// The bus fails: the task deserves another delivery.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// This worker can't use the task's model, and a peer can. The usage so far is lost.
    #[error("this worker can't use {model}; the task is left to a worker able to use the model")]
    LeftToPeers { model: String, usage: Box<Usage> },
}
