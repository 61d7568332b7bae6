use super::*;
use bytemuck::Zeroable;
use rampart::events::PositionLiquidated;
use rampart::state::{Asset, Guard, Position, Reserve, SwapPolicy};

fn vault() -> Vault {
    Vault { borrow_index_q64: rampart::math::price::Q64_ONE.into(), ..Vault::zeroed() }
}

fn snapshot() -> Snapshot {
    Snapshot {
        scores: Default::default(),
        mark: crate::metronome::SlotMark { slot: 10, unix_ts: 1_000, wall_unix_ms: 0 },
        guard: Guard::zeroed(),
        assets: vec![Asset::zeroed(); 3],
        vaults: vec![vault(); 2],
        rules: Vec::new(),
        balances: vec![[0, 0]; 2],
        reserve: Reserve::zeroed(),
        policy: SwapPolicy::zeroed(),
        reserve_balances: [0, 0],
        pool_balances: [0, 0],
    }
}

fn held(n: u8, seq: u64) -> Held {
    let state = Position { liquidation_seq: seq, ..Position::zeroed() };
    Held { key: Pubkey::new_from_array([n; 32]), vault: 0, state }
}

fn liquidation(position: Pubkey, liquidation_seq: u64) -> crate::ledger::Entry<PositionLiquidated> {
    let fact = PositionLiquidated {
        vault: Pubkey::default(),
        position,
        liquidator: Pubkey::default(),
        repaid_amount: 1,
        seized_amount: 1,
        bonus_bps: 0,
        is_soft: false,
        bad_debt_amount: 0,
        insured_amount: 0,
        liquidation_seq,
    };
    crate::ledger::Entry { slot: 1, payer: Pubkey::default(), signature: String::new(), fact }
}

#[test]
fn missing_tokens_are_found_and_surplus_is_none() {
    let mut now = snapshot();
    now.vaults[1].cash_amount = 5;
    now.balances = vec![[9, 0], [4, 0]];
    let found = balances_cover_the_books(&now);
    assert_eq!((found.len(), found[0].invariant), (1, "balances cover the books"));
    now.balances[1][0] = 5;
    assert_eq!(balances_cover_the_books(&now), []);
}

#[test]
fn outflow_is_summed_over_any_hour_and_no_longer() {
    let mut flow = Outflow::default();
    assert_eq!(flow.sample(0, 0, 100), None);
    assert_eq!(flow.sample(1_800, 100, 100), None);
    assert_eq!(flow.sample(3_600, 101, 100), Some(1));
    let mut slow = Outflow::default();
    assert_eq!(slow.sample(0, 0, 100), None);
    assert_eq!(slow.sample(1_800, 100, 100), None);
    assert_eq!(slow.sample(1_801 + HOUR_SECS, 200, 100), None);
}

#[test]
fn share_that_belongs_to_nobody_is_found() {
    let mut vaults = vec![vault(); 2];
    vaults[0].supply_shares = 10.into();
    let mut one = held(1, 0);
    one.state.supply_shares = 9.into();
    assert_eq!(parts_sum_to_the_vault(&vaults, &[one]).len(), 1);
    one.state.supply_shares = 10.into();
    assert_eq!(parts_sum_to_the_vault(&vaults, &[one]), []);
}

#[test]
fn sequence_without_its_record_and_number_used_twice_are_found() {
    let (before, after) = ([held(1, 3)], [held(1, 5)]);
    let key = before[0].key;
    let ledger = |numbers: &[u64]| Ledger {
        liquidations: numbers.iter().map(|n| liquidation(key, *n)).collect(),
        ..Ledger::default()
    };
    assert_eq!(nobody_is_liquidated_twice(&before, &after, &ledger(&[4, 5])), []);
    for wrong in [&[4][..], &[4, 4, 5], &[4, 5, 6], &[]] {
        assert_eq!(nobody_is_liquidated_twice(&before, &after, &ledger(wrong)).len(), 1, "{wrong:?}");
    }
}

#[test]
fn loss_beyond_bad_debt_is_found() {
    let before = [Vault { cash_amount: 1_000_000, ..vault() }];
    let mut after = [Vault { cash_amount: 700_000, ..vault() }];
    assert_eq!(lenders_lose_bad_debt_alone(&before, &after).len(), 1);
    after[0].totals.bad_debt_amount = 300_000;
    assert_eq!(lenders_lose_bad_debt_alone(&before, &after), []);
    after[0].totals.insured_amount = 200_000;
    assert_eq!(lenders_lose_bad_debt_alone(&before, &after).len(), 1);
}

#[test]
fn level_without_a_trip_is_found() {
    let world = World::new(crate::world::cast::Cast::from_seed(1));
    let (start, mut now) = (snapshot(), snapshot());
    now.guard.breaker.causes[0] = rampart::state::Cause {
        source: world.rules[0].key,
        tripped_at_ts: 900,
        expires_at_ts: 2_000,
        dwell_until_ts: 950,
        level: 2,
        ..Default::default()
    };
    assert_eq!(levels_have_causes(&world, &start, &now, &Ledger::default()).len(), 1);
    assert_eq!(levels_have_causes(&world, &now, &now, &Ledger::default()), [], "it was in force before");
    let before = now.clone();
    now.guard.breaker.causes[0].tripped_at_ts = 1_000;
    assert_eq!(levels_have_causes(&world, &before, &now, &Ledger::default()).len(), 1, "that is another trip");
    now.mark.unix_ts = 2_000;
    assert_eq!(levels_have_causes(&world, &start, &now, &Ledger::default()), []);
}

#[test]
fn landing_of_what_must_be_refused_is_found() {
    let mut record = Record { at_secs: 1, what: "x".to_owned(), must_be_refused: true, answer: Answer::Landed };
    assert_eq!(refusals_held(std::slice::from_ref(&record)).len(), 1);
    record.must_be_refused = false;
    assert_eq!(refusals_held(&[record]), []);
}

#[test]
fn reserve_that_lost_too_much_or_holds_less_than_its_books_is_found() {
    let (start, mut end) = (snapshot(), snapshot());
    (end.policy.params.loss_day_micro_usd, end.policy.lost_micro_usd) = (5, 5);
    end.reserve.assets[1].accounted_amount = 7;
    end.reserve_balances = [0, 7];
    assert_eq!(hedges_stay_in_their_budget(&start, &end), []);
    end.reserve_balances = [0, 6];
    end.policy.lost_micro_usd = 6;
    let found: Vec<_> = hedges_stay_in_their_budget(&start, &end).iter().map(|broken| broken.invariant).collect();
    assert_eq!(found, ["balances cover the books", "hedges stay in their budget"]);
}
