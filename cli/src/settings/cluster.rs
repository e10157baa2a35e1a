//! The settings of a cluster's roles.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tributary_coordinator::{
    actor::{self, Window},
    service,
};

/// The settings of coordinators and workers. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// The most jobs that a coordinator holds at a time.
    pub jobs: usize,
    /// The most tasks of a job in flight; each job adapts its number below this limit.
    pub window: usize,
    /// The time without any outcome of a job after which the outstanding tasks are published again.
    pub silence: f64,
    /// The shortest time between two writes of a job's state.
    pub state_every: f64,
    /// The time that a stopping worker has to finish running tasks.
    pub grace: f64,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { jobs: 16, window: Window::default().most, silence: 60.0, state_every: 1.0, grace: 25.0 }
    }
}

impl Cluster {
    pub fn service(&self) -> service::ServiceOptions {
        let least = Window::default().least.min(self.window);
        let window = Window { least, most: self.window };
        let run = actor::Options { window, silence: Duration::from_secs_f64(self.silence) };
        service::ServiceOptions { jobs: self.jobs, run, state_every: Duration::from_secs_f64(self.state_every) }
    }

    pub fn grace(&self) -> Duration {
        Duration::from_secs_f64(self.grace)
    }

    /// Checks the values. The error names the invalid setting.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, number) in [("jobs", self.jobs), ("window", self.window)] {
            if number == 0 {
                return Err(format!("cluster.{name} is 0; set at least 1"));
            }
        }
        let times =
            [("silence", self.silence, 0.1), ("state_every", self.state_every, 0.0), ("grace", self.grace, 0.0)];
        for (name, seconds, least) in times {
            if !(least..1e9).contains(&seconds) {
                return Err(format!("cluster.{name} is {seconds}; set a number of seconds, at least {least}"));
            }
        }
        Ok(())
    }
}
