//! A JSON line for each call served, for benchmarks that look for the critical path.

use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

/// What is written down about a call that was let in.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    /// The call's hash.
    pub call: String,
    /// Which arrival of this call it is, from 0.
    pub attempt: u32,
    /// When it came in, in seconds since 1970.
    pub start: f64,
    /// When it ended.
    pub end: f64,
    /// `ok`, or how it failed; `abandoned` where the client left first.
    pub status: &'static str,
    /// The model that it named.
    pub model: String,
    /// The name of its schema.
    pub schema: String,
    pub prompt_tokens: usize,
    pub reply_tokens: usize,
    pub cached_tokens: usize,
}

/// A file that entries are appended to.
pub struct Log(Mutex<File>);

impl Log {
    /// Opens the file, or makes it.
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
