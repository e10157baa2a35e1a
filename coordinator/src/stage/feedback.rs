//! Feedback: each group's digests and suggestions into one suggestion, and the outline that it leads to.

use std::{collections::HashMap, sync::Arc};

use tributary_protocol::{
    budget::pack,
    source::SourceId,
    suggestion::Candidate,
    task::{DigestOf, Product, Work},
};

use super::{Asked, Context, Place, digest::Digest};

/// What this stage gives: the candidates of a group, one where its digests fit a prompt. Empty where nothing came of it.
pub(crate) struct FromGroup {
    pub(crate) group: usize,
    pub(crate) candidates: Vec<Arc<Candidate>>,
}

pub(crate) struct Feedback {
    pass: usize,
    groups: Vec<Group>,
    group_of: HashMap<SourceId, usize>,
}

struct Group {
    sources: Vec<SourceId>,
    /// Sources that are still being read.
    waiting: usize,
    batches: Vec<Option<Arc<Candidate>>>,
    missing: usize,
}

impl Feedback {
    /// Groups of which this pass reads no source have nothing to say and are left out.
    pub(crate) fn new(pass: usize, groups: &[Vec<SourceId>], digest: &Digest) -> Self {
        let read = |group: &Vec<SourceId>| -> Vec<SourceId> {
            group.iter().copied().filter(|source| digest.reads(*source)).collect()
        };
        let groups: Vec<Group> = groups
            .iter()
            .map(read)
            .filter(|sources| !sources.is_empty())
            .map(|sources| Group { waiting: sources.len(), sources, batches: Vec::new(), missing: 0 })
            .collect();
        let group_of =
            groups.iter().enumerate().flat_map(|(i, group)| group.sources.iter().map(move |id| (*id, i))).collect();
        Self { pass, groups, group_of }
    }

    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// A source is read to the end. With the last of its group the group's feedback is asked for.
    pub(crate) fn digested(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        digest: &mut Digest,
        source: SourceId,
    ) -> Option<FromGroup> {
        let number = self.group_of[&source];
        let group = &mut self.groups[number];
        group.waiting -= 1;
        if group.waiting > 0 {
            return None;
        }
        let digests: Vec<DigestOf> = group
            .sources
            .iter()
            .flat_map(|source| digest.hand_on(context, *source))
            .filter(|of| !of.digest.notes.is_empty() || !of.digest.suggestion.is_empty())
            .collect();
        let tokens: Vec<_> = digests.iter().map(DigestOf::tokens).collect();
        let batches = pack(&tokens, context.rooms.digests, usize::MAX);
        group.batches = vec![None; batches.len()];
        group.missing = batches.len();
        if batches.is_empty() {
            return Some(FromGroup { group: number, candidates: Vec::new() });
        }
        for (batch, range) in batches.into_iter().enumerate() {
            let work = Work::Feedback { outline: digest.outline().clone(), digests: digests[range].to_vec() };
            asked.ask(context, Place::Feedback { pass: self.pass, group: number, batch }, work);
        }
        None
    }

    /// Without a product, the batch gives no candidate: its notes are kept all the same.
    pub(crate) fn accept(&mut self, number: usize, batch: usize, product: Option<Product>) -> Option<FromGroup> {
        let group = &mut self.groups[number];
        if let Some(Product::Candidate(candidate)) = product {
            group.batches[batch] = Some(Arc::new(candidate));
        }
        group.missing -= 1;
        let complete = group.missing == 0;
        complete.then(|| FromGroup {
            group: number,
            candidates: group.batches.iter_mut().filter_map(Option::take).collect(),
        })
    }
}
