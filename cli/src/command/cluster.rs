//! What the commands of a cluster share: the way there, and jobs by the beginning of their ids.

use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use tokio::runtime::{self, Runtime};
use tributary_coordinator::service::{State, Status, states};
use tributary_protocol::{
    bus::{
        JobQueue,
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

/// Connects to NATS as this role. Whatever is wrong there will be wrong again: the address, the login, JetStream or a
/// stream is at fault.
pub async fn connect(config: &Config, role: &str) -> Result<Arc<NatsBus>, Failure> {
    let nats = &config.execution.nats;
    let options = NatsOptions { name: format!("{} {role}", nats.name), ..nats.clone() };
    Ok(Arc::new(NatsBus::connect(options).await.context("the cluster can't be used").or_exit(Exit::BadInput)?))
}

/// Where NATS is, without the secrets that an address may hold.
pub fn place(config: &Config) -> String {
    let hidden = |url: &str| match url.trim().rsplit_once('@') {
        Some((login, host)) => match login.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://{host}"),
            None => host.to_owned(),
        },
        None => url.trim().to_owned(),
    };
    config.execution.nats.url.split(',').map(hidden).collect::<Vec<_>>().join(",")
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
    let found = matching.next().ok_or_else(|| anyhow!("there is no job {typed}; `tributary list` shows all"))?;
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
    use tributary_protocol::{id::Hasher, job::Job, settings::Settings};

    use super::*;

    #[test]
    fn a_job_is_found_by_the_beginning_of_its_id() {
        let job = Job::new("Rust".into(), Settings::default(), 0, Vec::new());
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
