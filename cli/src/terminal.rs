//! Where the program's words go: results to stdout, a line a file, so that scripts can use them; all else to stderr.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    path::Path,
};

use indicatif::MultiProgress;

use crate::args::{Console, LogFormat};

/// The two streams, shared with the bars that are drawn on one of them. Cheap to clone.
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

    /// Tells people something on stderr, as a log record where logs are JSON. Silent under `--quiet`.
    pub fn say(&self, text: impl Display) {
        match self.format {
            _ if self.quiet => {}
            LogFormat::Text => self.write(format!("{text}\n").as_bytes()),
            LogFormat::Json => tracing::info!("{text}"),
        }
    }

    /// Tells what went wrong, even under `--quiet`.
    pub fn complain(&self, text: impl Display) {
        match self.format {
            LogFormat::Text => self.write(format!("{text}\n").as_bytes()),
            LogFormat::Json => tracing::error!("{text}"),
        }
    }

    /// Names a file that was written, on stdout.
    pub fn result(&self, path: &Path) {
        self.print(path.display());
    }

    /// Prints a line of a command's answer on stdout. A reader that has gone away is no error.
    pub fn print(&self, line: impl Display) {
        self.bars.suspend(|| {
            let _ = writeln!(io::stdout(), "{line}");
        });
    }

    /// Whether a person is watching stderr and bars can be drawn there.
    pub fn takes_bars(&self) -> bool {
        !self.quiet && self.format == LogFormat::Text && io::stderr().is_terminal()
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The bars on stderr: whatever else is written while they stand must go through this terminal.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes to stderr between two drawings of the bars. There is nowhere left to report a failure to.
    pub(crate) fn write(&self, bytes: &[u8]) {
        self.bars.suspend(|| {
            let _ = io::stderr().lock().write_all(bytes);
        });
    }
}
