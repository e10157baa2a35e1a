//! The command line as typed. [`crate::settings`] and the commands interpret the arguments.

mod cluster;
pub mod help;
mod inputs;

use std::path::PathBuf;

use clap::{
    Args as ArgGroup, Parser, Subcommand, ValueEnum,
    builder::{Styles, styling::AnsiColor},
};
use clap_complete::Shell;

pub use self::{
    cluster::{
        ConfigArgs, CoordinatorArgs, JobArgs, ListArgs, ResultArgs, ResumeArgs, RoleArgs, StatusArgs, SubmitArgs,
        WorkerArgs,
    },
    inputs::{Inputs, SettingsArgs},
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Turns a corpus too large for any context window into one long article that cites it
#[derive(Debug, Parser)]
#[command(
    name = "tributary",
    version,
    styles = STYLES,
    long_about = help::ABOUT,
    after_help = help::SHORT_END,
    after_long_help = help::end(),
    max_term_width = 110
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub console: Console,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write articles in this process
    #[command(long_about = help::RUN)]
    Run(RunArgs),
    /// Answer a question from the sources in this process
    #[command(long_about = help::ASK)]
    Ask(AskArgs),
    /// Estimate the cost of a run by stage, without spending anything
    #[command(long_about = help::PLAN)]
    Plan(PlanArgs),
    /// Run a cluster's coordinator: claim jobs, run them, keep their results
    #[command(long_about = help::COORDINATOR)]
    Coordinator(CoordinatorArgs),
    /// Run a cluster's worker: perform the tasks of jobs
    #[command(long_about = help::WORKER)]
    Worker(WorkerArgs),
    /// Submit jobs to a cluster and print their ids
    #[command(long_about = help::SUBMIT)]
    Submit(SubmitArgs),
    /// List a cluster's jobs
    List(ListArgs),
    /// Show the status of a cluster's job
    Status(StatusArgs),
    /// Follow a cluster's job until the end; exits with the codes of `run`
    Watch(JobArgs),
    /// Fetch the article of a cluster's job: the same files that `run` writes
    Result(ResultArgs),
    /// Requeue failed jobs of a cluster, after the cause is fixed
    Resume(ResumeArgs),
    /// Cancel a cluster's job and delete the data left behind
    Cancel(JobArgs),
    /// Check everything that jobs need: NATS, the streams, and the models
    #[command(long_about = help::DOCTOR)]
    Doctor(SettingsArgs),
    /// Print the settings in effect and the origin of each
    #[command(long_about = help::CONFIG)]
    Config(SettingsArgs),
    /// Print completions for a shell
    #[command(long_about = help::COMPLETIONS)]
    Completions { shell: Shell },
}

#[derive(Debug, ArgGroup)]
pub struct RunArgs {
    #[command(flatten)]
    pub inputs: Inputs,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Discard the progress of an earlier run of the same job and start again
    ///
    /// Without this flag, an interrupted job resumes. Model replies stay cached either way: no call is paid for twice.
    #[arg(long)]
    pub fresh: bool,
}

#[derive(Debug, ArgGroup)]
pub struct AskArgs {
    /// JSONL files, documents (Markdown, text, HTML, PDF) or folders of them, read as one corpus
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// The question
    #[arg(long, short = 'Q', value_name = "QUESTION")]
    pub question: String,
    /// Print the answer as JSON, with the place of every quote
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Discard the progress of an earlier run of the same question and start again
    ///
    /// Without this flag, an interrupted job resumes. Model replies stay cached either way: no call is paid for twice.
    #[arg(long)]
    pub fresh: bool,
}

#[derive(Debug, ArgGroup)]
pub struct PlanArgs {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Estimate the cost of answering this question, instead of the cost of an article
    #[arg(long, short = 'Q', value_name = "QUESTION")]
    pub question: Option<String>,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Output options of every command.
#[derive(Clone, Copy, Debug, ArgGroup)]
#[command(next_help_heading = "Output")]
pub struct Console {
    /// Print only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log more; -vv and -vvv log even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Format of logs and messages on stderr; json writes one object per line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Progress display; auto draws bars on a terminal and prints lines elsewhere
    #[arg(long, global = true, value_name = "STYLE", default_value = "auto")]
    pub progress: ProgressStyle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressStyle {
    Auto,
    Bars,
    Lines,
    None,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};
    use tributary_protocol::survey::SurveyKind;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_long_help_teaches_examples_exit_codes_settings_and_environment() {
        let help = Args::command().render_long_help().to_string();
        for taught in ["tributary run", "130", "the model failed", "tributary.toml", "OPENAI_API_KEY", "TRIBUTARY_LOG"]
        {
            assert!(help.contains(taught), "{taught} is not in:\n{help}");
        }
    }

    #[test]
    fn kinds_of_task_get_models_of_their_own() {
        let parse = |value| Args::try_parse_from(["tributary", "run", "x.jsonl", "--model-for", value]);
        let Command::Run(run) = parse("merge-outlines=openai/a/b=c").unwrap().command else { panic!("run was typed") };
        assert_eq!(run.settings.model_for, [(SurveyKind::MergeOutlines.into(), "openai/a/b=c".to_owned())]);
        for bad in ["write", "write=", "compose=openai/x"] {
            assert_eq!(parse(bad).unwrap_err().kind(), ErrorKind::ValueValidation, "{bad}");
        }
    }
}
