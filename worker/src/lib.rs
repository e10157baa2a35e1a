//! Turns one task into one outcome.
//!
//! A task's way, once through: the [`pool`] pulls it from the bus, [`perform`] asks a [`model`] within its provider's
//! limits ([`throttle`]) with the prompt of its [`kernel`], the kernel checks the reply, and the pool records the
//! outcome.

mod extractive;
pub mod kernel;
pub mod model;
pub mod perform;
pub mod pool;
mod prompt;
pub mod roster;
mod text;
pub mod throttle;

#[cfg(test)]
mod testing;
