//! `tributary doctor`: checks everything that jobs need.

use std::fmt::Display;

use tributary_coordinator::service::{Status, states};
use tributary_protocol::bus::{BusError, BusProblem, nats::NatsBus};
use tributary_worker::{
    model::{ModelError, try_out},
    perform::{ModelRegistry, ServedModel},
};

use super::{cluster, load};
use crate::{
    args::SettingsArgs,
    exit::{Exit, Failure, OrExit},
    settings::Loaded,
    terminal::Terminal,
};

/// A failed check and the remedy.
struct Ailment {
    wrong: String,
    remedy: &'static str,
}

type Finding = Result<String, Ailment>;

/// Runs the checks and prints one line per check.
pub fn run(flags: &SettingsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = load(flags)?;
    let models = loaded.config.connect_when_named().or_exit(Exit::BadInput)?;
    cluster::runtime()?.block_on(async {
        let mut findings = nats(&loaded).await;
        for name in loaded.config.models() {
            findings.push(model(&models, name).await);
        }
        findings.iter().for_each(|finding| terminal.print(line(finding)));
        Ok(if findings.iter().all(Result::is_ok) { Exit::Done } else { Exit::Failed })
    })
}

fn line(finding: &Finding) -> String {
    match finding {
        Ok(well) => format!("ok      {well}"),
        Err(Ailment { wrong, remedy }) => format!("failed  {wrong}\n        {remedy}"),
    }
}

fn ailment(wrong: impl Display, remedy: &'static str) -> Finding {
    Err(Ailment { wrong: wrong.to_string(), remedy })
}

async fn nats(loaded: &Loaded) -> Vec<Finding> {
    let Loaded { config, .. } = loaded;
    if !loaded.names_nats() {
        return vec![Ok("NATS: none is set (TRIBUTARY_NATS_URL); `tributary run` needs none".to_owned())];
    }
    match NatsBus::connect(config.execution.nats.clone()).await {
        Ok(bus) => {
            let all = ["it answers and takes this login", "JetStream is on", "streams and consumers are right"];
            let well = all.iter().map(|well| Ok(format!("NATS: {}: {well}", config.execution.nats.place())));
            well.chain(waiting_jobs(&bus).await).collect()
        }
        Err(error) => vec![ailment(format!("NATS: {error}"), remedy(&error))],
    }
}

/// Returns a failed check for every job that waits for a worker.
async fn waiting_jobs(bus: &NatsBus) -> Vec<Finding> {
    let jobs = match states(bus).await {
        Ok(jobs) => jobs,
        Err(error) => {
            return vec![ailment(format!("failed to list the jobs: {error}"), "allow this login to read the jobs")];
        }
    };
    let running = jobs.iter().filter(|(_, state)| state.status == Status::Running);
    let waiting = running.filter_map(|(job, state)| {
        let reason = state.progress.waits_for.as_ref()?;
        let remedy = "start a worker that serves what the message names, or cancel the job and submit it for a model that \
                      is served";
        Some(ailment(format!("job {job}, {}, waits: {reason}", state.title), remedy))
    });
    waiting.collect()
}

fn remedy(error: &BusError) -> &'static str {
    let Some(problem) = error.problem() else { return "see the message above" };
    match problem {
        BusProblem::Address { .. } | BusProblem::Unreachable { .. } => {
            "check that a server runs at nats.url (or TRIBUTARY_NATS_URL) and that the network lets connections through"
        }
        BusProblem::Prefix { .. } => "choose another nats.prefix",
        BusProblem::Tls { .. } => "check nats.tls: the authority that signed the server's certificate must be known",
        BusProblem::LoginRefused | BusProblem::Credentials { .. } => {
            "set nats.auth: a user and password, a token, an nkey or a credentials file that this server knows"
        }
        BusProblem::ServerTooOld { .. } => "upgrade nats-server on every server of the cluster",
        BusProblem::JetStreamOff | BusProblem::JetStreamRefused { .. } | BusProblem::JetStreamSilent { .. } => {
            "start the server with JetStream (nats-server -js, or a `jetstream` section), and allow it to this account"
        }
        BusProblem::OtherShape { .. } => {
            "these names are taken: choose another nats.prefix, or delete the streams if nobody uses them"
        }
        BusProblem::NotCreated { .. } => {
            "start a coordinator, which creates the streams; a coordinator's account must be allowed to create streams, \
             and nats.replicas must not exceed the number of servers"
        }
        BusProblem::NotChanged { .. } => {
            "allow this account to update streams and consumers, and set nats.replicas to at most the number of servers; \
             or unset nats.adjust to use the streams and consumers unchanged"
        }
        BusProblem::OtherFiles | BusProblem::OtherLayout { .. } | BusProblem::Damaged { .. } | BusProblem::Other(_) => {
            "see the message above and the server's log"
        }
    }
}

async fn model(models: &ModelRegistry, name: &str) -> Finding {
    let connected = match models.get(name) {
        Ok(ServedModel::Extractive) => {
            return Ok(format!("{name}: quotes the sources in this process; needs no server"));
        }
        Ok(ServedModel::Model(connected)) => connected,
        Err(reason) => return ailment(reason, "set the variable or setting named above"),
    };
    match try_out(&*connected.model).await {
        Ok(trial) if trial.fits => Ok(format!("{name}: answers; replies are shaped {}", trial.shaping)),
        Ok(trial) => ailment(
            format!("{name}: answers, but the reply doesn't match the requested schema ({})", trial.shaping),
            "many replies will need a fallback: choose a model that follows a JSON schema",
        ),
        Err(error) => ailment(
            &error,
            match error {
                ModelError::Unavailable { .. } => "check that a server runs at OPENAI_BASE_URL or gemini.base",
                ModelError::RateLimited { .. } => "check the quota; otherwise retry later, or set [limits]",
                ModelError::Fatal { .. } => "check the key, the model's name and the quota",
                _ => "choose another model",
            },
        ),
    }
}
