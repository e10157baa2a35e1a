//! Pooling layers: neighbours are merged until few enough are left to sample from.

use std::sync::Arc;

use tributary_protocol::{
    budget::pack,
    survey::{SurveyProduct, SurveyWork, suggestion::Candidate},
};

use super::{
    candidate::candidate_or,
    place::{ConvolutionPlace, ConvolutionStep},
};
use crate::survey::context::{Ask, PhaseWith, SurveyContext};

pub(super) struct Pooling {
    block: usize,
    width: usize,
    /// Layer 0, with a field for each group, then the layers that merge the fields before.
    layers: Vec<Vec<Field>>,
}

/// A field of the last layer and its candidate; none if no group of the field had a candidate.
pub(super) struct Pooled {
    pub field: usize,
    pub candidate: Option<Arc<Candidate>>,
}

/// A receptive field.
#[derive(Default)]
struct Field {
    /// Candidates of each member field of the layer before.
    members: Vec<Vec<Arc<Candidate>>>,
    waiting: usize,
    /// Batches being merged, kept for the fallback, and the results of the merges. The results are merged in turn until
    /// a single candidate is left.
    batches: Vec<Vec<Arc<Candidate>>>,
    results: Vec<Option<Arc<Candidate>>>,
    /// The number of batches of earlier rounds, all merged.
    done: usize,
    missing: usize,
}

impl Field {
    fn of(members: usize) -> Self {
        Self { members: vec![Vec::new(); members], waiting: members, ..Self::default() }
    }
}

impl Pooling {
    pub fn new(context: &SurveyContext, block: usize, groups: usize) -> Self {
        let settings = context.settings.convolution;
        let width = settings.width as usize;
        let mut layers: Vec<Vec<Field>> = vec![(0..groups).map(|_| Field::of(1)).collect()];
        let mut count = groups;
        while count as f64 / width as f64 > f64::from(settings.results) && layers.len() <= settings.layers as usize {
            let below = count;
            count = below.div_ceil(width);
            layers.push((0..count).map(|field| Field::of((below - field * width).min(width))).collect());
        }
        Self { block, width, layers }
    }

    /// Returns the number of the last layer.
    pub fn last_layer(&self) -> usize {
        self.layers.len() - 1
    }

    /// Returns the number of fields of the last layer.
    pub fn fields(&self) -> usize {
        self.layers[self.last_layer()].len()
    }

    /// Takes the candidates of a group.
    pub fn offer<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        group: usize,
        candidates: Vec<Arc<Candidate>>,
    ) -> Option<Pooled> {
        self.add(ask, (0, group), 0, candidates)
    }

    pub fn accept<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        (layer, field, batch): (usize, usize, usize),
        product: Option<SurveyProduct>,
    ) -> Option<Pooled> {
        let pool = &mut self.layers[layer][field];
        // Dropped as soon as merged: a large corpus has many candidates, each with an outline.
        let merged = std::mem::take(&mut pool.batches[batch]);
        pool.results[batch] = Some(candidate_or(product, &merged[0]));
        pool.missing -= 1;
        if pool.missing > 0 {
            return None;
        }
        let results = pool.results[pool.done..].iter_mut().filter_map(Option::take).collect();
        self.reduce(ask, (layer, field), results)
    }

    /// Adds the candidates of a member. The last member starts the reduction of the field to one candidate.
    fn add<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        (layer, field): (usize, usize),
        member: usize,
        candidates: Vec<Arc<Candidate>>,
    ) -> Option<Pooled> {
        let pool = &mut self.layers[layer][field];
        pool.members[member] = candidates;
        pool.waiting -= 1;
        if pool.waiting > 0 {
            return None;
        }
        let members = std::mem::take(&mut pool.members).into_iter().flatten().collect();
        self.reduce(ask, (layer, field), members)
    }

    /// Merges a field's candidates, as many at a time as fit a prompt, until a single candidate is left for the layer
    /// above.
    fn reduce<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        (layer, field): (usize, usize),
        candidates: Vec<Arc<Candidate>>,
    ) -> Option<Pooled> {
        if candidates.len() < 2 {
            if layer == self.last_layer() {
                return Some(Pooled { field, candidate: candidates.into_iter().next() });
            }
            return self.add(ask, (layer + 1, field / self.width), field % self.width, candidates);
        }
        let pool = &mut self.layers[layer][field];
        let tokens: Vec<_> = candidates.iter().map(|candidate| candidate.tokens).collect();
        let mut ranges = pack(&tokens, ask.context.budget.candidates, self.width);
        if ranges.len() == candidates.len() {
            // `width` candidates fit by design. If they don't, they are merged all the same, so that the tree ends.
            ranges = pack(&vec![1; candidates.len()], self.width as u32, self.width);
        }
        pool.done = pool.batches.len();
        for range in ranges {
            let members = candidates[range].to_vec();
            if let [only] = members.as_slice() {
                pool.batches.push(Vec::new());
                pool.results.push(Some(only.clone()));
                continue;
            }
            let batch = pool.batches.len();
            pool.batches.push(members.clone());
            pool.results.push(None);
            pool.missing += 1;
            let place = ConvolutionPlace { block: self.block, step: ConvolutionStep::Pool { layer, field, batch } };
            ask.ask(place, SurveyWork::Convolve { members });
        }
        None
    }
}
