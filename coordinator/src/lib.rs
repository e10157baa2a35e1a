//! Decides what a job does next: reads the input ([`ingest`], [`prepare`]), runs the job's state machine ([`machine`],
//! driven by [`actor`], for a whole deployment by [`service`]) and makes the article of what it ends with ([`reduce`]).
//! What traces tell of that is in [`trace`].

pub mod actor;
pub mod ingest;
mod lexical;
pub mod machine;
pub mod prepare;
pub mod reduce;
pub mod rehearsal;
mod rooms;
pub mod service;
mod stage;
pub mod trace;
