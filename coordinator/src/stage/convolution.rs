//! Convolution: candidates are merged in receptive fields, layer by layer, and the ones of low entropy stay
//! (LLM×MapReduce-V2, section 3.3: "entropy-driven convolution").
//!
//! Layers are of two kinds. A pooling layer partitions the candidates into fields of neighbours and needs no score. A
//! sampling layer draws distinct fields by score from the layer before. In both a field starts when its own members are
//! there, whatever else is still under way.

mod draw;
mod pooling;
mod sampling;

use std::{fmt, sync::Arc};

use tributary_protocol::{
    suggestion::{Candidate, Score},
    task::Product,
};

use self::{pooling::Pooling, sampling::Sampling};
use super::{Asked, Context, feedback::FromGroup};

/// Where in this stage an outcome belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A batch of a field of a pooling layer.
    Pool { layer: usize, field: usize, batch: usize },
    /// A field of a sampling layer.
    Sample { layer: usize, field: usize },
    /// The judgement of what became of a field.
    Score { layer: usize, field: usize },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Pool { layer, field, batch } => write!(f, "{layer}/{}/{}", field + 1, batch + 1),
            Self::Sample { layer, field } => write!(f, "{layer}/{}", field + 1),
            Self::Score { layer, field } => write!(f, "{layer}/{} score", field + 1),
        }
    }
}

/// The best candidate and its score; none where no feedback led to any.
pub(crate) struct Leader<'a>(pub(crate) Option<(&'a Arc<Candidate>, f64)>);

pub(crate) struct Convolution {
    pooling: Pooling,
    sampling: Sampling,
}

impl Convolution {
    pub(crate) fn new(context: &Context, pass: usize, groups: usize) -> Self {
        let pooling = Pooling::new(context, pass, groups);
        let sampling = Sampling::new(context, pass, pooling.last_layer(), pooling.fields());
        Self { pooling, sampling }
    }

    /// Takes the candidates of a group.
    pub(crate) fn offer(&mut self, context: &Context, asked: &mut Asked, from: FromGroup) {
        if let Some(pooled) = self.pooling.offer(context, asked, from.group, from.candidates) {
            self.sampling.pooled(context, asked, pooled);
        }
    }

    pub(crate) fn accept(&mut self, context: &Context, asked: &mut Asked, place: Place, product: Option<Product>) {
        match place {
            Place::Pool { layer, field, batch } => {
                if let Some(pooled) = self.pooling.accept(context, asked, (layer, field, batch), product) {
                    self.sampling.pooled(context, asked, pooled);
                }
            }
            Place::Sample { layer, field } => self.sampling.merged(context, asked, (layer, field), product),
            Place::Score { layer, field } => self.sampling.judged(context, asked, (layer, field), product),
        }
    }

    /// The best candidate of all layers but the last ones, so many of them, once these are judged.
    pub(crate) fn leader(&self, but: usize) -> Option<Leader<'_>> {
        self.sampling.leader(but)
    }

    /// Layers that were left out, since the best score had stopped rising.
    pub(crate) fn layers_saved(&self) -> u32 {
        self.sampling.layers_saved()
    }

    /// Whether all candidates are there and judged.
    pub(crate) fn is_complete(&self) -> bool {
        self.sampling.is_complete()
    }

    /// The best candidate of those that are judged.
    pub(crate) fn best(&self) -> Leader<'_> {
        self.sampling.best()
    }
}

/// Without a product a member of the field stands for it: the first, which is the strongest where members are scored.
fn candidate_or(product: Option<Product>, first: &Arc<Candidate>) -> Arc<Candidate> {
    match product {
        Some(Product::Candidate(candidate)) => Arc::new(candidate),
        _ => first.clone(),
    }
}

/// What no judge has judged counts as the worst.
pub(super) fn score_of(product: Option<Product>) -> f64 {
    match product {
        Some(Product::Score(score)) => Score::value(score),
        _ => 0.0,
    }
}
