//! The roster: what each worker of a deployment serves, as workers announce it.
//!
//! A worker announces itself every [`EVERY`] to the group [`GROUP`] of the bus's members; nothing is kept. A coordinator that
//! hears the announcements can tell a job whose tasks nobody serves from one whose tasks take long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kind::Kind;

/// The group that announcements go to.
pub const GROUP: &str = "roster";

/// The time between two announcements of a worker.
pub const EVERY: Duration = Duration::from_secs(4);

/// A worker's announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The name of the worker's process.
    pub worker: String,
    /// The models that the worker serves; empty for every model that a task may name.
    pub models: Vec<String>,
    /// The names of the kinds of task that the worker serves; empty for all.
    pub kinds: Vec<String>,
}

impl Announcement {
    /// Whether the worker serves tasks of this kind and model.
    pub fn serves(&self, kind: Kind, model: &str) -> bool {
        let has = |list: &[String], name: &str| list.is_empty() || list.iter().any(|of| of == name);
        has(&self.models, model) && has(&self.kinds, kind.name())
    }
}
