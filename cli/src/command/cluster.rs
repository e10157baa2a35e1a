//! What the commands of a cluster share: the way there, and jobs by the beginning of their ids.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use tokio::runtime::{self, Runtime};
use tributary_coordinator::service::{State, Status, states};
use tributary_protocol::{
    bus::{
        BusError, JobQueue,
        nats::{NatsBus, NatsOptions},
    },
    id::JobId,
};

use crate::{
    exit::{Exit, Failure, OrExit},
    settings::Config,
};

/// So much of an id tells jobs apart well enough to be typed.
const SHORTEST: usize = 6;

pub fn runtime() -> Result<Runtime, Failure> {
    Ok(runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?)
}

/// Connects to NATS for a command that somebody waits for.
pub async fn connect(config: &Config, command: &str) -> Result<Arc<NatsBus>, Failure> {
    bus_of(config, command).await.map_err(unusable)
}

/// Connects to NATS for a role, which has time: until NATS is there, and all that a coordinator makes in it.
pub async fn connect_in_time(config: &Config, role: &str) -> Result<Arc<NatsBus>, Failure> {
    let mut pause = Duration::from_secs(1);
    loop {
        match bus_of(config, role).await {
            Err(error @ BusError::Unavailable { .. }) => {
                tracing::warn!(%error, ?pause, "the cluster can't be had yet; trying again");
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(Duration::from_secs(15));
            }
            ended => return ended.map_err(unusable),
        }
    }
}

async fn bus_of(config: &Config, who: &str) -> Result<Arc<NatsBus>, BusError> {
    let nats = &config.execution.nats;
    let options = NatsOptions { name: format!("{} {who}", nats.name), ..nats.clone() };
    NatsBus::connect(options).await.map(Arc::new)
}

fn unusable(error: BusError) -> Failure {
    // Settings or the server have to be mended; a server that is away may come back.
    let exit = if matches!(error, BusError::Unusable { .. }) { Exit::BadInput } else { Exit::Failed };
    Failure { exit, error: anyhow::Error::from(error).context("the cluster can't be used") }
}

/// The one job whose id begins so.
pub async fn find(queue: &dyn JobQueue, typed: &str) -> Result<(JobId, State), Failure> {
    one(states(queue).await.context("the jobs can't be listed")?, typed).or_exit(Exit::BadInput)
}

fn one(states: Vec<(JobId, State)>, typed: &str) -> anyhow::Result<(JobId, State)> {
    let typed = typed.trim().to_ascii_lowercase();
    if typed.len() < SHORTEST || !typed.chars().all(|c| c.is_ascii_hexdigit()) {
        bail!("`{typed}` is no job: at least {SHORTEST} digits of its id are needed");
    }
    let mut matching = states.into_iter().filter(|(job, _)| job.to_string().starts_with(&typed));
    let found = matching
        .next()
        .ok_or_else(|| anyhow!("there is no job {typed}; `tributary list` shows all that are kept (nats.retention)"))?;
    match matching.count() {
        0 => Ok(found),
        others => bail!("{typed} begins the ids of {} jobs", others + 1),
    }
}

/// The exit code of a job that has ended so.
pub fn exit(status: &Status) -> Exit {
    match status {
        Status::Done(_) => Exit::Done,
        Status::ModelFailed { .. } => Exit::ModelFailed,
        Status::Failed { .. } | Status::Cancelled | Status::Queued | Status::Running => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{
        id::Hasher,
        job::Job,
        settings::JobSettings,
        survey::{SurveyRequest, SurveySettings},
    };

    use super::*;

    #[test]
    fn a_job_is_found_by_the_beginning_of_its_id() {
        let job =
            Job::new(SurveyRequest::new("Rust", SurveySettings::default()), JobSettings::default(), 0, Vec::new());
        let other = JobId::of(&Hasher::new("other"));
        let states = || vec![(job.id, State::new(&job, None)), (other, State::new(&job, None))];
        let id = job.id.to_string();
        assert_eq!(one(states(), &id).unwrap().0, job.id);
        assert_eq!(one(states(), &id[..6].to_uppercase()).unwrap().0, job.id);
        for (bad, reason) in [(&id[..5], "at least 6"), ("not hexadecimal", "no job"), ("ffffffffff", "no job fff")] {
            let error = one(states(), bad).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
