//! The connection, and how everything on it outlasts a server's restart.

use std::{error::Error, io, time::Duration};

use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, ServerAddr,
    jetstream::{self, Context, ErrorCode, context, message::PublishMessage},
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use tokio::{sync::watch, time::Instant};

use super::{
    names::Names,
    options::{Auth, NatsOptions},
    version,
};
use crate::bus::{BusError, BusProblem, Result};

/// What an attempt may fail with; it is tried again.
pub(super) type AttemptError = Box<dyn Error + Send + Sync>;

/// How long the server may take for one answer.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// How long servers may take to choose who leads.
const ELECTION: Duration = Duration::from_secs(15);

/// Trouble that lasts for so long is told.
const NOTICED: Duration = Duration::from_secs(5);

/// How many messages may be on their way to be acknowledged at once.
const IN_FLIGHT: usize = 8192;

pub(super) struct NatsLink {
    pub client: Client,
    pub jetstream: Context,
    pub names: Names,
    pub options: NatsOptions,
    /// Counts connections: what was acknowledged over an earlier one may have been forgotten by a server that fell.
    pub epoch: watch::Receiver<u64>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreAnswer {
    Stored,
    /// There was one under its subject.
    AlreadyThere,
}

impl NatsLink {
    pub async fn connect(options: NatsOptions) -> Result<Self> {
        let names = Names::new(&options.prefix).map_err(|problem| BusError::at(options.place(), problem))?;
        let (connected, mut epoch) = watch::channel(0);
        let client = connect(&options, connected).await?;
        // The word on this connection may come late, and would be taken for that on another.
        let _ = tokio::time::timeout(ANSWER, epoch.wait_for(|epoch| *epoch > 0)).await;
        let jetstream = context::ContextBuilder::new()
            .timeout(ANSWER)
            .ack_timeout(ANSWER)
            .max_ack_inflight(IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Self { client, jetstream, names, options, epoch })
    }

    /// Tries again for a while where the servers of a cluster have nobody who leads: one of them has just died, or all have
    /// just begun.
    pub async fn while_leaders_are_chosen<T, F: Future<Output = Result<T>>>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T> {
        let give_up = Instant::now() + ELECTION;
        loop {
            match attempt().await {
                Err(BusError::Unavailable { problem, .. })
                    if is_without_leader(&problem) && Instant::now() < give_up =>
                {
                    tracing::debug!(%problem, "NATS may be choosing who leads; trying again");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                ended => return ended,
            }
        }
    }

    /// Checks that the server is new enough and has JetStream for this account.
    pub async fn check_server(&self) -> Result<()> {
        use context::AccountErrorKind as Kind;
        version::check(&self.client.server_info().version).map_err(|problem| self.error(problem))?;
        let Err(error) = self.jetstream.query_account().await else { return Ok(()) };
        Err(self.error(match error.kind() {
            Kind::JetStreamUnavailable => BusProblem::JetStreamOff,
            Kind::JetStream(error) => BusProblem::JetStreamRefused { cause: error.to_string() },
            Kind::TimedOut | Kind::Other => BusProblem::JetStreamSilent { cause: error.to_string() },
        }))
    }

    /// Tries until it works, or until the servers have been out of reach for too long. What is tried must bear being
    /// done more than once.
    pub async fn persist<T, F>(&self, what: &str, mut attempt: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, AttemptError>> + Send,
    {
        let began = Instant::now();
        let give_up = began + self.options.outage;
        let (mut pause, mut is_told) = (Duration::from_millis(50), false);
        let mut epoch = self.epoch.clone();
        loop {
            epoch.mark_unchanged();
            let trouble = tokio::select! {
                result = attempt() => match result {
                    Ok(value) => return Ok(value),
                    Err(trouble) => trouble,
                },
                Ok(()) = epoch.changed() => continue,
            };
            if Instant::now() + pause >= give_up {
                return Err(self.failed(format!("{what}: {trouble}")));
            }
            if began.elapsed() >= NOTICED && !std::mem::replace(&mut is_told, true) {
                tracing::warn!(%trouble, "{what}; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (2 * pause).min(Duration::from_secs(1)),
                Ok(()) = epoch.changed() => {}
            }
        }
    }

    /// Puts a message into a stream that keeps one message a subject.
    pub async fn store(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<StoreAnswer> {
        self.persist("a message can't be stored", || async {
            let mut message = PublishMessage::build().payload(payload.clone());
            // The server looks for its own in headers, even where there are none in them.
            if !headers.is_empty() {
                message = message.headers(headers.clone());
            }
            let sent = self.jetstream.send_publish(subject.clone(), message).await?;
            match sent.await {
                Ok(_) => Ok(StoreAnswer::Stored),
                Err(error) if is_there_already(&error) => Ok(StoreAnswer::AlreadyThere),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Whether a stream that keeps one message a subject still has the one of this number. Asked by trying to put another in
    /// its place, which is refused in either case: who may publish may ask.
    pub async fn stores(&self, subject: &str, sequence: u64) -> Result<bool> {
        self.persist("a message can't be looked for", || async {
            let another = PublishMessage::build().expected_last_subject_sequence(sequence);
            match self.jetstream.send_publish(subject.to_owned(), another).await?.await {
                Err(error) if is_there_already(&error) => Ok(true),
                Err(error) if error.kind() == context::PublishErrorKind::WrongLastSequence => Ok(false),
                Err(error) => Err(error.into()),
                Ok(_) => Err("another message took its place".into()),
            }
        })
        .await
    }

    /// A word that nobody else has, fit for names and subjects.
    pub fn unique(&self) -> String {
        self.client.new_inbox().replace(['.', '_'], "-")
    }

    /// The largest message that is sent whole, in bytes; headers need some room too.
    pub fn largest(&self) -> usize {
        self.client.max_payload().saturating_sub(16 << 10)
    }

    pub fn error(&self, problem: BusProblem) -> BusError {
        BusError::at(self.options.place(), problem)
    }

    pub fn failed(&self, cause: impl ToString) -> BusError {
        self.error(BusProblem::Other(cause.to_string()))
    }
}

/// In the server's words, or in nobody's.
fn is_without_leader(problem: &BusProblem) -> bool {
    let text = problem.to_string();
    ["timed out", "temporarily unavailable", "no suitable peers"].iter().any(|words| text.contains(words))
}

fn is_there_already(error: &context::PublishError) -> bool {
    error.source().and_then(|source| source.downcast_ref::<jetstream::Error>()).is_some_and(|error| {
        error.error_code() == ErrorCode::STREAM_STORE_FAILED && error.to_string().contains("per subject")
    })
}

async fn connect(options: &NatsOptions, connected: watch::Sender<u64>) -> Result<Client> {
    let refused = |problem| BusError::at(options.place(), problem);
    let servers: Vec<&str> = options.url.split(',').map(str::trim).collect();
    let mut connect = ConnectOptions::new()
        .name(&options.name)
        .require_tls(options.tls.required)
        .ping_interval(Duration::from_secs(10))
        .request_timeout(Some(ANSWER))
        .client_capacity(IN_FLIGHT)
        .reconnect_delay_callback(|tries| Duration::from_millis((50 << tries.min(5)).min(1000)))
        .event_callback(move |event| {
            match event {
                Event::Connected => connected.send_modify(|epoch| *epoch += 1),
                Event::Disconnected => tracing::warn!("the connection to NATS is lost; trying to reconnect"),
                event => tracing::debug!(%event, "NATS"),
            }
            std::future::ready(())
        });
    connect = match &options.auth {
        Auth::None => match login_in(&servers) {
            Some((user, Some(password))) => connect.user_and_password(user, password),
            Some((token, None)) => connect.token(token),
            None => connect,
        },
        Auth::User { user, password } => connect.user_and_password(user.clone(), password.clone()),
        Auth::Token(token) => connect.token(token.clone()),
        Auth::Nkey(seed) => connect.nkey(seed.clone()),
        Auth::Credentials(path) => connect.credentials_file(path).await.map_err(|error| {
            refused(BusProblem::Credentials { path: path.display().to_string(), cause: error.to_string() })
        })?,
    };
    for path in [&options.tls.ca, &options.tls.certificate, &options.tls.key].into_iter().flatten() {
        if !path.is_file() {
            return Err(refused(BusProblem::Tls { cause: format!("there is no file {}", path.display()) }));
        }
    }
    if let Some(ca) = &options.tls.ca {
        connect = connect.add_root_certificates(ca.clone());
    }
    connect = match (&options.tls.certificate, &options.tls.key) {
        (Some(certificate), Some(key)) => connect.add_client_certificate(certificate.clone(), key.clone()),
        (None, None) => connect,
        _ => {
            let cause = "a certificate needs its key, and a key its certificate".to_owned();
            return Err(refused(BusProblem::Tls { cause }));
        }
    };
    connect.connect(servers).await.map_err(|error| refused(not_connected(&error)))
}

/// The user and the password of the first address that names some; a token stands there as a user without a password.
fn login_in(servers: &[&str]) -> Option<(String, Option<String>)> {
    servers.iter().filter_map(|server| server.parse::<ServerAddr>().ok()).find_map(|server| {
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        Some((decoded(server.username()?), server.password().map(decoded)))
    })
}

fn not_connected(error: &async_nats::ConnectError) -> BusProblem {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.kind() {
        ConnectErrorKind::ServerParse => BusProblem::Address { cause },
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => BusProblem::LoginRefused,
        ConnectErrorKind::Tls => BusProblem::Tls { cause },
        ConnectErrorKind::Io if is_handshake(error) => BusProblem::Tls { cause },
        ConnectErrorKind::Dns => BusProblem::Unreachable { cause: format!("no such host: {cause}") },
        ConnectErrorKind::TimedOut => BusProblem::Unreachable { cause: "no answer in time".to_owned() },
        ConnectErrorKind::Io | ConnectErrorKind::MaxReconnects => BusProblem::Unreachable { cause },
    }
}

/// True where the TLS handshake failed: the client reports that as trouble with input and output.
fn is_handshake(error: &async_nats::ConnectError) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>()).and_then(io::Error::get_ref);
    cause.is_some_and(|cause| cause.is::<async_nats::rustls::Error>())
}
