//! Forecasts the calls of a job with a dry run: replies of typical size take the place of the model's.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result};
use tributary_coordinator::{
    jobs::{self, DryRun},
    prepare::PreparedJob,
};
use tributary_protocol::{
    settings::Models,
    task::{Stage, Task},
};
use tributary_worker::{kernel, model::TokenUsage, perform};

use crate::settings::Price;

/// The expected calls and tokens of a job, by stage.
pub struct Forecast {
    pub title: String,
    pub sources: u64,
    /// The tokens of all sources.
    pub tokens: u64,
    pub stages: BTreeMap<Stage, StageForecast>,
}

/// The expected calls and tokens of a stage.
#[derive(Clone, Copy)]
pub struct StageForecast {
    pub calls: u64,
    pub prompt_tokens: u64,
    pub reply_tokens: u64,
    /// The cost in millionths of a US dollar. `None` if a model has no price.
    pub cost_micros: Option<u64>,
}

impl Forecast {
    /// Forecasts a job with a dry run.
    ///
    /// # Errors
    ///
    /// Fails if a stored source text can't be read back.
    pub fn of(prepared: &PreparedJob, prices: &BTreeMap<String, Price>) -> Result<Self> {
        let job = &prepared.job;
        let mut forecast = Self {
            title: job.title().to_owned(),
            sources: job.sources.len() as u64,
            tokens: prepared.tokens(),
            stages: BTreeMap::new(),
        };
        let (mut machine, first) = jobs::begin(job.clone());
        let mut open = VecDeque::from(first);
        while let Some(new) = open.pop_front() {
            let DryRun { outcome, reply_tokens } = jobs::dry_run(&new.task);
            if new.task.model != Models::EXTRACTIVE {
                forecast.add(&new.task, reply_tokens, prepared, prices)?;
            }
            open.extend(machine.apply(&outcome));
        }
        Ok(forecast)
    }

    fn add(
        &mut self,
        task: &Task,
        reply_tokens: u64,
        prepared: &PreparedJob,
        prices: &BTreeMap<String, Price>,
    ) -> Result<()> {
        let blobs = task.work.blobs().into_iter().map(|blob| prepared.read(blob));
        let blobs: Vec<_> = blobs.collect::<Result<_, _>>().context("failed to read back a source text")?;
        let call = kernel::first_call(&task.work, &blobs).context("failed to read back a source text")?;
        let usage =
            TokenUsage { prompt_tokens: u64::from(call.message_tokens()), cached_prompt_tokens: 0, reply_tokens };
        let cost_micros = prices.get(&task.model).map(|price| perform::ModelPrice::from(price).micros(usage));
        let stage = self.stages.entry(task.stage).or_insert(StageForecast::NOTHING);
        *stage = stage.and(StageForecast { calls: 1, prompt_tokens: usage.prompt_tokens, reply_tokens, cost_micros });
        Ok(())
    }

    pub fn total(&self) -> StageForecast {
        self.stages.values().copied().fold(StageForecast::NOTHING, StageForecast::and)
    }
}

impl StageForecast {
    const NOTHING: Self = Self { calls: 0, prompt_tokens: 0, reply_tokens: 0, cost_micros: Some(0) };

    fn and(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            prompt_tokens: self.prompt_tokens + other.prompt_tokens,
            reply_tokens: self.reply_tokens + other.reply_tokens,
            cost_micros: self.cost_micros.zip(other.cost_micros).map(|(one, other)| one + other),
        }
    }
}
