//! Whole runs: the program as a process of its own, from a corpus to an article, against a model that can be made to
//! fail in every way.

mod ask;
mod common;
mod determinism;
mod extractive;
mod faults;
mod injection;
mod inputs;
mod limits;
mod plan;
mod resume;
mod traced;
mod usage;
mod whole;
mod window;
