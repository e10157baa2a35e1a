//! `tributary doctor`: is all there that jobs need?

use super::load;
use crate::{
    args::SettingsArgs,
    exit::{Exit, Failure},
    terminal::Terminal,
};

pub fn run(flags: &SettingsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let _ = load(flags)?;
    terminal.say("not yet");
    Ok(Exit::Failed)
}
