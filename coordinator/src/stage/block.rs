//! Block: digest to refine, once. Sources are read against an outline, and what they say betters it.

use tributary_protocol::{outline::SharedOutline, source::SourceId, task::Product};

use super::{
    Asked, Context, Place,
    convolution::{Convolution, Leader},
    digest::Digest,
    feedback::{Feedback, FromGroup},
    refine::{Refine, Version},
};

pub(crate) struct Block {
    pub(crate) number: u32,
    digest: Digest,
    feedback: Feedback,
    convolution: Convolution,
    refine: Refine,
}

/// What came of a block.
pub(crate) struct Bettered {
    pub(crate) outline: SharedOutline,
    /// The reading that it came of.
    pub(crate) digest: Digest,
    /// Layers and rounds that were left out, since they had ceased to better anything.
    pub(crate) layers_saved: u32,
    pub(crate) rounds_saved: u32,
}

impl Block {
    /// Betters what the sources are being read against. `groups` are what is fed back together.
    pub(crate) fn start(context: &Context, number: u32, groups: &[Vec<SourceId>], digest: Digest) -> Self {
        let pass = number as usize;
        let feedback = Feedback::new(pass, groups, &digest);
        let convolution = Convolution::new(context, pass, feedback.groups());
        Self { number, digest, feedback, convolution, refine: Refine::new(context, pass) }
    }

    pub(crate) fn digested(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        (source, chunk): (SourceId, usize),
        product: Option<Product>,
    ) {
        if self.digest.accept(source, chunk, product)
            && let Some(from) = self.feedback.digested(context, asked, &mut self.digest, source)
        {
            self.fed_back(context, asked, from);
        }
    }

    /// Takes what came of any other task of a block.
    ///
    /// # Panics
    ///
    /// Where the task is of another stage.
    pub(crate) fn accept(&mut self, context: &Context, asked: &mut Asked, place: Place, product: Option<Product>) {
        match place {
            Place::Feedback { group, batch, .. } => {
                if let Some(from) = self.feedback.accept(group, batch, product) {
                    self.fed_back(context, asked, from);
                }
            }
            Place::Convolution { place, .. } => {
                self.convolution.accept(context, asked, place, product);
                self.lead(context, asked);
            }
            Place::Refine { place, .. } => self.refine.accept(context, asked, place, product),
            other => unreachable!("{other} is no task of a block"),
        }
    }

    fn fed_back(&mut self, context: &Context, asked: &mut Asked, from: FromGroup) {
        self.convolution.offer(context, asked, from);
        self.lead(context, asked);
    }

    /// Refines what the convolution has found while its last layers are still under way, a layer to a round.
    fn lead(&mut self, context: &Context, asked: &mut Asked) {
        while let ahead @ 1.. = self.refine.rounds_ahead()
            && let Some(leader) = self.convolution.leader(ahead)
        {
            let leader = self.version_of(leader);
            self.refine.lead(context, asked, leader);
        }
    }

    /// Where no feedback led to a candidate, what was read against stands.
    fn version_of(&self, leader: Leader) -> Version {
        match leader.0 {
            Some((candidate, score)) => Version { outline: candidate.outline.clone(), score },
            None => Version { outline: self.digest.outline().clone(), score: 0.0 },
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.refine.is_complete() && self.convolution.is_complete()
    }

    /// The best outline of all, however it was found.
    pub(crate) fn end(self) -> Bettered {
        let found = self.version_of(self.convolution.best());
        let outline = match self.refine.best() {
            Some(refined) if refined.score > found.score => refined.outline.clone(),
            _ => found.outline,
        };
        let (layers_saved, rounds_saved) = (self.convolution.layers_saved(), self.refine.rounds_saved);
        Bettered { outline, digest: self.digest, layers_saved, rounds_saved }
    }
}
