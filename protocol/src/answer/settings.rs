//! The parameters of an answer.

use serde::{Deserialize, Serialize};

use crate::{
    budget::Window,
    settings::{at_least, at_most},
};

/// The settings of an answer, beside the settings of all jobs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerSettings {
    /// The most tokens of a chunk, if the window has room for as many. Models overlook more in longer chunks; shorter
    /// chunks take more calls.
    pub chunk: u32,
    /// The most quotes from a chunk.
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
    /// The name of a setting out of its bounds, with the bound.
    pub fn check(&self, _window: Window) -> Result<(), String> {
        at_least("answer.chunk", self.chunk, 500)?;
        at_least("answer.quotes", self.quotes, 1)?;
        at_most("answer.quotes", self.quotes, 50)
    }
}
