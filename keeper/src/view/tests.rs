use super::*;
use crate::assess::assess;
use crate::chain::clock::ChainTime;
use crate::watch::index::PriceIndex;
use crate::watch::index::sweep;
use crate::watch::testing::{NOW, SLOT, World, bytes_of, key};

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
