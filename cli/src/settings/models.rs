//! Converts the settings into the worker's types.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use tributary_protocol::bus::Gossip;
use tributary_worker::{
    model::Endpoints,
    perform::{self, ModelRegistry},
    throttle,
};

use super::config::{Config, Limits, Price, Timeouts};

impl Config {
    /// Returns the models, with every model of the settings made ready. Sends no request to a server.
    ///
    /// # Errors
    ///
    /// Fails if a model has an invalid name, a missing or unusable key, or an invalid address.
    pub fn connect(&self) -> Result<ModelRegistry> {
        let models = self.connect_when_named()?;
        for name in self.models() {
            models.get(name).map_err(|reason| anyhow!(reason))?;
        }
        Ok(models)
    }

    /// Returns the models for tasks of any model. An unavailable model stops the job that names the model.
    ///
    /// # Errors
    ///
    /// Fails if a timeout is invalid.
    pub fn connect_when_named(&self) -> Result<ModelRegistry> {
        Ok(ModelRegistry::over_http(self.endpoints()?, self.execution.limits.into(), self.prices()))
    }

    /// Returns the models for a worker of a cluster. The workers share the limits. Needs a runtime.
    ///
    /// # Errors
    ///
    /// Fails if a timeout is invalid.
    pub fn connect_with_others(&self, members: Arc<dyn Gossip>) -> Result<ModelRegistry> {
        Ok(ModelRegistry::over_http_shared(self.endpoints()?, self.execution.limits.into(), self.prices(), members))
    }

    fn prices(&self) -> BTreeMap<String, perform::ModelPrice> {
        self.execution.prices.iter().map(|(model, price)| (model.clone(), price.into())).collect()
    }

    fn endpoints(&self) -> Result<Endpoints> {
        let Timeouts { connect, call, stall, .. } = self.execution.timeouts;
        let seconds = |seconds| Duration::try_from_secs_f64(seconds).context("timeouts");
        let (openai, gemini) = (self.execution.openai.clone(), self.execution.gemini.clone());
        Ok(Endpoints {
            openai_base: openai.base,
            openai_key: openai.key,
            gemini_base: gemini.base,
            gemini_key: gemini.key,
            connect_timeout: seconds(connect)?,
            call_timeout: seconds(call)?,
            stall_timeout: seconds(stall)?,
        })
    }
}

impl From<Limits> for throttle::RateLimits {
    fn from(Limits { in_flight, requests_per_minute, tokens_per_minute }: Limits) -> Self {
        Self {
            in_flight: Some(in_flight).filter(|most| *most > 0),
            requests_per_minute: Some(requests_per_minute).filter(|most| *most > 0),
            tokens_per_minute: Some(tokens_per_minute).filter(|most| *most > 0),
        }
    }
}

impl From<&Price> for perform::ModelPrice {
    fn from(&Price { prompt, reply, cached_prompt }: &Price) -> Self {
        Self { prompt, reply, cached_prompt }
    }
}
