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

/// The wanted jobs: the inputs, and the template for their requests.
pub struct Wanted {
    pub inputs: Inputs,
    pub template: Arc<dyn RequestTemplate>,
    /// Set if the progress of an earlier run is discarded first.
    pub fresh: bool,
    pub shown: Shown,
}

/// The part of a finished job that is printed on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The paths of the files.
    Paths,
    /// The answer as text.
    Answer,
    /// The answer as JSON.
    AnswerJson,
}

impl Shown {
    /// Prints this part of a job with these files.
    ///
    /// # Errors
    ///
    /// Fails if a file can't be read back.
    pub fn show(self, files: &[PathBuf], terminal: &Terminal) -> anyhow::Result<()> {
        if self == Self::Paths {
            files.iter().for_each(|file| terminal.result(file));
            return Ok(());
        }
        let path = files.get(1).context("the job wrote no answer")?;
        let json = fs::read_to_string(path).with_context(|| format!("{}: failed to read the file", path.display()))?;
        if self == Self::AnswerJson {
            terminal.print(json.trim_end());
        } else {
            let answer: ShownAnswer = serde_json::from_str(&json).with_context(|| path.display().to_string())?;
            terminal.print(answer);
        }
        Ok(())
    }
}

/// The shared context of all jobs of a run.
pub struct Run {
    pub bus: Arc<dyn Bus>,
    pub coordinator: Coordinator,
    pub config: Config,
    /// The problems of the whole input.
    pub problems: Vec<Problem>,
    pub fresh: bool,
    pub shown: Shown,
    pub style: ProgressStyle,
    pub interrupt: Interrupt,
    pub terminal: Terminal,
}
