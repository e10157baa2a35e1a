//! Sends traces of jobs (`tributary_protocol::trace`) to an OpenTelemetry collector.
//!
//! The standard variables of OpenTelemetry configure the collector. Without an endpoint, nothing is sent and spans cost
//! nothing.

mod complaint;
mod job;

use std::{env, time::Duration};

use anyhow::{Context, Result};
use opentelemetry::{
    KeyValue,
    trace::{TraceId, TracerProvider},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider},
};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};
use tributary_protocol::trace::TARGET;

use self::{
    complaint::Complaining,
    job::{JobIds, JobTracer},
};
use crate::args::Command;

/// The variables that give the collector's address; one is enough.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

const DISABLED: &str = "OTEL_SDK_DISABLED";

const SERVICE: &str = "OTEL_SERVICE_NAME";

/// The time to send the last spans when the process ends.
const PARTING: Duration = Duration::from_secs(3);

/// The connection to the collector.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts tracing. `None` if no endpoint is set, or if the command makes no spans.
    ///
    /// # Errors
    ///
    /// Fails if the endpoint is an invalid address.
    pub fn of(command: &Command) -> Result<Option<Self>> {
        match service(command) {
            Some(service) if are_wanted(variable) => Self::start(service).map(Some),
            _ => Ok(None),
        }
    }

    fn start(service: &'static str) -> Result<Self> {
        // Fails if the process has a provider already, which works as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let exporter = SpanExporter::builder().with_http().build().context("failed to set up the trace exporter")?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(service))
            .with_id_generator(JobIds::default())
            .with_batch_exporter(Complaining::new(exporter))
            .build();
        Ok(Self(provider))
    }

    /// Returns the layer that collects spans and the warnings within spans.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer()
            .with_tracer(JobTracer(self.0.tracer("tributary")))
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target(TARGET, Level::INFO).with_target("tributary", Level::WARN))
    }

    /// Sends the remaining spans, within a short time.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(PARTING) {
            tracing::debug!(%error, "failed to send the last spans before exit");
        }
    }
}

/// Returns the default service name of the command. `OTEL_SERVICE_NAME` outranks the default.
fn service(command: &Command) -> Option<&'static str> {
    match command {
        Command::Run(_) | Command::Ask(_) | Command::Submit(_) => Some("tributary"),
        Command::Coordinator(_) => Some("tributary-coordinator"),
        Command::Worker(_) => Some("tributary-worker"),
        _ => None,
    }
}

fn are_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let disabled = variable(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    !disabled && ENDPOINTS.into_iter().any(|name| variable(name).is_some())
}

/// Reads a variable. An empty variable counts as unset.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn resource(service: &'static str) -> Resource {
    // A random id distinguishes this process from all others.
    let instance: TraceId = RandomIdGenerator::default().new_trace_id();
    let resource = Resource::builder_empty()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance.to_string()))
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match variable(SERVICE) {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_wanted_where_an_endpoint_is_named() {
        let with = |set: &[(&str, &str)]| {
            are_wanted(|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| value.to_string()))
        };
        assert!(!with(&[]) && !with(&[(SERVICE, "tributary")]));
        assert!(
            with(&[(ENDPOINTS[0], "http://collector:4318")]) && with(&[(ENDPOINTS[1], "http://collector/v1/traces")])
        );
        assert!(!with(&[(ENDPOINTS[0], "http://collector:4318"), (DISABLED, "True")]));
    }
}
