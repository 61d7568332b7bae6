//! The guarded swap itself: one foreign call on the escrow's signature, between a snapshot and a comparison.
//!
//! The foreign program gets nothing but the escrow: its authority signs, its two accounts hold no more than the amount in
//! and what came out. Whatever that program is or does, no more than the amount in is at risk, and less than the prices
//! allow fails the whole instruction. No vault and no reserve ever signs for it.

use crate::constants::ESCROW_SEED;
use crate::error::RampartError;
use crate::instructions::swap::escrow::{Snapshot, owner_in};
use crate::instructions::swap::transfer::Coin;
use crate::refuse::{require, require_keys_neq};
use crate::risk::swap::SwapTerms;
use crate::state::SwapPolicy;
use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::program::invoke_signed_unchecked;

/// The accounts of a guarded swap.
#[derive(Clone, Copy)]
pub struct Route<'a, 'info> {
    /// The policy.
    pub policy: &'a AccountLoader<'info, SwapPolicy>,
    /// The policy's escrow authority.
    pub escrow: &'a AccountInfo<'info>,
    /// What goes in.
    pub from: Coin<'a, 'info>,
    /// The escrow's account of it.
    pub escrow_from: &'a AccountInfo<'info>,
    /// What comes out.
    pub to: Coin<'a, 'info>,
    /// The escrow's account of it.
    pub escrow_to: &'a AccountInfo<'info>,
    /// The program that swaps.
    pub program: &'a AccountInfo<'info>,
    /// The accounts that it gets, in its order.
    pub accounts: &'a [AccountInfo<'info>],
    /// The accounts that the amount comes from and the proceeds go to, and who owns them: none of the route's business.
    pub kept_out: &'a [Pubkey],
}

/// What a swap is held to.
#[derive(Clone, Copy)]
pub struct Demand {
    /// The most to spend, base units.
    pub amount_in: u64,
    /// What that is worth at the high end of its price, micro-dollars.
    pub worth_micro_usd: u64,
    /// The least to receive, whatever the prices say, base units.
    pub min_out_amount: u64,
    /// By the prices.
    pub terms: SwapTerms,
    /// How far below their worst end, bps.
    pub max_slippage_bps: u16,
}

/// What a swap did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traded {
    /// What went in, base units.
    pub spent_amount: u64,
    /// What came out, base units.
    pub received_amount: u64,
    /// All that the escrow's account of what went in holds now, base units.
    pub left_amount: u64,
    /// All that the escrow's account of what came out holds now, base units.
    pub held_amount: u64,
}

impl<'info> Route<'_, 'info> {
    /// Checks everything that can be checked before anything moves. Returns the bump of the escrow.
    ///
    /// # Errors
    /// `SwapProgramForbidden`, `SwapInstructionForbidden`, `SwapRouteForbidden`, `SwapAccountsMismatch`.
    #[inline(never)]
    pub fn require_allowed(&self, data: &[u8]) -> Result<u8> {
        let policy = self.policy.load()?;
        policy.params.require_allowed(self.program.key, data)?;
        require!(policy.escrow == *self.escrow.key, RampartError::SwapAccountsMismatch);
        let is_apart = self.from.mint.key != self.to.mint.key && self.escrow_from.key != self.escrow_to.key;
        require!(is_apart, RampartError::SwapAccountsMismatch);
        self.accounts.iter().enumerate().try_for_each(|(index, account)| self.require_harmless(index, account))?;
        Ok(policy.escrow_bump)
    }

    /// No account of the guard's but the escrow's two may pass, and none that the program could write twice.
    fn require_harmless(&self, index: usize, account: &AccountInfo<'info>) -> Result<()> {
        let is_guards = *account.owner == crate::ID || self.kept_out.contains(account.key);
        require!(!is_guards, RampartError::SwapRouteForbidden);
        if !account.is_writable || account.key == self.escrow.key {
            return Ok(());
        }
        let is_twin = self.accounts[..index].iter().any(|other| other.key == account.key);
        require!(!is_twin, RampartError::SwapRouteForbidden);
        if account.key == self.escrow_from.key || account.key == self.escrow_to.key {
            return Ok(());
        }
        // an account of the escrow's for another mint: the escrow's signature would move it
        let data = account.try_borrow_data()?;
        let owner = owner_in(&data);
        let is_ours = owner.is_some_and(|o| o == self.escrow.key.as_ref());
        require!(!is_ours, RampartError::SwapRouteForbidden);
        let is_kept = owner.is_some_and(|o| self.kept_out.iter().any(|k| k.as_ref() == o));
        require!(!is_kept, RampartError::SwapRouteForbidden);
        Ok(())
    }

    /// Takes the escrow's accounts as they are. MUST be called before the amount in is moved there: what was in them, by
    /// whomever's gift, belongs to neither side of the swap.
    ///
    /// # Errors
    /// `EscrowNotClean`.
    #[inline(never)]
    pub fn open(&self) -> Result<[Snapshot; 2]> {
        let from = Snapshot::take(self.escrow_from, self.from.mint, self.escrow.key)?;
        let to = Snapshot::take(self.escrow_to, self.to.mint, self.escrow.key)?;
        Ok([from, to])
    }

    /// Calls the program and holds it to `demand`. The amount in MUST be in the escrow, moved there since `before`.
    ///
    /// # Errors
    /// `EscrowTampered`, `SwapOverspent`, `SwapBelowMinimum`, `SwapBelowBound`, `MathOverflow`, those of the program.
    #[inline(never)]
    pub fn trade(&self, before: &[Snapshot; 2], bump: u8, data: Vec<u8>, demand: &Demand) -> Result<Traded> {
        self.call(bump, data)?;
        let [from, to] = before;
        let left_amount = from.require_same(self.escrow_from)?;
        let held_amount = to.require_same(self.escrow_to)?;
        let had_amount = from.amount().checked_add(demand.amount_in).ok_or(RampartError::MathOverflow)?;
        let spent_amount = had_amount.saturating_sub(left_amount);
        require!(spent_amount <= demand.amount_in, RampartError::SwapOverspent);
        let received_amount = held_amount.saturating_sub(to.amount());
        require!(received_amount >= demand.min_out_amount, RampartError::SwapBelowMinimum);
        let least = demand.terms.least_amount(spent_amount, demand.max_slippage_bps)?;
        require!(received_amount >= least, RampartError::SwapBelowBound);
        Ok(Traded { spent_amount, received_amount, left_amount, held_amount })
    }

    /// Calls the program on the escrow's signature and nobody else's.
    fn call(&self, bump: u8, data: Vec<u8>) -> Result<()> {
        let mut accounts = Vec::with_capacity(self.accounts.len());
        for account in self.accounts {
            let is_escrow = account.key == self.escrow.key;
            let is_writable = account.is_writable && !is_escrow;
            accounts.push(AccountMeta { pubkey: *account.key, is_signer: is_escrow, is_writable });
        }
        let instruction = Instruction { program_id: *self.program.key, accounts, data };
        let (key, bump) = (self.policy.key(), [bump]);
        let seeds: &[&[u8]] = &[ESCROW_SEED, key.as_ref(), &bump];
        // no data is borrowed here: the loads have ended
        Ok(invoke_signed_unchecked(&instruction, self.accounts, &[seeds])?)
    }

    /// Moves `amount` of what came out of the escrow to `to`.
    ///
    /// # Errors
    /// `DestinationForbidden` for the escrow's own account, those of the token program.
    pub fn pay_out(&self, bump: u8, to: &AccountInfo<'info>, amount: u64) -> Result<()> {
        self.pay(&self.to, self.escrow_to, bump, to, amount)
    }

    /// Moves `amount` of what went in, and was left over, from the escrow to `to`.
    ///
    /// # Errors
    /// `DestinationForbidden` for the escrow's own account, those of the token program.
    pub fn pay_back(&self, bump: u8, to: &AccountInfo<'info>, amount: u64) -> Result<()> {
        self.pay(&self.from, self.escrow_from, bump, to, amount)
    }

    fn pay(
        &self,
        coin: &Coin<'_, 'info>,
        from: &AccountInfo<'info>,
        bump: u8,
        to: &AccountInfo<'info>,
        amount: u64,
    ) -> Result<()> {
        require_keys_neq!(*from.key, *to.key, RampartError::DestinationForbidden);
        let (key, bump) = (self.policy.key(), [bump]);
        let seeds: &[&[u8]] = &[ESCROW_SEED, key.as_ref(), &bump];
        coin.transfer(from, to, (self.escrow, &[seeds]), amount)
    }
}
