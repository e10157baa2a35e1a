//! One article: from its sources to its files.

use std::time::Instant;

use anyhow::{Context, anyhow};
use tokio::sync::watch;
use tracing::Instrument as _;
use tributary_coordinator::{
    actor::{JobError, Ran},
    prepare::Draft,
    reduce::{self, output::Files},
    trace,
};
use tributary_protocol::job::Progress;

use super::Run;
use crate::{
    exit::{Exit, Failure},
    summary::Summary,
};

/// An article that is to be made, and where.
pub struct Making<'a> {
    pub run: &'a Run,
    pub draft: Draft,
    pub files: Files,
}

impl Making<'_> {
    /// Runs the job, from where an earlier run left it, and writes its files. `progress` is kept up to date and dropped
    /// at the end. May be dropped at any moment: all that is done by then is kept.
    pub async fn to_the_end(&self, progress: watch::Sender<Progress>) -> Result<Summary, Failure> {
        let began = Instant::now();
        let (bus, job) = (&*self.run.bus, &self.draft.job);
        if self.run.fresh {
            bus.clear(job.id).await.context("the earlier run can't be forgotten")?;
        }
        self.draft.store(bus).await.context("the sources can't be stored")?;
        let ran = self.run.coordinator.run(job.clone(), progress).await.map_err(failure)?;
        self.write(&ran, began).instrument(trace::reduced(job.id)).await
    }

    async fn write(&self, ran: &Ran, began: Instant) -> Result<Summary, Failure> {
        let Ran { machine, done_before } = ran;
        let (job, run) = (&self.draft.job, self.run);
        let files = self.files.clone();
        let report =
            reduce::write(&*run.bus, job, machine, run.problems.clone(), &self.draft.extra, &files, began).await;
        let report = report.context("the article can't be written")?;
        Ok(Summary {
            title: job.title.clone(),
            article: files.markdown,
            others: vec![files.jsonl],
            report: files.report,
            words: report.article.words as u64,
            sources: report.sources.given as u64,
            cited: report.sources.cited as u64,
            usage: machine.progress().usage(),
            wall: report.wall,
            done_before: (*done_before, machine.progress().ended()),
            degraded: report.degraded.len() as u64,
            dropped: report.dropped() as u64,
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
