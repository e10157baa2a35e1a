//! The trait that a pipeline implements: its stages, and its result.
//!
//! Adding a pipeline touches its own folders, [`crate::jobs`], three enums of the protocol, and the command line.

use std::time::Duration;

use async_trait::async_trait;
use tributary_protocol::{bus::Bus, id::TaskId, task::Outcome};

use crate::{
    artifact::{ArtifactError, ArtifactSink, ResultSummary},
    prepare::InputNotes,
    tasks::JobLedger,
};

/// A way to make something of a corpus. Its state between two outcomes is a value; see [`crate::engine`] for what it must
/// not do.
#[async_trait]
pub trait Pipeline: Send + Sync + 'static {
    /// Whether a task has been asked for and has no outcome yet.
    fn awaits(&self, task: TaskId) -> bool;

    /// Takes the outcome of a task and asks for the tasks that it leads to. False where the task isn't awaited.
    fn settle(&mut self, ledger: &mut JobLedger, outcome: &Outcome) -> bool;

    /// Whether there is nothing left to do.
    fn is_finished(&self) -> bool;

    /// See [`crate::engine::Machine::make_result`].
    async fn make_result(
        &self,
        ledger: &JobLedger,
        bus: &dyn Bus,
        input: InputNotes,
        wall: Duration,
        sink: &mut dyn ArtifactSink,
    ) -> Result<ResultSummary, ArtifactError>;
}
