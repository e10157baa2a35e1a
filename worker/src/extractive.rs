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
//! - [`survey`]: the survey's kinds of task.
//!
//! All of it is a function of its arguments: equal work gives equal bytes.

mod blocks;
mod cluster;
mod phrases;
mod phrasing;
mod quotable;
mod rank;
mod sentences;
pub(crate) mod survey;
pub(crate) mod terms;
mod titles;
mod vectors;
