use super::*;
use crate::assess::assess;
use crate::watch::oracles::Found;
use crate::watch::testing::{NOW, SLOT, World, bytes_of, key};
use rampart_score::anomaly::PriceVerdict;
use rampart_score::hazard::Hazard;

mod live;
mod places;

/// Who reports in these tests.
const SIGNER: u8 = 9;

struct Scene {
    world: World,
    store: Store,
    index: PriceIndex,
    board: Board,
    scorer: Scorer,
}

impl Scene {
    fn new(settings: &ScoreSettings) -> Self {
        let world = World::new();
        let store = world.store(&[]);
        let scorer = Scorer::new(settings).expect("no model");
        Self { world, store, index: PriceIndex::default(), board: Board::default(), scorer }
    }

    /// Prints a price for the collateral and a dollar for the loan, and looks.
    fn see(&mut self, milli_dollars: i128, now_ts: i64) {
        self.world.price(&mut self.store, 0, milli_dollars, now_ts);
        self.world.price(&mut self.store, 1, 1_000, now_ts);
        self.look(now_ts);
    }

    fn look(&mut self, now_ts: i64) {
        let slot = SLOT + u64::try_from(now_ts - NOW).expect("later") * 2;
        let found: Found = self.world.found();
        let assessment = assess(&self.store, &self.index, &found, ChainTime { slot, unix_ts: now_ts });
        let Self { store, index, board, scorer, .. } = self;
        let early = &*board;
        scorer.see(Seen { store, assessment: &assessment, index, early, signer: &key(SIGNER), tip_slot: slot });
    }

    fn verdict(&self, subject: &Pubkey) -> PriceVerdict {
        self.scorer.of(subject).expect("it was seen").said.verdict
    }

    fn score(&self, subject: &Pubkey) -> Score {
        self.scorer.of(subject).expect("it was seen").said.score
    }
}

#[test]
fn crash_raises_the_score_of_the_asset_and_of_its_vault_by_the_market() {
    let mut scene = Scene::new(&ScoreSettings::default());
    let (asset, vault) = (scene.world.asset_keys[0], scene.world.vault_key);
    for minute in 0..240 {
        scene.see(1_000 + i128::from(minute % 2), NOW + minute * 60);
    }
    let calm = [asset, vault].map(|subject| scene.score(&subject));
    for minute in 240..260 {
        scene.see(1_000 - 12 * i128::from(minute - 239), NOW + minute * 60);
    }
    for (subject, calm) in [asset, vault].into_iter().zip(calm) {
        let crash = scene.score(&subject);
        let [before, after] = [calm, crash].map(|score| score.part(Hazard::Market).probability);
        assert!(after > before + 0.1 && crash.bps > calm.bps, "{before} to {after}, {} to {}", calm.bps, crash.bps);
        let spoken = scene.scorer.of(&subject).expect("it was seen");
        assert_eq!(spoken.explanation.lines[0].part.hazard, Hazard::Market, "{}", spoken.explanation);
    }
}

#[test]
fn silent_oracle_raises_staleness_and_is_never_normal() {
    let mut scene = Scene::new(&ScoreSettings::default());
    let asset = scene.world.asset_keys[0];
    (0..60).for_each(|minute| scene.see(1_000, NOW + minute * 60));
    let fresh = scene.score(&asset);
    scene.look(NOW + 59 * 60 + 400);
    let silent = scene.score(&asset);
    assert_eq!(fresh.part(Hazard::Staleness).probability, 0.0);
    assert_eq!(silent.part(Hazard::Staleness).probability, 1.0);
    assert!(silent.bps > fresh.bps && silent.part(Hazard::Oracle).is_missing);
}

#[test]
fn volume_that_no_account_tells_is_missing_until_the_operator_sets_it() {
    let mut settings = ScoreSettings::default();
    let mut scene = Scene::new(&settings);
    let asset = scene.world.asset_keys[0];
    (0..3).for_each(|minute| scene.see(1_000, NOW + minute * 60));
    assert!(scene.score(&asset).part(Hazard::Liquidity).is_missing);
    settings.market.push(crate::config::MarketSettings {
        asset,
        pool: None,
        volume_day_usd: Some(1_000_000),
        spread_bps: Some(10),
        past_file: None,
    });
    let mut scene = Scene::new(&settings);
    (0..3).for_each(|minute| scene.see(1_000, NOW + minute * 60));
    assert!(!scene.score(&asset).part(Hazard::Liquidity).is_missing);
}

#[test]
fn opinions_are_held_of_what_somebody_listens_to() {
    let mut scene = Scene::new(&ScoreSettings::default());
    let asset = scene.world.asset_keys[0];
    scene.see(1_000, NOW);
    assert!(scene.scorer.opinions(&scene.store, &key(9)).is_empty());
    let mut rule = scene.world.rule();
    rule.params.metric = rampart::state::Metric::KeeperMedian as u8;
    scene.world.put(&mut scene.store, key(60), bytes_of(&rule));
    let opinions = scene.scorer.opinions(&scene.store, &key(9));
    let opinion = opinions.get(&asset).expect("a rule listens");
    assert_eq!(opinion.report, address::report(&asset, &key(9)));
    assert_eq!(opinion.parts.score_bps, scene.score(&asset).bps);
    assert!(opinion.parts.validate().is_ok());
}

#[test]
fn second_look_within_a_second_changes_nothing_and_switched_off_nothing_is_said() {
    let mut scene = Scene::new(&ScoreSettings::default());
    let asset = scene.world.asset_keys[0];
    scene.see(1_000, NOW);
    let before = scene.score(&asset);
    scene.see(500, NOW);
    assert_eq!(scene.score(&asset), before);
    let mut scene = Scene::new(&ScoreSettings { enabled: false, ..ScoreSettings::default() });
    scene.see(1_000, NOW);
    assert!(scene.scorer.of(&asset).is_none());
}

#[test]
fn model_file_that_is_missing_or_no_model_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("model.json");
    let settings = ScoreSettings { model_file: Some(path.clone()), ..ScoreSettings::default() };
    assert!(matches!(Scorer::new(&settings), Err(ScoreError::Read { path: named, .. }) if named == path));
    std::fs::write(&path, "{}").expect("a file");
    assert!(matches!(Scorer::new(&settings), Err(ScoreError::Model { path: named, .. }) if named == path));
}

#[test]
fn keeper_that_was_restarted_knows_the_market_that_it_left() {
    let mut scene = Scene::new(&ScoreSettings::default());
    let [collateral, loan] = scene.world.asset_keys;
    let price = |bar: i64| if bar % 2 == 0 { "1.0" } else { "1.01" };
    let item = |asset: Pubkey, bar: i64, price: &str| serde_json::json!({ "subject": asset.to_string(), "at_ms": (NOW - 300 * bar) * 1_000, "price": price });
    let days = (1..=3 * 288).flat_map(|bar| [item(collateral, bar, price(bar)), item(loan, bar, "1")]);
    scene.scorer.remember(Past::of(&days.collect::<Vec<_>>()));
    scene.see(1_000, NOW);
    let vault = scene.world.vault_key;
    for subject in [collateral, vault] {
        let said = scene.scorer.of(&subject).expect("it was seen").said;
        assert!(!said.features.is_warming && said.features.vol_day() > 0.05, "{}", said.features.vol_day());
    }
    let mut cold = Scene::new(&ScoreSettings::default());
    cold.see(1_000, NOW);
    assert!(cold.scorer.of(&collateral).expect("it was seen").said.features.is_warming);
}

#[test]
fn chosen_policy_decides_in_shadow_beside_the_rules_and_a_refused_library_leaves_the_scores() {
    use rampart_score::policy::{Action, Library};
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("library.json");
    let policy = shadow::tests::policy(4, &[(Action::TightenLtv, 1.0)]);
    let library = Library::promote(None, policy.clone()).expect("a library");
    std::fs::write(&path, library.to_json()).expect("a file");
    let settings = ScoreSettings { library_file: Some(path.clone()), ..ScoreSettings::default() };
    let mut scene = Scene::new(&settings);
    let vault = scene.world.vault_key;
    scene.see(1_000, NOW);
    let told = scene.scorer.shadow_of(&vault).expect("it decided");
    let short = &policy.hash()[..12];
    assert!(
        told.starts_with(&format!("test version 4, {short}, would lower the loan-to-value; rules would ")),
        "{told}"
    );
    let view = scene.scorer.view();
    assert_eq!((view.library.decisions, view.library.policies[0].hash.as_str()), (1, policy.hash()));
    assert_eq!(view.model.map(|model| model.version), scene.scorer.model().map(|(version, _)| version));
    scene.see(1_000, NOW + 299);
    assert_eq!(scene.scorer.view().library.decisions, 1, "a decision takes five minutes");
    let decided = scene.scorer.take_decided();
    assert_eq!((decided.same + decided.other, scene.scorer.take_decided()), (1, Decided::default()));

    std::fs::write(&path, "{}").expect("a file");
    let before = scene.score(&vault);
    scene.see(1_000, NOW + 300);
    assert_eq!((scene.scorer.view().library.state.as_str(), scene.scorer.shadow_of(&vault)), ("refused", None));
    let mut plain = Scene::new(&ScoreSettings::default());
    [0, 299, 300].into_iter().for_each(|secs| plain.see(1_000, NOW + secs));
    assert_eq!(scene.score(&vault), plain.score(&vault), "scores don't depend on policies");
    assert!(before.bps > 0);
}

#[test]
fn weights_are_the_settings_and_by_default_the_engines() {
    let plain = crate::config::WeightSettings::default();
    assert_eq!(plain.weights(), rampart_score::score::Weights::default());
    let weights = crate::config::WeightSettings { market_bps: 2_500, oracle_bps: 0, ..plain };
    let mut scene = Scene::new(&ScoreSettings { weights, ..ScoreSettings::default() });
    scene.see(1_000, NOW);
    let score = scene.score(&scene.world.vault_key);
    assert_eq!(score.part(Hazard::Market).weight, 0.25);
    assert_eq!((score.part(Hazard::Oracle).weight, score.part(Hazard::Oracle).share_bps), (0.0, 0.0));
    assert_eq!(score.part(Hazard::Run).weight, 1.0);
}
