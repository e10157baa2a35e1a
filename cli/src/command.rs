//! The commands, one file each.

pub mod ask;
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

use std::sync::Arc;

use anyhow::anyhow;
use tributary_coordinator::{
    answer::AnswerTemplate,
    ingest::{Problem, Severity},
    prepare::{Prepared, RequestTemplate, prepare},
    survey::SurveyTemplate,
};
use tributary_protocol::budget::count;

use crate::{
    args::{Inputs, SettingsArgs},
    exit::{Exit, Failure, OrExit},
    settings::{self, Config, Loaded, Sources},
    terminal::Terminal,
    units,
};

/// The most input problems printed per severity.
const MOST_SAID: usize = 20;

/// The most input problems printed per severity if nothing was lost.
const MOST_SAID_OF_CHANGES: usize = 5;

/// Prints the problems of the input, losses first. Reports list all of them.
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

/// Loads the settings in effect for a command with these flags.
fn load(flags: &SettingsArgs) -> Result<Loaded, Failure> {
    settings::load(&Sources::of_process(flags)).or_exit(Exit::BadInput)
}

/// Returns the template for the inputs: an answer if there is a question, else articles.
fn template(question: Option<&str>, config: &Config) -> Result<Arc<dyn RequestTemplate>, Failure> {
    let Some(question) = question else { return Ok(Arc::new(SurveyTemplate(config.survey.clone()))) };
    let question = question.split_whitespace().collect::<Vec<_>>().join(" ");
    if question.is_empty() {
        return Err(anyhow!("--question is empty; pass a question")).or_exit(Exit::BadInput);
    }
    let tokens = count(&question);
    if tokens > MOST_QUESTION {
        return Err(anyhow!(
            "the question has {tokens} tokens, more than the limit of {MOST_QUESTION}; ask a shorter question"
        ))
        .or_exit(Exit::BadInput);
    }
    Ok(Arc::new(AnswerTemplate { question, settings: config.answer }))
}

/// The most tokens of a question, because every prompt contains the question.
const MOST_QUESTION: u32 = 400;

/// Reads the inputs to the end. Blocks.
fn read_inputs(inputs: &Inputs, template: &dyn RequestTemplate, config: &Config) -> Result<Prepared, Failure> {
    let title = inputs.title.as_deref();
    prepare(&inputs.inputs, title, template, &config.job, config.execution.seed).or_exit(Exit::BadInput)
}
