//! Settings of the bus on NATS.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// The settings of a [`NatsBus`](super::NatsBus). Files give durations in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsOptions {
    /// The server's address, or several addresses of a cluster, separated by commas: `nats://host:4222`,
    /// `tls://host:4222`.
    pub url: String,
    pub auth: Auth,
    pub tls: Tls,
    /// This process's name in the server's lists of connections.
    pub name: String,
    /// The beginning of all subjects, streams and buckets: letters, digits, `-` and `_`. Deployments with different
    /// prefixes don't see each other.
    pub prefix: String,
    /// Copies of every message: 1 for a single server, 3 for a cluster of servers.
    pub replicas: usize,
    /// Time for which a finished job's state and result, and everything of a failed job, are kept, in seconds; 0 for
    /// ever. Coordinators delete them. The server deletes the rest a year later, even the data of a job that isn't over
    /// by then.
    #[serde(with = "seconds")]
    pub retention: Duration,
    /// Time for which models' replies are kept, in seconds; 0 for ever.
    #[serde(with = "seconds")]
    pub replies: Duration,
    /// Room for models' replies, in bytes; the oldest are deleted first. None for no limit. Replies larger than a
    /// message are kept elsewhere and don't count.
    pub replies_bytes: Option<u64>,
    /// Time for which tasks that were given up are kept for inspection, in seconds; 0 for ever.
    #[serde(with = "seconds")]
    pub dead_letters: Duration,
    /// The lease of a task: a worker that is silent for longer loses the task to another worker, in seconds.
    #[serde(with = "seconds")]
    pub ack_wait: Duration,
    /// Most deliveries of a task before the task is given up.
    pub max_deliver: u32,
    /// The lease of a job: a coordinator that is silent for longer loses the job to another coordinator, in seconds.
    #[serde(with = "seconds")]
    pub lease: Duration,
    /// Time for which a call waits for unreachable servers before the call fails, in seconds.
    #[serde(with = "seconds")]
    pub outage: Duration,
    /// Change existing streams and consumers to these settings. Otherwise they are used as they are: a single role
    /// decides, and the others need no right to change anything.
    pub adjust: bool,
}

const DAY: u64 = 24 * 3600;
const YEAR: Duration = Duration::from_secs(365 * DAY);

impl NatsOptions {
    /// The servers' addresses without the logins in them.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// Age at which the server itself deletes a job's data; zero for never. The server counts from the day of storing
    /// and knows nothing of jobs, so the age is far longer than a job may wait and run.
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

/// This process's login at the server.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// No login, or the login in the address.
    #[default]
    None,
    User {
        user: String,
        password: String,
    },
    Token(String),
    /// The seed of an nkey.
    Nkey(String),
    /// A credentials file, as `nsc` makes it.
    Credentials(PathBuf),
}

impl fmt::Debug for Auth {
    /// Names the kind of login without the secret.
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

/// Encryption of the connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Refuse a connection that isn't encrypted.
    pub required: bool,
    /// Certificates to trust besides the system's own (PEM).
    pub ca: Option<PathBuf>,
    /// This process's certificate (PEM), for servers that ask for a client certificate. Needs `key`.
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

/// The addresses in `url` without the logins in them.
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
