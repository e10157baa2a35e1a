//! The phases of a survey, in sequence: [`Outlining`], one or more times [`Improving`], [`Writing`].
//!
//! A phase ends when all its tasks have ended. Each phase has its own type of places, made of the places of its stages,
//! so that no stage is ever given another's outcome.

mod improving;
mod outlining;
mod places;
mod writing;

pub(crate) use self::{improving::Improving, outlining::Outlining, writing::Writing};
