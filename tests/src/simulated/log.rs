//! Logs each served call as a JSON line, so that benchmarks can find the critical path.

use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

/// The log entry of an admitted call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    /// The call's hash.
    pub call: String,
    /// The number of earlier arrivals of the same call.
    pub attempt: u32,
    /// The time of arrival, in seconds since 1970.
    pub start: f64,
    /// The time of the end, in seconds since 1970.
    pub end: f64,
    /// `ok`, or the kind of failure; `abandoned` if the client left first.
    pub status: &'static str,
    /// The model named by the call.
    pub model: String,
    /// The name of the schema.
    pub schema: String,
    pub prompt_tokens: usize,
    pub reply_tokens: usize,
    pub cached_tokens: usize,
}

/// A log file.
pub struct Log(Mutex<File>);

impl Log {
    /// Opens the file for appending. Creates a missing file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?)))
    }

    /// Appends an entry as one line. A full disk doesn't stop the model.
    pub fn write(&self, entry: &Entry) {
        if let Ok(mut line) = serde_json::to_vec(entry) {
            line.push(b'\n');
            let _ = self.0.lock().expect("no writer panics").write_all(&line);
        }
    }
}
