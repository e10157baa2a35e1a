//! The extractive model: every task's work done without a language model.
//!
//! The extractive model is the default where no model is configured, and the stand-in for a failed model. Nothing is
//! made up: outlines name the most telling phrases of the sources, and digests and prose are sentences of the sources,
//! word for word, each with its source. The methods are the classics of extractive summarisation.
//!
//! From the bottom up:
//! - [`blocks`], [`sentences`], [`quotable`]: the prose of a Markdown or plain text, its sentences, and how well each
//!   can stand alone;
//! - [`terms`], [`vectors`]: words, Chinese bigrams, TF-IDF;
//! - [`rank`], [`cluster`]: centrality, relevance against redundancy, clusters and reading order;
//! - [`phrases`], [`titles`], [`phrasing`]: telling phrases, and the few fixed sentences around them;
//! - [`survey`]: the survey's kinds of task.
//!
//! Every result is a function of the arguments: equal work gives equal bytes.

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
