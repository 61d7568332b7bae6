//! Evaluates a rule on pinned accounts. The one path on which rules are judged on chain.

use crate::error::RampartError;
use crate::instructions::evidence::reports;
use crate::instructions::shared::{PairPrices, is_kind, load, load_mut};
use crate::mint;
use crate::oracle;
use crate::refuse::{err, require, require_keys_eq};
use crate::risk::health::PairBand;
use crate::risk::measures::{self, Measured};
use crate::risk::verdict::{Unknown, Verdict};
use crate::state::rule::Metric;
use crate::state::{Asset, Breaker, Guard, Holding, Integration, Rule, Scope, Switch, Vault};
use anchor_lang::Discriminator;
use anchor_lang::prelude::*;

/// The accounts that a rule is measured on.
///
/// For a metric about an asset, `subject` is the asset and `further` its oracles, or its mint for the supply. For one about
/// a vault, `subject` is the vault, or an integration for its outflow; the collateral ratio also needs both asset accounts,
/// and the oracles of both; the shortfall the vault's accounts of the loan and of the collateral as `further`. For what
/// keepers report `subject` is any of them; `further` is the guard's keeper set and then each member's report, in the set's
/// order.
pub struct Evidence<'a, 'info> {
    /// The rule's subject.
    pub subject: &'a AccountInfo<'info>,
    /// Asset account of the vault's collateral, where the metric needs it.
    pub collateral_asset: Option<&'a AccountLoader<'info, Asset>>,
    /// Asset account of the vault's loan, where the metric needs it.
    pub loan_asset: Option<&'a AccountLoader<'info, Asset>>,
    /// Oracle accounts, or the keeper set with its reports.
    pub further: &'a [AccountInfo<'info>],
}

impl<'info> Evidence<'_, 'info> {
    /// Measures and judges `rule`.
    ///
    /// # Errors
    /// `RuleDisabled`, `RuleSubjectMismatch`, `OracleAccountsMissing`, and the oracle's hard errors.
    pub fn evaluate(&self, rule: &Rule, now_ts: i64) -> Result<Measured> {
        require!(rule.params.switch == Switch::Enabled as u8, RampartError::RuleDisabled);
        require_keys_eq!(rule.subject, self.subject.key(), RampartError::RuleSubjectMismatch);
        let metric = rule.params.metric()?;
        if metric.is_reported() {
            reports::measure(rule, self.further, now_ts)
        } else if metric.is_about_asset() {
            self.about_asset(rule, now_ts)
        } else {
            self.about_vault(rule, now_ts)
        }
    }

    fn about_asset(&self, rule: &Rule, now_ts: i64) -> Result<Measured> {
        let asset = load::<Asset>(self.subject)?;
        if rule.params.metric()? == Metric::SupplyGrowth {
            let [mint] = self.further else {
                return err!(RampartError::AssetMintMismatch);
            };
            let supply_amount = mint::supply(mint, &asset.mint, &asset.token_program)?;
            return Ok(measures::supply(&rule.params, &asset, supply_amount, now_ts));
        }
        require!(self.further.len() == asset.oracle.account_count(), RampartError::OracleAccountsMissing);
        let reading = oracle::read_accounts(&asset.oracle, self.further, now_ts)?;
        Ok(measures::asset(rule, &asset, &reading, now_ts)?)
    }

    fn about_vault(&self, rule: &Rule, now_ts: i64) -> Result<Measured> {
        if rule.params.metric()? == Metric::OutflowRate && is_kind::<Integration>(self.subject) {
            return Ok(measures::integration(&rule.params, &*load::<Integration>(self.subject)?, now_ts)?);
        }
        let vault = load::<Vault>(self.subject)?;
        if rule.params.metric()? == Metric::VaultShortfall {
            let (loan, collateral) = self.holdings(&vault)?;
            return Ok(measures::shortfall(&rule.params, &vault, loan, collateral, now_ts));
        }
        let pair = if rule.params.metric()? == Metric::CollateralRatio {
            self.pair(&vault, now_ts)?
        } else {
            Err(RampartError::PriceIndeterminate)
        };
        Ok(measures::vault(&rule.params, &vault, pair, now_ts)?)
    }

    /// Reads the vault's accounts of the loan and of the collateral, in place of oracles.
    fn holdings(&self, vault: &Vault) -> Result<(Holding, Holding)> {
        let [loan, collateral] = self.further else { return err!(RampartError::VaultAssetsInvalid) };
        require_keys_eq!(vault.loan_token, loan.key(), RampartError::VaultAssetsInvalid);
        require_keys_eq!(vault.collateral_token, collateral.key(), RampartError::VaultAssetsInvalid);
        Ok((Holding::read(loan)?, Holding::read(collateral)?))
    }

    /// The outer error refuses the call (a wrong account), the inner one is what the data says.
    fn pair(&self, vault: &Vault, now_ts: i64) -> Result<core::result::Result<(PairBand, i64), RampartError>> {
        let (Some(collateral), Some(loan)) = (self.collateral_asset, self.loan_asset) else {
            return err!(RampartError::RuleSubjectMismatch);
        };
        require_keys_eq!(vault.collateral_asset, collateral.key(), RampartError::VaultAssetsInvalid);
        require_keys_eq!(vault.loan_asset, loan.key(), RampartError::VaultAssetsInvalid);
        let prices = PairPrices::read(&*collateral.load()?, &*loan.load()?, self.further, now_ts);
        match prices {
            Ok(prices) => Ok(Ok((prices.pair(vault)?, prices.oldest_publish_ts()))),
            Err(error) if error == RampartError::PriceIndeterminate.into() => Ok(Err(RampartError::PriceIndeterminate)),
            Err(error) if error == RampartError::PriceDisagreement.into() => Ok(Err(RampartError::PriceDisagreement)),
            Err(error) => Err(error),
        }
    }
}

/// Returns the guard of an asset, a vault or an integration.
///
/// # Errors
/// Anchor's `AccountOwnedByWrongProgram` and `AccountDiscriminatorMismatch`.
pub fn guard_of_subject(subject: &AccountInfo) -> Result<Pubkey> {
    if is_kind::<Asset>(subject) {
        Ok(load::<Asset>(subject)?.guard)
    } else if is_kind::<Integration>(subject) {
        Ok(load::<Integration>(subject)?.guard)
    } else {
        Ok(load::<Vault>(subject)?.guard)
    }
}

/// Requires that the verdict is true.
///
/// # Errors
/// `RuleIndeterminate` for missing, stale or disputed data, `RuleNotTrue` otherwise.
pub fn require_true(verdict: Verdict) -> Result<u64> {
    match verdict {
        Verdict::True { value } => Ok(value),
        Verdict::Indeterminate(reason) => {
            msg!("indeterminate: {}", reason.name());
            err!(RampartError::RuleIndeterminate)
        }
        Verdict::Between { .. } | Verdict::Clear { .. } => err!(RampartError::RuleNotTrue),
    }
}

/// Requires that the verdict is clear.
///
/// # Errors
/// `RuleIndeterminate` for missing, stale or disputed data, `RuleNotClear` otherwise.
pub fn require_clear(verdict: Verdict) -> Result<()> {
    match verdict {
        Verdict::Clear { .. } => Ok(()),
        Verdict::Indeterminate(_) => err!(RampartError::RuleIndeterminate),
        Verdict::True { .. } | Verdict::Between { .. } => err!(RampartError::RuleNotClear),
    }
}

impl Unknown {
    /// Returns the reason as a word for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Disagreement => "disagreement",
            Self::Coverage => "coverage",
            Self::Reference => "reference",
            Self::Nothing => "nothing",
            Self::Quorum => "quorum",
            Self::Spread => "spread",
        }
    }
}

/// Applies `change` to the breaker that `rule` governs, in the account `scope`.
///
/// # Errors
/// `RuleSubjectMismatch` unless `scope` is the rule's subject, or its guard for a rule of that scope; and `change`'s.
pub fn with_breaker<T>(rule: &Rule, scope: &AccountInfo, change: impl FnOnce(&mut Breaker) -> Result<T>) -> Result<T> {
    match Scope::try_from(rule.params.scope)? {
        Scope::Guard => {
            require_keys_eq!(rule.guard, scope.key(), RampartError::RuleSubjectMismatch);
            change(&mut load_mut::<Guard>(scope)?.breaker)
        }
        Scope::Subject => {
            require_keys_eq!(rule.subject, scope.key(), RampartError::RuleSubjectMismatch);
            with_breaker_of(scope, change)
        }
    }
}

/// Applies `change` to the breaker of a guard, an asset, an integration or a vault. Its key MUST be checked by the caller.
///
/// # Errors
/// Those of `load_mut`, and `change`'s.
pub fn with_breaker_of<T>(scope: &AccountInfo, change: impl FnOnce(&mut Breaker) -> Result<T>) -> Result<T> {
    // the owner is checked by `load_mut`
    let tag: [u8; 8] = scope.try_borrow_data()?.get(..8).and_then(|tag| tag.try_into().ok()).unwrap_or_default();
    if tag == *Asset::DISCRIMINATOR {
        change(&mut load_mut::<Asset>(scope)?.breaker)
    } else if tag == *Vault::DISCRIMINATOR {
        change(&mut load_mut::<Vault>(scope)?.breaker)
    } else if tag == *Integration::DISCRIMINATOR {
        change(&mut load_mut::<Integration>(scope)?.breaker)
    } else {
        change(&mut load_mut::<Guard>(scope)?.breaker)
    }
}
