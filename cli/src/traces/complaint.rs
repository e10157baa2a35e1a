//! Logs a failing collector once, instead of once per batch.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

#[derive(Debug)]
pub struct Complaining<E> {
    inner: E,
    failing: AtomicBool,
}

impl<E> Complaining<E> {
    pub fn new(inner: E) -> Self {
        Self { inner, failing: AtomicBool::new(false) }
    }
}

impl<E: SpanExporter> SpanExporter for Complaining<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.inner.export(batch).await;
        let was_failing = self.failing.swap(sent.is_err(), Relaxed);
        if let (Err(error), false) = (&sent, was_failing) {
            tracing::warn!(%error, "traces are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT doesn't accept them");
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
