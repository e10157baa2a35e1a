//! The limits of one model, kept by all processes of a deployment together.

use std::{
    sync::Arc,
    time::{Duration, Instant as WallClock},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tributary_protocol::{bus::Gossip, wire};

use super::{
    Limits, LocalThrottle, Permit, Snapshot, Throttle,
    group::{Announcement, Group, PERIOD},
    share::Share,
};

/// How long a process may hear nothing, not even itself, before people are told.
const DEAF: Duration = Duration::from_secs(10);

/// Longer than anybody should be paused for what a message says.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What members tell one another.
#[derive(Serialize, Deserialize)]
enum Word {
    Here(Announcement),
    /// The provider had too many calls.
    Slow {
        member: u64,
        millis: u64,
    },
}

/// This process's share of a model's limits.
///
/// Shares follow who is there, who uses more than its share still, and whose turn it is where a ceiling is too low for
/// all; no call waits for a message. What the provider refuses to one slows all of them down. A process that is cut off
/// from the others makes no new call after a few seconds, until it hears them again and has waited for them to make room:
/// they take its share meanwhile, so only the calls that it has in flight then are beyond the ceiling.
pub struct SharedThrottle {
    local: Arc<LocalThrottle>,
    /// Pauses to tell the others of. Their receiver ends with this.
    slow: mpsc::UnboundedSender<Duration>,
}

impl SharedThrottle {
    /// Joins all processes that call this model. Must be called within a runtime.
    pub fn join(model: &str, limits: Limits, members: Arc<dyn Gossip>) -> Self {
        let whole = Share::whole(limits);
        let local = Arc::new(LocalThrottle::new(limits));
        local.set_share(Share::none_of(whole), None);
        let (slow, slowed) = mpsc::unbounded_channel();
        let me = rand::random();
        let keeper = Keeper {
            model: model.to_owned(),
            me,
            group: Group::new(me, whole, Instant::now()),
            local: local.clone(),
            members,
        };
        tokio::spawn(keeper.keep(slowed));
        Self { local, slow }
    }

    pub fn snapshot(&self) -> Snapshot {
        self.local.snapshot()
    }
}

#[async_trait]
impl Throttle for SharedThrottle {
    async fn admit(&self, estimated_tokens: u64) -> Permit {
        let permit = self.local.admit(estimated_tokens).await;
        let (local, slow) = (self.local.clone(), self.slow.clone());
        Permit::new(move |outcome| {
            let Some(outcome) = outcome else { return };
            let before = local.slowings();
            permit.done(outcome);
            // Only what was news here is news to the others.
            if local.slowings() != before {
                let _ = slow.send(local.snapshot().paused);
            }
        })
    }

    async fn exhausted(&self) -> Duration {
        self.local.exhausted().await
    }
}

/// Keeps a throttle to its share.
struct Keeper {
    model: String,
    me: u64,
    group: Group,
    local: Arc<LocalThrottle>,
    members: Arc<dyn Gossip>,
}

impl Keeper {
    async fn keep(mut self, mut slowed: mpsc::UnboundedReceiver<Duration>) {
        let mut period = interval(PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut said, began) = (None::<WallClock>, Instant::now());
        'listen: loop {
            let heard = tokio::select! {
                heard = self.members.hear(&self.model) => heard,
                pause = slowed.recv() => match pause {
                    Some(_) => continue,
                    None => return,
                },
            };
            let mut heard = match heard {
                Ok(heard) => heard,
                Err(error) => {
                    tracing::debug!(model = self.model, %error, "other workers can't be heard; trying again");
                    sleep(PERIOD).await;
                    continue;
                }
            };
            loop {
                tokio::select! {
                    _ = period.tick() => {
                        let word = self.group.announcement(Instant::now(), self.local.used(), false);
                        self.tell(&Word::Here(word)).await;
                    }
                    pause = slowed.recv() => match pause {
                        Some(pause) => {
                            let millis = pause.as_millis() as u64;
                            self.tell(&Word::Slow { member: self.me, millis }).await;
                        }
                        None => {
                            let word = self.group.announcement(Instant::now(), self.local.used(), true);
                            self.tell(&Word::Here(word)).await;
                            return;
                        }
                    },
                    word = heard.next() => match word {
                        Some(word) => self.hear(&word),
                        None => continue 'listen,
                    },
                }
                let now = Instant::now();
                let (share, end) = self.group.share(now, self.local.used());
                self.local.set_share(share, end);
                let is_deaf = !self.group.is_heard(now) && now.duration_since(began) >= DEAF;
                if end.is_some() && is_deaf && said.is_none_or(|said| said.elapsed() >= 6 * DEAF) {
                    said = Some(WallClock::now());
                    tracing::warn!(
                        model = self.model,
                        "other workers can't be heard, so no call is made that might exceed the limits; \
                         if NATS can be reached, may this account publish and subscribe `PREFIX.member.*`?"
                    );
                }
            }
        }
    }

    async fn tell(&self, word: &Word) {
        let told = self.members.tell(&self.model, Bytes::from(wire::encode(word)));
        if let Ok(Err(error)) = timeout(PERIOD, told).await {
            tracing::debug!(model = self.model, %error, "other workers can't be told anything");
        }
    }

    fn hear(&mut self, word: &[u8]) {
        match wire::decode(word) {
            Ok(Word::Here(announcement)) => self.group.hear(Instant::now(), announcement),
            Ok(Word::Slow { member, .. }) if self.group.is_me(member) => {}
            Ok(Word::Slow { millis, .. }) => {
                self.local.slow_down_with_others(Duration::from_millis(millis).min(LONGEST_PAUSE));
            }
            Err(error) => tracing::debug!(%error, "another worker's word can't be read"),
        }
    }
}

#[cfg(test)]
mod tests;
