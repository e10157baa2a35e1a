//! The survey's nouns: what a long, cited article is asked for with, and everything that flows while it is made.
//!
//! Sources are grouped and outlined ([`outline`]), read against the outline ([`digest`]), the outline is improved by
//! suggestions and candidates ([`suggestion`]), and the [`article`] is written from the notes. [`work`] lists the kinds of
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

/// An article that is asked for.
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

/// How large a reply may be, derived from the window and the corpus, so that what is made of replies fits the prompts
/// to come. All but `sections` in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurveyLimits {
    /// Sections of an outline, chapters and their children together.
    pub sections: u32,
    /// An outline as it is shown.
    pub outline: u32,
    /// A suggestion.
    pub suggestion: u32,
    /// The notes that one chunk of a source may give.
    pub digest: u32,
    /// The text of one section, without figure and children.
    pub passage: u32,
}

/// The stages of a survey as its user sees them, in order.
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
