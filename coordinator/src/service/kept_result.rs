//! The kept result of a finished job: its artifacts, ready to be fetched.
//!
//! The bytes of all artifacts are kept in consecutive parts. An index maps bytes to artifacts and marks the places of
//! sources' texts; those are the job's blobs already.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tributary_protocol::{
    bus::{self, JobQueue},
    id::{BlobId, JobId},
    wire,
};

use crate::artifact::{ArtifactError, ArtifactName, ArtifactSink};

/// The number of the part that holds the index. The index is kept last: its presence means that every part is present.
pub(super) const INDEX: u32 = 0;

/// Bytes of a part.
const PART: usize = 4 << 20;

/// The index of a job's kept artifacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeptResult {
    artifacts: Vec<KeptArtifact>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptArtifact {
    name: ArtifactName,
    pieces: Vec<Piece>,
}

/// A piece of an artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Piece {
    /// The number of bytes to take next from the parts.
    Bytes(u64),
    /// Texts, escaped for the inside of a JSON string.
    JsonText(Vec<BlobId>),
}

impl KeptResult {
    /// Returns the index of a job's artifacts, once they are kept.
    ///
    /// # Errors
    ///
    /// Errors of the queue, and an index that this build can't read.
    pub async fn of(queue: &dyn JobQueue, job: JobId) -> bus::Result<Option<Self>> {
        Ok(queue.result(job, INDEX).await?.map(|index| wire::decode(&index)).transpose()?)
    }

    /// Gives the artifacts to a sink.
    ///
    /// # Errors
    ///
    /// Errors of the queue and of the sink, and a missing part.
    pub async fn give(
        &self,
        queue: &dyn JobQueue,
        job: JobId,
        sink: &mut dyn ArtifactSink,
    ) -> Result<(), ArtifactError> {
        let mut parts = Parts { queue, job, next: INDEX + 1, left: Bytes::new() };
        for artifact in &self.artifacts {
            sink.begin(&artifact.name).await?;
            for piece in &artifact.pieces {
                match piece {
                    Piece::Bytes(length) => parts.give(*length, sink).await?,
                    Piece::JsonText(blobs) => sink.write_json_text(blobs).await?,
                }
            }
            sink.end().await?;
        }
        Ok(())
    }
}

/// The parts of a kept result, read in sequence.
struct Parts<'a> {
    queue: &'a dyn JobQueue,
    job: JobId,
    next: u32,
    left: Bytes,
}

impl Parts<'_> {
    async fn give(&mut self, mut length: u64, sink: &mut dyn ArtifactSink) -> Result<(), ArtifactError> {
        while length > 0 {
            if self.left.is_empty() {
                let part = self.queue.result(self.job, self.next).await?;
                self.left = part.filter(|part| !part.is_empty()).ok_or(ArtifactError::MissingPart(self.next))?;
                self.next += 1;
            }
            let bytes = self.left.split_to(self.left.len().min(usize::try_from(length).unwrap_or(usize::MAX)));
            length -= bytes.len() as u64;
            sink.write(&bytes).await?;
        }
        Ok(())
    }
}

/// Keeps artifacts in a job queue.
pub(super) struct KeepingSink<'a> {
    queue: &'a dyn JobQueue,
    job: JobId,
    index: KeptResult,
    /// Bytes that don't fill a part yet.
    buffer: Vec<u8>,
    next: u32,
}

impl<'a> KeepingSink<'a> {
    pub fn new(queue: &'a dyn JobQueue, job: JobId) -> Self {
        Self { queue, job, index: KeptResult::default(), buffer: Vec::new(), next: INDEX + 1 }
    }

    /// Keeps the remaining bytes, and the index.
    pub async fn finish(mut self) -> Result<(), ArtifactError> {
        if !self.buffer.is_empty() {
            self.keep_part().await?;
        }
        Ok(self.queue.keep_result(self.job, INDEX, wire::encode(&self.index).into()).await?)
    }

    async fn keep_part(&mut self) -> Result<(), ArtifactError> {
        let part = std::mem::take(&mut self.buffer);
        self.queue.keep_result(self.job, self.next, part.into()).await?;
        self.next += 1;
        Ok(())
    }

    fn add(&mut self, piece: Piece) {
        if let Some(artifact) = self.index.artifacts.last_mut() {
            match (artifact.pieces.last_mut(), piece) {
                (Some(Piece::Bytes(before)), Piece::Bytes(more)) => *before += more,
                (_, piece) => artifact.pieces.push(piece),
            }
        }
    }
}

#[async_trait::async_trait]
impl ArtifactSink for KeepingSink<'_> {
    async fn begin(&mut self, name: &ArtifactName) -> Result<(), ArtifactError> {
        self.index.artifacts.push(KeptArtifact { name: name.clone(), pieces: Vec::new() });
        Ok(())
    }

    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), ArtifactError> {
        self.add(Piece::Bytes(bytes.len() as u64));
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == PART {
                self.keep_part().await?;
            }
        }
        Ok(())
    }

    async fn write_json_text(&mut self, blobs: &[BlobId]) -> Result<(), ArtifactError> {
        self.add(Piece::JsonText(blobs.to_vec()));
        Ok(())
    }

    async fn end(&mut self) -> Result<(), ArtifactError> {
        Ok(())
    }
}
