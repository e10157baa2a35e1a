//! A piece of a task's work: all of the work, or a half where the whole is too long for its model.

use std::sync::Arc;

use bytes::Bytes;
use tributary_protocol::task::{Task, Work};

use crate::kernel::HalfWork;

/// A task's work or a part of the work, with the bytes of its blobs.
pub(super) struct WorkPiece {
    pub task: Arc<Task>,
    /// None for the whole task's work.
    part: Option<Work>,
    pub blobs: Vec<Bytes>,
}

impl WorkPiece {
    pub fn whole(task: Arc<Task>, blobs: Vec<Bytes>) -> Self {
        Self { task, part: None, blobs }
    }

    pub fn half(of: &Self, half: HalfWork) -> Self {
        Self { task: Arc::clone(&of.task), part: Some(half.work), blobs: half.blobs }
    }

    pub fn work(&self) -> &Work {
        self.part.as_ref().unwrap_or(&self.task.work)
    }
}
