//! Positions to liquidate and to deleverage: the deepest first, each in the ways that are worth it, within what the signer
//! holds.
//!
//! Weighing the ways of a position costs far more than judging its health, so it is bounded: what is under way, paused or
//! was found not worth it lately takes no part of the bound, so that nothing stands in the way of what is behind it.

use crate::assess::{Assessment, Candidate};
use crate::decide::bands::Bands;
use crate::decide::{Action, Decision, History, Means, Policy};
use crate::economics::liquidation::{Bench, offers};
use crate::economics::{Offer, Way};
use crate::intent::{ActionClass, Intent};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::risk::gate::Pass;
use rampart::state::Vault;
use rampart_score::band::Band;

/// How many positions are weighed at a time.
const WEIGHED: usize = 512;
/// How long a position is left alone that is not worth it at this price and with these tokens, slots: pools move, too.
const ASIDE_SLOTS: u64 = 4;

/// Returns what is to be done about positions; together they spend no more than the signer holds.
pub fn positions(
    assessment: &Assessment,
    store: &Store,
    policy: &Policy,
    means: &Means,
    history: &mut History,
) -> Vec<Decision> {
    let mut left = means.tokens.clone();
    for (mint, spent) in history.reserved() {
        left.entry(mint).and_modify(|amount| *amount = amount.saturating_sub(spent));
    }
    let mut ordered: Vec<&Candidate> = assessment.candidates.iter().filter(|c| is_open(c, assessment)).collect();
    // what is liquidatable first; below that line the order of the index, deepest first, stays
    ordered.sort_by_key(|c| std::cmp::Reverse((c.is_liquidatable(), c.ltv)));
    let (slot, mut weighed, mut wanted) = (assessment.now.slot, 0, Vec::new());
    for candidate in ordered {
        let intent = intent(candidate);
        // held back whatever it would bring: noted as wanted all the same, for the ranks' wait
        if history.is_held(&intent, slot, store.slot_of(&intent.target)) {
            wanted.push(decision(candidate, intent, Vec::new()));
            continue;
        }
        let Some(vault) = store.vault(&candidate.vault) else { continue };
        let (mint, band) = (vault.loan_mint, band_of(&candidate.vault, vault, &means.bands));
        if intent.class == ActionClass::Deleverage && !policy.bands.deleverages(band) {
            continue;
        }
        let held_amount = left.get(&mint).copied().unwrap_or(0);
        let basis = (held_amount, candidate.subject.price.q64());
        let is_enabled = policy.classes.is_enabled(intent.class);
        if !is_enabled || history.is_aside(&intent, slot, basis) || weighed == WEIGHED {
            continue;
        }
        weighed += 1;
        let (economics, class, expiries) = (&policy.economics, intent.class, history.expiries(&intent));
        let is_urgent = class == ActionClass::Deleverage && policy.bands.is_urgent(band);
        let bench = Bench { economics, store, assessment, candidate, class, held_amount, expiries, is_urgent };
        let offers = match offers(&bench) {
            Ok(offers) => offers,
            Err(declined) => {
                history.set_aside(&intent, slot.saturating_add(ASIDE_SLOTS), basis);
                history.decline(&intent, declined, slot);
                continue;
            }
        };
        history.accept(&intent);
        left.insert(mint, held_amount.saturating_sub(spent_by(&offers)));
        wanted.push(decision(candidate, intent, offers));
    }
    wanted
}

/// Returns the most that the ways of a liquidation take out of the keeper's own account, base units of the loan mint.
pub fn spent_by(offers: &[Offer]) -> u64 {
    offers.iter().filter(|offer| offer.way == Way::Inventory).map(|offer| offer.max_repay_amount).max().unwrap_or(0)
}

/// The higher band of a vault and of its collateral.
pub(crate) fn band_of(key: &Pubkey, vault: &Vault, bands: &Bands) -> Option<Band> {
    bands.highest([key, &vault.collateral_asset])
}

/// What the level leaves, one liquidation per slot, and none in the grace time after a halt.
fn is_open(candidate: &Candidate, assessment: &Assessment) -> bool {
    let again = candidate.liquidation_seq > 0 && candidate.last_liquidation_slot >= assessment.now.slot;
    let Some(report) = assessment.vaults.get(&candidate.vault) else { return false };
    let passes = match (report.pass, report.pair) {
        (Ok(Pass::TwoSources), Ok((pair, _))) => pair.sources >= 2,
        (Ok(_), Ok(_)) => true,
        _ => false,
    };
    passes && !again && !candidate.is_in_grace
}

fn intent(candidate: &Candidate) -> Intent {
    let is_liquidatable = candidate.is_liquidatable();
    let class = if is_liquidatable { ActionClass::Liquidate } else { ActionClass::Deleverage };
    let line = if is_liquidatable { candidate.risk.liquidation_line_bps } else { candidate.risk.soft_line_bps };
    let reason = format!("loan-to-value {} bps at a line of {line} bps", candidate.ltv.0);
    Intent { class, target: candidate.position, fence: candidate.liquidation_seq, reason }
}

fn decision(candidate: &Candidate, mut intent: Intent, offers: Vec<Offer>) -> Decision {
    if let Some(best) = offers.first() {
        let way = match &best.way {
            Way::Inventory => "own tokens".to_owned(),
            Way::Swap(way) => format!("a swap along {}", way.route),
        };
        let (repaid, profit) = (best.plan.repay_amount, best.estimate.profit_micro_usd);
        intent.reason = format!("{}: repays {repaid} by {way} for a profit of {profit} micro-dollars", intent.reason);
    }
    let awaited = intent.fence;
    Decision { intent, action: Action::Position { candidate: Box::new(*candidate), offers }, awaited }
}

/// Returns what is promised of each mint to a decision, for the history.
pub fn spends(decision: &Decision, store: &Store) -> Option<(Pubkey, u64)> {
    let Action::Position { candidate, offers } = &decision.action else { return None };
    let amount = spent_by(offers);
    store.vault(&candidate.vault).filter(|_| amount > 0).map(|vault| (vault.loan_mint, amount))
}
