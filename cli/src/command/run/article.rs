//! Runs one job, from the sources to the files.

use std::time::Instant;

use anyhow::{Context, anyhow};
use tokio::sync::watch;
use tracing::Instrument as _;
use tributary_coordinator::{
    actor::{JobError, Ran},
    artifact::FolderSink,
    prepare::{InputNotes, PreparedJob},
    trace,
};
use tributary_protocol::job::Progress;

use super::shared::Run;
use crate::{
    exit::{Exit, Failure},
    summary::Summary,
};

/// A job to run, and the name of the job's files.
pub struct Making<'a> {
    pub run: &'a Run,
    pub prepared: PreparedJob,
    pub slug: String,
}

impl Making<'_> {
    /// Runs the job, or resumes an earlier run, and writes the files. Updates `progress`, and drops the sender at the
    /// end. Dropping the future at any moment loses no finished work.
    pub async fn to_the_end(&self, progress: watch::Sender<Progress>) -> Result<Summary, Failure> {
        let began = Instant::now();
        let (bus, job) = (&*self.run.bus, &self.prepared.job);
        if self.run.fresh {
            bus.clear(job.id).await.context("failed to discard the earlier run")?;
        }
        self.prepared.store(bus).await.context("failed to store the sources")?;
        let ran = self.run.coordinator.run(job.clone(), progress).await.map_err(failure)?;
        self.write(&ran, began).instrument(trace::reduced(job.id)).await
    }

    async fn write(&self, ran: &Ran, began: Instant) -> Result<Summary, Failure> {
        let Ran { machine, done_before } = ran;
        let (job, run) = (&self.prepared.job, self.run);
        let input = InputNotes { extra: self.prepared.extra.clone(), problems: run.problems.clone() };
        let mut sink = FolderSink::new(&*run.bus, job.id, &run.config.execution.out, &self.slug);
        let result = machine.make_result(&*run.bus, input, began.elapsed(), &mut sink).await;
        let result = result.context("failed to write the result")?;
        Ok(Summary {
            title: job.title().to_owned(),
            files: sink.into_files(),
            result,
            usage: machine.progress().usage(),
            done_before: (*done_before, machine.progress().ended()),
        })
    }
}

fn failure(error: JobError) -> Failure {
    let exit = match &error {
        JobError::Model(_) => Exit::ModelFailed,
        JobError::Interrupted => Exit::Interrupted,
        JobError::Bus(_) | JobError::Crashed(_) => Exit::Failed,
    };
    Failure { exit, error: anyhow!(error) }
}
