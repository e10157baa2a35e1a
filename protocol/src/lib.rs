//! The protocol between coordinator and worker.
//!
//! Read from the top, this crate tells the whole system: the documents of a job ([`source`]), its request and progress
//! ([`job`], [`settings`]), its work ([`task`]), the data types of each pipeline ([`survey`], [`answer`]) and the
//! registry of pipelines ([`pipeline`]), the encoding of values ([`wire`]), the tracing of progress ([`trace`],
//! [`process`]), the announcements of workers ([`roster`]), and the message bus ([`bus`]). There is no policy here and
//! no model call.

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
