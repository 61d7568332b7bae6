//! Liquidation with the seized collateral itself: no inventory, the same books, one transaction.

use crate::forced::{at_risk, crash};
use rampart::LiquidateArgs;
use rampart::error::RampartError as E;
use rampart::events::{PositionLiquidated, SwapExecuted};
use rampart::state::{Level, Purpose, SwapParams};
use rampart_client::swap::{self, PolicyKeys};
use rampart_client::{Instruction, Pubkey};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::assert_refused;
use rampart_tests::refusals::with_account;
use rampart_tests::scenario::Scope;
use rampart_tests::swaps::{Market, THIEF, TOKEN_SWAP, Theft, params};
use rampart_tests::world::liquidator;
use rampart_tests::{User, World, events};
use solana_sdk::account::Account;
use solana_sdk::message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_sdk::signer::Signer;
use solana_sdk::transaction::VersionedTransaction;

/// Changes the parameters of a policy.
type Edit = fn(&mut SwapParams);

/// A position at 90 % of loan-to-value, a market at the same price, and a liquidator who owns nothing.
struct Stage {
    world: World,
    lender: User,
    borrower: User,
    by: User,
    market: Market,
    policy: PolicyKeys,
}

fn stage() -> Stage {
    let (mut world, [lender, borrower, _]) = at_risk();
    let by = world.user(0, 0);
    let market = world.market(100_000 * SOL, 11_100_000 * USDC);
    let mut own = params(TOKEN_SWAP);
    own.purpose = Purpose::Liquidation as u8;
    let policy = world.swap_policy(1, own);
    crash(&mut world, 111.0);
    Stage { world, lender, borrower, by, market, policy }
}

impl Stage {
    /// What `liquidate` repays and seizes now: the same plan, at the owner's end of the price.
    fn expected(&self) -> (u64, u64) {
        let plan = self.world.liquidation_plan(&self.borrower.position, u64::MAX).unwrap();
        (plan.repay_amount, plan.seize_amount)
    }

    fn ix(&self, amount: u64) -> Instruction {
        let route = self.market.route(&self.world, &self.policy, self.world.sol, amount, 0);
        self.world.swap_liquidation_ix(&self.by, self.borrower.position, &self.policy, route)
    }
}

#[test]
fn liquidate_by_swap_repays_what_liquidate_would_without_inventory() {
    let mut s = stage();
    let (repaid, seized) = s.expected();
    assert_eq!(repaid, 7_500 * USDC);
    let before = s.world.vault();
    let ix = s.ix(seized);
    let landed = s.world.send(&[ix], &[&s.by.key]).unwrap();
    let fact: PositionLiquidated = events::the_one(&landed);
    assert_eq!((fact.repaid_amount, fact.seized_amount, fact.liquidator), (repaid, seized, s.by.address()));
    let swapped: SwapExecuted = events::the_one_logged(&landed);
    assert_eq!((swapped.spent_amount, swapped.loss_micro_usd), (seized, 0));
    let vault = s.world.vault();
    assert_eq!(vault.cash_amount, before.cash_amount + repaid);
    assert_eq!(s.world.balance(&s.by.usdc), swapped.received_amount - repaid, "the surplus");
    assert!(s.world.balance(&s.by.usdc) > 400 * USDC && s.world.balance(&s.by.sol) == 0);
    for mint in [s.world.sol, s.world.usdc] {
        assert_eq!(s.world.balance(&s.policy.token(&mint)), 0, "the escrow is empty");
    }
    s.world.assert_books(&[&s.lender, &s.borrower, &s.by], Donated::default());
    let policy = s.world.policy(&s.policy);
    assert_eq!((policy.counter, policy.lost_micro_usd), (0, 0), "a liquidation moves no fence and costs no budget");
    assert!(policy.swapped_micro_usd > 7_900 * USDC);
    assert_eq!(swapped.worth_micro_usd, policy.swapped_micro_usd, "all that was seized went in");
}

#[test]
fn liquidate_by_swap_goes_on_at_a_halt_and_only_once() {
    let mut s = stage();
    s.world.raise(Scope::Guard, Level::Halt);
    let (_, seized) = s.expected();
    let ix = s.ix(seized);
    s.world.send(std::slice::from_ref(&ix), &[&s.by.key]).unwrap();
    assert_refused(&mut s.world, &ix, &[&s.by.key], E::LiquidationSeqMoved);
}

#[test]
fn liquidate_by_swap_hands_over_what_the_route_leaves() {
    let (mut world, [lender, borrower, _]) = at_risk();
    let by = world.user(0, 0);
    let thief = world.thief();
    let policy = world.swap_policy(1, params(THIEF));
    crash(&mut world, 111.0);
    let route = thief.route(&world, &policy, Theft::Price, 70 * SOL, 7_770 * USDC);
    let ix = world.swap_liquidation_ix(&by, borrower.position, &policy, route);
    let landed = world.send(&[ix], &[&by.key]).unwrap();
    let fact: PositionLiquidated = events::the_one(&landed);
    let left = fact.seized_amount - 70 * SOL;
    assert!(left > SOL);
    assert_eq!((world.balance(&by.sol), world.balance(&by.usdc)), (left, 7_770 * USDC - fact.repaid_amount));
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn liquidate_by_swap_fails_where_the_route_does_not_pay_the_repayment() {
    let (mut world, [_, borrower, _]) = at_risk();
    let by = world.user(0, 0);
    let thief = world.thief();
    let mut wide = params(THIEF);
    wide.max_slippage_bps = 500;
    let policy = world.swap_policy(1, wide);
    // 2,780 USDC at a bonus of 3.18 %
    crash(&mut world, 124.0);
    let at = |world: &World, pay| {
        let route = thief.route(world, &policy, Theft::Price, 23 * SOL, pay);
        world.swap_liquidation_ix(&by, borrower.position, &policy, route)
    };
    let ix = at(&world, 2_780 * USDC - 1);
    assert_refused(&mut world, &ix, &[&by.key], E::SwapRepayNotCovered);
    let args = |min_surplus_amount, pay| {
        let route = thief.route(&world, &policy, Theft::Price, 23 * SOL, pay);
        let liquidate = world.liquidate_args(borrower.position, u64::MAX);
        let (keys, oracles) = (world.keys, world.pair_oracles());
        let parts = (liquidate, route);
        let by = liquidator(&by);
        swap::liquidate_by_swap(&keys, borrower.position, by, &policy, &oracles, parts, min_surplus_amount)
    };
    let (short, enough) = (args(2, 2_780 * USDC + 1), args(1, 2_780 * USDC + 1));
    assert_refused(&mut world, &short, &[&by.key], E::SwapBelowMinimum);
    world.send(&[enough], &[&by.key]).unwrap();
    assert_eq!(world.balance(&by.usdc), 1);
}

#[test]
fn liquidate_by_swap_stays_within_its_policy() {
    let mut s = stage();
    let (_, seized) = s.expected();
    let ix = s.ix(seized);
    let changes: [(Edit, E); 4] = [
        (|p| p.purpose = Purpose::Rebalance as u8, E::SwapPurposeForbids),
        (|p| p.max_swap_micro_usd = 7_000 * USDC, E::SwapTooLarge),
        (|p| p.max_day_micro_usd = 7_000 * USDC, E::SwapDayUsed),
        (|p| p.switch = 1, E::SwapPolicyDisabled),
    ];
    let key = s.policy.policy;
    for (change, error) in changes {
        let whole = s.world.policy(&s.policy);
        let mut policy = whole;
        change(&mut policy.params);
        s.world.store(&key, &policy);
        assert_refused(&mut s.world, &ix, &[&s.by.key], error);
        s.world.store(&key, &whole);
    }
    s.world.advance(31);
    assert_refused(&mut s.world, &ix, &[&s.by.key], E::SwapPriceTooOld);
    crash(&mut s.world, 111.0);
    s.world.send(&[ix], &[&s.by.key]).unwrap();
}

#[test]
fn liquidate_by_swap_fails_for_a_healthy_position_and_a_market_far_below() {
    let mut s = stage();
    let (_, seized) = s.expected();
    let ix = s.ix(seized);
    crash(&mut s.world, 150.0);
    assert_refused(&mut s.world, &ix, &[&s.by.key], E::PositionHealthy);
    // the market has fallen further than the oracle: what was seized would go for less than it is worth
    crash(&mut s.world, 114.0);
    let (_, seized) = s.expected();
    let ix = s.ix(seized);
    assert_refused(&mut s.world, &ix, &[&s.by.key], E::SwapBelowBound);
}

#[test]
fn liquidate_by_swap_fails_with_any_wrong_account() {
    let mut s = stage();
    let (_, seized) = s.expected();
    let ix = s.ix(seized);
    let stranger = s.world.user(0, 0);
    let mut rebalance = params(TOKEN_SWAP);
    rebalance.cooldown_secs = 1;
    let other = s.world.swap_policy(2, rebalance);
    let foreign = s.world.other_guard();
    let in_foreign = s.world.open_in(&s.borrower, &foreign);
    let (k, sol) = (s.world.keys, s.world.sol);
    let of_escrow = s.world.create_token_account(s.world.usdc, s.policy.escrow, 0);
    let of_vault = s.world.create_token_account(s.world.usdc, k.vault, 0);
    let cases: Vec<(usize, Pubkey, E)> = vec![
        (1, foreign.guard, E::VaultAssetsInvalid),
        (2, k.loan_asset, E::VaultAssetsInvalid),
        (3, k.collateral_asset, E::VaultAssetsInvalid),
        (4, foreign.vault, E::VaultAssetsInvalid),
        (5, in_foreign, E::VaultAssetsInvalid),
        (7, other.escrow, E::SwapAccountsMismatch),
        (6, other.policy, E::SwapAccountsMismatch),
        (8, k.loan_mint, E::VaultAssetsInvalid),
        (9, k.collateral_mint, E::VaultAssetsInvalid),
        (10, foreign.collateral_token, E::VaultAssetsInvalid),
        (11, foreign.loan_token, E::VaultAssetsInvalid),
        // the route's own account of the escrow is another one, then
        (12, stranger.sol, E::SwapRouteForbidden),
        (12, other.token(&sol), E::SwapRouteForbidden),
        (13, stranger.usdc, E::SwapRouteForbidden),
        (14, k.collateral_token, E::DestinationForbidden),
        (15, k.loan_token, E::DestinationForbidden),
        (15, of_escrow, E::DestinationForbidden),
        (15, of_vault, E::DestinationForbidden),
        (15, k.loan_mint, E::DestinationForbidden),
        (16, anchor_spl::token::ID, E::SwapProgramForbidden),
        (17, anchor_spl::token_2022::ID, E::SwapAccountsMismatch),
        (18, anchor_spl::token_2022::ID, E::SwapAccountsMismatch),
    ];
    for (index, key, error) in cases {
        assert_refused(&mut s.world, &with_account(&ix, index, key), &[&s.by.key], error);
    }
    s.world.send(&[ix], &[&s.by.key]).unwrap();
}

#[test]
fn liquidate_by_swap_fits_a_transaction_with_a_lookup_table() {
    let mut s = stage();
    let (_, seized) = s.expected();
    let ix = s.ix(seized);
    let mut distinct: Vec<Pubkey> = ix.accounts.iter().map(|meta| meta.pubkey).collect();
    distinct.sort();
    distinct.dedup();
    // 21 named, four oracles and ten of the route: the token program and the escrow's three are there again
    assert_eq!((ix.accounts.len(), distinct.len()), (35, 30));
    let in_table: Vec<Pubkey> = distinct.into_iter().filter(|key| *key != s.by.address()).collect();
    let table = AddressLookupTableAccount { key: Pubkey::new_from_array([0x7a; 32]), addresses: in_table };
    put_table(&mut s.world, &table);
    let payer = s.world.payer.insecure_clone();
    let blockhash = s.world.svm.latest_blockhash();
    let message = v0::Message::try_compile(&payer.pubkey(), &[ix], &[table], blockhash).unwrap();
    let tx = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&payer, &s.by.key]).unwrap();
    let len = size_of_transaction(&tx);
    assert!(len <= 1_232, "{len} bytes");
    let landed = s.world.svm.send_transaction(tx).unwrap();
    println!("{len} bytes, {} units", landed.compute_units_consumed);
    assert!(s.world.balance(&s.by.usdc) > 400 * USDC);
}

/// One byte for the number of signatures, 64 for each, and the message.
fn size_of_transaction(tx: &VersionedTransaction) -> usize {
    1 + 64 * tx.signatures.len() + tx.message.serialize().len()
}

/// An address lookup table as the network holds it: 56 bytes of its own, then the addresses.
fn put_table(world: &mut World, table: &AddressLookupTableAccount) {
    let mut data = vec![0; 56];
    data[0] = 1;
    data[4..12].copy_from_slice(&u64::MAX.to_le_bytes());
    table.addresses.iter().for_each(|key| data.extend_from_slice(key.as_ref()));
    let owner = anchor_lang::prelude::pubkey!("AddressLookupTab1e1111111111111111111111111");
    let lamports = world.svm.minimum_balance_for_rent_exemption(data.len());
    let account = Account { lamports, data, owner, executable: false, rent_epoch: u64::MAX };
    world.svm.set_account(table.key, account).unwrap();
}

#[test]
fn liquidate_by_swap_takes_the_least_seizure_as_liquidate_does() {
    let mut s = stage();
    let (_, seized) = s.expected();
    let route = s.market.route(&s.world, &s.policy, s.world.sol, seized, 0);
    let now = s.world.liquidate_args(s.borrower.position, u64::MAX);
    let args = LiquidateArgs { min_seize_amount: seized + 1, ..now };
    let oracles = s.world.pair_oracles();
    let ix = s.world.swap_liquidation_with(&s.by, s.borrower.position, &s.policy, &oracles, args, route);
    assert_refused(&mut s.world, &ix, &[&s.by.key], E::SeizedBelowMinimum);
}
