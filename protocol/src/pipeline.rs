//! The registry of pipelines: the only place of this crate that names them all.
//!
//! A pipeline is a way to turn a corpus into a result. Each pipeline has a module with its data types. A job has a
//! pipeline's request ([`Request`]), its tasks carry the pipeline's work ([`Work`]), and their outcomes its products
//! ([`Product`]).

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

/// The request of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    Survey(SurveyRequest),
    Answer(AnswerRequest),
}

impl Request {
    /// Returns the job's name for people.
    pub fn title(&self) -> &str {
        match self {
            Self::Survey(request) => &request.title,
            Self::Answer(request) => &request.question,
        }
    }

    /// Hashes the request. Settings with their default values are left out, so a build that doesn't know a new setting
    /// gives the same job the same id.
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

    /// Returns the paths of settings from a newer build that this build doesn't know.
    pub fn unknown_settings(&self) -> Vec<String> {
        match self {
            Self::Survey(request) => request.settings.unknown(),
            Self::Answer(request) => request.settings.unknown(),
        }
    }
}

/// The work of a task, with the data shared by all tasks of the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    Survey(Arc<SurveyBrief>, SurveyWork),
    Answer(Arc<AnswerBrief>, AnswerWork),
}

impl Work {
    /// Hashes the whole work.
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

    /// Returns the language of prompt and reply.
    pub fn language(&self) -> Language {
        match self {
            Self::Survey(brief, _) => brief.language,
            Self::Answer(brief, _) => brief.language,
        }
    }

    /// Returns the context window for prompt and reply together.
    pub fn window(&self) -> Window {
        match self {
            Self::Survey(brief, _) => brief.window,
            Self::Answer(brief, _) => brief.window,
        }
    }

    /// Returns the blobs of the work, in the order in which its kernel gets their bytes.
    pub fn blobs(&self) -> Vec<BlobId> {
        match self {
            Self::Survey(_, work) => work.blobs(),
            Self::Answer(_, work) => work.blobs(),
        }
    }
}

/// The product of a task.
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

    /// Fails with the product itself if another pipeline made it.
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

    /// Fails with the product itself if another pipeline made it.
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
    /// Returns all kinds of task, of all pipelines.
    pub fn all() -> impl Iterator<Item = Self> {
        SurveyKind::iter().map(Self::from).chain(AnswerKind::iter().map(Self::from))
    }
}

impl Stage {
    /// Returns all stages, of all pipelines.
    pub fn all() -> impl Iterator<Item = Self> {
        SurveyStage::iter().map(Self::from).chain(AnswerStage::iter().map(Self::from))
    }
}
