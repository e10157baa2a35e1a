//! Turns one task into one outcome.
//!
//! A task's way, once through:
//!
//! 1. The [`pool`] pulls the task from the bus while a slot is free ([`Pool`](pool::Pool)).
//! 2. The performer ([`Performer`](perform::Performer)) looks up the task's model in the
//!    [`ModelRegistry`](perform::ModelRegistry) and fetches the task's texts.
//! 3. The task's [`kernel`] renders a [`ModelCall`](model::ModelCall): the prompt, and the shape of the reply.
//! 4. The reply cache answers the call, if anybody has paid for an equal call before. Otherwise the [`throttle`] grants a
//!    permit within the provider's limits, and the [`model`] answers. Failed calls are retried.
//! 5. The kernel checks the reply. A flawed reply goes back to the model with the reason.
//! 6. Where the model fails for good, the extractive model quotes from the texts instead, and the outcome is degraded. Where
//!    only this worker can't use the model, the task is left to its [`Peers`](perform::Peers).
//! 7. The pool records the outcome, and then acknowledges the delivery.

mod extractive;
pub mod kernel;
mod metric_names;
pub mod model;
pub mod perform;
pub mod pool;
mod prompt;
pub mod roster;
mod text;
pub mod throttle;

#[cfg(test)]
mod testing;
