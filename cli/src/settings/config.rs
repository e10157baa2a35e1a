//! All settings, with their meaning.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tributary_protocol::{
    answer::AnswerSettings,
    bus::nats::NatsOptions,
    settings::{JobSettings, Models},
    survey::SurveySettings,
};
use tributary_worker::{model::ModelName, perform::Patience};

use super::{cluster::Cluster, secret::Secret};

/// All settings. In the file the keys of `job` and `execution` stand side by side, those of a pipeline in a table of its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The settings that every job's result depends on.
    pub job: JobSettings,
    /// The settings that articles depend on.
    pub survey: SurveySettings,
    /// The settings that answers depend on.
    pub answer: AnswerSettings,
    /// The settings that no result depends on.
    pub execution: Execution,
}

/// How and where the work is done. Of all this only the seed can change an article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Execution {
    /// The folder of articles, reports and state.
    pub out: PathBuf,
    /// The only source of chance.
    pub seed: u64,
    /// The most calls at a time; 0 leaves the choice to [`Config::concurrency`].
    pub concurrency: u32,
    /// A call that takes longer than this share of recent ones of its kind is made a second time, where `limits` have room
    /// for it, and the first answer is taken; both are paid for. 0 makes none twice.
    pub hedge: f64,
    pub openai: Endpoint,
    pub gemini: Endpoint,
    pub timeouts: Timeouts,
    pub limits: Limits,
    /// What models cost, by their full names.
    pub prices: BTreeMap<String, Price>,
    /// The address that health and metrics are served at, such as `0.0.0.0:9090`; none where it is empty or `off`.
    pub listen: String,
    pub nats: NatsOptions,
    pub cluster: Cluster,
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            out: "tributary-out".into(),
            seed: 0,
            concurrency: 0,
            hedge: 0.0,
            openai: Endpoint::default(),
            gemini: Endpoint::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            prices: BTreeMap::new(),
            listen: "0.0.0.0:9090".to_owned(),
            nats: NatsOptions::default(),
            cluster: Cluster::default(),
        }
    }
}

/// Where a kind of model server is, and the key to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// The base address; the provider's own where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    #[serde(skip_serializing)]
    pub key: Option<Secret>,
}

/// How long a server may take, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: f64,
    /// For a call in all.
    pub call: f64,
    /// For a silence, before the answer or within it.
    pub stall: f64,
    /// For a model that has answered, and answers nobody any more. Of a worker's, for one that has never answered as well.
    pub outage: f64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: 15.0, call: 900.0, stall: 300.0, outage: 600.0 }
    }
}

/// The ceilings of the models' provider; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub in_flight: u32,
    pub requests_per_minute: u32,
    pub tokens_per_minute: u64,
}

/// What a model costs, in US dollars a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub prompt: f64,
    pub reply: f64,
    /// Of prompt tokens that the server had in its prefix cache; as `prompt` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_prompt: Option<f64>,
}

impl Config {
    /// The most calls at a time where nobody said: the processor's cores where it does the model's work, else this.
    const REMOTE_CONCURRENCY: u32 = 16;

    /// The most calls at a time, at least 1.
    pub fn concurrency(&self) -> u32 {
        match self.execution.concurrency {
            0 if self.job.models.all().all(|model| model == Models::EXTRACTIVE) => {
                thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
            }
            0 => Self::REMOTE_CONCURRENCY,
            asked => asked,
        }
    }

    /// The most tasks that a worker of a cluster does at a time. Its own settings don't tell which models it is asked for.
    pub fn worker_concurrency(&self) -> u32 {
        match self.execution.concurrency {
            0 => Self::REMOTE_CONCURRENCY,
            asked => asked,
        }
    }

    /// What is tried again, and how often.
    pub fn patience(&self) -> Patience {
        let outage = Duration::from_secs_f64(self.execution.timeouts.outage);
        Patience { hedge: self.execution.hedge, outage, ..Patience::default() }
    }

    /// The models that a run may call, each once.
    pub fn models(&self) -> BTreeSet<&str> {
        self.job.models.all().collect()
    }

    /// Says which value can't be worked with, naming the setting.
    pub(super) fn check(&self) -> Result<(), String> {
        self.job.check()?;
        self.survey.check(self.job.window)?;
        self.answer.check(self.job.window)?;
        for model in self.models() {
            model.parse::<ModelName>().map_err(|error| format!("models: {error}"))?;
        }
        let Execution { hedge, timeouts, prices, .. } = &self.execution;
        if !(0.0..1.0).contains(hedge) {
            return Err(format!("hedge is {hedge}; a share below 1 is needed, or 0"));
        }
        let timeouts = [
            ("connect", timeouts.connect),
            ("call", timeouts.call),
            ("stall", timeouts.stall),
            ("outage", timeouts.outage),
        ];
        for (name, seconds) in timeouts {
            if !(seconds > 0.0 && seconds < 1e9) {
                return Err(format!("timeouts.{name} is {seconds}; a number of seconds above 0 is needed"));
            }
        }
        self.execution.cluster.check()?;
        for (model, price) in prices {
            let all = [Some(price.prompt), Some(price.reply), price.cached_prompt];
            if let Some(bad) = all.into_iter().flatten().find(|dollars| !(0.0..1e6).contains(dollars)) {
                return Err(format!("prices.\"{model}\" has {bad}; US dollars a million tokens are needed"));
            }
        }
        Ok(())
    }
}
