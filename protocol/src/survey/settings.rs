//! The parameters of the survey's algorithm, with the defaults of LLM×MapReduce-V2 (arXiv 2504.05732).

use serde::{Deserialize, Serialize};

use crate::{
    budget::Window,
    settings::{at_least, at_most},
};

/// What a survey depends on beside the settings of all jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurveySettings {
    pub genre: Genre,
    pub grouping: GroupingSettings,
    pub outline: OutlineSettings,
    pub convolution: ConvolutionSettings,
    pub refine: RefineSettings,
    /// How often digest to refine are done, each time against the better outline. At least 1.
    pub blocks: u32,
    pub writing: WritingSettings,
}

impl Default for SurveySettings {
    fn default() -> Self {
        Self {
            genre: Genre::default(),
            grouping: GroupingSettings::default(),
            outline: OutlineSettings::default(),
            convolution: ConvolutionSettings::default(),
            refine: RefineSettings::default(),
            blocks: 1,
            writing: WritingSettings::default(),
        }
    }
}

impl SurveySettings {
    /// Checks the bounds of all settings, some of which depend on the models' window.
    ///
    /// # Errors
    ///
    /// The setting that is out of its bounds, by its name, with the bound.
    pub fn check(&self, window: Window) -> Result<(), String> {
        at_least("grouping.size", self.grouping.size, 1)?;
        at_least("outline.batch", self.outline.batch, 1)?;
        at_least("convolution.width", self.convolution.width, 2)?;
        at_least("convolution.results", self.convolution.results, 1)?;
        at_least("convolution.top_k", self.convolution.top_k, 1)?;
        at_least("refine.best_of", self.refine.best_of, 1)?;
        at_least("blocks", self.blocks, 1)?;
        at_least("writing.words", self.writing.words, 50)?;
        // Beyond these a prompt has no room for what else belongs in it.
        at_most("grouping.size", self.grouping.size, 100)?;
        at_most("outline.batch", self.outline.batch, 100)?;
        at_most("outline.lead_tokens", self.outline.lead_tokens, window.0 / 8)?;
        at_most("convolution.width", self.convolution.width, (window.0 / 800).clamp(3, 64))?;
        // Beyond these a slip of the finger would cost more than anybody means to pay.
        at_most("convolution.layers", self.convolution.layers, 32)?;
        at_most("convolution.results", self.convolution.results, 1_000)?;
        at_most("refine.rounds", self.refine.rounds, 32)?;
        at_most("refine.best_of", self.refine.best_of, 32)?;
        at_most("blocks", self.blocks, 16)?;
        at_most("writing.words", self.writing.words, 20_000)
    }
}

/// What kind of text the article is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Genre {
    /// An academic survey.
    #[default]
    Survey,
    /// A technical guide.
    Guide,
    /// A report for people who decide.
    Report,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupingSettings {
    pub by: GroupBy,
    /// Sources in a group: the width of the first kernel.
    pub size: u32,
}

impl Default for GroupingSettings {
    fn default() -> Self {
        Self { by: GroupBy::Model, size: 3 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// The model reads the titles.
    Model,
    /// Clusters of like words, without a call.
    Lexical,
    /// By the seed, without a call.
    Random,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutlineSettings {
    /// Groups that one first outline is made from. Where a model groups, it isn't waited for: as many sources are taken
    /// whose titles share words.
    pub batch: u32,
    /// Most tokens of a source's lead where it has no abstract (and of an abstract that is longer).
    pub lead_tokens: u32,
}

impl Default for OutlineSettings {
    fn default() -> Self {
        Self { batch: 3, lead_tokens: 250 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConvolutionSettings {
    pub layers: u32,
    /// Candidates in a receptive field.
    pub width: u32,
    /// Fields of a layer that samples.
    pub results: u32,
    /// Of these, how many stay.
    pub top_k: u32,
    /// Stop when this many layers in a row have not raised the best score; 0 does every layer. The next is under way by
    /// then, and is done.
    pub patience: u32,
}

impl Default for ConvolutionSettings {
    fn default() -> Self {
        Self { layers: 6, width: 3, results: 10, top_k: 6, patience: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefineSettings {
    pub rounds: u32,
    /// Tries beside each other, each of so many rounds; of all that they make the best stays.
    pub best_of: u32,
    /// A try stops when a round has brought nothing better.
    pub stop_early: bool,
}

impl Default for RefineSettings {
    fn default() -> Self {
        Self { rounds: 3, best_of: 3, stop_early: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WritingSettings {
    /// Words that a section without children aims at.
    pub words: u32,
    /// Whether chapters may have a table or a diagram.
    pub figures: bool,
}

impl Default for WritingSettings {
    fn default() -> Self {
        Self { words: 400, figures: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_bounds_are_named_with_their_bound() {
        type Spoil = fn(&mut SurveySettings);
        let spoilt: [(&str, u32, Spoil); 7] = [
            ("convolution.width", 64, |settings| settings.convolution.width = 65),
            ("convolution.layers", 32, |settings| settings.convolution.layers = 33),
            ("convolution.results", 1_000, |settings| settings.convolution.results = 1_001),
            ("refine.rounds", 32, |settings| settings.refine.rounds = 33),
            ("refine.best_of", 32, |settings| settings.refine.best_of = 33),
            ("blocks", 16, |settings| settings.blocks = 17),
            ("writing.words", 20_000, |settings| settings.writing.words = u32::MAX),
        ];
        assert_eq!(SurveySettings::default().check(Window(128_000)), Ok(()));
        for (name, most, spoil) in spoilt {
            let mut settings = SurveySettings::default();
            spoil(&mut settings);
            let reason = settings.check(Window(128_000)).unwrap_err();
            assert!(reason.starts_with(name) && reason.contains(&format!("at most {most} ")), "{reason}");
        }
    }
}
