//! Decides what a job does next.
//!
//! Input is read ([`ingest`], [`prepare`]); a job's tasks and outcomes go through its machine ([`engine`], [`tasks`]), which
//! is one of the [`pipeline`]s that [`jobs`] names ([`survey`], [`answer`]); [`actor`] drives a machine over a bus, and [`service`] does
//! so for a whole deployment. A finished job leaves artifacts ([`artifact`]). [`trace`] has what traces tell of all that.

pub mod actor;
pub mod answer;
pub mod artifact;
mod cost;
pub mod engine;
pub mod ingest;
pub mod jobs;
pub mod pipeline;
pub mod prepare;
pub mod roster;
pub mod service;
pub mod survey;
pub mod tasks;
pub mod trace;
