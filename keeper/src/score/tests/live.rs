//! What a keeper's own accounts make of the score: other keepers, assets that no vault takes, venues, majors, positions.

use super::*;
use crate::config::{BandSettings, MarketSettings, SignalSettings};
use rampart::oracle::{PYTH_RECEIVER, RateReading, RawReading, rate};
use rampart::state::{KeeperSet, Report, SourceKind};

const FEED: [u8; 32] = [7; 32];
const MINUTE: i64 = 60;

impl Scene {
    /// A set of keepers whose reports count for an hour.
    fn keepers(&mut self) {
        let mut set: KeeperSet = bytemuck::Zeroable::zeroed();
        (set.guard, set.version, set.epoch) = (self.world.guard_key, rampart::constants::LAYOUT_VERSION, 1);
        set.max_age_secs = 3_600;
        self.world.put(&mut self.store, key(70), bytes_of(&set));
    }

    /// What a keeper said of the collateral at the start.
    fn report(&mut self, keeper: u8, score_bps: u16) {
        let mut report: Report = bytemuck::Zeroable::zeroed();
        (report.guard, report.version) = (self.world.guard_key, rampart::constants::LAYOUT_VERSION);
        (report.subject, report.keeper, report.set_epoch) = (self.world.asset_keys[0], key(keeper), 1);
        (report.observed_at_ts, report.seq, report.parts.score_bps) = (NOW, 1, score_bps);
        self.world.put(&mut self.store, key(90 + keeper), bytes_of(&report));
    }

    fn operations(&self) -> f64 {
        let score = self.score(&self.world.asset_keys[0]);
        assert!(!score.part(Hazard::Operations).is_missing);
        score.part(Hazard::Operations).probability
    }

    /// Three days before the start: bars of five minutes that go up and down by a share for each of the assets.
    fn past(&mut self, moves: [f64; 2]) {
        let bars = (1..=3 * 288_i64).flat_map(|bar| [0, 1].map(|at| (bar, at)));
        let items: Vec<_> = bars
            .map(|(bar, at)| {
                let price = 1.0 + moves[at] * (bar % 2) as f64;
                let subject = self.world.asset_keys[at].to_string();
                serde_json::json!({ "subject": subject, "at_ms": (NOW - 300 * bar) * 1_000, "price": price.to_string() })
            })
            .collect();
        self.scorer.remember(Past::of(&items));
    }

    /// Looks once a minute while both prices stay, for as long as the detector needs to know where they are.
    fn calm(&mut self) -> i64 {
        (0..40).for_each(|minute| self.see(1_000, NOW + minute * MINUTE));
        NOW + 40 * MINUTE
    }

    fn print(&mut self, milli_dollars: [i128; 2], ts: i64) {
        (0..2).for_each(|at| self.world.price(&mut self.store, at, milli_dollars[usize::from(at)], ts));
        self.look(ts);
    }

    /// Makes the first source of the collateral one of Pyth whose account says nothing, and listens to Hermes and Pythnet.
    fn listen(&mut self) {
        let mut asset = self.world.asset(0);
        let source = &mut asset.oracle.sources[0];
        (source.kind, source.program, source.feed_id) = (SourceKind::Pyth as u8, PYTH_RECEIVER, FEED);
        asset.oracle.required = 1;
        self.world.put(&mut self.store, self.world.asset_keys[0], bytes_of(&asset));
        let signal = |name| format!("name = \"{name}\"\nkind = \"{name}\"\nurl = \"http://127.0.0.1:1\"\n");
        let signals: [SignalSettings; 2] =
            ["hermes", "pythnet"].map(|name| toml::from_str(&signal(name)).expect("settings"));
        self.board.begin(&signals);
        self.board.want(early::wanted(&self.store));
    }

    fn hear(&self, name: &str, cents: i128, publish_ts: i64) {
        self.board.heard(name, &[(FEED, RawReading { price: cents, confidence: 1, exponent: -2, publish_ts })]);
    }
}

/// A keeper compared its score with its own last report, and with 0 on the first look after a start.
#[test]
fn own_report_is_no_peers_and_another_ones_is() {
    let mut scene = Scene::new(&ScoreSettings::default());
    scene.keepers();
    scene.see(1_000, NOW);
    scene.see(1_000, NOW + 1);
    let own = scene.score(&scene.world.asset_keys[0]).bps;
    scene.report(SIGNER, own - 2_000);
    scene.see(1_000, NOW + 2);
    assert_eq!(scene.operations(), 0.0, "its own");
    scene.report(71, own - 2_000);
    scene.see(1_000, NOW + 3);
    // 0.5 · (2,000 - 500) / (3,000 - 500)
    assert!((scene.operations() - 0.3).abs() < 1e-9, "{}", scene.operations());
}

/// A restart forgot how the assets move together: the second minute after it was measured by the first one alone, and a calm
/// market scored above 60 %.
#[test]
fn stress_is_known_at_once_by_the_past_and_without_one_missing_until_enough_was_seen() {
    for is_remembered in [true, false] {
        let mut scene = Scene::new(&ScoreSettings::default());
        if is_remembered {
            scene.past([0.001, 0.0]);
        }
        let asset = scene.world.asset_keys[0];
        for minute in 0..30 {
            scene.see(100_000 + 20 * i128::from(minute % 3 / 2), NOW + minute * MINUTE);
            let system = *scene.score(&asset).part(Hazard::System);
            // five returns of each of two assets to learn from, and one to judge
            assert_eq!(system.is_missing, !is_remembered && minute < 11, "minute {minute}");
            assert!(system.is_missing || system.probability < 0.2, "minute {minute}: {}", system.probability);
        }
    }
}

#[test]
fn first_look_disagrees_with_nobody_and_the_second_does() {
    let mut scene = Scene::new(&ScoreSettings::default());
    scene.keepers();
    scene.report(71, 10_000);
    scene.see(1_000, NOW);
    assert_eq!(scene.operations(), 0.0, "it has said nothing yet; 0 and 10,000 would be 0.5");
    let own = scene.score(&scene.world.asset_keys[0]).bps;
    scene.see(1_000, NOW + 1);
    let expected = 0.5 * ((f64::from(10_000 - own) - 500.0) / 2_500.0).clamp(0.0, 1.0);
    assert!((scene.operations() - expected).abs() < 1e-9 && expected > 0.0, "{expected}");
}

/// What no vault takes can't be liquidated and has no lenders: as missing both made 4,400 bps of it for ever, and the reserve
/// never bought it back.
#[test]
fn asset_that_no_vault_takes_has_neither_exit_nor_run_and_may_be_bought() {
    let mut scene = Scene::new(&ScoreSettings::default());
    let [taken, free] = scene.world.asset_keys;
    scene.past([0.001, 0.001]);
    scene.see(1_000, NOW);
    for hazard in [Hazard::Liquidity, Hazard::Run] {
        let (free, taken) = (*scene.score(&free).part(hazard), *scene.score(&taken).part(hazard));
        assert_eq!((free.is_applicable, free.is_missing, free.share_bps), (false, false, 0.0), "{hazard:?}");
        assert!(taken.is_applicable, "{hazard:?}");
    }
    assert_eq!(scene.scorer.of(&free).expect("it was seen").said.report.liquidity_bps, 10_000);
    assert!(scene.score(&taken).part(Hazard::Liquidity).is_missing, "nobody says where it is sold");
    let bands = scene.scorer.bands();
    assert!(bands.may_buy(&BandSettings::default(), [&free]), "{:?}", bands.highest([&free]));
    assert!(!bands.may_buy(&BandSettings::default(), [&taken]));
}

#[test]
fn rise_that_the_majors_do_not_share_is_alone_and_one_that_they_share_is_a_move() {
    let verdicts = |moves: [f64; 2], prices: [i128; 2]| {
        let mut scene = Scene::new(&ScoreSettings::default());
        scene.past(moves);
        let ts = scene.calm();
        assert_eq!(scene.verdict(&scene.world.asset_keys[0]), PriceVerdict::Quiet);
        scene.print(prices, ts);
        [scene.world.asset_keys[0], scene.world.vault_key].map(|subject| scene.verdict(&subject))
    };
    // By a third, while another volatile asset stays where it is. In tokens of the loan as in dollars.
    assert_eq!(verdicts([0.005, 0.005], [1_333, 1_000]), [PriceVerdict::Alone; 2]);
    assert_eq!(verdicts([0.005, 0.005], [1_333, 1_333]), [PriceVerdict::RealMove, PriceVerdict::Quiet]);
    // A stablecoin is none of the majors: nobody knows what they did.
    assert_eq!(verdicts([0.005, 0.000_01], [1_333, 1_000]), [PriceVerdict::RealMove; 2]);
    assert_eq!(verdicts([0.005, 0.005], [750, 1_000]), [PriceVerdict::RealMove; 2], "nobody pushes a price down");
}

#[test]
fn early_prices_are_venues_while_they_are_fresh_and_outvote_a_source_that_is_left_alone() {
    let mut scene = Scene::new(&ScoreSettings::default());
    let asset = scene.world.asset_keys[0];
    scene.listen();
    scene.see(1_000, NOW);
    assert_eq!(scene.verdict(&asset), PriceVerdict::Undecided, "one venue is none");
    for minute in 1..10 {
        scene.hear("hermes", 100, NOW + minute * MINUTE);
        scene.see(1_000, NOW + minute * MINUTE);
    }
    assert_eq!(scene.verdict(&asset), PriceVerdict::Quiet);
    let ts = NOW + 10 * MINUTE;
    scene.hear("hermes", 130, ts);
    scene.see(1_000, ts);
    assert_eq!(scene.verdict(&asset), PriceVerdict::Undecided, "one against one");
    scene.hear("pythnet", 130, ts);
    scene.see(1_000, ts + 1);
    assert_eq!(scene.verdict(&asset), PriceVerdict::OracleOff);
    assert!(scene.score(&asset).part(Hazard::Oracle).probability >= 0.9);
    // 91 s later than the source may be old
    scene.see(1_000, ts + 91);
    assert_eq!(scene.verdict(&asset), PriceVerdict::Undecided, "what was heard long ago is no venue");
}

/// The agreed price of a claim on another token is multiplied by its rate; its venues weren't, and stood 20 % away for ever.
#[test]
fn venues_of_an_asset_with_a_rate_are_at_that_rate() {
    let scene = Scene::new(&ScoreSettings::default());
    let now = ChainTime { slot: SLOT, unix_ts: NOW };
    let assessment = assess(&scene.store, &scene.index, &scene.world.found(), now);
    let mut reading = assessment.assets[&scene.world.asset_keys[0]].reading.expect("it has sources");
    let ratio = rate::Ratio { numerator: 6, denominator: 5 };
    reading.rate = RateReading::Rated(rate::Rate { low: ratio, high: ratio });
    let asset = scene.store.asset(&scene.world.asset_keys[0]).expect("it is there");
    let half = rampart::math::Price::from_q64(1 << 63).expect("a price");
    let venues = readings::venues(asset, &reading, &[half]);
    let near = |at: usize, expected: f64| venues[at].known().is_some_and(|price| (price - expected).abs() < 1e-9);
    assert!(venues.len() == 3 && near(0, 1.2) && near(1, 1.2) && near(2, 0.6), "{venues:?}");
}

#[test]
fn debt_of_a_vault_is_placed_by_its_positions() {
    let mut settings = ScoreSettings::default();
    let mut scene = Scene::new(&settings);
    let asset = scene.world.asset_keys[0];
    let (pool, volume_day_usd, spread_bps, past_file) = (None, Some(4), Some(10), None);
    settings.market.push(MarketSettings { asset, pool, volume_day_usd, spread_bps, past_file });
    scene.scorer = Scorer::new(&settings).expect("no model");
    // at a line of 80 %: crossed at 0.975 and at 0.75 of a dollar
    let positions =
        [(key(50), 780_000), (key(51), 600_000)].map(|(at, debt)| (at, scene.world.position(1_000_000, debt)));
    scene.store = scene.world.store(&positions);
    let now = ChainTime { slot: SLOT, unix_ts: NOW };
    let assessment = assess(&scene.store, &scene.index, &scene.world.found(), now);
    let placed = |index: &PriceIndex| {
        let (store, early) = (&scene.store, &scene.board);
        let seen = Seen { store, assessment: &assessment, index, early, signer: &key(SIGNER), tip_slot: SLOT };
        scene.scorer.placed(&scene.world.vault_key, seen)
    };
    assert_eq!(placed(&scene.index), None, "no position is known");
    let mut index = PriceIndex::default();
    positions.iter().for_each(|(at, position)| index.put(*at, Some(position)));
    let Placed { composition, is_whole, against_depth } = placed(&index).expect("two positions");
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
    composition.near_shares().into_iter().for_each(|share| near(share, 0.78 / 1.38));
    near(composition.largest_share(), 0.78 / 1.38);
    near(composition.concentration(), (0.78 * 0.78 + 0.6 * 0.6) / (1.38 * 1.38));
    near(composition.debt(), 1.38);
    // a quarter of 4 dollars a day
    near(against_depth.expect("a market"), 0.78);
    assert!(is_whole);
}
