//! Members on a virtual clock: nobody believes to be first while another is, and everybody acts in the end.

use super::rank::{Member, Phase, ranking};
use super::state::{Identity, LONGEST_DELAY_SLOTS, Role, Stale, State};
use anchor_lang::prelude::Pubkey;
use proptest::prelude::*;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(2);
const GUARD: Pubkey = Pubkey::new_from_array([7; 32]);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn member(n: usize) -> Member {
    Member { id: format!("keeper-{n}"), guard: GUARD, phase: Phase::Ready }
}

fn fleet(count: usize) -> Vec<Member> {
    (0..count).map(member).collect()
}

fn state(id: &str) -> State {
    let me = Identity { id: id.to_owned(), guard: GUARD, ttl: TTL, stagger_slots: 2, fallback_rank: 1 };
    State::new(me)
}

/// The members of a fleet in their order, each with its state.
fn ranked(count: usize) -> Vec<State> {
    ranking(&GUARD, &fleet(count)).into_iter().map(|member| state(&member.id)).collect()
}

#[test]
fn rank_is_zero_for_one_member_and_waits_grow_by_rank() {
    for (rank, mut state) in ranked(3).into_iter().enumerate() {
        state.confirmed(ms(0), 5, fleet(3));
        let standing = state.standing(ms(100));
        assert_eq!((standing.rank, standing.delay_slots, standing.fence), (rank as u64, rank as u64 * 2, 5));
        assert_eq!(standing.role, if rank == 0 { Role::Owner } else { Role::Standby });
    }
}

#[test]
fn member_that_never_saw_etcd_acts_by_the_rank_of_its_settings() {
    let standing = state("keeper-0").standing(ms(0));
    assert_eq!((standing.role, standing.rank, standing.delay_slots), (Role::Detached, 1, 4));
}

#[test]
fn member_that_starts_while_etcd_is_down_takes_the_rank_that_was_seen_last() {
    for (rank, seen) in ranked(3).into_iter().enumerate() {
        let mut state = State::of_last_seen(seen.me().clone(), fleet(3));
        let standing = state.standing(ms(0));
        assert_eq!((standing.role, standing.rank, standing.fence), (Role::Detached, rank as u64, 0));
        assert_eq!(standing.delay_slots, (rank as u64 + 1) * 2, "behind those that hold a lease");
        let permit = state.permit(ms(0));
        state.confirmed(ms(100), 7, fleet(3));
        assert_eq!(state.standing(ms(200)).fence, 7, "the same order, first told to this process");
        assert_eq!(state.takeovers(), 0);
        assert!(state.check(&permit, ms(200)).is_ok(), "it has moved forward");
    }
    let stranger = state("keeper-9").me().clone();
    let standing = State::of_last_seen(stranger, fleet(3)).standing(ms(0));
    assert_eq!((standing.role, standing.rank), (Role::Detached, 1), "it was not among them: by its settings");
}

#[test]
fn fault_50_member_without_etcd_steps_down_before_its_lease_ends_and_behind_those_with_one() {
    let mut owner = ranked(3).remove(0);
    owner.confirmed(ms(1_000), 5, fleet(3));
    assert_eq!(owner.standing(ms(2_799)).role, Role::Owner);
    let after = owner.standing(ms(2_800));
    assert_eq!((after.role, after.rank, after.delay_slots), (Role::Detached, 0, 2), "a fifth of a second early");
    // those that etcd still answers: the next is first now
    let left: Vec<_> = fleet(3).into_iter().filter(|m| m.id != owner.me().id).collect();
    let mut next = ranked(3).remove(1);
    next.confirmed(ms(3_100), 9, left);
    let standing = next.standing(ms(3_200));
    assert_eq!(
        (standing.role, standing.delay_slots, next.takeovers()),
        (Role::Owner, 0, 0),
        "it had seen no other owner"
    );
}

#[test]
fn fault_51_without_etcd_every_rank_waits_longer_than_the_one_before_and_six_slots_at_most() {
    let delays = |count: usize| -> Vec<u64> {
        let delay = |mut state: State| {
            state.confirmed(ms(0), 5, fleet(count));
            state.standing(ms(60_000)).delay_slots
        };
        ranked(count).into_iter().map(delay).collect()
    };
    assert_eq!(delays(3), [2, 4, 6]);
    assert_eq!(delays(5), [2, 4, 6, 6, 6]);
}

#[test]
fn fault_52_decision_of_a_paused_owner_is_discarded_whatever_it_believes() {
    let mut owner = ranked(3).remove(0);
    owner.confirmed(ms(0), 5, fleet(3));
    let permit = owner.permit(ms(500));
    assert_eq!(owner.check(&permit, ms(1_700)), Ok(()));
    assert_eq!(owner.check(&permit, ms(1_900)), Err(Stale::Demoted), "its lease ended");
    assert_eq!(owner.check(&permit, ms(30_500)), Err(Stale::Paused));
    // even where it was renewed in the meantime: what it saw is half a minute old
    owner.confirmed(ms(30_400), 5, fleet(3));
    assert_eq!(owner.check(&permit, ms(30_500)), Err(Stale::Paused));
    assert_eq!(owner.check(&permit, ms(400)), Err(Stale::Paused), "a clock that ran backwards");
}

#[test]
fn decision_is_discarded_when_an_order_puts_its_member_further_back_and_only_then() {
    let (mut first, mut second) = (ranked(2).remove(0), ranked(2).remove(1));
    let alone = |state: &State| vec![Member { id: state.me().id.clone(), guard: GUARD, phase: Phase::Ready }];
    second.confirmed(ms(0), 5, alone(&second));
    let permit = second.permit(ms(10));
    second.confirmed(ms(20), 8, fleet(2));
    assert_eq!(second.check(&permit, ms(30)), Err(Stale::Demoted));
    first.confirmed(ms(0), 5, alone(&first));
    let permit = first.permit(ms(10));
    first.confirmed(ms(20), 8, fleet(2));
    assert_eq!(first.check(&permit, ms(30)), Ok(()), "it is first in both");
}

#[test]
fn decision_under_another_etcd_is_discarded() {
    let mut state = state("keeper-0");
    state.confirmed(ms(0), 900, vec![member(0)]);
    let permit = state.permit(ms(10));
    // restored from an old copy: revisions start lower, with the same owner in another order
    state.confirmed(ms(20), 40, vec![member(0), Member { phase: Phase::Draining, ..member(1) }]);
    assert_eq!(state.check(&permit, ms(30)), Err(Stale::Demoted));
}

#[test]
fn takeover_is_counted_once_for_each_owner_that_went() {
    let mut second = ranked(2).remove(1);
    let alone = vec![Member { id: second.me().id.clone(), guard: GUARD, phase: Phase::Ready }];
    for (at, members) in [fleet(2), alone.clone(), alone.clone(), fleet(2), alone].into_iter().enumerate() {
        second.confirmed(ms(at as u64 * 100), at as i64, members);
    }
    assert_eq!(second.takeovers(), 2);
}

#[test]
fn fault_53_member_that_comes_and_goes_each_second_never_owns_anything() {
    let steady = fleet(2);
    let mut watcher = state(&ranking(&GUARD, &steady)[0].id);
    // of ten names, one that would come first
    let name = (10..).find(|n| {
        let all: Vec<_> = steady.iter().cloned().chain([member(*n)]).collect();
        ranking(&GUARD, &all)[0].id == format!("keeper-{n}")
    });
    let flapper = Member { phase: Phase::Probation, ..member(name.expect("hashes are spread")) };
    for second in 0..600u64 {
        let there = second.is_multiple_of(2).then(|| flapper.clone());
        let members: Vec<_> = steady.iter().cloned().chain(there).collect();
        watcher.confirmed(ms(second * 1_000), second as i64, members);
        let standing = watcher.standing(ms(second * 1_000 + 10));
        assert_eq!((standing.role, standing.rank), (Role::Owner, 0), "second {second}");
    }
    assert_eq!(watcher.takeovers(), 0);
}

/// What befalls a member, and for how long.
#[derive(Clone, Debug)]
struct Fault {
    /// Whether it stands still; otherwise nothing of it reaches etcd.
    is_pause: bool,
    member: usize,
    from_ms: u64,
    for_ms: u64,
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = (any::<bool>(), 0..3usize, 0..120_000u64, 0..40_000u64);
    let fault = fault.prop_map(|(is_pause, member, from_ms, for_ms)| Fault { is_pause, member, from_ms, for_ms });
    prop::collection::vec(fault, 0..12)
}

/// A member, what it asked, and what etcd holds of it.
struct Node {
    state: State,
    lease_until: u64,
    joined_at: u64,
    /// When the request left and when its answer comes, with the members in it.
    asked: Option<(u64, u64, Vec<Member>)>,
    /// When the request left whose answer it knows.
    knows_of: u64,
}

/// Three members on one etcd, first of all the one that comes first.
struct Net {
    nodes: Vec<Node>,
    faults: Vec<Fault>,
    delay_ms: u64,
}

impl Net {
    fn new(faults: Vec<Fault>, delay_ms: u64) -> Self {
        let node = |state| Node { state, lease_until: 0, joined_at: 0, asked: None, knows_of: 0 };
        Self { nodes: ranked(3).into_iter().map(node).collect(), faults, delay_ms }
    }

    fn is_under(&self, now: u64, n: usize, is_pause: bool) -> bool {
        let is_on =
            |f: &Fault| f.is_pause == is_pause && f.member == n && (f.from_ms..f.from_ms + f.for_ms).contains(&now);
        self.faults.iter().any(is_on)
    }

    fn step(&mut self, n: usize, now: u64) {
        if self.is_under(now, n, true) {
            return;
        }
        if let Some((sent, _, members)) = self.nodes[n].asked.take_if(|(_, due, _)| *due <= now) {
            self.nodes[n].state.confirmed(ms(sent), now as i64, members);
            self.nodes[n].knows_of = sent;
        }
        if self.nodes[n].asked.is_some() || self.is_under(now, n, false) {
            return;
        }
        if self.nodes[n].lease_until <= now {
            self.nodes[n].joined_at = now;
        }
        self.nodes[n].lease_until = now + 2_000;
        let there = self.nodes.iter().filter(|node| node.lease_until > now);
        let there = there.map(|node| Member { id: node.state.me().id.clone(), guard: GUARD, phase: Phase::Ready });
        self.nodes[n].asked = Some((now, now + self.delay_ms, there.collect()));
    }

    fn owners(&self, now: u64) -> Vec<usize> {
        let is_owner = |n: &usize| self.nodes[*n].state.standing(ms(now)).role == Role::Owner;
        (0..self.nodes.len()).filter(|n| !self.is_under(now, *n, true)).filter(is_owner).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Two members believe to be first only where the one before came (back) after the other last asked who is there,
    /// and never for longer than a lease. Whoever lost its lease has stepped down before anybody took over.
    #[test]
    fn nobody_takes_over_from_a_member_that_still_believes_to_be_first(faults in faults(), delay_ms in 0..400u64) {
        let mut net = Net::new(faults, delay_ms);
        let mut owned = 0u32;
        for now in (0..160_000u64).step_by(50) {
            (0..3).for_each(|n| net.step(n, now));
            let owners = net.owners(now);
            owned += u32::from(!owners.is_empty());
            for pair in owners.windows(2) {
                let (before, after) = (&net.nodes[pair[0]], &net.nodes[pair[1]]);
                prop_assert!(before.joined_at >= after.knows_of, "at {now} ms: {pair:?}");
                prop_assert!(now - after.knows_of < 1_800, "at {now} ms: {pair:?}");
            }
            let slowest = net.nodes.iter().map(|node| node.state.standing(ms(now)).delay_slots).max();
            prop_assert!(slowest <= Some(LONGEST_DELAY_SLOTS));
        }
        prop_assert!(owned > 0, "somebody was first at some time");
    }
}
