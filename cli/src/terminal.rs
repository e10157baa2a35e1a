//! The output of the program: results go to stdout, one file per line for scripts; everything else goes to stderr.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    path::Path,
};

use indicatif::MultiProgress;

use crate::args::{Console, LogFormat};

/// The two output streams, shared with the progress bars on stderr. Cheap to clone.
#[derive(Clone)]
pub struct Terminal {
    bars: MultiProgress,
    quiet: bool,
    format: LogFormat,
}

impl Terminal {
    pub fn new(console: &Console) -> Self {
        Self { bars: MultiProgress::new(), quiet: console.quiet, format: console.log_format }
    }

    /// Prints a message on stderr, or logs a record if logs are JSON. Silent under `--quiet`.
    pub fn say(&self, text: impl Display) {
        match self.format {
            _ if self.quiet => {}
            LogFormat::Text => self.write(format!("{text}\n").as_bytes()),
            LogFormat::Json => tracing::info!("{text}"),
        }
    }

    /// Prints an error on stderr, even under `--quiet`.
    pub fn complain(&self, text: impl Display) {
        match self.format {
            LogFormat::Text => self.write(format!("{text}\n").as_bytes()),
            LogFormat::Json => tracing::error!("{text}"),
        }
    }

    /// Prints the path of a written file on stdout.
    pub fn result(&self, path: &Path) {
        self.print(path.display());
    }

    /// Prints a line of a command's result on stdout. A closed pipe is no error.
    pub fn print(&self, line: impl Display) {
        self.bars.suspend(|| {
            let _ = writeln!(io::stdout(), "{line}");
        });
    }

    /// Returns true if stderr is a terminal that can show bars.
    pub fn takes_bars(&self) -> bool {
        !self.quiet && self.format == LogFormat::Text && io::stderr().is_terminal()
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Returns the bars on stderr. While bars are drawn, all other output must go through this terminal.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes to stderr between two redraws of the bars. A failure can't be reported anywhere.
    pub(crate) fn write(&self, bytes: &[u8]) {
        self.bars.suspend(|| {
            let _ = io::stderr().lock().write_all(bytes);
        });
    }
}
