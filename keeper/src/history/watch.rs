//! Levels and samples, from the views that the keeper shows.

use crate::events::{EventKind, Events, Fact};
use crate::view::{CauseView, View};
use solana_sdk::hash::hashv;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

/// Level of a scope and what put it there.
type State = (u8, Vec<CauseView>);

/// Tells level changes and records samples until `stop`. Never slows the view down: one that is missed is skipped.
pub async fn watch(mut views: Receiver<Arc<View>>, events: Events, sample_every_secs: u64, stop: CancellationToken) {
    let mut levels = Levels::default();
    let mut sampled: Option<i64> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = views.changed() => if changed.is_err() { return stop.cancelled().await },
        }
        let view = views.borrow_and_update().clone();
        if view.chain.slot == 0 {
            continue;
        }
        levels.changes(&view).into_iter().for_each(|fact| drop(events.emit(fact)));
        let bucket = view.chain.unix_ts.checked_div_euclid(i64::try_from(sample_every_secs).unwrap_or(i64::MAX));
        // no period, no samples
        if bucket.is_some() && bucket != sampled {
            sampled = bucket;
            events.record(|recorder| recorder.samples(&view, sample_every_secs));
        }
    }
}

/// The levels last seen, by account.
#[derive(Debug, Default)]
pub struct Levels(HashMap<String, State>);

impl Levels {
    /// Returns what changed since the last view. The first view of an account only says where it stands.
    pub fn changes(&mut self, view: &View) -> Vec<Fact> {
        let guard = &view.guard;
        let mut scopes = vec![("guard", "the guard", &guard.address, guard.level, &guard.causes)];
        scopes.extend(view.assets.iter().map(|a| ("asset", a.symbol.as_str(), &a.address, a.level, &a.causes)));
        // the causes of a vault are those of all four scopes, as its effective level is
        scopes.extend(view.vaults.iter().map(|v| ("vault", v.name.as_str(), &v.address, v.level, &v.causes)));
        let mut facts = Vec::new();
        for (scope, name, address, level, causes) in
            scopes.into_iter().filter(|(_, _, address, ..)| !address.is_empty())
        {
            let before = self.0.insert(address.clone(), (level, causes.clone()));
            let Some(before) = before.filter(|(before, _)| *before != level) else { continue };
            let text = format!("level of {scope} {name} went from {} to {level}", before.0).replace("guard the", "the");
            let fact = Fact::new(EventKind::LevelChanged, view.chain.slot, text)
                .with("subject", address.as_str())
                .with(if scope == "vault" { "vault" } else { "scope" }, address.as_str())
                .with("from", before.0)
                .with("to", level)
                .with("fence", fence(&before, &(level, causes.clone()), view));
            facts.push(fact);
        }
        facts
    }
}

/// Names a change of level as every keeper does: by the causes before and after. A change without a cause comes from
/// data that only this keeper judged so, and is told by the moment.
fn fence(before: &State, after: &State, view: &View) -> String {
    let part = |causes: &[CauseView]| {
        let mut parts: Vec<String> =
            causes.iter().map(|c| format!("{}:{}:{}", c.rule, c.tripped_at_ts, c.level)).collect();
        parts.sort();
        parts.join(",")
    };
    let (old, new) = (part(&before.1), part(&after.1));
    let moment = if old == new { format!("{}@{}", view.keeper.signer, view.chain.slot) } else { String::new() };
    let text = format!("{}>{}|{old}|{new}|{moment}", before.0, after.0);
    hashv(&[text.as_bytes()]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{ChainView, GuardView};

    fn view(level: u8, causes: &[(&str, i64)], slot: u64) -> View {
        let cause = |(rule, ts): &(&str, i64)| CauseView {
            rule: (*rule).to_owned(),
            tripped_at_ts: *ts,
            level,
            ..CauseView::default()
        };
        let guard = GuardView {
            address: "G".into(),
            level,
            causes: causes.iter().map(cause).collect(),
            ..GuardView::default()
        };
        View { guard, chain: ChainView { slot, unix_ts: 1 }, ..View::default() }
    }

    fn fences(views: &[View]) -> Vec<String> {
        let mut levels = Levels::default();
        let facts = views.iter().flat_map(|view| levels.changes(view));
        facts.map(|fact| fact.fields["fence"].as_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn two_keepers_name_a_change_alike_and_another_trip_differently() {
        let one = fences(&[view(0, &[], 1), view(2, &[("a", 10)], 3), view(2, &[("a", 10)], 4), view(0, &[], 9)]);
        let other = fences(&[view(0, &[], 2), view(2, &[("a", 10)], 5), view(0, &[], 11)]);
        assert_eq!(one.len(), 2);
        assert_eq!(one, other);
        let later = fences(&[view(0, &[], 2), view(2, &[("a", 60)], 5), view(0, &[], 11)]);
        assert!(later.iter().all(|fence| !one.contains(fence)));
    }

    #[test]
    fn a_change_of_level_is_told_with_both_levels() {
        let mut levels = Levels::default();
        assert_eq!(levels.changes(&view(1, &[("a", 1)], 1)), []);
        let facts = levels.changes(&view(3, &[("a", 1), ("b", 2)], 7));
        assert_eq!(facts.len(), 1);
        assert_eq!((facts[0].slot, facts[0].text.as_str()), (7, "level of the guard went from 1 to 3"));
        assert_eq!((&facts[0].fields["from"], &facts[0].fields["to"]), (&1.into(), &3.into()));
    }
}
