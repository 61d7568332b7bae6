//! Creates a group of rules.

use crate::constants::{GROUP_SEED, LAYOUT_VERSION, MAX_GROUP_RULES};
use crate::error::RampartError;
use crate::events::GroupCreated;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::evidence::evaluate::guard_of_subject;
use crate::instructions::shared::load;
use crate::refuse::{require, require_keys_eq};
use crate::state::group::{GroupParams, Power};
use crate::state::{Guard, Reach, Rule, RuleGroup};
use anchor_lang::prelude::*;

/// Accounts of `create_group`.
///
/// Remaining accounts: two to four rules of the guard.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u16)]
pub struct CreateGroup<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: whose level it raises: the guard itself, or an asset or vault that MUST belong to it.
    pub scope: UncheckedAccount<'info>,
    /// The group.
    #[account(init, payer = root, space = RuleGroup::SPACE, seeds = [GROUP_SEED, guard.key().as_ref(), &id.to_le_bytes()], bump)]
    pub group: AccountLoader<'info, RuleGroup>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl<'info> CreateGroup<'info> {
    fn validate(&self, params: &GroupParams, rules: &[AccountInfo<'info>]) -> Result<Reach> {
        let guard = self.guard.load()?;
        require_keys_eq!(guard.roles.root, self.root.key(), RampartError::WrongAuthority);
        if self.scope.key() != self.guard.key() {
            let owner = guard_of_subject(&self.scope).map_err(|_| RampartError::RuleSubjectMismatch)?;
            require_keys_eq!(owner, self.guard.key(), RampartError::RuleSubjectMismatch);
        }
        require!((2..=MAX_GROUP_RULES).contains(&rules.len()), RampartError::GroupInvalid);
        let mut powers = Vec::with_capacity(rules.len());
        for (index, account) in rules.iter().enumerate() {
            let is_new = rules[..index].iter().all(|other| other.key != account.key);
            require!(is_new, RampartError::GroupInvalid);
            let rule = load::<Rule>(account).map_err(|_| RampartError::GroupInvalid)?;
            require_keys_eq!(rule.guard, self.guard.key(), RampartError::GroupInvalid);
            powers.push(Power::of(&rule)?);
        }
        params.validate(&guard.bounds, &powers)
    }

    /// Creates the group.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `GroupInvalid`, `UnknownKind`, `OutsideHardBounds`, `RuleSubjectMismatch` for a scope that isn't
    /// the guard's.
    pub fn handle(ctx: Context<'info, Self>, id: u16, params: GroupParams) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let reach = ctx.accounts.validate(&params, ctx.remaining_accounts)?;
        {
            let mut group = ctx.accounts.group.load_init()?;
            group.guard = ctx.accounts.guard.key();
            group.scope = ctx.accounts.scope.key();
            for (slot, rule) in group.rules.iter_mut().zip(ctx.remaining_accounts) {
                *slot = rule.key();
            }
            group.count = ctx.remaining_accounts.len() as u8;
            group.params = params;
            group.reach = reach as u8;
            group.id = id;
            group.version = LAYOUT_VERSION;
            group.bump = ctx.bumps.group;
        }
        emit_cpi!(GroupCreated {
            guard: ctx.accounts.guard.key(),
            group: ctx.accounts.group.key(),
            scope: ctx.accounts.scope.key(),
        });
        Ok(())
    }
}
