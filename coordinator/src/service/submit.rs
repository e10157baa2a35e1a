//! Submission, cancellation and resumption of jobs.

use std::time::Duration;

use bytes::Bytes;
use tributary_protocol::{
    bus::{self, Bus, JobQueue},
    id::{BlobId, JobId},
    wire,
};

use super::{
    kept_result,
    state::{State, Status, state},
};
use crate::{
    ingest::Problem,
    prepare::{InputNotes, PreparedJob, StoreError},
};

/// The outcome of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The job is queued, to begin or to resume.
    Now,
    /// The job was queued or running already.
    Before,
    /// The job was finished already, and its result is kept.
    Done,
}

/// Stores a job's texts and queues the job. A stopped job resumes; a queued, running or finished job stays as it is.
/// With `anew`, a job that isn't queued or running is first deleted with all its data.
///
/// # Errors
///
/// Errors of the bus, and of reading texts back.
pub async fn submit(
    bus: &dyn Bus,
    queue: &dyn JobQueue,
    prepared: &PreparedJob,
    problems: &[Problem],
    anew: bool,
) -> Result<Submitted, StoreError> {
    let id = prepared.job.id;
    let mut before = state(queue, id).await?;
    let had_ended = before.as_ref().is_some_and(|before| before.status.has_ended());
    if anew && (had_ended || before.is_none()) {
        bus.clear(id).await?;
        queue.forget(id).await?;
        before = None;
    }
    match before.as_ref().map(|state| &state.status) {
        Some(Status::Done(_)) if queue.result(id, kept_result::INDEX).await?.is_some() => return Ok(Submitted::Done),
        // Storing again costs little, and completes a submission that was cut short.
        Some(Status::Queued | Status::Running) => {
            store(bus, queue, prepared, problems, id, None).await?;
            return Ok(Submitted::Before);
        }
        _ => {}
    }
    let term = before.map_or(0, |before| before.term);
    let mut new = store(bus, queue, prepared, problems, id, Some(term)).await?;
    if had_ended {
        // The last holder may not have released the job yet. Until then the queue doesn't take the job, and the release
        // clears the data stored here.
        for _ in 0..LETTING_GO {
            if new || state(queue, id).await?.is_some_and(|state| state.status == Status::Running) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            new = queue.submit(&prepared.job).await?;
        }
        store(bus, queue, prepared, problems, id, None).await?;
    }
    Ok(Submitted::Now)
}

/// The longest time for an ended job to leave the queue, in [`PAUSE`]s. A job without a holder stays queued, and is
/// then claimed.
const LETTING_GO: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

/// Requests cancellation and returns the previous state. A job without a holder is cancelled at once, and its data is
/// deleted except for the state; a job that has ended is left alone.
///
/// # Errors
///
/// Errors of the bus.
pub async fn cancel(bus: &dyn Bus, queue: &dyn JobQueue, job: JobId) -> bus::Result<Option<State>> {
    let Some(before) = state(queue, job).await? else { return Ok(None) };
    let mut now = before.clone();
    if !before.status.has_ended() {
        queue.cancel(job).await?;
        // The job may have stopped meanwhile, with no holder to see the request.
        now = state(queue, job).await?.unwrap_or(now);
    }
    if now.status == Status::Queued || now.status.reason().is_some() {
        let read = now.clone();
        now.status = Status::Cancelled;
        // A coordinator that claims the job meanwhile sees the request.
        if now.write_over(Some(&read), queue, job).await? {
            bus.clear(job).await?;
        }
    }
    Ok(Some(before))
}

/// The outcome of a request to resume a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Resumed {
    /// The job is queued again, to resume where it stopped.
    Now,
    /// Resuming isn't needed: the job has this status.
    Not(Status),
    /// The job's document is not kept any more: the job has to be submitted with its sources.
    Gone,
}

/// Queues a failed job again, as submitted, or a job whose submission was cut short before queueing. Returns none for a
/// job that was never submitted.
///
/// # Errors
///
/// Errors of the queue.
pub async fn resume(queue: &dyn JobQueue, id: JobId) -> bus::Result<Option<Resumed>> {
    let Some(before) = state(queue, id).await? else { return Ok(None) };
    let has_failed = before.status.reason().is_some();
    if !has_failed && before.status != Status::Queued {
        return Ok(Some(Resumed::Not(before.status)));
    }
    let Some(job) = queue.document(id).await? else { return Ok(Some(Resumed::Gone)) };
    if !has_failed {
        let was_missing = queue.submit(&job).await?;
        return Ok(Some(if was_missing { Resumed::Now } else { Resumed::Not(before.status) }));
    }
    before.again(&job).begin(queue, id).await?;
    // The last holder may not have released the job yet.
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
    prepared: &PreparedJob,
    problems: &[Problem],
    id: JobId,
    term: Option<u64>,
) -> Result<bool, StoreError> {
    let input = InputNotes { extra: prepared.extra.clone(), problems: problems.to_vec() };
    let input = Bytes::from(wire::encode(&input));
    if let Some(term) = term {
        // Written before all else: cleanup must see that this job hasn't ended, and finds the rest of a submission cut
        // short by its state.
        let mut state = State { term, ..State::new(&prepared.job, Some(BlobId::of_bytes(&input))) };
        // An earlier request for cancellation would end the job again, if a coordinator claims it now.
        queue.withdraw(id).await?;
        state.begin(queue, id).await?;
    }
    bus.put(id, input).await?;
    prepared.store(bus).await?;
    Ok(queue.submit(&prepared.job).await?)
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{
        bus::local::{LocalBus, LocalOptions},
        settings::JobSettings,
        survey::{SurveySettings, SurveyStage},
    };

    use super::*;
    use crate::{prepare::prepare, survey::SurveyTemplate};

    struct Bench {
        bus: LocalBus,
        prepared: PreparedJob,
        _folder: tempfile::TempDir,
    }

    fn bench() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("corpus.jsonl");
        let line = r#"{"title": "Mills", "papers": [{"title": "A mill", "txt": "A mill grinds corn by water."}]}"#;
        std::fs::write(&path, line).unwrap();
        let template = SurveyTemplate(SurveySettings::default());
        let prepared = prepare(&[path], None, &template, &JobSettings::default(), 1).unwrap().jobs.remove(0);
        let bus = LocalBus::open(&folder.path().join("state"), LocalOptions::default()).unwrap();
        Bench { bus, prepared, _folder: folder }
    }

    #[tokio::test]
    async fn a_submission_that_was_cut_short_can_be_called_off() {
        let Bench { bus, prepared, .. } = &bench();
        let id = prepared.job.id;
        let queued = State::new(&prepared.job, None);
        bus.set_state(id, wire::encode(&queued).into()).await.unwrap();
        let blob = bus.put(id, "a source".into()).await.unwrap();
        assert_eq!(resume(bus, id).await.unwrap(), Some(Resumed::Gone));
        assert_eq!(cancel(bus, bus, id).await.unwrap(), Some(queued));
        assert_eq!(state(bus, id).await.unwrap().unwrap().status, Status::Cancelled);
        assert!(bus.get(id, blob).await.is_err());
    }

    #[tokio::test]
    async fn a_job_that_waits_ends_when_it_is_called_off_and_whoever_takes_it_is_told() {
        let Bench { bus, prepared, .. } = &bench();
        let id = prepared.job.id;
        submit(bus, bus, prepared, &[], false).await.unwrap();
        cancel(bus, bus, id).await.unwrap();
        bus.cancelled(id).await.unwrap();
        assert_eq!(state(bus, id).await.unwrap().unwrap().status, Status::Cancelled);
        assert_eq!(resume(bus, id).await.unwrap(), Some(Resumed::Not(Status::Cancelled)));
    }

    #[tokio::test]
    async fn a_job_that_goes_on_was_submitted_when_it_was_and_is_where_it_was() {
        let Bench { bus, prepared, .. } = &bench();
        let id = prepared.job.id;
        submit(bus, bus, prepared, &[], false).await.unwrap();
        let mut failed = state(bus, id).await.unwrap().unwrap();
        failed.status = Status::Failed { reason: "it fell".into() };
        failed.submitted = 5;
        failed.progress.stages.entry(SurveyStage::Group.into()).or_default().ended = 3;
        bus.set_state(id, wire::encode(&failed).into()).await.unwrap();
        // It is out: its holder fell before it let go.
        let (resumed, _claim) = tokio::join!(resume(bus, id), bus.claim());
        assert_eq!(resumed.unwrap(), Some(Resumed::Now));
        let now = state(bus, id).await.unwrap().unwrap();
        assert_eq!((now.status, now.submitted, now.progress), (Status::Queued, 5, failed.progress));
    }
}
