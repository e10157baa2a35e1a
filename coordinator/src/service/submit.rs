//! Handing a job in, and calling it off.

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
        // Storing again what is there costs little, and heals a submission that was cut short.
        Some(Status::Queued | Status::Running) => {
            store(bus, queue, prepared, problems, id, None).await?;
            return Ok(Submitted::Before);
        }
        _ => {}
    }
    let term = before.map_or(0, |before| before.term);
    let mut new = store(bus, queue, prepared, problems, id, Some(term)).await?;
    if had_ended {
        // Its last holder may be about to let go of it: then the job is out till it has, and goes with what is stored.
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

/// How long a job that has ended may still be out, in [`PAUSE`]s. One that nobody holds is out for good, and is taken.
const LETTING_GO: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

/// Wishes that a job ends, and how it stood then. One that nobody holds ends here and now, and all but that is forgotten of
/// it; one that is over is left alone.
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
    if now.status == Status::Queued || now.status.reason().is_some() {
        let read = now.clone();
        now.status = Status::Cancelled;
        // Whoever takes it meanwhile hears the wish.
        if now.write_over(Some(&read), queue, job).await? {
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

/// Puts a job that has failed into the queue again, as it was submitted, or one that never got there: its submission may
/// have been cut short. None of one that was never submitted.
///
/// # Errors
///
/// The queue's.
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
    prepared: &PreparedJob,
    problems: &[Problem],
    id: JobId,
    term: Option<u64>,
) -> Result<bool, StoreError> {
    let input = InputNotes { extra: prepared.extra.clone(), problems: problems.to_vec() };
    let input = Bytes::from(wire::encode(&input));
    if let Some(term) = term {
        // Before all else: who cleans up must see that this job hasn't ended, and finds by it what is left of one that was cut
        // short.
        let mut state = State { term, ..State::new(&prepared.job, Some(BlobId::of_bytes(&input))) };
        // A wish of before would end it again, if it is out and somebody takes it now.
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
