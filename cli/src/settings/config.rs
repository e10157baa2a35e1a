//! Defines all settings.

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
use tributary_worker::{model::ModelName, perform::RetryPatience};

use super::{cluster::Cluster, secret::Secret};

/// All settings. In the file, the keys of `job` and `execution` stand side by side, and those of a pipeline in a table
/// with the pipeline's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The settings that affect the result of every job.
    pub job: JobSettings,
    /// The settings that affect articles.
    pub survey: SurveySettings,
    /// The settings that affect answers.
    pub answer: AnswerSettings,
    /// The settings that affect no result.
    pub execution: Execution,
}

/// The settings of execution. Of these, only the seed can change an article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Execution {
    /// The folder for articles, reports and state.
    pub out: PathBuf,
    /// The seed of all randomness.
    pub seed: u64,
    /// The most calls at a time; 0 leaves the choice to [`Config::concurrency`].
    pub concurrency: u32,
    /// The share of recent calls of the same kind that a call must outlast to be hedged: a second call is made if
    /// `limits` have room, the first answer is used, and both calls are paid for. 0 disables hedging.
    pub hedge: f64,
    pub openai: Endpoint,
    pub gemini: Endpoint,
    pub timeouts: Timeouts,
    pub limits: Limits,
    /// The prices of models, by full name.
    pub prices: BTreeMap<String, Price>,
    /// The address for health and metrics, such as `0.0.0.0:9090`. Empty or `off` disables the server.
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

/// The address and the key of a kind of model server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// The base address. Defaults to the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    #[serde(skip_serializing)]
    pub key: Option<Secret>,
}

/// The timeouts of a model server, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// The timeout of connecting.
    pub connect: f64,
    /// The timeout of a whole call.
    pub call: f64,
    /// The longest silence before or within an answer.
    pub stall: f64,
    /// The longest outage of a model that has answered before. On a worker, also the longest wait for a model's first
    /// answer.
    pub outage: f64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: 15.0, call: 900.0, stall: 300.0, outage: 600.0 }
    }
}

/// The limits of the models' provider; 0 means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub in_flight: u32,
    pub requests_per_minute: u32,
    pub tokens_per_minute: u64,
}

/// The price of a model, in US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub prompt: f64,
    pub reply: f64,
    /// The price of prompt tokens served from the server's prefix cache. Defaults to `prompt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_prompt: Option<f64>,
}

impl Config {
    /// The default of the most calls at a time for remote models. Extractive runs use the number of processor cores.
    const REMOTE_CONCURRENCY: u32 = 16;

    /// Returns the most calls at a time, at least 1.
    pub fn concurrency(&self) -> u32 {
        match self.execution.concurrency {
            0 if self.job.models.all().all(|model| model == Models::EXTRACTIVE) => {
                thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
            }
            0 => Self::REMOTE_CONCURRENCY,
            asked => asked,
        }
    }

    /// Returns the most tasks that a cluster's worker performs at a time. A worker's settings don't reveal the models
    /// of the tasks.
    pub fn worker_concurrency(&self) -> u32 {
        match self.execution.concurrency {
            0 => Self::REMOTE_CONCURRENCY,
            asked => asked,
        }
    }

    /// Returns the retry policy.
    pub fn patience(&self) -> RetryPatience {
        let outage = Duration::from_secs_f64(self.execution.timeouts.outage);
        RetryPatience { hedge: self.execution.hedge, outage, ..RetryPatience::default() }
    }

    /// Returns the models that a run may call, without repetition.
    pub fn models(&self) -> BTreeSet<&str> {
        self.job.models.all().collect()
    }

    /// Checks the values. The error names the invalid setting.
    pub(super) fn check(&self) -> Result<(), String> {
        self.job.check()?;
        self.survey.check(self.job.window)?;
        self.answer.check(self.job.window)?;
        for model in self.models() {
            model.parse::<ModelName>().map_err(|error| format!("models: {error}"))?;
        }
        let Execution { hedge, timeouts, prices, .. } = &self.execution;
        if !(0.0..1.0).contains(hedge) {
            return Err(format!("hedge is {hedge}; set 0 or a share below 1"));
        }
        let timeouts = [
            ("connect", timeouts.connect),
            ("call", timeouts.call),
            ("stall", timeouts.stall),
            ("outage", timeouts.outage),
        ];
        for (name, seconds) in timeouts {
            if !(seconds > 0.0 && seconds < 1e9) {
                return Err(format!("timeouts.{name} is {seconds}; set a number of seconds above 0"));
            }
        }
        self.execution.cluster.check()?;
        for (model, price) in prices {
            let all = [Some(price.prompt), Some(price.reply), price.cached_prompt];
            if let Some(bad) = all.into_iter().flatten().find(|dollars| !(0.0..1e6).contains(dollars)) {
                return Err(format!("prices.\"{model}\" has {bad}; set US dollars per million tokens"));
            }
        }
        Ok(())
    }
}
