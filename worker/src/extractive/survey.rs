//! The survey's kinds of task done without a language model: a file for each, and [`amend`] for changes to outlines.

mod amend;
pub(crate) mod condense;
pub(crate) mod digest;
pub(crate) mod group;
pub(crate) mod judge;
pub(crate) mod merge;
pub(crate) mod outline;
pub(crate) mod revise;
pub(crate) mod write;
