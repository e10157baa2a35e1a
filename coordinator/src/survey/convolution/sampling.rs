//! Sampling layers: fields are drawn by score, and the best candidate of all layers is the result of the convolution.
//!
//! A layer is drawn while the candidates of the layer before are still being made. Until scored, a candidate's weight
//! is the mean score of its members; its own score counts for the layer after. So scoring runs in parallel with
//! merging, and the order of scores decides nothing: a layer is drawn when all scores behind its weights are known.

use std::{ops::Range, sync::Arc};

use tributary_protocol::survey::{SurveyProduct, SurveyWork, settings::ConvolutionSettings, suggestion::Candidate};

use super::{
    candidate::{Leader, candidate_or, score_of},
    draw::draw_fields,
    place::{ConvolutionPlace, ConvolutionStep},
    pooling::Pooled,
};
use crate::survey::context::{Ask, PhaseWith, SurveyContext};

pub(super) struct Sampling {
    block: usize,
    settings: ConvolutionSettings,
    /// The number of the last pooling layer. Its fields are the first candidates for sampling.
    pooled: usize,
    candidates: Vec<Sampled>,
    /// The range of `candidates` of each layer: the last pooling layer, then each layer drawn so far.
    layers: Vec<Range<usize>>,
    /// The number of layers skipped, once no more layers will be drawn.
    closed: Option<u32>,
    /// The number of candidates without a score.
    open: usize,
}

/// A candidate, possibly still to be made.
struct Sampled {
    /// The members of its field, the strongest first; empty for a pooled candidate.
    members: Vec<usize>,
    /// The number of members that are still missing.
    waiting: usize,
    candidate: Option<Arc<Candidate>>,
    /// `None` until scored. A candidate that can't be made scores 0 at once.
    score: Option<f64>,
}

impl Sampled {
    fn of(members: Vec<usize>, waiting: usize) -> Self {
        Self { members, waiting, candidate: None, score: None }
    }
}

impl Sampling {
    pub fn new(context: &SurveyContext, block: usize, pooled: usize, fields: usize) -> Self {
        let settings = context.settings.convolution;
        let of_pooling = 0..fields;
        Self {
            block,
            settings,
            pooled,
            candidates: of_pooling.clone().map(|_| Sampled::of(Vec::new(), 0)).collect(),
            layers: vec![of_pooling],
            closed: None,
            open: fields,
        }
    }

    /// Takes the candidate of a field of the last pooling layer.
    pub fn pooled<P: PhaseWith<ConvolutionPlace>>(&mut self, ask: &mut Ask<'_, P>, pooled: Pooled) {
        if self.layers.len() == 1 {
            self.draw(ask);
        }
        self.came(ask, pooled.field, pooled.candidate);
    }

    /// Takes the candidate of a field of a sampling layer.
    pub fn merged<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        place: (usize, usize),
        product: Option<SurveyProduct>,
    ) {
        let number = self.number_of(place);
        let first = self.members_of(number).next().expect("a field that is merged has members").clone();
        self.came(ask, number, Some(candidate_or(product, &first)));
    }

    /// Takes the score of a candidate.
    pub fn judged<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        place: (usize, usize),
        product: Option<SurveyProduct>,
    ) {
        self.scored(self.number_of(place), score_of(product));
        self.draw(ask);
    }

    fn members_of(&self, number: usize) -> impl Iterator<Item = &Arc<Candidate>> {
        self.candidates[number].members.iter().filter_map(|member| self.candidates[*member].candidate.as_ref())
    }

    /// Takes a candidate, or the news that none is made: asks for the score, and merges the fields that waited for this
    /// candidate alone.
    fn came<P: PhaseWith<ConvolutionPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        number: usize,
        candidate: Option<Arc<Candidate>>,
    ) {
        match &candidate {
            Some(candidate) => {
                let (layer, field) = self.place_of(number);
                let work = SurveyWork::Score { outline: candidate.outline.clone() };
                ask.ask(ConvolutionPlace { block: self.block, step: ConvolutionStep::Score { layer, field } }, work);
            }
            None => self.scored(number, 0.0),
        }
        self.candidates[number].candidate = candidate;
        // Only fields drawn before: fields drawn meanwhile don't wait for this candidate.
        for above in number + 1..self.candidates.len() {
            if self.candidates[above].members.contains(&number) {
                self.candidates[above].waiting -= 1;
                if self.candidates[above].waiting == 0 {
                    self.merge(ask, above);
                }
            }
        }
        self.draw(ask);
    }

    /// Merges a field with all members present. A single member becomes the field's candidate without a merge.
    fn merge<P: PhaseWith<ConvolutionPlace>>(&mut self, ask: &mut Ask<'_, P>, number: usize) {
        let members: Vec<Arc<Candidate>> = self.members_of(number).cloned().collect();
        if members.len() < 2 {
            return self.came(ask, number, members.into_iter().next());
        }
        let (layer, field) = self.place_of(number);
        let place = ConvolutionPlace { block: self.block, step: ConvolutionStep::Sample { layer, field } };
        ask.ask(place, SurveyWork::Convolve { members });
    }

    /// Returns a candidate's layer, and the candidate's field in the layer.
    fn place_of(&self, number: usize) -> (usize, usize) {
        let layer = self.layers.iter().position(|layer| layer.contains(&number)).expect("a candidate is of a layer");
        (self.pooled + layer, number - self.layers[layer].start)
    }

    /// Returns the candidate of this layer and field.
    fn number_of(&self, (layer, field): (usize, usize)) -> usize {
        self.layers[layer - self.pooled].start + field
    }

    fn scored(&mut self, number: usize, score: f64) {
        self.candidates[number].score = Some(score);
        self.open -= 1;
    }

    /// Draws all layers that can be drawn now.
    fn draw<P: PhaseWith<ConvolutionPlace>>(&mut self, ask: &mut Ask<'_, P>) {
        while self.closed.is_none() && self.is_weighed() {
            self.next_layer(ask);
        }
    }

    /// True if all scores for the next layer are known: the scores of the last layer's members and, if layers may be
    /// skipped, of every candidate before the last layer. The first drawn layer needs no scores.
    fn is_weighed(&self) -> bool {
        let [.., before, last] = &self.layers[..] else { return true };
        let candidates = self.candidates[last.clone()].iter();
        let mut members = candidates.flat_map(|each| &each.members).map(|member| &self.candidates[*member]);
        members.all(|member| member.score.is_some()) && (self.settings.patience == 0 || self.are_judged(before.end))
    }

    /// True if the first `first` candidates all have scores.
    fn are_judged(&self, first: usize) -> bool {
        self.candidates[..first].iter().all(|each| each.score.is_some())
    }

    fn next_layer<P: PhaseWith<ConvolutionPlace>>(&mut self, ask: &mut Ask<'_, P>) {
        let number = self.pooled + self.layers.len();
        let left = (self.settings.layers as usize + 1).saturating_sub(number);
        let from = self.layers.last().expect("there is layer 0").clone();
        let flat = self.settings.patience > 0 && self.flat() >= self.settings.patience;
        if left == 0 || flat || from.len() < 2 {
            self.closed = Some(if flat { left as u32 } else { 0 });
            return;
        }
        let mut weighed: Vec<(usize, f64)> = from.map(|number| (number, self.weight(number))).collect();
        let mut dealt = Vec::new();
        let mut chance = ask.context.chance("convolution", self.block << 16 | number);
        if self.layers.len() == 1 {
            // These candidates have no scores. Each takes part in a field.
            dealt = (0..weighed.len()).collect();
        } else {
            weighed.sort_by(|a, b| b.1.total_cmp(&a.1));
            weighed.truncate(self.settings.top_k as usize);
        }
        let weights: Vec<f64> = weighed.iter().map(|(_, weight)| *weight).collect();
        let (width, most) = (self.settings.width as usize, self.settings.results as usize);
        let fields = draw_fields(&mut chance, &weights, &dealt, width, most);
        let start = self.candidates.len();
        self.layers.push(start..start + fields.len());
        self.open += fields.len();
        for field in fields {
            let members: Vec<usize> = field.into_iter().map(|place| weighed[place].0).collect();
            let waiting = members.iter().filter(|member| !self.is_there(**member)).count();
            self.candidates.push(Sampled::of(members, waiting));
        }
        for number in start..self.candidates.len() {
            if self.candidates[number].waiting == 0 {
                self.merge(ask, number);
            }
        }
    }

    /// True if a candidate has come, or is known not to come.
    fn is_there(&self, number: usize) -> bool {
        self.candidates[number].candidate.is_some() || self.candidates[number].score.is_some()
    }

    /// Returns the weight of an unscored candidate: the mean score of its members. Pooled candidates have no members
    /// and weigh 0.
    fn weight(&self, number: usize) -> f64 {
        let members = &self.candidates[number].members;
        let scores = members.iter().filter_map(|member| self.candidates[*member].score);
        scores.sum::<f64>() / members.len().max(1) as f64
    }

    /// Returns the number of scored layers since the best score rose.
    fn flat(&self) -> u32 {
        let judged = self.layers.len().saturating_sub(1);
        let mut best = f64::NEG_INFINITY;
        let mut flat = 0;
        for layer in &self.layers[..judged] {
            let scores = self.candidates[layer.clone()].iter().filter_map(|each| each.score);
            let highest = scores.fold(f64::NEG_INFINITY, f64::max);
            flat = if highest > best { 0 } else { flat + 1 };
            best = best.max(highest);
        }
        flat
    }

    /// Returns the best candidate of all layers but the last `but`, once all of these are scored.
    ///
    /// The result must not depend on the time of the question: skipped layers count as if they were done.
    pub fn leader(&self, but: usize) -> Option<Leader<'_>> {
        let planned = (self.settings.layers as usize + 1).saturating_sub(self.pooled);
        let layers = planned.saturating_sub(but).max(1);
        let end = match self.closed {
            Some(_) => self.layers[layers.min(self.layers.len()) - 1].end,
            None => self.layers.get(layers - 1)?.end,
        };
        self.are_judged(end).then(|| Leader(self.best_of(0..end)))
    }

    /// Returns the number of layers skipped since the best score had stopped rising.
    pub fn layers_saved(&self) -> u32 {
        self.closed.unwrap_or(0)
    }

    pub fn is_complete(&self) -> bool {
        self.closed.is_some() && self.open == 0
    }

    pub fn best(&self) -> Leader<'_> {
        Leader(self.best_of(0..self.candidates.len()))
    }

    /// Returns the best scored candidate, the first of equals.
    fn best_of(&self, range: Range<usize>) -> Option<(&Arc<Candidate>, f64)> {
        let judged = self.candidates[range].iter().filter_map(|each| Some((each.candidate.as_ref()?, each.score?)));
        judged.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}
