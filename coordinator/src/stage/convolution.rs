//! Convolution: candidates are merged in receptive fields, layer by layer, and the ones of low entropy stay
//! (LLM×MapReduce-V2, section 3.3: "entropy-driven convolution").
//!
//! Layers are of two kinds. A pooling layer partitions the candidates into fields of neighbours; a field starts when its
//! own members are there, and no score is needed. A sampling layer draws distinct fields by score from the candidates of
//! the layer before and keeps the best.

use std::{collections::BTreeSet, fmt, sync::Arc};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tributary_protocol::{
    budget::pack,
    settings,
    suggestion::{Candidate, Score},
    task::{Product, Work},
};

use super::{Asked, Context, feedback::FromGroup};

/// Where in this stage an outcome belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A batch of a field of a pooling layer.
    Pool {
        layer: usize,
        field: usize,
        batch: usize,
    },
    /// The score of a candidate that sampling starts from: the field of the last pooling layer, and which of its own.
    ScorePooled {
        field: usize,
        candidate: usize,
    },
    /// A field of a sampling layer.
    Sample {
        layer: usize,
        field: usize,
    },
    ScoreSampled {
        layer: usize,
        field: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Pool { layer, field, batch } => write!(f, "{layer}/{}/{}", field + 1, batch + 1),
            Self::ScorePooled { field, candidate } => write!(f, "score {}/{}", field + 1, candidate + 1),
            Self::Sample { layer, field } => write!(f, "{layer}/{}", field + 1),
            Self::ScoreSampled { layer, field } => write!(f, "{layer}/{} score", field + 1),
        }
    }
}

#[derive(Clone, Debug)]
struct Scored {
    candidate: Arc<Candidate>,
    score: f64,
}

/// What this stage ends with.
pub(crate) struct Convolved {
    /// The best candidate of all layers; none where no feedback led to any.
    pub(crate) best: Option<(Arc<Candidate>, f64)>,
    /// Layers that were not done, since the score had stopped rising.
    pub(crate) layers_saved: u32,
}

pub(crate) struct Convolution {
    pass: usize,
    settings: settings::Convolution,
    /// Layer 0, the candidates of each group, then the pooling layers.
    pools: Vec<Vec<Field>>,
    /// Of the last of these, by field: the candidates' scores.
    scores: Vec<Vec<Option<Scored>>>,
    /// Fields of the last pooling layer that are not complete and scored.
    unscored: usize,
    sampling: Option<Sampling>,
}

/// A receptive field of a pooling layer.
#[derive(Default)]
struct Field {
    /// Candidates of each member field of the layer before.
    members: Vec<Vec<Arc<Candidate>>>,
    waiting: usize,
    /// One result where the members fit a prompt.
    results: Vec<Option<Arc<Candidate>>>,
    /// What each result is made of, for the fallback.
    batches: Vec<Vec<Arc<Candidate>>>,
    missing: usize,
}

impl Field {
    fn of(members: usize) -> Self {
        Self { members: vec![Vec::new(); members], waiting: members, ..Self::default() }
    }
}

/// A layer that samples.
struct Sampling {
    layer: u32,
    /// Candidates of the layer before, the best first.
    pool: Vec<Scored>,
    fields: Vec<Vec<usize>>,
    merged: Vec<Option<Arc<Candidate>>>,
    scored: Vec<Option<Scored>>,
    missing: usize,
    best: Scored,
    /// Layers since the best score rose.
    flat: u32,
}

impl Convolution {
    pub(crate) fn new(context: &Context, pass: usize, groups: usize) -> Self {
        let settings = context.job.settings.convolution;
        let width = settings.width as usize;
        let mut pools: Vec<Vec<Field>> = vec![(0..groups).map(|_| Field::default()).collect()];
        let mut count = groups;
        while count as f64 / width as f64 > f64::from(settings.results) && pools.len() <= settings.layers as usize {
            let below = count;
            count = below.div_ceil(width);
            pools.push((0..count).map(|field| Field::of((below - field * width).min(width))).collect());
        }
        Self { pass, settings, scores: vec![Vec::new(); count], unscored: count, pools, sampling: None }
    }

    /// Takes the candidates of a group.
    pub(crate) fn offer(&mut self, context: &Context, asked: &mut Asked, from: FromGroup) -> Option<Convolved> {
        self.pooled(context, asked, 0, from.group, from.candidates)
    }

    pub(crate) fn accept(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        place: Place,
        product: Option<Product>,
    ) -> Option<Convolved> {
        match place {
            Place::Pool { layer, field, batch } => {
                let pool = &mut self.pools[layer][field];
                pool.results[batch] = Some(candidate_or(product, &pool.batches[batch][0]));
                pool.missing -= 1;
                if pool.missing > 0 {
                    return None;
                }
                let results = pool.results.iter_mut().filter_map(Option::take).collect();
                pool.batches = Vec::new();
                self.pooled(context, asked, layer, field, results)
            }
            Place::ScorePooled { field, candidate } => {
                let scored = self.scores[field][candidate].as_mut().expect("scores are asked for candidates");
                scored.score = score_of(product);
                let pool = &mut self.pools.last_mut().expect("there is layer 0")[field];
                pool.missing -= 1;
                if pool.missing > 0 { None } else { self.field_scored(context, asked) }
            }
            Place::Sample { layer, field } => {
                let sampling = self.sampling.as_mut().expect("a layer samples before its results come");
                let strongest = &sampling.pool[sampling.fields[field][0]].candidate;
                let merged = candidate_or(product, strongest);
                sampling.merged[field] = Some(merged.clone());
                let place = super::Place::Convolution { pass: self.pass, place: Place::ScoreSampled { layer, field } };
                asked.ask(context, place, Work::Score { outline: merged.outline.clone() });
                None
            }
            Place::ScoreSampled { field, .. } => {
                let sampling = self.sampling.as_mut().expect("a layer samples before its results are scored");
                let candidate = sampling.merged[field].take().expect("a result is scored once it is there");
                sampling.scored[field] = Some(Scored { candidate, score: score_of(product) });
                sampling.missing -= 1;
                if sampling.missing > 0 { None } else { self.layer_done(context, asked) }
            }
        }
    }

    /// A field of a pooling layer is complete: it goes to the field above, or to be scored.
    fn pooled(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        layer: usize,
        field: usize,
        results: Vec<Arc<Candidate>>,
    ) -> Option<Convolved> {
        if layer + 1 == self.pools.len() {
            return self.score_pooled(context, asked, field, results);
        }
        let width = self.settings.width as usize;
        let (above, member) = (field / width, field % width);
        let pool = &mut self.pools[layer + 1][above];
        pool.members[member] = results;
        pool.waiting -= 1;
        if pool.waiting > 0 {
            return None;
        }
        let members: Vec<Arc<Candidate>> = std::mem::take(&mut pool.members).into_iter().flatten().collect();
        if members.len() < 2 {
            return self.pooled(context, asked, layer + 1, above, members);
        }
        let tokens: Vec<_> = members.iter().map(|candidate| candidate.tokens).collect();
        // Two at least: a field of one would be no merge, and the tree would not end.
        let ranges = pack(&tokens, context.rooms.candidates, width);
        pool.batches = ranges.into_iter().map(|range| members[range].to_vec()).collect();
        pool.results = vec![None; pool.batches.len()];
        pool.missing = pool.batches.len();
        let mut alone = 0;
        for (batch, members) in pool.batches.iter().enumerate() {
            if members.len() == 1 {
                pool.results[batch] = Some(members[0].clone());
                alone += 1;
                continue;
            }
            let place = Place::Pool { layer: layer + 1, field: above, batch };
            let place = super::Place::Convolution { pass: self.pass, place };
            asked.ask(context, place, Work::Convolve { members: members.clone() });
        }
        pool.missing -= alone;
        if pool.missing > 0 {
            return None;
        }
        self.pooled(context, asked, layer + 1, above, members)
    }

    fn score_pooled(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        field: usize,
        results: Vec<Arc<Candidate>>,
    ) -> Option<Convolved> {
        let pool = &mut self.pools.last_mut().expect("there is layer 0")[field];
        pool.missing = results.len();
        for (i, candidate) in results.iter().enumerate() {
            let place = Place::ScorePooled { field, candidate: i };
            let place = super::Place::Convolution { pass: self.pass, place };
            asked.ask(context, place, Work::Score { outline: candidate.outline.clone() });
        }
        self.scores[field] = results.into_iter().map(|candidate| Some(Scored { candidate, score: 0.0 })).collect();
        if self.scores[field].is_empty() { self.field_scored(context, asked) } else { None }
    }

    fn field_scored(&mut self, context: &Context, asked: &mut Asked) -> Option<Convolved> {
        self.unscored -= 1;
        if self.unscored > 0 {
            return None;
        }
        let pool: Vec<Scored> = std::mem::take(&mut self.scores).into_iter().flatten().flatten().collect();
        let pool = best_first(pool);
        let layer = self.pools.len() as u32;
        match pool.first().cloned() {
            Some(best) => self.sample(context, asked, Sampling::new(layer, pool, best, 0)),
            None => Some(Convolved { best: None, layers_saved: 0 }),
        }
    }

    /// Starts a layer, or ends the stage where there is none left or nothing to merge.
    fn sample(&mut self, context: &Context, asked: &mut Asked, mut sampling: Sampling) -> Option<Convolved> {
        let left = (self.settings.layers + 1).saturating_sub(sampling.layer);
        let flat = self.settings.patience > 0 && sampling.flat >= self.settings.patience;
        if left == 0 || flat || sampling.pool.len() < 2 {
            let Scored { candidate, score } = sampling.best;
            let layers_saved = if flat { left } else { 0 };
            return Some(Convolved { best: Some((candidate, score)), layers_saved });
        }
        let scores: Vec<f64> = sampling.pool.iter().map(|scored| scored.score).collect();
        let mut chance = context.chance("convolution", self.pass << 16 | sampling.layer as usize);
        sampling.fields =
            draw_fields(&mut chance, &scores, self.settings.width as usize, self.settings.results as usize);
        sampling.merged = vec![None; sampling.fields.len()];
        sampling.scored = vec![None; sampling.fields.len()];
        sampling.missing = sampling.fields.len();
        for (field, members) in sampling.fields.iter().enumerate() {
            let members = members.iter().map(|member| sampling.pool[*member].candidate.clone()).collect();
            let place = Place::Sample { layer: sampling.layer as usize, field };
            asked.ask(context, super::Place::Convolution { pass: self.pass, place }, Work::Convolve { members });
        }
        self.sampling = Some(sampling);
        None
    }

    fn layer_done(&mut self, context: &Context, asked: &mut Asked) -> Option<Convolved> {
        let done = self.sampling.take().expect("a layer that is done was sampled");
        let mut pool = best_first(done.scored.into_iter().flatten().collect());
        pool.truncate(self.settings.top_k as usize);
        let (best, flat) = match pool.first() {
            Some(best) if best.score > done.best.score => (best.clone(), 0),
            _ => (done.best, done.flat + 1),
        };
        self.sample(context, asked, Sampling::new(done.layer + 1, pool, best, flat))
    }
}

impl Sampling {
    fn new(layer: u32, pool: Vec<Scored>, best: Scored, flat: u32) -> Self {
        Self { layer, pool, fields: Vec::new(), merged: Vec::new(), scored: Vec::new(), missing: 0, best, flat }
    }
}

/// Without a product the field's strongest member stands for it.
fn candidate_or(product: Option<Product>, strongest: &Arc<Candidate>) -> Arc<Candidate> {
    match product {
        Some(Product::Candidate(candidate)) => Arc::new(candidate),
        _ => strongest.clone(),
    }
}

/// What no judge has judged counts as the worst.
pub(super) fn score_of(product: Option<Product>) -> f64 {
    match product {
        Some(Product::Score(score)) => Score::value(score),
        _ => 0.0,
    }
}

/// Stable: equals stay in the order of their places.
fn best_first(mut pool: Vec<Scored>) -> Vec<Scored> {
    pool.sort_by(|a, b| b.score.total_cmp(&a.score));
    pool
}

/// Draws up to `most` distinct fields of `width` members, a member the likelier the higher its score. Members are given
/// the strongest first, by their places in `scores`, which stand in falling order.
fn draw_fields(chance: &mut ChaCha8Rng, scores: &[f64], width: usize, most: usize) -> Vec<Vec<usize>> {
    let width = width.min(scores.len());
    let mut drawn = BTreeSet::new();
    let mut fields = Vec::new();
    // Where few fields are possible, drawing meets the same ones again: it ends, and the rest is counted out in order.
    for _ in 0..most * 20 {
        if fields.len() == most {
            return fields;
        }
        let field = draw_members(chance, scores, width);
        if drawn.insert(field.clone()) {
            fields.push(field);
        }
    }
    let mut next: Option<Vec<usize>> = Some((0..width).collect());
    while let Some(field) = next.filter(|_| fields.len() < most) {
        if drawn.insert(field.clone()) {
            fields.push(field.clone());
        }
        next = next_combination(field, scores.len());
    }
    fields
}

fn draw_members(chance: &mut ChaCha8Rng, scores: &[f64], width: usize) -> Vec<usize> {
    // Even the worst may be drawn: a candidate that a judge gave nothing can still hold one good suggestion.
    let mut weights: Vec<f64> = scores.iter().map(|score| score.max(0.0) + 0.1).collect();
    let mut members: Vec<usize> = (0..width)
        .map(|_| {
            let mut rest = chance.random::<f64>() * weights.iter().sum::<f64>();
            let heavy = |(_, weight): &(usize, &f64)| **weight > 0.0;
            let last = weights.iter().enumerate().filter(heavy).map(|(i, _)| i).next_back().expect("one is left");
            let member = weights.iter().enumerate().filter(heavy).find_map(|(i, weight)| {
                rest -= weight;
                (rest < 0.0).then_some(i)
            });
            let member = member.unwrap_or(last);
            weights[member] = 0.0;
            member
        })
        .collect();
    members.sort_unstable();
    members
}

/// The combination after this one, in the order of dictionaries; none after the last.
fn next_combination(mut field: Vec<usize>, of: usize) -> Option<Vec<usize>> {
    let width = field.len();
    let place = (0..width).rev().find(|&i| field[i] < of - width + i)?;
    field[place] += 1;
    for i in place + 1..width {
        field[i] = field[i - 1] + 1;
    }
    Some(field)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    proptest! {
        #[test]
        fn fields_are_distinct_and_as_many_as_there_can_be(pool in 2usize..9, width in 2usize..5, most in 1usize..15, seed: u64) {
            let scores: Vec<f64> = (0..pool).rev().map(|score| score as f64).collect();
            let fields = draw_fields(&mut ChaCha8Rng::seed_from_u64(seed), &scores, width, most);
            let width = width.min(pool);
            let possible = (0..width).fold(1, |product, i| product * (pool - i) / (i + 1));
            prop_assert_eq!(fields.len(), most.min(possible));
            prop_assert!(fields.iter().all(|field| field.len() == width && field.windows(2).all(|pair| pair[0] < pair[1])));
            prop_assert_eq!(fields.iter().collect::<BTreeSet<_>>().len(), fields.len());
        }
    }
}
