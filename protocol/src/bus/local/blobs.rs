//! Blobs: a keyspace for each job, so that clearing a job frees its disk space at once.

use std::path::PathBuf;

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use super::folder::failed;
use crate::{
    bus::{BusError, Result},
    id::{BlobId, JobId},
};

pub(super) struct LocalBlobs {
    database: Database,
    options: fn() -> KeyspaceCreateOptions,
    path: PathBuf,
}

impl LocalBlobs {
    /// Keeps each job's blobs in a keyspace with these options.
    pub fn new(database: Database, options: fn() -> KeyspaceCreateOptions, path: PathBuf) -> Self {
        Self { database, options, path }
    }

    pub fn put(&self, job: JobId, bytes: Bytes) -> Result<BlobId> {
        let blob = BlobId::of_bytes(&bytes);
        let put = || {
            let blobs = self.of_job(job)?;
            if blobs.contains_key(blob.to_string())? { Ok(()) } else { blobs.insert(blob.to_string(), bytes) }
        };
        put().map_err(|error| self.failed(error))?;
        Ok(blob)
    }

    pub fn get(&self, job: JobId, blob: BlobId) -> Result<Option<Bytes>> {
        if !self.database.keyspace_exists(&name(job)) {
            return Ok(None);
        }
        let bytes = self.of_job(job).and_then(|blobs| blobs.get(blob.to_string()));
        Ok(bytes.map_err(|error| self.failed(error))?.map(Into::into))
    }

    pub fn clear(&self, job: JobId) -> Result<()> {
        if !self.database.keyspace_exists(&name(job)) {
            return Ok(());
        }
        let cleared = self.of_job(job).and_then(|blobs| self.database.delete_keyspace(blobs));
        cleared.map_err(|error| self.failed(error))
    }

    fn of_job(&self, job: JobId) -> fjall::Result<Keyspace> {
        self.database.keyspace(&name(job), self.options)
    }

    fn failed(&self, cause: impl ToString) -> BusError {
        failed(&self.path, cause)
    }
}

fn name(job: JobId) -> String {
    format!("blobs-{job}")
}
