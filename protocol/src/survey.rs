//! The survey's data types: the request for a long, cited article, and all data on the way to the article.
//!
//! Sources are grouped and outlined ([`outline`]) and read against the outline ([`digest`]). Suggestions and candidates
//! improve the outline ([`suggestion`]), and the [`article`] is written from the notes. [`work`] lists the kinds of
//! task, [`settings`] the parameters of the algorithm (LLM×MapReduce-V2, arXiv 2504.05732).

pub mod article;
pub mod digest;
pub mod outline;
pub mod settings;
pub mod suggestion;
pub mod work;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

pub use self::{
    settings::{Genre, SurveySettings},
    work::{SurveyKind, SurveyProduct, SurveyWork},
};
use crate::{
    budget::Window,
    settings::{Language, WireSettings},
};

/// The request for an article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurveyRequest {
    /// The article's title.
    pub title: String,
    pub settings: WireSettings<SurveySettings>,
}

impl SurveyRequest {
    pub fn new(title: impl Into<String>, settings: SurveySettings) -> Self {
        Self { title: title.into(), settings: settings.into() }
    }
}

/// The part of a survey's task that all tasks of the job share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurveyBrief {
    /// The article's title.
    pub title: String,
    pub language: Language,
    pub genre: Genre,
    pub window: Window,
    pub limits: SurveyLimits,
}

/// The largest sizes of replies, derived from the window and the corpus, so that results of replies fit later prompts.
/// All but `sections` in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurveyLimits {
    /// Sections of an outline, chapters and their children together.
    pub sections: u32,
    /// An outline in a prompt.
    pub outline: u32,
    /// A suggestion.
    pub suggestion: u32,
    /// The notes from a chunk of a source.
    pub digest: u32,
    /// The text of a section, without figure and children.
    pub passage: u32,
}

/// The stages of a survey for its user, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum SurveyStage {
    Group,
    Outline,
    Digest,
    Feedback,
    Convolution,
    Refine,
    Write,
}
