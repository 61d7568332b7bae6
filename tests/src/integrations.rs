//! Integrations of the world's guard: registration in every mode, and the calls of their authority.

use crate::defaults::{USDC, roles};
use crate::world::{Outcome, World};
use anchor_spl::token_interface::spl_token_2022::instruction::{self as token, AuthorityType};
use rampart::state::integration::{ActionKind, LimitBase, Mode};
use rampart::state::{FlowCap, FlowCaps, Integration};
use rampart::{InitializeGuardArgs, RegisterIntegrationArgs};
use rampart_client::integration::{self as client, IntegrationKeys, Payout, Registration};
use rampart_client::{Instruction, MintOf, Pubkey, address, admin};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// What the mint's supply is in these worlds, base units.
pub const SUPPLY: u64 = 10_000_000 * USDC;
/// What an integration's token account holds at first, base units.
pub const HELD: u64 = 1_000_000 * USDC;
/// Code of an exit.
pub const EXIT: u8 = ActionKind::Exit as u8;
/// Code of new risk.
pub const RISK: u8 = ActionKind::NewRisk as u8;

/// Limits that are amounts.
pub fn amounts(hourly: u64, daily: u64) -> FlowCap {
    FlowCap { hourly_amount: hourly, daily_amount: daily, ..FlowCap::default() }
}

/// 20,000 an hour and 80,000 a day for exits, half of it for new risk, a tenth as the floor; USDC.
pub fn caps() -> FlowCaps {
    FlowCaps {
        exit: amounts(20_000 * USDC, 80_000 * USDC),
        risk: amounts(10_000 * USDC, 40_000 * USDC),
        floor: amounts(2_000 * USDC, 8_000 * USDC),
    }
}

/// As [`caps`], and 10 % an hour and 20 % a day for exits, 2 and 4 % for the others.
pub fn shares() -> FlowCaps {
    let with = |cap: FlowCap, hourly_bps, daily_bps| FlowCap { hourly_bps, daily_bps, ..cap };
    let FlowCaps { exit, risk, floor } = caps();
    FlowCaps { exit: with(exit, 1_000, 2_000), risk: with(risk, 200, 400), floor: with(floor, 200, 400) }
}

/// 10,000 an hour and 40,000 a day for new risk, and nothing else; USDC.
pub fn mint_caps() -> FlowCaps {
    FlowCaps { risk: caps().risk, ..FlowCaps::default() }
}

/// How an integration is registered.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How its value moves.
    pub mode: Mode,
    /// What percentages are of.
    pub base: LimitBase,
    /// Limits.
    pub caps: FlowCaps,
    /// Whether the asset's level counts; needs a world with assets.
    pub has_asset: bool,
    /// The integrator's program.
    pub integrator: Pubkey,
    /// Number within guard and program.
    pub index: u16,
}

impl Setup {
    /// A wallet that records its outflows, with limits that are amounts.
    pub fn reported() -> Self {
        Self {
            mode: Mode::Reported,
            base: LimitBase::Absolute,
            caps: caps(),
            has_asset: false,
            integrator: anchor_lang::system_program::ID,
            index: 7,
        }
    }

    /// As [`Setup::reported`], with shares of a token account.
    pub fn reported_shares() -> Self {
        Self { base: LimitBase::Balance, caps: shares(), ..Self::reported() }
    }

    /// A wallet whose token account the guard holds, with limits that are amounts.
    pub fn custody() -> Self {
        Self { mode: Mode::Custody, ..Self::reported() }
    }

    /// As [`Setup::custody`], with shares of what is held.
    pub fn custody_shares() -> Self {
        Self { base: LimitBase::Balance, caps: shares(), ..Self::custody() }
    }

    /// A wallet whose mint authority the guard holds.
    pub fn mint() -> Self {
        Self { mode: Mode::Mint, caps: mint_caps(), ..Self::reported() }
    }
}

/// A registered integration.
pub struct Place {
    /// Its keys.
    pub keys: IntegrationKeys,
    /// Its mint.
    pub mint: MintOf,
    /// The token account that it holds, or whose balance is the base; else the mint authority's.
    pub token: Pubkey,
    /// A token account of the authority's.
    pub destination: Pubkey,
    /// Signs for it; a program's address has none.
    pub authority: Keypair,
}

impl Place {
    /// Returns where a payout goes.
    pub fn payout(&self) -> Payout {
        Payout {
            mint: self.mint.mint,
            token_program: self.mint.token_program,
            destination: self.destination,
            destination_owner: self.authority.pubkey(),
        }
    }

    /// Returns the instruction that records an outflow.
    pub fn record_ix(&self, kind: u8, amount: u64) -> Instruction {
        client::record_outflow(&self.keys, kind, amount)
    }

    /// Returns the instruction that moves tokens out of custody.
    pub fn transfer_ix(&self, kind: u8, amount: u64) -> Instruction {
        client::custody_transfer(&self.keys, self.token, self.payout(), kind, amount)
    }

    /// Returns the instruction that mints.
    pub fn mint_ix(&self, amount: u64) -> Instruction {
        client::custody_mint(&self.keys, self.payout(), amount)
    }
}

impl World {
    /// A world with a guard and a mint of [`SUPPLY`] under `token_program`, without assets.
    pub fn with_supply(token_program: Pubkey) -> Self {
        let mut world = Self::with_guard();
        if token_program != world.usdc.token_program {
            world.usdc = world.create_mint(token_program, 6);
        }
        let owner = world.payer_address();
        world.create_token_account(world.usdc, owner, SUPPLY - HELD);
        world
    }

    /// Prepares what `setup` needs and returns the place, not yet registered.
    pub fn place(&mut self, setup: Setup) -> Place {
        let authority = self.new_key();
        self.svm.airdrop(&authority.pubkey(), 1_000_000_000).expect("airdrop");
        let integration = address::integration(&self.guard, &setup.integrator, setup.index);
        let mint = self.usdc;
        let owner = if setup.mode == Mode::Custody { integration } else { authority.pubkey() };
        let token = self.create_token_account(mint, owner, HELD);
        let destination = self.create_token_account(mint, authority.pubkey(), 0);
        if setup.mode == Mode::Mint {
            let ix = self.hand_over_ix(mint.token_program, mint.mint, AuthorityType::MintTokens, integration);
            self.send(&[ix], &[]).expect("mint authority is handed over");
        }
        let base = match setup.base {
            LimitBase::Absolute => None,
            LimitBase::Balance => Some(token),
            LimitBase::Supply => Some(mint.mint),
        };
        let asset = setup.has_asset.then(|| address::asset(&self.guard, &mint.mint));
        let keys = IntegrationKeys { integration, guard: self.guard, authority: authority.pubkey(), base, asset };
        Place { keys, mint, token, destination, authority }
    }

    /// Returns the instruction by which the payer gives an authority over `account` to `to`.
    pub fn hand_over_ix(&self, program: Pubkey, account: Pubkey, kind: AuthorityType, to: Pubkey) -> Instruction {
        let payer = self.payer_address();
        token::set_authority(&program, &account, Some(&to), kind, &payer, &[]).expect("valid authority")
    }

    /// Returns the instruction that registers a prepared place.
    pub fn register_ix(&self, place: &Place, setup: Setup) -> Instruction {
        let needs_token = setup.mode == Mode::Custody || setup.base == LimitBase::Balance;
        let it = Registration {
            guard: self.guard,
            integrator: setup.integrator,
            index: setup.index,
            mint: place.mint.mint,
            token: needs_token.then_some(place.token),
            asset: place.keys.asset,
        };
        let args = RegisterIntegrationArgs {
            authority: place.keys.authority,
            caps: setup.caps,
            mode: setup.mode as u8,
            base: setup.base as u8,
        };
        client::register_integration(self.root.pubkey(), it, args, self.validity())
    }

    /// Registers an integration.
    pub fn register(&mut self, setup: Setup) -> Place {
        let place = self.place(setup);
        let ix = self.register_ix(&place, setup);
        self.send_as_root(&[ix]).expect("integration is registered");
        place
    }

    /// Returns an integration.
    pub fn integration(&self, place: &Place) -> Integration {
        self.load(&place.keys.integration)
    }

    /// Records an outflow on the authority's signature.
    pub fn record(&mut self, place: &Place, kind: u8, amount: u64) -> Outcome {
        self.send(&[place.record_ix(kind, amount)], &[&place.authority])
    }

    /// Moves tokens out of custody on the authority's signature.
    pub fn custody_transfer(&mut self, place: &Place, kind: u8, amount: u64) -> Outcome {
        self.send(&[place.transfer_ix(kind, amount)], &[&place.authority])
    }

    /// Mints on the authority's signature.
    pub fn custody_mint(&mut self, place: &Place, amount: u64) -> Outcome {
        self.send(&[place.mint_ix(amount)], &[&place.authority])
    }

    /// Creates a guard of a stranger's own, whose root is the payer, and returns it.
    pub fn strangers_guard(&mut self) -> Pubkey {
        let payer = self.payer_address();
        let args =
            InitializeGuardArgs { roles: roles(payer, self.risk_admin.pubkey()), bounds: crate::defaults::bounds() };
        self.send(&[admin::initialize_guard(payer, 9, args)], &[]).expect("guard is created");
        address::guard(&payer, 9)
    }
}
