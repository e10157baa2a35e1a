//! Code shared by the commands of a cluster: connecting to NATS, and finding jobs by the beginning of the id.

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

/// The fewest digits of an id that a user may type.
const SHORTEST: usize = 6;

pub fn runtime() -> Result<Runtime, Failure> {
    Ok(runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the async runtime")?)
}

/// Connects to NATS for a command with a waiting user.
pub async fn connect(config: &Config, command: &str) -> Result<Arc<NatsBus>, Failure> {
    bus_of(config, command).await.map_err(unusable)
}

/// Connects to NATS for a role. Retries until NATS is reachable and has everything that a coordinator creates.
pub async fn connect_in_time(config: &Config, role: &str) -> Result<Arc<NatsBus>, Failure> {
    let mut pause = Duration::from_secs(1);
    loop {
        match bus_of(config, role).await {
            Err(error @ BusError::Unavailable { .. }) => {
                tracing::warn!(%error, ?pause, "the cluster is not available yet; retrying");
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
    // An unusable server needs a fix of the settings or the server; an unreachable server may come back.
    let exit = if matches!(error, BusError::Unusable { .. }) { Exit::BadInput } else { Exit::Failed };
    Failure { exit, error: anyhow::Error::from(error).context("failed to connect to the cluster") }
}

/// Finds the only job with this beginning of its id.
pub async fn find(queue: &dyn JobQueue, typed: &str) -> Result<(JobId, State), Failure> {
    one(states(queue).await.context("failed to list the jobs")?, typed).or_exit(Exit::BadInput)
}

fn one(states: Vec<(JobId, State)>, typed: &str) -> anyhow::Result<(JobId, State)> {
    let typed = typed.trim().to_ascii_lowercase();
    if typed.len() < SHORTEST || !typed.chars().all(|c| c.is_ascii_hexdigit()) {
        bail!("`{typed}` is no job id; type at least {SHORTEST} hexadecimal digits");
    }
    let mut matching = states.into_iter().filter(|(job, _)| job.to_string().starts_with(&typed));
    let found = matching
        .next()
        .ok_or_else(|| anyhow!("there is no job {typed}; `tributary list` shows all that are kept (nats.retention)"))?;
    match matching.count() {
        0 => Ok(found),
        others => bail!("{} job ids begin with {typed}; type more digits", others + 1),
    }
}

/// Returns the exit code for a job with this status.
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
