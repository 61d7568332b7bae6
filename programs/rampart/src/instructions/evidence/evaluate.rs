//! Evaluates a rule on pinned accounts. The one path on which rules are judged on chain.

use crate::error::RampartError;
use crate::instructions::shared::{PairPrices, is_kind, load, load_mut};
use crate::oracle;
use crate::risk::health::PairBand;
use crate::risk::measures::{self, Measured};
use crate::risk::verdict::{Unknown, Verdict};
use crate::state::rule::Metric;
use crate::state::{Asset, Breaker, Guard, Integration, Rule, Scope, Switch, Vault};
use anchor_lang::prelude::*;

/// The accounts that a rule is measured on.
///
/// For a metric about an asset, `subject` is the asset and the oracles are its sources. For one about a vault, `subject`
/// is the vault, or an integration for its outflow; the collateral ratio also needs both asset accounts, and the oracles of both.
pub struct Evidence<'a, 'info> {
    /// The rule's subject.
    pub subject: &'a AccountInfo<'info>,
    /// Asset account of the vault's collateral, where the metric needs it.
    pub collateral_asset: Option<&'a AccountLoader<'info, Asset>>,
    /// Asset account of the vault's loan, where the metric needs it.
    pub loan_asset: Option<&'a AccountLoader<'info, Asset>>,
    /// Oracle accounts.
    pub oracles: &'a [AccountInfo<'info>],
}

impl<'info> Evidence<'_, 'info> {
    /// Measures and judges `rule`.
    ///
    /// # Errors
    /// `RuleDisabled`, `RuleSubjectMismatch`, `OracleAccountsMissing`, and the oracle's hard errors.
    pub fn evaluate(&self, rule: &Rule, now_ts: i64) -> Result<Measured> {
        require!(rule.params.switch == Switch::Enabled as u8, RampartError::RuleDisabled);
        require_keys_eq!(rule.subject, self.subject.key(), RampartError::RuleSubjectMismatch);
        if rule.params.metric()?.is_about_asset() {
            self.about_asset(rule, now_ts)
        } else {
            self.about_vault(rule, now_ts)
        }
    }

    fn about_asset(&self, rule: &Rule, now_ts: i64) -> Result<Measured> {
        let asset = load::<Asset>(self.subject)?;
        require!(self.oracles.len() == asset.oracle.active().len(), RampartError::OracleAccountsMissing);
        let reading = oracle::read_accounts(&asset.oracle, self.oracles, now_ts)?;
        Ok(measures::asset(&rule.params, &asset, &reading, now_ts)?)
    }

    fn about_vault(&self, rule: &Rule, now_ts: i64) -> Result<Measured> {
        if is_integration(rule, self.subject)? {
            return Ok(measures::integration(&rule.params, &*load::<Integration>(self.subject)?, now_ts)?);
        }
        let vault = load::<Vault>(self.subject)?;
        let pair = if rule.params.metric()? == Metric::CollateralRatio {
            self.pair(&vault, now_ts)?
        } else {
            Err(RampartError::PriceIndeterminate)
        };
        Ok(measures::vault(&rule.params, &vault, pair, now_ts)?)
    }

    /// The outer error refuses the call (a wrong account), the inner one is what the data says.
    fn pair(&self, vault: &Vault, now_ts: i64) -> Result<core::result::Result<(PairBand, i64), RampartError>> {
        let (Some(collateral), Some(loan)) = (self.collateral_asset, self.loan_asset) else {
            return err!(RampartError::RuleSubjectMismatch);
        };
        require_keys_eq!(vault.collateral_asset, collateral.key(), RampartError::VaultAssetsInvalid);
        require_keys_eq!(vault.loan_asset, loan.key(), RampartError::VaultAssetsInvalid);
        let prices = PairPrices::read(&*collateral.load()?, &*loan.load()?, self.oracles, now_ts);
        match prices {
            Ok(prices) => Ok(Ok((prices.pair(vault)?, prices.oldest_publish_ts()))),
            Err(error) if error == RampartError::PriceIndeterminate.into() => Ok(Err(RampartError::PriceIndeterminate)),
            Err(error) if error == RampartError::PriceDisagreement.into() => Ok(Err(RampartError::PriceDisagreement)),
            Err(error) => Err(error),
        }
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

impl Unknown {
    /// Returns the reason as a word for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Disagreement => "disagreement",
            Self::Coverage => "coverage",
            Self::Reference => "reference",
            Self::Nothing => "nothing",
        }
    }
}

/// Tells whether the subject of a rule that is not about an asset is an integration. Only outflow is measured on one.
fn is_integration(rule: &Rule, subject: &AccountInfo) -> Result<bool> {
    Ok(rule.params.metric()? == Metric::OutflowRate && is_kind::<Integration>(subject))
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
            if rule.params.metric()?.is_about_asset() {
                change(&mut load_mut::<Asset>(scope)?.breaker)
            } else if is_integration(rule, scope)? {
                change(&mut load_mut::<Integration>(scope)?.breaker)
            } else {
                change(&mut load_mut::<Vault>(scope)?.breaker)
            }
        }
    }
}
