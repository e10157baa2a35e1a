//! The command lines of a cluster's roles, and of those who talk to it.

use std::path::PathBuf;

use clap::Args as ArgGroup;
use tributary_protocol::task::Kind;

use super::inputs::{Inputs, SettingsArgs};

/// Where the settings are.
#[derive(Clone, Debug, Default, ArgGroup)]
pub struct ConfigArgs {
    /// The settings file; it must exist [default: tributary.toml, where there is one]
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    pub config: Option<PathBuf>,
}

impl ConfigArgs {
    pub fn settings(&self) -> SettingsArgs {
        SettingsArgs { config: self.config.clone(), ..SettingsArgs::default() }
    }
}

/// What both roles are told.
#[derive(Clone, Debug, Default, ArgGroup)]
pub struct RoleArgs {
    #[command(flatten)]
    pub settings: ConfigArgs,
    /// Serve /healthz, /readyz and /metrics at this address; `off` for none [default: 0.0.0.0:9090]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
}

#[derive(Debug, ArgGroup)]
pub struct CoordinatorArgs {
    #[command(flatten)]
    pub role: RoleArgs,
    /// Jobs that are held at a time [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
}

#[derive(Debug, ArgGroup)]
pub struct WorkerArgs {
    #[command(flatten)]
    pub role: RoleArgs,
    /// Do tasks of this model alone; repeatable
    #[arg(short, long, value_name = "MODEL")]
    pub model: Vec<String>,
    /// Tasks at a time [default: 16]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
    /// Do tasks of these kinds alone, such as digest,write
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = |kind: &str| kind.parse::<Kind>())]
    pub only: Vec<Kind>,
}

#[derive(Debug, ArgGroup)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Ask this question of the sources, instead of making an article of them
    #[arg(long, short = 'Q', value_name = "QUESTION")]
    pub question: Option<String>,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Forget what has been done of this very job, and its result, and start it anew
    ///
    /// A job that is under way stays as it is. Replies of models stay known either way: no call is paid for twice.
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
    /// Every job that has failed
    #[arg(long, conflicts_with = "jobs")]
    pub all: bool,
    #[command(flatten)]
    pub settings: ConfigArgs,
}

#[derive(Debug, ArgGroup)]
pub struct ListArgs {
    /// All that is known, as a JSON object a job
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: ConfigArgs,
}

#[derive(Debug, ArgGroup)]
pub struct StatusArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// All that is known, as a JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ArgGroup)]
pub struct ResultArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// The folder that the files are written to [default: tributary-out]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
