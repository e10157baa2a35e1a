//! A job held by this coordinator, from its claim to its end.

use std::{sync::Arc, time::Instant};

use futures::StreamExt;
use tokio::sync::watch;
use tracing::Instrument as _;
use tributary_protocol::{
    bus::{self, BusError, Claim},
    id::JobId,
    job::{Job, Progress},
    process, wire,
};

use super::{
    kept_result::{self, KeepingSink},
    measure,
    shared::{PAUSE, Shared},
    state::{State, Status, state},
    sweep,
};
use crate::{
    actor::JobError,
    artifact::{ArtifactError, ResultSummary},
    engine::Machine,
    prepare::InputNotes,
    trace,
};

/// Why a job is let go.
enum End {
    Done(ResultSummary),
    Model(String),
    Failed(String),
    Cancelled,
    /// Another coordinator holds the job.
    Lost,
    /// This coordinator stops.
    Stopping,
    Bus(BusError),
}

impl From<BusError> for End {
    /// Missing or unreadable data fails the job: every coordinator would meet the same error, and waiting doesn't help.
    fn from(error: BusError) -> Self {
        match error {
            BusError::NoBlob(_) | BusError::Wire(_) => Self::Failed(error.to_string()),
            BusError::Unavailable { .. } | BusError::Unusable { .. } | BusError::InUse { .. } => Self::Bus(error),
        }
    }
}

/// Runs a claimed job while renewing its lease.
pub(super) async fn hold(shared: Arc<Shared>, claim: Claim) {
    let job = claim.job.clone();
    let end = tokio::select! {
        end = see_to(&shared, &job).instrument(trace::held(job.id)) => end,
        never = signs_of_life(&claim) => never,
    };
    let let_go = match end {
        End::Lost => {
            tracing::info!(job = %job.id, "another coordinator has taken the job over");
            return claim.abandon();
        }
        End::Stopping => claim.requeue_after(std::time::Duration::ZERO).await,
        End::Bus(error) => {
            tracing::warn!(job = %job.id, %error, "the bus failed; requeueing the job");
            claim.requeue_after(PAUSE).await
        }
        End::Done(_) | End::Model(_) | End::Failed(_) | End::Cancelled => claim.acknowledge().await,
    };
    if let Err(error) = let_go {
        tracing::warn!(job = %job.id, %error, "failed to release the job; it will be redelivered when its lease expires");
    }
}

/// Renews the lease three times as often as the queue needs; never returns.
async fn signs_of_life(claim: &Claim) -> End {
    loop {
        tokio::time::sleep(claim.lease() / 3).await;
        if let Err(error) = claim.extend_lease().await {
            tracing::warn!(job = %claim.job.id, %error, "failed to renew the job's lease");
        }
    }
}

/// Takes the job, runs it, and records its end.
async fn see_to(shared: &Arc<Shared>, job: &Arc<Job>) -> End {
    let mut mine = match take(shared, job).await {
        Ok(mine) => mine,
        Err(end) => return end,
    };
    tracing::info!(job = %job.id, title = job.title(), term = mine.term, holder = mine.holder, "took a job");
    let (me, mut stopping) = (mine.clone(), shared.stopping.clone());
    let end = tokio::select! {
        biased;
        lost = rival(shared, job.id, &me) => lost,
        _ = stopping.wait_for(|stop| *stop) => End::Stopping,
        wished = shared.queue.cancelled(job.id) => wished.map_or_else(End::Bus, |()| End::Cancelled),
        end = work(shared, job, &mut mine) => end,
    };
    match conclude(shared, job.id, mine, &end).await {
        Ok(true) => end,
        Ok(false) => End::Lost,
        Err(error) => End::Bus(error),
    }
}

/// Records this coordinator as the holder, unless the job has ended or has another holder. A job that has ended may
/// still be delivered if the queue missed the acknowledgement.
async fn take(shared: &Shared, job: &Job) -> Result<State, End> {
    let read = state(&*shared.queue, job.id).await?;
    let mut mine = read.clone().unwrap_or_else(|| State::new(job, None));
    match &mine.status {
        Status::Done(summary) if shared.queue.result(job.id, kept_result::INDEX).await?.is_some() => {
            shared.bus.clear_work(job.id).await?;
            return Err(End::Done(summary.clone()));
        }
        Status::ModelFailed { reason } => return Err(End::Model(reason.clone())),
        Status::Failed { reason } => return Err(End::Failed(reason.clone())),
        Status::Cancelled => {
            // The job was cancelled without a holder. Its last tasks may have left data since.
            shared.bus.clear(job.id).await?;
            sweep::later(shared.bus.clone(), shared.queue.clone(), job.id);
            return Err(End::Cancelled);
        }
        Status::Queued | Status::Running | Status::Done(_) => {}
    }
    mine.taken_by(name());
    let written = mine.write_over(read.as_ref(), &*shared.queue, job.id).await?;
    written.then_some(mine).ok_or(End::Lost)
}

/// Returns the holder's name for people, `coordinator-0 7 1f9c03ab`. Every claim has a name of its own, so that the
/// later of two holders can be told.
fn name() -> String {
    format!("{} {:08x}", process::name(), rand::random::<u32>())
}

/// Returns once another coordinator has taken the job.
async fn rival(shared: &Shared, job: JobId, me: &State) -> End {
    let mut states = match shared.queue.watch(job).await {
        Ok(states) => states,
        Err(error) => return error.into(),
    };
    while let Some(state) = states.next().await {
        match state.map(|bytes| wire::decode::<State>(&bytes)) {
            Ok(Ok(theirs)) if theirs.is_later_than(me) => return End::Lost,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%job, %error, "failed to decode a job's state"),
            Err(error) => return error.into(),
        }
    }
    std::future::pending().await
}

/// Runs the job and keeps its result.
async fn work(shared: &Shared, job: &Arc<Job>, mine: &mut State) -> End {
    if let Some(reason) = mine.is_hopeless() {
        return End::Failed(reason);
    }
    let began = Instant::now();
    let input = match mine.input {
        Some(blob) => shared.bus.get(job.id, blob).await.and_then(|bytes| Ok(wire::decode::<InputNotes>(&bytes)?)),
        None => Ok(InputNotes::default()),
    };
    let input = input.unwrap_or_else(|error| {
        tracing::warn!(job = %job.id, %error, "failed to read the notes on the input; the report will lack them");
        InputNotes::default()
    });
    let (progress, updates) = watch::channel(mine.progress.clone());
    let run = tokio::select! {
        run = shared.coordinator.run(job.clone(), progress) => run,
        never = tell(shared, job.id, mine, updates) => return never,
    };
    let machine = match run {
        Ok(ran) => ran.machine,
        Err(JobError::Model(reason)) => return End::Model(reason),
        Err(JobError::Bus(error)) => return error.into(),
        Err(JobError::Crashed(reason)) => return End::Failed(reason),
        Err(JobError::Interrupted) => return End::Stopping,
    };
    mine.is_at(machine.progress().clone());
    let reduced = trace::reduced(job.id);
    match keep_result(shared, job.id, &*machine, input, began).instrument(reduced).await {
        Ok(summary) => End::Done(summary),
        Err(ArtifactError::Bus(error)) => error.into(),
        Err(error) => End::Failed(error.to_string()),
    }
}

/// Makes the artifacts of a finished job, and keeps them.
async fn keep_result(
    shared: &Shared,
    job: JobId,
    machine: &dyn Machine,
    input: InputNotes,
    began: Instant,
) -> Result<ResultSummary, ArtifactError> {
    let mut sink = KeepingSink::new(&*shared.queue, job);
    let summary = machine.make_result(&*shared.bus, input, began.elapsed(), &mut sink).await?;
    sink.finish().await?;
    Ok(summary)
}

/// Writes the job's progress to its state at bounded intervals; returns only on an error or a lost job.
async fn tell(shared: &Shared, job: JobId, mine: &mut State, mut updates: watch::Receiver<Progress>) -> End {
    while updates.changed().await.is_ok() {
        mine.is_at(updates.borrow_and_update().clone());
        match mine.write(&*shared.queue, job).await {
            Ok(true) => {}
            Ok(false) => return End::Lost,
            Err(error) => return error.into(),
        }
        tokio::time::sleep(shared.options.state_every).await;
    }
    std::future::pending().await
}

/// Records the end of the job and clears data that nothing needs any more. Returns false if another coordinator has
/// taken the job by then.
async fn conclude(shared: &Arc<Shared>, job: JobId, mut mine: State, end: &End) -> bus::Result<bool> {
    let over = matches!(end, End::Done(_) | End::Cancelled);
    mine.status = match end {
        End::Done(summary) => Status::Done(summary.clone()),
        End::Model(reason) => Status::ModelFailed { reason: reason.clone() },
        End::Failed(reason) => Status::Failed { reason: reason.clone() },
        End::Cancelled => Status::Cancelled,
        End::Stopping => Status::Queued,
        End::Bus(error) => {
            mine.trouble = Some(error.to_string());
            return mine.write(&*shared.queue, job).await;
        }
        End::Lost => return Ok(true),
    };
    tracing::info!(%job, status = %mine.status, "released a job");
    if !mine.write(&*shared.queue, job).await? {
        return Ok(false);
    }
    measure::let_go(job, &mine);
    match end {
        // The kept result refers to the sources' texts.
        End::Done(_) => shared.bus.clear_work(job).await?,
        End::Cancelled => shared.bus.clear(job).await?,
        _ => {}
    }
    if over {
        sweep::later(shared.bus.clone(), shared.queue.clone(), job);
    }
    Ok(true)
}
