//! The jobs of a deployment, as coordinators share them.
//!
//! A job is itself a message in a queue: one coordinator holds it and says so time and again, and when it falls silent
//! another takes the job over and reads its journal. Any number of coordinators may run.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use super::{Receipt, Result};
use crate::{id::JobId, job::Job};

/// Whether what is written of a job, if anything is, gives way to something else.
pub type GivesWay<'a> = dyn Fn(Option<&[u8]>) -> bool + Send + Sync + 'a;

/// What coordinators share besides a [`Bus`](super::Bus), and what those who submit jobs talk to.
///
/// # Errors
///
/// As a [`Bus`](super::Bus)'s: [`BusError::Unavailable`](super::BusError::Unavailable) only after the adapter has tried for
/// long enough, and what was to be submitted, written, kept or forgotten may be so nevertheless. A job or a state that this
/// build can't read is a [`BusError::Wire`](super::BusError::Wire).
#[async_trait]
pub trait JobQueue: Send + Sync + 'static {
    /// Puts a job where a coordinator will find it; a job that is out already stays as it is. Takes an earlier wish to
    /// cancel it back. Returns when it is safe, and false if it was out.
    async fn submit(&self, job: &Job) -> Result<bool>;

    /// A job as it was submitted, as long as that is kept: not longer than it is out, in some adapters.
    async fn document(&self, job: JobId) -> Result<Option<Job>>;

    /// Waits for a job that no living coordinator holds. Safe to cancel.
    async fn claim(&self) -> Result<Claim>;

    /// Writes down how a job stands, in its coordinator's words. The last is kept.
    async fn set_state(&self, job: JobId, state: Bytes) -> Result<()> {
        self.replace_state(job, state, &|_| true).await.map(drop)
    }

    /// The same, but only if what is written gives way to it, and false if it doesn't. Nobody else's words come between the
    /// look and the writing.
    async fn replace_state(&self, job: JobId, state: Bytes, gives_way: &GivesWay<'_>) -> Result<bool>;

    /// How a job stands. None of a job that nobody wrote anything about.
    async fn state(&self, job: JobId) -> Result<Option<Bytes>>;

    /// How all jobs stand, in the order of their ids.
    async fn states(&self) -> Result<Vec<(JobId, Bytes)>>;

    /// How a job stands now, then each time that it changes, without an end. Changes in quick succession may be left
    /// out, but for the last.
    async fn watch(&self, job: JobId) -> Result<BoxStream<'static, Result<Bytes>>>;

    /// Wishes that a job ends. Whoever holds it, or will, is told by [`JobQueue::cancelled`].
    async fn cancel(&self, job: JobId) -> Result<()>;

    /// Takes such a wish back.
    async fn withdraw(&self, job: JobId) -> Result<()>;

    /// Waits until someone wishes that the job ends, or has wished it already. Safe to cancel.
    async fn cancelled(&self, job: JobId) -> Result<()>;

    /// Keeps a part of what came of a job, in its coordinator's format, until [`JobQueue::forget`]. Parts are numbered
    /// from 0 without a gap: what comes of a large corpus is larger than memory.
    async fn keep_result(&self, job: JobId, part: u32, result: Bytes) -> Result<()>;

    /// A part of what came of a job, once that is there.
    async fn result(&self, job: JobId, part: u32) -> Result<Option<Bytes>>;

    /// Forgets how a job stood, what came of it, and any wish to end it.
    async fn forget(&self, job: JobId) -> Result<()>;

    /// How long what is left of a job that has ended is to be kept; None for ever. Coordinators see to it.
    fn retention(&self) -> Option<Duration> {
        None
    }
}

/// A job in a coordinator's hands. Dropped without a word, it goes to another coordinator.
pub struct Claim {
    pub job: Arc<Job>,
    receipt: Box<dyn Receipt>,
}

impl Claim {
    pub fn new(job: Arc<Job>, receipt: Box<dyn Receipt>) -> Self {
        Self { job, receipt }
    }

    /// Says that this coordinator lives; due more often than [`Claim::patience`].
    pub async fn working(&self) -> Result<()> {
        self.receipt.working().await
    }

    /// How long the queue waits for a sign of life before it gives the job to another.
    pub fn patience(&self) -> Duration {
        self.receipt.patience()
    }

    /// Another coordinator has taken the job over: it is left to that one. (Dropped, the claim would take it from both.)
    pub fn leave(self) {
        self.receipt.leave();
    }

    /// The job is over.
    pub async fn done(self) -> Result<()> {
        self.receipt.done().await
    }

    /// Gives the job to another coordinator after `delay`.
    pub async fn hand_back(self, delay: Duration) -> Result<()> {
        self.receipt.hand_back(delay).await
    }
}
