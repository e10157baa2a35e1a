//! Convolution: candidates are merged in receptive fields, layer by layer, and candidates of low entropy stay
//! (LLM×MapReduce-V2, section 3.3: "entropy-driven convolution").
//!
//! Layers are of two kinds. A pooling layer partitions the candidates into fields of neighbours and needs no score. A
//! sampling layer draws distinct fields by score from the layer before. In both kinds a field starts as soon as its own
//! members are complete, whatever else is in flight.

mod candidate;
mod draw;
mod place;
mod pooling;
mod sampling;

use tributary_protocol::survey::SurveyProduct;

pub(crate) use self::{
    candidate::{Leader, score_of},
    place::ConvolutionPlace,
};
use self::{place::ConvolutionStep, pooling::Pooling, sampling::Sampling};
use super::{
    context::{Ask, PhaseWith, SurveyContext},
    feedback::GroupCandidates,
};

pub(crate) struct Convolution {
    pooling: Pooling,
    sampling: Sampling,
}

impl Convolution {
    pub(crate) fn new(context: &SurveyContext, block: usize, groups: usize) -> Self {
        let pooling = Pooling::new(context, block, groups);
        let sampling = Sampling::new(context, block, pooling.last_layer(), pooling.fields());
        Self { pooling, sampling }
    }

    /// Takes the candidates of a group.
    pub(crate) fn offer<P: PhaseWith<ConvolutionPlace>>(&mut self, ask: &mut Ask<'_, P>, from: GroupCandidates) {
        if let Some(pooled) = self.pooling.offer(ask, from.group, from.candidates) {
            self.sampling.pooled(ask, pooled);
        }
    }

    pub(crate) fn accept<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        place: ConvolutionPlace,
        product: Option<SurveyProduct>,
    ) {
        match place.step {
            ConvolutionStep::Pool { layer, field, batch } => {
                if let Some(pooled) = self.pooling.accept(ask, (layer, field, batch), product) {
                    self.sampling.pooled(ask, pooled);
                }
            }
            ConvolutionStep::Sample { layer, field } => self.sampling.merged(ask, (layer, field), product),
            ConvolutionStep::Score { layer, field } => self.sampling.judged(ask, (layer, field), product),
        }
    }

    /// Returns the best candidate of all layers but the last `but`, once all of these are scored.
    pub(crate) fn leader(&self, but: usize) -> Option<Leader<'_>> {
        self.sampling.leader(but)
    }

    /// Returns the number of layers skipped since the best score had stopped rising.
    pub(crate) fn layers_saved(&self) -> u32 {
        self.sampling.layers_saved()
    }

    /// True if all candidates are made and scored.
    pub(crate) fn is_complete(&self) -> bool {
        self.sampling.is_complete()
    }

    /// Returns the best of the scored candidates.
    pub(crate) fn best(&self) -> Leader<'_> {
        self.sampling.best()
    }
}
