//! Creates a swap policy.

use crate::constants::{ESCROW_SEED, LAYOUT_VERSION, POLICY_SEED};
use crate::error::RampartError;
use crate::events::SwapPolicySet;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::{require, require_keys_eq};
use crate::state::{Guard, SwapParams, SwapPolicy, Switch};
use anchor_lang::prelude::*;

/// Accounts of `create_swap_policy`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u16)]
pub struct CreateSwapPolicy<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the program that swaps: MUST be the one that the parameters name, and deployed.
    pub program_account: UncheckedAccount<'info>,
    /// The policy.
    #[account(init, payer = root, space = SwapPolicy::SPACE, seeds = [POLICY_SEED, guard.key().as_ref(), &id.to_le_bytes()], bump)]
    pub policy: AccountLoader<'info, SwapPolicy>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl CreateSwapPolicy<'_> {
    /// Creates the policy, disabled: root alone could name a program of its own, and swap the reserve through it. A change that
    /// waits enables it. The escrow's token accounts are the associated ones of its authority: anyone creates them.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `GuardFrozen`, `SwapPolicyInvalid`,
    /// `OutsideHardBounds`, `UnknownKind`, `SwapPolicyMustWait`.
    pub fn handle(ctx: Context<Self>, id: u16, params: SwapParams, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let accounts = &ctx.accounts;
        {
            let guard = accounts.guard.load()?;
            require_keys_eq!(guard.roles.root, accounts.root.key(), RampartError::WrongAuthority);
            validity.check_time(&guard, Clock::get()?.unix_timestamp)?;
            guard.require_open()?;
            params.validate(&guard.bounds)?;
            require!(params.switch == Switch::Disabled as u8, RampartError::SwapPolicyMustWait);
        }
        let program = &accounts.program_account;
        require!(program.executable && program.key() == params.program, RampartError::SwapPolicyInvalid);
        let key = accounts.policy.key();
        let (escrow, escrow_bump) = Pubkey::find_program_address(&[ESCROW_SEED, key.as_ref()], &crate::ID);
        {
            let mut policy = accounts.policy.load_init()?;
            policy.guard = accounts.guard.key();
            policy.escrow = escrow;
            policy.params = params;
            policy.id = id;
            policy.version = LAYOUT_VERSION;
            policy.bump = ctx.bumps.policy;
            policy.escrow_bump = escrow_bump;
        }
        emit_cpi!(SwapPolicySet { guard: accounts.guard.key(), policy: key, program: params.program });
        Ok(())
    }
}
