//! Pulls messages for whoever waits for one.
//!
//! Each kind of task has a consumer of its own, and nobody knows beforehand which will have something. So a puller asks
//! one after another for what it has at once, beginning where it found something last; only if none has anything does it
//! leave a request for one message waiting at each. A message that nobody waits for would be kept from another worker.
//! Consumers take turns: one that always has something doesn't keep a puller from the others.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{Message, StatusCode, Subscriber, jetstream};
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{mpsc, oneshot, watch};

use super::{link::NatsLink, receipt::HeldMessage};
use crate::bus::Result;

/// How long a request may wait at a consumer. One that is lost with the server that led the consumer is missed no longer.
const LONG: Duration = Duration::from_secs(8);
/// How long the server may take to say that it has nothing.
const SHORT: Duration = Duration::from_secs(5);
/// How long after the last wish the waiting requests are withdrawn.
const IDLE: Duration = Duration::from_millis(50);
/// How long after the last wish a message is given back that came in spite of that.
const KEEP: Duration = Duration::from_secs(1);
/// How long a consumer is asked first because it had something, and one that had nothing isn't asked again.
const TURN: Duration = Duration::from_millis(100);
/// How long a consumer that refused is left alone.
const REFUSED: Duration = Duration::from_millis(250);
/// Who takes messages as fast as this asks for them is served from a store of messages for this time.
const AHEAD: Duration = Duration::from_millis(10);
/// The largest such store.
const MOST_AHEAD: usize = 256;

/// Someone who waits for a message.
pub(super) type MessageSender = oneshot::Sender<HeldMessage>;

/// Where to pull: a stream and its durable consumers.
pub(super) struct PullSource {
    pub stream: String,
    pub consumers: Vec<String>,
    /// How long the server waits for a sign of life.
    pub patience: Duration,
}

/// Starts pulling. It ends when the sender is dropped.
pub(super) async fn start(link: Arc<NatsLink>, source: PullSource) -> Result<mpsc::UnboundedSender<MessageSender>> {
    let (wishes, hands) = mpsc::unbounded_channel();
    let (inbox, answers) = open_inbox(&link).await?;
    let lanes = source.consumers.into_iter().map(ConsumerLane::new).collect();
    let epoch = link.epoch.clone();
    let puller = MessagePuller {
        link,
        stream: source.stream,
        patience: source.patience,
        inbox,
        answers,
        lanes,
        turn: LaneTurn { lane: 0, ends: None },
        hands,
        epoch,
        waiting: VecDeque::new(),
        store: VecDeque::new(),
        pace: PullPace::default(),
        last_wish: Instant::now(),
        last_message: Instant::now(),
    };
    tokio::spawn(puller.run());
    Ok(wishes)
}

async fn open_inbox(link: &NatsLink) -> Result<(String, Subscriber)> {
    let inbox = link.client.new_inbox();
    let answers = link.client.subscribe(format!("{inbox}.*")).await.map_err(|error| link.failed(error))?;
    Ok((inbox, answers))
}

struct MessagePuller {
    link: Arc<NatsLink>,
    stream: String,
    patience: Duration,
    inbox: String,
    answers: Subscriber,
    lanes: Vec<ConsumerLane>,
    turn: LaneTurn,
    hands: mpsc::UnboundedReceiver<MessageSender>,
    epoch: watch::Receiver<u64>,
    waiting: VecDeque<MessageSender>,
    store: VecDeque<HeldMessage>,
    pace: PullPace,
    last_wish: Instant,
    last_message: Instant,
}

/// One consumer.
struct ConsumerLane {
    consumer: String,
    /// Messages that were asked for, if there are any at once, and haven't come.
    scanned: usize,
    /// Messages that were asked for as they come, and haven't.
    awaited: usize,
    /// It had nothing when it was last asked: until when that is believed.
    dry: Option<Instant>,
    /// When the requests are void, whatever became of their answers.
    void: Instant,
    not_before: Option<Instant>,
    /// It has refused since something came of it last: people have been told.
    refused: bool,
}

impl ConsumerLane {
    fn new(consumer: String) -> Self {
        Self { consumer, scanned: 0, awaited: 0, dry: None, void: Instant::now(), not_before: None, refused: false }
    }

    fn reset(&mut self) {
        (self.scanned, self.awaited, self.dry) = (0, 0, None);
    }

    fn is_asked(&self) -> bool {
        self.scanned + self.awaited > 0
    }
}

/// Which lane is asked first.
struct LaneTurn {
    /// The one that something came from last, or, where its turn is over, the one after it.
    lane: usize,
    /// None until something has come.
    ends: Option<Instant>,
}

/// A request for messages: how many, and whether to wait for them.
struct PullRequest {
    lane: usize,
    batch: usize,
    wait: bool,
}

impl MessagePuller {
    async fn run(mut self) {
        loop {
            self.serve();
            if let Err(error) = self.ask().await {
                tracing::debug!(%error, "a request for tasks was not sent");
            }
            let wake = self.wake();
            tokio::select! {
                hand = self.hands.recv() => match hand {
                    Some(hand) => self.wish(hand),
                    None => return,
                },
                Some(message) = self.answers.next() => self.take(message),
                Ok(()) = self.epoch.changed() => self.lanes.iter_mut().for_each(ConsumerLane::reset),
                () = tokio::time::sleep_until(wake.into()) => self.tidy().await,
            }
            // What else is there already.
            while let Ok(hand) = self.hands.try_recv() {
                self.wish(hand);
            }
            while let Some(Some(message)) = self.answers.next().now_or_never() {
                self.take(message);
            }
        }
    }

    fn wish(&mut self, hand: MessageSender) {
        self.last_wish = Instant::now();
        self.waiting.push_back(hand);
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
        if !self.waiting.is_empty() {
            self.last_wish = Instant::now();
        }
    }

    /// Asks for what is waited for.
    async fn ask(&mut self) -> Result<(), async_nats::PublishError> {
        let need = if self.waiting.is_empty() && self.is_idle() { 0 } else { self.waiting.len() + self.pace.ahead() };
        let need = need.saturating_sub(self.store.len());
        if need == 0 {
            return Ok(());
        }
        self.forget_void();
        for request in self.requests(need) {
            self.send(request).await?;
        }
        Ok(())
    }

    fn forget_void(&mut self) {
        let now = Instant::now();
        self.lanes.iter_mut().filter(|lane| lane.is_asked() && now >= lane.void).for_each(ConsumerLane::reset);
    }

    fn requests(&mut self, need: usize) -> Vec<PullRequest> {
        let now = Instant::now();
        let may_ask = |lane: &ConsumerLane| lane.not_before.is_none_or(|then| now >= then);
        // Refilled when half empty, not message by message.
        if let [lane] = &self.lanes[..] {
            let due = lane.awaited <= need / 2 && may_ask(lane);
            return due.then(|| PullRequest { lane: 0, batch: need - lane.awaited, wait: true }).into_iter().collect();
        }
        if let Some(at) = self.lanes.iter().position(|lane| lane.scanned > 0) {
            let asked = self.lanes[at].scanned;
            let its_turn = at == self.turn.lane && self.turn.ends.is_some_and(|end| now < end);
            let due = its_turn && asked <= need / 2;
            return due.then(|| PullRequest { lane: at, batch: need - asked, wait: false }).into_iter().collect();
        }
        let count = self.lanes.len();
        if self.turn.ends.is_some_and(|end| now >= end) {
            self.turn = LaneTurn { lane: (self.turn.lane + 1) % count, ends: None };
        }
        let next = (0..count).map(|n| (self.turn.lane + n) % count).find(|&at| {
            let lane = &self.lanes[at];
            lane.dry.is_none_or(|until| now >= until) && lane.awaited == 0 && may_ask(lane)
        });
        if let Some(lane) = next {
            return vec![PullRequest { lane, batch: need, wait: false }];
        }
        let silent = (0..count).filter(|&at| self.lanes[at].awaited == 0 && may_ask(&self.lanes[at]));
        silent.map(|lane| PullRequest { lane, batch: 1, wait: true }).collect()
    }

    async fn send(
        &mut self,
        PullRequest { lane: number, batch, wait }: PullRequest,
    ) -> Result<(), async_nats::PublishError> {
        let lane = &mut self.lanes[number];
        let how = if wait { format!(r#""expires":{}"#, LONG.as_nanos()) } else { r#""no_wait":true"#.to_owned() };
        let request = format!(r#"{{"batch":{batch},{how}}}"#);
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, lane.consumer);
        let reply = format!("{}.{number}", self.inbox);
        self.link.client.publish_with_reply(subject, reply, request.into()).await?;
        lane.not_before = None;
        if wait {
            lane.awaited += batch;
            lane.void = Instant::now() + LONG + SHORT;
        } else {
            lane.scanned += batch;
            lane.void = Instant::now() + SHORT;
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
        self.last_message = Instant::now();
        // Messages of a pull come as plain ones; the client reads where they are from once they are JetStream's.
        let message = jetstream::Message { message, context: self.link.jetstream.clone() };
        let info = match message.info() {
            Ok(info) => info,
            Err(error) => return tracing::warn!(%error, "dropped a message that came from no consumer"),
        };
        let deliveries = info.delivered.try_into().unwrap_or(u32::MAX);
        let sequence = info.stream_sequence;
        if let Some(at) = self.lanes.iter().position(|lane| lane.consumer == info.consumer) {
            let lane = &mut self.lanes[at];
            let asked = if lane.scanned > 0 { &mut lane.scanned } else { &mut lane.awaited };
            *asked = asked.saturating_sub(1);
            (lane.dry, lane.refused) = (None, false);
            if self.turn.lane != at || self.turn.ends.is_none() {
                self.turn = LaneTurn { lane: at, ends: Some(self.last_message + TURN) };
            }
        }
        self.store.push_back(HeldMessage::new(self.link.clone(), message.message, deliveries, sequence, self.patience));
    }

    fn take_refusal(&mut self, message: &Message, status: StatusCode) {
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse::<usize>().ok());
        let Some(lane) = number.and_then(|number| self.lanes.get_mut(number)) else { return };
        let pending = message.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
        let pending = pending.and_then(|pending| pending.as_str().parse().ok()).unwrap_or(usize::MAX);
        if lane.scanned > 0 {
            lane.scanned = lane.scanned.saturating_sub(pending);
            lane.dry = Some(Instant::now() + TURN);
        } else {
            lane.awaited = lane.awaited.saturating_sub(pending);
        }
        if status != StatusCode::TIMEOUT && status != StatusCode::NOT_FOUND {
            lane.reset();
            lane.not_before = Some(Instant::now() + REFUSED);
            let reason = message.description.as_deref().unwrap_or("no answer");
            if !lane.refused {
                tracing::warn!(consumer = lane.consumer, %status, reason, "a request for tasks was refused; trying again");
            }
            lane.refused = true;
        }
    }

    fn is_idle(&self) -> bool {
        self.last_wish.elapsed() >= IDLE
    }

    /// When something is due without anything happening.
    fn wake(&self) -> Instant {
        let asked = self.lanes.iter().any(ConsumerLane::is_asked);
        if self.waiting.is_empty() {
            let idle = asked.then(|| self.may_withdraw());
            let surplus = (!self.store.is_empty()).then(|| self.may_withdraw().max(self.last_wish + KEEP));
            return idle.or(surplus).unwrap_or_else(|| Instant::now() + LONG);
        }
        let due = |lane: &ConsumerLane| lane.not_before.or(lane.is_asked().then_some(lane.void));
        let due = self.lanes.iter().filter_map(due).min();
        due.unwrap_or_else(|| Instant::now() + LONG).max(Instant::now() + Duration::from_millis(1))
    }

    /// When requests may be withdrawn that nobody waits for. What comes just then is lost until its time is up: so not
    /// while messages come, nor before those have come that were there when they were asked for.
    fn may_withdraw(&self) -> Instant {
        let coming = self.lanes.iter().filter(|lane| lane.scanned > 0).map(|lane| lane.void).max();
        coming.unwrap_or(self.last_wish.max(self.last_message) + IDLE)
    }

    /// Nobody waits any more: withdraws the requests, and in the end gives back what came of them.
    async fn tidy(&mut self) {
        self.forget_void();
        if !self.waiting.is_empty() || Instant::now() < self.may_withdraw() {
            return;
        }
        if self.lanes.iter().any(ConsumerLane::is_asked) {
            self.withdraw().await;
        }
        if self.last_wish.elapsed() >= KEEP {
            self.store.clear();
        }
    }

    /// The server drops requests whose inbox is gone. What is on its way still comes.
    async fn withdraw(&mut self) {
        let (inbox, answers) = match open_inbox(&self.link).await {
            Ok(opened) => opened,
            Err(error) => return tracing::warn!(%error, "requests for tasks can't be withdrawn"),
        };
        self.inbox = inbox;
        let mut old = std::mem::replace(&mut self.answers, answers);
        if old.drain().await.is_ok() {
            let rest = async {
                while let Some(message) = old.next().await {
                    self.take(message);
                }
            };
            let _ = tokio::time::timeout(KEEP, rest).await;
        }
        self.lanes.iter_mut().for_each(ConsumerLane::reset);
    }
}

/// How fast messages are taken.
#[derive(Default)]
struct PullPace {
    last: Option<Instant>,
    /// Between two messages, averaged, in seconds.
    gap: f64,
}

impl PullPace {
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
