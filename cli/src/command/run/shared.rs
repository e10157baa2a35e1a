//! The state that all jobs of a run share.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Context;
use tributary_coordinator::{actor::Coordinator, ingest::Problem, prepare::RequestTemplate};
use tributary_protocol::bus::Bus;

use super::answer::ShownAnswer;
use crate::{
    args::{Inputs, ProgressStyle},
    interrupt::Interrupt,
    settings::Config,
    terminal::Terminal,
};

/// The jobs that are wanted: inputs, and what is made of them.
pub struct Wanted {
    pub inputs: Inputs,
    pub template: Arc<dyn RequestTemplate>,
    /// Whether what an earlier run has done is forgotten first.
    pub fresh: bool,
    pub shown: Shown,
}

/// What of a finished job is printed on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The paths of its files.
    Paths,
    /// Its answer, for people.
    Answer,
    /// The same as JSON.
    AnswerJson,
}

impl Shown {
    /// Prints it.
    ///
    /// # Errors
    ///
    /// A file that can't be read back.
    pub fn show(self, files: &[PathBuf], terminal: &Terminal) -> anyhow::Result<()> {
        if self == Self::Paths {
            files.iter().for_each(|file| terminal.result(file));
            return Ok(());
        }
        let path = files.get(1).context("the job has left no answer")?;
        let json = fs::read_to_string(path).with_context(|| format!("{}: it can't be read", path.display()))?;
        if self == Self::AnswerJson {
            terminal.print(json.trim_end());
        } else {
            let answer: ShownAnswer = serde_json::from_str(&json).with_context(|| path.display().to_string())?;
            terminal.print(answer);
        }
        Ok(())
    }
}

/// What all jobs of a run share.
pub struct Run {
    pub bus: Arc<dyn Bus>,
    pub coordinator: Coordinator,
    pub config: Config,
    /// Of the input as a whole.
    pub problems: Vec<Problem>,
    pub fresh: bool,
    pub shown: Shown,
    pub style: ProgressStyle,
    pub interrupt: Interrupt,
    pub terminal: Terminal,
}
