use super::*;
use crate::state::guard::Guard;
use crate::state::lease::{Leaving, Purse, UnitCost};
use proptest::prelude::*;

const WINDOW: u32 = 86_400;
const LIMIT: u64 = 2_000 * MICRO_USD;

fn params() -> AggregateParams {
    AggregateParams {
        limit_micro_usd: LIMIT,
        window_secs: WINDOW,
        vault_share_bps: 7_000,
        switch: Switch::Enabled as u8,
        reserved: [0; 1],
    }
}

fn aggregate() -> Box<AggregateLimit> {
    let mut aggregate: Box<AggregateLimit> = Box::new(bytemuck::Zeroable::zeroed());
    aggregate.params = params();
    aggregate
}

/// A vault with a thousand tokens of each mint, 6 decimals, all of which may leave within an hour.
fn vault() -> Box<Vault> {
    let mut vault: Box<Vault> = Box::new(bytemuck::Zeroable::zeroed());
    for flow in [&mut vault.limits.loan_flow, &mut vault.limits.collateral_flow] {
        *flow = FlowLimits {
            absolute_floor_amount: 1_000_000_000,
            hourly_bps: 1,
            daily_bps: 1,
            exit_share_bps: 5_000,
            floor_reserve_bps: 1,
        };
    }
    (vault.cash_amount, vault.collateral_amount) = (1_000_000_000, 1_000_000_000);
    vault
}

fn cost(dollars: [u64; 2]) -> PairCost {
    let of = |dollars: u64| {
        let price = Price::from_q64(u128::from(dollars) << 64).unwrap();
        UnitCost::of(price, 6).unwrap()
    };
    PairCost { loan: of(dollars[0]), collateral: of(dollars[1]) }
}

fn in_force() -> Box<Guard> {
    let mut guard: Box<Guard> = Box::new(bytemuck::Zeroable::zeroed());
    guard.aggregate = Switch::Enabled as u8;
    guard
}

#[test]
fn params_that_bind_nothing_or_close_everything_are_refused() {
    params().validate().unwrap();
    let refused = |change: fn(&mut AggregateParams)| {
        let mut params = params();
        change(&mut params);
        params.validate().unwrap_err()
    };
    let invalid = anchor_lang::error::Error::from(RampartError::AggregateInvalid);
    assert_eq!(refused(|p| p.limit_micro_usd = MIN_AGGREGATE_MICRO_USD - 1), invalid);
    assert_eq!(refused(|p| p.window_secs = 0), invalid);
    assert_eq!(refused(|p| p.window_secs = 3_599), invalid);
    assert_eq!(refused(|p| p.window_secs = 3_601), invalid);
    assert_eq!(refused(|p| p.window_secs = 604_824), invalid);
    assert_eq!(refused(|p| p.vault_share_bps = 0), invalid);
    assert_eq!(refused(|p| p.vault_share_bps = 10_001), invalid);
    assert_eq!(refused(|p| p.switch = 0), RampartError::UnknownKind.into());
    assert_eq!(refused(|p| p.reserved = [1]), RampartError::UnknownKind.into());
}

#[test]
fn lease_is_bounded_by_need_by_the_vaults_share_and_by_half_of_the_limit() {
    let (mut all, mut a, mut b) = (aggregate(), vault(), vault());
    let unit = cost([1, 1]);
    a.collateral_amount = 0;
    a.cash_amount = 300_000_000;
    let lease = |all: &mut AggregateLimit, vault: &mut Vault, amount: u64| all.lease(vault, amount, unit, 86_400);
    assert_eq!(lease(&mut all, &mut a, 300_000_001).unwrap_err(), RampartError::LeaseBeyondNeed.into());
    lease(&mut all, &mut a, 300_000_000).unwrap();
    assert_eq!(lease(&mut all, &mut a, 1).unwrap_err(), RampartError::LeaseBeyondNeed.into());
    assert_eq!(lease(&mut all, &mut b, 700_000_001).unwrap_err(), RampartError::LeaseShareReached.into());
    lease(&mut all, &mut b, 700_000_000).unwrap();
    let mut c = vault();
    assert_eq!(lease(&mut all, &mut c, 1).unwrap_err(), RampartError::AggregateLimitReached.into());
    assert_eq!(all.leased.total(), LIMIT / 2);
    assert_eq!(lease(&mut all, &mut c, u64::MAX).unwrap_err(), RampartError::LeaseBeyondNeed.into());
}

#[test]
fn used_lease_makes_room_for_need_but_not_for_more_of_the_share() {
    let (mut all, mut a, guard) = (aggregate(), vault(), in_force());
    a.collateral_amount = 0;
    a.cash_amount = 400_000_000;
    all.lease(&mut a, 400_000_000, cost([1, 1]), 86_400).unwrap();
    Purse::of(&guard, &mut a.lease, Leaving::Loan).charge(400_000_000, 86_400).unwrap();
    all.lease(&mut a, 300_000_000, cost([1, 1]), 86_400).unwrap();
    Purse::of(&guard, &mut a.lease, Leaving::Loan).charge(300_000_000, 86_400).unwrap();
    let refused = all.lease(&mut a, 1, cost([1, 1]), 86_400).unwrap_err();
    assert_eq!(refused, RampartError::LeaseShareReached.into());
}

#[test]
fn lower_limit_keeps_what_is_leased_and_grants_no_more_until_it_is_over() {
    let (mut all, mut a) = (aggregate(), vault());
    all.lease(&mut a, 700_000_000, cost([1, 1]), 86_400).unwrap();
    all.params.limit_micro_usd = LIMIT / 2;
    all.params.vault_share_bps = 10_000;
    let refused = all.lease(&mut a, 1, cost([1, 1]), 86_400 * 2 - 1).unwrap_err();
    assert_eq!(refused, RampartError::LeaseShareReached.into());
    let mut b = vault();
    assert!(all.lease(&mut b, 1, cost([1, 1]), 86_400 * 2 - 1).is_err());
    all.lease(&mut a, 500_000_000, cost([1, 1]), 86_400 * 2).unwrap();
}

fn band(hi: u128) -> PriceBand {
    let price = |raw: u128| Price::from_q64(raw << 64).unwrap();
    PriceBand { lo: price(1), mid: price(1), hi: price(hi), publish_ts: [Some(0); 3], sources: 3 }
}

#[test]
fn price_of_outflow_is_the_higher_of_the_upper_end_and_a_warm_reference() {
    let mut asset: Box<Asset> = Box::new(bytemuck::Zeroable::zeroed());
    asset.reference.price_q64 = (200u128 << 64).into();
    asset.reference_params.max_age_secs = 600;
    let at = |asset: &Asset, band, now_ts| price_of_outflow(asset, band, now_ts).map(|p| p.q64() >> 64);
    assert_eq!(at(&asset, Ok(band(150)), 0), Ok(150), "a cold reference says nothing beside an agreed price");
    asset.reference.samples = 1;
    assert_eq!(at(&asset, Ok(band(150)), 600), Ok(200));
    assert_eq!(at(&asset, Ok(band(250)), 600), Ok(250));
    assert_eq!(at(&asset, Ok(band(150)), 601), Ok(150));
}

#[test]
fn price_of_outflow_without_agreement_is_the_highest_frozen_reference_and_a_haircut_and_never_nothing() {
    let mut asset: Box<Asset> = Box::new(bytemuck::Zeroable::zeroed());
    let at =
        |asset: &Asset| price_of_outflow(asset, Err(RampartError::PriceDisagreement), i64::MAX).map(|p| p.q64() >> 64);
    assert_eq!(at(&asset), Err(RampartError::PriceIndeterminate));
    asset.reference.price_q64 = (100u128 << 64).into();
    assert_eq!(at(&asset), Ok(120));
    asset.anchors[1].price_q64 = (200u128 << 64).into();
    assert_eq!(at(&asset), Ok(240));
}

/// Seconds that pass first, kind, which vault, amount, price in dollars.
type Step = (i64, u8, usize, u64, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![
        4 => Just(0i64),
        3 => 0i64..1_800,
        2 => 0i64..8_000,
        1 => Just(3_600i64),
        1 => 80_000i64..90_000,
        1 => 0i64..200_000,
    ];
    let amount = prop_oneof![1u64..50_000_000, 100_000_000u64..800_000_000, Just(u64::MAX)];
    prop::collection::vec((wait, 0u8..8, 0usize..5, amount, 1u64..9), 1..250)
}

fn worst_window(outflows: &[(i64, u64)], window_secs: i64) -> u64 {
    let from = |start: i64| {
        outflows.iter().filter(|(t, _)| (start..start + window_secs).contains(t)).map(|o| o.1).sum::<u64>()
    };
    outflows.iter().map(|(t, _)| from(*t)).max().unwrap_or(0)
}

proptest! {
    /// I1 and I3: random grants, outflows, returns and price moves over five vaults, against a list of all outflows, each
    /// worth what its base units cost at the price that the vault's lease had been given last.
    #[test]
    fn no_window_lets_more_than_the_limit_out_of_all_vaults_and_live_leases_stay_within_half(steps in steps(), window in prop_oneof![Just(3_600u32), Just(WINDOW), Just(604_800)]) {
        let (mut all, guard) = (aggregate(), in_force());
        all.params.window_secs = window;
        let mut vaults: Vec<_> = (0..5).map(|_| vault()).collect();
        let mut prices = [[1u64, 1]; 5];
        let (mut now, mut out) = (1_800_000_000i64, vec![]);
        for (wait, kind, which, amount, dollars) in steps {
            now += wait * i64::from(window) / i64::from(WINDOW);
            let vault = &mut vaults[which];
            match kind {
                0..=2 => {
                    let next = [dollars, 9 - dollars];
                    let amount = amount.min(900_000_000);
                    // the costs move also where the grant is refused here; on chain that undoes both
                    let before = (*all, **vault);
                    match all.lease(vault, amount, cost(next), now) {
                        Ok(_) => prices[which] = next,
                        Err(_) => (*all, **vault) = before,
                    }
                    prop_assert!(all.leased.total() <= LIMIT / 2 || amount == 0);
                }
                3..=5 => {
                    let (leaving, side) = if dollars % 2 == 0 { (Leaving::Loan, 0) } else { (Leaving::Collateral, 1) };
                    let mut purse = Purse::of(&guard, &mut vault.lease, leaving);
                    let units = if amount == u64::MAX { purse.room(now).unwrap_or(0) } else { amount };
                    if purse.charge(units, now).is_ok() {
                        out.push((now, units.saturating_mul(prices[which][side])));
                    }
                }
                6 => drop(all.take_back(vault, now)),
                _ => now -= wait.min(1), // the clock goes back a little
            }
            // the limit's ring holds exactly what the vaults hold
            let cell = now.div_euclid(i64::from(all.params.cell_secs()));
            let mut sum = 0u64;
            for vault in &vaults {
                let mut lease = vault.lease;
                let newest = cell.max(lease.newest_cell()).max(all.leased.newest_cell);
                lease.granted.settle(newest);
                lease.unused.settle(newest);
                prop_assert!(lease.unused.cells.iter().zip(lease.granted.cells).all(|(unused, granted)| *unused <= granted));
                sum += lease.granted.total();
            }
            let mut leased = all.leased;
            leased.settle(cell.max(vaults.iter().map(|v| v.lease.newest_cell()).max().unwrap_or(0)));
            prop_assert_eq!(leased.total(), sum, "I3");
        }
        out.sort_unstable();
        prop_assert!(worst_window(&out, window.into()) <= LIMIT, "{} left", worst_window(&out, window.into()));
    }
}

/// The bound is reached: half of the limit at the end of a window's first cell, half as soon as that is over.
#[test]
fn nearly_the_whole_limit_can_leave_within_a_window() {
    let (mut all, mut a, guard) = (aggregate(), vault(), in_force());
    all.params.vault_share_bps = 10_000;
    let end = 10 * 86_400 + 3_600;
    for now in [end - 1, end + 86_400 - 3_600] {
        all.lease(&mut a, LIMIT / 2, cost([1, 1]), now).unwrap();
        Purse::of(&guard, &mut a.lease, Leaving::Loan).charge(1_000_000_000, now).unwrap();
    }
}
