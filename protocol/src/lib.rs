//! What coordinator and worker say to each other.
//!
//! Read from the top, this crate tells the whole system: the documents that flow ([`source`], [`outline`], [`digest`],
//! [`suggestion`], [`article`]), the work done on them ([`task`]), what is asked for and how it stands ([`job`]), how any of
//! it is written down ([`wire`]), how its making is told ([`trace`], [`process`]), and the one seam that carries it ([`bus`]). There is no
//! policy here and no model call.

pub mod article;
pub mod budget;
pub mod bus;
pub mod digest;
pub mod id;
pub mod job;
mod kind;
pub mod outline;
pub mod process;
pub mod settings;
pub mod source;
pub mod suggestion;
pub mod task;
pub mod trace;
pub mod wire;
