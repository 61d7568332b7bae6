//! Steps that several instructions share: the level in force, prices, transfers.

use crate::constants::VAULT_SEED;
use crate::error::RampartError;
use crate::math::Price;
use crate::oracle::{self, PriceBand};
use crate::refuse::{require, require_keys_eq};
use crate::risk::gate::{Class, Pass, gate};
use crate::risk::health::{PairBand, Side};
use crate::state::{Asset, Guard, Level, Levels, Vault};
use anchor_lang::prelude::*;
use anchor_lang::{Owner, ZeroCopy};
use anchor_spl::token_interface::{self, Mint, TokenAccount, TokenInterface, TransferChecked};
use core::cell::{Ref, RefMut};

/// Returns the strictest levels of guard, vault and both assets at `now_ts`.
pub fn effective_levels(guard: &Guard, vault: &Vault, assets: [&Asset; 2], now_ts: i64) -> Levels {
    if vault.resolution.is_in_force() {
        return Levels::all(Level::Resolution);
    }
    let [collateral, loan] = assets.map(|a| a.breaker.levels_at(now_ts));
    guard.breaker.levels_at(now_ts).max(vault.breaker.levels_at(now_ts)).max(collateral).max(loan)
}

/// Returns a number that changes whenever a new episode of restricted exits begins in any of the four scopes.
pub fn episode(guard: &Guard, vault: &Vault, assets: [&Asset; 2]) -> u64 {
    let [collateral, loan] = assets.map(|a| a.breaker.episode);
    // counters only rise, so their sum changes exactly when one of them does
    guard.breaker.episode.wrapping_add(vault.breaker.episode).wrapping_add(collateral).wrapping_add(loan)
}

/// Passes the gate for `class` at the level in force.
///
/// # Errors
/// `LevelForbids`.
pub fn pass_gate(class: Class, guard: &Guard, vault: &Vault, assets: [&Asset; 2], now_ts: i64) -> Result<Pass> {
    let levels = effective_levels(guard, vault, assets, now_ts);
    let is_forced = class == Class::Liquidation;
    let levels = if is_forced { levels_for_liquidation(levels, vault, assets, now_ts) } else { levels };
    Ok(gate(class, levels)?)
}

/// Returns what liquidations have to pass where `levels` are in force.
///
/// A Resolution that has come to its date collects what is owed: at a price of two sources, as a halt. Where one of the
/// assets has a single source no two can ever agree, and a halt is no more than `ReduceOnly`: bad debt would pile up behind it.
pub fn levels_for_liquidation(levels: Levels, vault: &Vault, assets: [&Asset; 2], now_ts: i64) -> Levels {
    let exit = if vault.resolution.is_forced(now_ts) { Level::Halt } else { levels.exit };
    let is_single = assets.iter().any(|asset| asset.oracle.count < 2);
    Levels { exit: if is_single && exit == Level::Halt { Level::ReduceOnly } else { exit }, ..levels }
}

/// Loads an account of this program whose kind depends on another account's data.
///
/// # Errors
/// Anchor's `AccountOwnedByWrongProgram` and `AccountDiscriminatorMismatch`.
pub fn load<'a, T: ZeroCopy + Owner>(info: &'a AccountInfo) -> Result<Ref<'a, T>> {
    check_kind::<T>(info)?;
    Ok(Ref::map(info.try_borrow_data()?, |data| bytemuck::from_bytes(&data[8..8 + core::mem::size_of::<T>()])))
}

/// As [`load`], for writing.
///
/// # Errors
/// Also Anchor's `AccountNotMutable`.
pub fn load_mut<'a, T: ZeroCopy + Owner>(info: &'a AccountInfo) -> Result<RefMut<'a, T>> {
    check_kind::<T>(info)?;
    require!(info.is_writable, ErrorCode::AccountNotMutable);
    let data = info.try_borrow_mut_data()?;
    Ok(RefMut::map(data, |data| bytemuck::from_bytes_mut(&mut data[8..8 + core::mem::size_of::<T>()])))
}

/// Tells whether an account is of this kind.
pub fn is_kind<T: ZeroCopy + Owner>(info: &AccountInfo) -> bool {
    *info.owner == T::owner() && info.try_borrow_data().is_ok_and(|data| data.starts_with(T::DISCRIMINATOR))
}

fn check_kind<T: ZeroCopy + Owner>(info: &AccountInfo) -> Result<()> {
    require_keys_eq!(*info.owner, T::owner(), ErrorCode::AccountOwnedByWrongProgram);
    let data = info.try_borrow_data()?;
    let fits = data.len() >= 8 + core::mem::size_of::<T>() && data.starts_with(T::DISCRIMINATOR);
    require!(fits, ErrorCode::AccountDiscriminatorMismatch);
    Ok(())
}

/// Prices of both assets of a vault.
pub struct PairPrices {
    /// The collateral's.
    pub collateral: PriceBand,
    /// The loan's.
    pub loan: PriceBand,
}

impl PairPrices {
    /// Reads both from `accounts`: first the collateral's oracle accounts, then the loan's, each in the order of
    /// `oracle::read_accounts`.
    ///
    /// # Errors
    /// Those of `oracle::read_accounts` and `AssetReading::band`.
    pub fn read(collateral: &Asset, loan: &Asset, accounts: &[AccountInfo], now_ts: i64) -> Result<Self> {
        let split = collateral.oracle.account_count();
        require!(accounts.len() == split + loan.oracle.account_count(), RampartError::OracleAccountsMissing);
        let (first, second) = accounts.split_at(split);
        Ok(Self {
            collateral: oracle::read_accounts(&collateral.oracle, first, now_ts)?.band(&collateral.oracle, now_ts)?,
            loan: oracle::read_accounts(&loan.oracle, second, now_ts)?.band(&loan.oracle, now_ts)?,
        })
    }

    /// Returns both bands with the decimals of `vault`'s mints.
    pub fn sides(&self, vault: &Vault) -> (Side<'_>, Side<'_>) {
        let collateral = Side { band: &self.collateral, decimals: vault.collateral_decimals };
        (collateral, Side { band: &self.loan, decimals: vault.loan_decimals })
    }

    /// Returns the pair's band for `vault`.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn pair(&self, vault: &Vault) -> Result<PairBand> {
        let (collateral, loan) = self.sides(vault);
        Ok(PairBand::new(collateral, loan)?)
    }

    /// Returns the end of the pair's price that is best for a borrower: at it positions are seized.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn best(&self, vault: &Vault) -> Result<Price> {
        let (collateral, loan) = self.sides(vault);
        Ok(PairBand::highest(collateral, loan)?)
    }

    /// Returns how many sources agree on each of both prices; the smaller number.
    pub fn sources(&self) -> u8 {
        self.collateral.sources.min(self.loan.sources)
    }

    /// Returns the older of both publish times, unix seconds.
    pub fn oldest_publish_ts(&self) -> i64 {
        self.collateral.oldest_publish_ts().min(self.loan.oldest_publish_ts())
    }
}

/// The accounts of one token movement.
pub struct Movement<'a, 'info> {
    /// The mint that moves.
    pub mint: &'a InterfaceAccount<'info, Mint>,
    /// Its program.
    pub token_program: &'a Interface<'info, TokenInterface>,
    /// Where it comes from.
    pub from: &'a InterfaceAccount<'info, TokenAccount>,
    /// Where it goes.
    pub to: &'a InterfaceAccount<'info, TokenAccount>,
}

impl<'info> Movement<'_, 'info> {
    fn accounts(&self, authority: AccountInfo<'info>) -> TransferChecked<'info> {
        TransferChecked {
            from: self.from.to_account_info(),
            mint: self.mint.to_account_info(),
            to: self.to.to_account_info(),
            authority,
        }
    }

    /// Moves `amount` into a vault's account, on the signature of its owner.
    ///
    /// # Errors
    /// Those of the token program; `ReceivedAmountMismatch` if the vault received anything else.
    pub fn pull(&self, authority: AccountInfo<'info>, amount: u64) -> Result<()> {
        let before = self.to.amount;
        let cpi = CpiContext::new(self.token_program.key(), self.accounts(authority));
        token_interface::transfer_checked(cpi, amount, self.mint.decimals)?;
        let after = balance_of(self.to.as_ref())?;
        require!(after.checked_sub(before) == Some(amount), RampartError::ReceivedAmountMismatch);
        Ok(())
    }

    /// Moves `amount` out of an account of `vault`, on the vault's signature. Its state MUST be written before.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn push(&self, vault: &AccountLoader<'info, Vault>, amount: u64) -> Result<()> {
        require!(self.to.owner != vault.key(), RampartError::DestinationForbidden);
        if amount == 0 {
            return Ok(());
        }
        let (guard, collateral_mint, loan_mint, bump) = {
            let v = vault.load()?;
            (v.guard, v.collateral_mint, v.loan_mint, v.bump)
        };
        let bump = [bump];
        let seeds: &[&[u8]] = &[VAULT_SEED, guard.as_ref(), collateral_mint.as_ref(), loan_mint.as_ref(), &bump];
        let signers = [seeds];
        let cpi =
            CpiContext::new_with_signer(self.token_program.key(), self.accounts(vault.to_account_info()), &signers);
        token_interface::transfer_checked(cpi, amount, self.mint.decimals)
    }
}

/// The balance in a token account's data as it is now: both token programs keep it at bytes 64 to 72.
fn balance_of(account: &AccountInfo) -> Result<u64> {
    let data = account.try_borrow_data()?;
    let bytes = data.get(64..72).and_then(|b| b.try_into().ok()).ok_or(RampartError::UnknownStoredValue)?;
    Ok(u64::from_le_bytes(bytes))
}
