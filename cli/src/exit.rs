//! How the program ends, as scripts see it.

use std::process::ExitCode;

/// The exit codes. They are a contract: [`TABLE`] tells it in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Anything without a code of its own.
    Failed = 1,
    /// The command line, a setting or the input is at fault: the same command will fail again.
    BadInput = 2,
    /// A model can't be used. What it answered before is kept.
    ModelFailed = 3,
    /// Stopped by the user, state kept. What a shell reports of a program that Ctrl-C ended.
    Interrupted = 130,
}

/// The exit codes for people.
pub const TABLE: &str = concat!(
    "  0    done: every article is written\n",
    "  1    something else went wrong; the message says what\n",
    "  2    bad usage, settings or input: the same command will fail again\n",
    "  3    the model failed (wrong key, no quota, no answer); its replies so far are kept\n",
    "  130  interrupted; the state is kept\n",
    "  After 3 and 130 the same command goes on where it stopped.",
);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error and the exit code that it deserves.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub error: anyhow::Error,
}

/// An error that nobody gave a code to.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Failed, error }
    }
}

/// Gives errors their exit codes.
pub trait OrExit<T> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into() })
    }
}
