//! The trait of a pipeline: its stages, and its result.
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

/// A way to turn a corpus into a result. A pipeline's state between two outcomes is a value; see [`crate::engine`] for
/// the rules of determinism.
#[async_trait]
pub trait Pipeline: Send + Sync + 'static {
    /// True if a task has been asked for and has no outcome yet.
    fn awaits(&self, task: TaskId) -> bool;

    /// Takes the outcome of a task and asks for the follow-up tasks. Returns false if the task isn't awaited.
    fn settle(&mut self, ledger: &mut JobLedger, outcome: &Outcome) -> bool;

    /// True if nothing is left to do.
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
