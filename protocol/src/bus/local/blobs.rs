//! Blobs, under their job and their own hash.

use std::path::PathBuf;

use bytes::Bytes;
use fjall::{Database, Keyspace};

use super::{folder::unavailable, journal::remove_all};
use crate::{
    bus::{BusError, Result},
    id::{BlobId, JobId},
};

pub(super) struct Blobs {
    database: Database,
    blobs: Keyspace,
    path: PathBuf,
}

impl Blobs {
    pub fn new(database: Database, blobs: Keyspace, path: PathBuf) -> Self {
        Self { database, blobs, path }
    }

    pub fn put(&self, job: JobId, bytes: Bytes) -> Result<BlobId> {
        let blob = BlobId::of_bytes(&bytes);
        let key = key(job, blob);
        if !self.blobs.contains_key(&key).map_err(|error| self.unavailable(error))? {
            self.blobs.insert(key, bytes).map_err(|error| self.unavailable(error))?;
        }
        Ok(blob)
    }

    pub fn get(&self, job: JobId, blob: BlobId) -> Result<Option<Bytes>> {
        let bytes = self.blobs.get(key(job, blob)).map_err(|error| self.unavailable(error))?;
        Ok(bytes.map(Into::into))
    }

    /// Removes the job's blobs and gives their room on disk back.
    pub fn clear(&self, job: JobId) -> Result<()> {
        let clear = || {
            if remove_all(&self.database, &[&self.blobs], job)? > 0 {
                self.blobs.rotate_memtable_and_wait()?;
                self.blobs.major_compact()?;
            }
            Ok(())
        };
        clear().map_err(|error: fjall::Error| self.unavailable(error))
    }

    fn unavailable(&self, reason: impl ToString) -> BusError {
        unavailable(&self.path, reason)
    }
}

fn key(job: JobId, blob: BlobId) -> String {
    format!("{job}{blob}")
}
