//! One file a command.

pub mod cancel;
mod cluster;
pub mod completions;
pub mod config;
pub mod coordinator;
pub mod doctor;
pub mod list;
pub mod plan;
pub mod result;
pub mod resume;
pub mod run;
mod slugs;
pub mod status;
pub mod submit;
pub mod watch;
pub mod worker;

use tributary_coordinator::{
    ingest::{Problem, Severity},
    prepare::{Prepared, RequestTemplate, prepare},
};

use crate::{
    args::{Inputs, SettingsArgs},
    exit::{Exit, Failure, OrExit},
    settings::{self, Config, Loaded, Sources},
    terminal::Terminal,
    units,
};

/// Most lines of a kind that are said of the input one by one.
const MOST_SAID: usize = 20;

/// What is said at the most where nothing was lost.
const MOST_SAID_OF_CHANGES: usize = 5;

/// Tells what was wrong with the input, what was lost first. Reports tell all of it.
fn say_problems(problems: &[Problem], terminal: &Terminal) {
    for severity in [Severity::Dropped, Severity::Warning, Severity::Changed, Severity::Skipped] {
        let of_kind: Vec<_> = problems.iter().filter(|problem| problem.severity == severity).collect();
        let most = match severity {
            Severity::Dropped | Severity::Warning => MOST_SAID,
            Severity::Changed | Severity::Skipped => MOST_SAID_OF_CHANGES,
        };
        let said = if of_kind.len() > most + 1 { most } else { of_kind.len() };
        of_kind[..said].iter().for_each(|problem| terminal.say(problem));
        if said < of_kind.len() {
            terminal.say(format!("… {severity}: {} more", units::count((of_kind.len() - said) as u64)));
        }
    }
}

/// The settings in effect for a command with these flags.
fn load(flags: &SettingsArgs) -> Result<Loaded, Failure> {
    settings::load(&Sources::of_process(flags)).or_exit(Exit::BadInput)
}

/// Reads the inputs to their end. Blocks.
fn read_inputs(inputs: &Inputs, template: &dyn RequestTemplate, config: &Config) -> Result<Prepared, Failure> {
    let title = inputs.title.as_deref();
    prepare(&inputs.inputs, title, template, &config.job, config.execution.seed).or_exit(Exit::BadInput)
}
