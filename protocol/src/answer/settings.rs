//! The parameters of an answer.

use serde::{Deserialize, Serialize};

use crate::{
    budget::Window,
    settings::{at_least, at_most},
};

/// What an answer depends on beside the settings of all jobs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerSettings {
    /// The most tokens of a chunk, where the window has room for as many. Models overlook more in longer chunks; shorter
    /// ones take more calls.
    pub chunk: u32,
    /// The most quotes that one chunk gives.
    pub quotes: u32,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self { chunk: 16_000, quotes: 6 }
    }
}

impl AnswerSettings {
    /// Checks the bounds of all settings.
    ///
    /// # Errors
    ///
    /// The setting that is out of its bounds, by its name, with the bound.
    pub fn check(&self, _window: Window) -> Result<(), String> {
        at_least("answer.chunk", self.chunk, 500)?;
        at_least("answer.quotes", self.quotes, 1)?;
        at_most("answer.quotes", self.quotes, 50)
    }
}
