//! Who else calls the same model, and what that leaves to this process. No waiting, no clock of its own.
//!
//! Each member announces every [`PERIOD`] that it is there and what it uses. From what it hears, itself included, each
//! knows the members and computes its own share. Three rules keep the shares within the whole although no two members
//! know the same at the same time:
//!
//! - What shrinks a share holds at once. What lets it grow holds when it has stood for [`SETTLE`]: by then the others
//!   have heard of it as well, keep to less, and have told what they still use.
//! - A member that isn't heard for [`SILENCE`] is gone. Before that time it has stopped by itself, since it doesn't hear
//!   itself either; when it does again, it begins as a newcomer.
//! - What a member used within the last minute counts until the minute is over, though it is gone. Only if all are gone
//!   does nobody remember.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    pace::WINDOW,
    share::{Share, Use},
    shares::Ceiling,
};

/// How often a member announces itself.
pub const PERIOD: Duration = Duration::from_secs(1);

/// How long a member may be silent.
const SILENCE: Duration = Duration::from_secs(5);

/// How long something must stand before more is used for it.
const SETTLE: Duration = Duration::from_millis(2500);

/// How long a turn lasts, where a ceiling is too low for all members at once.
const TURN: Duration = Duration::from_secs(10);

/// What a member announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    pub member: u64,
    /// Milliseconds on the member's own clock.
    sent: u64,
    turn: u64,
    used: Use,
    /// The requests and tokens of a minute that it may come to use before it announces itself again.
    may: (u64, u64),
    leaving: bool,
    /// Those who are gone, and for how many milliseconds more what they used counts: newcomers can't know.
    gone: Vec<(u64, u64, u64, u64)>,
}

struct Member {
    heard: Instant,
    used: Use,
    may: (u64, u64),
}

/// Requests and tokens of a member that is gone.
struct Gone {
    until: Instant,
    requests: u64,
    tokens: u64,
}

/// The members of one model's group, as one of them knows them.
pub struct Group {
    me: u64,
    began: Instant,
    whole: Share,
    members: BTreeMap<u64, Member>,
    gone: BTreeMap<u64, Gone>,
    /// When the last announcement of its own was sent that it has heard.
    alive: Option<Instant>,
    turn: u64,
    turn_began: Instant,
    /// What its share was, and since when: all that it still has to keep to.
    shares: VecDeque<(Instant, Share)>,
}

impl Group {
    pub fn new(me: u64, whole: Share, now: Instant) -> Self {
        Self {
            me,
            began: now,
            whole,
            members: BTreeMap::new(),
            gone: BTreeMap::new(),
            alive: None,
            turn: 0,
            turn_began: now,
            shares: [(now, Share::none_of(whole))].into(),
        }
    }

    pub fn announcement(&self, now: Instant, used: Use, leaving: bool) -> Announcement {
        let sent = now.duration_since(self.began).as_millis() as u64;
        let may = self.shares.back().map_or((0, 0), |(_, share)| (share.requests, share.tokens));
        let left = |until: Instant| until.saturating_duration_since(now).as_millis() as u64;
        let gone = self.gone.iter().map(|(id, gone)| (*id, left(gone.until), gone.requests, gone.tokens)).collect();
        Announcement { member: self.me, sent, turn: self.turn, used, may, leaving, gone }
    }

    pub fn hear(&mut self, now: Instant, announcement: Announcement) {
        let Announcement { member, sent, turn, used, may, leaving, gone } = announcement;
        if turn > self.turn {
            (self.turn, self.turn_began) = (turn, now);
        }
        if member == self.me {
            self.alive = Some(self.began + Duration::from_millis(sent));
        }
        if leaving {
            self.members.remove(&member);
            self.gone.insert(member, Gone { until: now + WINDOW, requests: used.requests, tokens: used.tokens });
        } else {
            self.gone.remove(&member);
            self.members.insert(member, Member { heard: now, used, may });
        }
        for (id, millis, requests, tokens) in gone {
            if id != self.me && !self.members.contains_key(&id) {
                let until = now + Duration::from_millis(millis).min(SILENCE + WINDOW);
                self.gone.entry(id).or_insert(Gone { until, requests, tokens });
            }
        }
    }

    /// What this process may use from now on, and until when unless it hears more; `used` is what it uses now.
    pub fn share(&mut self, now: Instant, used: Use) -> (Share, Option<Instant>) {
        self.miss(now);
        let end = self.alive.map_or(now, |alive| alive + SILENCE - PERIOD);
        let share = if end > now { self.share_among_members(now, used) } else { Share::none_of(self.whole) };
        if self.shares.back().is_none_or(|(_, last)| *last != share) {
            self.shares.push_back((now, share));
        }
        while self.shares.get(1).is_some_and(|(since, _)| now.duration_since(*since) >= SETTLE) {
            self.shares.pop_front();
        }
        let settled = self.shares.iter().map(|(_, share)| *share).reduce(Share::least).unwrap_or(share);
        let is_limited = self.whole != Share::none_of(self.whole);
        (settled, is_limited.then_some(end))
    }

    /// Whether this process is among those whom it hears.
    pub fn is_heard(&self, now: Instant) -> bool {
        self.alive.is_some_and(|alive| now.duration_since(alive) < SILENCE)
    }

    pub fn is_me(&self, member: u64) -> bool {
        self.me == member
    }

    /// Counts those as gone who have been silent for too long. What they did since they were last heard nobody knows: at
    /// most what they might.
    fn miss(&mut self, now: Instant) {
        self.gone.retain(|_, gone| gone.until > now);
        let silent = self.members.extract_if(.., |_, member| now.duration_since(member.heard) >= SILENCE);
        self.gone.extend(silent.map(|(id, member)| {
            let (requests, tokens) = (member.used.requests.max(member.may.0), member.used.tokens.max(member.may.1));
            (id, Gone { until: member.heard + SILENCE + WINDOW, requests, tokens })
        }));
    }

    fn share_among_members(&mut self, now: Instant, used: Use) -> Share {
        self.members.entry(self.me).or_insert(Member { heard: now, used, may: (0, 0) }).used = used;
        let me = self.members.range(..self.me).count();
        let column = |of: fn(&Use) -> u64| self.members.values().map(|member| of(&member.used)).collect::<Vec<_>>();
        let (in_flight, requests, tokens) = (column(|u| u.in_flight), column(|u| u.requests), column(|u| u.tokens));
        let largest = self.members.values().map(|member| member.used.largest).max().unwrap_or(0);
        let gone = |of: fn(&Gone) -> u64| self.gone.values().map(of).fold(0, u64::saturating_add);
        let ceilings = [
            Ceiling { whole: self.whole.in_flight, least: 1, used: &in_flight, gone: 0 },
            Ceiling { whole: self.whole.requests, least: 1, used: &requests, gone: gone(|gone| gone.requests) },
            Ceiling { whole: self.whole.tokens, least: largest, used: &tokens, gone: gone(|gone| gone.tokens) },
        ];
        // The first member moves the turn on, once those whose turn it is have had the whole of it for a while.
        if ceilings.iter().any(|ceiling| ceiling.is_handing_over(self.turn)) {
            self.turn_began = now;
        }
        let has_turns = ceilings.iter().any(|ceiling| ceiling.sharers() < in_flight.len());
        if me == 0 && has_turns && now.duration_since(self.turn_began) >= TURN {
            (self.turn, self.turn_began) = (self.turn + 1, now);
        }
        let [in_flight, requests, tokens] = ceilings.map(|ceiling| ceiling.part(me, self.turn));
        Share { in_flight, requests, tokens, all_tokens: self.whole.all_tokens }
    }
}
