//! Where sequences swap: a market, a thief, the policies that allow them, and the reserve's accounts.

use crate::sequences::action::{Action, Kind};
use crate::sequences::stage::{Owner, Stage};
use rampart::RebalanceArgs;
use rampart::state::{CoverCaps, Reserve, ReservePlan, SwapCaller, SwapParams, Switch};
use rampart_client::liquidation::Liquidator;
use rampart_client::swap::{self, PolicyKeys, Routed};
use rampart_client::{AccountMeta, Instruction, Pubkey, address};
use rampart_tests::World;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::swaps::{Market, THIEF, TOKEN_SWAP, Theft, Thief, params, plan};

/// What the market holds of the collateral: so much that a swap hardly moves it.
const DEPTH: u64 = 1_000_000 * SOL;
/// Policies that swaps go by: the market for anyone, the market for keepers, and the thief.
const POLICIES: usize = 3;
const OF_KEEPERS: usize = 1;
const OF_THIEF: usize = 2;
/// What a thief does beside paying too little.
const THEFTS: [Theft; 12] = [
    Theft::DelegateOut,
    Theft::DelegateIn,
    Theft::CloseAuthority,
    Theft::OwnOut,
    Theft::Elsewhere,
    Theft::Close,
    Theft::OwnIn,
    Theft::Reenter,
    Theft::EscrowLamports,
    Theft::SignersLamports,
    Theft::PayBack,
    Theft::OtherEscrow,
];

/// Who swaps, by which policies.
pub struct Desk {
    market: Market,
    thief: Thief,
    /// The policies with an escrow.
    pub policies: [PolicyKeys; POLICIES],
    /// Where grants of the reserve go: collateral mint, loan mint.
    pub treasury: [Pubkey; 2],
}

/// Small, so that each limit binds: 60,000 dollars a swap and 100,000 a day, of which 500 may be lost.
fn small(program: Pubkey) -> SwapParams {
    SwapParams {
        max_swap_micro_usd: 60_000 * USDC,
        max_day_micro_usd: 100_000 * USDC,
        loss_day_micro_usd: 500 * USDC,
        two_sources_micro_usd: 20_000 * USDC,
        ..params(program)
    }
}

impl Desk {
    /// Opens the market, lets the thief in, and creates their policies and the reserve's token accounts.
    pub fn open(world: &mut World, treasurer: Pubkey) -> Self {
        let market = world.market(DEPTH, DEPTH / 1_000 * 150);
        let thief = world.thief();
        let keepers = SwapParams { caller: SwapCaller::Keepers as u8, ..small(TOKEN_SWAP) };
        let wide = SwapParams { max_slippage_bps: 500, ..small(THIEF) };
        let mut id = 0;
        let policies = [small(TOKEN_SWAP), keepers, wide].map(|params| {
            id += 1;
            world.swap_policy(id, params)
        });
        let (mints, reserve) = ([world.sol, world.usdc], address::reserve(&world.guard));
        for mint in mints {
            world.create_associated(mint, reserve);
        }
        world.set_cover(Switch::Enabled);
        let treasury = mints.map(|mint| world.create_token_account(mint, treasurer, 0));
        Self { market, thief, policies, treasury }
    }

    /// Accounts of the market and of the thief: collateral mint, loan mint.
    pub fn traders(&self) -> [[Pubkey; 2]; 2] {
        [[self.market.sol, self.market.usdc], [self.thief.sol, self.thief.usdc]]
    }

    /// Accounts of all escrows.
    pub fn escrows<'a>(&'a self, world: &'a World) -> impl Iterator<Item = Pubkey> + 'a {
        self.policies.iter().flat_map(|policy| [world.sol, world.usdc].map(|mint| policy.token(&mint)))
    }
}

/// Whether a swap goes through the thief: an honest step that the route may break in ways of its own.
pub fn is_thieving(action: &Action) -> bool {
    matches!(action.kind, Kind::Rebalance | Kind::LiquidateBySwap) && policy_of(action.b) == OF_THIEF
}

fn policy_of(number: u32) -> usize {
    [0, 0, 0, 0, OF_KEEPERS, OF_KEEPERS, OF_THIEF, OF_THIEF][(number / 2 % 8) as usize]
}

/// Cover of which the cap of the vault, of the day or for life binds.
fn plan_with_caps(number: u32) -> ReservePlan {
    let mut plan = plan();
    let (tight, wide) = (150 * USDC, 10_000 * USDC);
    let cap = |which: u32| if number % 3 == which { tight } else { wide };
    plan.cover[1] = CoverCaps { vault_amount: cap(0), day_amount: cap(1), life_amount: cap(2) };
    plan
}

impl Stage {
    /// Tells whether the guard has a reserve.
    pub fn has_reserve(&self) -> bool {
        self.world.exists(&address::reserve(&self.world.guard))
    }

    /// The market trades at the price, or as far from it as it strays.
    pub fn move_market(&mut self) {
        let dollars = self.model.dollars * (10_000 + self.model.market_bps) as f64 / 10_000.0;
        let [sol, usdc] = self.cast.desk.traders()[0];
        self.world.set_balance(&sol, DEPTH);
        self.world.set_balance(&usdc, (DEPTH as f64 / 1_000.0 * dollars) as u64);
    }

    /// A gift to the reserve, which no book may count.
    pub fn give_to_reserve(&mut self, action: &Action) {
        let key = self.world.reserve_tokens()[(action.b % 2) as usize];
        let amount = self.world.balance(&key) + 1 + u64::from(action.b % 1_000_000_000);
        self.world.set_balance(&key, amount);
    }

    /// What a liquidation's bad debt is covered by; left out now and then.
    pub fn cover(&self, number: u32) -> Vec<AccountMeta> {
        let is_there = self.has_reserve() && number % 16 != 15;
        if is_there { swap::cover(&self.world.guard, &self.world.usdc).to_vec() } else { vec![] }
    }

    /// Returns what a step about the reserve tries.
    pub fn reserve_step(&self, action: &Action) -> Option<Instruction> {
        let w = &self.world;
        if action.kind == Kind::InitializeReserve {
            let (mints, plan) = ([w.sol.mint, w.usdc.mint], plan_with_caps(action.b));
            return Some(swap::initialize_reserve(self.root(), w.guard, &mints, plan, self.validity()));
        }
        if !self.has_reserve() {
            return None;
        }
        Some(match action.kind {
            Kind::FundReserve => {
                let o = self.owner(action.a);
                let (mint, from, amount) = match action.b % 2 {
                    0 => (w.sol, o.sol, (100 + u64::from(action.a % 300)) * SOL),
                    _ => (w.usdc, o.usdc, u64::from(action.a % 30_000) * USDC),
                };
                swap::fund_reserve(o.address, w.guard, mint, from, amount)
            }
            Kind::WithdrawReserve => {
                let reserve = w.reserve();
                let mint = if reserve.grant.index == 0 { w.sol } else { w.usdc };
                let mut ix = swap::withdraw_reserve(address::reserve(&w.guard), &reserve, mint);
                if reserve.grant.amount == 0 {
                    // nothing was granted, and somebody tries all the same
                    ix.accounts[3].pubkey = self.cast.desk.treasury[usize::from(reserve.grant.index != 0)];
                }
                ix
            }
            _ => self.rebalance(action),
        })
    }

    /// Where the basket should be: the share of the collateral, by the level and what a keeper said last.
    fn aimed_share(&self, reserve: &Reserve) -> f64 {
        let (w, k) = (&self.world, &self.world.keys);
        let level = self.model.scopes.of(&[w.guard, k.collateral_asset], w.now_ts()).risk;
        let score = self.model.swaps.scores.last().map_or(0, |said| said.score_bps);
        let quote = usize::from(reserve.plan.quote);
        f64::from(rampart::risk::basket::targets(&reserve.plan.weights_bps, quote, level, score)[0]) / 10_000.0
    }

    fn rebalance(&self, action: &Action) -> Instruction {
        let (w, desk) = (&self.world, &self.cast.desk);
        let reserve = w.reserve();
        let books = w.reserve_books();
        let price = self.model.dollars / 1_000.0;
        let worth = [books[0] as f64 * price, books[1] as f64];
        let excess = worth[0] - self.aimed_share(&reserve) * (worth[0] + worth[1]);
        let part = [0.98, 0.9, 0.5, 0.1, 1.1][(action.a / 32 % 5) as usize];
        // now and then the wrong way
        let is_sale = (excess > 0.0) != (action.b % 256 == 255);
        let wanted = excess.abs() * part;
        let (from, to, amount) = if is_sale { (w.sol, w.usdc, wanted / price) } else { (w.usdc, w.sol, wanted) };
        let amount = (amount as u64).max(1);
        let which = policy_of(action.b);
        let route = self.route(which, action.b / 16, is_sale, amount);
        let policy = &desk.policies[which];
        let keepers: Vec<Pubkey> = w.keeper_set().active().iter().map(|m| m.key).collect();
        let caller = if which == OF_KEEPERS || action.a.is_multiple_of(2) {
            keepers.get(action.a as usize / 2 % keepers.len().max(1)).copied().unwrap_or(self.cast.keepers[0])
        } else {
            self.owner(action.a).address
        };
        let counter = w.policy(policy).counter;
        let index = |is_sol: bool| u8::from(!is_sol);
        let args = RebalanceArgs {
            counter,
            amount,
            min_out_amount: 0,
            from: index(is_sale),
            to: index(!is_sale),
            route: route.data,
        };
        let said = (action.a % 16 != 15).then_some(&keepers[..]);
        swap::rebalance(caller, w.guard, policy, (from, to), &w.basket_evidence_of(said), args, &route.accounts)
    }

    /// The route of a policy: along the market, or through a thief who pays about what has to be paid.
    fn route(&self, which: usize, number: u32, is_sale: bool, amount: u64) -> Routed {
        let (w, desk) = (&self.world, &self.cast.desk);
        let policy = &desk.policies[which];
        if which != OF_THIEF {
            return desk.market.route(w, policy, if is_sale { w.sol } else { w.usdc }, amount, 0);
        }
        let theft = if number.is_multiple_of(4) { THEFTS[(number / 4 % 12) as usize] } else { Theft::Price };
        let fair = amount as f64 * self.model.dollars / 1_000.0;
        let pay = fair * f64::from(10_100 - number / 64 % 800) / 10_000.0;
        desk.thief.route(w, policy, theft, amount, pay as u64)
    }

    /// Returns a liquidation with the seized collateral itself.
    pub fn liquidation_by_swap(&self, action: &Action) -> Option<Instruction> {
        let (w, k) = (&self.world, &self.world.keys);
        let of: &Owner = &self.cast.owners[(1 + action.b % 2) as usize];
        let liquidation_seq = self.position_of(of)?.liquidation_seq;
        let max_repay_amount = u64::MAX;
        let seized = w.liquidation_plan(&of.position, max_repay_amount).map_or(1, |plan| plan.seize_amount);
        let which = policy_of(action.b);
        let route = self.route(which, action.b / 16, true, seized.max(1));
        let by = self.owner(action.a);
        let by = Liquidator { authority: by.address, loan_token: by.usdc, collateral_token: by.sol };
        let args = rampart::LiquidateArgs { liquidation_seq, max_repay_amount, min_seize_amount: 0 };
        let evidence = [w.pair_oracles(), self.cover(action.b / 16)].concat();
        Some(swap::liquidate_by_swap(k, of.position, by, &self.cast.desk.policies[which], &evidence, (args, route), 0))
    }
}
