//! Positions at their vault's soft line or beyond.

use crate::assess::VaultReport;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::constants::LIQUIDATION_GRACE_SECS;
use rampart::error::RampartError;
use rampart::instructions::liquidation::grace::require_no_grace;
use rampart::math::{Bps, Price};
use rampart::risk::health::ltv_floor;
use rampart::risk::liquidation::{Plan, Subject, plan, plan_soft};
use rampart::state::{Position, RiskParams, Vault};

/// How far a price may fall until a transaction lands, bps: a position that is nearer to insolvency than that is liquidated
/// with what the reserve pays bad debt by. Beyond it the program refuses, and the next attempt has it.
const COVER_MARGIN_BPS: u32 = 500;

/// A position at the soft line or beyond it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// The position.
    pub position: Pubkey,
    /// Its vault.
    pub vault: Pubkey,
    /// Who owns it.
    pub owner: Pubkey,
    /// Its fence.
    pub liquidation_seq: u64,
    /// Slot of its last liquidation.
    pub last_liquidation_slot: u64,
    /// Loan-to-value at the owner's end of the price, rounded down.
    pub ltv: Bps,
    /// Debt, collateral and price.
    pub subject: Subject,
    /// What soft deleveraging may still repay within the hour, base units of the loan mint.
    pub quota_left: u64,
    /// Whether the grace time after a halt protects it.
    pub is_in_grace: bool,
    /// The vault's lines and bonuses.
    pub risk: RiskParams,
}

impl Candidate {
    /// Judges `position` in its accrued `vault`; `None` below the soft line.
    pub fn judge(at: Pubkey, vault_key: Pubkey, position: &Position, vault: &Vault, price: Price) -> Option<Self> {
        let debt = vault.debt_of(position).ok().filter(|debt| *debt > 0)?;
        let subject = Subject { debt, collateral: position.collateral_amount, price };
        let ltv = ltv_floor(debt, subject.collateral, price).ok()?;
        let mut quota = position.soft_quota;
        quota.settle(debt, vault.accrued_at_ts);
        let candidate = Self {
            position: at,
            vault: vault_key,
            owner: position.owner,
            liquidation_seq: position.liquidation_seq,
            last_liquidation_slot: position.last_liquidation_slot,
            ltv,
            subject,
            quota_left: quota.left(vault.risk.soft_quota_bps),
            is_in_grace: false,
            risk: vault.risk,
        };
        (ltv >= Bps(vault.risk.soft_line_bps.into())).then_some(candidate)
    }

    /// Takes in whether the grace time after a halt of the vault's scopes protects it, as the program will judge.
    pub fn in_grace_of(self, report: &VaultReport, position: &Position, store: &Store) -> Self {
        let vault = &report.accrued;
        let assets = store.asset(&vault.collateral_asset).zip(store.asset(&vault.loan_asset));
        let now_ts = vault.accrued_at_ts;
        let has_grace = report.halts.iter().any(|halt| halt.ended_within(LIQUIDATION_GRACE_SECS, now_ts));
        let Some((collateral, loan)) = assets.filter(|_| has_grace) else { return self };
        let mut copy = vault.clone();
        let judged = require_no_grace(&mut copy, position, report.halts, [collateral, loan], self.subject, now_ts);
        Self { is_in_grace: judged.is_err(), ..self }
    }

    /// Tells whether it is at the liquidation line or beyond.
    pub fn is_liquidatable(&self) -> bool {
        self.ltv >= Bps(self.risk.liquidation_line_bps.into())
    }

    /// Tells whether the program may find it worth less than its debt by the time that a transaction lands.
    pub fn may_leave_bad_debt(&self) -> bool {
        self.ltv >= Bps(10_000 - COVER_MARGIN_BPS)
    }

    /// Plans what the program would do with it for at most `max_repay`.
    ///
    /// # Errors
    /// Those of `rampart::risk::liquidation`.
    pub fn plan(&self, max_repay: u64) -> Result<Plan, RampartError> {
        if self.is_liquidatable() {
            plan(self.subject, &self.risk, max_repay)
        } else {
            plan_soft(self.subject, &self.risk, self.quota_left, max_repay)
        }
    }
}
