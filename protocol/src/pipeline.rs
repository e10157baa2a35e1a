//! The pipelines, side by side: the one place of this crate that names them all.
//!
//! A pipeline is a way to make something of a corpus. Each has a module with its nouns; a job asks for one of them
//! ([`Request`]), its tasks carry that pipeline's work ([`Work`]), and their outcomes its products ([`Product`]).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator as _;

use crate::{
    answer::{AnswerBrief, AnswerKind, AnswerProduct, AnswerRequest, AnswerStage, AnswerWork},
    budget::Window,
    id::{BlobId, Hasher},
    kind::Kind,
    settings::Language,
    stage::Stage,
    survey::{SurveyBrief, SurveyKind, SurveyProduct, SurveyRequest, SurveyStage, SurveyWork},
    wire,
};

/// What a job asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    Survey(SurveyRequest),
    Answer(AnswerRequest),
}

impl Request {
    /// What people know the job by.
    pub fn title(&self) -> &str {
        match self {
            Self::Survey(request) => &request.title,
            Self::Answer(request) => &request.question,
        }
    }

    /// Hashes what is asked for. A setting that has its default value takes no part, so that a build that doesn't know
    /// the setting gives the same job the same id.
    pub(crate) fn hash(&self, hasher: &mut Hasher) {
        match self {
            Self::Survey(SurveyRequest { title, settings }) => {
                hasher.part(b"survey").part(title.as_bytes()).part(&settings.identity());
            }
            Self::Answer(AnswerRequest { question, settings }) => {
                hasher.part(b"answer").part(question.as_bytes()).part(&settings.identity());
            }
        }
    }

    /// Settings that a newer build sent and this one doesn't know, by their paths.
    pub fn unknown_settings(&self) -> Vec<String> {
        match self {
            Self::Survey(request) => request.settings.unknown(),
            Self::Answer(request) => request.settings.unknown(),
        }
    }
}

/// What a task asks, with what it shares with all tasks of its job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    Survey(Arc<SurveyBrief>, SurveyWork),
    Answer(Arc<AnswerBrief>, AnswerWork),
}

impl Work {
    /// Hashes everything that is asked.
    pub(crate) fn hash(&self, hasher: &mut Hasher) {
        match self {
            Self::Survey(brief, work) => {
                hasher.part(&wire::fields(brief));
                work.hash(hasher);
            }
            Self::Answer(brief, work) => {
                hasher.part(&wire::fields(brief));
                work.hash(hasher);
            }
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Survey(_, work) => SurveyKind::from(work).into(),
            Self::Answer(_, work) => AnswerKind::from(work).into(),
        }
    }

    /// The language that is asked in and answered in.
    pub fn language(&self) -> Language {
        match self {
            Self::Survey(brief, _) => brief.language,
            Self::Answer(brief, _) => brief.language,
        }
    }

    /// The context window that prompt and reply have to fit.
    pub fn window(&self) -> Window {
        match self {
            Self::Survey(brief, _) => brief.window,
            Self::Answer(brief, _) => brief.window,
        }
    }

    /// The blobs that the work refers to, in the order in which its kernel is given their bytes.
    pub fn blobs(&self) -> Vec<BlobId> {
        match self {
            Self::Survey(_, work) => work.blobs(),
            Self::Answer(_, work) => work.blobs(),
        }
    }
}

/// What a task makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Product {
    Survey(SurveyProduct),
    Answer(AnswerProduct),
}

impl From<SurveyRequest> for Request {
    fn from(request: SurveyRequest) -> Self {
        Self::Survey(request)
    }
}

impl From<SurveyProduct> for Product {
    fn from(product: SurveyProduct) -> Self {
        Self::Survey(product)
    }
}

impl TryFrom<Product> for SurveyProduct {
    type Error = Product;

    /// The product itself comes back where another pipeline made it.
    fn try_from(product: Product) -> Result<Self, Product> {
        match product {
            Product::Survey(product) => Ok(product),
            other => Err(other),
        }
    }
}

impl From<AnswerRequest> for Request {
    fn from(request: AnswerRequest) -> Self {
        Self::Answer(request)
    }
}

impl From<AnswerProduct> for Product {
    fn from(product: AnswerProduct) -> Self {
        Self::Answer(product)
    }
}

impl TryFrom<Product> for AnswerProduct {
    type Error = Product;

    /// The product itself comes back where another pipeline made it.
    fn try_from(product: Product) -> Result<Self, Product> {
        match product {
            Product::Answer(product) => Ok(product),
            other => Err(other),
        }
    }
}

impl From<AnswerKind> for Kind {
    fn from(kind: AnswerKind) -> Self {
        Self::named(kind.into())
    }
}

impl From<AnswerStage> for Stage {
    fn from(stage: AnswerStage) -> Self {
        Self::numbered(stage as u8, stage.into())
    }
}

impl From<SurveyKind> for Kind {
    fn from(kind: SurveyKind) -> Self {
        Self::named(kind.into())
    }
}

impl From<SurveyStage> for Stage {
    fn from(stage: SurveyStage) -> Self {
        Self::numbered(stage as u8, stage.into())
    }
}

impl Kind {
    /// All kinds of task, of all pipelines.
    pub fn all() -> impl Iterator<Item = Self> {
        SurveyKind::iter().map(Self::from).chain(AnswerKind::iter().map(Self::from))
    }
}

impl Stage {
    /// All stages, of all pipelines.
    pub fn all() -> impl Iterator<Item = Self> {
        SurveyStage::iter().map(Self::from).chain(AnswerStage::iter().map(Self::from))
    }
}
