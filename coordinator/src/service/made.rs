//! What a finished job leaves: its files, to be fetched by whoever asks.

use std::{fs, io, path::Path, time::Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tributary_protocol::{
    bus::{Bus, BusError},
    job::Job,
};

use super::{state::Numbers, submit::Input};
use crate::{
    ingest::Severity,
    machine::Machine,
    reduce::{
        output::{self, Files, OutputError},
        reduce,
        report::Report,
    },
};

/// The files of an article, as `tributary run` writes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    pub markdown: Bytes,
    pub jsonl: Bytes,
    pub report: Bytes,
}

impl Made {
    /// Puts the files where [`Files`] says.
    ///
    /// # Errors
    ///
    /// A file that can't be written, by its path.
    pub fn write(&self, files: &Files) -> Result<(), OutputError> {
        for (path, bytes) in
            [(&files.markdown, &self.markdown), (&files.jsonl, &self.jsonl), (&files.report, &self.report)]
        {
            output::put(path, bytes)?;
        }
        Ok(())
    }

    fn read(files: &Files) -> io::Result<Self> {
        let read = |path: &Path| fs::read(path).map(Bytes::from);
        Ok(Self { markdown: read(&files.markdown)?, jsonl: read(&files.jsonl)?, report: read(&files.report)? })
    }
}

/// Why a finished job has no files.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    File(#[from] io::Error),
    #[error("the job ended without an article")]
    Unfinished,
}

impl From<OutputError> for MakeError {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Bus(error) => Self::Bus(error),
            OutputError::File { path, source } => {
                Self::File(io::Error::new(source.kind(), format!("{}: {source}", path.display())))
            }
        }
    }
}

/// Makes the files of a finished job.
pub(super) async fn make(
    bus: &dyn Bus,
    job: &Job,
    machine: &Machine,
    input: Input,
    began: Instant,
) -> Result<(Made, Numbers), MakeError> {
    let finished = machine.finished().ok_or(MakeError::Unfinished)?;
    let reduced = reduce(job, finished);
    let wall = began.elapsed();
    let dropped = input.problems.iter().filter(|problem| problem.severity == Severity::Dropped).count();
    let report = Report::new(job, machine, finished, &reduced, input.problems, wall);
    let numbers = Numbers {
        words: report.article.words as u64,
        cited: report.sources.cited as u64,
        degraded: report.degraded.len() as u64,
        dropped: dropped as u64,
        wall,
    };
    let folder = tempfile::tempdir()?;
    let files = Files::of(folder.path(), "article");
    output::write(bus, job, &reduced, &report, &input.extra, &files).await?;
    Ok((Made::read(&files)?, numbers))
}
