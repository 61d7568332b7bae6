//! Mints of Token-2022: plain ones, harmless extensions, and those that no vault may hold.

use crate::actions::{borrow_ix, debt, deposit_ix, repay_ix, supply_ix, withdraw_ix};
use crate::forced::crash;
use anchor_spl::token_2022::ID as TOKEN_2022;
use anchor_spl::token_2022::spl_token_2022::extension::{
    ExtensionType, default_account_state, interest_bearing_mint, metadata_pointer, pausable, scaled_ui_amount,
    transfer_fee, transfer_hook,
};
use anchor_spl::token_2022::spl_token_2022::instruction as token;
use anchor_spl::token_2022::spl_token_2022::state::{AccountState, Mint};
use rampart::error::RampartError as E;
use rampart_client::{Instruction, MintOf, Pubkey, VaultKeys, lending};
use rampart_tests::World;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::assert_refused;
use rampart_tests::world::defaults_args;

/// What initialises an extension of `mint` for `authority`.
type Init = fn(&Pubkey, &Pubkey) -> Instruction;

/// Extensions that move balances, or give somebody the power to.
const REFUSED: [(ExtensionType, Init); 9] = [
    (ExtensionType::TransferFeeConfig, |m, a| {
        let init = transfer_fee::instruction::initialize_transfer_fee_config;
        init(&TOKEN_2022, m, Some(a), Some(a), 100, 1_000).unwrap()
    }),
    (ExtensionType::PermanentDelegate, |m, a| token::initialize_permanent_delegate(&TOKEN_2022, m, a).unwrap()),
    (ExtensionType::MintCloseAuthority, |m, a| {
        token::initialize_mint_close_authority(&TOKEN_2022, m, Some(a)).unwrap()
    }),
    (ExtensionType::TransferHook, |m, a| {
        transfer_hook::instruction::initialize(&TOKEN_2022, m, Some(*a), None).unwrap()
    }),
    (ExtensionType::Pausable, |m, a| pausable::instruction::initialize(&TOKEN_2022, m, a).unwrap()),
    (ExtensionType::DefaultAccountState, |m, _| {
        let init = default_account_state::instruction::initialize_default_account_state;
        init(&TOKEN_2022, m, &AccountState::Initialized).unwrap()
    }),
    (ExtensionType::NonTransferable, |m, _| token::initialize_non_transferable_mint(&TOKEN_2022, m).unwrap()),
    (ExtensionType::InterestBearingConfig, |m, a| {
        interest_bearing_mint::instruction::initialize(&TOKEN_2022, m, Some(*a), 100).unwrap()
    }),
    (ExtensionType::ScaledUiAmount, |m, a| {
        scaled_ui_amount::instruction::initialize(&TOKEN_2022, m, Some(*a), 1.0).unwrap()
    }),
];

const METADATA: (ExtensionType, Init) = (ExtensionType::MetadataPointer, |m, a| {
    metadata_pointer::instruction::initialize(&TOKEN_2022, m, Some(*a), Some(*m)).unwrap()
});

fn create(world: &mut World, decimals: u8, extensions: &[(ExtensionType, Init)]) -> MintOf {
    let types: Vec<ExtensionType> = extensions.iter().map(|e| e.0).collect();
    let len = ExtensionType::try_calculate_account_len::<Mint>(&types).unwrap();
    let inits = |m: &Pubkey, a: &Pubkey| extensions.iter().map(|e| (e.1)(m, a)).collect();
    world.create_mint_with(TOKEN_2022, decimals, len as u64, inits)
}

/// Supplies, borrows, liquidates, repays, exits and closes.
fn live(mut world: World) {
    let lender = world.lender(100_000 * USDC);
    let (one, two) = (world.borrower(100 * SOL, 10_000 * USDC), world.borrower(100 * SOL, 5_000 * USDC));
    let by = world.user(0, 50_000 * USDC);
    crash(&mut world, 130.0);
    world.deleverage(&by, one.position, u64::MAX).unwrap();
    world.advance(1);
    crash(&mut world, 111.0);
    world.liquidate(&by, one.position, u64::MAX).unwrap();
    world.assert_books(&[&lender, &one, &two, &by], Donated::default());
    for user in [&one, &two] {
        world.fund(user, 0, 1_000 * USDC);
        world.repay(user, u64::MAX).unwrap();
        assert_eq!(debt(&world, user), 0);
        let left = world.position(&user.position).collateral_amount;
        world.withdraw_collateral(user, left).unwrap();
    }
    let shares = world.position(&lender.position).supply_shares.get();
    world.withdraw(&lender, shares).unwrap();
    assert!(world.balance(&lender.usdc) >= 100_000 * USDC);
    world.assert_books(&[&lender, &one, &two, &by], Donated::default());
    for user in [&lender, &one, &two] {
        let ix = lending::close_position(user.address(), world.keys.vault);
        world.send(&[ix], &[&user.key]).unwrap();
    }
    assert_eq!((world.vault().supply_shares.get(), world.vault().collateral_amount), (0, 0));
}

/// A warm vault of mints with a metadata pointer.
fn described() -> World {
    let mut world = World::with_guard();
    (world.sol, world.usdc) = (create(&mut world, 9, &[METADATA]), create(&mut world, 6, &[METADATA]));
    world.keys = VaultKeys::derive(world.guard, world.sol, world.usdc);
    let assets =
        [world.register_asset_ix(world.sol, world.sol_feeds), world.register_asset_ix(world.usdc, world.usdc_feeds)];
    world.send_as_root(&assets).unwrap();
    world.set_prices(150.0, 1.0);
    let vault = world.initialize_vault_ix(defaults_args());
    world.send_as_root(&[vault]).unwrap();
    world.warm_up(10, 60);
    world
}

#[test]
fn vault_of_spl_token_mints_lives_its_whole_life() {
    live(World::with_vault());
}

#[test]
fn vault_of_plain_token_2022_mints_lives_its_whole_life() {
    live(World::with_token_2022_vault());
}

#[test]
fn vault_of_described_token_2022_mints_lives_its_whole_life() {
    let world = described();
    assert_eq!(world.sol_asset().extension_fingerprint, 1 << (ExtensionType::MetadataPointer as u16));
    live(world);
}

#[test]
fn case_082_register_asset_fails_for_every_extension_that_touches_balances() {
    for extension in REFUSED {
        let mut world = World::with_guard();
        let root = world.root.insecure_clone();
        for extensions in [vec![extension], vec![METADATA, extension]] {
            let mint = create(&mut world, 9, &extensions);
            let ix = world.register_asset_ix(mint, world.sol_feeds);
            assert_refused_before_vault(&mut world, &ix, &root);
            let asset = rampart_client::address::asset(&world.guard, &mint.mint);
            assert!(world.svm.get_account(&asset).is_none_or(|a| a.data.is_empty()), "{:?}", extension.0);
        }
    }
}

#[track_caller]
fn assert_refused_before_vault(world: &mut World, ix: &Instruction, root: &solana_sdk::signature::Keypair) {
    assert_refused(world, ix, &[root], E::MintExtensionRefused);
}

/// Every instruction that moves tokens of a mint that is another now is refused with `error`.
fn assert_all_refused(extension: (ExtensionType, Init), error: E) {
    let mut world = World::with_token_2022_vault();
    let user = world.lender(1_000 * USDC);
    world.fund(&user, 100 * SOL, 1_000 * USDC);
    world.deposit_collateral(&user, 50 * SOL).unwrap();
    world.borrow(&user, 100 * USDC).unwrap();
    let loan = [
        supply_ix(&world, &user, USDC),
        withdraw_ix(&world, &user, u128::from(USDC) * 1_000_000),
        borrow_ix(&world, &user, USDC),
        repay_ix(&world, &user, USDC),
    ];
    let other = create(&mut world, 6, &[extension]);
    let recreated = world.svm.get_account(&other.mint).unwrap().data;
    let mint = world.usdc.mint;
    world.put_account(mint, TOKEN_2022, recreated);
    for ix in loan {
        assert_refused(&mut world, &ix, &[&user.key], error);
    }
    // the other asset is not concerned
    let collateral = deposit_ix(&world, &user, SOL);
    world.send(&[collateral], &[&user.key]).unwrap();
}

#[test]
fn case_084_every_movement_fails_once_the_mint_changed() {
    assert_all_refused(METADATA, E::MintFingerprintChanged);
}

#[test]
fn case_081_every_movement_fails_once_the_mint_takes_a_fee() {
    assert_all_refused(REFUSED[0], E::MintExtensionRefused);
}
