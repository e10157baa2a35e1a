//! The roster: announcements of workers, with the tasks that each serves.
//!
//! A worker announces itself every [`EVERY`] to the group [`GROUP`] of the bus's members; nothing is stored. A
//! coordinator that hears the announcements can tell jobs without a worker for their tasks from jobs with long tasks.

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
    /// True if the worker serves tasks of this kind and model.
    pub fn serves(&self, kind: Kind, model: &str) -> bool {
        let has = |list: &[String], name: &str| list.is_empty() || list.iter().any(|of| of == name);
        has(&self.models, model) && has(&self.kinds, kind.name())
    }
}
