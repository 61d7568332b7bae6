use super::*;
use crate::assess::assess;
use crate::chain::clock::ChainTime;
use crate::view::ReserveView;
use crate::watch::index::PriceIndex;
use crate::watch::index::sweep;
use crate::watch::testing::{NOW, SLOT, World, bytes_of, key};
use bytemuck::Zeroable;
use rampart::constants::LAYOUT_VERSION;
use rampart::math::Price;
use rampart::math::price::Q64_ONE;
use rampart::state::asset::{Anchor, ReferenceSpan};
use rampart::state::warm_up::WarmUp;
use rampart::state::{Metric, Reserve, Rule, RuleGroup, Standing};

fn view(change: impl FnOnce(&World, &mut Store)) -> View {
    let world = World::new();
    let position = world.position(1_000_000, 780_000);
    let mut store = world.store(&[(key(50), position)]);
    world.put(&mut store, key(60), bytes_of(&world.rule()));
    change(&world, &mut store);
    let mut index = PriceIndex::default();
    index.put(key(50), Some(&position));
    let assessment = assess(&store, &index, &world.found(), ChainTime { slot: SLOT, unix_ts: NOW });
    let mut tallies = HashMap::new();
    sweep::step(&store, &index, &assessment.priced(), None, 100, &mut tallies);
    let labels = BTreeMap::from([(key(2), "SOL".to_owned()), (key(21), "USDC".to_owned())]);
    Builder::new(labels)
        .build(Inputs { store: &store, assessment: &assessment, tallies: &tallies }, KeeperView::default())
}

#[test]
fn view_shows_prices_positions_and_names() {
    let view = view(|_, _| {});
    assert_eq!((view.assets[0].symbol.as_str(), view.assets[1].symbol.as_str()), ("SOL", "USDC"));
    assert_eq!((view.assets[0].price.state.as_str(), view.assets[0].price.agreeing), ("agreed", 2));
    assert_eq!(view.assets[0].price.mid.as_deref(), Some("1"));
    assert_eq!(view.assets[0].window_high.as_deref(), Some("1"));
    let vault = &view.vaults[0];
    assert_eq!((vault.name.as_str(), vault.level, vault.debt_amount.as_str()), ("SOL/USDC", 0, "780000"));
    assert_eq!((vault.positions.count, vault.positions.soft, vault.positions.liquidatable), (1, 1, 0));
    let bars: Vec<_> = vault.positions.histogram.iter().filter(|bar| bar.count > 0).collect();
    assert_eq!((bars.len(), bars[0].ltv_from_bps, bars[0].debt_amount.as_str()), (1, 7_500, "780000"));
    assert_eq!((view.rules[0].verdict.as_str(), view.rules[0].name.as_str()), ("clear", "drawdown SOL"));
}

#[test]
fn raised_level_is_shown_where_it_holds_with_its_cause() {
    let view = view(|world, store| {
        let mut asset = *store.asset(&key(2)).unwrap();
        let cause = rampart::state::Cause {
            source: key(60),
            tripped_at_ts: NOW - 5,
            expires_at_ts: NOW + 60,
            dwell_until_ts: NOW + 10,
            level: 3,
            ..Default::default()
        };
        asset.breaker.trip(cause, NOW - 5).unwrap();
        world.put(store, key(2), bytes_of(&asset));
    });
    assert_eq!((view.guard.level, view.assets[0].level, view.vaults[0].level, view.vaults[0].own_level), (0, 3, 3, 0));
    let cause = &view.vaults[0].causes[0];
    assert_eq!(
        (cause.rule_name.as_str(), cause.level_name.as_str(), cause.expires_at_ts),
        ("drawdown SOL", "Halt", NOW + 60)
    );
    assert!(view.rules[0].is_in_force);
}

#[test]
fn what_is_not_known_is_shown_as_such() {
    let view = view(|world, store| world.price(store, 0, 1_000, NOW - 600));
    let asset = &view.assets[0];
    assert_eq!(
        (asset.price.state.as_str(), asset.price.reason.as_deref(), asset.price.mid.as_deref()),
        ("indeterminate", Some("price"), None)
    );
    assert!(asset.price.sources.iter().all(|source| source.state == "stale"));
    assert_eq!((view.vaults[0].price.state.as_str(), view.vaults[0].price.hi.as_deref()), ("indeterminate", None));
    assert_eq!((view.rules[0].verdict.as_str(), view.rules[0].reason.as_deref()), ("indeterminate", Some("price")));
}

#[test]
fn view_keeps_the_shape_that_the_app_reads() {
    let json = serde_json::to_value(view(|_, _| {})).unwrap();
    assert_eq!(json["schema"], 1);
    assert!(json["vaults"][0]["cash_amount"].is_string() && json["vaults"][0]["rate_bps"].is_number());
    assert!(json["rules"][0]["value"].is_string() && json["rules"][0]["streak"]["since_ts"].is_null());
    let gauge = &json["vaults"][0]["limits"]["loan"]["exit"];
    assert!(gauge["hour_used_amount"].is_string() && gauge["day_limit_amount"].is_string());
    let back: View = serde_json::from_value(json).unwrap();
    assert_eq!(back.schema, SCHEMA);
}

/// Changes an asset of the world.
fn change_asset(world: &World, store: &mut Store, at: u8, change: impl FnOnce(&mut rampart::state::Asset)) {
    let mut asset = *store.asset(&key(at)).unwrap();
    change(&mut asset);
    world.put(store, key(at), bytes_of(&asset));
}

#[test]
fn new_risk_is_shown_at_the_price_and_limit_that_the_program_takes() {
    let told = |view: &View| (view.vaults[0].ltv_now_bps, view.vaults[0].price_for_new_risk.clone());
    // the sources say a dollar, half a thousandth around it, of both assets
    let (limit, price) = told(&view(|_, _| {}));
    assert_eq!(limit, Some(7_000));
    assert!((0.998..1.0).contains(&price.unwrap().parse::<f64>().unwrap()));
    let low = view(|world, store| {
        change_asset(world, store, 2, |asset| {
            asset.reference.price_q64 = (Q64_ONE / 10 * 9).into();
            asset.warm_up = WarmUp::start(30 * 86_400, NOW - 2 * 86_400);
        });
    });
    let (limit, price) = told(&low);
    // a day of 29 in which the weight rises
    assert_eq!(limit, Some(241));
    assert!((0.898..0.9).contains(&price.unwrap().parse::<f64>().unwrap()), "the reference is the worse one");
    let cold = view(|world, store| change_asset(world, store, 3, |asset| asset.reference.samples = 0));
    assert_eq!(told(&cold), (Some(7_000), None));
}

#[test]
fn index_of_debt_is_accrued_until_now() {
    let index = |accrued_at_ts: i64| {
        let view = view(|world, store| {
            let mut vault = *store.vault(&world.vault_key).unwrap();
            (vault.accrued_at_ts, vault.cash_amount) = (accrued_at_ts, 1);
            world.put(store, world.vault_key, bytes_of(&vault));
        });
        view.vaults[0].borrow_index_q64.clone().unwrap().parse::<u128>().unwrap()
    };
    assert_eq!(index(NOW), Q64_ONE);
    assert!(index(NOW - 86_400) > Q64_ONE, "a day at the highest rate");
}

#[test]
fn rule_is_shown_with_what_it_is_compared_with() {
    let rule = |change: fn(&mut Rule)| {
        let view = view(|world, store| {
            change_asset(world, store, 2, |asset| {
                // a high that only the long memory has
                asset.window.record(Price::from_q64(3 * Q64_ONE).unwrap(), NOW - 1_200);
                asset.anchors[1] = Anchor { price_q64: (2 * Q64_ONE).into(), weighed_secs: 86_400 };
            });
            let mut rule = world.rule();
            change(&mut rule);
            world.put(store, key(60), bytes_of(&rule));
        });
        assert_eq!(view.assets[0].window_high.as_deref(), Some("3"));
        let rule = view.rules[0].clone();
        (rule.reference_span, rule.compared_price)
    };
    let told = |span: Option<&str>, price: Option<&str>| (span.map(str::to_owned), price.map(str::to_owned));
    assert_eq!(rule(|_| {}), told(None, Some("1")));
    let day = |rule: &mut Rule| {
        rule.params.metric = Metric::DeviationFromReference as u8;
        rule.params.reference_span = ReferenceSpan::Day as u8;
    };
    assert_eq!(rule(day), told(Some("day"), Some("2")));
    let held = |rule: &mut Rule| {
        rule.params.metric = Metric::DeviationFromReference as u8;
        rule.held.price_q64 = (Q64_ONE / 2).into();
        rule.held.until_ts = NOW + 1;
    };
    assert_eq!(rule(held), told(Some("short"), Some("0.5")));
    let cold = |rule: &mut Rule| {
        rule.params.metric = Metric::DeviationFromReference as u8;
        rule.params.reference_span = ReferenceSpan::FourHours as u8;
    };
    assert_eq!(rule(cold), told(Some("four_hours"), None));
    assert_eq!(rule(|rule| rule.params.metric = Metric::OracleAge as u8), told(None, None));
}

#[test]
fn rule_that_trips_only_in_a_group_is_shown_with_it() {
    let view = view(|world, store| {
        let mut rule = world.rule();
        rule.params.standing = Standing::Member as u8;
        world.put(store, key(60), bytes_of(&rule));
        let mut group = RuleGroup::zeroed();
        (group.guard, group.scope, group.count, group.version) = (world.guard_key, world.guard_key, 2, LAYOUT_VERSION);
        (group.rules[0], group.rules[1]) = (key(60), key(61));
        (group.id, group.params.level) = (7, Level::ReduceOnly as u8);
        world.put(store, key(62), bytes_of(&group));
    });
    let rule = &view.rules[0];
    assert_eq!((rule.standing.as_str(), rule.groups.len()), ("member", 1));
    let group = &rule.groups[0];
    assert_eq!((group.id, group.level_name.as_str(), group.is_in_force), (7, "ReduceOnly", false));
    assert_eq!((&group.scope, group.rules.len()), (&view.guard.address, 2));
}

/// A basket of both assets, the loan asset its quote, from half and half to nothing but the quote.
fn reserve_view(level: u8, median: Option<u16>) -> ReserveView {
    let world = World::new();
    let mut store = world.store(&[]);
    let mut reserve = Reserve::zeroed();
    (reserve.guard, reserve.version) = (world.guard_key, LAYOUT_VERSION);
    (reserve.assets[0].asset, reserve.assets[1].asset) = (key(2), key(3));
    (reserve.plan.count, reserve.plan.quote, reserve.plan.scored) = (2, 1, 0);
    reserve.plan.min_improvement_bps = 10;
    reserve.plan.weights_bps[0] = [5_000, 3_000, 1_000, 0];
    reserve.plan.weights_bps[1] = [5_000, 7_000, 9_000, 10_000];
    world.put(&mut store, key(70), bytes_of(&reserve));
    change_asset(&world, &mut store, 2, |asset| {
        let (source, expires_at_ts) = (key(60), NOW + 60);
        let cause =
            rampart::state::Cause { source, tripped_at_ts: NOW - 5, expires_at_ts, level, ..Default::default() };
        if level > 0 {
            asset.breaker.trip(cause, NOW - 5).unwrap();
        }
    });
    let now = ChainTime { slot: SLOT, unix_ts: NOW };
    let mut assessment: Assessment = assess(&store, &PriceIndex::default(), &world.found(), now);
    assessment.basket.as_mut().unwrap().score_bps = median;
    let inputs = Inputs { store: &store, assessment: &assessment, tallies: &HashMap::new() };
    Builder::new(BTreeMap::new()).build(inputs, KeeperView::default()).reserve.unwrap()
}

#[test]
fn reserve_is_shown_where_the_program_wants_it() {
    let told = |level, median| {
        let shown = reserve_view(level, median);
        (shown.state, shown.level, shown.targets_bps)
    };
    // the scored asset's level counts though the guard's own is Normal
    assert_eq!(told(2, Some(0)), ("followed".to_owned(), 2, vec![1_000, 9_000]));
    // half of the way to the next level's weights
    assert_eq!(told(0, Some(5_000)), ("followed".to_owned(), 0, vec![4_000, 6_000]));
    assert_eq!(told(1, None), ("held".to_owned(), 1, vec![]));
    assert_eq!(told(3, None), ("to_quote".to_owned(), 3, vec![0, 10_000]));
}
