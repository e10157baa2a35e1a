//! Decides what a job does next: reads the input ([`ingest`]), runs the job's state machine ([`machine`]) and makes the
//! article of what it ends with.

pub mod ingest;
mod lexical;
pub mod machine;
pub mod rehearsal;
pub mod rooms;
mod stage;
