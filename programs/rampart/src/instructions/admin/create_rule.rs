//! Creates a threshold rule.

use crate::constants::{LAYOUT_VERSION, RULE_SEED};
use crate::error::RampartError;
use crate::events::RuleCreated;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::evidence::evaluate::guard_of_subject;
use crate::instructions::shared::{is_kind, load};
use crate::refuse::{require, require_keys_eq};
use crate::state::asset::Peg;
use crate::state::oracle_set::Pin;
use crate::state::rule::{Metric, RuleParams};
use crate::state::{Asset, Guard, Integration, Rule, Vault};
use anchor_lang::prelude::*;

/// Accounts of `create_rule`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u16)]
pub struct CreateRule<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard; counts what it has.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the asset, vault or integration that is measured; loaded by the kind that the metric needs, and MUST belong to the guard.
    pub subject: UncheckedAccount<'info>,
    /// The rule.
    #[account(init, payer = root, space = Rule::SPACE, seeds = [RULE_SEED, guard.key().as_ref(), &id.to_le_bytes()], bump)]
    pub rule: AccountLoader<'info, Rule>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

/// Tells whether `asset` has what the metric needs.
fn fits(params: &RuleParams, asset: &Asset) -> Result<bool> {
    Ok(match params.metric()? {
        Metric::PegDeviation => Peg::try_from(asset.peg)?.price().is_some(),
        Metric::SourceDisagreement => asset.oracle.count >= 2,
        // the memory is filled by as many sources as the asset requires, whatever the rule asks for
        Metric::RealizedVolatility => params.sources_required <= asset.oracle.required,
        _ => true,
    })
}

impl CreateRule<'_> {
    fn validate(&self, params: &RuleParams) -> Result<()> {
        let guard = self.guard.load()?;
        require_keys_eq!(guard.roles.root, self.root.key(), RampartError::WrongAuthority);
        params.validate(&guard.bounds)?;
        let owner = if params.metric()?.is_reported() {
            guard_of_subject(&self.subject).map_err(|_| RampartError::RuleSubjectMismatch)?
        } else if params.metric()?.is_about_asset() {
            let asset = load::<Asset>(&self.subject).map_err(|_| RampartError::RuleSubjectMismatch)?;
            Rule::validate_window(params, asset.window.cell_secs)?;
            require!(params.sources_required <= asset.oracle.count, RampartError::RuleInvalid);
            // with too few pinned accounts the age can't be known, and blindness would be true for ever
            let pins = asset.oracle.active().iter().map(|s| s.pin);
            let pinned = pins.filter(|pin| *pin == Pin::Account as u8).count();
            let is_measurable = params.metric()? != Metric::OracleAge || pinned >= usize::from(asset.oracle.required);
            require!(is_measurable, RampartError::RuleInvalid);
            require!(fits(params, &asset)?, RampartError::RuleInvalid);
            asset.guard
        } else if is_kind::<Integration>(&self.subject) {
            Rule::validate_window(params, 1)?;
            require!(params.metric()? == Metric::OutflowRate, RampartError::RuleSubjectMismatch);
            load::<Integration>(&self.subject)?.guard
        } else {
            Rule::validate_window(params, 1)?;
            load::<Vault>(&self.subject).map_err(|_| RampartError::RuleSubjectMismatch)?.guard
        };
        require_keys_eq!(owner, self.guard.key(), RampartError::RuleSubjectMismatch);
        Ok(())
    }

    /// Creates the rule, without a streak.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `RuleInvalid`, `UnknownKind`, `OutsideHardBounds`, `RuleSubjectMismatch`.
    pub fn handle(ctx: Context<Self>, id: u16, params: RuleParams) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        ctx.accounts.validate(&params)?;
        {
            let mut rule = ctx.accounts.rule.load_init()?;
            rule.guard = ctx.accounts.guard.key();
            rule.subject = ctx.accounts.subject.key();
            rule.params = params;
            rule.id = id;
            rule.version = LAYOUT_VERSION;
            rule.bump = ctx.bumps.rule;
        }
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            guard.rule_count = guard.rule_count.checked_add(1).ok_or(RampartError::MathOverflow)?;
        }
        emit_cpi!(RuleCreated {
            guard: ctx.accounts.guard.key(),
            rule: ctx.accounts.rule.key(),
            subject: ctx.accounts.subject.key(),
        });
        Ok(())
    }
}
