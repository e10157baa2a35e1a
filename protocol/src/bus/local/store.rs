//! The database on disk: a keyspace for each kind of data.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode};

use super::{
    blobs::LocalBlobs,
    folder::{LockedFolder, error, failed},
    journal::LocalJournal,
    options::LocalOptions,
};
use crate::{
    bus::{BusError, BusProblem, Result},
    id::{CallId, JobId},
    job::Job,
    wire,
};

/// The layout of keys and values that this build reads and writes.
const LAYOUT: &[u8] = b"1";

/// Memory for unwritten data of a keyspace, in bytes. Up to four times as much may wait to be written.
const MEMTABLE: u64 = 4 << 20;

/// Threads that write and compact tables. A thread that asks for a full memtable to be written waits for room in the
/// queue that these threads empty: there must be more threads than keyspaces that fill up at once.
const WORKERS: usize = 6;

pub(super) struct LocalStore {
    // The order matters: users of the database are dropped before the database is closed, and the folder is freed last.
    pub journal: LocalJournal,
    pub blobs: LocalBlobs,
    replies: Keyspace,
    /// `job/`, `state/` or `cancel/`, then the job → the document, the state, or nothing.
    jobs: Keyspace,
    /// Job and part → a part of the result.
    results: Keyspace,
    database: Database,
    _syncer: DiskSyncer,
    path: PathBuf,
    _folder: LockedFolder,
}

impl LocalStore {
    pub fn open(path: &Path, options: &LocalOptions) -> Result<Self> {
        let folder = LockedFolder::claim(path)?;
        // The database panics on some kinds of damage.
        let opened = catch_unwind(AssertUnwindSafe(|| Self::open_database(folder, options)));
        opened.unwrap_or_else(|_| Err(damaged(path, "the database in it can't be read")))
    }

    fn open_database(folder: LockedFolder, options: &LocalOptions) -> Result<Self> {
        let path = folder.path.clone();
        let database = Database::builder(folder.database())
            .cache_size(options.cache)
            .max_journaling_size(64 << 20)
            .worker_threads(WORKERS)
            .open()
            .map_err(|error| open_error(&path, error))?;
        let keyspace = |name, options: fn() -> KeyspaceCreateOptions| {
            database.keyspace(name, options).map_err(|error| open_error(&path, error))
        };
        check_layout(&keyspace("about", small)?, &path)?;
        Ok(Self {
            journal: LocalJournal::new(
                database.clone(),
                keyspace("journal", small)?,
                keyspace("ended", small)?,
                path.clone(),
            ),
            results: keyspace("results", large)?,
            blobs: LocalBlobs::new(database.clone(), large, path.clone()),
            replies: keyspace("replies", small)?,
            jobs: keyspace("jobs", small)?,
            _syncer: DiskSyncer::start(database.clone(), options.sync_every),
            database,
            path,
            _folder: folder,
        })
    }

    pub fn reply(&self, call: CallId) -> Result<Option<Bytes>> {
        let reply = self.replies.get(call.to_string()).map_err(|error| self.failed(error))?;
        Ok(reply.map(Into::into))
    }

    pub fn keep_reply(&self, call: CallId, reply: Bytes) -> Result<()> {
        self.replies.insert(call.to_string(), reply).map_err(|error| self.failed(error))
    }

    /// Reads the unfinished jobs, in the order of their ids.
    pub fn submitted(&self) -> Result<Vec<Job>> {
        let documents = self.jobs.prefix("job/").map(|entry| entry.value());
        documents.map(|document| Ok(wire::decode(&document.map_err(|error| self.failed(error))?)?)).collect()
    }

    pub fn submit(&self, job: &Job) -> Result<()> {
        let mut batch = self.database.batch();
        batch.insert(&self.jobs, format!("job/{}", job.id), wire::encode(job));
        batch.remove(&self.jobs, format!("cancel/{}", job.id));
        batch.commit().map_err(|error| self.failed(error))
    }

    /// Reads a job's entry under `what`: `job`, `state` or `cancel`.
    pub fn about(&self, what: &str, job: JobId) -> Result<Option<Bytes>> {
        let value = self.jobs.get(format!("{what}/{job}")).map_err(|error| self.failed(error))?;
        Ok(value.map(Into::into))
    }

    pub fn set_about(&self, what: &str, job: JobId, value: Bytes) -> Result<()> {
        self.jobs.insert(format!("{what}/{job}"), value).map_err(|error| self.failed(error))
    }

    pub fn remove_about(&self, what: &str, job: JobId) -> Result<()> {
        self.jobs.remove(format!("{what}/{job}")).map_err(|error| self.failed(error))
    }

    pub fn states(&self) -> Result<Vec<(JobId, Bytes)>> {
        let mut states = Vec::new();
        for entry in self.jobs.prefix("state/") {
            let (key, state) = entry.into_inner().map_err(|error| self.failed(error))?;
            let job = std::str::from_utf8(&key).ok().and_then(|key| key.strip_prefix("state/")?.parse().ok());
            states.extend(job.map(|job| (job, state.into())));
        }
        Ok(states)
    }

    pub fn result(&self, job: JobId, part: u32) -> Result<Option<Bytes>> {
        let result = self.results.get(result_key(job, part)).map_err(|error| self.failed(error))?;
        Ok(result.map(Into::into))
    }

    pub fn keep_result(&self, job: JobId, part: u32, result: Bytes) -> Result<()> {
        self.results.insert(result_key(job, part), result).map_err(|error| self.failed(error))
    }

    pub fn forget(&self, job: JobId) -> Result<()> {
        let mut batch = self.database.batch();
        ["state", "cancel"].iter().for_each(|what| batch.remove(&self.jobs, format!("{what}/{job}")));
        for part in self.results.prefix(job.to_string()) {
            batch.remove(&self.results, part.key().map_err(|error| self.failed(error))?);
        }
        batch.commit().map_err(|error| self.failed(error))
    }

    pub fn clear_journal(&self, job: JobId) -> Result<()> {
        self.journal.clear(job)
    }

    pub fn clear(&self, job: JobId) -> Result<()> {
        self.journal.clear(job)?;
        self.blobs.clear(job)
    }

    pub fn failed(&self, cause: impl ToString) -> BusError {
        failed(&self.path, cause)
    }
}

fn result_key(job: JobId, part: u32) -> Vec<u8> {
    [job.to_string().as_bytes(), &part.to_be_bytes()].concat()
}

fn small() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE)
}

/// Keeps large values out of the tables, so that compactions don't copy a corpus again and again.
fn large() -> KeyspaceCreateOptions {
    let apart = KvSeparationOptions::default().separation_threshold(4 << 10).file_target_size(32 << 20);
    small().with_kv_separation(Some(apart))
}

fn check_layout(about: &Keyspace, path: &Path) -> Result<()> {
    match about.get("layout").map_err(|error| open_error(path, error))? {
        Some(found) if *found == *LAYOUT => Ok(()),
        Some(found) => {
            let (found, known) = (String::from_utf8_lossy(&found), String::from_utf8_lossy(LAYOUT));
            Err(error(path, BusProblem::OtherLayout { found: found.into_owned(), known: known.into_owned() }))
        }
        None => about.insert("layout", LAYOUT).map_err(|error| open_error(path, error)),
    }
}

fn open_error(path: &Path, cause: fjall::Error) -> BusError {
    match cause {
        fjall::Error::Locked => BusError::InUse { place: path.display().to_string() },
        fjall::Error::Io(cause) => failed(path, cause),
        cause => damaged(path, cause),
    }
}

fn damaged(path: &Path, cause: impl ToString) -> BusError {
    error(path, BusProblem::Damaged { cause: cause.to_string() })
}

/// Syncs writes against power failures, at intervals and at the end.
struct DiskSyncer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DiskSyncer {
    fn start(database: Database, every: Duration) -> Self {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new().name("bus-sync".into()).spawn(move || sync(&database, every, &stopped));
        Self { stop: Some(stop), thread: thread.ok() }
    }
}

fn sync(database: &Database, every: Duration, stopped: &Receiver<()>) {
    loop {
        let ending = stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout);
        if let Err(error) = database.persist(PersistMode::SyncData) {
            tracing::warn!(%error, "failed to sync; the latest writes may not survive a power failure");
        }
        if ending {
            return;
        }
    }
}

impl Drop for DiskSyncer {
    /// Waits for the thread, so that the database is closed when the store is gone.
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
