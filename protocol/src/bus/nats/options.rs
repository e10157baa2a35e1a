//! How to reach NATS, and what to keep there.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// All that may be set of a [`NatsBus`](super::NatsBus). Durations are in seconds where they are written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsOptions {
    /// The server's address, or several of one cluster, separated by commas: `nats://host:4222`, `tls://host:4222`.
    pub url: String,
    pub auth: Auth,
    pub tls: Tls,
    /// What this process is called in the server's lists of connections.
    pub name: String,
    /// What all subjects, streams and buckets begin with: letters, digits, `-` and `_`. Deployments with different
    /// prefixes don't see one another.
    pub prefix: String,
    /// Copies of every message: 1 for one server, 3 for a cluster of servers.
    pub replicas: usize,
    /// How long what is left of a job is kept after it ended, in seconds; 0 for ever: how it stood, what came of it, and
    /// all of one that has failed. Coordinators remove it. What nobody removes, the server does a year later; of a job that
    /// isn't over by then it takes what it needs.
    #[serde(with = "seconds")]
    pub retention: Duration,
    /// How long models' replies are kept, in seconds; 0 for ever.
    #[serde(with = "seconds")]
    pub replies: Duration,
    /// How much room models' replies may take, in bytes; the oldest go first. None for no limit. Those that are larger than
    /// a message are kept beside and don't count.
    pub replies_bytes: Option<u64>,
    /// How long tasks that were given up are kept for people to look at, in seconds; 0 for ever.
    #[serde(with = "seconds")]
    pub dead_letters: Duration,
    /// How long a worker may give no sign of life before its task goes to another, in seconds.
    #[serde(with = "seconds")]
    pub ack_wait: Duration,
    /// How often a task is delivered before it is given up.
    pub max_deliver: u32,
    /// How long a coordinator may give no sign of life before its job goes to another, in seconds.
    #[serde(with = "seconds")]
    pub lease: Duration,
    /// How long a call waits for servers that can't be reached before it fails, in seconds.
    #[serde(with = "seconds")]
    pub outage: Duration,
    /// Change streams and consumers that are there already to these settings. Without it they are used as they are, so
    /// that one role decides and the others need no right to.
    pub adjust: bool,
}

const DAY: u64 = 24 * 3600;
const YEAR: Duration = Duration::from_secs(365 * DAY);

impl NatsOptions {
    /// Where the servers are, without the secrets that their addresses may hold.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// When the server itself removes what is kept of a job. It counts from the day that each thing was stored and knows
    /// nothing of jobs, so this is far longer than one may wait and run. Zero for never.
    pub(super) fn last_resort(&self) -> Duration {
        if self.retention.is_zero() { Duration::ZERO } else { self.retention + YEAR }
    }
}

impl Default for NatsOptions {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".into(),
            auth: Auth::default(),
            tls: Tls::default(),
            name: "tributary".into(),
            prefix: "tributary".into(),
            replicas: 1,
            retention: Duration::from_secs(30 * DAY),
            replies: Duration::from_secs(30 * DAY),
            replies_bytes: None,
            dead_letters: Duration::from_secs(7 * DAY),
            ack_wait: Duration::from_secs(15),
            max_deliver: 8,
            lease: Duration::from_secs(15),
            outage: Duration::from_secs(120),
            adjust: false,
        }
    }
}

/// Who this process is to the server.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// Nobody in particular, or who the address names.
    #[default]
    None,
    User {
        user: String,
        password: String,
    },
    Token(String),
    /// The seed of an nkey.
    Nkey(String),
    /// A file of credentials, as `nsc` makes them.
    Credentials(PathBuf),
}

impl fmt::Debug for Auth {
    /// Names the way, not the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "None"),
            Self::User { user, .. } => write!(f, "User({user})"),
            Self::Token(_) => write!(f, "Token"),
            Self::Nkey(_) => write!(f, "Nkey"),
            Self::Credentials(path) => write!(f, "Credentials({})", path.display()),
        }
    }
}

/// How the connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Refuse a connection that isn't encrypted.
    pub required: bool,
    /// Certificates to trust besides the system's own (PEM).
    pub ca: Option<PathBuf>,
    /// This process's certificate and its key (PEM), for servers that ask for one.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Where the servers are, without the secrets that their addresses may hold.
pub(super) fn place(url: &str) -> String {
    url.split(',').map(|url| hide_login(url.trim())).collect::<Vec<_>>().join(",")
}

fn hide_login(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((login, host)) => {
            let scheme = login.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}{}{host}", if scheme.is_empty() { "" } else { "://" })
        }
        None => url.to_owned(),
    }
}
