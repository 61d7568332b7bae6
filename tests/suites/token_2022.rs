//! Mints of Token-2022: plain ones, harmless extensions, and those that no vault may hold.

use crate::actions::{borrow_ix, debt, deposit_ix, repay_ix, supply_ix, withdraw_ix};
use crate::forced::crash;
use anchor_lang::solana_program::system_instruction;
use anchor_spl::token_2022::ID as TOKEN_2022;
use anchor_spl::token_2022::spl_token_2022::error::TokenError;
use anchor_spl::token_2022::spl_token_2022::extension::{
    ExtensionType, confidential_transfer, cpi_guard, default_account_state, interest_bearing_mint, memo_transfer,
    metadata_pointer, pausable, scaled_ui_amount, transfer_fee, transfer_hook,
};
use anchor_spl::token_2022::spl_token_2022::instruction as token;
use anchor_spl::token_2022::spl_token_2022::state::{Account, AccountState, Mint};
use rampart::error::RampartError as E;
use rampart::mint::Issuer;
use rampart::{ClaimWithdrawalArgs, RegisterAssetArgs, SupplyArgs};
use rampart_client::exit;
use rampart_client::{Instruction, MintOf, Pubkey, VaultKeys, admin, lending};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::refusal::{Refusal, assert_refused};
use rampart_tests::world::defaults_args;
use rampart_tests::{User, World};
use solana_sdk::signer::Signer;

/// What initialises an extension of `mint` for `authority`.
type Init = fn(&Pubkey, &Pubkey) -> Instruction;

/// Extensions that move balances, or give somebody the power to.
const REFUSED: [(ExtensionType, Init); 7] = [
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

/// Without a fee now, and without one that is announced; the authority may announce one.
const FREE_OF_FEES: (ExtensionType, Init) = (ExtensionType::TransferFeeConfig, |m, a| {
    let init = transfer_fee::instruction::initialize_transfer_fee_config;
    init(&TOKEN_2022, m, Some(a), Some(a), 0, 1_000).unwrap()
});

/// Without a fee, and with nobody who could announce one.
const FEE_GIVEN_UP: (ExtensionType, Init) = (ExtensionType::TransferFeeConfig, |m, a| {
    let init = transfer_fee::instruction::initialize_transfer_fee_config;
    init(&TOKEN_2022, m, None, Some(a), 0, 1_000).unwrap()
});

/// A hook that its authority has given up before it set one: see [`give_up_hook`].
const NO_HOOK: (ExtensionType, Init) = (ExtensionType::TransferHook, |m, a| {
    transfer_hook::instruction::initialize(&TOKEN_2022, m, Some(*a), None).unwrap()
});

const PAUSABLE: (ExtensionType, Init) =
    (ExtensionType::Pausable, |m, a| pausable::instruction::initialize(&TOKEN_2022, m, a).unwrap());

const STARTS_THAWED: (ExtensionType, Init) = (ExtensionType::DefaultAccountState, |m, _| {
    let init = default_account_state::instruction::initialize_default_account_state;
    init(&TOKEN_2022, m, &AccountState::Initialized).unwrap()
});

const STARTS_FROZEN: (ExtensionType, Init) = (ExtensionType::DefaultAccountState, |m, _| {
    let init = default_account_state::instruction::initialize_default_account_state;
    init(&TOKEN_2022, m, &AccountState::Frozen).unwrap()
});

const CONFIDENTIAL: (ExtensionType, Init) = (ExtensionType::ConfidentialTransferMint, |m, a| {
    confidential_transfer::instruction::initialize_mint(&TOKEN_2022, m, Some(*a), true, None).unwrap()
});

fn create(world: &mut World, decimals: u8, extensions: &[(ExtensionType, Init)]) -> MintOf {
    create_of(world, decimals, extensions, None)
}

fn create_of(
    world: &mut World,
    decimals: u8,
    extensions: &[(ExtensionType, Init)],
    freeze_authority: Option<Pubkey>,
) -> MintOf {
    let types: Vec<ExtensionType> = extensions.iter().map(|e| e.0).collect();
    let len = ExtensionType::try_calculate_account_len::<Mint>(&types).unwrap();
    let inits = |m: &Pubkey, a: &Pubkey| extensions.iter().map(|e| (e.1)(m, a)).collect();
    world.create_mint_of(TOKEN_2022, decimals, len as u64, freeze_authority, inits)
}

/// The instruction that registers `mint` with what root knows of its issuer.
fn register_ix(world: &World, mint: MintOf, issuer: Issuer) -> Instruction {
    let args = RegisterAssetArgs { issuer: issuer as u8, ..defaults::asset_args(world.sol_feeds.set()) };
    admin::register_asset(world.root.pubkey(), world.guard, mint.mint, args)
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

/// A warm vault of mints that both carry `extensions`.
fn vault_of(extensions: &[(ExtensionType, Init)], issuer: Issuer) -> World {
    let mut world = World::with_guard();
    let freeze = extensions.iter().any(|e| e.0 == ExtensionType::DefaultAccountState).then(|| world.payer_address());
    world.sol = create_of(&mut world, 9, extensions, freeze);
    world.usdc = create_of(&mut world, 6, extensions, freeze);
    if extensions.iter().any(|e| e.0 == ExtensionType::TransferHook) {
        for mint in [world.sol, world.usdc] {
            give_up_hook(&mut world, mint);
        }
    }
    vault_on(world, issuer)
}

fn give_up_hook(world: &mut World, mint: MintOf) {
    let (kind, authority) = (token::AuthorityType::TransferHookProgramId, world.payer_address());
    let give_up = token::set_authority(&TOKEN_2022, &mint.mint, None, kind, &authority, &[]).unwrap();
    world.send(&[give_up], &[]).unwrap();
}

/// A warm vault of the world's mints.
fn vault_on(mut world: World, issuer: Issuer) -> World {
    world.keys = VaultKeys::derive(world.guard, world.sol, world.usdc);
    let (root, issuer) = (world.root.pubkey(), issuer as u8);
    for (mint, feeds) in [(world.sol, world.sol_feeds), (world.usdc, world.usdc_feeds)] {
        let args = RegisterAssetArgs { issuer, ..defaults::asset_args(feeds.set()) };
        world.send_as_root(&[admin::register_asset(root, world.guard, mint.mint, args)]).unwrap();
    }
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
    let world = vault_of(&[METADATA], Issuer::Powerless);
    let expected = 9 << 40 | 1 << (ExtensionType::MetadataPointer as u16);
    assert_eq!(world.sol_asset().extension_fingerprint, expected);
    live(world);
}

/// Every row of the table that admits: the vault lives on such mints, alone and together.
#[test]
fn vault_lives_on_mints_of_every_admitted_extension() {
    let rows: [(&[(ExtensionType, Init)], Issuer); 7] = [
        (&[FREE_OF_FEES], Issuer::MayStall),
        (&[FEE_GIVEN_UP], Issuer::Powerless),
        (&[NO_HOOK], Issuer::Powerless),
        (&[CONFIDENTIAL], Issuer::Powerless),
        (&[PAUSABLE], Issuer::MayStall),
        (&[STARTS_THAWED], Issuer::MayStall),
        (&[FREE_OF_FEES, NO_HOOK, PAUSABLE, STARTS_THAWED, METADATA], Issuer::MayStall),
    ];
    for (extensions, issuer) in rows {
        live(vault_of(extensions, issuer));
    }
}

#[track_caller]
fn refuses_registration(world: &mut World, mint: MintOf, issuer: Issuer, expected: E) {
    let (ix, root) = (register_ix(world, mint, issuer), world.root.insecure_clone());
    assert_refused(world, &ix, &[&root], expected);
    let asset = rampart_client::address::asset(&world.guard, &mint.mint);
    assert!(world.svm.get_account(&asset).is_none_or(|a| a.data.is_empty()));
}

#[test]
fn case_082_register_asset_fails_for_every_extension_that_touches_balances() {
    let mut world = World::with_guard();
    for extension in REFUSED {
        for extensions in [vec![extension], vec![METADATA, extension]] {
            let mint = create(&mut world, 9, &extensions);
            for issuer in [Issuer::Powerless, Issuer::MayStall] {
                refuses_registration(&mut world, mint, issuer, E::MintExtensionRefused);
            }
        }
    }
}

#[test]
fn case_082_hook_that_is_set_or_can_be_is_refused() {
    let mut world = World::with_guard();
    let set: (ExtensionType, Init) = (ExtensionType::TransferHook, |m, _| {
        transfer_hook::instruction::initialize(&TOKEN_2022, m, None, Some(rampart::ID)).unwrap()
    });
    let mint = create(&mut world, 9, &[set]);
    refuses_registration(&mut world, mint, Issuer::MayStall, E::MintExtensionRefused);
    let free = create(&mut world, 9, &[NO_HOOK]);
    refuses_registration(&mut world, free, Issuer::MayStall, E::MintExtensionRefused);
    give_up_hook(&mut world, free);
    let (ix, root) = (register_ix(&world, free, Issuer::Powerless), world.root.insecure_clone());
    world.send(&[ix], &[&root]).unwrap();
}

/// What the issuer may do has to be named, or the asset isn't registered.
#[test]
fn case_083_issuer_who_may_stall_is_named_or_refused() {
    let mut world = World::with_guard();
    let freeze = Some(world.payer_address());
    let plain = world.create_mint_of(anchor_spl::token::ID, 9, 82, freeze, |_, _| vec![]);
    let mints = [
        plain,
        create_of(&mut world, 9, &[], freeze),
        create(&mut world, 9, &[PAUSABLE]),
        create(&mut world, 9, &[STARTS_THAWED]),
        create(&mut world, 9, &[FREE_OF_FEES]),
    ];
    let root = world.root.insecure_clone();
    for mint in mints {
        refuses_registration(&mut world, mint, Issuer::Powerless, E::MintIssuerUnnamed);
        let ix = register_ix(&world, mint, Issuer::MayStall);
        world.send(&[ix], &[&root]).unwrap();
    }
    let frozen = create_of(&mut world, 9, &[STARTS_FROZEN], freeze);
    refuses_registration(&mut world, frozen, Issuer::MayStall, E::MintExtensionRefused);
    for issuer in [0, 3, u8::MAX] {
        let args = RegisterAssetArgs { issuer, ..defaults::asset_args(world.sol_feeds.set()) };
        let ix = admin::register_asset(root.pubkey(), world.guard, world.sol.mint, args);
        assert_refused(&mut world, &ix, &[&root], E::UnknownKind);
    }
}

/// Types that no version of the token program has yet, one that mints unseen, and bytes that don't add up.
#[test]
fn extension_that_is_not_known_or_cut_off_is_refused() {
    let mut world = World::with_guard();
    let with = |world: &mut World, kind: u16, len: u16, value: &[u8]| {
        let mint = create(world, 9, &[METADATA]);
        let mut data = world.svm.get_account(&mint.mint).unwrap().data;
        data.extend_from_slice(&kind.to_le_bytes());
        data.extend_from_slice(&len.to_le_bytes());
        data.extend_from_slice(value);
        world.put_account(mint.mint, TOKEN_2022, data);
        mint
    };
    let kinds = [ExtensionType::ConfidentialMintBurn as u16, ExtensionType::PausableAccount as u16, 28, 39, 40, 63, 64];
    for kind in kinds.into_iter().chain([u16::MAX]) {
        let mint = with(&mut world, kind, 8, &[0; 8]);
        refuses_registration(&mut world, mint, Issuer::MayStall, E::MintExtensionRefused);
    }
    let short = with(&mut world, ExtensionType::TransferFeeConfig as u16, 107, &[0; 107]);
    refuses_registration(&mut world, short, Issuer::MayStall, E::MintExtensionRefused);
    let cut = with(&mut world, ExtensionType::TransferHook as u16, 64, &[0; 63]);
    refuses_registration(&mut world, cut, Issuer::MayStall, E::MintExtensionRefused);
    let sound = with(&mut world, ExtensionType::TransferHook as u16, 64, &[0; 64]);
    let (ix, root) = (register_ix(&world, sound, Issuer::Powerless), world.root.insecure_clone());
    world.send(&[ix], &[&root]).unwrap();
}

/// One who has lent, posted collateral and borrowed, with more of both.
fn user_of(world: &mut World) -> User {
    let user = world.lender(1_000 * USDC);
    world.fund(&user, 100 * SOL, 1_000 * USDC);
    world.deposit_collateral(&user, 50 * SOL).unwrap();
    world.borrow(&user, 100 * USDC).unwrap();
    user
}

/// Instructions that bring tokens of the loan mint, or risk in it, in.
fn inflows(world: &World, user: &User) -> [Instruction; 2] {
    [supply_ix(world, user, USDC), borrow_ix(world, user, 20 * USDC)]
}

fn exits(world: &World, user: &User) -> [Instruction; 2] {
    [withdraw_ix(world, user, u128::from(USDC) * 1_000_000), repay_ix(world, user, USDC)]
}

#[test]
fn case_084_every_movement_fails_once_the_mint_has_other_decimals() {
    let mut world = World::with_token_2022_vault();
    let user = user_of(&mut world);
    let other = create(&mut world, 7, &[]);
    let recreated = world.svm.get_account(&other.mint).unwrap().data;
    let mint = world.usdc.mint;
    world.put_account(mint, TOKEN_2022, recreated);
    for ix in inflows(&world, &user).iter().chain(&exits(&world, &user)) {
        assert_refused(&mut world, ix, &[&user.key], E::MintFingerprintChanged);
    }
    // the other asset is not concerned
    let collateral = deposit_ix(&world, &user, SOL);
    world.send(&[collateral], &[&user.key]).unwrap();
}

/// A mint that became another one takes nothing in, and lets out what it holds.
#[test]
fn case_084_nothing_comes_in_once_the_mint_changed_and_exits_go_on() {
    let mut world = World::with_token_2022_vault();
    let user = user_of(&mut world);
    let other = create(&mut world, 6, &[METADATA]);
    let recreated = world.svm.get_account(&other.mint).unwrap().data;
    let mint = world.usdc.mint;
    world.put_account(mint, TOKEN_2022, recreated);
    for ix in inflows(&world, &user) {
        assert_refused(&mut world, &ix, &[&user.key], E::MintFingerprintChanged);
    }
    for ix in exits(&world, &user) {
        world.send(&[ix], &[&user.key]).unwrap();
    }
}

/// The issuer announces a fee, two epochs ahead: from that moment nothing comes in. Who is in leaves, also when it is due.
#[test]
fn case_081_fee_that_is_announced_closes_the_way_in_and_not_the_way_out() {
    let mut world = vault_of(&[FREE_OF_FEES], Issuer::MayStall);
    let user = user_of(&mut world);
    let (mint, authority) = (world.usdc.mint, world.payer_address());
    let set = transfer_fee::instruction::set_transfer_fee;
    world.send(&[set(&TOKEN_2022, &mint, &authority, &[], 100, u64::MAX).unwrap()], &[]).unwrap();
    for ix in inflows(&world, &user) {
        assert_refused(&mut world, &ix, &[&user.key], E::MintExtensionRefused);
    }
    for ix in exits(&world, &user) {
        world.send(&[ix], &[&user.key]).unwrap();
    }
    world.pass_epochs(2);
    for ix in inflows(&world, &user) {
        assert_refused(&mut world, &ix, &[&user.key], E::MintExtensionRefused);
    }
    // what arrives is less than what was sent: amounts are counted by what was received
    let repay = repay_ix(&world, &user, USDC);
    assert_refused(&mut world, &repay, &[&user.key], E::ReceivedAmountMismatch);
    let (before, cash) = (world.balance(&user.usdc), world.vault().cash_amount);
    let shares = u128::from(100 * USDC) * 1_000_000;
    world.withdraw(&user, shares).unwrap();
    let paid = cash - world.vault().cash_amount;
    assert_eq!(
        world.balance(&user.usdc) - before,
        paid - paid.div_ceil(100),
        "the fee is the issuer's, off the payment"
    );
    assert_eq!(world.balance(&world.keys.loan_token), world.vault().cash_amount, "and not off the vault");
}

/// A freeze authority that is given up is no reason to close; one can't come back.
#[test]
fn freeze_authority_that_is_given_up_changes_nothing() {
    let mut world = World::with_guard();
    let freeze = Some(world.payer_address());
    world.sol = create_of(&mut world, 9, &[], freeze);
    world.usdc = create_of(&mut world, 6, &[], freeze);
    let mut world = vault_on(world, Issuer::MayStall);
    assert_eq!(world.sol_asset().extension_fingerprint, 9 << 40 | 1 << 48);
    let (mint, authority) = (world.usdc.mint, world.payer_address());
    let give_up =
        token::set_authority(&TOKEN_2022, &mint, None, token::AuthorityType::FreezeAccount, &authority, &[]).unwrap();
    world.send(&[give_up], &[]).unwrap();
    live(world);
}

#[test]
fn accounts_that_come_to_start_frozen_close_the_way_in_and_not_the_way_out() {
    let mut world = vault_of(&[STARTS_THAWED], Issuer::MayStall);
    let user = user_of(&mut world);
    let (mint, authority) = (world.usdc.mint, world.payer_address());
    let update = default_account_state::instruction::update_default_account_state;
    world.send(&[update(&TOKEN_2022, &mint, &authority, &[], &AccountState::Frozen).unwrap()], &[]).unwrap();
    for ix in inflows(&world, &user) {
        assert_refused(&mut world, &ix, &[&user.key], E::MintExtensionRefused);
    }
    for ix in exits(&world, &user) {
        world.send(&[ix], &[&user.key]).unwrap();
    }
}

/// A mint that its issuer pauses stalls: nothing moves, nothing is lost, and a ticket keeps its date.
#[test]
fn case_085_paused_mint_stalls_and_a_ticket_keeps_its_date() {
    let mut world = vault_of(&[PAUSABLE], Issuer::MayStall);
    let user = user_of(&mut world);
    let shares = u128::from(500 * USDC) * 1_000_000;
    let ask = exit::request_withdrawal(&world.keys, user.address(), shares);
    world.send(&[ask], &[&user.key]).unwrap();
    let (mint, authority) = (world.usdc.mint, world.payer_address());
    world.send(&[pausable::instruction::pause(&TOKEN_2022, &mint, &authority, &[]).unwrap()], &[]).unwrap();
    let paused = Refusal::Code(TokenError::MintPaused as u32, "MintPaused".to_owned());
    let all = [supply_ix(&world, &user, USDC)].into_iter().chain(exits(&world, &user));
    for ix in all {
        assert_refused(&mut world, &ix, &[&user.key], paused.clone());
    }
    world.warm_up(1, 7_200);
    let args = ClaimWithdrawalArgs { ticket: 0, min_amount: 0 };
    let claim = exit::claim_withdrawal(&world.keys, user.address(), user.usdc, args);
    assert_refused(&mut world, &claim, &[&user.key], paused.clone());
    world.warm_up(1, 3_600);
    world.send(&[pausable::instruction::resume(&TOKEN_2022, &mint, &authority, &[]).unwrap()], &[]).unwrap();
    world.send(&[claim], &[&user.key]).unwrap();
    assert!(world.balance(&user.usdc) >= 1_600 * USDC, "all of it, with its interest");
}

/// Collateral that nobody could seize carried loans.
#[test]
fn borrow_fails_while_the_mint_of_the_collateral_is_paused() {
    let mut world = vault_of(&[PAUSABLE], Issuer::MayStall);
    let user = user_of(&mut world);
    let (mint, authority) = (world.sol.mint, world.payer_address());
    let ix = borrow_ix(&world, &user, 20 * USDC);
    world.send(&[pausable::instruction::pause(&TOKEN_2022, &mint, &authority, &[]).unwrap()], &[]).unwrap();
    assert_refused(&mut world, &ix, &[&user.key], E::VaultShort);
    world.send(&[pausable::instruction::resume(&TOKEN_2022, &mint, &authority, &[]).unwrap()], &[]).unwrap();
    world.send(&[ix], &[&user.key]).unwrap();
}

#[test]
fn borrow_fails_once_the_mint_of_the_collateral_changed() {
    let mut world = World::with_token_2022_vault();
    let user = user_of(&mut world);
    let other = create(&mut world, 9, &[METADATA]);
    let recreated = world.svm.get_account(&other.mint).unwrap().data;
    let mint = world.sol.mint;
    world.put_account(mint, TOKEN_2022, recreated);
    let ix = borrow_ix(&world, &user, 20 * USDC);
    assert_refused(&mut world, &ix, &[&user.key], E::MintFingerprintChanged);
}

/// A token account of `owner` with room for `extension`.
fn account_with(world: &mut World, mint: MintOf, owner: &User, extension: ExtensionType) -> Pubkey {
    let key = world.new_key();
    let len = ExtensionType::try_calculate_account_len::<Account>(&[extension]).unwrap();
    let lamports = world.svm.minimum_balance_for_rent_exemption(len);
    let payer = world.payer_address();
    let create = system_instruction::create_account(&payer, &key.pubkey(), lamports, len as u64, &TOKEN_2022);
    let init = token::initialize_account3(&TOKEN_2022, &key.pubkey(), &mint.mint, &owner.address()).unwrap();
    world.send(&[create, init], &[&key]).unwrap();
    key.pubkey()
}

/// A destination that asks for a memo gets none: the withdrawal fails as a whole, and another account will do.
#[test]
fn destination_that_asks_for_a_memo_fails_cleanly() {
    let mut world = World::with_token_2022_vault();
    let user = user_of(&mut world);
    let usdc = world.usdc;
    let account = account_with(&mut world, usdc, &user, ExtensionType::MemoTransfer);
    let enable = memo_transfer::instruction::enable_required_transfer_memos;
    world.send(&[enable(&TOKEN_2022, &account, &user.address(), &[]).unwrap()], &[&user.key]).unwrap();
    let args = rampart::WithdrawArgs { shares: u128::from(USDC) * 1_000_000, min_amount: 0 };
    let ix = lending::withdraw(&world.keys, user.address(), account, args);
    assert_refused(&mut world, &ix, &[&user.key], Refusal::Code(TokenError::NoMemo as u32, "NoMemo".to_owned()));
    world.send(&[lending::withdraw(&world.keys, user.address(), user.usdc, args)], &[&user.key]).unwrap();
}

/// An account with a CPI guard pays nobody through a program, and is paid by one.
#[test]
fn account_with_a_cpi_guard_fails_cleanly_as_source_and_is_paid_as_destination() {
    let mut world = World::with_token_2022_vault();
    let user = user_of(&mut world);
    let usdc = world.usdc;
    let account = account_with(&mut world, usdc, &user, ExtensionType::CpiGuard);
    world.mint_to(usdc, account, 1_000 * USDC);
    let enable = cpi_guard::instruction::enable_cpi_guard(&TOKEN_2022, &account, &user.address(), &[]).unwrap();
    world.send(&[enable], &[&user.key]).unwrap();
    let supply = lending::supply(&world.keys, user.address(), account, SupplyArgs { amount: USDC, min_shares: 0 });
    let blocked = Refusal::Code(TokenError::CpiGuardTransferBlocked as u32, "CpiGuardTransferBlocked".to_owned());
    assert_refused(&mut world, &supply, &[&user.key], blocked);
    let args = rampart::WithdrawArgs { shares: u128::from(USDC) * 1_000_000, min_amount: 0 };
    world.send(&[lending::withdraw(&world.keys, user.address(), account, args)], &[&user.key]).unwrap();
    assert_eq!(world.balance(&account), 1_001 * USDC);
}
