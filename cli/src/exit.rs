//! The exit codes of the program, and errors with exit codes.

use std::process::ExitCode;

/// The exit codes, a contract with scripts. [`TABLE`] is the list for `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Any failure without a separate code.
    Failed = 1,
    /// The command line, a setting or the input is at fault: the same command will fail again.
    BadInput = 2,
    /// A model can't be used. The replies received so far are kept.
    ModelFailed = 3,
    /// Interrupted by the user; the state is kept. Shells report the same code for a program that Ctrl-C ended.
    Interrupted = 130,
}

/// The exit codes as text for `--help`.
pub const TABLE: &str = concat!(
    "  0    done: every article is written\n",
    "  1    any other failure; see the message\n",
    "  2    bad usage, settings or input: the same command will fail again\n",
    "  3    the model failed (wrong key, no quota, no answer); its replies so far are kept\n",
    "  130  interrupted; the state is kept\n",
    "  After 3 and 130 the same command resumes the run.",
);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with an exit code.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub error: anyhow::Error,
}

/// Converts an error without an exit code: [`Exit::Failed`].
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Failed, error }
    }
}

/// Adds exit codes to errors.
pub trait OrExit<T> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into() })
    }
}
