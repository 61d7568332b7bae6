//! From a step to the instructions that try it.

use crate::sequences::action::{Action, Kind};
use crate::sequences::stage::{Owner, Stage, open_ix};
use rampart::state::{Position, TicketSide, WithdrawTicket};
use rampart::{ClaimWithdrawalArgs, LiquidateArgs, SupplyArgs, Validity, WithdrawArgs};
use rampart_client::exit::Claimed;
use rampart_client::liquidation::{self, Liquidator};
use rampart_client::{AccountMeta, Instruction, Pubkey, exit, lending};
use rampart_tests::defaults;
use rampart_tests::officers::Officer;

/// A share of `amount`, bps.
pub fn part(amount: u64, bps: u32) -> u64 {
    (u128::from(amount) * u128::from(bps) / 10_000) as u64
}

/// One, all, or a share.
fn share(amount: u64, number: u32) -> u64 {
    match number % 5 {
        0 => amount,
        1 => amount.min(1 + u64::from(number % 1_000)),
        _ => part(amount, number % 10_000),
    }
}

impl Stage {
    /// Returns what tries the step, before anybody meddles with it; `None` where there is nothing to try it on.
    pub fn instructions(&self, action: &Action) -> Option<Vec<Instruction>> {
        use Kind as K;
        let one = match action.kind {
            K::Supply | K::Withdraw | K::Deposit | K::TakeOut | K::Borrow | K::Repay | K::Accrue => self.lend(action),
            K::LiquidateBySwap => self.liquidation_by_swap(action)?,
            K::InitializeReserve | K::FundReserve | K::Rebalance | K::WithdrawReserve => self.reserve_step(action)?,
            K::Open | K::Close | K::Liquidate | K::Deleverage | K::MarkHalt => self.position_step(action),
            K::Request | K::Claim | K::ClaimCollateral | K::Cancel | K::RecordShortfall => self.exit_step(action),
            K::EnterResolution | K::LeaveResolution | K::ClaimResolution => self.resolution(action),
            K::Observe | K::ObserveRule | K::Trip | K::StepDown | K::Reset => self.evidence(action),
            K::TripGroup | K::StepDownGroup => return Some(self.group_step(action)),
            K::OpenReport | K::SubmitReport | K::SetKeepers | K::InitializeKeepers | K::ScaleRisk => {
                self.keeper_step(action)?
            }
            K::Pause | K::Halt | K::Lift => self.pause_step(action),
            K::TightenVault | K::TightenRule | K::TightenIntegration => self.tighten(action),
            K::SetBounty | K::WithdrawBounty | K::InitializeBounty => self.bounty_step(action)?,
            K::NarrowBounds | K::FreezeForever => self.forever(action),
            K::OpenCensus | K::CountCensus | K::CloseCensus => self.census_step(action)?,
            K::InitializeAggregate | K::TightenAggregate | K::Lease | K::ReturnLease => self.lease_step(action)?,
            K::CreateSwapPolicy | K::TightenSwapPolicy => self.policy_step(action)?,
            K::ActivateStandby => self.standby_step(action),
            K::Propose => self.proposal(action),
            K::Execute | K::AcceptRoot | K::Veto | K::CancelChange => return self.change_step(action),
            K::Check | K::Enforce | K::Record | K::CustodyTransfer | K::CustodyMint => self.place_step(action),
            K::RegisterIntegration | K::InitializeGuard | K::RegisterAsset | K::InitializeVault => {
                self.create(action)?
            }
            K::CreateRule | K::CreateGroup => self.create(action)?,
            K::MigrateVault => self.migration(action),
            _ => return None,
        };
        Some(self.lease_before(action).into_iter().chain([one]).collect())
    }

    /// The owner that a number names; the newcomer less often than the others.
    pub fn owner(&self, number: u32) -> &Owner {
        &self.cast.owners[match number % 10 {
            0..=2 => 0,
            3..=5 => 1,
            6..=8 => 2,
            _ => 3,
        }]
    }

    /// As [`Stage::owner`], but mostly one whose position `has` something.
    fn holder(&self, number: u32, has: impl Fn(&Position) -> bool) -> &Owner {
        let named = self.owner(number);
        let holds = |o: &&Owner| self.position_of(o).is_some_and(|p| has(&p));
        let start = number as usize % self.cast.owners.len();
        let mut others = self.cast.owners.iter().cycle().skip(start).take(self.cast.owners.len());
        if number.is_multiple_of(8) { named } else { others.find(holds).unwrap_or(named) }
    }

    /// The position of an owner, if it is open.
    pub fn position_of(&self, owner: &Owner) -> Option<Position> {
        self.world.exists(&owner.position).then(|| self.world.position(&owner.position))
    }

    /// The root of now.
    pub fn root(&self) -> Pubkey {
        self.world.guard_state().roles.root
    }

    /// The risk admin of the first roles.
    pub fn admin(&self) -> Pubkey {
        solana_sdk::signer::Signer::pubkey(&self.world.risk_admin)
    }

    /// A validity of a minute.
    pub fn validity(&self) -> Validity {
        self.world.validity()
    }

    /// What a position owes now.
    pub fn debt(&self, position: &Position) -> u64 {
        let mut vault = self.world.vault();
        vault.accrue(self.world.now_ts()).map_or(0, |_| vault.debt_of(position).unwrap_or(0))
    }

    fn lend(&self, action: &Action) -> Instruction {
        let o = match action.kind {
            Kind::Withdraw => self.holder(action.a, |p| p.supply_shares.get() > 0),
            Kind::TakeOut | Kind::Borrow => self.holder(action.a, |p| p.collateral_amount > 0),
            Kind::Repay => self.holder(action.a, |p| p.debt_scaled.get() > 0),
            _ => self.owner(action.a),
        };
        let (w, n) = (&self.world, action.b);
        let (k, oracles) = (&w.keys, w.pair_oracles());
        let position = self.position_of(o);
        let shares = position.map_or(1, |p| p.supply_shares.get());
        let collateral = position.map_or(1, |p| p.collateral_amount);
        match action.kind {
            Kind::Supply => {
                let amount = share(w.balance(&o.usdc), n);
                lending::supply(k, o.address, o.usdc, SupplyArgs { amount, min_shares: 0 })
            }
            Kind::Withdraw => {
                let some = match n % 5 {
                    0 => shares,
                    // a share of what may leave in an hour
                    1 => self.shares_of_limit(n / 5 % 7_000).min(shares),
                    _ => shares / 10_000 * u128::from(n % 10_000) / (1 + u128::from(n % 3) * 40),
                };
                lending::withdraw(k, o.address, o.usdc, WithdrawArgs { shares: some, min_amount: 0 })
            }
            Kind::Deposit => {
                let amount = share(w.balance(&o.sol).min(400_000_000_000), n);
                lending::deposit_collateral(k, o.address, o.sol, o.address, amount)
            }
            Kind::TakeOut => lending::withdraw_collateral(k, o.address, o.sol, &oracles, share(collateral, n)),
            Kind::Borrow => {
                let worth = collateral as f64 / defaults::SOL as f64 * w.sol_price();
                let most = (worth * 0.75) as u64 * defaults::USDC;
                let owed = position.map_or(0, |p| self.debt(&p));
                lending::borrow(k, o.address, o.usdc, &oracles, share(most.saturating_sub(owed), n))
            }
            Kind::Repay => {
                let owed = position.map_or(1, |p| self.debt(&p));
                lending::repay(k, o.address, o.usdc, o.address, share(owed, n))
            }
            _ => lending::accrue(k.vault),
        }
    }

    /// The shares that are worth a part of what exits have in an hour.
    fn shares_of_limit(&self, bps: u32) -> u128 {
        let (snap, mut vault) = (self.snap(), self.world.vault());
        let amount = part(snap.allowed().0.exit.0, bps);
        let worth = vault.accrue(snap.now).ok().and_then(|()| vault.lenders_amount().ok()).unwrap_or(0);
        vault.supply_shares.get() * u128::from(amount) / u128::from(worth.max(1))
    }

    fn position_step(&self, action: &Action) -> Instruction {
        let (w, k) = (&self.world, &self.world.keys);
        let newcomer = &self.cast.owners[3];
        match action.kind {
            Kind::Open => open_ix(w, newcomer),
            Kind::Close => lending::close_position(newcomer.address, k.vault),
            Kind::MarkHalt => liquidation::mark_halt(k),
            kind => {
                let (by, of) = (self.owner(action.a), &self.cast.owners[[1, 2, 1, 2, 0, 3][(action.b % 6) as usize]]);
                let position = self.position_of(of);
                let owed = position.map_or(1, |p| self.debt(&p));
                let max_repay_amount = if action.b & 8 == 0 { u64::MAX } else { share(owed, action.b / 16) };
                let liquidation_seq = position.map_or(0, |p| p.liquidation_seq);
                let args = LiquidateArgs { liquidation_seq, max_repay_amount, min_seize_amount: 0 };
                let by = Liquidator { authority: by.address, loan_token: by.usdc, collateral_token: by.sol };
                let oracles = w.pair_oracles();
                if kind == Kind::Deleverage {
                    return liquidation::deleverage(k, of.position, by, &oracles, args);
                }
                let evidence = [oracles, self.cover(action.b / 16)].concat();
                liquidation::liquidate(k, of.position, by, &evidence, args)
            }
        }
    }

    fn exit_step(&self, action: &Action) -> Instruction {
        let (k, o) = (&self.world.keys, self.owner(action.a));
        match action.kind {
            Kind::Request if action.b % 4 == 2 => {
                let o = self.holder(action.a, |p| p.collateral_amount > 0 && p.debt_scaled.get() == 0);
                let posted = self.position_of(o).map_or(1, |p| p.collateral_amount);
                exit::request_collateral(k, o.address, share(posted, action.b / 4))
            }
            Kind::Request => {
                let o = self.holder(action.a, |p| p.supply_shares.get() > 0);
                let shares = self.position_of(o).map_or(1, |p| p.supply_shares.get());
                let bps = if action.b.is_multiple_of(4) { 10_000 } else { action.b % 500 };
                exit::request_withdrawal(k, o.address, shares / 10_000 * u128::from(bps))
            }
            Kind::RecordShortfall => exit::record_shortfall(k),
            kind => {
                // of the side that is claimed; any may be cancelled
                let fits = |t: &WithdrawTicket| {
                    let is_collateral = t.side == TicketSide::Collateral as u8;
                    t.is_open() && (kind == Kind::Cancel || is_collateral == (kind == Kind::ClaimCollateral))
                };
                let open = |o: &Owner| self.position_of(o).and_then(|p| p.tickets.slots.iter().position(fits));
                // an owner with a ticket, where there is one
                let held = self.cast.owners.iter().find_map(|o| open(o).map(|number| (o, number as u8)));
                let (o, ticket) = held.filter(|_| !action.b.is_multiple_of(8)).unwrap_or((o, (action.b % 3) as u8));
                let args = ClaimWithdrawalArgs { ticket, min_amount: 0 };
                if kind == Kind::ClaimCollateral {
                    exit::claim_collateral(k, o.address, o.sol, args)
                } else if kind == Kind::Claim {
                    exit::claim_withdrawal(k, o.address, o.usdc, args)
                } else {
                    exit::cancel_withdrawal(k.vault, o.address, ticket)
                }
            }
        }
    }

    fn resolution(&self, action: &Action) -> Instruction {
        let (k, o) = (&self.world.keys, self.owner(action.a));
        let guardians = [Officer::FirstGuardian, Officer::SecondGuardian].map(Officer::address);
        match action.kind {
            Kind::EnterResolution if action.a.is_multiple_of(3) => {
                exit::enter_resolution(k, self.cast.hunter, &[], 30 * 86_400, self.validity())
            }
            Kind::EnterResolution => {
                let secs = [7, 10, 30, 31][(action.b % 4) as usize] * 86_400;
                exit::enter_resolution(k, self.root(), &guardians, secs, self.validity())
            }
            Kind::LeaveResolution => exit::leave_resolution(k, self.root(), &guardians, self.validity()),
            _ => {
                let claimed = if action.b.is_multiple_of(2) { Claimed::Cash } else { Claimed::Collateral };
                let token = if action.b.is_multiple_of(2) { o.usdc } else { o.sol };
                let by = if action.b.is_multiple_of(7) { self.cast.hunter } else { o.address };
                exit::claim_resolution(k, by, o.address, token, claimed)
            }
        }
    }

    /// Lets somebody else sign, and changes an account, where the step says so.
    pub fn meddle(&self, action: &Action, mut all: Vec<Instruction>) -> Vec<Instruction> {
        let Some(ix) = all.last_mut() else { return all };
        if action.impostor > 0 {
            let by = self.cast.people[usize::from(action.impostor) % self.cast.people.len()];
            if let Some(signer) = ix.accounts.iter_mut().find(|m| m.is_signer) {
                signer.pubkey = by;
            }
        }
        // another order of the assets is another reserve, no mistake: the model knows the one that it asks for
        if action.twist > 0 && action.kind != Kind::InitializeReserve {
            twist(ix, action.twist, &self.cast.pool);
        }
        all
    }
}

fn twist(ix: &mut Instruction, number: u16, pool: &[Pubkey]) {
    let (count, n) = (ix.accounts.len(), usize::from(number));
    let (at, other) = ((n / 7) % count, pool[(n / 7 / count) % pool.len()]);
    let next = (at + 1) % count;
    match n % 7 {
        0 => ix.accounts.iter_mut().for_each(|m| m.is_signer = false),
        1 | 2 => ix.accounts[at].pubkey = other,
        3 => ix.accounts.swap(at, next),
        4 => drop(ix.accounts.pop()),
        5 => ix.accounts.push(AccountMeta::new_readonly(other, false)),
        _ => ix.accounts[next].pubkey = ix.accounts[at].pubkey,
    }
}
