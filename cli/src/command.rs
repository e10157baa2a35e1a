//! One file a command.

pub mod completions;
pub mod config;
pub mod plan;
pub mod run;

use crate::{
    args::SettingsArgs,
    exit::{Exit, Failure, OrExit},
    settings::{self, Loaded, Sources},
};

/// The settings in effect for a command with these flags.
fn load(flags: &SettingsArgs) -> Result<Loaded, Failure> {
    settings::load(&Sources::of_process(flags)).or_exit(Exit::BadInput)
}
