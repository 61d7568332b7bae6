//! Puts the demo's market on the chain.
//!
//! Everything but oracle accounts by real transactions, while time stands still between the steps. A day passes before
//! anybody lends and another one after it, so that what governance proposed has waited for its delay, the limiters have a
//! base, and the references warm up.

use crate::accounts;
use crate::error::Outcome;
use crate::feeder::Feeder;
use crate::market::PricePoint;
use crate::metronome::wall_unix_ms;
use crate::network::{Backend, Network};
use crate::world::cast::{Borrower, Lender};
use crate::world::params::{self, Floors, LENT_AMOUNT, USDC};
use crate::world::{Coin, VAULTS, World};
use anchor_lang::solana_program::system_instruction;
use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent;
use anchor_spl::token::spl_token::instruction as token;
use futures_util::{TryStreamExt, stream};
use rampart::mint::Issuer;
use rampart::state::Vault;
use rampart::{InitializeGuardArgs, InitializeVaultArgs, RegisterAssetArgs, SupplyArgs, TightenVaultArgs, Validity};
use rampart_client::{Instruction, Pubkey, VaultKeys, admin, evidence, keepers, lending};
use solana_sdk::signature::Keypair;
use std::path::Path;

/// Transactions under way at once.
const AT_ONCE: usize = 8;
/// Bytes of a mint.
pub(super) const MINT_LEN: u64 = 82;
/// Lamports that pay for a mint's rent, and for what the root creates.
pub(super) const MINT_LAMPORTS: u64 = 10_000_000;
const ROOT_LAMPORTS: u64 = 1_000_000_000_000;
/// What each keeper starts with: fees, and USDC to liquidate with.
const KEEPER_LAMPORTS: u64 = 100_000_000_000;
const KEEPER_AMOUNT: u64 = 50_000_000 * USDC;
/// What the attacker's collateral is worth, US dollars.
pub const ATTACKER_USD: f64 = 400_000.0;
/// How long the market exists before the story begins, seconds: a day and what the day's ring overlaps.
const DAY_SECS: i64 = 26 * 3_600;
/// How long the guard exists before anybody lends, seconds: with the market's day more than the delay of its changes.
const EMPTY_SECS: i64 = 24 * 3_600 + 60;
/// What the first steps may take of the chain's time, seconds.
const SPARE_SECS: i64 = 120;
/// How long prices are observed before the story begins, and how often, seconds.
const WARM_UP_SECS: i64 = 2_100;
const WARM_UP_STEP_SECS: i64 = 30;

/// What the set-up needs beside the chain.
pub struct SetUp<'a> {
    /// The chain.
    pub network: &'a Network,
    /// What to put on it.
    pub world: &'a World,
    /// Publishes prices.
    pub feeder: &'a mut Feeder,
    /// The market before the story.
    pub start: PricePoint,
    /// Where the story will take place.
    pub backend: &'a Backend,
}

impl SetUp<'_> {
    /// Does it all, and tells `step` of each part.
    ///
    /// # Errors
    /// [`crate::error::DemoError::SetUp`] for whatever is refused, and the network's.
    pub async fn run(&mut self, program: &Path, step: impl Fn(&str)) -> Outcome<()> {
        self.network.hold();
        if self.backend.keeps_wall_time() {
            self.network.set_clock(wall_ts() - EMPTY_SECS - DAY_SECS - WARM_UP_SECS - SPARE_SECS).await?;
        }
        step("deploying the program");
        self.network.deploy(&rampart::ID, program).await?;
        self.network.step(2).await?;
        step("creating mints, the guard, assets, vaults and rules");
        self.create_mints().await?;
        self.publish().await?;
        self.create_guard().await?;
        step("opening a pool and the guard's reserve");
        self.open_treasury().await?;
        step("changes are proposed, and a day passes");
        self.network.jump_to(self.network.now().unix_ts + EMPTY_SECS).await?;
        // by their number, not by time: a slot may be any part of a second
        for _ in 0..params::WARM_SAMPLES {
            self.observe_after(1).await?;
        }
        step("lenders lend and 200 borrowers borrow");
        self.publish().await?;
        self.fund_keepers().await?;
        let lent = self.world.cast.lenders.iter().map(|lender| Ok(self.lend(lender)));
        stream::iter(lent).try_for_each_concurrent(AT_ONCE, |one| one).await?;
        let borrowed = self.world.cast.borrowers.iter().map(|borrower| Ok(self.borrow(borrower)));
        stream::iter(borrowed).try_for_each_concurrent(AT_ONCE, |one| one).await?;
        self.place_attacker().await?;
        step("limits are tightened, a day passes, and the changes are executed");
        self.tighten().await?;
        // at the end of the warm-up the chain's clock has arrived at the wall's, or at a time of its own
        let keeps_wall_time = self.backend.keeps_wall_time();
        let target_ts = if keeps_wall_time { wall_ts() - WARM_UP_SECS } else { self.network.now().unix_ts + DAY_SECS };
        self.network.jump_to(target_ts).await?;
        self.enable_treasury().await?;
        self.warm_up(WARM_UP_SECS, WARM_UP_STEP_SECS).await?;
        Ok(())
    }

    async fn publish(&mut self) -> Outcome<()> {
        self.feeder.publish(self.network, self.world, &self.start, &[]).await
    }

    async fn create_mints(&self) -> Outcome<()> {
        let (payer, cast) = (self.network.payer(), &self.world.cast);
        let authority = cast.payer.key();
        for coin in Coin::ALL {
            let mint = &cast.mints[coin.index()];
            let create = system_instruction::create_account(
                &authority,
                &mint.key(),
                MINT_LAMPORTS,
                MINT_LEN,
                &anchor_spl::token::ID,
            );
            let init =
                built(token::initialize_mint2(&anchor_spl::token::ID, &mint.key(), &authority, None, coin.decimals()));
            self.network.must("a mint", &[create, init], &[payer, mint.pair()]).await?;
        }
        let fund = system_instruction::transfer(&authority, &cast.root.key(), ROOT_LAMPORTS);
        self.network.must("the root's lamports", &[fund], &[]).await
    }

    async fn create_guard(&self) -> Outcome<()> {
        let (world, root) = (self.world, self.world.cast.root.key());
        let args = InitializeGuardArgs { roles: params::roles(&world.cast), bounds: params::bounds() };
        self.by_root("the guard", admin::initialize_guard(root, params::GUARD_ID, args)).await?;
        let set = keepers::initialize_keepers(root, world.guard, params::keepers(&world.cast));
        self.by_root("the keeper set", set).await?;
        for coin in Coin::ALL {
            let (at, reference) = (coin.index(), params::reference());
            let args = RegisterAssetArgs {
                oracle: params::oracle_set(coin, world.oracles[at]),
                reference,
                standby: None,
                peg: params::peg(coin),
                // the demo's story begins with markets that are warm
                warm_up_secs: 0,
                issuer: Issuer::Powerless as u8,
            };
            self.by_root("an asset", admin::register_asset(root, world.guard, world.mints[at].mint, args)).await?;
        }
        for coin in VAULTS {
            let limits = params::limits(Floors::opening());
            let args = InitializeVaultArgs { risk: params::risk(), curve: params::curve(), limits };
            let (collateral, loan) = (world.mints[coin.index()], world.mints[Coin::Usdc.index()]);
            self.by_root("a vault", admin::initialize_vault(root, world.guard, collateral, loan, args)).await?;
        }
        for ((rule, params), id) in world.rules.iter().zip(params::rule_params()).zip(1u16..) {
            self.by_root(&rule.name, admin::create_rule(root, world.guard, rule.subject, id, params)).await?;
        }
        Ok(())
    }

    pub(super) async fn by_root(&self, step: &str, instruction: Instruction) -> Outcome<()> {
        self.network.must(step, &[instruction], &[self.world.cast.root.pair()]).await
    }

    /// Lets `secs` pass in steps, and has the prices observed at each.
    async fn warm_up(&mut self, secs: i64, step_secs: i64) -> Outcome<()> {
        let end_ts = self.network.now().unix_ts + secs;
        while self.network.now().unix_ts < end_ts {
            self.observe_after(step_secs).await?;
        }
        Ok(())
    }

    /// Lets at least `secs` pass, and has new prices observed.
    async fn observe_after(&mut self, secs: i64) -> Outcome<()> {
        let slot_ms = self.network.pace().slot_ms.max(1);
        let slots = u32::try_from((secs.unsigned_abs() * 1_000).div_ceil(slot_ms)).unwrap_or(1).max(1);
        self.network.step(slots).await?;
        self.publish().await?;
        let observed = Coin::ALL.map(|coin| {
            let (asset, mint) = (self.world.asset(coin), self.world.mints[coin.index()].mint);
            evidence::observe(asset, mint, &self.world.oracle_metas(coin))
        });
        self.network.must("an observation", &observed, &[]).await
    }

    /// Opens an owner's token account of a coin and mints into it.
    pub(super) fn token_with(&self, owner: &Pubkey, coin: Coin, amount: u64) -> Vec<Instruction> {
        let (authority, mint) = (self.world.cast.payer.key(), self.world.mints[coin.index()].mint);
        let open = create_associated_token_account_idempotent(&authority, owner, &mint, &anchor_spl::token::ID);
        let account = self.world.token(owner, coin);
        let fill = token::mint_to(&anchor_spl::token::ID, &mint, &account, &authority, &[], amount);
        if amount > 0 { vec![open, built(fill)] } else { vec![open] }
    }

    async fn fund_keepers(&self) -> Outcome<()> {
        for keeper in &self.world.cast.keepers {
            let owner = keeper.key();
            let mut steps = vec![system_instruction::transfer(&self.world.cast.payer.key(), &owner, KEEPER_LAMPORTS)];
            steps.extend(self.token_with(&owner, Coin::Usdc, KEEPER_AMOUNT));
            steps.extend(VAULTS.into_iter().flat_map(|coin| self.token_with(&owner, coin, 0)));
            self.network.must("a keeper's funds", &steps, &[]).await?;
        }
        Ok(())
    }

    async fn lend(&self, lender: &Lender) -> Outcome<()> {
        let (keys, owner) = (&self.world.vaults[lender.vault], lender.key.key());
        let mut steps = self.token_with(&owner, Coin::Usdc, LENT_AMOUNT);
        steps.push(lending::open_position(self.world.cast.payer.key(), owner, keys.vault));
        let args = SupplyArgs { amount: LENT_AMOUNT, min_shares: 1 };
        steps.push(lending::supply(keys, owner, self.world.token(&owner, Coin::Usdc), args));
        self.network.must("a lender's supply", &steps, &[lender.key.pair()]).await
    }

    async fn borrow(&self, borrower: &Borrower) -> Outcome<()> {
        self.post_collateral(borrower.key.pair(), &borrower.key.key(), borrower.vault, borrower.collateral_usd).await?;
        let (keys, owner) = (&self.world.vaults[borrower.vault], borrower.key.key());
        let usd = borrower.collateral_usd * borrower.ltv_bps as f64 / 10_000.0;
        let amount = Coin::Usdc.amount_of_usd(usd, self.start.usd[Coin::Usdc.index()]);
        let (token, oracles) = (self.world.token(&owner, Coin::Usdc), self.world.pair_metas(borrower.vault));
        let borrow = lending::borrow(keys, owner, token, &oracles, amount);
        self.network.must("a borrower's loan", &[borrow], &[borrower.key.pair()]).await
    }

    async fn post_collateral(&self, signer: &Keypair, owner: &Pubkey, vault: usize, usd: f64) -> Outcome<()> {
        let (keys, coin) = (&self.world.vaults[vault], VAULTS[vault]);
        let amount = coin.amount_of_usd(usd, self.start.usd[coin.index()]);
        let mut steps = self.token_with(owner, coin, amount);
        steps.extend(self.token_with(owner, Coin::Usdc, 0));
        steps.push(lending::open_position(self.world.cast.payer.key(), *owner, keys.vault));
        steps.push(lending::deposit_collateral(keys, *owner, self.world.token(owner, coin), *owner, amount));
        self.network.must("a borrower's collateral", &steps, &[signer]).await
    }

    /// Collateral without a debt, and USDC to liquidate others with.
    async fn place_attacker(&self) -> Outcome<()> {
        let attacker = &self.world.cast.attacker;
        self.post_collateral(attacker.pair(), &attacker.key(), 0, ATTACKER_USD).await?;
        let funds = self.token_with(&attacker.key(), Coin::Usdc, LENT_AMOUNT);
        self.network.must("the attacker's funds", &funds, &[]).await
    }

    /// Takes the wide limits of the first day back: the risk admin may tighten at once.
    async fn tighten(&self) -> Outcome<()> {
        for keys in &self.world.vaults {
            self.tighten_vault(keys).await?;
        }
        Ok(())
    }

    async fn tighten_vault(&self, keys: &VaultKeys) -> Outcome<()> {
        let admin_key = &self.world.cast.risk_admin;
        let vault: Vault = accounts::read(self.network, &keys.vault).await?;
        let limits =
            params::limits(Floors::in_force(vault.cash_amount + vault.totals.borrowed_amount, vault.collateral_amount));
        let args = TightenVaultArgs {
            ltv_bps: params::risk().ltv_bps,
            supply_cap_amount: limits.supply_cap_amount,
            borrow_cap_amount: limits.borrow_cap_amount,
            collateral_cap_amount: limits.collateral_cap_amount,
            loan_flow: limits.loan_flow,
            collateral_flow: limits.collateral_flow,
            inflow: limits.inflow,
            scale: params::scale(vault.scale),
        };
        let validity = Validity { authority_epoch: 0, expires_at_ts: self.network.now().unix_ts + 600 };
        let tighten = admin::tighten_vault(admin_key.key(), self.world.guard, keys.vault, args, validity);
        self.network.must("tighter limits", &[tighten], &[admin_key.pair()]).await
    }
}

/// The wall clock, unix seconds.
fn wall_ts() -> i64 {
    i64::try_from(wall_unix_ms() / 1_000).unwrap_or(i64::MAX)
}

/// Instructions of the token program fail to build only for another program's id.
pub(super) fn built<E: std::fmt::Debug>(instruction: Result<Instruction, E>) -> Instruction {
    instruction.expect("the token program's own id")
}
