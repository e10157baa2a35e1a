//! Group: related sources into groups of a kernel's width.

use rand::seq::SliceRandom;
use tributary_protocol::{
    budget::pack,
    settings::{GroupBy, Models},
    source::SourceId,
    task::{Product, Titled, Work},
};

use super::{Asked, Context, Place};
use crate::rooms::MOST_TITLES;

/// What this stage gives: the groups of one batch of titles.
pub(crate) struct Grouped {
    pub(crate) batch: usize,
    pub(crate) groups: Vec<Vec<SourceId>>,
}

/// Titles are grouped in batches that fit a prompt, each by itself.
pub(crate) struct Group {
    /// Empty where no model is asked: then all sources are one batch.
    batches: Vec<std::ops::Range<usize>>,
}

impl Group {
    /// Asks for groups, or makes them at once where no model is to be asked.
    pub(crate) fn start(context: &Context, asked: &mut Asked) -> (Self, Vec<Grouped>) {
        let sources = &context.job.sources;
        let grouping = context.job.settings.grouping;
        if sources.len() <= grouping.size as usize {
            let groups = vec![sources.iter().map(|source| source.id).collect()];
            return (Self { batches: Vec::new() }, vec![Grouped { batch: 0, groups }]);
        }
        if grouping.by == GroupBy::Random {
            let mut ids: Vec<_> = sources.iter().map(|source| source.id).collect();
            ids.shuffle(&mut context.chance("group", 0));
            let groups = ids.chunks(grouping.size as usize).map(<[_]>::to_vec).collect();
            return (Self { batches: Vec::new() }, vec![Grouped { batch: 0, groups }]);
        }
        let tokens: Vec<_> = sources.iter().map(|source| source.title_tokens + 6).collect();
        let batches = pack(&tokens, context.rooms.titles, MOST_TITLES);
        for (batch, range) in batches.iter().enumerate() {
            let sources = sources[range.clone()].iter().map(Titled::from).collect();
            let work = Work::Group { sources, size: grouping.size };
            let place = Place::Group { batch };
            match grouping.by {
                GroupBy::Lexical => asked.ask_of(context, place, work, Models::EXTRACTIVE.to_owned()),
                GroupBy::Model | GroupBy::Random => asked.ask(context, place, work),
            }
        }
        (Self { batches }, Vec::new())
    }

    pub(crate) fn batches(&self) -> usize {
        self.batches.len().max(1)
    }

    /// Without a product, neighbours in the input make the groups.
    pub(crate) fn accept(&mut self, context: &Context, batch: usize, product: Option<Product>) -> Grouped {
        let size = context.job.settings.grouping.size as usize;
        let groups = match product {
            Some(Product::Groups(groups)) => groups,
            _ => context.job.sources[self.batches[batch].clone()]
                .chunks(size)
                .map(|group| group.iter().map(|source| source.id).collect())
                .collect(),
        };
        Grouped { batch, groups }
    }
}
