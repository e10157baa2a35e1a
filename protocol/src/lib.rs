//! What coordinator and worker say to each other.
//!
//! Read from the top, this crate tells the whole system: the documents that a job is given ([`source`]), what is asked for
//! and how far it is ([`job`], [`settings`]), the work done on it ([`task`]), the nouns of each pipeline ([`survey`], [`answer`]) and
//! the one place that names them all ([`pipeline`]), how values are written down ([`wire`]), how progress is traced
//! ([`trace`], [`process`]), what workers announce of themselves ([`roster`]), and the one seam that carries everything ([`bus`]). There is no policy here and no model call.

pub mod answer;
pub mod budget;
pub mod bus;
pub mod id;
pub mod job;
mod kind;
pub mod pipeline;
pub mod process;
pub mod roster;
pub mod settings;
pub mod source;
mod stage;
pub mod survey;
pub mod task;
pub mod trace;
pub mod wire;
