//! A trace collector for tests: receives spans over OTLP/HTTP and stores them.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1,
};
use prost::Message as _;
use tokio::sync::oneshot;

/// A received span. Ids are hexadecimal; the parent's id is empty if there is no parent.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    /// The start, in nanoseconds since 1970.
    pub began: u64,
    pub ended: u64,
    pub failed: bool,
    attributes: BTreeMap<String, String>,
    resource: BTreeMap<String, String>,
}

impl Span {
    /// Returns an attribute of the span, or an empty text.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Returns a numeric attribute, or 0.
    pub fn number(&self, name: &str) -> u64 {
        self.attributes.get(name).map_or(0, |text| text.parse().expect("the attribute is a number"))
    }

    /// Returns an attribute of the process that sent the span, or an empty text.
    pub fn of_process(&self, name: &str) -> &str {
        self.resource.get(name).map_or("", String::as_str)
    }
}

type Spans = Arc<Mutex<Vec<Span>>>;

/// A running collector. Stops when dropped.
pub struct Collector {
    /// The address for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub url: String,
    spans: Spans,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
        listener.set_nonblocking(true).expect("the socket becomes nonblocking");
        let url = format!("http://{}", listener.local_addr().expect("the listener is bound"));
        let (spans, (stop, stopped)) = (Spans::default(), oneshot::channel());
        let kept = spans.clone();
        let thread = thread::spawn(move || serve(listener, kept, stopped));
        Self { url, spans, stop: Some(stop), thread: Some(thread) }
    }

    /// Returns all received spans.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: TcpListener, spans: Spans, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the socket listens");
        let router = Router::new().route("/v1/traces", post(take)).with_state(spans);
        tokio::select! {
            served = axum::serve(listener, router) => served.expect("the listener keeps accepting"),
            _ = stopped => {}
        }
    });
}

/// Stores the spans of a request. An empty response means success.
async fn take(State(spans): State<Spans>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
    for process in request.resource_spans {
        let resource = texts(&process.resource.unwrap_or_default().attributes);
        let arrived = process.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(arrived.map(|span| read(&span, &resource)));
    }
    StatusCode::OK
}

fn read(span: &v1::Span, resource: &BTreeMap<String, String>) -> Span {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Span {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name.clone(),
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
        failed: span.status.as_ref().is_some_and(|status| status.code() == v1::status::StatusCode::Error),
        attributes: texts(&span.attributes),
        resource: resource.clone(),
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |attribute: &KeyValue| attribute.value.as_ref()?.value.as_ref().map(text);
    attributes.iter().filter_map(|attribute| Some((attribute.key.clone(), value(attribute)?))).collect()
}
