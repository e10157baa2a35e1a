//! The workers of a deployment, known to a coordinator by their announcements.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt as _;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tributary_protocol::{
    bus::Gossip,
    roster::{Announcement, EVERY, GROUP},
    task::Kind,
    wire,
};

/// The pause before listening again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// The time after which a silent worker counts as gone: two announcements may be lost.
fn gone_after() -> Duration {
    EVERY * 3
}

/// The workers with a recent announcement.
pub struct Roster {
    since: Instant,
    workers: Mutex<HashMap<String, (Announcement, Instant)>>,
}

impl Roster {
    /// Listens to announcements until the returned task is aborted. Must be called within a runtime.
    pub fn listen(gossip: Arc<dyn Gossip>) -> (Arc<Self>, JoinHandle<()>) {
        let roster = Arc::new(Self { since: Instant::now(), workers: Mutex::default() });
        let listening = tokio::spawn(Arc::clone(&roster).hear(gossip));
        (roster, listening)
    }

    async fn hear(self: Arc<Self>, gossip: Arc<dyn Gossip>) {
        loop {
            match gossip.hear(GROUP).await {
                Ok(mut words) => {
                    while let Some(word) = words.next().await {
                        // An announcement of another build may not be readable.
                        if let Ok(announcement) = wire::decode::<Announcement>(&word) {
                            self.workers().insert(announcement.worker.clone(), (announcement, Instant::now()));
                        }
                    }
                }
                Err(error) => tracing::debug!(%error, "failed to listen to workers' announcements; trying again"),
            }
            sleep(PAUSE).await;
        }
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<String, (Announcement, Instant)>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns why no worker serves any of these tasks; none if a worker serves a task, or if it is too early to tell.
    pub fn unserved<'a>(&self, tasks: impl IntoIterator<Item = (Kind, &'a str)>) -> Option<String> {
        if self.since.elapsed() < EVERY + PAUSE {
            return None;
        }
        let mut workers = self.workers();
        workers.retain(|_, (_, heard)| heard.elapsed() < gone_after());
        let mut wanted: BTreeMap<&str, Kind> = BTreeMap::new();
        for (kind, model) in tasks {
            if workers.values().any(|(worker, _)| worker.serves(kind, model)) {
                return None;
            }
            wanted.insert(model, kind);
        }
        let (model, kind) = wanted.into_iter().next()?;
        let serves_model = |(worker, _): &(Announcement, Instant)| worker.models.iter().any(|of| of == model);
        let what =
            if workers.values().any(serves_model) { format!("{kind} tasks of {model}") } else { model.to_owned() };
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        for (worker, _) in workers.values() {
            *others.entry(served(worker)).or_default() += 1;
        }
        let others = others.into_iter().map(|(served, count)| match count {
            1 => format!("1 worker serves {served}"),
            count => format!("{count} workers serve {served}"),
        });
        let others = others.collect::<Vec<_>>().join(", ");
        Some(if others.is_empty() {
            format!("no worker serves {what}; no worker is running")
        } else {
            format!("no worker serves {what}; {others}")
        })
    }
}

/// Describes the tasks that a worker serves, for people.
fn served(worker: &Announcement) -> String {
    let models = if worker.models.is_empty() { "every model".to_owned() } else { worker.models.join(" and ") };
    if worker.kinds.is_empty() { models } else { format!("{} tasks of {models}", worker.kinds.join(" and ")) }
}

#[cfg(test)]
mod tests {
    use tributary_protocol::survey::SurveyKind;

    use super::*;

    fn roster(workers: &[(&str, &[&str], &[&str])]) -> Roster {
        let texts = |of: &[&str]| of.iter().map(|text| (*text).to_owned()).collect();
        let announced = workers.iter().map(|(worker, models, kinds)| {
            let announcement =
                Announcement { worker: (*worker).to_owned(), models: texts(models), kinds: texts(kinds) };
            ((*worker).to_owned(), (announcement, Instant::now()))
        });
        Roster { since: Instant::now() - 2 * EVERY, workers: Mutex::new(announced.collect()) }
    }

    #[tokio::test]
    async fn tasks_that_nobody_serves_are_told_with_what_is_served_instead() {
        let digest = [(SurveyKind::Digest.into(), "extractive")];
        let of = |workers: &[(&str, &[&str], &[&str])]| roster(workers).unserved(digest);
        assert_eq!(of(&[("a", &[], &[])]), None);
        assert_eq!(of(&[("a", &["openai/x"], &[]), ("b", &["extractive"], &["digest"])]), None);
        let told = of(&[("a", &["openai/x"], &[])]).unwrap();
        assert_eq!(told, "no worker serves extractive; 1 worker serves openai/x");
        assert_eq!(of(&[]).unwrap(), "no worker serves extractive; no worker is running");
        let told = of(&[("a", &["extractive"], &["write"]), ("b", &["extractive"], &["write"])]).unwrap();
        assert_eq!(told, "no worker serves digest tasks of extractive; 2 workers serve write tasks of extractive");
        let early = Roster { since: Instant::now(), workers: Mutex::default() };
        assert_eq!(early.unserved(digest), None);
    }
}
