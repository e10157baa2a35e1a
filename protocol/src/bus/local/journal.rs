//! The journals: outcomes by job and number, and the tasks that they ended.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use fjall::{Database, Keyspace};
use tokio::sync::watch;

use super::folder::failed;
use crate::{
    bus::{BusError, Result},
    id::{JobId, TaskId},
    task::Outcome,
    wire,
};

/// Most outcomes, and most bytes, that a reader loads at once.
const PAGE: (usize, usize) = (256, 1 << 20);

pub(super) struct LocalJournal {
    database: Database,
    /// Job and number → outcome.
    entries: Keyspace,
    /// Job and task → nothing, for each task with a final outcome.
    ended: Keyspace,
    logs: Mutex<HashMap<JobId, Arc<JobLog>>>,
    path: PathBuf,
}

/// The end of a job's journal while this process lives.
pub(super) struct JobLog {
    writing: Mutex<()>,
    /// The number of the next entry. Never falls, so that readers keep their place when the job is cleared.
    pub next: watch::Sender<u64>,
}

impl LocalJournal {
    pub fn new(database: Database, entries: Keyspace, ended: Keyspace, path: PathBuf) -> Self {
        Self { database, entries, ended, logs: Mutex::default(), path }
    }

    pub fn log(&self, job: JobId) -> Result<Arc<JobLog>> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = logs.get(&job) {
            return Ok(log.clone());
        }
        let last = self.entries.prefix(job.to_string()).next_back().map(|entry| entry.key()).transpose();
        let last = last.map_err(|error| self.failed(error))?;
        let log = Arc::new(JobLog {
            writing: Mutex::default(),
            next: watch::Sender::new(last.map_or(0, |key| number(&key) + 1)),
        });
        logs.insert(job, log.clone());
        Ok(log)
    }

    pub fn has_ended(&self, job: JobId, task: TaskId) -> Result<bool> {
        self.ended.contains_key(ended_key(job, task)).map_err(|error| self.failed(error))
    }

    pub fn append(&self, job: JobId, outcome: &Outcome) -> Result<()> {
        let log = self.log(job)?;
        let _writing = log.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_ended(job, outcome.task)? {
            return Ok(());
        }
        let next = *log.next.borrow();
        let mut batch = self.database.batch();
        batch.insert(&self.entries, entry_key(job, next), wire::encode(outcome));
        if outcome.verdict.ends_task() {
            batch.insert(&self.ended, ended_key(job, outcome.task), []);
        }
        batch.commit().map_err(|error| self.failed(error))?;
        log.next.send_replace(next + 1);
        Ok(())
    }

    /// Loads a page of the outcomes numbered `from..until`, and gives the number to read on from.
    pub fn read(&self, job: JobId, from: u64, until: u64) -> Result<(VecDeque<Arc<Outcome>>, u64)> {
        let (mut outcomes, mut bytes) = (VecDeque::new(), 0);
        for entry in self.entries.range(entry_key(job, from)..entry_key(job, until)) {
            let (key, value) = entry.into_inner().map_err(|error| self.failed(error))?;
            outcomes.push_back(Arc::new(wire::decode(&value)?));
            bytes += value.len();
            if outcomes.len() >= PAGE.0 || bytes >= PAGE.1 {
                return Ok((outcomes, number(&key) + 1));
            }
        }
        Ok((outcomes, until))
    }

    pub fn clear(&self, job: JobId) -> Result<()> {
        let log = self.log(job)?;
        let _writing = log.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.database.batch();
        for keyspace in [&self.entries, &self.ended] {
            for entry in keyspace.prefix(job.to_string()) {
                batch.remove(keyspace, entry.key().map_err(|error| self.failed(error))?);
            }
        }
        batch.commit().map_err(|error| self.failed(error))
    }

    fn failed(&self, cause: impl ToString) -> BusError {
        failed(&self.path, cause)
    }
}

fn entry_key(job: JobId, number: u64) -> Vec<u8> {
    [job.to_string().as_bytes(), &number.to_be_bytes()].concat()
}

/// Reads the number from an entry's key.
fn number(key: &[u8]) -> u64 {
    key.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn ended_key(job: JobId, task: TaskId) -> String {
    format!("{job}{task}")
}
