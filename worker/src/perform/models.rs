//! The models of a worker, each connected for the first task with its name.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use tributary_protocol::bus::Gossip;

use super::{reasoning_room::ReasoningRoom, telemetry};
use crate::{
    model::{self, Endpoints, LanguageModel, ModelName, Provider, TokenUsage},
    throttle::{LocalThrottle, RateLimits, SharedThrottle, Throttle},
};

/// A model behind a server, with the limits and the price of its calls.
pub struct ConnectedModel {
    pub model: Arc<dyn LanguageModel>,
    pub throttle: Arc<dyn Throttle>,
    pub price: ModelPrice,
    /// Learned from the model's replies.
    pub reasoning_room: ReasoningRoom,
}

/// A model usable by this worker.
#[derive(Clone)]
pub enum ServedModel {
    /// The extractive model: this process, without a call.
    Extractive,
    Model(Arc<ConnectedModel>),
}

/// The price of a model, in US dollars for a million tokens, or millionths of a dollar for one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct ModelPrice {
    pub prompt: f64,
    pub reply: f64,
    /// The price of prompt tokens from the server's prefix cache; none for the price of `prompt`.
    #[serde(default)]
    pub cached_prompt: Option<f64>,
}

impl ModelPrice {
    /// The cost of a call, in millionths of a US dollar.
    pub fn micros(&self, usage: TokenUsage) -> u64 {
        let cached = usage.cached_prompt_tokens.min(usage.prompt_tokens);
        let prompt = (usage.prompt_tokens - cached) as f64 * self.prompt;
        let cached = cached as f64 * self.cached_prompt.unwrap_or(self.prompt);
        (prompt + cached + usage.reply_tokens as f64 * self.reply).round() as u64
    }
}

/// Makes a connected model from its name.
type ConnectModel = dyn Fn(&ModelName) -> Result<ConnectedModel, String> + Send + Sync;

/// The models of a worker by name, each connected once.
pub struct ModelRegistry {
    connect: Box<ConnectModel>,
    connected: Mutex<HashMap<String, ServedModel>>,
}

impl ModelRegistry {
    /// A registry with models made by `connect` from their names. An error of `connect` stops the job, with the error
    /// as the reason.
    pub fn new(connect: impl Fn(&ModelName) -> Result<ConnectedModel, String> + Send + Sync + 'static) -> Self {
        Self { connect: Box::new(connect), connected: Mutex::default() }
    }

    /// A registry of models behind their providers' servers. Each model has these limits, kept within this process.
    pub fn over_http(endpoints: Endpoints, limits: RateLimits, prices: BTreeMap<String, ModelPrice>) -> Self {
        Self::throttled(endpoints, prices, move |_| Arc::new(LocalThrottle::new(limits)))
    }

    /// A registry like [`ModelRegistry::over_http`], whose limits all members keep together. Must be used within a runtime.
    pub fn over_http_shared(
        endpoints: Endpoints,
        limits: RateLimits,
        prices: BTreeMap<String, ModelPrice>,
        members: Arc<dyn Gossip>,
    ) -> Self {
        Self::throttled(endpoints, prices, move |model| Arc::new(SharedThrottle::join(model, limits, members.clone())))
    }

    fn throttled(
        endpoints: Endpoints,
        prices: BTreeMap<String, ModelPrice>,
        throttle: impl Fn(&str) -> Arc<dyn Throttle> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |name| {
            let model = model::connect(name, &endpoints).map_err(|error| error.to_string())?;
            let name = name.to_string();
            let price = prices.get(&name).copied().unwrap_or_default();
            let reasoning_room = ReasoningRoom::default();
            Ok(ConnectedModel { model, throttle: throttle(&name), price, reasoning_room })
        })
    }

    /// The model of this name, connected when first asked for.
    ///
    /// # Errors
    ///
    /// The reason why the model can't be connected, for people.
    pub fn get(&self, name: &str) -> Result<ServedModel, String> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(served) = connected.get(name) {
            return Ok(served.clone());
        }
        let parsed: ModelName = name.parse().map_err(|error: model::BadModelName| error.to_string())?;
        let served = match parsed.provider {
            Provider::Extractive => ServedModel::Extractive,
            Provider::Openai | Provider::Gemini => ServedModel::Model(Arc::new((self.connect)(&parsed)?)),
        };
        telemetry::model_connected(name);
        connected.insert(name.to_owned(), served.clone());
        Ok(served)
    }
}
