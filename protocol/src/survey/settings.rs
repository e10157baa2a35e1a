//! The parameters of the survey's algorithm, with the defaults of LLM×MapReduce-V2 (arXiv 2504.05732).

use serde::{Deserialize, Serialize};

use crate::{
    budget::Window,
    settings::{at_least, at_most},
};

/// The settings of a survey, beside the settings of all jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurveySettings {
    pub genre: Genre,
    pub grouping: GroupingSettings,
    pub outline: OutlineSettings,
    pub convolution: ConvolutionSettings,
    pub refine: RefineSettings,
    /// Repetitions of the stages from digest to refine, each against the improved outline. At least 1.
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
    /// Checks the bounds of all settings; some bounds depend on the models' window.
    ///
    /// # Errors
    ///
    /// The name of a setting out of its bounds, with the bound.
    pub fn check(&self, window: Window) -> Result<(), String> {
        at_least("grouping.size", self.grouping.size, 1)?;
        at_least("outline.batch", self.outline.batch, 1)?;
        at_least("convolution.width", self.convolution.width, 2)?;
        at_least("convolution.results", self.convolution.results, 1)?;
        at_least("convolution.top_k", self.convolution.top_k, 1)?;
        at_least("refine.best_of", self.refine.best_of, 1)?;
        at_least("blocks", self.blocks, 1)?;
        at_least("writing.words", self.writing.words, 50)?;
        // Above these bounds a prompt has no room for its other parts.
        at_most("grouping.size", self.grouping.size, 100)?;
        at_most("outline.batch", self.outline.batch, 100)?;
        at_most("outline.lead_tokens", self.outline.lead_tokens, window.0 / 8)?;
        at_most("convolution.width", self.convolution.width, (window.0 / 800).clamp(3, 64))?;
        // Above these bounds a slip of the finger would cost more than anybody means to pay.
        at_most("convolution.layers", self.convolution.layers, 32)?;
        at_most("convolution.results", self.convolution.results, 1_000)?;
        at_most("refine.rounds", self.refine.rounds, 32)?;
        at_most("refine.best_of", self.refine.best_of, 32)?;
        at_most("blocks", self.blocks, 16)?;
        at_most("writing.words", self.writing.words, 20_000)
    }
}

/// The kind of text of the article.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Genre {
    /// An academic survey.
    #[default]
    Survey,
    /// A technical guide.
    Guide,
    /// A report for decision makers.
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
    /// Clusters of similar words, without a call.
    Lexical,
    /// By the seed, without a call.
    Random,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutlineSettings {
    /// Groups for each first outline. Grouping by a model isn't waited for: the outline takes the same number of
    /// sources, by shared words of their titles.
    pub batch: u32,
    /// The most tokens of a source's lead, be it an abstract or the first paragraphs.
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
    /// Fields of a sampling layer.
    pub results: u32,
    /// Candidates of a layer that are kept.
    pub top_k: u32,
    /// Stop when this many layers in a row have not raised the best score; 0 runs every layer. The next layer is in
    /// flight by then, and is completed.
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
    /// Independent attempts, each of `rounds` rounds; the best result of all is kept.
    pub best_of: u32,
    /// An attempt stops after a round without improvement.
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
    /// The target length of a section without children, in words.
    pub words: u32,
    /// Allows a table or a diagram in chapters.
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
