//! `tributary config`: prints the settings in effect and the origin of each.

use super::load;
use crate::{
    args::SettingsArgs,
    exit::{Exit, Failure},
    terminal::Terminal,
};

/// Prints the settings as TOML on stdout, without secrets.
pub fn run(flags: &SettingsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    terminal.print(load(flags)?.show().trim_end());
    Ok(Exit::Done)
}
