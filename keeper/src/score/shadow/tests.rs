use super::*;
use rampart_score::policy::{Action, POLICY_FORMAT, PolicyCard, PolicyFile, TILES, situation_schema_hex};

const DAY_SECS: i64 = 86_400;

/// A policy that prefers actions always alike.
pub(in crate::score) fn policy(version: u32, of: &[(Action, f64)]) -> Policy {
    let mut weights = vec![vec![0.0; TILES]; Action::COUNT];
    of.iter().for_each(|(action, value)| weights[action.index()][0] = *value);
    let card = PolicyCard { name: "test".into(), version, ..PolicyCard::default() };
    Policy::from_file(PolicyFile { format: POLICY_FORMAT, card, weights, hash: String::new() }).expect("a policy")
}

/// The first one leaves everything, the second, which reigns, moves the reserve to and fro.
fn library() -> Library {
    let idler = Library::promote(None, policy(1, &[])).expect("a library");
    Library::promote(Some(&idler), policy(2, &[(Action::HedgeMore, 3.0), (Action::HedgeLess, 2.0)])).expect("a library")
}

fn zigzag(from_ts: i64, to_ts: i64) -> Vec<Bar> {
    let bar = |open_ts: i64| {
        let close = if open_ts / 300 % 2 == 0 { 100.0 } else { 100.1 };
        Bar::flat(open_ts, 300, close)
    };
    (from_ts / 300..to_ts / 300).map(|at| bar(at * 300)).collect()
}

fn finish(shadow: &mut Shadow, now_ts: i64) {
    let began = std::time::Instant::now();
    while shadow.round.as_ref().is_some_and(|round| !round.is_over()) {
        assert!(began.elapsed().as_secs() < 120, "a day is played in less than a second");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    shadow.play(now_ts);
}

#[test]
fn choice_leaves_the_policy_that_pays_less_day_by_day_and_outlives_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("library.json");
    std::fs::write(&path, library().to_json()).expect("a file");
    let open = || {
        let mut shadow = Shadow::new(Some(&path));
        shadow.keep_in(dir.path());
        shadow
    };
    let share = |shadow: &Shadow| shadow.view().policies[1].probability;
    let mut shadow = open();
    assert!(share(&shadow) > 0.5 && shadow.view().policies[1].is_reigning, "who reigns begins ahead");
    let vault = Pubkey::new_from_array([7; 32]);
    let first = 20_000;
    shadow.remember(vault, &zigzag((first - 3) * DAY_SECS, first * DAY_SECS));
    shadow.play(first * DAY_SECS + 60);
    assert!(shadow.round.is_none(), "of the first day nothing is known");
    for day in first + 1..first + 9 {
        shadow.remember(vault, &zigzag((day - 1) * DAY_SECS, day * DAY_SECS));
        shadow.play(day * DAY_SECS + 60);
        assert!(shadow.round.is_some());
        finish(&mut shadow, day * DAY_SECS + 120);
        shadow.play(day * DAY_SECS + 180);
        assert!(shadow.round.is_none(), "a day is counted once");
    }
    assert_eq!(shadow.view().rounds, 8);
    // 16 moves a day of a quarter of 3 % of the debt cost 8 bps each: a little less than 1 bps a day
    assert!(share(&shadow) < 0.5, "{:?}", shadow.view());
    assert_eq!(open().view(), shadow.view(), "it is kept");
    let next = Library::promote(Some(&library()), policy(3, &[])).expect("a library");
    std::fs::write(&path, next.to_json()).expect("a file");
    assert_eq!(open().view().rounds, 0, "another library begins anew");
}

#[test]
fn day_of_which_too_little_is_known_is_passed_by() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("library.json");
    std::fs::write(&path, library().to_json()).expect("a file");
    let mut shadow = Shadow::new(Some(&path));
    let before = shadow.view();
    shadow.play(20_000 * DAY_SECS);
    shadow.remember(Pubkey::default(), &zigzag(19_999 * DAY_SECS, 20_001 * DAY_SECS));
    shadow.play(20_001 * DAY_SECS);
    assert!(shadow.round.is_none());
    assert_eq!(shadow.view().policies[0].probability, before.policies[0].probability);
    assert_eq!(shadow.view().rounds, 0);
}

#[test]
fn library_that_is_missing_changed_or_of_another_schema_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("library.json");
    let refused = |shadow: &Shadow, words: &str| {
        let view = shadow.view();
        let reason = view.reason.unwrap_or_default();
        assert!(view.state == "refused" && reason.contains("library.json") && reason.contains(words), "{reason}");
        assert!(view.policies.is_empty() && view.hash.is_none());
    };
    let mut shadow = Shadow::new(Some(&path));
    refused(&shadow, "`rampart lab refit` makes it");
    let text = library().to_json();
    std::fs::write(&path, text.replacen(&situation_schema_hex(), "abc", 1)).expect("a file");
    shadow.reload();
    refused(&shadow, "library was made for schema abc");
    std::fs::write(&path, text.replacen("\"version\": 2", "\"version\": 22", 1)).expect("a file");
    shadow.reload();
    refused(&shadow, "library's content hashes to");
    std::fs::write(&path, &text).expect("a file");
    shadow.reload();
    let view = shadow.view();
    assert_eq!((view.state.as_str(), view.hash.as_deref()), ("shadow", Some(library().hash())));
    assert_eq!(Shadow::new(None).view().state, "off");
}
