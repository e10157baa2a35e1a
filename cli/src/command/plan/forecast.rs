//! What a job will ask for, found by playing it through with replies of typical size.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result};
use tributary_coordinator::{machine::Machine, prepare::Draft, rehearsal};
use tributary_protocol::{
    settings::Models,
    source::Card,
    task::{Outcome, Stage, Task, Work},
    wire,
};
use tributary_worker::{
    kernel,
    model::{Usage, extractive::Texts},
    perform,
};

use super::reply::reply_tokens;
use crate::settings::Price;

/// What a job would ask for.
pub struct Forecast {
    pub title: String,
    pub sources: u64,
    /// Of all sources.
    pub tokens: u64,
    pub stages: BTreeMap<Stage, StageForecast>,
}

/// What a stage would ask for.
#[derive(Clone, Copy)]
pub struct StageForecast {
    pub calls: u64,
    pub prompt_tokens: u64,
    pub reply_tokens: u64,
    /// None where a model has no price.
    pub cost_micros: Option<u64>,
}

impl Forecast {
    /// # Errors
    ///
    /// Where a text that was read can't be read back.
    pub fn of(draft: &Draft, prices: &BTreeMap<String, Price>) -> Result<Self> {
        let job = &draft.job;
        let mut forecast = Self {
            title: job.title.clone(),
            sources: job.sources.len() as u64,
            tokens: draft.tokens(),
            stages: BTreeMap::new(),
        };
        let (mut machine, first) = Machine::new(job.clone());
        let mut open = VecDeque::from(first);
        while let Some(task) = open.pop_front() {
            let outcome = rehearsal::outcome(&task);
            if task.model != Models::EXTRACTIVE {
                forecast.add(&task, &outcome, draft, prices)?;
            }
            open.extend(machine.apply(&outcome));
        }
        Ok(forecast)
    }

    fn add(&mut self, task: &Task, outcome: &Outcome, draft: &Draft, prices: &BTreeMap<String, Price>) -> Result<()> {
        let prompt_tokens = u64::from(kernel::message_tokens(&kernel::render(task, &texts(task, draft)?)));
        let reply_tokens = reply_tokens(task.kind(), outcome);
        let usage = Usage { prompt_tokens, cached_prompt_tokens: 0, reply_tokens };
        let cost = prices.get(&task.model).map(|price| perform::Price::from(price).micros(usage));
        let stage = self.stages.entry(task.stage).or_insert(StageForecast::NOTHING);
        *stage = stage.and(StageForecast { calls: 1, prompt_tokens, reply_tokens, cost_micros: cost });
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

/// What the task refers to by blob.
fn texts(task: &Task, draft: &Draft) -> Result<Texts> {
    let mut texts = Texts::default();
    match &task.work {
        Work::Outline { sources } => {
            for source in sources {
                let card = draft.read(source.card).context("a source that was read can't be read back")?;
                texts.cards.push(wire::decode::<Card>(&card).context("a source's card")?);
            }
        }
        Work::Digest { text, .. } => {
            let chunk = draft.read(*text).context("a text that was read can't be read back")?;
            texts.chunk = String::from_utf8_lossy(&chunk).into_owned();
        }
        _ => {}
    }
    Ok(texts)
}
