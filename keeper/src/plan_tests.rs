use super::*;
use crate::assess::Candidate;
use crate::config::PriceRange;
use crate::economics::{Estimate, Offer, Way};
use crate::intent::Outcome;
use crate::watch::testing::{SLOT, World, bytes_of, key, token_account};
use crate::watch::{Origin, Update};
use rampart::state::Position;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;
use std::time::Instant;

const SIGNER: u8 = 90;

struct Scene {
    world: World,
    store: Store,
    found: Found,
    prices: ComputePrices,
    market: Market,
    history: History,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let position = world.position(1_000_000, 900_000);
        let mut store = world.store(&[(key(50), position)]);
        world.put(&mut store, key(60), bytes_of(&world.rule()));
        let found = world.found();
        Self {
            world,
            store,
            found,
            prices: ComputePrices::default(),
            market: Market::default(),
            history: History::default(),
        }
    }

    fn planner(&self) -> Planner<'_> {
        let (signer, prices, market) = (key(SIGNER), &self.prices, &self.market);
        Planner { store: &self.store, found: &self.found, signer, prices, market, tables: &[] }
    }

    fn liquidation(&self) -> Decision {
        let vault = self.store.vault(&self.world.vault_key).unwrap();
        let position: &Position = self.store.position(&key(50)).unwrap();
        let price = rampart::math::Price::from_q64(1 << 64).unwrap();
        let candidate = Candidate::judge(key(50), self.world.vault_key, position, vault, price).unwrap();
        let plan = candidate.plan(u64::MAX).unwrap();
        let estimate = Estimate {
            paid_amount: plan.repay_amount,
            surplus_amount: 0,
            collateral_amount: plan.seize_amount,
            fee_lamports: 5_000,
            profit_micro_usd: 1,
        };
        let offer = Offer { way: Way::Inventory, plan, max_repay_amount: 500, estimate };
        let action = Action::Position { candidate: Box::new(candidate), offers: vec![offer] };
        Decision::new(ActionClass::Liquidate, key(50), 0, String::new(), action)
    }

    /// Gives the signer both token accounts.
    fn fund(&mut self) {
        let wallets = feeds::wallets(&self.store, &key(SIGNER));
        self.store.watch_raw(wallets.values().map(|w| w.token).collect());
        for (mint, wallet) in wallets {
            let data = token_account(&mint, &key(SIGNER), 5);
            let update = Update {
                key: wallet.token,
                owner: wallet.token_program,
                lamports: 1,
                data,
                slot: SLOT,
                origin: Origin::Poll,
                write_version: 0,
                told_by: 0,
            };
            self.store.apply(update, Instant::now());
        }
    }
}

#[test]
fn trip_names_rule_scope_fence_and_oracles() {
    let scene = Scene::new();
    let rule = *scene.store.rule(&key(60)).unwrap();
    let planned = scene.planner().plan_trip(key(60), &rule, &scene.history).unwrap();
    let expected = evidence::trip(key(60), &rule, None, &rampart_client::oracle_metas(&scene.world.asset(0).oracle));
    assert_eq!((planned.instructions, planned.compute_unit_limit), (vec![expected], 60_000));
    assert_eq!((planned.intent.class, planned.intent.target, planned.intent.fence), (ActionClass::Trip, key(60), 0));
    assert_eq!(planned.priority_micro_lamports, scene.prices.trip.floor);
}

#[test]
fn liquidation_creates_the_token_accounts_that_are_missing_and_only_those() {
    let mut scene = Scene::new();
    let first = scene.planner().plan(&scene.liquidation(), &scene.history).unwrap();
    assert_eq!((first.instructions.len(), first.compute_unit_limit), (3, 150_000 + 2 * TOKEN_ACCOUNT_UNITS));
    scene.fund();
    let next = scene.planner().plan(&scene.liquidation(), &scene.history).unwrap();
    assert_eq!((next.instructions.len(), next.compute_unit_limit), (1, 150_000));
    let wallets = feeds::wallets(&scene.store, &key(SIGNER));
    let named =
        |mint| next.instructions[0].accounts.iter().any(|meta| meta.pubkey == wallets[&mint].token && meta.is_writable);
    assert!(named(key(20)) && named(key(21)));
}

#[test]
fn fault_33_price_rises_with_expiries_up_to_the_cap_and_units_with_failures() {
    let mut scene = Scene::new();
    scene.fund();
    let decision = scene.liquidation();
    let mut prices = vec![];
    for _ in 0..40 {
        prices.push(scene.planner().plan(&decision, &scene.history).unwrap().priority_micro_lamports);
        scene.history.ended(&decision.intent, &Outcome::Expired, SLOT);
    }
    assert!(prices.windows(2).all(|w| w[0] <= w[1]) && prices[0] < prices[1]);
    assert_eq!((prices[0], prices[39]), (scene.prices.liquidate.floor, scene.prices.liquidate.cap));
    let error = TransactionError::InstructionError(2, InstructionError::ComputationalBudgetExceeded);
    scene.history.ended(&decision.intent, &Outcome::Failed { slot: 1, error, code: None, lost_race: false }, SLOT);
    assert_eq!(scene.planner().plan(&decision, &scene.history).unwrap().compute_unit_limit, 300_000);
}

#[test]
fn fault_33_trip_that_expired_pays_ten_times_as_much_and_never_more_than_the_cap() {
    let range = PriceRange { floor: 10_000, cap: 1_000_000 };
    let prices = (0..4).map(|expiries| priority(ActionClass::Trip, range, 0, expiries)).collect::<Vec<_>>();
    assert_eq!(prices, [10_000, 100_000, 1_000_000, 1_000_000]);
    assert_eq!(priority(ActionClass::Trip, PriceRange { floor: 0, cap: 5_000 }, 0, 2), 5_000, "from nothing, too");
}

#[test]
fn fault_33_34_market_price_counts_between_floor_and_cap_on_accounts_that_are_written() {
    let mut scene = Scene::new();
    scene.fund();
    let decision = scene.liquidation();
    let price = |scene: &Scene| scene.planner().plan(&decision, &scene.history).unwrap().priority_micro_lamports;
    let range = scene.prices.liquidate;
    for (paid, expected) in [(0, range.floor), (range.floor * 3, range.floor * 3), (range.cap * 1_000, range.cap)] {
        scene.market = std::sync::Arc::new([(scene.world.vault_key, paid)].into());
        assert_eq!(price(&scene), expected);
    }
    // the assets are only read
    scene.market = std::sync::Arc::new([(scene.world.asset_keys[0], range.cap)].into());
    assert_eq!(price(&scene), range.floor);
}

#[test]
fn feed_without_an_account_can_not_be_planned_until_one_is_found() {
    let mut scene = Scene::new();
    let mut asset = scene.world.asset(0);
    let source = &mut asset.oracle.sources[0];
    (source.pin, source.kind, source.feed_id, source.account) = (2, 1, [9; 32], Pubkey::default());
    let program = source.program;
    scene.world.put(&mut scene.store, key(2), bytes_of(&asset));
    let rule = *scene.store.rule(&key(60)).unwrap();
    let refused = scene.planner().plan_trip(key(60), &rule, &scene.history);
    assert_eq!(refused, Err(PlanError::OracleNotFound(key(2))));
    scene.found.insert((program, [9; 32]), key(70));
    let planned = scene.planner().plan_trip(key(60), &rule, &scene.history).unwrap();
    assert!(planned.instructions[0].accounts.iter().any(|meta| meta.pubkey == key(70)));
}

#[test]
fn group_is_planned_behind_the_observations_that_it_needs() {
    let mut scene = Scene::new();
    let mut group: rampart::state::RuleGroup = bytemuck::Zeroable::zeroed();
    (group.guard, group.scope, group.count) = (scene.world.guard_key, scene.world.asset_keys[0], 1);
    (group.rules[0], group.version, group.params.level) = (key(60), rampart::constants::LAYOUT_VERSION, 3);
    scene.world.put(&mut scene.store, key(61), bytes_of(&group));
    let action = Action::TripGroup { group: key(61), observe: vec![key(60)] };
    let decision = Decision::new(ActionClass::Trip, key(61), 0, String::new(), action);
    let plan = scene.planner().plan(&decision, &scene.history).unwrap();
    assert_eq!(plan.instructions.len(), 2);
    assert_eq!(plan.compute_unit_limit, 100_000);
    assert_eq!(plan.instructions[1].accounts.last().unwrap().pubkey, key(60), "the group's rules come last");
    let unknown = Action::TripGroup { group: key(61), observe: vec![key(99)] };
    let decision = Decision::new(ActionClass::Trip, key(61), 0, String::new(), unknown);
    assert_eq!(scene.planner().plan(&decision, &scene.history).unwrap_err(), PlanError::Unknown(key(99)));
}

#[test]
fn trip_that_is_paid_for_names_the_signer_once_there_is_a_bounty_vault() {
    let mut scene = Scene::new();
    let mut rule = scene.world.rule();
    rule.params.bounty = Switch::Enabled as u8;
    scene.world.put(&mut scene.store, key(60), bytes_of(&rule));
    let pays = |scene: &Scene| {
        let plan = scene.planner().plan_trip(key(60), &rule, &scene.history).unwrap();
        plan.instructions[0].accounts.iter().any(|meta| meta.pubkey == key(SIGNER))
    };
    assert!(!pays(&scene));
    let mut bounty: rampart::state::BountyVault = bytemuck::Zeroable::zeroed();
    (bounty.guard, bounty.version) = (scene.world.guard_key, rampart::constants::LAYOUT_VERSION);
    scene.world.put(&mut scene.store, key(65), bytes_of(&bounty));
    assert!(pays(&scene));
}

/// A liquidation of a position with `debt` against a million, with the reserve's accounts where the plan has them.
fn names_reserve(debt: u64, history: &History) -> bool {
    let mut scene = Scene::new();
    scene.world.guard.reserve = rampart::state::ReserveState::InForce as u8;
    let (guard_key, guard) = (scene.world.guard_key, scene.world.guard);
    scene.world.put(&mut scene.store, guard_key, bytes_of(&guard));
    let position = scene.world.position(1_000_000, debt);
    scene.world.put(&mut scene.store, key(50), bytes_of(&position));
    scene.fund();
    let plan = scene.planner().plan(&scene.liquidation(), history).unwrap();
    let reserve = address::reserve(&guard_key);
    plan.instructions.iter().flat_map(|ix| &ix.accounts).any(|meta| meta.pubkey == reserve && meta.is_writable)
}

#[test]
fn reserve_is_named_only_where_bad_debt_may_be_left_or_the_program_asked_for_it() {
    let mut history = History::default();
    assert!(!names_reserve(900_000, &history), "ten percent above its debt: no lock on what all share");
    assert!(names_reserve(951_000, &history) && names_reserve(1_100_000, &history));
    let intent = Scene::new().liquidation().intent;
    let code = u32::from(rampart::error::RampartError::ReserveMissing);
    let error = TransactionError::InstructionError(2, InstructionError::Custom(code));
    history.started(&intent, None, SLOT);
    history.ended(&intent, &Outcome::Failed { slot: SLOT, error, code: Some(code), lost_race: false }, SLOT);
    assert!(names_reserve(900_000, &history), "the price had fallen further than the margin");
    assert!(history.is_due(&intent, SLOT + 2, None, 0), "and it is tried again at once");
}
