//! Pulls messages for whoever waits for one.
//!
//! Each kind of task has a consumer of its own, and nobody knows beforehand which will have something. So a puller has a
//! request for one message waiting at each, and asks for as many as are waited for where messages have just come from.
//! What it asks for follows who waits: a message that nobody waits for would only be kept from another worker.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{Message, StatusCode, Subscriber};
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{mpsc, oneshot, watch};

use super::{link::Link, receipt::Held};
use crate::bus::Result;

/// How long a request waits at a consumer where nothing came from lately.
const LONG: Duration = Duration::from_secs(30);
/// How long one waits where something just did.
const SHORT: Duration = Duration::from_millis(200);
/// How long after the last wish requests are withdrawn, and messages that nobody took are given back.
const IDLE: Duration = Duration::from_millis(50);
/// How long a consumer that refused is left alone.
const REFUSED: Duration = Duration::from_millis(250);
/// Who takes messages as fast as this asks for them is served from a store of messages for this time.
const AHEAD: Duration = Duration::from_millis(10);
/// The largest such store.
const MOST_AHEAD: usize = 256;

/// Someone who waits for a message.
pub(super) type Hand = oneshot::Sender<Held>;

/// Where to pull: a stream and its durable consumers.
pub(super) struct Source {
    pub stream: String,
    pub consumers: Vec<String>,
    /// How long the server waits for a sign of life.
    pub patience: Duration,
}

/// Starts pulling. It ends when the sender is dropped.
pub(super) async fn start(link: Arc<Link>, source: Source) -> Result<mpsc::UnboundedSender<Hand>> {
    let (wishes, hands) = mpsc::unbounded_channel();
    let (inbox, answers) = open_inbox(&link).await?;
    let lanes = source.consumers.into_iter().map(Lane::new).collect();
    let epoch = link.epoch.clone();
    let puller = Puller {
        link,
        stream: source.stream,
        patience: source.patience,
        inbox,
        answers,
        lanes,
        hands,
        epoch,
        waiting: VecDeque::new(),
        store: VecDeque::new(),
        pace: Pace::default(),
        idle_since: None,
    };
    tokio::spawn(puller.run());
    Ok(wishes)
}

async fn open_inbox(link: &Link) -> Result<(String, Subscriber)> {
    let inbox = link.client.new_inbox();
    let answers = link.client.subscribe(format!("{inbox}.*")).await.map_err(|error| link.unavailable(error))?;
    Ok((inbox, answers))
}

struct Puller {
    link: Arc<Link>,
    stream: String,
    patience: Duration,
    inbox: String,
    answers: Subscriber,
    lanes: Vec<Lane>,
    hands: mpsc::UnboundedReceiver<Hand>,
    epoch: watch::Receiver<u64>,
    waiting: VecDeque<Hand>,
    store: VecDeque<Held>,
    pace: Pace,
    /// Since when nobody has waited.
    idle_since: Option<Instant>,
}

/// One consumer.
struct Lane {
    consumer: String,
    /// Messages that were asked for and haven't come.
    asked: usize,
    /// When the last request is void, whatever became of its answer.
    void: Instant,
    /// Something came lately.
    warm: bool,
    not_before: Option<Instant>,
}

impl Lane {
    fn new(consumer: String) -> Self {
        Self { consumer, asked: 0, void: Instant::now(), warm: false, not_before: None }
    }

    fn reset(&mut self) {
        (self.asked, self.warm) = (0, false);
    }
}

impl Puller {
    async fn run(mut self) {
        loop {
            self.serve();
            if let Err(error) = self.ask().await {
                tracing::debug!(%error, "a request for tasks was not sent");
            }
            let wake = self.wake();
            tokio::select! {
                hand = self.hands.recv() => match hand {
                    Some(hand) => self.waiting.push_back(hand),
                    None => return,
                },
                Some(message) = self.answers.next() => self.take(message),
                Ok(()) = self.epoch.changed() => self.lanes.iter_mut().for_each(Lane::reset),
                () = tokio::time::sleep_until(wake.into()) => self.tidy().await,
            }
            // What else is there already.
            while let Ok(hand) = self.hands.try_recv() {
                self.waiting.push_back(hand);
            }
            while let Some(Some(message)) = self.answers.next().now_or_never() {
                self.take(message);
            }
        }
    }

    fn serve(&mut self) {
        while let Some(held) = self.store.pop_front() {
            let Some(hand) = self.waiting.pop_front() else {
                self.store.push_front(held);
                break;
            };
            match hand.send(held) {
                Ok(()) => self.pace.count(),
                Err(held) => self.store.push_front(held),
            }
        }
        self.waiting.retain(|hand| !hand.is_closed());
        match (self.waiting.is_empty(), self.idle_since) {
            (true, None) => self.idle_since = Some(Instant::now()),
            (false, Some(_)) => self.idle_since = None,
            _ => {}
        }
    }

    /// Asks for what is waited for.
    async fn ask(&mut self) -> Result<(), async_nats::PublishError> {
        let need = if self.is_idle() { 0 } else { self.waiting.len() + self.pace.ahead() };
        let need = need.saturating_sub(self.store.len());
        if need == 0 {
            return Ok(());
        }
        let (now, alone) = (Instant::now(), self.lanes.len() == 1);
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if lane.asked > 0 && now >= lane.void {
                lane.reset();
            }
            let target = if alone || lane.warm { need } else { 1 };
            // Refilled when half empty, not message by message.
            if lane.asked > target / 2 || lane.not_before.is_some_and(|then| now < then) {
                continue;
            }
            let expires = if lane.warm && !alone { SHORT } else { LONG };
            let batch = target - lane.asked;
            let request = format!(r#"{{"batch":{batch},"expires":{}}}"#, expires.as_nanos());
            let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, lane.consumer);
            let reply = format!("{}.{number}", self.inbox);
            self.link.client.publish_with_reply(subject, reply, request.into()).await?;
            (lane.asked, lane.void, lane.not_before) = (target, now + expires + SHORT, None);
        }
        Ok(())
    }

    /// Takes an answer in: a message, or why there is none.
    fn take(&mut self, message: Message) {
        match message.status {
            None | Some(StatusCode::OK) => self.take_message(message),
            Some(status) => self.take_refusal(&message, status),
        }
    }

    fn take_message(&mut self, message: Message) {
        let consumer = message.reply.as_deref().and_then(consumer_of);
        if let Some(lane) = self.lanes.iter_mut().find(|lane| Some(lane.consumer.as_str()) == consumer) {
            lane.asked = lane.asked.saturating_sub(1);
            lane.warm = true;
        }
        if let Some(held) = Held::new(self.link.clone(), message, self.patience) {
            self.store.push_back(held);
        }
    }

    fn take_refusal(&mut self, message: &Message, status: StatusCode) {
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse::<usize>().ok());
        let Some(lane) = number.and_then(|number| self.lanes.get_mut(number)) else { return };
        let pending = message.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
        let pending = pending.and_then(|pending| pending.as_str().parse().ok()).unwrap_or(lane.asked);
        lane.asked = lane.asked.saturating_sub(pending);
        lane.warm = false;
        if status != StatusCode::TIMEOUT && status != StatusCode::NOT_FOUND {
            lane.reset();
            lane.not_before = Some(Instant::now() + REFUSED);
            let reason = message.description.as_deref().unwrap_or("no answer");
            tracing::debug!(consumer = lane.consumer, %status, reason, "a request for tasks was refused");
        }
    }

    fn is_idle(&self) -> bool {
        self.idle_since.is_some_and(|since| since.elapsed() >= IDLE)
    }

    /// When something is due without anything happening.
    fn wake(&self) -> Instant {
        if let Some(since) = self.idle_since {
            let busy = !self.store.is_empty() || self.lanes.iter().any(|lane| lane.asked > 0);
            return if busy { since + IDLE } else { Instant::now() + LONG };
        }
        let due = self.lanes.iter().map(|lane| lane.not_before.unwrap_or(lane.void)).min();
        due.unwrap_or_else(|| Instant::now() + LONG).max(Instant::now() + Duration::from_millis(1))
    }

    /// Nobody waits any more: withdraws the requests, and gives back what came of them.
    async fn tidy(&mut self) {
        if !self.is_idle() {
            return;
        }
        if self.lanes.iter().any(|lane| lane.asked > 0) {
            let _ = self.answers.unsubscribe().await;
            while let Some(Some(message)) = self.answers.next().now_or_never() {
                self.take(message);
            }
            match open_inbox(&self.link).await {
                Ok((inbox, answers)) => (self.inbox, self.answers) = (inbox, answers),
                Err(error) => tracing::warn!(%error, "no more tasks can be pulled"),
            }
            self.lanes.iter_mut().for_each(Lane::reset);
        }
        self.store.clear();
    }
}

/// The consumer in the subject that a message is acknowledged on.
fn consumer_of(reply: &str) -> Option<&str> {
    let long = reply.split('.').count() >= 11;
    reply.split('.').nth(if long { 5 } else { 3 })
}

/// How fast messages are taken.
#[derive(Default)]
struct Pace {
    last: Option<Instant>,
    /// Between two messages, averaged, in seconds.
    gap: f64,
}

impl Pace {
    fn count(&mut self) {
        let now = Instant::now();
        let gap = self.last.map_or(1.0, |last| now.duration_since(last).as_secs_f64().min(1.0));
        self.gap = if self.last.is_none() { gap } else { 0.9 * self.gap + 0.1 * gap };
        self.last = Some(now);
    }

    /// How many messages to have in store.
    fn ahead(&self) -> usize {
        let Some(last) = self.last else { return 0 };
        if last.elapsed() > AHEAD {
            return 0;
        }
        ((AHEAD.as_secs_f64() / self.gap.max(1e-6)) as usize).min(MOST_AHEAD)
    }
}
