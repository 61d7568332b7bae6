//! Markets for the guarded swap: the real SPL Token Swap program, and a program that steals; policies and a reserve.

use crate::defaults::{SOL, USDC};
use crate::integrator::fixture;
use crate::keepers::Keepers;
use crate::oracles::Feeds;
use crate::tokens::ACCOUNT_LEN;
use crate::world::{Outcome, User, World, liquidator};
use anchor_spl::token_interface::spl_token_2022::instruction as token;
use rampart::math::Price;
use rampart::oracle::{OracleAccount, PriceBand, read_all};
use rampart::risk::liquidation::{Plan, Subject, plan as plan_of};
use rampart::state::{
    CoverCaps, Prefix, Purpose, Reserve, ReserveAsset, ReserveGrant, ReservePlan, SwapCaller, SwapParams, SwapPolicy,
    Switch,
};
use rampart::{LiquidateArgs, RebalanceArgs};
use rampart_client::swap::{self, PolicyKeys, Routed};
use rampart_client::{AccountMeta, Instruction, MintOf, Pubkey, address};
use solana_sdk::signer::Signer;

/// The address of SPL Token Swap in these worlds.
pub const TOKEN_SWAP: Pubkey = Pubkey::new_from_array([0x51; 32]);
/// The address of the program that steals.
pub const THIEF: Pubkey = Pubkey::new_from_array([0x52; 32]);
/// Bytes of a pool's account: a version and its state.
const POOL_LEN: usize = 324;
/// How a swap's data starts at both programs.
pub const SWAP: u8 = 1;

/// A pool of SPL Token Swap: a constant product, 25 bps for the pool and 5 for its owner.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// Its account.
    pub pool: Pubkey,
    authority: Pubkey,
    /// What it holds of the collateral mint.
    pub sol: Pubkey,
    /// What it holds of the loan mint.
    pub usdc: Pubkey,
    shares: Pubkey,
    fees: Pubkey,
}

/// What the thief does once it has swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theft {
    /// Nothing: it swaps at a price of its own.
    Price = 0,
    /// It becomes the delegate of what came out.
    DelegateOut = 1,
    /// It becomes the delegate of what went in.
    DelegateIn = 2,
    /// It may close what came out.
    CloseAuthority = 3,
    /// It owns what came out.
    OwnOut = 4,
    /// It pays another account.
    Elsewhere = 5,
    /// It closes what went in, and keeps the rent.
    Close = 6,
    /// It owns what went in.
    OwnIn = 7,
    /// It calls the guard.
    Reenter = 8,
    /// It takes the lamports of the escrow's authority.
    EscrowLamports = 9,
    /// It takes the lamports of whoever signed the transaction.
    SignersLamports = 10,
    /// It takes back what it paid.
    PayBack = 11,
    /// It moves another account of the escrow's.
    OtherEscrow = 12,
}

/// The thief's accounts.
#[derive(Clone, Copy, Debug)]
pub struct Thief {
    /// Its authority.
    pub authority: Pubkey,
    /// Its account of the collateral mint.
    pub sol: Pubkey,
    /// Its account of the loan mint, with plenty.
    pub usdc: Pubkey,
    /// Another one of the loan mint.
    pub elsewhere: Pubkey,
}

/// A policy for `program` and both purposes, enabled: a million dollars a swap, ten a day, of which 0.1 % may be lost, at 1 %
/// below the prices, once in five minutes, with two sources above 100,000 dollars.
pub fn params(program: Pubkey) -> SwapParams {
    let mut prefixes = [Prefix::default(); 8];
    prefixes[0] = Prefix { bytes: [SWAP, 0, 0, 0, 0, 0, 0, 0], len: 1 };
    SwapParams {
        program,
        prefixes,
        max_swap_micro_usd: 1_000_000 * USDC,
        max_day_micro_usd: 10_000_000 * USDC,
        loss_day_micro_usd: 10_000 * USDC,
        two_sources_micro_usd: 100_000 * USDC,
        cooldown_secs: 300,
        max_oracle_age_secs: 30,
        max_slippage_bps: 100,
        prefix_count: 1,
        purpose: Purpose::Both as u8,
        caller: SwapCaller::Anyone as u8,
        switch: Switch::Enabled as u8,
        reserved: [0; 2],
    }
}

/// `params` as a policy is created: off, until a change that waits enables it.
pub fn disabled(params: SwapParams) -> SwapParams {
    SwapParams { switch: Switch::Disabled as u8, ..params }
}

/// SOL from one half to nothing, USDC from one half to all; cover of 50,000 USDC a vault, 80,000 a day, 200,000 for life.
pub fn plan() -> ReservePlan {
    let mut weights_bps = [[0; 4]; 6];
    weights_bps[0] = [5_000, 3_000, 1_000, 0];
    weights_bps[1] = [5_000, 7_000, 9_000, 10_000];
    let mut cover = [CoverCaps::default(); 6];
    cover[1] = CoverCaps { vault_amount: 50_000 * USDC, day_amount: 80_000 * USDC, life_amount: 200_000 * USDC };
    ReservePlan { weights_bps, cover, min_improvement_bps: 100, count: 2, quote: 1, scored: 0, reserved: [0; 3] }
}

impl Market {
    /// Returns the route of a swap of `amount` of `from`, which has to bring `min` at the pool itself.
    pub fn route(&self, world: &World, policy: &PolicyKeys, from: MintOf, amount: u64, min: u64) -> Routed {
        let (to, [pool_from, pool_to]) =
            if from == world.sol { (world.usdc, [self.sol, self.usdc]) } else { (world.sol, [self.usdc, self.sol]) };
        let (read, write) = (|key| AccountMeta::new_readonly(key, false), |key| AccountMeta::new(key, false));
        let accounts = vec![
            read(self.pool),
            read(self.authority),
            read(policy.escrow),
            write(policy.token(&from)),
            write(pool_from),
            write(pool_to),
            write(policy.token(&to)),
            write(self.shares),
            write(self.fees),
            read(from.token_program),
        ];
        Routed { accounts, data: [&[SWAP][..], &amount.to_le_bytes(), &min.to_le_bytes()].concat() }
    }
}

impl Thief {
    /// Returns the route of a swap of SOL into USDC that takes `spend`, pays `pay`, and then steals.
    pub fn route(&self, world: &World, policy: &PolicyKeys, theft: Theft, spend: u64, pay: u64) -> Routed {
        let (read, write) = (|key| AccountMeta::new_readonly(key, false), |key| AccountMeta::new(key, false));
        let mut accounts = vec![
            read(policy.escrow),
            write(policy.token(&world.sol)),
            write(policy.token(&world.usdc)),
            write(self.sol),
            write(self.usdc),
            read(self.authority),
            read(world.sol.token_program),
        ];
        let system = read(anchor_lang::system_program::ID);
        match theft {
            Theft::Elsewhere => accounts.push(write(self.elsewhere)),
            Theft::Reenter => accounts.push(read(rampart::ID)),
            Theft::EscrowLamports => accounts.push(system),
            Theft::SignersLamports => accounts.extend([write(world.payer_address()), system]),
            _ => {}
        }
        let data = [&[SWAP, theft as u8][..], &spend.to_le_bytes(), &pay.to_le_bytes()].concat();
        Routed { accounts, data }
    }
}

impl World {
    /// Creates the associated token account of `owner`.
    pub fn create_associated(&mut self, mint: MintOf, owner: Pubkey) -> Pubkey {
        let account = address::associated(&owner, &mint.mint, &mint.token_program);
        let read = |key| AccountMeta::new_readonly(key, false);
        let accounts = vec![
            AccountMeta::new(self.payer_address(), true),
            AccountMeta::new(account, false),
            read(owner),
            read(mint.mint),
            read(anchor_lang::system_program::ID),
            read(mint.token_program),
        ];
        let ix = Instruction { program_id: anchor_spl::associated_token::ID, accounts, data: vec![1] };
        self.send(&[ix], &[]).expect("associated account is created");
        account
    }

    /// Deploys SPL Token Swap and opens a pool with `sol` lamports and `usdc` base units.
    pub fn market(&mut self, sol: u64, usdc: u64) -> Market {
        self.svm.add_program(TOKEN_SWAP, &fixture("token-swap")).expect("the fixture loads");
        let pool = self.new_key().pubkey();
        self.put_account(pool, TOKEN_SWAP, vec![0; POOL_LEN]);
        let (authority, _) = Pubkey::find_program_address(&[pool.as_ref()], &TOKEN_SWAP);
        let (sol_mint, usdc_mint, owner) = (self.sol, self.usdc, self.payer_address());
        let sol = self.create_token_account(sol_mint, authority, sol);
        let usdc = self.create_token_account(usdc_mint, authority, usdc);
        let shares = self.mint_of(authority);
        let of_shares = MintOf { mint: shares, token_program: anchor_spl::token::ID };
        let fees = self.create_token_account(of_shares, owner, 0);
        let first = self.create_token_account(of_shares, owner, 0);
        let (read, write) = (|key| AccountMeta::new_readonly(key, false), |key| AccountMeta::new(key, false));
        let accounts = vec![
            write(pool),
            read(authority),
            read(sol),
            read(usdc),
            write(shares),
            read(fees),
            write(first),
            read(anchor_spl::token::ID),
        ];
        // initialize: trading fee, owner's fee, fee of withdrawals, host's part; then a constant product
        let fees_of_pool: [u64; 8] = [25, 10_000, 5, 10_000, 0, 0, 20, 100];
        let mut data = vec![0];
        fees_of_pool.iter().for_each(|number| data.extend_from_slice(&number.to_le_bytes()));
        data.extend_from_slice(&[0; 33]);
        self.send(&[Instruction { program_id: TOKEN_SWAP, accounts, data }], &[]).expect("pool is opened");
        Market { pool, authority, sol, usdc, shares, fees }
    }

    /// A mint of SPL Token whose authority is `authority`.
    fn mint_of(&mut self, authority: Pubkey) -> Pubkey {
        let mint = self.new_key();
        let create = self.create_account_ix(&mint.pubkey(), 82, anchor_spl::token::ID);
        let init = token::initialize_mint2(&anchor_spl::token::ID, &mint.pubkey(), &authority, None, 6);
        self.send(&[create, init.expect("valid mint")], &[&mint]).expect("mint is created");
        mint.pubkey()
    }

    /// Deploys the thief, with a million USDC to lure with.
    pub fn thief(&mut self) -> Thief {
        self.svm.add_program(THIEF, &fixture("thief")).expect("the fixture loads");
        let (authority, _) = Pubkey::find_program_address(&[b"thief"], &THIEF);
        let (sol, usdc) = (self.sol, self.usdc);
        Thief {
            authority,
            sol: self.create_token_account(sol, authority, 0),
            usdc: self.create_token_account(usdc, authority, 1_000_000 * USDC),
            elsewhere: self.create_token_account(usdc, authority, 0),
        }
    }

    /// Creates policy `id` and its escrow's accounts of both mints. It holds `params` as if their change had waited: the time
    /// of these worlds stands still.
    pub fn swap_policy(&mut self, id: u16, params: SwapParams) -> PolicyKeys {
        let ix = swap::create_swap_policy(self.root.pubkey(), self.guard, id, disabled(params), self.validity());
        self.send_as_root(&[ix]).expect("policy is created");
        let keys = PolicyKeys::derive(&self.guard, id, params.program);
        let policy = SwapPolicy { params, ..self.policy(&keys) };
        self.store(&keys.policy, &policy);
        for mint in [self.sol, self.usdc] {
            self.create_associated(mint, keys.escrow);
        }
        keys
    }

    /// Returns a policy.
    pub fn policy(&self, keys: &PolicyKeys) -> SwapPolicy {
        self.load(&keys.policy)
    }

    /// Sets whether the reserve meets the vault's bad debt, as if the change had waited.
    pub fn set_cover(&mut self, switch: Switch) {
        let mut vault = self.vault();
        vault.cover = switch as u8;
        self.store(&self.keys.vault.clone(), &vault);
    }

    /// Creates the guard's reserve of SOL and USDC by `plan`, with both accounts, funds it, and lets it cover the vault.
    pub fn open_reserve(&mut self, plan: ReservePlan, sol: u64, usdc: u64) -> Pubkey {
        self.set_cover(Switch::Enabled);
        let mints = [self.sol.mint, self.usdc.mint];
        let ix = swap::initialize_reserve(self.root.pubkey(), self.guard, &mints, plan, self.validity());
        self.send_as_root(&[ix]).expect("reserve is created");
        let reserve = address::reserve(&self.guard);
        for (mint, amount) in [(self.sol, sol), (self.usdc, usdc)] {
            self.create_associated(mint, reserve);
            if amount > 0 {
                let ix = self.fund_ix(mint, amount);
                self.send(&[ix], &[]).expect("reserve is funded");
            }
        }
        reserve
    }

    /// Returns the instruction by which the payer puts `amount` of new tokens into the reserve.
    pub fn fund_ix(&mut self, mint: MintOf, amount: u64) -> Instruction {
        let payer = self.payer_address();
        let from = self.create_token_account(mint, payer, amount);
        swap::fund_reserve(payer, self.guard, mint, from, amount)
    }

    /// Returns the reserve.
    pub fn reserve(&self) -> Reserve {
        self.load(&address::reserve(&self.guard))
    }

    /// Returns what the reserve holds by its books: SOL, USDC.
    pub fn reserve_books(&self) -> [u64; 2] {
        let all: Vec<ReserveAsset> = self.reserve().active().to_vec();
        [all[0].accounted_amount, all[1].accounted_amount]
    }

    /// Returns the reserve's token accounts: SOL, USDC.
    pub fn reserve_tokens(&self) -> [Pubkey; 2] {
        let reserve = address::reserve(&self.guard);
        [self.sol, self.usdc].map(|mint| address::associated(&reserve, &mint.mint, &mint.token_program))
    }

    /// Returns what a rebalance is judged on; with the reports of `keepers` where there are any.
    pub fn basket_evidence(&self, keepers: Option<&Keepers>) -> Vec<AccountMeta> {
        let keys: Option<Vec<Pubkey>> = keepers.map(|k| k.keys.iter().map(Signer::pubkey).collect());
        self.basket_evidence_of(keys.as_deref())
    }

    /// As [`World::basket_evidence`], by the keepers' addresses.
    pub fn basket_evidence_of(&self, keepers: Option<&[Pubkey]>) -> Vec<AccountMeta> {
        let read = |key| AccountMeta::new_readonly(key, false);
        let (sol, usdc) = (self.keys.collateral_asset, self.keys.loan_asset);
        let mut all = vec![read(sol)];
        all.extend(self.sol_feeds.metas());
        all.push(read(usdc));
        all.extend(self.usdc_feeds.metas());
        if let Some(keepers) = keepers {
            all.push(read(address::keeper_set(&self.guard)));
            all.extend(keepers.iter().map(|key| read(address::report(&sol, key))));
        }
        all
    }

    /// Returns the rebalance of `amount` SOL into USDC by the payer along `route`, at the policy's present fence.
    pub fn sell_sol_ix(
        &self,
        policy: &PolicyKeys,
        keepers: Option<&Keepers>,
        amount: u64,
        route: Routed,
    ) -> Instruction {
        self.rebalance_ix(policy, keepers, (self.sol, self.usdc), amount, route)
    }

    /// As [`World::sell_sol_ix`], of any pair.
    pub fn rebalance_ix(
        &self,
        policy: &PolicyKeys,
        keepers: Option<&Keepers>,
        (from, to): (MintOf, MintOf),
        amount: u64,
        route: Routed,
    ) -> Instruction {
        let index = |mint: MintOf| u8::from(mint == self.usdc);
        let args = RebalanceArgs {
            counter: self.policy(policy).counter,
            amount,
            min_out_amount: 0,
            from: index(from),
            to: index(to),
            route: route.data,
        };
        let evidence = self.basket_evidence(keepers);
        swap::rebalance(self.payer_address(), self.guard, policy, (from, to), &evidence, args, &route.accounts)
    }

    /// Returns what a liquidation of `position` repays and seizes now, where it has to be liquidated: at the owner's end of
    /// the price.
    pub fn liquidation_plan(&self, position: &Pubkey, max_repay_amount: u64) -> Option<Plan> {
        let (mut vault, position) = (self.vault(), self.position(position));
        vault.accrue(self.now_ts()).ok()?;
        let (sol, usdc) = (self.band(&self.sol_feeds)?, self.band(&self.usdc_feeds)?);
        let price = Price::pair(sol.hi, 9, usdc.lo, 6).ok()?;
        let subject = Subject { debt: vault.debt_of(&position).ok()?, collateral: position.collateral_amount, price };
        plan_of(subject, &vault.risk, max_repay_amount).ok()
    }

    /// Returns the price on which an asset's feeds agree, if they do.
    pub fn band(&self, feeds: &Feeds) -> Option<PriceBand> {
        let [pyth, switchboard] = [feeds.pyth, feeds.switchboard].map(|key| Some((key, self.svm.get_account(&key)?)));
        let accounts = [pyth?, switchboard?];
        let read = accounts.each_ref().map(|(key, a)| OracleAccount { key, owner: &a.owner, data: &a.data });
        let (set, now_ts) = (feeds.set(), self.now_ts());
        read_all(&set, &read, now_ts).ok()?.band(&set, now_ts).ok()
    }

    /// Returns the liquidation of `position` by `by` along `route`, at the position's present fence.
    pub fn swap_liquidation_ix(&self, by: &User, position: Pubkey, policy: &PolicyKeys, route: Routed) -> Instruction {
        let args = self.liquidate_args(position, u64::MAX);
        self.swap_liquidation_with(by, position, policy, &self.pair_oracles(), args, route)
    }

    /// As [`World::swap_liquidation_ix`], with other evidence and arguments.
    pub fn swap_liquidation_with(
        &self,
        by: &User,
        position: Pubkey,
        policy: &PolicyKeys,
        evidence: &[AccountMeta],
        args: LiquidateArgs,
        route: Routed,
    ) -> Instruction {
        swap::liquidate_by_swap(&self.keys, position, liquidator(by), policy, evidence, (args, route), 0)
    }

    /// Grants `amount` of the asset at `index` to `destination`, by a change that waited.
    pub fn grant(&mut self, index: u8, destination: Pubkey, amount: u64) -> Outcome {
        let grant = ReserveGrant { destination, amount, index, reserved: [0; 7] };
        let key = self.propose(address::reserve(&self.guard), rampart::state::Change::ReserveGrant(grant));
        self.ripen();
        self.execute(key, &[])
    }
}

/// Returns the compute units that a landed transaction used beyond those of `program`, whom it called once.
///
/// # Panics
/// If it failed, or called `program` otherwise.
#[track_caller]
pub fn units_beyond(outcome: Outcome, program: &Pubkey) -> u64 {
    let landed = outcome.unwrap_or_else(|e| panic!("{:?}\n{}", e.err, e.meta.logs.join("\n")));
    let start = format!("Program {program} consumed ");
    let of = |line: &String| line.strip_prefix(&start).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    let used: Vec<u64> = landed.logs.iter().filter_map(of).collect();
    assert_eq!(used.len(), 1, "one call of the route's program: {:?}", landed.logs);
    landed.compute_units_consumed - used[0]
}

/// Ten SOL.
pub const TEN_SOL: u64 = 10 * SOL;
/// Bytes of a token account without extensions.
pub const TOKEN_LEN: usize = ACCOUNT_LEN as usize;
