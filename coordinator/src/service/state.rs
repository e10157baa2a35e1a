//! The public state of a job: written by its coordinator and read by all others.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tributary_protocol::{
    bus::{self, JobQueue},
    id::{BlobId, JobId},
    job::{Job, Progress},
    wire,
};

use crate::artifact::ResultSummary;

/// The state of a job as seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub title: String,
    pub sources: u64,
    pub status: Status,
    pub progress: Progress,
    /// The time of the submission, in seconds since 1970.
    pub submitted: u64,
    /// The time of the last change, in seconds since 1970.
    pub changed: u64,
    /// The blob of the job's [`InputNotes`](crate::prepare::InputNotes).
    pub input: Option<BlobId>,
    /// The name of the last coordinator that took the job; empty before the first.
    pub holder: String,
    /// The fencing term, raised with every claim: of two holders, the later term is right.
    pub term: u64,
    /// Holders in a row that lost the job without progress beyond `furthest`.
    #[serde(default)]
    pub falls: u32,
    /// The most tasks ever ended.
    #[serde(default)]
    pub furthest: u64,
    /// The error of the last of those holders that reported any.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// The most holders in a row that may lose a job without progress. With more, the job itself is taken for the cause.
const MOST_FALLS: u32 = 9;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The job waits for a coordinator.
    Queued,
    Running,
    /// The job is finished and its result is kept.
    Done(ResultSummary),
    /// The model is unusable. Submitted again, the job resumes where it stopped.
    ModelFailed {
        reason: String,
    },
    /// The job failed. Submitted again, the job resumes where it stopped.
    Failed {
        reason: String,
    },
    Cancelled,
}

impl State {
    /// Returns the state of a newly submitted job.
    pub fn new(job: &Job, input: Option<BlobId>) -> Self {
        let now = now();
        Self {
            title: job.title().to_owned(),
            sources: job.sources.len() as u64,
            status: Status::Queued,
            progress: Progress::default(),
            submitted: now,
            changed: now,
            input,
            holder: String::new(),
            term: 0,
            falls: 0,
            furthest: 0,
            trouble: None,
        }
    }

    /// Returns the state of a resumed job: progress is kept, and failures are counted anew.
    pub(super) fn again(self, job: &Job) -> Self {
        let Self { progress, submitted, term, .. } = self;
        Self { progress, submitted, term, ..Self::new(job, self.input) }
    }

    /// True if the state hasn't changed for at least this time.
    pub(super) fn is_unchanged_for(&self, time: Duration) -> bool {
        now().saturating_sub(self.changed) >= time.as_secs()
    }

    /// Records a new holder.
    pub(super) fn taken_by(&mut self, holder: String) {
        if self.status == Status::Running {
            self.falls += 1;
        }
        self.status = Status::Running;
        self.term += 1;
        self.holder = holder;
    }

    /// Records the progress of the job.
    pub(super) fn is_at(&mut self, progress: Progress) {
        let ended = progress.ended();
        if ended > self.furthest {
            (self.furthest, self.falls, self.trouble) = (ended, 0, None);
        }
        self.progress = progress;
    }

    /// Returns the reason for which a job isn't worth another holder, if there is one.
    pub(super) fn is_hopeless(&self) -> Option<String> {
        let why = match &self.trouble {
            Some(trouble) => format!("the last error was: {trouble}"),
            None => {
                "they ended without reporting an error: see their logs, and how much memory they may use".to_owned()
            }
        };
        (self.falls > MOST_FALLS).then(|| {
            format!(
                "{} coordinators in a row lost the job without progress: {why}; `tributary resume` resumes the job",
                self.falls
            )
        })
    }

    /// Writes the state over any stored state.
    pub(super) async fn begin(&mut self, queue: &dyn JobQueue, job: JobId) -> bus::Result<()> {
        self.changed = now();
        queue.set_state(job, wire::encode(self).into()).await
    }

    /// Writes the state, unless a later holder has written. Returns false in that case: this holder has lost the job.
    pub(super) async fn write(&mut self, queue: &dyn JobQueue, job: JobId) -> bus::Result<bool> {
        self.replace(queue, job, |mine, theirs| !theirs.is_later_than(mine)).await
    }

    /// Writes the state like [`State::write`], but only if the job has not ended since the state was `read`: the last
    /// holder may record the end and clear the job at any time.
    pub(super) async fn write_over(
        &mut self,
        read: Option<&Self>,
        queue: &dyn JobQueue,
        job: JobId,
    ) -> bus::Result<bool> {
        let has_not_ended = |theirs: &Self| !theirs.status.has_ended() || Some(theirs) == read;
        self.replace(queue, job, |mine, theirs| !theirs.is_later_than(mine) && has_not_ended(theirs)).await
    }

    /// Replaces the stored state if `gives_way` allows. An unreadable state is always replaced.
    async fn replace(
        &mut self,
        queue: &dyn JobQueue,
        job: JobId,
        gives_way: impl Fn(&Self, &Self) -> bool + Send + Sync,
    ) -> bus::Result<bool> {
        self.changed = now();
        let mine = &*self;
        let gives_way = |written: Option<&[u8]>| {
            let theirs = written.and_then(|written| wire::decode::<Self>(written).ok());
            theirs.is_none_or(|theirs| gives_way(mine, &theirs))
        };
        queue.replace_state(job, wire::encode(mine).into(), &gives_way).await
    }

    /// True if this holder took the job after the other's holder. The names decide between equal terms, so that one
    /// holder is always the later.
    pub(super) fn is_later_than(&self, other: &Self) -> bool {
        (self.term, &self.holder) > (other.term, &other.holder)
    }
}

impl Status {
    /// The values of [`Status::name`] for jobs that have ended.
    pub const ENDS: [&str; 4] = ["done", "model failed", "failed", "cancelled"];

    /// True if the job won't go on by itself.
    pub fn has_ended(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// Returns the status in a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done(_) => "done",
            Self::ModelFailed { .. } => "model failed",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the reason of a failed job.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::ModelFailed { reason } | Self::Failed { reason } => Some(reason),
            Self::Queued | Self::Running | Self::Done(_) | Self::Cancelled => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// Returns the state of a job; none for a job that was never submitted.
///
/// # Errors
///
/// Errors of the queue, and a state that this build can't read.
pub async fn state(queue: &dyn JobQueue, job: JobId) -> bus::Result<Option<State>> {
    Ok(queue.state(job).await?.map(|bytes| wire::decode(&bytes)).transpose()?)
}

/// Returns the states of all jobs that this build can read, the latest last.
///
/// # Errors
///
/// Errors of the queue.
pub async fn states(queue: &dyn JobQueue) -> bus::Result<Vec<(JobId, State)>> {
    let mut states: Vec<(JobId, State)> = Vec::new();
    for (job, bytes) in queue.states().await? {
        match wire::decode(&bytes) {
            Ok(state) => states.push((job, state)),
            Err(error) => tracing::warn!(%job, %error, "failed to decode a job's state; left out of the list"),
        }
    }
    states.sort_by_key(|(_, state)| state.submitted);
    Ok(states)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{
        bus::local::{LocalBus, LocalOptions},
        settings::JobSettings,
        survey::{SurveyRequest, SurveySettings},
    };

    use super::*;

    #[tokio::test]
    async fn a_job_that_ends_while_another_takes_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let queue = LocalBus::open(folder.path(), LocalOptions::default()).unwrap();
        let request = SurveyRequest::new("Mills", SurveySettings::default());
        let job = Job::new(request, JobSettings::default(), 1, Vec::new());
        let mut first = State::new(&job, None);
        first.taken_by("first".into());
        first.begin(&queue, job.id).await.unwrap();
        let read = state(&queue, job.id).await.unwrap();
        let mut second = State { term: 2, holder: "second".into(), ..first.clone() };

        first.status = Status::Cancelled;
        assert!(first.write(&queue, job.id).await.unwrap());
        assert!(!second.write_over(read.as_ref(), &queue, job.id).await.unwrap());
        assert_eq!(state(&queue, job.id).await.unwrap(), Some(first.clone()));
        // Who has read that it ended knows why it is taken up again.
        assert!(second.write_over(Some(&first), &queue, job.id).await.unwrap());
    }
}
