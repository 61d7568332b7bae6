//! The guard's instructions as calls.

use crate::address::ID;
use crate::error::GuardError;
use crate::verdict::GuardVerdict;
use solana_account_info::AccountInfo;
use solana_address::Address;
use solana_cpi::{get_return_data, invoke_signed_unchecked};
use solana_instruction::{AccountMeta, Instruction};
use solana_program_error::{ProgramError, ProgramResult};

/// First bytes of the guard's instructions.
pub mod tag {
    /// `check_action`.
    pub const CHECK: [u8; 8] = [43, 242, 57, 110, 178, 244, 40, 235];
    /// `enforce_action`.
    pub const ENFORCE: [u8; 8] = [23, 124, 250, 59, 191, 24, 1, 70];
    /// `record_outflow`.
    pub const RECORD: [u8; 8] = [195, 69, 151, 4, 23, 79, 247, 191];
    /// `custody_transfer`.
    pub const CUSTODY_TRANSFER: [u8; 8] = [252, 211, 92, 95, 221, 248, 217, 160];
    /// `custody_mint`.
    pub const CUSTODY_MINT: [u8; 8] = [77, 104, 100, 236, 98, 203, 183, 234];
}

/// What the caller is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Value out, without a debt behind it: a withdrawal.
    Exit = 1,
    /// Value out that makes new risk: a loan, a mint.
    NewRisk = 2,
    /// Value in: a deposit.
    Deposit = 3,
    /// Less risk: a repayment, more collateral.
    Cure = 4,
}

/// The guard's accounts, checked: only [`Guard::new`] makes one.
#[derive(Clone, Copy)]
pub struct Guard<'a, 'info> {
    guard: &'a AccountInfo<'info>,
    integration: &'a AccountInfo<'info>,
    base: Option<&'a AccountInfo<'info>>,
    asset: Option<&'a AccountInfo<'info>>,
}

/// Where tokens come from and go to: `[token, mint, destination, token program, owner of the destination]` of a transfer,
/// `[mint, destination, token program]` of a mint.
pub type Payout<'a, 'info> = &'a [&'a AccountInfo<'info>];

impl<'a, 'info> Guard<'a, 'info> {
    /// Takes the guard's accounts as the caller was given them.
    ///
    /// `pinned` MUST come from the caller's own state or code, never from the transaction: anybody can make a guard of
    /// their own with an integration that allows everything and names the caller's authority.
    ///
    /// # Errors
    /// `WrongProgram`, `WrongIntegration`.
    pub fn new(
        program: &AccountInfo<'info>,
        guard: &'a AccountInfo<'info>,
        integration: &'a AccountInfo<'info>,
        pinned: &Address,
    ) -> Result<Self, GuardError> {
        if *program.key != ID {
            return Err(GuardError::WrongProgram);
        }
        if integration.key != pinned || *integration.owner != ID {
            return Err(GuardError::WrongIntegration);
        }
        Ok(Self { guard, integration, base: None, asset: None })
    }

    /// Adds the token account or mint that the integration's percentages are of.
    pub fn with_base(self, base: &'a AccountInfo<'info>) -> Self {
        Self { base: Some(base), ..self }
    }

    /// Adds the asset account that the integration pins.
    pub fn with_asset(self, asset: &'a AccountInfo<'info>) -> Self {
        Self { asset: Some(asset), ..self }
    }

    /// Asks whether `kind` is allowed in `amount`. Nothing is charged: to be used for display and for choosing an
    /// amount, never as the only guard of a transfer.
    ///
    /// # Errors
    /// Those of the guard, `VerdictInvalid`.
    pub fn check(&self, kind: Kind, amount: u64) -> Result<GuardVerdict, ProgramError> {
        self.ask(tag::CHECK, kind, amount)?;
        Ok(self.verdict(kind, amount)?)
    }

    /// Reads the verdict that the guard left, and checks that it answers this question.
    ///
    /// Any call in between may have overwritten it: [`Guard::check`] asks and reads in one.
    ///
    /// # Errors
    /// `VerdictInvalid`.
    pub fn verdict(&self, kind: Kind, amount: u64) -> Result<GuardVerdict, GuardError> {
        let (program, data) = get_return_data().ok_or(GuardError::VerdictInvalid)?;
        let verdict = GuardVerdict::parse(&program, &data)?;
        let is_answer =
            verdict.integration == *self.integration.key && verdict.kind == kind as u8 && verdict.amount == amount;
        if is_answer { Ok(verdict) } else { Err(GuardError::VerdictInvalid) }
    }

    /// Fails unless `kind` is allowed in `amount`. Nothing is charged: for deposits, and for cures.
    ///
    /// # Errors
    /// Those of the guard.
    pub fn enforce(&self, kind: Kind, amount: u64) -> ProgramResult {
        self.ask(tag::ENFORCE, kind, amount)
    }

    fn ask(&self, tag: [u8; 8], kind: Kind, amount: u64) -> ProgramResult {
        let mut call = Call::new(tag, Some(kind), amount);
        call.read(self.guard)?;
        call.read(self.integration)?;
        call.pins(None, self.asset)?;
        call.send(&[])
    }

    /// Fails unless `kind` is allowed in `amount`, and charges it. In the same instruction as the transfer, before it,
    /// once the amount is final. `seeds` sign for `authority`, which the integration names.
    ///
    /// # Errors
    /// Those of the guard.
    pub fn record_outflow(
        &self,
        authority: &AccountInfo<'info>,
        kind: Kind,
        amount: u64,
        seeds: &[&[u8]],
    ) -> ProgramResult {
        let mut call = Call::new(tag::RECORD, Some(kind), amount);
        self.charge(&mut call, authority)?;
        call.pins(self.base, self.asset)?;
        call.send(&[seeds])
    }

    /// Moves tokens that the guard holds, charged. `to`: token, mint, destination, token program, and the destination's
    /// owner, which no account of a guard may be.
    ///
    /// # Errors
    /// Those of the guard and of the token program; `NotEnoughAccountKeys`.
    pub fn custody_transfer(
        &self,
        authority: &AccountInfo<'info>,
        to: Payout<'_, 'info>,
        kind: Kind,
        amount: u64,
        seeds: &[&[u8]],
    ) -> ProgramResult {
        let [token, mint, destination, token_program, owner] = to else {
            return Err(ProgramError::NotEnoughAccountKeys);
        };
        let mut call = Call::new(tag::CUSTODY_TRANSFER, Some(kind), amount);
        self.charge(&mut call, authority)?;
        call.read(mint)?;
        call.write(token)?;
        call.write(destination)?;
        call.read(token_program)?;
        call.read(owner)?;
        call.pins(None, self.asset)?;
        call.send(&[seeds])
    }

    /// Mints tokens whose mint authority the guard holds, charged. `to`: mint, destination, token program.
    ///
    /// # Errors
    /// Those of the guard and of the token program; `NotEnoughAccountKeys`.
    pub fn custody_mint(
        &self,
        authority: &AccountInfo<'info>,
        to: Payout<'_, 'info>,
        amount: u64,
        seeds: &[&[u8]],
    ) -> ProgramResult {
        let [mint, destination, token_program] = to else { return Err(ProgramError::NotEnoughAccountKeys) };
        let mut call = Call::new(tag::CUSTODY_MINT, None, amount);
        self.charge(&mut call, authority)?;
        call.write(mint)?;
        call.write(destination)?;
        call.read(token_program)?;
        call.pins(None, self.asset)?;
        call.send(&[seeds])
    }

    /// The accounts with which every charge begins.
    fn charge(&self, call: &mut Call<'info>, authority: &AccountInfo<'info>) -> ProgramResult {
        call.read(authority)?;
        call.metas[0].is_signer = true;
        call.read(self.guard)?;
        call.write(self.integration)
    }
}

/// A call in the making.
struct Call<'info> {
    data: Vec<u8>,
    metas: Vec<AccountMeta>,
    infos: Vec<AccountInfo<'info>>,
}

impl<'info> Call<'info> {
    fn new(tag: [u8; 8], kind: Option<Kind>, amount: u64) -> Self {
        let mut data = Vec::with_capacity(17);
        data.extend_from_slice(&tag);
        data.extend(kind.map(|kind| kind as u8));
        data.extend_from_slice(&amount.to_le_bytes());
        Self { data, metas: Vec::with_capacity(10), infos: Vec::with_capacity(10) }
    }

    fn add(&mut self, account: &AccountInfo<'info>, is_writable: bool) {
        self.metas.push(AccountMeta { pubkey: *account.key, is_signer: false, is_writable });
        self.infos.push(account.clone());
    }

    /// Adds an account that is read; the caller MUST NOT be writing it.
    fn read(&mut self, account: &AccountInfo<'info>) -> ProgramResult {
        drop((account.try_borrow_lamports()?, account.try_borrow_data()?));
        self.add(account, false);
        Ok(())
    }

    /// Adds an account that is written; the caller MUST NOT be using it.
    fn write(&mut self, account: &AccountInfo<'info>) -> ProgramResult {
        drop((account.try_borrow_mut_lamports()?, account.try_borrow_mut_data()?));
        self.add(account, true);
        Ok(())
    }

    fn pins(&mut self, base: Option<&AccountInfo<'info>>, asset: Option<&AccountInfo<'info>>) -> ProgramResult {
        base.into_iter().chain(asset).try_for_each(|account| self.read(account))
    }

    fn send(self, seeds: &[&[&[u8]]]) -> ProgramResult {
        let instruction = Instruction { program_id: ID, accounts: self.metas, data: self.data };
        // every account was checked when it was added, at a fraction of what the checked call costs
        invoke_signed_unchecked(&instruction, &self.infos, seeds)
    }
}
