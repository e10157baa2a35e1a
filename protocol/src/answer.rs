//! The answer's nouns: what a question over a corpus is asked with, and everything that flows while it is answered.
//!
//! After LLM×MapReduce-V1 (arXiv 2410.09342): every chunk of every source gives a finding ([`finding`]), findings are
//! collapsed until one prompt holds them, and the last call concludes. Confidence is on one scale in all three steps, and a
//! quote is worth what code finds of it in the source. [`work`] lists the kinds of task, [`settings`] the parameters.

pub mod finding;
pub mod settings;
pub mod work;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

pub use self::{
    settings::AnswerSettings,
    work::{AnswerKind, AnswerProduct, AnswerWork},
};
use crate::{
    budget::Window,
    settings::{Language, WireSettings},
};

/// A question that is asked of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerRequest {
    pub question: String,
    pub settings: WireSettings<AnswerSettings>,
}

impl AnswerRequest {
    pub fn new(question: impl Into<String>, settings: AnswerSettings) -> Self {
        Self { question: question.into(), settings: settings.into() }
    }
}

/// The part of an answer's task that all tasks of the job share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerBrief {
    pub question: String,
    pub language: Language,
    pub window: Window,
    pub limits: AnswerLimits,
}

/// How large a reply may be, in tokens, derived from the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerLimits {
    /// One finding, its quotes included.
    pub finding: u32,
    /// The findings that several are collapsed to.
    pub collapsed: u32,
    /// The answer.
    pub answer: u32,
}

/// The stages of an answer as its user sees them, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum AnswerStage {
    Find,
    Collapse,
    Conclude,
}
