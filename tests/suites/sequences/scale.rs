//! Limits on new risk that follow the keepers' reports: by how much, on what, and until when.

use crate::sequences::action::{Action, Kind};
use crate::sequences::model::{DAY, HOUR};
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::{KeeperCut, KeeperScale, Report, ReportPart, RiskScale, Switch, Vault};
use rampart_client::address;
use rampart_tests::World;

/// Lets both scales of the vault follow the keepers: scores beyond 30 %, and a market that is less than 95 % deep.
pub fn switch_on(world: &mut World) {
    let (key, mut vault) = (world.keys.vault, world.vault());
    let on = |scale: KeeperScale| KeeperScale { switch: Switch::Enabled as u8, ..scale };
    let RiskScale { ltv, cap, .. } = vault.scale;
    vault.scale.ltv = KeeperScale { calm_bps: 3_000, slope_bps: 5_000, part: ReportPart::Score as u8, ..on(ltv) };
    vault.scale.cap = KeeperScale { calm_bps: 9_500, ..on(cap) };
    (vault.scale.floor_ltv_bps, vault.scale.floor_cap_bps) = (5_000, 2_500);
    world.store(&key, &vault);
}

impl Stage {
    /// What is taken off moves by `scale_risk` alone, toward the median, within the steps, for six hours at most.
    pub fn follow_scale(&mut self, action: &Action, before: &Snap, after: &Snap) {
        let (was, is) = (&before.vault, &after.vault);
        if action.kind == Kind::ScaleRisk {
            let rest = Vault { ltv_cut: was.ltv_cut, cap_cut: was.cap_cut, ..**is };
            assert_eq!(bytemuck::bytes_of(&rest), bytemuck::bytes_of(&**was), "scale_risk moved more than a cut");
        }
        let both = [(was.scale.ltv, was.ltv_cut, is.ltv_cut), (was.scale.cap, was.cap_cut, is.cap_cut)];
        for (index, (scale, was, is)) in both.into_iter().enumerate() {
            if was == is {
                continue;
            }
            if action.kind == Kind::ScaleRisk {
                self.follow_cut(index, &scale, (&was, &is), before);
                continue;
            }
            let settles = matches!(action.kind, Kind::TightenVault | Kind::Execute);
            let stays = (was.cut_bps, was.expires_at_ts) == (is.cut_bps, is.expires_at_ts);
            assert!(settles && stays, "{action:?} moved what keepers take off");
        }
        if action.kind == Kind::Borrow {
            let taken = was.cap_cut.cut_bps * u16::from(before.now < was.cap_cut.expires_at_ts);
            let share = (10_000 - taken).max(was.scale.floor_cap_bps);
            let cap = u128::from(was.limits.borrow_cap_amount) * u128::from(share) / 10_000;
            assert!(u128::from(is.debt_amount().expect("debt")) <= cap, "borrowed beyond the cap that is left");
        }
    }

    fn follow_cut(&mut self, index: usize, scale: &KeeperScale, (was, is): (&KeeperCut, &KeeperCut), before: &Snap) {
        let (now, latest) = (before.now, self.model.latest);
        assert_eq!(scale.switch, Switch::Enabled as u8, "scaled what is off");
        let above = scale.part == ReportPart::Score as u8;
        let median = self.median(above, before);
        let gap = if above { median.saturating_sub(scale.calm_bps) } else { scale.calm_bps.saturating_sub(median) };
        let wanted = (u32::from(gap) * u32::from(scale.slope_bps)).div_ceil(10_000).min(10_000) as u16;
        let had = if now < was.expires_at_ts { was.cut_bps } else { 0 };
        let has = is.cut_bps;
        assert!(is.expires_at_ts <= latest + 6 * HOUR, "taken off for more than six hours");
        if has < had {
            let may = i64::from(had - has) * HOUR <= 100 * (now - was.moved_at_ts);
            assert!(has >= wanted && may, "gave back {had} to {has} where {wanted} is asked for");
        } else {
            assert!(has == had || has <= wanted, "took {had} to {has} where {wanted} is asked for");
        }
        self.model.cuts[index].push((latest, has.saturating_sub(had)));
        for (secs, most) in [(HOUR, scale.hour_bps), (DAY, scale.day_bps)] {
            let lately = self.model.cuts[index].iter().filter(|(ts, _)| latest - ts < secs);
            assert!(lately.map(|(_, bps)| u32::from(*bps)).sum::<u32>() <= u32::from(most), "took off too fast");
        }
    }

    /// The median of the reports that count, by the accounts: the one further from danger.
    fn median(&self, is_above: bool, before: &Snap) -> u16 {
        let (set, now) = (&before.keepers, before.now);
        let voters: Vec<_> = set.active().iter().filter(|m| m.active_from_ts <= now).collect();
        let stored = voters.iter().map(|m| address::report(&before.keys.collateral_asset, &m.key));
        let reports = stored.filter(|key| self.world.exists(key)).map(|key| self.world.load::<Report>(&key));
        let fresh = reports.filter(|r| r.set_epoch == set.epoch && now - r.observed_at_ts <= set.max_age_secs.into());
        let mut values: Vec<u16> =
            fresh.map(|r| if is_above { r.parts.score_bps } else { r.parts.liquidity_bps }).collect();
        values.sort_unstable();
        assert!(values.len() >= 3 && values.len() * 2 > voters.len(), "scaled without a quorum");
        values[if is_above { (values.len() - 1) / 2 } else { values.len() / 2 }]
    }
}
