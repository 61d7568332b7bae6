//! Every theft that a program on a policy's list can try with the escrow's signature: refused, and nothing changed.

use crate::forced::{at_risk, crash};
use rampart::error::RampartError as E;
use rampart::state::{Change, Purpose, SwapParams, SwapPolicy};
use rampart_client::swap::{self, PolicyKeys, Routed};
use rampart_client::{AccountMeta, Instruction, Pubkey, address};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::keepers::Keepers;
use rampart_tests::refusal::{Refusal, assert_refused};
use rampart_tests::refusals::with_account;
use rampart_tests::swaps::{TEN_SOL, THIEF, Theft, Thief, disabled, params, plan};
use rampart_tests::{User, World};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signer::Signer;

/// A guard that trusts a thief with its reserve and its liquidations.
struct Trust {
    world: World,
    keepers: Keepers,
    thief: Thief,
    policy: PolicyKeys,
}

fn trust() -> Trust {
    let (mut world, keepers) = World::with_keepers(5);
    let thief = world.thief();
    let policy = world.swap_policy(1, params(THIEF));
    let mut eager = plan();
    eager.min_improvement_bps = 1;
    world.open_reserve(eager, 1_000 * SOL, 50_000 * USDC);
    world.advance(1);
    world.set_prices(150.0, 1.0);
    let subject = world.keys.collateral_asset;
    keepers.report_all(&mut world, subject, 0);
    Trust { world, keepers, thief, policy }
}

impl Trust {
    fn route(&self, theft: Theft, spend: u64, pay: u64) -> Routed {
        self.thief.route(&self.world, &self.policy, theft, spend, pay)
    }

    fn sell(&self, route: Routed) -> Instruction {
        self.world.sell_sol_ix(&self.policy, Some(&self.keepers), TEN_SOL, route)
    }

    /// Everything that a theft could be after.
    fn all(&self) -> Vec<Pubkey> {
        let escrow = [self.world.sol, self.world.usdc].map(|mint| self.policy.token(&mint));
        let own = [self.thief.sol, self.thief.usdc, self.thief.elsewhere];
        [&escrow[..], &own, &self.world.reserve_tokens(), &[self.policy.policy, self.policy.escrow]].concat()
    }

    #[track_caller]
    fn refuses(&mut self, ix: &Instruction, expected: impl Into<Refusal>) {
        let keys = self.all();
        let read = |w: &World| -> Vec<_> { keys.iter().map(|k| w.svm.get_account(k)).collect() };
        let before = read(&self.world);
        assert_refused(&mut self.world, ix, &[], expected);
        assert!(before == read(&self.world), "a refused swap changed an account");
    }
}

/// Pays a fair price.
const FAIR: u64 = 1_500 * USDC;

#[test]
fn thief_that_does_not_steal_is_admitted() {
    let mut t = trust();
    let ix = t.sell(t.route(Theft::Price, TEN_SOL, FAIR));
    t.world.send(&[ix], &[]).unwrap();
    assert_eq!(t.world.reserve_books(), [990 * SOL, 51_500 * USDC]);
}

#[test]
fn case_072_route_takes_a_delegate_a_close_authority_an_owner_or_the_account() {
    let thefts =
        [Theft::DelegateOut, Theft::DelegateIn, Theft::CloseAuthority, Theft::OwnOut, Theft::OwnIn, Theft::Close];
    let mut t = trust();
    for theft in thefts {
        let ix = t.sell(t.route(theft, TEN_SOL, FAIR));
        t.refuses(&ix, E::EscrowTampered);
    }
    // the account in, while half of the amount is still there
    let ix = t.sell(t.route(Theft::DelegateIn, TEN_SOL / 2, FAIR));
    t.refuses(&ix, E::EscrowTampered);
    // accounts that aren't the escrow's, in both places
    let (own, theirs) = (t.thief.sol, t.policy.token(&t.world.sol));
    let mut route = t.route(Theft::Price, 0, FAIR);
    route.accounts.iter_mut().filter(|meta| meta.pubkey == theirs).for_each(|meta| meta.pubkey = own);
    route.accounts.remove(3);
    let ix = t.sell(route);
    t.refuses(&with_account(&ix, 9, own), E::EscrowNotClean);
    // as it would be if one of them had worked before
    let escrow = t.policy.token(&t.world.usdc);
    let clean = t.world.svm.get_account(&escrow).unwrap();
    for at in [72, 129] {
        let mut account = clean.clone();
        account.data[at] = 1;
        t.world.svm.set_account(escrow, account).unwrap();
        let ix = t.sell(t.route(Theft::Price, TEN_SOL, FAIR));
        t.refuses(&ix, E::EscrowNotClean);
    }
}

#[test]
fn case_073_route_pays_elsewhere_less_or_takes_it_back() {
    let mut t = trust();
    for (theft, spend, pay) in [
        (Theft::Elsewhere, TEN_SOL, FAIR),
        (Theft::Price, TEN_SOL, 0),
        (Theft::Price, TEN_SOL, FAIR * 98 / 100),
        (Theft::Price, TEN_SOL / 2, FAIR / 4),
        (Theft::PayBack, TEN_SOL, FAIR),
    ] {
        let ix = t.sell(t.route(theft, spend, pay));
        t.refuses(&ix, E::SwapBelowBound);
    }
}

#[test]
fn case_073_donation_in_the_same_transaction_pays_for_nothing() {
    let mut t = trust();
    let (usdc, payer) = (t.world.usdc, t.world.payer_address());
    let [_, reserve_token] = t.world.reserve_tokens();
    let escrow_token = t.policy.token(&usdc);
    let gift_from = t.world.create_token_account(usdc, payer, 10_000 * USDC);
    let gift = |to: Pubkey| {
        let accounts = vec![
            AccountMeta::new(gift_from, false),
            AccountMeta::new(to, false),
            AccountMeta::new_readonly(payer, true),
        ];
        let data = [&[3][..], &FAIR.to_le_bytes()].concat();
        Instruction { program_id: usdc.token_program, accounts, data }
    };
    let steal = t.sell(t.route(Theft::Price, TEN_SOL, 0));
    for to in [reserve_token, escrow_token] {
        for all in [[gift(to), steal.clone()], [steal.clone(), gift(to)]] {
            let failed = t.world.send(&all, &[]).unwrap_err();
            assert_eq!(rampart_tests::asserts::code_of(&failed.err), u32::from(E::SwapBelowBound));
        }
    }
    // given before an honest swap, it ends up with the reserve, on no book
    let honest = t.sell(t.route(Theft::Price, TEN_SOL, FAIR));
    t.world.send(&[gift(escrow_token), honest], &[]).unwrap();
    assert_eq!(t.world.reserve_books(), [990 * SOL, 51_500 * USDC]);
    assert_eq!((t.world.balance(&reserve_token), t.world.balance(&escrow_token)), (53_000 * USDC, 0));
}

#[test]
fn case_073_gift_in_the_escrow_is_not_the_routes_to_take() {
    let mut t = trust();
    let sol = t.world.sol;
    let escrow_token = t.policy.token(&sol);
    t.world.mint_to(sol, escrow_token, SOL);
    let ix = t.sell(t.route(Theft::Price, TEN_SOL + 1, FAIR * 2));
    t.refuses(&ix, E::SwapOverspent);
    let ix = t.sell(t.route(Theft::Price, TEN_SOL, FAIR));
    t.world.send(&[ix], &[]).unwrap();
    let [reserve_token, _] = t.world.reserve_tokens();
    assert_eq!((t.world.balance(&escrow_token), t.world.balance(&reserve_token)), (0, 991 * SOL));
    assert_eq!(t.world.reserve_books()[0], 990 * SOL);
}

#[test]
fn case_074_vault_reserve_guard_or_duplicate_as_an_account_of_the_route() {
    let mut t = trust();
    let honest = t.route(Theft::Price, TEN_SOL, FAIR);
    let [sol_token, usdc_token] = t.world.reserve_tokens();
    let (reserve, guard) = (address::reserve(&t.world.guard), t.world.guard);
    let sol = t.world.sol;
    let second_of_reserve = t.world.create_token_account(sol, reserve, SOL);
    let second_of_escrow = t.world.create_token_account(sol, t.policy.escrow, SOL);
    let write = |key| AccountMeta::new(key, false);
    let read = |key| AccountMeta::new_readonly(key, false);
    let more = [
        write(sol_token),
        read(sol_token),
        write(usdc_token),
        write(second_of_reserve),
        write(second_of_escrow),
        write(reserve),
        read(reserve),
        read(guard),
        read(t.policy.policy),
        write(t.policy.policy),
        write(t.world.keys.vault),
        read(t.world.keys.collateral_asset),
        // once more, to be written through the other place
        write(t.thief.sol),
        write(t.policy.token(&t.world.usdc)),
    ];
    for meta in more {
        let mut route = honest.clone();
        route.accounts.push(meta);
        let ix = t.sell(route);
        t.refuses(&ix, E::SwapRouteForbidden);
    }
    // the escrow's signature would move this one
    let mut route = t.route(Theft::OtherEscrow, TEN_SOL, FAIR);
    route.accounts.push(write(second_of_escrow));
    let ix = t.sell(route);
    t.refuses(&ix, E::SwapRouteForbidden);
    let ix = t.sell(honest);
    let (one, other) = (t.policy.token(&t.world.sol), t.policy.token(&t.world.usdc));
    t.refuses(&with_account(&ix, 10, one), E::SwapAccountsMismatch);
    t.refuses(&with_account(&ix, 9, other), E::SwapAccountsMismatch);
}

#[test]
fn case_074_swap_into_itself() {
    let mut t = trust();
    let route = t.route(Theft::Price, TEN_SOL, FAIR);
    let ix = t.world.rebalance_ix(&t.policy, Some(&t.keepers), (t.world.sol, t.world.sol), TEN_SOL, route);
    t.refuses(&ix, E::SwapAccountsMismatch);
}

#[test]
fn case_075_listed_program_at_an_unlisted_instruction() {
    let mut t = trust();
    for data in [vec![2, 0], vec![0, 1], vec![]] {
        let route = Routed { data, ..t.route(Theft::Price, TEN_SOL, FAIR) };
        let ix = t.sell(route);
        t.refuses(&ix, E::SwapInstructionForbidden);
    }
    let ix = t.sell(t.route(Theft::Price, TEN_SOL, FAIR));
    for program in [anchor_spl::token::ID, anchor_lang::system_program::ID, rampart::ID] {
        t.refuses(&with_account(&ix, 11, program), E::SwapProgramForbidden);
    }
}

/// An aggregator that calls whatever it likes, with the escrow's signature and nobody else's.
#[test]
fn case_075_route_that_calls_others_with_every_signature_it_can_get() {
    let mut t = trust();
    let escrow = t.policy.escrow;
    t.world.svm.airdrop(&escrow, 1_000_000_000).unwrap();
    for theft in [Theft::EscrowLamports, Theft::SignersLamports] {
        let ix = t.sell(t.route(theft, TEN_SOL, FAIR));
        t.refuses(&ix, InstructionError::PrivilegeEscalation);
    }
    let ix = t.sell(t.route(Theft::Reenter, TEN_SOL, FAIR));
    t.refuses(&ix, InstructionError::ReentrancyNotAllowed);
}

/// A position to liquidate, and a thief to do it through.
fn unhealthy() -> (World, [User; 3], Thief, PolicyKeys) {
    let (mut world, users) = at_risk();
    let thief = world.thief();
    let mut own = params(THIEF);
    own.purpose = Purpose::Liquidation as u8;
    let policy = world.swap_policy(1, own);
    crash(&mut world, 111.0);
    (world, users, thief, policy)
}

#[test]
fn case_072_073_074_075_thefts_from_a_liquidation() {
    let (mut world, [_, borrower, by], thief, policy) = unhealthy();
    // 7,500 USDC at a bonus of 6.33 %: some 71.8 SOL, worth 7,970
    let (seized, fair) = (71 * SOL, 7_975 * USDC);
    let keys: Vec<Pubkey> = [world.sol, world.usdc].map(|mint| policy.token(&mint)).to_vec();
    let cases: [(Theft, u64, Refusal); 10] = [
        (Theft::DelegateOut, fair, E::EscrowTampered.into()),
        (Theft::DelegateIn, fair, E::EscrowTampered.into()),
        (Theft::CloseAuthority, fair, E::EscrowTampered.into()),
        (Theft::OwnOut, fair, E::EscrowTampered.into()),
        (Theft::OwnIn, fair, E::EscrowTampered.into()),
        (Theft::Elsewhere, fair, E::SwapBelowBound.into()),
        (Theft::Price, 7_501 * USDC, E::SwapBelowBound.into()),
        (Theft::PayBack, fair, E::SwapBelowBound.into()),
        (Theft::Reenter, fair, InstructionError::ReentrancyNotAllowed.into()),
        (Theft::SignersLamports, fair, InstructionError::PrivilegeEscalation.into()),
    ];
    for (theft, pay, error) in cases {
        let route = thief.route(&world, &policy, theft, seized, pay);
        let ix = world.swap_liquidation_ix(&by, borrower.position, &policy, route);
        let read = |w: &World| -> Vec<_> { keys.iter().map(|k| w.svm.get_account(k)).collect() };
        let before = read(&world);
        assert_refused(&mut world, &ix, &[&by.key], error);
        assert!(before == read(&world));
    }
    for key in [world.keys.collateral_token, world.keys.loan_token, world.keys.vault, borrower.position, world.guard] {
        let mut route = thief.route(&world, &policy, Theft::Price, seized, fair);
        route.accounts.push(AccountMeta::new(key, false));
        let ix = world.swap_liquidation_ix(&by, borrower.position, &policy, route);
        assert_refused(&mut world, &ix, &[&by.key], E::SwapRouteForbidden);
    }
    let route = thief.route(&world, &policy, Theft::Price, seized, fair);
    let ix = world.swap_liquidation_ix(&by, borrower.position, &policy, route);
    world.send(&[ix], &[&by.key]).unwrap();
}

/// What whoever stole root's key can do at once: name a program of their own, and as much loss as the bounds allow.
#[test]
fn case_097_stolen_root_key_names_a_program_of_its_own_and_swaps_nothing() {
    let mut t = trust();
    let (guard, root) = (t.world.guard, t.world.root.insecure_clone());
    let most = t.world.guard_state().bounds;
    let largest = SwapParams { max_swap_micro_usd: u64::MAX, max_day_micro_usd: u64::MAX, ..params(THIEF) };
    let greedy = SwapParams {
        max_slippage_bps: most.max_slippage_bps,
        loss_day_micro_usd: u64::MAX / 100,
        two_sources_micro_usd: u64::MAX,
        cooldown_secs: 0,
        ..largest
    };
    let at_once = swap::create_swap_policy(root.pubkey(), guard, 2, greedy, t.world.validity());
    t.world.refuses(&at_once, &[&root], E::SwapPolicyMustWait);
    assert!(!t.world.exists(&address::swap_policy(&guard, 2)));
    let ix = swap::create_swap_policy(root.pubkey(), guard, 2, disabled(greedy), t.world.validity());
    t.world.send(&[ix], &[&root]).unwrap();
    t.policy = PolicyKeys::derive(&guard, 2, THIEF);
    for mint in [t.world.sol, t.world.usdc] {
        t.world.create_associated(mint, t.policy.escrow);
    }
    let steal = t.sell(t.route(Theft::Price, TEN_SOL, FAIR / 100 * 96));
    t.refuses(&steal, E::SwapPolicyDisabled);
    // enabling is no tightening, and the change waits where everybody sees the program
    let tighten = swap::tighten_swap_policy(root.pubkey(), guard, t.policy.policy, greedy, t.world.validity());
    t.world.refuses(&tighten, &[&root], E::LooseningRefused);
    let key = t.world.propose(t.policy.policy, Change::SwapPolicy(greedy));
    let early = t.world.execute_ix(key, &[]);
    t.world.refuses(&early, &[], E::ChangeNotRipe);
    t.refuses(&steal, E::SwapPolicyDisabled);
    assert_eq!(t.world.reserve_books(), [1_000 * SOL, 50_000 * USDC]);
    // what the guard itself has enabled by such a change does swap
    t.world.ripen();
    t.world.execute(key, &[]).unwrap();
    assert_eq!(t.world.load::<SwapPolicy>(&t.policy.policy).params, greedy);
}
