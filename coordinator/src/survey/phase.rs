//! The phases of a survey, one after the other: [`Outlining`], one or more times [`Improving`], [`Writing`].
//!
//! A phase ends when all that it asked for has ended. Each has places of its own type, made of the places of the stages that
//! have a part in it, so that no stage is ever given another's outcome.

mod improving;
mod outlining;
mod places;
mod writing;

pub(crate) use self::{improving::Improving, outlining::Outlining, writing::Writing};
