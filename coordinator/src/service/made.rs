//! What a finished job leaves: its files, to be fetched by whoever asks.
//!
//! The JSONL holds the whole corpus, so files are kept in pieces and never read whole.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    path::Path,
    time::Instant,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_protocol::{
    bus::{self, Bus, BusError, JobQueue},
    id::JobId,
    job::Job,
    wire,
};

use super::state::Numbers;
use crate::{
    ingest::Problem,
    machine::Machine,
    reduce::{
        self,
        output::{Files, OutputError, Whole},
    },
};

/// The part of a result that says where the others belong: kept last, so that where it is, all is.
pub(super) const INDEX: u32 = 0;

/// Bytes of a piece.
const PIECE: u64 = 4 << 20;

/// What a job doesn't say of its input, and its result is to tell.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Input {
    /// Fields of the survey's own line.
    pub extra: Map<String, Value>,
    /// Of the input as a whole.
    pub problems: Vec<Problem>,
}

/// The files of an article, as `tributary run` writes them: for each the parts of the result that it is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    markdown: Range<u32>,
    jsonl: Range<u32>,
    report: Range<u32>,
}

impl Made {
    /// What came of a job, once it is there.
    ///
    /// # Errors
    ///
    /// The queue's, and a result that this build can't read.
    pub async fn of(queue: &dyn JobQueue, job: JobId) -> bus::Result<Option<Self>> {
        Ok(queue.result(job, INDEX).await?.map(|index| wire::decode(&index)).transpose()?)
    }

    /// Puts the files where [`Files`] says.
    ///
    /// # Errors
    ///
    /// The queue's, and a file that can't be written, by its path.
    pub async fn write(&self, queue: &dyn JobQueue, job: JobId, files: &Files) -> Result<(), OutputError> {
        for (path, parts) in
            [(&files.markdown, &self.markdown), (&files.jsonl, &self.jsonl), (&files.report, &self.report)]
        {
            let mut file = Whole::create(path)?;
            for part in parts.clone() {
                let piece = queue.result(job, part).await?;
                let missing = || io::Error::new(io::ErrorKind::UnexpectedEof, "a piece of it is not kept any more");
                let written = piece.ok_or_else(missing).and_then(|piece| file.write_all(&piece));
                written.map_err(|source| OutputError::File { path: path.clone(), source })?;
            }
            file.finish()?;
        }
        Ok(())
    }

    async fn keep(queue: &dyn JobQueue, job: JobId, files: &Files) -> Result<(), MakeError> {
        let mut next = INDEX + 1;
        let made = Self {
            markdown: keep_file(queue, job, &files.markdown, &mut next).await?,
            jsonl: keep_file(queue, job, &files.jsonl, &mut next).await?,
            report: keep_file(queue, job, &files.report, &mut next).await?,
        };
        Ok(queue.keep_result(job, INDEX, wire::encode(&made).into()).await?)
    }
}

/// Keeps a file as the parts from `next` on, and tells which they are.
async fn keep_file(queue: &dyn JobQueue, job: JobId, path: &Path, next: &mut u32) -> Result<Range<u32>, MakeError> {
    let first = *next;
    let mut file = File::open(path)?;
    loop {
        let mut piece = Vec::new();
        if file.by_ref().take(PIECE).read_to_end(&mut piece)? == 0 {
            return Ok(first..*next);
        }
        queue.keep_result(job, *next, Bytes::from(piece)).await?;
        *next += 1;
    }
}

/// Why a finished job has no files.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Output(OutputError),
}

impl From<OutputError> for MakeError {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Bus(error) => Self::Bus(error),
            OutputError::File { .. } | OutputError::Unfinished => Self::Output(error),
        }
    }
}

/// Makes the files of a finished job, and keeps them.
pub(super) async fn make(
    bus: &dyn Bus,
    queue: &dyn JobQueue,
    job: &Job,
    machine: &Machine,
    input: Input,
    began: Instant,
) -> Result<Numbers, MakeError> {
    let folder = tempfile::tempdir()?;
    let files = Files::of(folder.path(), "article");
    let report = reduce::write(bus, job, machine, input.problems, &input.extra, &files, began).await?;
    Made::keep(queue, job.id, &files).await?;
    Ok(Numbers::of(&report))
}
