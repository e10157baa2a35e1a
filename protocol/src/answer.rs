//! The answer's data types: the request for an answer to a question, and all data on the way to the answer.
//!
//! After LLM×MapReduce-V1 (arXiv 2410.09342): every chunk of every source gives a finding ([`finding`]), findings are
//! collapsed until a prompt holds them, and the last call concludes. Confidence has the same scale in all three steps.
//! A quote counts only as far as code finds it in the source. [`work`] lists the kinds of task, [`settings`] the
//! parameters.

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

/// A question to a corpus.
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

/// The largest sizes of replies, in tokens, derived from the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerLimits {
    /// A finding, its quotes included.
    pub finding: u32,
    /// Collapsed findings.
    pub collapsed: u32,
    /// The answer.
    pub answer: u32,
}

/// The stages of an answer for its user, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum AnswerStage {
    Find,
    Collapse,
    Conclude,
}
