//! Handing a job in, and calling it off.

use std::time::Duration;

use bytes::Bytes;
use tributary_protocol::{
    bus::{self, Bus, JobQueue},
    id::{BlobId, JobId},
    wire,
};

use super::{
    made::{self, Input},
    state::{State, Status, state},
};
use crate::{
    ingest::Problem,
    prepare::{Draft, StoreError},
};

/// What became of a job that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It is on its way, from its beginning or from where it had stopped.
    Now,
    /// It was on its way already.
    Before,
    /// It was finished already, and its result is kept.
    Done,
}

/// Stores a job's texts and puts it into the queue. A job that stopped goes on where it was; one that is out or finished
/// stays as it is. Where a job that is not out is to begin `anew`, all that is known of it is forgotten first.
///
/// # Errors
///
/// The bus's, and those of reading texts back.
pub async fn submit(
    bus: &dyn Bus,
    queue: &dyn JobQueue,
    draft: &Draft,
    problems: &[Problem],
    anew: bool,
) -> Result<Submitted, StoreError> {
    let id = draft.job.id;
    let mut before = state(queue, id).await?;
    let had_ended = before.as_ref().is_some_and(|before| before.status.has_ended());
    if anew && (had_ended || before.is_none()) {
        bus.clear(id).await?;
        queue.forget(id).await?;
        before = None;
    }
    match before.as_ref().map(|state| &state.status) {
        Some(Status::Done(_)) if queue.result(id, made::INDEX).await?.is_some() => return Ok(Submitted::Done),
        // Storing again what is there costs little, and heals a submission that was cut short.
        Some(Status::Queued | Status::Running) => {
            store(bus, queue, draft, problems, id, None).await?;
            return Ok(Submitted::Before);
        }
        _ => {}
    }
    let term = before.map_or(0, |before| before.term);
    let mut new = store(bus, queue, draft, problems, id, Some(term)).await?;
    if had_ended {
        // Its last holder may be about to let go of it: then the job is out till it has, and goes with what is stored.
        for _ in 0..LETTING_GO {
            if new || state(queue, id).await?.is_some_and(|state| state.status == Status::Running) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            new = store(bus, queue, draft, problems, id, None).await?;
        }
        store(bus, queue, draft, problems, id, None).await?;
    }
    Ok(Submitted::Now)
}

/// How long a job that has ended may still be out, in [`PAUSE`]s. One that nobody holds is out for good, and is taken.
const LETTING_GO: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

/// Wishes that a job ends, and how it stood then. One that has stopped and would go on when it is submitted again is
/// forgotten here and now, but for the fact; one that is over is left alone.
///
/// # Errors
///
/// The bus's.
pub async fn cancel(bus: &dyn Bus, queue: &dyn JobQueue, job: JobId) -> bus::Result<Option<State>> {
    let Some(before) = state(queue, job).await? else { return Ok(None) };
    let mut now = before.clone();
    if !before.status.has_ended() {
        queue.cancel(job).await?;
        // It may have stopped meanwhile, and then nobody heard the wish.
        now = state(queue, job).await?.unwrap_or(now);
    }
    if now.status.reason().is_some() {
        now.status = Status::Cancelled;
        if now.write(queue, job).await? {
            bus.clear(job).await?;
        }
    }
    Ok(Some(before))
}

/// What became of a wish that a job goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Resumed {
    /// It is on its way again, from where it had stopped.
    Now,
    /// It needn't: this is how it stands.
    Not(Status),
    /// What it is made of is not kept any more: it has to be submitted with its sources.
    Gone,
}

/// Puts a job that has failed into the queue again, as it was submitted. None of one that was never submitted.
///
/// # Errors
///
/// The queue's.
pub async fn resume(queue: &dyn JobQueue, id: JobId) -> bus::Result<Option<Resumed>> {
    let Some(before) = state(queue, id).await? else { return Ok(None) };
    if before.status.reason().is_none() {
        return Ok(Some(Resumed::Not(before.status)));
    }
    let Some(job) = queue.document(id).await? else { return Ok(Some(Resumed::Gone)) };
    State { term: before.term, ..State::new(&job, before.input) }.begin(queue, id).await?;
    // Its last holder may be about to let go of it.
    for _ in 0..LETTING_GO {
        if queue.submit(&job).await? || state(queue, id).await?.is_some_and(|state| state.status == Status::Running) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Some(Resumed::Now))
}

async fn store(
    bus: &dyn Bus,
    queue: &dyn JobQueue,
    draft: &Draft,
    problems: &[Problem],
    id: JobId,
    term: Option<u64>,
) -> Result<bool, StoreError> {
    let input = Input { extra: draft.extra.clone(), problems: problems.to_vec() };
    let input = Bytes::from(wire::encode(&input));
    if let Some(term) = term {
        // Before all else: who cleans up must see that this job hasn't ended, and finds by it what is left of one that was cut
        // short.
        let mut state = State { term, ..State::new(&draft.job, Some(BlobId::of_bytes(&input))) };
        state.begin(queue, id).await?;
    }
    bus.put(id, input).await?;
    draft.store(bus).await?;
    Ok(queue.submit(&draft.job).await?)
}
