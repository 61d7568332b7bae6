//! Registering a mint: what is stored, which price sources, references and mints are refused.

use anchor_lang::error::ErrorCode;
use anchor_spl::token_interface::spl_token_2022::extension::{metadata_pointer, transfer_fee, transfer_hook};
use anchor_spl::token_interface::spl_token_2022::instruction as token;
use rampart::RegisterAssetArgs;
use rampart::error::RampartError;
use rampart::events::AssetRegistered;
use rampart::oracle::{PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE, SWITCHBOARD_ON_DEMAND_DEVNET};
use rampart::state::asset::Reference;
use rampart::state::breaker::Breaker;
use rampart::state::oracle_set::Pin;
use rampart::state::{Asset, WarmUp};
use rampart_client::{Instruction, MintOf, Pubkey, address, admin};
use rampart_tests::refusals::with_account;
use rampart_tests::{World, defaults, events};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signer::Signer;

const ALREADY_IN_USE: u32 = 0;
const TOKEN_2022: Pubkey = anchor_spl::token_2022::ID;

fn args(world: &World) -> RegisterAssetArgs {
    defaults::asset_args(world.sol_feeds.set())
}

fn ix(world: &World, mint: Pubkey, args: RegisterAssetArgs) -> Instruction {
    admin::register_asset(world.root.pubkey(), world.guard, mint, args)
}

#[track_caller]
fn refuses(change: impl FnOnce(&mut RegisterAssetArgs), expected: RampartError) {
    let mut world = World::with_guard();
    let mut args = args(&world);
    change(&mut args);
    let root = world.root.insecure_clone();
    world.refuses(&ix(&world, world.sol.mint, args), &[&root], expected);
    assert!(world.svm.get_account(&world.keys.collateral_asset).is_none());
}

#[test]
fn register_asset_stores_every_field() {
    for program in [anchor_spl::token::ID, TOKEN_2022] {
        let mut world = World::with_guard();
        let mint = world.create_mint(program, 12).mint;
        let args = RegisterAssetArgs { warm_up_secs: 86_401, ..args(&world) };
        let landed = world.send_as_root(&[ix(&world, mint, args)]).unwrap();
        let key = address::asset(&world.guard, &mint);
        let asset: Asset = world.load(&key);
        assert_eq!((asset.guard, asset.mint, asset.token_program), (world.guard, mint, program));
        assert_eq!((asset.oracle, asset.reference_params), (args.oracle, args.reference));
        assert_eq!((asset.reference, asset.breaker), (Reference::default(), Breaker::default()));
        assert_eq!((asset.extension_fingerprint, asset.decimals, asset.version), (12 << 40, 12, 1));
        assert_eq!((asset.window.cell_secs, asset.window.view(600, world.now_ts())), (60, None));
        assert_eq!((asset.warm_up, asset.reserved), (WarmUp::start(86_401, world.now_ts()), [0; 108]));
        let seeds: &[&[u8]] = &[b"asset", world.guard.as_ref(), mint.as_ref(), &[asset.bump]];
        assert_eq!(Pubkey::create_program_address(seeds, &rampart::ID), Ok(key));
        let fact: AssetRegistered = events::the_one(&landed);
        assert_eq!((fact.guard, fact.asset, fact.mint), (world.guard, key, mint));
    }
}

#[test]
fn register_asset_succeeds_with_other_known_programs_and_a_pinned_feed() {
    let mut world = World::with_guard();
    let mut args = args(&world);
    args.oracle.sources[0].program = PYTH_RECEIVER_COMPATIBLE;
    args.oracle.sources[0].pin = Pin::Feed as u8;
    args.oracle.sources[0].account = Pubkey::default();
    args.oracle.sources[1].program = SWITCHBOARD_ON_DEMAND_DEVNET;
    world.send_as_root(&[ix(&world, world.sol.mint, args)]).unwrap();
    assert_eq!(world.sol_asset().oracle, args.oracle);
}

#[test]
fn register_asset_fails_when_the_signer_is_not_root() {
    let mut world = World::with_guard();
    for signer in [world.risk_admin.insecure_clone(), world.payer.insecure_clone()] {
        let ix = admin::register_asset(signer.pubkey(), world.guard, world.sol.mint, args(&world));
        world.refuses(&ix, &[&signer], RampartError::WrongAuthority);
    }
    let mut unsigned = ix(&world, world.sol.mint, args(&world));
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn register_asset_fails_when_the_guard_is_not_one() {
    let mut world = World::with_assets();
    let root = world.root.insecure_clone();
    let mint = world.create_mint(anchor_spl::token::ID, 6).mint;
    let register = |guard| admin::register_asset(root.pubkey(), guard, mint, args(&World::empty()));
    let cosplay = register(world.keys.collateral_asset);
    world.anchor_refuses(&cosplay, &[&root], ErrorCode::AccountDiscriminatorMismatch);
    let stolen = world.copy_under(&world.guard.clone(), anchor_spl::token::ID);
    world.anchor_refuses(&register(stolen), &[&root], ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn register_asset_fails_when_the_mint_is_not_one() {
    let mut world = World::with_guard();
    let root = world.root.insecure_clone();
    let account = world.create_token_account(world.sol, root.pubkey(), 1);
    let not_a_mint = ix(&world, account, args(&world));
    world.refuses_with(&not_a_mint, &[&root], InstructionError::InvalidAccountData);
    let stolen = world.copy_under(&world.sol.mint.clone(), rampart::ID);
    let foreign = ix(&world, stolen, args(&world));
    world.anchor_refuses(&foreign, &[&root], ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn register_asset_fails_at_the_address_of_another_mint_or_twice() {
    let mut world = World::with_guard();
    let root = world.root.insecure_clone();
    let register = ix(&world, world.sol.mint, args(&world));
    let moved = with_account(&register, 3, world.keys.loan_asset);
    world.anchor_refuses(&moved, &[&root], ErrorCode::ConstraintSeeds);
    world.send_as_root(std::slice::from_ref(&register)).unwrap();
    world.callee_refuses(&register, &[&root], ALREADY_IN_USE);
}

#[test]
fn register_asset_fails_when_its_sources_cannot_agree() {
    let invalid = RampartError::OracleSetInvalid;
    for count in [0, 4, u8::MAX] {
        refuses(|a| a.oracle.count = count, invalid);
    }
    refuses(|a| a.oracle.required = 0, invalid);
    refuses(|a| a.oracle.required = 3, invalid);
    refuses(|a| a.oracle.max_disagree_bps = 0, invalid);
    refuses(|a| a.oracle.max_disagree_bps = 501, RampartError::OutsideHardBounds);
}

/// Two sources of one publisher are one source.
#[test]
fn case_032_two_sources_of_one_publisher_are_refused() {
    refuses(|a| a.oracle.sources[1].publisher = a.oracle.sources[0].publisher, RampartError::OracleSetInvalid);
}

#[test]
fn register_asset_fails_when_a_source_cannot_be_recognised() {
    let invalid = RampartError::OracleSetInvalid;
    refuses(|a| a.oracle.sources[0].program = anchor_spl::token::ID, invalid);
    refuses(|a| a.oracle.sources[0].program = a.oracle.sources[1].program, invalid);
    refuses(|a| a.oracle.sources[1].program = PYTH_RECEIVER, invalid);
    refuses(|a| a.oracle.sources[0].account = Pubkey::default(), invalid);
    refuses(|a| a.oracle.sources[0].feed_id = [0; 32], invalid);
    refuses(|a| a.oracle.sources[1].pin = Pin::Feed as u8, invalid);
    for value in [0, 3, u8::MAX] {
        refuses(|a| a.oracle.sources[1].kind = value, RampartError::UnknownKind);
        refuses(|a| a.oracle.sources[1].pin = value, RampartError::UnknownKind);
    }
}

#[test]
fn register_asset_fails_when_a_source_is_unbounded() {
    refuses(|a| a.oracle.sources[1].max_age_secs = 0, RampartError::OracleSetInvalid);
    refuses(|a| a.oracle.sources[1].max_age_secs = 121, RampartError::OutsideHardBounds);
    refuses(|a| a.oracle.sources[1].max_confidence_bps = 0, RampartError::OracleSetInvalid);
    refuses(|a| a.oracle.sources[1].max_confidence_bps = 501, RampartError::OutsideHardBounds);
}

#[test]
fn register_asset_fails_when_reserved_bytes_are_set() {
    refuses(|a| a.oracle.reserved[3] = 1, RampartError::UnknownKind);
    refuses(|a| a.oracle.sources[0].reserved[0] = 1, RampartError::UnknownKind);
    refuses(|a| a.oracle.sources[2].kind = 1, RampartError::OracleSetInvalid);
}

#[test]
fn register_asset_fails_when_its_reference_cannot_work() {
    let invalid = RampartError::ReferenceParamsInvalid;
    refuses(|a| a.reference.half_life_secs = 0, invalid);
    refuses(|a| a.reference.cell_secs = 0, invalid);
    refuses(|a| a.reference.min_samples = 0, invalid);
    refuses(|a| a.reference.max_age_secs = 299, invalid);
}

#[test]
fn register_asset_fails_when_the_mint_has_too_many_decimals() {
    let mut world = World::with_guard();
    let root = world.root.insecure_clone();
    let mint = world.create_mint(anchor_spl::token::ID, 13).mint;
    world.refuses(&ix(&world, mint, args(&world)), &[&root], RampartError::MintDecimalsTooLarge);
}

/// Creates a mint of Token-2022 with what `extend` initialises on it.
fn extended_mint(world: &mut World, len: u64, extend: impl FnOnce(&Pubkey, &Pubkey) -> Instruction) -> MintOf {
    world.create_mint_with(TOKEN_2022, 9, len, |mint, authority| vec![extend(mint, authority)])
}

#[test]
fn register_asset_records_an_extension_that_only_describes() {
    let mut world = World::with_guard();
    let mint = extended_mint(&mut world, 234, |mint, authority| {
        metadata_pointer::instruction::initialize(&TOKEN_2022, mint, Some(*authority), Some(*mint)).unwrap()
    });
    world.send_as_root(&[ix(&world, mint.mint, args(&world))]).unwrap();
    let asset: Asset = world.load(&address::asset(&world.guard, &mint.mint));
    assert_eq!((asset.extension_fingerprint, asset.token_program), (9 << 40 | 1 << 18, TOKEN_2022));
}

#[test]
fn register_asset_fails_when_an_extension_touches_balances_or_authority() {
    let mut world = World::with_guard();
    let root = world.root.insecure_clone();
    let mints = [
        extended_mint(&mut world, 278, |mint, authority| {
            let (program, who) = (&TOKEN_2022, Some(authority));
            transfer_fee::instruction::initialize_transfer_fee_config(program, mint, who, who, 100, 1_000).unwrap()
        }),
        extended_mint(&mut world, 234, |mint, authority| {
            transfer_hook::instruction::initialize(&TOKEN_2022, mint, Some(*authority), None).unwrap()
        }),
        extended_mint(&mut world, 202, |mint, authority| {
            token::initialize_permanent_delegate(&TOKEN_2022, mint, authority).unwrap()
        }),
        extended_mint(&mut world, 202, |mint, authority| {
            token::initialize_mint_close_authority(&TOKEN_2022, mint, Some(authority)).unwrap()
        }),
        extended_mint(&mut world, 170, |mint, _| token::initialize_non_transferable_mint(&TOKEN_2022, mint).unwrap()),
    ];
    for mint in mints {
        let register = ix(&world, mint.mint, args(&world));
        world.refuses(&register, &[&root], RampartError::MintExtensionRefused);
    }
}
