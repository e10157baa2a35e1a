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
pub mod run;
pub mod status;
pub mod submit;
pub mod watch;
pub mod worker;

use crate::{
    args::SettingsArgs,
    exit::{Exit, Failure, OrExit},
    settings::{self, Loaded, Sources},
};

/// The settings in effect for a command with these flags.
fn load(flags: &SettingsArgs) -> Result<Loaded, Failure> {
    settings::load(&Sources::of_process(flags)).or_exit(Exit::BadInput)
}
