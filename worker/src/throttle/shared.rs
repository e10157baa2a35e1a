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
    contract::Throttle,
    group::{GroupAnnouncement, PERIOD, ThrottleGroup},
    limits::RateLimits,
    local::LocalThrottle,
    permit::CallPermit,
    share::LimitShare,
    state::ThrottleSnapshot,
};

/// The time without any message, even from this process itself, after which a warning is logged.
const DEAF: Duration = Duration::from_secs(10);

/// The longest pause accepted from another member.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A message between members.
#[derive(Serialize, Deserialize)]
enum ThrottleMessage {
    Announced(GroupAnnouncement),
    /// The provider had too many calls.
    SlowDown {
        member: u64,
        millis: u64,
    },
}

/// This process's share of a model's limits.
///
/// Shares follow the members present, their surplus use, and the turns at a ceiling too low for all; no call waits for
/// a message. A refusal by the provider slows all members down. A process cut off from the others makes no new call
/// after a few seconds. Once connected again, the process waits for the others to make room, since they have taken over
/// its share; meanwhile only its calls in flight are beyond the ceiling.
pub struct SharedThrottle {
    local: Arc<LocalThrottle>,
    /// Pauses for the other members. Dropping the sender ends the task of the receiver.
    slow: mpsc::UnboundedSender<Duration>,
}

impl SharedThrottle {
    /// Joins the group of all processes with calls to this model. Must be called within a runtime.
    pub fn join(model: &str, limits: RateLimits, members: Arc<dyn Gossip>) -> Self {
        let whole = LimitShare::whole(limits);
        let local = Arc::new(LocalThrottle::new(limits));
        local.set_share(LimitShare::none_of(whole), None);
        let (slow, slowed) = mpsc::unbounded_channel();
        let me = rand::random();
        let keeper = ShareKeeper {
            model: model.to_owned(),
            me,
            group: ThrottleGroup::new(me, whole, Instant::now()),
            local: local.clone(),
            members,
        };
        tokio::spawn(keeper.keep(slowed));
        Self { local, slow }
    }

    pub fn snapshot(&self) -> ThrottleSnapshot {
        self.local.snapshot()
    }
}

#[async_trait]
impl Throttle for SharedThrottle {
    async fn admit(&self, estimated_tokens: u64) -> CallPermit {
        let permit = self.local.admit(estimated_tokens).await;
        let (local, slow) = (self.local.clone(), self.slow.clone());
        CallPermit::new(move |outcome| {
            let Some(outcome) = outcome else { return };
            let before = local.slowings();
            permit.done(outcome);
            // Only a slowdown new to this process is news to the others.
            if local.slowings() != before {
                let _ = slow.send(local.snapshot().paused);
            }
        })
    }

    async fn exhausted(&self) -> Duration {
        self.local.exhausted().await
    }
}

/// Keeps a throttle within its share.
struct ShareKeeper {
    model: String,
    me: u64,
    group: ThrottleGroup,
    local: Arc<LocalThrottle>,
    members: Arc<dyn Gossip>,
}

impl ShareKeeper {
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
                    tracing::debug!(model = self.model, %error, "failed to subscribe to the other workers' messages; trying again");
                    sleep(PERIOD).await;
                    continue;
                }
            };
            loop {
                tokio::select! {
                    _ = period.tick() => {
                        let word = self.group.announcement(Instant::now(), self.local.used(), false);
                        self.tell(&ThrottleMessage::Announced(word)).await;
                    }
                    pause = slowed.recv() => match pause {
                        Some(pause) => {
                            let millis = pause.as_millis() as u64;
                            self.tell(&ThrottleMessage::SlowDown { member: self.me, millis }).await;
                        }
                        None => {
                            let word = self.group.announcement(Instant::now(), self.local.used(), true);
                            self.tell(&ThrottleMessage::Announced(word)).await;
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
                        "no message of any worker arrives, so no call is made that might exceed the limits; \
                         if NATS is up, allow this account to publish and subscribe `PREFIX.member.*`"
                    );
                }
            }
        }
    }

    async fn tell(&self, word: &ThrottleMessage) {
        let told = self.members.tell(&self.model, Bytes::from(wire::encode(word)));
        if let Ok(Err(error)) = timeout(PERIOD, told).await {
            tracing::debug!(model = self.model, %error, "failed to send a message to the other workers");
        }
    }

    fn hear(&mut self, word: &[u8]) {
        match wire::decode(word) {
            Ok(ThrottleMessage::Announced(announcement)) => self.group.hear(Instant::now(), announcement),
            Ok(ThrottleMessage::SlowDown { member, .. }) if self.group.is_me(member) => {}
            Ok(ThrottleMessage::SlowDown { millis, .. }) => {
                self.local.slow_down_with_others(Duration::from_millis(millis).min(LONGEST_PAUSE));
            }
            Err(error) => tracing::debug!(%error, "failed to read another worker's message"),
        }
    }
}

#[cfg(test)]
mod tests;
