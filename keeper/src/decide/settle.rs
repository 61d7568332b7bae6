//! Housekeeping that anyone may do and the rules rely on: what is missing, what has lain unused, what has accrued.

use crate::assess::Assessment;
use crate::assess::rule::holdings_of;
use crate::chain::clock::ChainTime;
use crate::decide::{Action, Decision};
use crate::intent::ActionClass;
use crate::watch::feeds::aggregate_of;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Metric, ScaleTarget, Shortfall, Switch, Vault};

/// How long after the newer of vault and token account what both say is believed, slots: they arrive one after the other.
const SHORT_SLOTS: u64 = 16;
/// The same where both are of one slot, as from one request: a second transaction of that slot may be on its way.
const SAME_SLOTS: u64 = 2;
/// How old the interest of a vault may become whose rules are measured on it, seconds.
const ACCRUE_SECS: i64 = 3_600;
/// Time after which the same housekeeping is something new, seconds.
const AGAIN_SECS: i64 = 600;

/// One piece of housekeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Housekeeping {
    /// Record what is missing of this vault's tokens, or that nothing is any more.
    RecordShortfall(Pubkey),
    /// Accrue this vault's interest.
    Accrue(Pubkey),
    /// Let a limit of this vault on new risk follow what the keepers report.
    Scale {
        /// The vault.
        vault: Pubkey,
        /// Which limit.
        target: ScaleTarget,
    },
    /// Give back what this vault has leased of the guard's dollar limit and not used.
    ReturnLease(Pubkey),
}

/// Returns what is to be done about each vault: one thing at a time.
pub fn vaults(assessment: &Assessment, store: &Store) -> Vec<Decision> {
    let now = assessment.now;
    let decide = |(key, vault): (&Pubkey, &Vault)| {
        shortfall(key, vault, store, now)
            .or_else(|| accrual(key, vault, store, now))
            .or_else(|| lease(key, vault, store, now))
    };
    store.vaults().filter_map(decide).collect()
}

fn decision(vault: &Pubkey, fence: u64, reason: String, what: Housekeeping) -> Decision {
    Decision::new(ActionClass::Settle, *vault, fence, reason, Action::Settle(what))
}

/// The span of time that a fence stands for where nothing on chain counts the action.
fn turn(now: ChainTime) -> u64 {
    u64::try_from(now.unix_ts.div_euclid(AGAIN_SECS)).unwrap_or(0)
}

/// What is missing and not on record, or on record and not missing; and what is missing while nothing restricts the vault.
fn shortfall(key: &Pubkey, vault: &Vault, store: &Store, now: ChainTime) -> Option<Decision> {
    let (loan, collateral) = holdings_of(vault, store).ok()?;
    let is_short = [loan.payable() < vault.cash_amount, collateral.payable() < vault.collateral_amount];
    let proved = [&vault.loan_shortfall, &vault.collateral_shortfall].map(Shortfall::is_proved);
    let is_restricted = vault.breaker.cause_of(key, now.unix_ts).is_some();
    let is_open = is_short != proved || (is_short.contains(&true) && !is_restricted);
    let at = |account: &Pubkey| store.slot_of(account).unwrap_or(now.slot);
    let is_settled = [&vault.loan_token, &vault.collateral_token].into_iter().enumerate().all(|(side, token)| {
        let (books, tokens) = (at(key), at(token));
        let wait = if books == tokens { SAME_SLOTS } else { SHORT_SLOTS };
        !(is_short[side] || proved[side]) || now.slot >= books.max(tokens).saturating_add(wait)
    });
    if !is_open || !is_settled {
        return None;
    }
    let flags = is_short.into_iter().chain(proved).fold(0u64, |sum, flag| sum << 1 | u64::from(flag));
    let reason = format!(
        "the books say {} and {}, the accounts {} and {}",
        vault.cash_amount,
        vault.collateral_amount,
        loan.payable(),
        collateral.payable()
    );
    Some(decision(key, turn(now) << 4 | flags, reason, Housekeeping::RecordShortfall(*key)))
}

/// Rules about a vault are measured on its books as they are: interest that nobody has accrued is in none of them.
fn accrual(key: &Pubkey, vault: &Vault, store: &Store, now: ChainTime) -> Option<Decision> {
    let relies = |metric: u8| {
        let metric = Metric::try_from(metric);
        matches!(metric, Ok(Metric::Utilisation | Metric::ReserveCover | Metric::CollateralRatio))
    };
    let is_measured =
        |params: &rampart::state::rule::RuleParams| params.switch == Switch::Enabled as u8 && relies(params.metric);
    let is_needed = store.rules().any(|(_, rule)| rule.subject == *key && is_measured(&rule.params));
    let age_secs = now.unix_ts.saturating_sub(vault.accrued_at_ts);
    if !is_needed || age_secs < ACCRUE_SECS || vault.debt_scaled.get() == 0 {
        return None;
    }
    let reason = format!("rules are measured on interest that is {age_secs} s old");
    Some(decision(key, u64::try_from(vault.accrued_at_ts).ok()?, reason, Housekeeping::Accrue(*key)))
}

/// What one vault has leased and not used counts against all others: given back once more than half of all is leased.
fn lease(key: &Pubkey, vault: &Vault, store: &Store, now: ChainTime) -> Option<Decision> {
    let mut aggregate = aggregate_of(store)?;
    let (mut vault, most) = (*vault, aggregate.params.most_leased());
    let is_scarce = u128::from(aggregate.leased.total()) * 2 >= u128::from(most);
    let given = aggregate.take_back(&mut vault, now.unix_ts).ok().filter(|_| is_scarce)?;
    let reason = format!("{given} micro-dollars of its lease have lain unused");
    Some(decision(key, turn(now) << 4 | 0xf, reason, Housekeeping::ReturnLease(*key)))
}
