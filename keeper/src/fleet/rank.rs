//! Who comes first for a guard. Pure.
//!
//! Rendezvous hashing: every member computes the same order from the same list, and one that comes or goes moves only
//! the guards that are its own.

use anchor_lang::prelude::Pubkey;
use serde::{Deserialize, Serialize};
use solana_sdk::hash::hashv;
use std::cmp::Reverse;

/// How far a member is in joining or leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has held its lease and been able to act for long enough to be relied on.
    Ready,
    /// It joined, or could not act, a moment ago. It comes after all that are ready, so that one that comes and goes
    /// owns nothing.
    Probation,
    /// It is to be stopped: it comes last.
    Draining,
}

impl Phase {
    /// Returns the name used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Probation => "probation",
            Self::Draining => "draining",
        }
    }
}

/// A keeper of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name within the fleet.
    pub id: String,
    /// The guard that it defends.
    pub guard: Pubkey,
    /// How far it is.
    pub phase: Phase,
}

/// Returns the members that defend `guard`, the owner first.
pub fn ranking<'a>(guard: &Pubkey, members: &'a [Member]) -> Vec<&'a Member> {
    let mut ranked: Vec<&Member> = members.iter().filter(|member| member.guard == *guard).collect();
    ranked.sort_by_key(|member| (member.phase, Reverse(score(guard, &member.id)), member.id.as_str()));
    ranked
}

fn score(guard: &Pubkey, id: &str) -> [u8; 32] {
    hashv(&[guard.as_ref(), id.as_bytes()]).to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member(n: u8, phase: Phase, guard: Pubkey) -> Member {
        Member { id: format!("keeper-{n}"), guard, phase }
    }

    fn fleet(guard: Pubkey, count: u8) -> Vec<Member> {
        (0..count).map(|n| member(n, Phase::Ready, guard)).collect()
    }

    fn ids(guard: &Pubkey, members: &[Member]) -> Vec<String> {
        ranking(guard, members).into_iter().map(|m| m.id.clone()).collect()
    }

    fn guard(n: u16) -> Pubkey {
        Pubkey::new_from_array(hashv(&[&n.to_le_bytes()]).to_bytes())
    }

    proptest! {
        #[test]
        fn order_is_the_same_in_every_member_and_one_that_goes_moves_nobody_else(
            n in 0u16.., count in 1u8..12, gone in 0u8..12, turn in 0usize..12
        ) {
            let guard = guard(n);
            let members = fleet(guard, count);
            let mut seen_by_another = members.clone();
            seen_by_another.rotate_left(turn % usize::from(count));
            let order = ids(&guard, &members);
            prop_assert_eq!(&order, &ids(&guard, &seen_by_another));
            let gone = format!("keeper-{}", gone % count);
            let left: Vec<_> = members.into_iter().filter(|m| m.id != gone).collect();
            let expected: Vec<_> = order.into_iter().filter(|id| *id != gone).collect();
            prop_assert_eq!(ids(&guard, &left), expected);
        }

        #[test]
        fn who_is_on_probation_or_drains_owns_nothing_while_another_is_ready(
            n in 0u16.., phases in prop::collection::vec(0u8..3, 1..10)
        ) {
            let guard = guard(n);
            let of = |p| [Phase::Ready, Phase::Probation, Phase::Draining][usize::from(p)];
            let members: Vec<_> = (0u8..).zip(&phases).map(|(n, p)| member(n, of(*p), guard)).collect();
            let order = ranking(&guard, &members);
            prop_assert_eq!(order.len(), members.len());
            prop_assert!(order.windows(2).all(|pair| pair[0].phase <= pair[1].phase));
        }
    }

    #[test]
    fn guards_are_spread_over_all_members() {
        let mut owned = [0u32; 3];
        for n in 0..3_000 {
            let guard = guard(n);
            let members = fleet(guard, 3);
            let owner = &ranking(&guard, &members)[0].id;
            owned[usize::from(owner.as_bytes()[7] - b'0')] += 1;
        }
        assert!(owned.iter().all(|count| (850..1_150).contains(count)), "{owned:?}");
    }

    #[test]
    fn members_of_other_guards_have_no_rank() {
        let members = [member(1, Phase::Ready, guard(1)), member(2, Phase::Ready, guard(2))];
        assert_eq!(ids(&guard(2), &members), ["keeper-2"]);
    }
}
