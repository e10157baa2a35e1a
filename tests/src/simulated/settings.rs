//! The settings of the simulated model. The defaults are quick and flawless.

use super::injection::Injection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The settings of a simulated model. Rates are shares of calls, 0 to 1; the sum should stay below 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name in the list of models. Calls may use any other name and get the same replies.
    pub model: String,
    /// The mean of the log-normal latency, in seconds; 0 answers at once.
    pub latency_mean: f64,
    /// The standard deviation of the latency's logarithm.
    pub latency_sigma: f64,
    /// Seconds added for each token of the reply.
    pub latency_per_token: f64,
    /// The share of failing calls.
    pub failure_rate: f64,
    /// The kinds of failures, equally likely.
    pub failure_kinds: Vec<FailureKind>,
    /// The share of calls with a garbage reply.
    pub garbage_rate: f64,
    /// The kinds of garbage, equally likely.
    pub garbage_kinds: Vec<GarbageKind>,
    /// The share of replies cut off with `finish_reason: length`.
    pub cut_rate: f64,
    /// The share of refused calls.
    pub refusal_rate: f64,
    /// The share of calls accepted without any answer.
    pub stall_rate: f64,
    /// The most calls in flight; further calls get a 429.
    pub max_in_flight: Option<usize>,
    /// The most calls in any minute; further calls get a 429.
    pub requests_per_minute: Option<usize>,
    /// The most prompt and reply tokens in any minute; further calls get a 429.
    pub tokens_per_minute: Option<usize>,
    /// The length of the provider's minute, in seconds. A short minute makes tests quick.
    pub minute: f64,
    /// The context window: prompt and reserved reply tokens beyond it get a 400, `context_length_exceeded`.
    pub window: Option<usize>,
    /// The required key; calls with a wrong key get a 401.
    pub key: Option<String>,
    /// The `response_format` values that the server accepts.
    pub schema_support: SchemaSupport,
    /// An instruction that the model follows outside of fenced source text.
    pub injection: Option<Injection>,
    /// The seed of latencies and faults. Replies don't depend on the seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "simulated".into(),
            latency_mean: 0.0,
            latency_sigma: 0.5,
            latency_per_token: 0.0,
            failure_rate: 0.0,
            failure_kinds: FailureKind::ALL.to_vec(),
            garbage_rate: 0.0,
            garbage_kinds: GarbageKind::ALL.to_vec(),
            cut_rate: 0.0,
            refusal_rate: 0.0,
            stall_rate: 0.0,
            max_in_flight: None,
            requests_per_minute: None,
            tokens_per_minute: None,
            minute: 60.0,
            window: None,
            key: None,
            schema_support: SchemaSupport::JsonSchema,
            injection: None,
            seed: 0,
        }
    }
}

impl Settings {
    /// Returns the settings, overlaid with the fields of a JSON object.
    pub fn overlaid(&self, changes: &Value) -> Result<Self, String> {
        let changes = changes.as_object().ok_or("the settings must be a JSON object")?;
        let mut all = serde_json::to_value(self).map_err(|error| error.to_string())?;
        for (name, value) in changes {
            all[name] = value.clone();
        }
        let mut merged: Self = serde_json::from_value(all).map_err(|error| error.to_string())?;
        if let (Some(new), Some(old)) = (&mut merged.injection, &self.injection) {
            new.outside = old.outside.clone();
        }
        Ok(merged)
    }
}

/// A kind of failing call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// HTTP 500 with an error in OpenAI's shape.
    InternalError,
    /// HTTP 503 with a proxy's HTML page.
    Unavailable,
    /// The connection closes before the first byte of the reply.
    HangUp,
    /// The connection closes in the middle of the reply.
    TornReply,
}

impl FailureKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::InternalError, Self::Unavailable, Self::HangUp, Self::TornReply];

    /// Returns the name in statistics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::InternalError => "500",
            Self::Unavailable => "503",
            Self::HangUp => "hang_up",
            Self::TornReply => "torn_reply",
        }
    }
}

/// A kind of useless or untrue reply with status 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GarbageKind {
    /// Prose without any JSON.
    NotJson,
    /// JSON that breaks off, with `finish_reason: stop`.
    Truncated,
    /// Values of other types than the schema's.
    WrongTypes,
    /// Choices outside of the schema's enums, such as `S9999`.
    UnknownHandles,
    /// No choices at all.
    EmptyChoices,
    /// A message whose content is null.
    NullContent,
    /// The right JSON between chatty sentences, without a code fence.
    Prose,
    /// The right JSON with citations of unknown sources in the texts: `[3]`, `[S17]`.
    FakeCitations,
}

impl GarbageKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::NotJson,
        Self::Truncated,
        Self::WrongTypes,
        Self::UnknownHandles,
        Self::EmptyChoices,
        Self::NullContent,
        Self::Prose,
        Self::FakeCitations,
    ];

    /// Returns the name in statistics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotJson => "garbage:not_json",
            Self::Truncated => "garbage:truncated",
            Self::WrongTypes => "garbage:wrong_types",
            Self::UnknownHandles => "garbage:unknown_handles",
            Self::EmptyChoices => "garbage:empty_choices",
            Self::NullContent => "garbage:null_content",
            Self::Prose => "garbage:prose",
            Self::FakeCitations => "garbage:fake_citations",
        }
    }
}

/// The `response_format` values that a server accepts. Other values get a 400, as from real servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaSupport {
    /// `json_schema`, `json_object` and plain text.
    JsonSchema,
    /// `json_object` and plain text.
    JsonObject,
    /// Plain text only.
    None,
}
