//! How a job stands, as its coordinator writes it down and all others read it.

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

/// All that is known of a job from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub title: String,
    pub sources: u64,
    pub status: Status,
    pub progress: Progress,
    /// When it was submitted, and when it last changed, in seconds since 1970.
    pub submitted: u64,
    pub changed: u64,
    /// Where what the job itself doesn't say of its input is kept.
    pub input: Option<BlobId>,
    /// Who holds it, and for the how-manieth time it is held: of two holders the later one is right.
    pub holder: String,
    pub term: u64,
    /// How many holders in a row let it fall before more of its tasks had ended than ever before, and how many that is.
    #[serde(default)]
    pub falls: u32,
    #[serde(default)]
    pub furthest: u64,
    /// Why the last of them that said a word had to let it go.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// So many holders in a row may let a job fall that gets no further. Then it is the job that they fall over.
const MOST_FALLS: u32 = 9;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It waits for a coordinator.
    Queued,
    Running,
    /// Its result is kept.
    Done(ResultSummary),
    /// It goes on where it was when it is submitted again.
    ModelFailed {
        reason: String,
    },
    /// The same.
    Failed {
        reason: String,
    },
    Cancelled,
}

impl State {
    /// Of a job that has just been submitted.
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

    /// Of one that goes on after it has stopped: where it is, but with another chance.
    pub(super) fn again(self, job: &Job) -> Self {
        let Self { progress, submitted, term, .. } = self;
        Self { progress, submitted, term, ..Self::new(job, self.input) }
    }

    /// Whether it has stood as it stands for so long.
    pub(super) fn is_unchanged_for(&self, time: Duration) -> bool {
        now().saturating_sub(self.changed) >= time.as_secs()
    }

    /// Another holder takes it.
    pub(super) fn taken_by(&mut self, holder: String) {
        if self.status == Status::Running {
            self.falls += 1;
        }
        self.status = Status::Running;
        self.term += 1;
        self.holder = holder;
    }

    /// How far its holder is.
    pub(super) fn is_at(&mut self, progress: Progress) {
        let ended = progress.ended();
        if ended > self.furthest {
            (self.furthest, self.falls, self.trouble) = (ended, 0, None);
        }
        self.progress = progress;
    }

    /// Why it isn't worth another holder, if it isn't.
    pub(super) fn is_hopeless(&self) -> Option<String> {
        let why = match &self.trouble {
            Some(trouble) => format!("had to let it go, the last for this: {trouble}"),
            None => {
                "ended without a word while they held it: see their logs, and how much memory they may use".to_owned()
            }
        };
        (self.falls > MOST_FALLS).then(|| {
            format!(
                "{} coordinators in a row got no further with it and {why}; `tributary resume` makes it go on",
                self.falls
            )
        })
    }

    /// Writes it down, whatever is written there.
    pub(super) async fn begin(&mut self, queue: &dyn JobQueue, job: JobId) -> bus::Result<()> {
        self.changed = now();
        queue.set_state(job, wire::encode(self).into()).await
    }

    /// Writes it down, unless a later holder has written: then this one's word counts no more, and false is returned.
    pub(super) async fn write(&mut self, queue: &dyn JobQueue, job: JobId) -> bus::Result<bool> {
        self.replace(queue, job, |mine, theirs| !theirs.is_later_than(mine)).await
    }

    /// The same, but the job must not have ended since it was `read`: its last holder may write that at any time, and
    /// clears it then.
    pub(super) async fn write_over(
        &mut self,
        read: Option<&Self>,
        queue: &dyn JobQueue,
        job: JobId,
    ) -> bus::Result<bool> {
        let has_not_ended = |theirs: &Self| !theirs.status.has_ended() || Some(theirs) == read;
        self.replace(queue, job, |mine, theirs| !theirs.is_later_than(mine) && has_not_ended(theirs)).await
    }

    /// Writes it down if what is written gives way; what can't be read does.
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

    /// Whether its holder took the job after the other's did. Of two that took it at once one has to be the later.
    pub(super) fn is_later_than(&self, other: &Self) -> bool {
        (self.term, &self.holder) > (other.term, &other.holder)
    }
}

impl Status {
    /// All that [`Status::name`] may be of a job that has ended.
    pub const ENDS: [&str; 4] = ["done", "model failed", "failed", "cancelled"];

    /// Whether nothing more will happen by itself.
    pub fn has_ended(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// In a word or two.
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

    /// Why the job failed, if it did.
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

/// How a job stands. None of one that was never submitted.
///
/// # Errors
///
/// The queue's, and a state that this build can't read.
pub async fn state(queue: &dyn JobQueue, job: JobId) -> bus::Result<Option<State>> {
    Ok(queue.state(job).await?.map(|bytes| wire::decode(&bytes)).transpose()?)
}

/// How all jobs stand that this build can read, the latest last.
///
/// # Errors
///
/// The queue's.
pub async fn states(queue: &dyn JobQueue) -> bus::Result<Vec<(JobId, State)>> {
    let mut states: Vec<(JobId, State)> = Vec::new();
    for (job, bytes) in queue.states().await? {
        match wire::decode(&bytes) {
            Ok(state) => states.push((job, state)),
            Err(error) => tracing::warn!(%job, %error, "how a job stands can't be read"),
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
