//! The folder: that it is ours, and ours alone.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::bus::{BusError, BusProblem, Result};

/// Marks a folder as a bus's, and is locked while a process works on it.
const LOCK: &str = "tributary.lock";
/// The database.
const DATABASE: &str = "db";
/// Stands in a database that was made to its end.
const COMPLETE: &str = "version";

/// A folder that this process alone works on, until this is dropped.
pub(super) struct LockedFolder {
    pub path: PathBuf,
    /// Unlocked by the operating system when it is closed, by whatever death.
    _lock: File,
}

impl LockedFolder {
    /// Makes the folder if it isn't there, checks whose it is, and locks it.
    pub fn claim(path: &Path) -> Result<Self> {
        let failed = |error: io::Error| failed(path, error);
        fs::create_dir_all(path).map_err(failed)?;
        if !path.join(LOCK).exists() && fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(error(path, BusProblem::OtherFiles));
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK)).map_err(failed)?;
        acquire(&lock, path)?;
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.discard_unfinished().map_err(failed)?;
        Ok(folder)
    }

    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// A process that was killed while it made the database leaves a piece that can't be opened and holds nothing yet.
    fn discard_unfinished(&self) -> io::Result<()> {
        let database = self.database();
        if database.exists() && !database.join(COMPLETE).exists() && !holds_data(&database)? {
            fs::remove_dir_all(&database)?;
        }
        Ok(())
    }
}

/// True once a keyspace was made in it, which happens after it is complete.
fn holds_data(database: &Path) -> io::Result<bool> {
    match fs::read_dir(database.join("keyspaces")) {
        Ok(mut keyspaces) => Ok(keyspaces.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// An owner that is just leaving gets a moment to do so.
fn acquire(lock: &File, path: &Path) -> Result<()> {
    for _ in 0..20 {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(failed(path, error)),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(25)),
        }
    }
    Err(BusError::InUse { place: path.display().to_string() })
}

pub(super) fn error(path: &Path, problem: BusProblem) -> BusError {
    BusError::at(path.display().to_string(), problem)
}

pub(super) fn failed(path: &Path, cause: impl ToString) -> BusError {
    error(path, BusProblem::Other(cause.to_string()))
}
