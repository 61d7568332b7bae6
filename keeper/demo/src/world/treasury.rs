//! Puts the pool, the swap policy and the reserve on the chain, and has what they are for wait as governance would.

use crate::accounts;
use crate::error::Outcome;
use crate::world::build::{MINT_LAMPORTS, MINT_LEN, SetUp, built};
use crate::world::pool::{self, DEPTH_USD, SHARE_DECIMALS, TOKEN_SWAP};
use crate::world::{Coin, params};
use anchor_lang::solana_program::system_instruction;
use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent;
use anchor_spl::token::spl_token::instruction as token;
use rampart::Validity;
use rampart::state::{Change, Guard, PendingChange, SwapParams, Switch};
use rampart_client::{Pubkey, address, control, swap};

/// Rent of the pool's account, and more.
const POOL_LAMPORTS: u64 = 10_000_000;
/// How many times the pool's depth its maker has.
const MAKER_TIMES: f64 = 20.0;

impl SetUp<'_> {
    /// Deploys the pool's program, opens the pool, and lets the guard have a reserve. That it may swap there, and that it meets
    /// bad debt, is proposed: see [`SetUp::enable_treasury`].
    pub(super) async fn open_treasury(&self) -> Outcome<()> {
        self.network.deploy(&TOKEN_SWAP, &pool::program()).await?;
        self.network.step(2).await?;
        self.open_pool().await?;
        let (root, guard) = (self.world.cast.root.key(), self.world.guard);
        let validity = Validity { authority_epoch: 0, expires_at_ts: self.network.now().unix_ts + 600 };
        let off = SwapParams { switch: Switch::Disabled as u8, ..params::swap_policy() };
        let policy = swap::create_swap_policy(root, guard, params::POLICY_ID, off, validity);
        self.by_root("the swap policy", policy).await?;
        let mints = params::BASKET.map(|coin| self.world.mints[coin.index()].mint);
        let reserve = swap::initialize_reserve(root, guard, &mints, params::reserve_plan(), validity);
        self.by_root("the reserve", reserve).await?;
        let payer = self.network.payer_key();
        for coin in params::BASKET {
            let amount = self.worth(coin, params::RESERVE_USD);
            let mut steps = self.token_with(&self.world.policy.escrow, coin, 0);
            steps.extend(self.token_with(&address::reserve(&guard), coin, 0));
            steps.extend(self.token_with(&payer, coin, amount));
            let (mint, from) = (self.world.mints[coin.index()], self.world.token(&payer, coin));
            steps.push(swap::fund_reserve(payer, guard, mint, from, amount));
            self.network.must("the reserve's funds", &steps, &[]).await?;
        }
        for (target, [now, next]) in self.changes() {
            let state: Guard = accounts::read(self.network, &guard).await?;
            let ix = control::propose_change((guard, &state), target, (now, next), validity, &[]);
            self.by_root("a change that waits", ix).await?;
        }
        Ok(())
    }

    /// What waits: the policy is enabled, and the reserve covers every vault.
    fn changes(&self) -> Vec<(Pubkey, [Change; 2])> {
        let off = SwapParams { switch: Switch::Disabled as u8, ..params::swap_policy() };
        let policy = (self.world.policy.policy, [Change::SwapPolicy(off), Change::SwapPolicy(params::swap_policy())]);
        let cover = [Switch::Disabled, Switch::Enabled].map(|switch| Change::VaultCover(switch as u8));
        let vaults = self.world.vaults.iter().map(|keys| (keys.vault, cover));
        std::iter::once(policy).chain(vaults).collect()
    }

    /// Executes what has waited for the guard's delay: anyone may.
    pub(super) async fn enable_treasury(&self) -> Outcome<()> {
        for id in (0u64..).take(self.changes().len()) {
            let key = address::change(&self.world.guard, id);
            let pending: PendingChange = accounts::read(self.network, &key).await?;
            let ix = control::execute_change(key, &pending, &[]);
            self.network.must("a change that has waited", &[ix], &[]).await?;
        }
        Ok(())
    }

    async fn open_pool(&self) -> Outcome<()> {
        let (cast, keys, payer) = (&self.world.cast, &self.world.pool, self.network.payer_key());
        let [account, shares] = &cast.pool;
        let create = system_instruction::create_account;
        let steps = [
            create(&payer, &keys.pool, POOL_LAMPORTS, pool::LEN, &TOKEN_SWAP),
            create(&payer, &keys.shares, MINT_LAMPORTS, MINT_LEN, &anchor_spl::token::ID),
            built(token::initialize_mint2(&anchor_spl::token::ID, &keys.shares, &keys.authority, None, SHARE_DECIMALS)),
        ];
        self.network.must("the pool's accounts", &steps, &[account.pair(), shares.pair()]).await?;
        let root = cast.root.key();
        let associated =
            |owner| create_associated_token_account_idempotent(&payer, owner, &keys.shares, &anchor_spl::token::ID);
        let mut steps = vec![associated(&payer), associated(&root)];
        for coin in params::BASKET {
            steps.extend(self.token_with(&keys.authority, coin, self.worth(coin, DEPTH_USD)));
        }
        self.network.must("the pool's tokens", &steps, &[]).await?;
        let first = anchor_spl::associated_token::get_associated_token_address(&root, &keys.shares);
        self.network.must("the pool", &[keys.initialize(first)], &[]).await?;
        let maker = cast.maker.key();
        let held = params::BASKET.map(|coin| self.token_with(&maker, coin, self.worth(coin, MAKER_TIMES * DEPTH_USD)));
        self.network.must("the maker's tokens", &held.concat(), &[]).await
    }

    fn worth(&self, coin: Coin, usd: f64) -> u64 {
        coin.amount_of_usd(usd, self.start.usd[coin.index()])
    }
}
