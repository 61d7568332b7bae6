use super::*;
use proptest::prelude::*;

fn price(dollars: u128) -> Price {
    Price::from_q64(dollars * Q64_ONE).unwrap()
}

fn cost(dollars: u128, decimals: u8) -> UnitCost {
    UnitCost::of(price(dollars), decimals).unwrap()
}

fn lease(amount: u64) -> Lease {
    let mut lease = Lease::default();
    lease.settle(100, 3_600, PairCost { loan: cost(1, 6), collateral: cost(150, 9) }, 360_000);
    lease.add(amount);
    lease
}

fn guard(switch: u8) -> Box<Guard> {
    let mut guard: Box<Guard> = Box::new(bytemuck::Zeroable::zeroed());
    guard.aggregate = switch;
    guard
}

#[test]
fn base_units_cost_what_their_token_is_worth() {
    assert_eq!(cost(1, 6).cost(1_000_000), 1_000_000);
    // 0.15 micro-dollars a lamport aren't exact in binary: the rounding is against whoever takes
    assert_eq!(cost(150, 9).cost(1_000_000_000), 150_000_001);
    // less than a micro-dollar is one
    assert_eq!(cost(150, 9).cost(1), 1);
    assert_eq!(cost(1, 6).units(7), 7);
    assert_eq!(cost(1 << 40, 0).cost(u64::MAX), u64::MAX);
}

#[test]
fn costs_that_do_not_fit_are_refused() {
    let highest = Price::from_q64(crate::math::price::PRICE_MAX_Q64).unwrap();
    assert_eq!(UnitCost::of(highest, 0).unwrap_err(), RampartError::PriceOutOfRange);
    let lowest = Price::from_q64(crate::math::price::PRICE_MIN_Q64).unwrap();
    assert!(UnitCost::of(lowest, 12).unwrap().0 > 0, "nothing is free");
}

#[test]
fn limit_that_is_not_in_force_charges_nothing_and_any_other_byte_is_in_force() {
    let mut l = Lease::default();
    Purse::of(&guard(1), &mut l, Leaving::Loan).charge(u64::MAX, 0).unwrap();
    assert_eq!(Purse::of(&guard(1), &mut l, Leaving::Loan).room(0).unwrap(), u64::MAX);
    for switch in [0, 2, 3, 255] {
        let refused = Purse::of(&guard(switch), &mut l, Leaving::Loan).charge(1, 0).unwrap_err();
        assert_eq!(refused, RampartError::LeaseTooSmall.into());
    }
    assert_eq!(l, Lease::default());
}

#[test]
fn both_mints_are_charged_to_one_lease_and_a_refusal_takes_nothing() {
    let (guard, mut l) = (guard(2), lease(200_000_001));
    Purse::of(&guard, &mut l, Leaving::Loan).charge(50_000_000, 360_000).unwrap();
    let before = l;
    let refused = Purse::of(&guard, &mut l, Leaving::Collateral).charge(1_000_000_010, 360_000).unwrap_err();
    assert_eq!((refused, l), (RampartError::LeaseTooSmall.into(), before));
    Purse::of(&guard, &mut l, Leaving::Collateral).charge(1_000_000_000, 360_000).unwrap();
    assert_eq!((l.unused.total(), l.granted.total()), (0, 200_000_001));
    assert_eq!(Purse::of(&guard, &mut l, Leaving::Loan).room(360_000).unwrap_err(), RampartError::LeaseTooSmall.into());
}

#[test]
fn costs_hold_for_an_hour_and_nothing_needs_no_cost() {
    let (guard, mut l) = (guard(2), lease(200_000_000));
    Purse::of(&guard, &mut l, Leaving::Loan).charge(1, 360_000 + LEASE_PRICE_SECS).unwrap();
    let late = 360_001 + LEASE_PRICE_SECS;
    assert_eq!(
        Purse::of(&guard, &mut l, Leaving::Loan).charge(1, late).unwrap_err(),
        RampartError::LeasePriceOld.into()
    );
    Purse::of(&guard, &mut l, Leaving::Loan).charge(0, late).unwrap();
}

#[test]
fn floor_uses_what_is_there_at_any_age_of_the_costs_and_is_not_refused() {
    let (guard, mut l) = (guard(2), lease(200_000_000));
    Purse::of(&guard, &mut l, Leaving::Loan).charge_what_is_there(150_000_000, 380_000);
    assert_eq!(l.unused.total(), 50_000_000);
    Purse::of(&guard, &mut l, Leaving::Loan).charge_what_is_there(150_000_000, 380_000);
    assert_eq!(l.unused.total(), 0);
    let mut none = Lease::default();
    Purse::of(&guard, &mut none, Leaving::Loan).charge_what_is_there(u64::MAX, 380_000);
    assert_eq!(none, Lease::default());
}

#[test]
fn lease_lives_to_the_end_of_its_24_cells_and_no_longer() {
    let guard = guard(2);
    let mut l = lease(10);
    l.priced_at_ts = i64::MAX / 2; // the costs are not what this is about
    let mut at_the_end = l;
    Purse::of(&guard, &mut at_the_end, Leaving::Loan).charge(10, 124 * 3_600 - 1).unwrap();
    let refused = Purse::of(&guard, &mut l, Leaving::Loan).charge(1, 124 * 3_600).unwrap_err();
    assert_eq!(refused, RampartError::LeaseTooSmall.into());
}

#[test]
fn what_ends_soonest_is_used_first() {
    let mut l = lease(10);
    l.unused.settle(105);
    l.unused.add(7);
    l.unused.take(12);
    assert_eq!((l.unused.cells[100 % 24], l.unused.cells[105 % 24]), (0, 5));
}

#[test]
fn only_what_lay_unused_for_a_whole_cell_goes_back() {
    let mut leased = LeaseRing::default();
    leased.settle(100);
    leased.add(10);
    let mut l = lease(10);
    l.unused.take(4);
    assert_eq!(l.give_back(&mut leased, 101), 0, "the cell of the grant and the next keep it");
    assert_eq!(l.give_back(&mut leased, 102), 6);
    assert_eq!((l.granted.total(), l.unused.total(), leased.total()), (4, 0, 4), "what was used stays counted");
    assert_eq!(l.give_back(&mut leased, 103), 0);
}

#[test]
fn what_is_over_is_not_given_back_a_second_time() {
    let mut leased = LeaseRing::default();
    leased.settle(100);
    leased.add(10);
    let mut l = lease(10);
    assert_eq!(l.give_back(&mut leased, 124), 0);
    assert_eq!((l.unused.total(), leased.total()), (0, 0));
}

proptest! {
    /// The room in base units can be charged to the last, and not one more.
    #[test]
    fn room_is_exactly_what_can_be_charged(amount in 1u64..1_000_000_000_000, raw in (1u128 << 50)..(1u128 << 90), decimals in 0u8..=12) {
        let Ok(unit) = UnitCost::of(Price::from_q64(raw).unwrap(), decimals) else { return Ok(()) };
        let guard = guard(2);
        let mut l = Lease::default();
        l.settle(100, 3_600, PairCost { loan: unit, collateral: unit }, 360_000);
        l.add(amount);
        let Ok(room) = Purse::of(&guard, &mut l, Leaving::Loan).room(360_000) else {
            prop_assert!(unit.cost(1) > amount);
            return Ok(());
        };
        if room < u64::MAX {
            prop_assert!(unit.cost(room + 1) > amount);
        }
        Purse::of(&guard, &mut l, Leaving::Loan).charge(room, 360_000).unwrap();
    }

    #[test]
    fn ring_settled_often_equals_ring_settled_once(parts in prop::collection::vec(0i64..9, 1..20), filled in prop::collection::vec(any::<u64>(), 24)) {
        let mut often = LeaseRing { cells: filled.try_into().unwrap(), newest_cell: 1_000 };
        let mut once = often;
        let mut cell = 1_000;
        for part in parts {
            cell += part;
            often.settle(cell);
        }
        once.settle(cell);
        often.settle(7); // a clock that went back
        prop_assert_eq!(often, once);
    }
}
