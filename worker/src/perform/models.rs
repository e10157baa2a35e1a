//! The models of a worker, connected when the first task names them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use tributary_protocol::bus::Gossip;

use super::{headroom::Headroom, measure};
use crate::{
    model::{self, Endpoints, LanguageModel, ModelName, Provider, Usage},
    throttle::{Limits, LocalThrottle, SharedThrottle, Throttle},
};

/// A model behind a server, with what calls to it are held to and cost.
pub struct Connected {
    pub model: Arc<dyn LanguageModel>,
    pub throttle: Arc<dyn Throttle>,
    pub price: Price,
    /// Learned from its replies.
    pub headroom: Headroom,
}

/// What does a task's work.
#[derive(Clone)]
pub enum Served {
    /// This process, without a call.
    Extractive,
    Model(Arc<Connected>),
}

/// What a model costs, in US dollars a million tokens: millionths of a dollar a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Price {
    pub prompt: f64,
    pub reply: f64,
    /// Of prompt tokens that the server had in its prefix cache; as `prompt` where nothing is said.
    #[serde(default)]
    pub cached_prompt: Option<f64>,
}

impl Price {
    /// What a call cost, in millionths of a US dollar.
    pub fn micros(&self, usage: Usage) -> u64 {
        let cached = usage.cached_prompt_tokens.min(usage.prompt_tokens);
        let prompt = (usage.prompt_tokens - cached) as f64 * self.prompt;
        let cached = cached as f64 * self.cached_prompt.unwrap_or(self.prompt);
        (prompt + cached + usage.reply_tokens as f64 * self.reply).round() as u64
    }
}

type Connect = dyn Fn(&ModelName) -> Result<Connected, String> + Send + Sync;

/// Models by name. Each is connected once.
pub struct Models {
    connect: Box<Connect>,
    connected: Mutex<HashMap<String, Served>>,
}

impl Models {
    /// Models that `connect` makes of their names; its error, told to people, stops the job.
    pub fn new(connect: impl Fn(&ModelName) -> Result<Connected, String> + Send + Sync + 'static) -> Self {
        Self { connect: Box::new(connect), connected: Mutex::default() }
    }

    /// Models behind their providers' servers, each with these limits for itself, within this process.
    pub fn over_http(endpoints: Endpoints, limits: Limits, prices: BTreeMap<String, Price>) -> Self {
        Self::throttled(endpoints, prices, move |_| Arc::new(LocalThrottle::new(limits)))
    }

    /// The same, but all processes that are members keep the limits together. Must be used within a runtime.
    pub fn over_http_shared(
        endpoints: Endpoints,
        limits: Limits,
        prices: BTreeMap<String, Price>,
        members: Arc<dyn Gossip>,
    ) -> Self {
        Self::throttled(endpoints, prices, move |model| Arc::new(SharedThrottle::join(model, limits, members.clone())))
    }

    fn throttled(
        endpoints: Endpoints,
        prices: BTreeMap<String, Price>,
        throttle: impl Fn(&str) -> Arc<dyn Throttle> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |name| {
            let model = model::connect(name, &endpoints).map_err(|error| error.to_string())?;
            let name = name.to_string();
            let price = prices.get(&name).copied().unwrap_or_default();
            Ok(Connected { model, throttle: throttle(&name), price, headroom: Headroom::default() })
        })
    }

    /// # Errors
    ///
    /// Why the model can't be had, for people.
    pub fn get(&self, name: &str) -> Result<Served, String> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(served) = connected.get(name) {
            return Ok(served.clone());
        }
        let parsed: ModelName = name.parse().map_err(|error: model::BadModelName| error.to_string())?;
        let served = match parsed.provider {
            Provider::Extractive => Served::Extractive,
            Provider::Openai | Provider::Gemini => Served::Model(Arc::new((self.connect)(&parsed)?)),
        };
        measure::connected(name);
        connected.insert(name.to_owned(), served.clone());
        Ok(served)
    }
}
