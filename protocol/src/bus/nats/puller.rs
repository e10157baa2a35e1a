//! Pulls messages for callers that wait for one.
//!
//! Each kind of task has a consumer, and nobody knows beforehand which consumer will have messages. So a puller scans
//! the consumers: each is asked for the messages that it has, beginning with the last successful consumer. Only when
//! all are empty does the puller leave a waiting request for a single message at each; more messages than callers would
//! be kept from other workers. Consumers take turns: a consumer that always has messages doesn't keep a puller from the
//! others.

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

/// Time that a request waits at a consumer. A request that is lost with the consumer's leader is repeated after that.
const REQUEST_EXPIRY: Duration = Duration::from_secs(8);
/// Time that the server may take to say that a consumer is empty.
const SCAN_TIMEOUT: Duration = Duration::from_secs(5);
/// Time without callers after which waiting requests are withdrawn.
const WITHDRAW_AFTER: Duration = Duration::from_millis(50);
/// Time without callers after which stored messages are returned.
const RETURN_AFTER: Duration = Duration::from_secs(1);
/// Time for which a successful consumer is asked first, and an empty consumer isn't asked again.
const TURN: Duration = Duration::from_millis(100);
/// Pause after a consumer has refused a request.
const REFUSAL_PAUSE: Duration = Duration::from_millis(250);
/// Callers that take messages in quick succession are served from a store that lasts for this time.
const STORE_TIME: Duration = Duration::from_millis(10);
/// Most messages in the store.
const LARGEST_STORE: usize = 256;

/// A caller that waits for a message.
pub(super) type MessageSender = oneshot::Sender<HeldMessage>;

/// The stream and the durable consumers to pull from.
pub(super) struct PullSource {
    pub stream: String,
    pub consumers: Vec<String>,
    /// The lease of each message.
    pub lease: Duration,
}

/// Starts a puller, which ends when the returned sender is dropped.
pub(super) async fn start(link: Arc<NatsLink>, source: PullSource) -> Result<mpsc::UnboundedSender<MessageSender>> {
    let (sender, callers) = mpsc::unbounded_channel();
    let (inbox, answers) = open_inbox(&link).await?;
    let lanes = source.consumers.into_iter().map(ConsumerLane::new).collect();
    let epoch = link.epoch.clone();
    let puller = MessagePuller {
        link,
        stream: source.stream,
        lease: source.lease,
        inbox,
        answers,
        lanes,
        turn: LaneTurn { lane: 0, ends: None },
        callers,
        epoch,
        waiting: VecDeque::new(),
        store: VecDeque::new(),
        pace: PullPace::default(),
        last_caller: Instant::now(),
        last_message: Instant::now(),
    };
    tokio::spawn(puller.run());
    Ok(sender)
}

async fn open_inbox(link: &NatsLink) -> Result<(String, Subscriber)> {
    let inbox = link.client.new_inbox();
    let answers = link.client.subscribe(format!("{inbox}.*")).await.map_err(|error| link.failed(error))?;
    Ok((inbox, answers))
}

struct MessagePuller {
    link: Arc<NatsLink>,
    stream: String,
    lease: Duration,
    inbox: String,
    answers: Subscriber,
    lanes: Vec<ConsumerLane>,
    turn: LaneTurn,
    callers: mpsc::UnboundedReceiver<MessageSender>,
    epoch: watch::Receiver<u64>,
    waiting: VecDeque<MessageSender>,
    store: VecDeque<HeldMessage>,
    pace: PullPace,
    last_caller: Instant,
    last_message: Instant,
}

/// A consumer, and the requests that are out to the consumer.
struct ConsumerLane {
    consumer: String,
    /// Messages requested by a scan that haven't arrived.
    scanned: usize,
    /// Messages requested by waiting requests that haven't arrived.
    awaited: usize,
    /// The consumer was empty when it was last scanned, and counts as empty until this time.
    dry: Option<Instant>,
    /// Time at which the requests expire, answered or not.
    void: Instant,
    not_before: Option<Instant>,
    /// The consumer has refused every request since its last message, and the refusal was logged.
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

/// The lane that is scanned first.
struct LaneTurn {
    /// The lane of the last message or, after the turn, the next lane.
    lane: usize,
    /// End of the turn. None until a message has come.
    ends: Option<Instant>,
}

/// A request for `batch` messages, which waits for them or takes what is there.
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
                tracing::debug!(%error, "failed to request messages; retrying");
            }
            let wake = self.wake();
            tokio::select! {
                caller = self.callers.recv() => match caller {
                    Some(caller) => self.add_caller(caller),
                    None => return,
                },
                Some(message) = self.answers.next() => self.take(message),
                Ok(()) = self.epoch.changed() => self.lanes.iter_mut().for_each(ConsumerLane::reset),
                () = tokio::time::sleep_until(wake.into()) => self.tidy().await,
            }
            // Take everything that has arrived before anything is sent.
            while let Ok(caller) = self.callers.try_recv() {
                self.add_caller(caller);
            }
            while let Some(Some(message)) = self.answers.next().now_or_never() {
                self.take(message);
            }
        }
    }

    fn add_caller(&mut self, caller: MessageSender) {
        self.last_caller = Instant::now();
        self.waiting.push_back(caller);
    }

    fn serve(&mut self) {
        while let Some(held) = self.store.pop_front() {
            let Some(caller) = self.waiting.pop_front() else {
                self.store.push_front(held);
                break;
            };
            match caller.send(held) {
                Ok(()) => self.pace.count(),
                Err(held) => self.store.push_front(held),
            }
        }
        self.waiting.retain(|caller| !caller.is_closed());
        if !self.waiting.is_empty() {
            self.last_caller = Instant::now();
        }
    }

    /// Requests the messages that callers wait for.
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
        // A lone consumer needs no scan; requests are renewed when half of them are served.
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
        let how =
            if wait { format!(r#""expires":{}"#, REQUEST_EXPIRY.as_nanos()) } else { r#""no_wait":true"#.to_owned() };
        let request = format!(r#"{{"batch":{batch},{how}}}"#);
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, lane.consumer);
        let reply = format!("{}.{number}", self.inbox);
        self.link.client.publish_with_reply(subject, reply, request.into()).await?;
        lane.not_before = None;
        if wait {
            lane.awaited += batch;
            lane.void = Instant::now() + REQUEST_EXPIRY + SCAN_TIMEOUT;
        } else {
            lane.scanned += batch;
            lane.void = Instant::now() + SCAN_TIMEOUT;
        }
        Ok(())
    }

    /// Takes an answer: a message, or the reason why there is none.
    fn take(&mut self, message: Message) {
        match message.status {
            None | Some(StatusCode::OK) => self.take_message(message),
            Some(status) => self.take_refusal(&message, status),
        }
    }

    fn take_message(&mut self, message: Message) {
        self.last_message = Instant::now();
        // A plain subscription receives plain messages; JetStream's type parses the reply subject.
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
        self.store.push_back(HeldMessage::new(self.link.clone(), message.message, deliveries, sequence, self.lease));
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
            lane.not_before = Some(Instant::now() + REFUSAL_PAUSE);
            let reason = message.description.as_deref().unwrap_or("no answer");
            if !lane.refused {
                tracing::warn!(consumer = lane.consumer, %status, reason, "a consumer refused a request; retrying");
            }
            lane.refused = true;
        }
    }

    fn is_idle(&self) -> bool {
        self.last_caller.elapsed() >= WITHDRAW_AFTER
    }

    /// The next time at which something is due without any event.
    fn wake(&self) -> Instant {
        let asked = self.lanes.iter().any(ConsumerLane::is_asked);
        if self.waiting.is_empty() {
            let idle = asked.then(|| self.may_withdraw());
            let surplus = (!self.store.is_empty()).then(|| self.may_withdraw().max(self.last_caller + RETURN_AFTER));
            return idle.or(surplus).unwrap_or_else(|| Instant::now() + REQUEST_EXPIRY);
        }
        let due = |lane: &ConsumerLane| lane.not_before.or(lane.is_asked().then_some(lane.void));
        let due = self.lanes.iter().filter_map(due).min();
        due.unwrap_or_else(|| Instant::now() + REQUEST_EXPIRY).max(Instant::now() + Duration::from_millis(1))
    }

    /// Time at which surplus requests may be withdrawn. A message that arrives during the withdrawal is lost until its
    /// lease expires: so withdrawals wait while messages arrive, and while a scan is out.
    fn may_withdraw(&self) -> Instant {
        let coming = self.lanes.iter().filter(|lane| lane.scanned > 0).map(|lane| lane.void).max();
        coming.unwrap_or(self.last_caller.max(self.last_message) + WITHDRAW_AFTER)
    }

    /// Withdraws requests when no caller waits, and later returns the stored messages.
    async fn tidy(&mut self) {
        self.forget_void();
        if !self.waiting.is_empty() || Instant::now() < self.may_withdraw() {
            return;
        }
        if self.lanes.iter().any(ConsumerLane::is_asked) {
            self.withdraw().await;
        }
        if self.last_caller.elapsed() >= RETURN_AFTER {
            self.store.clear();
        }
    }

    /// Replaces the inbox: the server drops requests of a closed inbox. Messages on their way still arrive.
    async fn withdraw(&mut self) {
        let (inbox, answers) = match open_inbox(&self.link).await {
            Ok(opened) => opened,
            Err(error) => {
                return tracing::warn!(%error, "failed to withdraw requests for messages; they will expire");
            }
        };
        self.inbox = inbox;
        let mut old = std::mem::replace(&mut self.answers, answers);
        if old.drain().await.is_ok() {
            let rest = async {
                while let Some(message) = old.next().await {
                    self.take(message);
                }
            };
            let _ = tokio::time::timeout(RETURN_AFTER, rest).await;
        }
        self.lanes.iter_mut().for_each(ConsumerLane::reset);
    }
}

/// The rate at which callers take messages.
#[derive(Default)]
struct PullPace {
    last: Option<Instant>,
    /// Average time between two messages, in seconds.
    gap: f64,
}

impl PullPace {
    fn count(&mut self) {
        let now = Instant::now();
        let gap = self.last.map_or(1.0, |last| now.duration_since(last).as_secs_f64().min(1.0));
        self.gap = if self.last.is_none() { gap } else { 0.9 * self.gap + 0.1 * gap };
        self.last = Some(now);
    }

    /// Number of messages to hold in store.
    fn ahead(&self) -> usize {
        let Some(last) = self.last else { return 0 };
        if last.elapsed() > STORE_TIME {
            return 0;
        }
        ((STORE_TIME.as_secs_f64() / self.gap.max(1e-6)) as usize).min(LARGEST_STORE)
    }
}
