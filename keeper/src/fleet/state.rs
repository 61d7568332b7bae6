//! What a member knows of its fleet, and what that allows at a moment. Pure: time is an argument.
//!
//! A lease counts from when its last renewal was *asked for*, which is before etcd began to count, and ends a tenth
//! early. So this member steps down before anybody else is told that it is gone.

use super::rank::{Member, ranking};
use anchor_lang::prelude::Pubkey;
use std::time::Duration;

/// The longest that any rank waits for those before it, slots.
pub const LONGEST_DELAY_SLOTS: u64 = 6;

/// What does not change while the keeper runs.
#[derive(Clone, Debug)]
pub struct Identity {
    /// This member.
    pub id: String,
    /// The guard that it defends.
    pub guard: Pubkey,
    /// How long a lease lasts without renewal.
    pub ttl: Duration,
    /// Slots that each rank waits longer than the one before.
    pub stagger_slots: u64,
    /// Rank to assume while no membership was ever seen, by this process or those before it.
    pub fallback_rank: u64,
}

/// What this member is for its guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// First: it acts at once.
    Owner,
    /// It acts when those before it have not.
    Standby,
    /// It holds no lease: it acts by its last known rank, one step behind those that hold one.
    Detached,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Standby, Self::Detached];

    /// Returns the name used in the API, in events and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Standby => "standby",
            Self::Detached => "detached",
        }
    }
}

/// What is true of this member at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its role.
    pub role: Role,
    /// Its place among those that defend its guard, the owner's is 0.
    pub rank: u64,
    /// Slots that it leaves everything to the ranks before it.
    pub delay_slots: u64,
    /// The fencing token: the revision at which etcd first showed the order that it stands in. 0 before the first.
    pub fence: i64,
}

/// What a decision was allowed by, carried along with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    fence: i64,
    delay_slots: u64,
    at: Duration,
}

impl Permit {
    /// Returns the delay that the decision has waited for, slots.
    pub const fn delay_slots(&self) -> u64 {
        self.delay_slots
    }
}

/// Why a decision must not be sent any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// The process stood still for so long that others have taken over.
    #[error("the decision is older than the lease it was made under")]
    Paused,
    /// This member has a later rank by now, or holds no lease any more.
    #[error("this keeper is further back in its fleet than when it decided")]
    Demoted,
}

/// What a member knows.
#[derive(Clone, Debug)]
pub struct State {
    me: Identity,
    members: Vec<Member>,
    held_until: Option<Duration>,
    fence: i64,
    takeovers: u64,
    /// Whether etcd told this process of an order: what an earlier one saw has no fence.
    is_told: bool,
}

impl State {
    /// A member that has seen nothing yet.
    pub const fn new(me: Identity) -> Self {
        Self::of_last_seen(me, Vec::new())
    }

    /// A member that has seen nothing yet, on the membership that an earlier process saw last. It holds no lease.
    pub const fn of_last_seen(me: Identity, members: Vec<Member>) -> Self {
        Self { me, members, held_until: None, fence: 0, takeovers: 0, is_told: false }
    }

    /// Takes in that etcd renewed the lease and what it answered: the request left at `sent_at`.
    pub fn confirmed(&mut self, sent_at: Duration, revision: i64, members: Vec<Member>) {
        let (before, after) = (order(&self.me.guard, &self.members), order(&self.me.guard, &members));
        let was_told = std::mem::replace(&mut self.is_told, true);
        if before != after || !was_told {
            // a revision that went back is another etcd: no token of before may count for it
            self.fence = revision;
            let is_first = |order: &[&str]| order.first() == Some(&self.me.id.as_str());
            self.takeovers += u64::from(was_told && !before.is_empty() && !is_first(&before) && is_first(&after));
        }
        self.members = members;
        self.held_until = Some(sent_at.saturating_add(self.me.ttl - self.me.ttl / 10));
    }

    /// Takes in that the lease is gone.
    pub fn lost(&mut self) {
        self.held_until = None;
    }

    /// Returns what is true at `now`.
    pub fn standing(&self, now: Duration) -> Standing {
        let order = order(&self.me.guard, &self.members);
        let known = order.iter().position(|id| *id == self.me.id).map(|rank| rank as u64);
        let is_held = known.is_some() && self.held_until.is_some_and(|until| now < until);
        let rank = known.unwrap_or(self.me.fallback_rank);
        let role = match (is_held, rank) {
            (false, _) => Role::Detached,
            (true, 0) => Role::Owner,
            (true, _) => Role::Standby,
        };
        // whoever still holds a lease goes before one that does not
        let steps = rank.saturating_add(u64::from(role == Role::Detached));
        let delay_slots = steps.saturating_mul(self.me.stagger_slots).min(LONGEST_DELAY_SLOTS);
        Standing { role, rank, delay_slots, fence: self.fence }
    }

    /// Returns what a decision made at `now` carries along.
    pub fn permit(&self, now: Duration) -> Permit {
        let standing = self.standing(now);
        Permit { fence: standing.fence, delay_slots: standing.delay_slots, at: now }
    }

    /// Tells whether a decision may still be sent at `now`.
    ///
    /// # Errors
    /// [`Stale`]: it must be decided anew.
    pub fn check(&self, permit: &Permit, now: Duration) -> Result<(), Stale> {
        // a clock that ran backwards proves nothing, least of all that no time went by
        if now.checked_sub(permit.at).is_none_or(|age| age > self.me.ttl) {
            return Err(Stale::Paused);
        }
        let standing = self.standing(now);
        let is_moved_back = standing.delay_slots > permit.delay_slots || standing.fence < permit.fence;
        if is_moved_back { Err(Stale::Demoted) } else { Ok(()) }
    }

    /// Returns the members, as last seen.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns who this is.
    pub const fn me(&self) -> &Identity {
        &self.me
    }

    /// Returns how often this member took the place of another owner.
    pub const fn takeovers(&self) -> u64 {
        self.takeovers
    }
}

fn order<'a>(guard: &Pubkey, members: &'a [Member]) -> Vec<&'a str> {
    ranking(guard, members).into_iter().map(|member| member.id.as_str()).collect()
}
