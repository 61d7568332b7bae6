//! The files in deploy/guards: that what keepers report moves something in each of them, by the program's own functions.

use super::file::{GuardFile, NamedRule, VaultSpec};
use super::spec::{MetricName, Part};
use bytemuck::Zeroable;
use rampart::risk::keepers::{Ballot, Poll};
use rampart::risk::measures;
use rampart::risk::verdict::Verdict;
use rampart::state::keeper_set::{KeeperMember, KeeperRole};
use rampart::state::{Asset, KeeperCut, KeeperScale, KeeperSet, Level, ReportPart, Vault};

const NOW: i64 = 1_750_000_000;
const HOUR_SECS: i64 = 3_600;

fn templates() -> impl Iterator<Item = (&'static str, GuardFile)> {
    ["sol", "btc", "stablecoin", "long-tail"].into_iter().map(|name| {
        let path = format!("{}/../deploy/guards/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a template");
        (name, GuardFile::read(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
    })
}

fn vault_of(file: &GuardFile) -> Vault {
    let spec: &VaultSpec = &file.vaults[0];
    Vault {
        risk: spec.risk.value(),
        limits: spec.limits.value(),
        scale: spec.scale.as_ref().expect("a scale").value(),
        ..Vault::zeroed()
    }
}

/// A set of three, each of whom says `bps` of everything.
fn poll(bps: u16) -> Poll {
    let member =
        |tag: u16| KeeperMember { source_tag: tag, role: KeeperRole::Reporter as u8, ..KeeperMember::zeroed() };
    let mut set = KeeperSet { count: 3, epoch: 1, max_age_secs: 120, max_spread_bps: 2_000, ..KeeperSet::zeroed() };
    for (place, tag) in set.members.iter_mut().zip(1..=3) {
        *place = member(tag);
    }
    let mut poll = Poll::new(&set, NOW);
    for member in &set.members[..3] {
        poll.count(member, Some(Ballot { value_bps: bps, observed_at_ts: NOW - 5, set_epoch: 1 }));
    }
    poll
}

#[test]
fn keepers_median_is_a_rule_about_the_collateral_that_a_calm_one_clears() {
    for (name, file) in templates() {
        let is_it = |rule: &&NamedRule| {
            rule.subject == file.vaults[0].collateral && rule.params.metric == MetricName::KeeperMedian
        };
        let rule =
            file.rules.iter().find(is_it).unwrap_or_else(|| panic!("{name} has no rule on the median")).params.value();
        let judged = |bps: u16| measures::reported(&rule, &poll(bps), NOW).expect("the keepers' own").verdict;
        assert_eq!(rule.level, Level::Caution as u8, "{name}");
        assert_eq!(judged(6_000), Verdict::True { value: 6_000 }, "{name}: the band that asks for a breaker");
        assert_eq!(judged(500), Verdict::Clear { value: 500 }, "{name}: below every band");
    }
}

/// Follows a median by a call every half an hour for six of them.
fn followed(scale: &KeeperScale, median_bps: u16) -> KeeperCut {
    let wanted = scale.wanted_bps(median_bps).expect("a known part");
    let mut cut = KeeperCut::default();
    for call in 0..6 {
        let now_ts = NOW + call * HOUR_SECS / 2;
        // refused where nothing would change, as on chain
        let _ = cut.follow(scale, wanted, now_ts, now_ts);
    }
    cut
}

#[test]
fn limit_for_new_risk_reaches_its_floor_by_a_high_median_and_stays_where_it_was_by_a_calm_one() {
    for (name, file) in templates() {
        let mut vault = vault_of(&file);
        assert!(vault.scale.ltv.is_on() && vault.scale.validate().is_ok(), "{name}");
        assert_eq!(vault.scale.ltv.part, ReportPart::Score as u8, "{name}");
        // what volatility takes off is another matter
        vault.scale.volatility.switch = 0;
        let asset = Asset::zeroed();
        let full = vault.risk.ltv_bps;
        assert!(vault.scale.floor_ltv_bps < full, "{name}: nothing could be taken off");
        for (median_bps, expected) in [(6_000, vault.scale.floor_ltv_bps), (500, full)] {
            vault.ltv_cut = followed(&vault.scale.ltv, median_bps);
            assert_eq!(vault.ltv_for_new_risk(&asset, NOW + 3 * HOUR_SECS), expected, "{name} at {median_bps}");
        }
    }
}

#[test]
fn borrow_cap_falls_with_the_depth_that_keepers_see_and_not_in_a_deep_market() {
    for (name, file) in templates() {
        let mut vault = vault_of(&file);
        assert!(vault.scale.cap.is_on(), "{name}");
        assert_eq!(vault.scale.cap.part, ReportPart::Liquidity as u8, "{name}");
        let full = vault.limits.borrow_cap_amount;
        let cap_at = |vault: &mut Vault, median_bps| {
            vault.cap_cut = followed(&vault.scale.cap, median_bps);
            vault.borrow_cap(NOW + 3 * HOUR_SECS)
        };
        // half of a day's step at once, and what leaks since
        assert!(cap_at(&mut vault, 2_000) <= full / 4 * 3, "{name}: a thin market");
        assert_eq!(cap_at(&mut vault, 9_500), full, "{name}: a deep market");
    }
}
