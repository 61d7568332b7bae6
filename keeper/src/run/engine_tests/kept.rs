//! What the engine leaves in the history.

use super::*;
use crate::history::{self, Filter, Kind, Query, Reader};
use crate::run::engine::Unsent;
use rampart::state::{Guard, Report, ReportParts};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn decisions_reports_and_what_people_change_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new();
    let mut settings = config(rig.world.guard_key);
    settings.keeper.state_dir = dir.path().to_owned();
    // the world's clock stands still, retention's does not
    (settings.history.reports_days, settings.history.samples_days) = (36_500, 36_500);
    let (recorder, writer) = history::prepare(&settings, &key(SIGNER), &Metrics::new()).unwrap();
    rig.events.record_to(recorder);
    let stop = CancellationToken::new();
    let writing = tokio::spawn(writer.run(stop.clone()));

    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    rig.engine.updates(vec![oracle(10, 850, SLOT + 1), oracle(11, 850, SLOT + 1)]);
    settle().await;
    let guard = Guard { config_seq: rig.world.guard.config_seq + 1, ..rig.world.guard };
    let report = Report {
        guard: rig.world.guard_key,
        subject: rig.world.vault_key,
        keeper: key(70),
        observed_at_ts: NOW,
        seq: 3,
        set_epoch: 1,
        parts: ReportParts { score_bps: 900, ..ReportParts::default() },
        version: rampart::constants::LAYOUT_VERSION,
        ..bytemuck::Zeroable::zeroed()
    };
    rig.engine.updates(vec![
        account(rig.world.guard_key, bytes_of(&guard), SLOT + 2),
        account(key(71), bytes_of(&report), SLOT + 2),
    ]);
    let rule = rig.world.rule();
    let intent = Intent { class: ActionClass::Trip, target: key(RULE), fence: rule.trip_epoch, reason: String::new() };
    rig.engine.refused(&(intent, Unsent::Refused(SubmitError::InFlight)));
    stop.cancel();
    writing.await.unwrap();

    let read = async |kind| {
        let query = Query::new(kind, &Filter::default(), &rig.world.guard_key).unwrap();
        Reader::new(&settings).page(query).await.unwrap().items
    };
    let decisions = read(Kind::Decisions).await;
    assert_eq!(decisions.len(), 1);
    let scope = rampart_client::evidence::scope_of(&rule).to_string();
    let expected = [("class", "trip"), ("subject", &key(RULE).to_string()), ("scope", &scope), ("outcome", "refused")];
    for (column, value) in expected {
        assert_eq!(decisions[0][column], value, "{column}");
    }
    let reports = read(Kind::Reports).await;
    assert_eq!((reports.len(), &reports[0]["score_bps"], &reports[0]["slot"]), (1, &900.into(), &(SLOT + 2).into()));
    let events = read(Kind::Events).await;
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"settings_changed") && kinds.contains(&"rule_became_true"), "{kinds:?}");
}
