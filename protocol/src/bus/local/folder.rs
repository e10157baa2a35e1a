//! The folder of a bus: checked for other files, and locked.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::bus::{BusError, BusProblem, Result};

/// The file that marks a bus's folder. A process locks the file while it works on the folder.
const LOCK: &str = "tributary.lock";
/// The folder of the database.
const DATABASE: &str = "db";
/// A file of the database that is written last when the database is created.
const COMPLETE: &str = "version";

/// A folder that only this process works on, until the value is dropped.
pub(super) struct LockedFolder {
    pub path: PathBuf,
    /// Unlocked by the operating system when the process ends, in whatever way.
    _lock: File,
}

impl LockedFolder {
    /// Creates the folder if it is missing, checks for other files, and locks the folder.
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

    /// Deletes a database whose creation was cut short by the death of the process: it can't be opened and holds
    /// nothing.
    fn discard_unfinished(&self) -> io::Result<()> {
        let database = self.database();
        if database.exists() && !database.join(COMPLETE).exists() && !holds_data(&database)? {
            fs::remove_dir_all(&database)?;
        }
        Ok(())
    }
}

/// True of a database with a keyspace. Keyspaces are created after the database is complete.
fn holds_data(database: &Path) -> io::Result<bool> {
    match fs::read_dir(database.join("keyspaces")) {
        Ok(mut keyspaces) => Ok(keyspaces.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Locks the folder. A leaving owner gets half a second to go.
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
