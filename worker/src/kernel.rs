//! Kernels: a file for each kind of task, in a folder for each pipeline.
//!
//! A kernel makes every decision about its kind of task:
//! - the question, as values for the prompt's template;
//! - the shape of the reply, as a Rust type and a schema with the handles on offer;
//! - the verdict on a reply: a product, or a reason to send the reply back;
//! - the halves of work that is too long;
//! - the product where no model answers.
//!
//! No kernel waits or calls; [`crate::perform`] does both.

pub(crate) mod answer;
mod contract;
mod reply;
pub(crate) mod survey;
mod task_kernel;
mod verdict;

use bytes::Bytes;
use tributary_protocol::{task::Work, wire::WireError};

pub(crate) use self::task_kernel::TaskKernel;
pub use self::{
    contract::{HalfWork, Kernel},
    verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
};
use crate::model::ModelCall;

/// The kernel of a task's work. `blobs` holds the bytes of [`Work::blobs`], in their order.
///
/// # Errors
///
/// A blob that can't be read.
pub(crate) fn for_work<'a>(work: &'a Work, blobs: &'a [Bytes]) -> Result<Box<dyn TaskKernel + 'a>, WireError> {
    match work {
        Work::Survey(brief, work) => survey::for_work(brief, work, blobs),
        Work::Answer(brief, work) => Ok(answer::for_work(brief, work, blobs)),
    }
}

/// The first call for a task; `blobs` holds the bytes of [`Work::blobs`], in their order.
///
/// # Errors
///
/// An unreadable blob.
pub fn first_call(work: &Work, blobs: &[Bytes]) -> Result<ModelCall, WireError> {
    Ok(for_work(work, blobs)?.call())
}
