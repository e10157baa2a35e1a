//! The stream of a job's outcomes, those in the journal first.

use std::{collections::VecDeque, sync::Arc};

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::watch;

use super::{disk::LocalDisk, journal::JobLog};
use crate::{
    bus::{Entry, Result},
    id::JobId,
    task::Outcome,
};

/// Gives the outcomes in a job's journal, then the outcomes to come.
pub(super) fn follow(disk: LocalDisk, job: JobId, log: Arc<JobLog>) -> BoxStream<'static, Result<Entry>> {
    let grown = log.next.subscribe();
    let until = *grown.borrow();
    let reader = JournalReader { disk, job, grown, _log: log, next: 0, until, page: VecDeque::new(), caught: false };
    stream::unfold(reader, |mut reader| async {
        let entry = reader.entry().await;
        Some((entry, reader))
    })
    .boxed()
}

struct JournalReader {
    disk: LocalDisk,
    job: JobId,
    grown: watch::Receiver<u64>,
    /// Keeps the sender of `grown` alive.
    _log: Arc<JobLog>,
    /// The number of the next entry to read.
    next: u64,
    /// Entries below this number are known to be there.
    until: u64,
    page: VecDeque<Arc<Outcome>>,
    caught: bool,
}

impl JournalReader {
    async fn entry(&mut self) -> Result<Entry> {
        loop {
            if let Some(outcome) = self.page.pop_front() {
                return Ok(Entry::Outcome(outcome));
            }
            if self.next < self.until {
                let (job, next, until) = (self.job, self.next, self.until);
                (self.page, self.next) = self.disk.run(move |store| store.journal.read(job, next, until)).await?;
            } else if !self.caught {
                self.caught = true;
                return Ok(Entry::CaughtUp);
            } else {
                let next = self.next;
                self.until = *self.grown.wait_for(|&end| end > next).await.expect("the log is ours");
            }
        }
    }
}
