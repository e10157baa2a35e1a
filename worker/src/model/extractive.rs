//! The extractive model: every task's work done without a language model.
//!
//! It is the default where no model is configured, and what stands in for a real one that failed. It writes nothing of
//! its own: its outlines name what the sources talk about most tellingly, its digests and its prose are sentences of the
//! sources, word for word, each with its source. The methods are the classic ones of extractive summarisation.
//!
//! From the bottom up:
//! - [`blocks`], [`sentences`], [`quotable`]: what of a Markdown or plain text is prose, its sentences, and how well each
//!   can stand alone;
//! - [`terms`], [`vectors`]: words, Chinese bigrams, TF-IDF;
//! - [`rank`], [`cluster`]: centrality, relevance against redundancy, clusters and reading order;
//! - [`phrases`], [`titles`], [`phrasing`]: telling phrases, and the few sentences that are said around them;
//! - [`group`], [`outline`], [`merge`], [`digest`], [`amend`], [`revise`], [`judge`], [`condense`], [`write`]: the kinds
//!   of work.
//!
//! All of it is a function of its arguments: equal work gives equal bytes.

mod amend;
mod blocks;
mod cluster;
mod condense;
mod digest;
mod group;
mod judge;
mod merge;
mod outline;
mod phrases;
mod phrasing;
mod quotable;
mod rank;
mod revise;
mod sentences;
mod terms;
mod titles;
mod vectors;
mod write;

use tributary_protocol::{
    article::Passage,
    source::Card,
    task::{Brief, Product, Work},
};

/// What a task refers to by blob.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The cards of [`Work::Outline`]'s sources, in their order.
    pub cards: Vec<Card>,
    /// The chunk of [`Work::Digest`].
    pub chunk: String,
}

/// Does a task's work without a language model.
pub fn perform(work: &Work, brief: &Brief, texts: &Texts) -> Product {
    match work {
        Work::Group { sources, size } => Product::Groups(group::groups(sources, *size)),
        Work::Outline { sources } => Product::Outline(outline::outline(sources, &texts.cards, brief).into()),
        Work::MergeOutlines { outlines } => Product::Outline(merge::merge(outlines, brief).into()),
        Work::Digest { source, text: _, part, outline, only } => {
            Product::Digest(digest::digest(source, &texts.chunk, *part, outline, only, brief))
        }
        Work::Feedback { outline, digests } => Product::Candidate(revise::feedback(outline, digests, brief)),
        Work::Score { outline } => Product::Score(judge::score(outline)),
        Work::Convolve { members } => Product::Candidate(revise::convolve(members, brief)),
        Work::Refine { outline, round: _, attempt } => Product::Candidate(revise::refine(outline, *attempt, brief)),
        Work::Condense { section, notes, room } => Product::Notes(condense::condense(section, notes, *room)),
        Work::Write { section, notes, words } => Product::Passage(write::write(section, notes, *words, brief)),
        // A sentence that introduces would either repeat one of the children's or be of our own making, without a source.
        Work::Introduce { .. } => Product::Passage(Passage::default()),
        // Quotes make no table.
        Work::Illustrate { .. } => Product::Figure(None),
    }
}
