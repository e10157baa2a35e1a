//! Decides what a job does next.
//!
//! Input is read ([`ingest`], [`prepare`]). A job's tasks and outcomes go through its machine ([`engine`], [`tasks`]),
//! made of a [`pipeline`] that [`jobs`] names ([`survey`], [`answer`]). [`actor`] drives a machine over a bus, and
//! [`service`] runs machines for a whole deployment. A finished job leaves artifacts ([`artifact`]). [`trace`] builds
//! the spans of jobs.

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
