//! Instructions of owners and liquidators, and the checks that all of them share. No test of its own.

use anchor_lang::error::ErrorCode as Anchor;
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart::{SupplyArgs, WithdrawArgs};
use rampart_client::{Instruction, Pubkey, VaultKeys, lending, liquidation};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::{Refusal, TokenRefusal, assert_refused, with_oracles, without_signature};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::scenario::{FAULTS, Fault, SCOPES};
use rampart_tests::world::liquidator;
use rampart_tests::{User, World};
use solana_sdk::instruction::InstructionError;

/// Where the oracle accounts of a lending instruction start.
pub const LENDING_ORACLES: usize = 10;
/// Where the oracle accounts of a liquidation start.
pub const LIQUIDATION_ORACLES: usize = 16;

pub fn supply_ix(world: &World, user: &User, amount: u64) -> Instruction {
    let args = SupplyArgs { amount, min_shares: 0 };
    lending::supply(&world.keys, user.address(), user.usdc, args)
}

pub fn withdraw_ix(world: &World, user: &User, shares: u128) -> Instruction {
    let args = WithdrawArgs { shares, min_amount: 0 };
    lending::withdraw(&world.keys, user.address(), user.usdc, args)
}

pub fn deposit_ix(world: &World, user: &User, amount: u64) -> Instruction {
    lending::deposit_collateral(&world.keys, user.address(), user.sol, user.address(), amount)
}

pub fn withdraw_collateral_ix(world: &World, user: &User, amount: u64) -> Instruction {
    lending::withdraw_collateral(&world.keys, user.address(), user.sol, &world.pair_oracles(), amount)
}

pub fn borrow_ix(world: &World, user: &User, amount: u64) -> Instruction {
    lending::borrow(&world.keys, user.address(), user.usdc, &world.pair_oracles(), amount)
}

pub fn repay_ix(world: &World, user: &User, amount: u64) -> Instruction {
    lending::repay(&world.keys, user.address(), user.usdc, user.address(), amount)
}

pub fn liquidate_ix(world: &World, by: &User, position: Pubkey, max_repay: u64) -> Instruction {
    let args = world.liquidate_args(position, max_repay);
    liquidation::liquidate(&world.keys, position, liquidator(by), &world.pair_oracles(), args)
}

pub fn deleverage_ix(world: &World, by: &User, position: Pubkey, max_repay: u64) -> Instruction {
    let args = world.liquidate_args(position, max_repay);
    liquidation::deleverage(&world.keys, position, liquidator(by), &world.pair_oracles(), args)
}

/// What shares are worth now, with interest until now.
pub fn worth(world: &World, user: &User) -> u64 {
    let mut vault = world.vault();
    vault.accrue(world.now_ts()).unwrap();
    vault.assets_for_shares(world.position(&user.position).supply_shares.get()).unwrap()
}

/// What a position owes now, with interest until now.
pub fn debt(world: &World, user: &User) -> u64 {
    let mut vault = world.vault();
    vault.accrue(world.now_ts()).unwrap();
    vault.debt_of(&world.position(&user.position)).unwrap()
}

/// The fewest shares that pay out at least `amount` now.
pub fn shares_for(world: &World, amount: u64) -> u128 {
    let mut vault = world.vault();
    vault.accrue(world.now_ts()).unwrap();
    let (lenders, shares) = (vault.lenders_amount().unwrap(), vault.supply_shares.get());
    rampart::math::shares::shares_for_withdrawal(amount.into(), lenders.into(), shares).unwrap()
}

/// A vault with a lender, a borrower, a stranger with tokens, and vaults that are easily mistaken for it.
pub struct Scene {
    pub world: World,
    pub lender: User,
    pub borrower: User,
    pub stranger: User,
    /// Of the same guard: the pair the other way round.
    pub reversed: VaultKeys,
    /// Of another guard: the same pair.
    pub foreign: VaultKeys,
}

impl Scene {
    pub fn new() -> Self {
        let mut world = World::with_vault();
        let lender = world.lender(1_000_000 * USDC);
        let borrower = world.borrower(100 * SOL, 5_000 * USDC);
        let stranger = world.user(100 * SOL, 100_000 * USDC);
        for user in [&lender, &borrower] {
            world.fund(user, 100 * SOL, 100_000 * USDC);
        }
        let (reversed, foreign) = (world.reversed_vault(), world.other_guard());
        Self { world, lender, borrower, stranger, reversed, foreign }
    }

    /// Asserts that no account of a lending instruction of `user` can be replaced. `by_stranger` is what a stranger's
    /// signature is refused with.
    #[track_caller]
    pub fn assert_accounts_checked(&mut self, ix: &Instruction, user: &User, by_stranger: impl Into<Refusal>) {
        let (stranger, key) = (self.stranger.key.insecure_clone(), user.key.insecure_clone());
        assert_refused(&mut self.world, &without_signature(ix), &[], Anchor::AccountNotSigner);
        let by = with_account(ix, 0, self.stranger.address());
        assert_refused(&mut self.world, &by, &[&stranger], by_stranger);
        for (index, wrong, error) in self.wrong_accounts(ix, user) {
            assert_refused(&mut self.world, &with_account(ix, index, wrong), &[&key], error);
        }
        for index in [4, 5, 7, 8] {
            assert_refused(&mut self.world, &with_read_only(ix, index), &[&key], Anchor::ConstraintMut);
        }
    }

    fn wrong_accounts(&mut self, ix: &Instruction, user: &User) -> Vec<(usize, Pubkey, Refusal)> {
        let (k, r, f) = (self.world.keys, self.reversed, self.foreign);
        let (in_reversed, in_foreign) = (self.world.open_in(user, &r), self.world.open_in(user, &f));
        let is_loan = ix.accounts[6].pubkey == k.loan_mint;
        let (other_mint, other_token) =
            if is_loan { (k.collateral_mint, k.collateral_token) } else { (k.loan_mint, k.loan_token) };
        let twin_token = if is_loan { r.collateral_token } else { r.loan_token };
        let (own_token, own_other) = if is_loan { (user.usdc, user.sol) } else { (user.sol, user.usdc) };
        let mismatch = || Refusal::from(E::VaultAssetsInvalid);
        let mut cases = vec![
            (1, f.guard, mismatch()),
            (2, k.loan_asset, mismatch()),
            (2, f.collateral_asset, mismatch()),
            (3, k.collateral_asset, mismatch()),
            (3, f.loan_asset, mismatch()),
            (4, r.vault, mismatch()),
            (4, f.vault, mismatch()),
            (5, in_reversed, mismatch()),
            (5, in_foreign, mismatch()),
            (5, k.vault, Anchor::AccountDiscriminatorMismatch.into()),
            (1, k.vault, Anchor::AccountDiscriminatorMismatch.into()),
            (2, k.vault, Anchor::AccountDiscriminatorMismatch.into()),
            (4, k.guard, Anchor::AccountDiscriminatorMismatch.into()),
            (5, k.loan_asset, Anchor::AccountDiscriminatorMismatch.into()),
            (6, other_mint, mismatch()),
            (7, own_other, TokenRefusal::MintMismatch.into()),
            (7, ix.accounts[8].pubkey, Anchor::ConstraintDuplicateMutableAccount.into()),
            (8, own_token, Anchor::ConstraintDuplicateMutableAccount.into()),
            (8, twin_token, mismatch()),
            (8, other_token, mismatch()),
            (9, anchor_spl::token_2022::ID, InstructionError::IncorrectProgramId.into()),
            (9, anchor_lang::system_program::ID, Anchor::InvalidProgramId.into()),
        ];
        for index in [1, 2, 3, 4, 5, 6] {
            let copy = self.world.copy_under(&ix.accounts[index].pubkey, Pubkey::new_from_array([0xee; 32]));
            cases.push((index, copy, Anchor::AccountOwnedByWrongProgram.into()));
        }
        cases
    }
}

/// Asserts that `ix` needs exactly the pair's oracle accounts, in order, from `from` on.
#[track_caller]
pub fn assert_oracle_accounts_checked(world: &mut World, ix: &Instruction, user: &User, from: usize) {
    let all = world.pair_oracles();
    let pyth = world.sol_feeds.pyth;
    let twin = world.copy_under(&pyth, rampart::oracle::PYTH_RECEIVER);
    let order = |o: [usize; 4]| o.map(|i| all[i].clone()).to_vec();
    let mut one_more = all.clone();
    one_more.push(all[0].clone());
    let mut copied = all.clone();
    copied[0].pubkey = twin;
    let cases = [
        (vec![], E::OracleAccountsMissing),
        (all[..3].to_vec(), E::OracleAccountsMissing),
        (one_more, E::OracleAccountsMissing),
        (copied, E::OracleAccountMismatch),
        (order([1, 0, 2, 3]), E::OracleAccountMismatch),
        (order([0, 1, 3, 2]), E::OracleAccountMismatch),
        (order([2, 3, 0, 1]), E::OracleAccountMismatch),
        (order([0, 0, 2, 3]), E::OracleAccountMismatch),
    ];
    for (oracles, error) in cases {
        assert_refused(world, &with_oracles(ix, from, &oracles), &[&user.key], error);
    }
}

/// Asserts that `ix` is refused while the price of either asset is in doubt, with the error of that doubt.
#[track_caller]
pub fn assert_doubt_refused(world: &mut World, ix: &Instruction, user: &User) {
    for (feeds, dollars) in [(world.sol_feeds, world.sol_price()), (world.usdc_feeds, world.usdc_price())] {
        for (fault, error) in FAULTS {
            world.inflict(fault, &feeds, dollars);
            assert_refused(world, ix, &[&user.key], error);
            world.publish(&feeds, dollars);
        }
    }
}

/// Asserts that `ix` is refused at `levels` of each scope that the vault depends on.
#[track_caller]
pub fn assert_level_forbids(world: &mut World, ix: &Instruction, user: &User, levels: &[Level]) {
    for scope in SCOPES {
        for level in levels {
            world.raise(scope, *level);
            assert_refused(world, ix, &[&user.key], E::LevelForbids);
            world.calm(scope);
        }
    }
}

/// Runs `check` at every level of every scope, each on the state that the last left.
pub fn at_every_level(world: &mut World, mut check: impl FnMut(&mut World)) {
    for scope in SCOPES {
        for level in [Level::Caution, Level::ReduceOnly, Level::Halt] {
            world.raise(scope, level);
            check(world);
            world.calm(scope);
        }
    }
}

/// Runs `check` under every doubt about either price.
pub fn under_every_doubt(world: &mut World, mut check: impl FnMut(&mut World)) {
    for (feeds, dollars) in [(world.sol_feeds, 150.0), (world.usdc_feeds, 1.0)] {
        for fault in [Fault::Stale, Fault::Wide, Fault::Disagreeing, Fault::OneDead] {
            world.inflict(fault, &feeds, dollars);
            check(world);
            world.publish(&feeds, dollars);
        }
    }
}
