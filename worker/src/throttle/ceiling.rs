//! The division of a ceiling among several workers: arithmetic alone.

/// No ceiling.
pub const ENDLESS: u64 = u64::MAX;

/// A ceiling of a provider, and its use.
pub struct SharedCeiling<'a> {
    /// The ceiling for all members together; [`ENDLESS`] for no limit.
    pub whole: u64,
    /// A smaller part is of no use to anybody.
    pub least: u64,
    /// The use of each member, in an order common to all members.
    pub used: &'a [u64],
    /// The use of departed members.
    pub gone: u64,
}

impl SharedCeiling<'_> {
    /// The number of members with a part at the same time, each part of a useful size. The other members wait for their
    /// turn.
    pub fn sharers(&self) -> usize {
        let useful = self.whole / self.least.max(1);
        usize::try_from(useful).unwrap_or(usize::MAX).clamp(1, self.used.len().max(1))
    }

    /// The part of member `me` in this turn.
    ///
    /// A member with more in use than its part, from a time of fewer members, keeps the surplus, and the others share
    /// the rest. So parts shrink only while others use more, and all parts together never exceed the whole. The rule
    /// holds even though each member computes its own part from old announcements: the announced use of a greedy member
    /// can only be too high, since greedy members get nothing more.
    pub fn part(&self, me: usize, turn: u64) -> u64 {
        if self.whole == ENDLESS {
            return ENDLESS;
        }
        let (members, sharers) = (self.used.len(), self.sharers());
        let first = (turn % members as u64) as usize * sharers % members;
        let order: Vec<usize> = (0..members).map(|place| (first + place) % members).collect();
        let (mut open, others) = (order[..sharers].to_vec(), &order[sharers..]);
        if !open.contains(&me) {
            return 0;
        }
        let mut room = self.whole.saturating_sub(self.gone);
        for other in others {
            room = room.saturating_sub(self.used[*other]);
        }
        loop {
            let count = open.len() as u64;
            let part = |place: usize| room / count + u64::from((place as u64) < room % count);
            let over = |(place, member): (usize, &usize)| {
                (*member != me && self.used[*member] > part(place)).then_some(*member)
            };
            let over: Vec<usize> = open.iter().enumerate().filter_map(over).collect();
            if over.is_empty() {
                return open.iter().position(|member| *member == me).map_or(0, part);
            }
            for member in &over {
                room = room.saturating_sub(self.used[*member]);
            }
            open.retain(|member| !over.contains(member));
        }
    }

    /// Tells whether a member out of turn still uses some of the ceiling.
    pub fn is_handing_over(&self, turn: u64) -> bool {
        let (members, sharers) = (self.used.len(), self.sharers());
        let first = (turn % members as u64) as usize * sharers % members;
        self.whole != ENDLESS && (sharers..members).any(|place| self.used[(first + place) % members] > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(whole: u64, least: u64, used: &[u64], turn: u64) -> Vec<u64> {
        let ceiling = SharedCeiling { whole, least, used, gone: 0 };
        (0..used.len()).map(|me| ceiling.part(me, turn)).collect()
    }

    #[test]
    fn the_remainder_goes_to_the_first() {
        assert_eq!(parts(16, 1, &[0; 1], 0), [16]);
        assert_eq!(parts(16, 1, &[0; 3], 0), [6, 5, 5]);
        assert_eq!(parts(16, 1, &[0; 8], 5), [2; 8]);
        assert_eq!(parts(ENDLESS, 1, &[7, 3], 0), [ENDLESS; 2]);
    }

    #[test]
    fn where_a_ceiling_is_too_low_for_all_they_take_turns() {
        assert_eq!(parts(2, 1, &[0; 5], 0), [1, 1, 0, 0, 0]);
        assert_eq!(parts(2, 1, &[0; 5], 1), [0, 0, 1, 1, 0]);
        assert_eq!(parts(2, 1, &[0; 5], 2), [1, 0, 0, 0, 1]);
        assert_eq!(parts(1000, 400, &[0; 4], 1), [0, 0, 500, 500]);
        assert_eq!(parts(1000, 4000, &[0; 4], 3), [0, 0, 0, 1000], "larger than the whole: one at a time");
        for members in 1..9 {
            for least in 1..9 {
                let turns = (0..members as u64).map(|turn| parts(8, least, &vec![0; members], turn));
                let all = turns.reduce(|all, turn| all.iter().zip(turn).map(|(a, b)| a + b).collect()).unwrap();
                assert!(all.iter().all(|part| *part > 0), "{members} members, {least} at least: {all:?}");
            }
        }
    }

    #[test]
    fn what_is_used_beyond_a_part_is_left_to_its_user_until_it_ends() {
        assert_eq!(parts(16, 1, &[16, 0], 0), [16 - 8, 0]);
        assert_eq!(parts(16, 1, &[12, 0], 0), [8, 4]);
        assert_eq!(parts(16, 1, &[8, 0], 0), [8, 8]);
        // The second has more than its part only beside the first.
        assert_eq!(parts(16, 1, &[8, 5, 0], 0)[2], 3);
        let ceiling = SharedCeiling { whole: 600, least: 1, used: &[0, 0], gone: 300 };
        assert_eq!(ceiling.part(0, 0), 150);
    }

    #[test]
    fn no_state_of_use_gives_more_than_the_whole() {
        for whole in 1..12u64 {
            for code in 0..8u64.pow(4) {
                let used: Vec<u64> = (0..4).map(|place| code / 8u64.pow(place) % 8).collect();
                if used.iter().sum::<u64>() > whole {
                    continue;
                }
                let most = |(part, used): (u64, &u64)| part.max(*used);
                let all: u64 = parts(whole, 1, &used, code).into_iter().zip(&used).map(most).sum();
                assert!(all <= whole, "{whole} for {used:?} becomes {all}");
            }
        }
    }
}
