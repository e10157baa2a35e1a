//! The members with calls to the same model, and this process's share. No waiting, no clock of its own.
//!
//! Each member announces its presence and its use every [`PERIOD`]. From the announcements, its own included, each
//! member knows the group and computes its own share. Three rules keep the shares within the whole, although no two
//! members know the same at the same time:
//!
//! - A smaller share holds at once. A larger share holds after standing for [`SETTLE`]: by then the other members have
//!   heard the same news, have reduced their use, and have announced the reduced use.
//! - A member silent for [`SILENCE`] has departed. Before then the member has stopped by itself, since a cut-off member
//!   doesn't hear itself either; afterwards the member begins as a newcomer.
//! - The use of a departed member counts until its last minute is over. The use is forgotten only if all members
//!   depart.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    ceiling::SharedCeiling,
    minute::WINDOW,
    share::{LimitShare, LimitUse},
};

/// The time between a member's announcements.
pub const PERIOD: Duration = Duration::from_secs(1);

/// The longest silence of a living member.
const SILENCE: Duration = Duration::from_secs(5);

/// The time for which a larger share must stand before use.
const SETTLE: Duration = Duration::from_millis(2500);

/// The length of a turn, for a ceiling too low for all members at once.
const TURN: Duration = Duration::from_secs(10);

/// The announcement of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupAnnouncement {
    pub member: u64,
    /// Milliseconds on the member's own clock.
    sent: u64,
    turn: u64,
    used: LimitUse,
    /// The most requests and tokens a minute until the next announcement.
    may: (u64, u64),
    leaving: bool,
    /// Departed members and the remaining milliseconds of their use, for newcomers.
    gone: Vec<(u64, u64, u64, u64)>,
}

struct GroupMember {
    heard: Instant,
    used: LimitUse,
    may: (u64, u64),
}

/// Requests and tokens of a departed member.
struct DepartedMember {
    until: Instant,
    requests: u64,
    tokens: u64,
}

/// The members of a model's group, from the point of view of one member.
pub struct ThrottleGroup {
    me: u64,
    began: Instant,
    whole: LimitShare,
    members: BTreeMap<u64, GroupMember>,
    gone: BTreeMap<u64, DepartedMember>,
    /// The time of the latest own announcement heard back.
    alive: Option<Instant>,
    turn: u64,
    turn_began: Instant,
    /// The recent shares with their beginnings, as far as still binding.
    shares: VecDeque<(Instant, LimitShare)>,
}

impl ThrottleGroup {
    pub fn new(me: u64, whole: LimitShare, now: Instant) -> Self {
        Self {
            me,
            began: now,
            whole,
            members: BTreeMap::new(),
            gone: BTreeMap::new(),
            alive: None,
            turn: 0,
            turn_began: now,
            shares: [(now, LimitShare::none_of(whole))].into(),
        }
    }

    pub fn announcement(&self, now: Instant, used: LimitUse, leaving: bool) -> GroupAnnouncement {
        let sent = now.duration_since(self.began).as_millis() as u64;
        let may = self.shares.back().map_or((0, 0), |(_, share)| (share.requests, share.tokens));
        let left = |until: Instant| until.saturating_duration_since(now).as_millis() as u64;
        let gone = self.gone.iter().map(|(id, gone)| (*id, left(gone.until), gone.requests, gone.tokens)).collect();
        GroupAnnouncement { member: self.me, sent, turn: self.turn, used, may, leaving, gone }
    }

    pub fn hear(&mut self, now: Instant, announcement: GroupAnnouncement) {
        let GroupAnnouncement { member, sent, turn, used, may, leaving, gone } = announcement;
        if turn > self.turn {
            (self.turn, self.turn_began) = (turn, now);
        }
        if member == self.me {
            self.alive = Some(self.began + Duration::from_millis(sent));
        }
        if leaving {
            self.members.remove(&member);
            self.gone
                .insert(member, DepartedMember { until: now + WINDOW, requests: used.requests, tokens: used.tokens });
        } else {
            self.gone.remove(&member);
            self.members.insert(member, GroupMember { heard: now, used, may });
        }
        for (id, millis, requests, tokens) in gone {
            if id != self.me && !self.members.contains_key(&id) {
                let until = now + Duration::from_millis(millis).min(SILENCE + WINDOW);
                self.gone.entry(id).or_insert(DepartedMember { until, requests, tokens });
            }
        }
    }

    /// The share of this process from now on, and the share's end without further announcements; `used` is the current
    /// use.
    pub fn share(&mut self, now: Instant, used: LimitUse) -> (LimitShare, Option<Instant>) {
        self.count_departed(now);
        let end = self.alive.map_or(now, |alive| alive + SILENCE - PERIOD);
        let share = if end > now { self.share_among_members(now, used) } else { LimitShare::none_of(self.whole) };
        if self.shares.back().is_none_or(|(_, last)| *last != share) {
            self.shares.push_back((now, share));
        }
        while self.shares.get(1).is_some_and(|(since, _)| now.duration_since(*since) >= SETTLE) {
            self.shares.pop_front();
        }
        let settled = self.shares.iter().map(|(_, share)| *share).reduce(LimitShare::least).unwrap_or(share);
        let is_limited = self.whole != LimitShare::none_of(self.whole);
        (settled, is_limited.then_some(end))
    }

    /// Reports whether this process hears its own announcements.
    pub fn is_heard(&self, now: Instant) -> bool {
        self.alive.is_some_and(|alive| now.duration_since(alive) < SILENCE)
    }

    pub fn is_me(&self, member: u64) -> bool {
        self.me == member
    }

    /// Counts members as departed after too long a silence. Their use since the last announcement is unknown: at most
    /// their share.
    fn count_departed(&mut self, now: Instant) {
        self.gone.retain(|_, gone| gone.until > now);
        let silent = self.members.extract_if(.., |_, member| now.duration_since(member.heard) >= SILENCE);
        self.gone.extend(silent.map(|(id, member)| {
            let (requests, tokens) = (member.used.requests.max(member.may.0), member.used.tokens.max(member.may.1));
            (id, DepartedMember { until: member.heard + SILENCE + WINDOW, requests, tokens })
        }));
    }

    fn share_among_members(&mut self, now: Instant, used: LimitUse) -> LimitShare {
        self.members.entry(self.me).or_insert(GroupMember { heard: now, used, may: (0, 0) }).used = used;
        let me = self.members.range(..self.me).count();
        let column =
            |of: fn(&LimitUse) -> u64| self.members.values().map(|member| of(&member.used)).collect::<Vec<_>>();
        let (in_flight, requests, tokens) = (column(|u| u.in_flight), column(|u| u.requests), column(|u| u.tokens));
        let largest = self.members.values().map(|member| member.used.largest).max().unwrap_or(0);
        let gone = |of: fn(&DepartedMember) -> u64| self.gone.values().map(of).fold(0, u64::saturating_add);
        let ceilings = [
            SharedCeiling { whole: self.whole.in_flight, least: 1, used: &in_flight, gone: 0 },
            SharedCeiling { whole: self.whole.requests, least: 1, used: &requests, gone: gone(|gone| gone.requests) },
            SharedCeiling { whole: self.whole.tokens, least: largest, used: &tokens, gone: gone(|gone| gone.tokens) },
        ];
        // The first member moves the turn on, after the current sharers have had the whole ceiling for a while.
        if ceilings.iter().any(|ceiling| ceiling.is_handing_over(self.turn)) {
            self.turn_began = now;
        }
        let has_turns = ceilings.iter().any(|ceiling| ceiling.sharers() < in_flight.len());
        if me == 0 && has_turns && now.duration_since(self.turn_began) >= TURN {
            (self.turn, self.turn_began) = (self.turn + 1, now);
        }
        let [in_flight, requests, tokens] = ceilings.map(|ceiling| ceiling.part(me, self.turn));
        LimitShare { in_flight, requests, tokens, all_tokens: self.whole.all_tokens }
    }
}
