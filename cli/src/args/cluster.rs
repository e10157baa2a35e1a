//! Command-line arguments of a cluster's roles and of the commands that talk to a cluster.

use std::path::PathBuf;

use clap::Args as ArgGroup;
use tributary_protocol::task::Kind;

use super::inputs::{Inputs, SettingsArgs};

/// The location of the settings file.
#[derive(Clone, Debug, Default, ArgGroup)]
pub struct ConfigArgs {
    /// The settings file, which must exist [default: tributary.toml, if present]
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    pub config: Option<PathBuf>,
}

impl ConfigArgs {
    pub fn settings(&self) -> SettingsArgs {
        SettingsArgs { config: self.config.clone(), ..SettingsArgs::default() }
    }
}

/// Arguments shared by coordinator and worker.
#[derive(Clone, Debug, Default, ArgGroup)]
pub struct RoleArgs {
    #[command(flatten)]
    pub settings: ConfigArgs,
    /// Serve /healthz, /readyz and /metrics at this address; `off` disables the server [default: 0.0.0.0:9090]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
}

#[derive(Debug, ArgGroup)]
pub struct CoordinatorArgs {
    #[command(flatten)]
    pub role: RoleArgs,
    /// Most jobs held at a time [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
}

#[derive(Debug, ArgGroup)]
pub struct WorkerArgs {
    #[command(flatten)]
    pub role: RoleArgs,
    /// Perform only tasks of this model; repeatable
    #[arg(short, long, value_name = "MODEL")]
    pub model: Vec<String>,
    /// Most tasks at a time [default: 16]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
    /// Perform only tasks of these kinds, such as digest,write
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = |kind: &str| kind.parse::<Kind>())]
    pub only: Vec<Kind>,
}

#[derive(Debug, ArgGroup)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Answer this question from the sources, instead of writing an article
    #[arg(long, short = 'Q', value_name = "QUESTION")]
    pub question: Option<String>,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Discard the progress and result of the same job and start again
    ///
    /// A running job stays untouched. Model replies stay cached either way: no call is paid for twice.
    #[arg(long)]
    pub fresh: bool,
}

#[derive(Debug, ArgGroup)]
pub struct JobArgs {
    /// The job's id, or its first 6 digits or more
    #[arg(value_name = "JOB")]
    pub job: String,
    #[command(flatten)]
    pub settings: ConfigArgs,
}

#[derive(Debug, ArgGroup)]
pub struct ResumeArgs {
    /// The jobs' ids, or their first 6 digits or more
    #[arg(value_name = "JOB")]
    pub jobs: Vec<String>,
    /// Resume every failed job
    #[arg(long, conflicts_with = "jobs")]
    pub all: bool,
    #[command(flatten)]
    pub settings: ConfigArgs,
}

#[derive(Debug, ArgGroup)]
pub struct ListArgs {
    /// Print all known facts, as one JSON object per job
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: ConfigArgs,
}

#[derive(Debug, ArgGroup)]
pub struct StatusArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Print all known facts as a JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ArgGroup)]
pub struct ResultArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// The folder for the files [default: tributary-out]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
