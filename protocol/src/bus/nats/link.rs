//! The connection, and retries that outlast a server's restart.

use std::{error::Error, io, time::Duration};

use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, ServerAddr,
    jetstream::{self, Context, ErrorCode, context, message::PublishMessage},
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use tokio::{sync::watch, time::Instant};

use super::{
    names::NatsNames,
    options::{Auth, NatsOptions},
    version,
};
use crate::bus::{BusError, BusProblem, Result};

/// The error of a single attempt, which is retried.
pub(super) type AttemptError = Box<dyn Error + Send + Sync>;

/// Timeout of a single request.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// Time that servers of a cluster may take to elect a leader.
const ELECTION: Duration = Duration::from_secs(15);

/// Failures that last for so long are logged.
const NOTICED: Duration = Duration::from_secs(5);

/// Most messages that wait for their acknowledgement at once.
const IN_FLIGHT: usize = 8192;

pub(super) struct NatsLink {
    pub client: Client,
    pub jetstream: Context,
    pub names: NatsNames,
    pub options: NatsOptions,
    /// Number of connections so far. A server that fell may have forgotten writes acknowledged over an earlier
    /// connection.
    pub epoch: watch::Receiver<u64>,
}

/// The server's answer to a message for a stream with one message per subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreAnswer {
    Stored,
    /// The stream has a message under the subject already.
    AlreadyThere,
}

impl NatsLink {
    pub async fn connect(options: NatsOptions) -> Result<Self> {
        let names = NatsNames::new(&options.prefix).map_err(|problem| BusError::at(options.place(), problem))?;
        let (connected, mut epoch) = watch::channel(0);
        let client = connect(&options, connected).await?;
        // The event of this connection may come late, and must not be taken for a reconnect.
        let _ = tokio::time::timeout(ANSWER, epoch.wait_for(|epoch| *epoch > 0)).await;
        let jetstream = context::ContextBuilder::new()
            .timeout(ANSWER)
            .ack_timeout(ANSWER)
            .max_ack_inflight(IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Self { client, jetstream, names, options, epoch })
    }

    /// Retries for a while where the servers of a cluster have no leader: a server has just died, or all have just
    /// started.
    pub async fn while_leaders_are_elected<T, F: Future<Output = Result<T>>>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T> {
        let give_up = Instant::now() + ELECTION;
        loop {
            match attempt().await {
                Err(BusError::Unavailable { problem, .. })
                    if is_without_leader(&problem) && Instant::now() < give_up =>
                {
                    tracing::debug!(%problem, "NATS may be electing a leader; retrying");
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
            // A cluster without a leader, which may get one.
            Kind::JetStream(cause) if cause.error_code() != ErrorCode::CLUSTER_NOT_AVAILABLE => {
                BusProblem::JetStreamRefused { cause: cause.to_string() }
            }
            Kind::JetStream(_) | Kind::TimedOut | Kind::Other => {
                BusProblem::JetStreamSilent { cause: error.to_string() }
            }
        }))
    }

    /// Retries until the attempt succeeds, or until the servers have been out of reach for too long. `act` names the
    /// work in messages: "store a message". Attempts must bear repetition.
    pub async fn persist<T, F>(&self, act: &str, mut attempt: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, AttemptError>> + Send,
    {
        let began = Instant::now();
        let give_up = began + self.options.outage;
        let (mut pause, mut is_told) = (Duration::from_millis(50), false);
        let mut epoch = self.epoch.clone();
        loop {
            epoch.mark_unchanged();
            let error = tokio::select! {
                result = attempt() => match result {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                },
                Ok(()) = epoch.changed() => continue,
            };
            if Instant::now() + pause >= give_up {
                return Err(self.failed(format!("failed to {act}: {error}")));
            }
            if began.elapsed() >= NOTICED && !std::mem::replace(&mut is_told, true) {
                tracing::warn!(%error, "failed to {act}; retrying");
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (2 * pause).min(Duration::from_secs(1)),
                Ok(()) = epoch.changed() => {}
            }
        }
    }

    /// Stores a message in a stream with one message per subject.
    pub async fn store(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<StoreAnswer> {
        self.persist("store a message", || async {
            let mut message = PublishMessage::build().payload(payload.clone());
            // The server parses headers that are there, even empty ones.
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

    /// True while a stream with one message per subject still has the message of this number. The test is an attempt to
    /// store another message, and the server rejects the attempt either way: permission to publish is enough.
    pub async fn stores(&self, subject: &str, sequence: u64) -> Result<bool> {
        self.persist("look for a message", || async {
            let another = PublishMessage::build().expected_last_subject_sequence(sequence);
            match self.jetstream.send_publish(subject.to_owned(), another).await?.await {
                Err(error) if is_there_already(&error) => Ok(true),
                Err(error) if error.kind() == context::PublishErrorKind::WrongLastSequence => Ok(false),
                Err(error) => Err(error.into()),
                Ok(_) => Err("another message took the place of the message".into()),
            }
        })
        .await
    }

    /// Makes a unique word, fit for names and subjects.
    pub fn unique(&self) -> String {
        self.client.new_inbox().replace(['.', '_'], "-")
    }

    /// The largest payload of a message, in bytes; headers need some room too.
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

/// True of errors, in the server's or the client's words, that come while a cluster elects a leader.
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
                Event::Disconnected => tracing::warn!("lost the connection to NATS; reconnecting"),
                event => tracing::debug!(%event, "event of the connection to NATS"),
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

/// Reads the user and the password from the first address with a login; a token stands there as a user without a
/// password.
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

/// True where the TLS handshake failed. The client reports such failures as trouble with input and output.
fn is_handshake(error: &async_nats::ConnectError) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>()).and_then(io::Error::get_ref);
    cause.is_some_and(|cause| cause.is::<async_nats::rustls::Error>())
}
