//! The HTTP server: the routes, and the path of a call from the first byte to the last.

use super::answer::{self, Usage};
use super::call::{Call, CallId, Format};
use super::connection::{Door, Scissors};
use super::faults::Fate;
use super::limits::{Ceilings, Refused};
use super::log::{Entry, Log};
use super::plan::{Plan, plan};
use super::prefix_cache::PrefixCache;
use super::settings::{FailureKind, SchemaSupport, Settings};
use super::stats::{Book, Stats};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// The shared state of all calls.
pub struct Server {
    settings: RwLock<Arc<Settings>>,
    ceilings: Mutex<Ceilings>,
    cache: Mutex<PrefixCache>,
    book: Mutex<Book>,
    log: Option<Log>,
}

impl Server {
    /// Returns a server without any calls.
    pub fn new(settings: Settings, log: Option<Log>) -> Self {
        Self {
            settings: RwLock::new(Arc::new(settings)),
            ceilings: Mutex::default(),
            cache: Mutex::default(),
            book: Mutex::default(),
            log,
        }
    }

    /// Returns the current settings.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().expect("no holder panics").clone()
    }

    /// Replaces the settings.
    pub fn set(&self, settings: Settings) {
        *self.settings.write().expect("no holder panics") = Arc::new(settings);
    }

    /// Returns the current statistics.
    pub fn stats(&self) -> Stats {
        let in_flight = lock(&self.ceilings).in_flight();
        lock(&self.book).stats(in_flight)
    }

    /// Forgets all ended calls.
    pub fn reset(&self) {
        *lock(&self.book) = Book::default();
        *lock(&self.cache) = PrefixCache::default();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}

/// Returns the current time, in seconds since 1970.
fn clock() -> f64 {
    SystemTime::UNIX_EPOCH.elapsed().map(|elapsed| elapsed.as_secs_f64()).unwrap_or_default()
}

/// Serves until the future is dropped.
pub async fn serve(listener: std::net::TcpListener, server: Arc<Server>) -> io::Result<()> {
    let door = Door(tokio::net::TcpListener::from_std(listener)?);
    let routes = Router::new()
        .route("/chat/completions", post(complete))
        .route("/models", get(models))
        .route("/stats", get(|State(server): State<Arc<Server>>| async move { Json(server.stats()) }))
        .route("/settings", get(show_settings).post(change_settings))
        .route("/reset", post(|State(server): State<Arc<Server>>| async move { server.reset() }));
    let both = routes.clone().nest("/v1", routes).layer(DefaultBodyLimit::disable()).with_state(server);
    axum::serve(door, both.into_make_service_with_connect_info::<Scissors>()).await
}

async fn models(State(server): State<Arc<Server>>) -> Json<Value> {
    let settings = server.settings();
    let model = json!({
        "id": settings.model, "object": "model", "created": 0, "owned_by": "simulated", "max_model_len": settings.window,
    });
    Json(json!({ "object": "list", "data": [model] }))
}

async fn show_settings(State(server): State<Arc<Server>>) -> Json<Settings> {
    Json(server.settings().as_ref().clone())
}

async fn change_settings(State(server): State<Arc<Server>>, Json(changes): Json<Value>) -> Response {
    match server.settings().overlaid(&changes) {
        Ok(settings) => {
            server.set(settings.clone());
            Json(settings).into_response()
        }
        Err(reason) => answer::bad_request(&reason),
    }
}

/// A call's slot among the calls in flight. Dropping the slot records the result of the call, even if the client left
/// and the handler was dropped.
struct Slot {
    server: Arc<Server>,
    started: Instant,
    id: CallId,
    entry: Entry,
}

impl Slot {
    /// Takes a slot, unless a limit is reached.
    fn take(server: &Arc<Server>, settings: &Settings, call: &Call, started: Instant) -> Result<Self, Refused> {
        let in_flight = lock(&server.ceilings).enter(settings, started)?;
        lock(&server.book).see_in_flight(in_flight);
        let entry = Entry {
            call: call.id.hex(),
            start: clock(),
            status: "abandoned",
            model: call.model.clone(),
            schema: call.schema_name.clone(),
            ..Entry::default()
        };
        Ok(Self { server: server.clone(), started, id: call.id, entry })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.entry.end = clock();
        lock(&self.server.ceilings).leave();
        lock(&self.server.book).close(self.id, &self.entry, self.started.elapsed().as_secs_f64());
        if let Some(log) = &self.server.log {
            log.write(&self.entry);
        }
    }
}

/// Serves a call according to the planned fate.
async fn complete(
    State(server): State<Arc<Server>>,
    ConnectInfo(line): ConnectInfo<Scissors>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let started = Instant::now();
    let settings = server.settings();
    lock(&server.book).receive(clock());
    let turn_away = |status: &str, response| {
        lock(&server.book).turn_away(status, clock());
        response
    };
    if settings.key.as_ref().is_some_and(|key| !shows(&headers, key)) {
        return turn_away("unauthorised", answer::unauthorised());
    }
    let call = match Call::read(&body) {
        Ok(call) => call,
        Err(reason) => return turn_away("bad_request", answer::bad_request(&reason)),
    };
    if let Some(reason) = misfit(settings.schema_support, &call) {
        return turn_away("response_format", answer::bad_request(reason));
    }
    let mut slot = match Slot::take(&server, &settings, &call, started) {
        Ok(slot) => slot,
        Err(refused) => return turn_away("rate_limited", answer::rate_limited(&refused)),
    };
    let prompt = call.prompt_tokens();
    if let Some((window, reserved)) = overflow(&settings, &call, prompt.len()) {
        slot.entry.status = "window";
        return answer::too_long(window, prompt.len(), reserved);
    }
    let attempt = lock(&server.book).attempts(call.id);
    let planned = plan(&settings, &call, attempt, prompt.len());
    let tokens = prompt.len() + planned.reply_tokens;
    if let Err(refused) = lock(&server.ceilings).spend(&settings, started, tokens) {
        slot.entry.status = "rate_limited";
        return answer::rate_limited(&refused);
    }
    slot.entry.attempt = attempt;
    lock(&server.book).arrive(call.id);
    if planned.fate == Fate::Stall {
        slot.entry.status = planned.status;
        return std::future::pending().await;
    }
    if planned.latency > Duration::ZERO {
        tokio::time::sleep_until((started + planned.latency).into()).await;
    }
    slot.entry.status = planned.status;
    deliver(planned, &call, &prompt, &mut slot, &line)
}

/// Sends the planned response, and completes the slot's log entry.
fn deliver(planned: Plan, call: &Call, prompt: &[u32], slot: &mut Slot, line: &Scissors) -> Response {
    match planned.fate {
        Fate::Failure(FailureKind::InternalError) => return answer::internal_error(),
        Fate::Failure(FailureKind::Unavailable) => return answer::unavailable(),
        Fate::Failure(FailureKind::HangUp) => {
            line.cut();
            return StatusCode::OK.into_response();
        }
        _ => {}
    }
    let cached = lock(&slot.server.cache).serve(prompt);
    slot.entry.prompt_tokens = prompt.len();
    slot.entry.cached_tokens = cached;
    slot.entry.reply_tokens = planned.reply_tokens;
    if planned.obeyed {
        lock(&slot.server.book).obey();
    }
    let usage = Usage { prompt: prompt.len(), cached, reply: planned.reply_tokens };
    let completion = planned.answer.completion(call, usage, clock() as u64);
    if planned.fate == Fate::Failure(FailureKind::TornReply) {
        return answer::torn(&completion);
    }
    Json(completion).into_response()
}

/// Returns true if the headers contain this key.
fn shows(headers: &HeaderMap, key: &str) -> bool {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    shown.and_then(|value| value.strip_prefix("Bearer ")) == Some(key)
}

/// Returns the reason for refusing the call's `response_format`, if any.
fn misfit(support: SchemaSupport, call: &Call) -> Option<&'static str> {
    match (call.format, support) {
        (Format::JsonSchema, SchemaSupport::JsonObject | SchemaSupport::None) => {
            Some("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.")
        }
        (Format::JsonObject, SchemaSupport::None) => {
            Some("Invalid parameter: 'response_format' of type 'json_object' is not supported with this model.")
        }
        (Format::JsonObject, _) if !call.texts().any(|text| text.to_lowercase().contains("json")) => Some(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        ),
        _ => None,
    }
}

/// Returns the window and the reserved reply tokens, if prompt and reservation exceed the window.
fn overflow(settings: &Settings, call: &Call, prompt: usize) -> Option<(usize, usize)> {
    let window = settings.window?;
    let reserved = call.max_tokens.unwrap_or(0);
    (prompt + reserved > window).then_some((window, reserved))
}
