//! What moved: tokens of the vault, of integrations, and bounties.

use crate::sequences::action::{Action, Kind};
use crate::sequences::check::has_prices;
use crate::sequences::model::{DAY, FloorUse, Flow, Flows, HOUR, Lane, PlaceFlows, Way};
use crate::sequences::snap::{Allowed, Snap};
use crate::sequences::stage::{OWNERS, PLACES, Stage};
use rampart::state::{FlowCap, Level, Position, TicketSide, Vault};
use rampart_client::Instruction;

impl Stage {
    /// Lets the model follow what moved, and checks it.
    pub fn follow_money(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        let (cash, collateral) = (
            i128::from(after.vault.cash_amount) - i128::from(before.vault.cash_amount),
            i128::from(after.vault.collateral_amount) - i128::from(before.vault.collateral_amount),
        );
        self.assert_movers(action, cash, collateral);
        self.follow_gifts(action, ix, before, after);
        let levels = self.model.levels(before);
        let moved = |of: fn(&Position) -> u128| {
            (0..OWNERS).find(|i| {
                let amount = |s: &Snap| s.positions[*i].as_deref().map_or(0, of);
                amount(before) != amount(after)
            })
        };
        let shares: fn(&Position) -> u128 = |p| p.supply_shares.get();
        let posted: fn(&Position) -> u128 = |p| p.collateral_amount.into();
        let ts = self.model.latest;
        let behind_secs = ts - before.now.min(ts);
        let flow = |owner: Option<usize>, amount: i128, way| {
            owner.map(|owner| Flow { ts, behind_secs, owner, amount: amount as u64, way })
        };
        let (loan_flow, collateral_flow) = match action.kind {
            Kind::Supply => {
                assert!(levels.risk < Level::ReduceOnly, "lent at {levels:?}");
                (flow(moved(shares), cash, Way::In), None)
            }
            Kind::Withdraw | Kind::Claim => {
                assert!(levels.exit < Level::Resolution, "left at {levels:?}");
                (flow(moved(shares), -cash, Way::Exit), None)
            }
            Kind::Borrow => {
                self.assert_new_risk(action, before);
                (flow(moved(|p| p.debt_scaled.get()), -cash, Way::Risk), None)
            }
            Kind::ClaimCollateral => {
                assert!(levels.exit < Level::Resolution, "left at {levels:?}");
                let owner = moved(posted);
                let debt = owner.and_then(|i| before.positions[i].as_deref()).map_or(0, |p| p.debt_scaled.get());
                assert_eq!(debt, 0, "a ticket carried collateral behind a debt away");
                (None, flow(owner, -collateral, Way::Exit))
            }
            Kind::Deposit => (None, flow(moved(posted), collateral, Way::In)),
            Kind::TakeOut => {
                let owner = moved(posted);
                let debt = owner.and_then(|i| before.positions[i].as_deref()).map_or(0, |p| p.debt_scaled.get());
                if debt > 0 {
                    self.assert_new_risk(action, before);
                }
                (None, flow(owner, -collateral, if debt > 0 { Way::Risk } else { Way::Exit }))
            }
            _ => (None, None),
        };
        if let Some(exit) = loan_flow.filter(|f| f.way == Way::Exit) {
            self.model.exits.push(FloorUse { ts, owner: exit.owner });
        }
        if matches!(action.kind, Kind::Liquidate | Kind::Deleverage | Kind::LiquidateBySwap) {
            self.assert_liquidation(action, before, after);
        }
        let new = after.allowed();
        for (flows, flow, allowed) in
            [(&mut self.model.loan, loan_flow, new.0), (&mut self.model.collateral, collateral_flow, new.1)]
        {
            // the base of a new day is taken before the outflow is charged
            if flows.allowed.last().is_none_or(|(_, last)| *last != allowed) {
                flows.allowed.push((ts, allowed));
            }
            flows.all.extend(flow.filter(|f| f.amount > 0));
        }
        self.assert_charged(loan_flow, true, before, after);
        self.assert_charged(collateral_flow, false, before, after);
        let is_out = |f: &Option<Flow>| f.is_some_and(|f| f.way != Way::In && f.amount > 0);
        if is_out(&loan_flow) {
            assert_windows(&self.model.loan, true);
        }
        if is_out(&collateral_flow) {
            assert_windows(&self.model.collateral, false);
        }
    }

    /// A ticket is paid of its own side, not before its hour; and one that is made locks what there is.
    pub fn assert_ticket(&self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        let claimed = match action.kind {
            Kind::Claim => TicketSide::Loan,
            Kind::ClaimCollateral => TicketSide::Collateral,
            Kind::Request => {
                let fits = |p: &Position| p.tickets.locked(TicketSide::Collateral) <= p.collateral_amount.into();
                let at = self.cast.owners.iter().position(|o| o.position == ix.accounts[5].pubkey);
                let position = at.and_then(|i| after.positions[i].as_deref());
                let is_of_collateral = ix.data.last() == Some(&(TicketSide::Collateral as u8));
                assert!(
                    !is_of_collateral || position.is_some_and(fits),
                    "I21: tickets lock more collateral than there is"
                );
                return;
            }
            _ => return,
        };
        let at = self.cast.owners.iter().position(|o| o.position == ix.accounts[5].pubkey).expect("an owner");
        let position = before.positions[at].as_deref().expect("a position");
        let ticket = position.tickets.slots[usize::from(ix.data[8])];
        assert!(ticket.is_open() && ticket.side == claimed as u8, "claimed what is no ticket of {claimed:?}");
        assert!(before.now >= ticket.eligible_at_ts, "a ticket was paid before its hour");
    }

    /// New risk needs a level below `ReduceOnly`, and prices.
    fn assert_new_risk(&self, action: &Action, before: &Snap) {
        let levels = self.model.levels(before);
        assert!(levels.risk < Level::ReduceOnly, "new risk at {levels:?}: {action:?}");
        assert!(has_prices(&self.model, before.now), "I16: new risk without a price: {action:?}");
    }

    /// Cash and collateral move by the instructions that say so, each in its direction.
    fn assert_movers(&self, action: &Action, cash: i128, collateral: i128) {
        use Kind as K;
        let may = |change: i128, up: &[K], down: &[K]| match change {
            0 => true,
            c if c > 0 => up.contains(&action.kind),
            _ => down.contains(&action.kind),
        };
        let forced = [K::Liquidate, K::Deleverage, K::LiquidateBySwap];
        let cash_up = [&[K::Supply, K::Repay][..], &forced].concat();
        let cash_ok = may(cash, &cash_up, &[K::Withdraw, K::Claim, K::Borrow, K::ClaimResolution]);
        let collateral_down = [&[K::TakeOut, K::ClaimCollateral, K::ClaimResolution][..], &forced].concat();
        let collateral_ok = may(collateral, &[K::Deposit], &collateral_down);
        assert!(cash_ok && collateral_ok, "{action:?} moved cash by {cash}, collateral by {collateral}");
    }

    /// Tokens that a custody transfer sent to the vault are nobody's; a claim in Resolution shares what is missing.
    fn follow_gifts(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        let surplus = |s: &Snap| {
            let loan = i128::from(s.held.0) - i128::from(s.vault.cash_amount);
            (loan, i128::from(s.held.1) - i128::from(s.vault.collateral_amount))
        };
        let is_gift = matches!(action.kind, Kind::CustodyTransfer | Kind::CustodyMint);
        let to_vault = is_gift && ix.accounts[5].pubkey == before.keys.loan_token;
        let shares_loss = action.kind == Kind::ClaimResolution && self.model.surplus.1 < 0;
        if to_vault || shares_loss {
            assert!(surplus(after) >= surplus(before) || shares_loss);
            self.model.surplus = surplus(after);
        }
    }

    /// A liquidation needs an unhealthy position, improves it, and takes no more than its repayment with the bonus.
    fn assert_liquidation(&self, action: &Action, before: &Snap, after: &Snap) {
        let levels = self.model.levels(before);
        let is_forced = before.vault.resolution.is_in_force() && before.now >= before.vault.resolution.ends_at_ts;
        assert!(levels.exit < Level::Resolution || is_forced, "liquidated in Resolution");
        assert!(has_prices(&self.model, before.now), "liquidated without a price: {action:?}");
        let at = (0..OWNERS).find(|i| {
            let seq = |s: &Snap| s.positions[*i].as_deref().map_or(0, |p| p.liquidation_seq);
            seq(before) != seq(after)
        });
        let at = at.expect("a position was liquidated");
        let mut vault = *before.vault;
        vault.accrue(before.now).expect("accrued");
        let (was, is) = (before.positions[at].as_deref().expect("open"), after.positions[at].as_deref().expect("open"));
        let debt = |v: &Vault, p: &Position| v.debt_of(p).expect("debt");
        let (owed, owes) = (debt(&vault, was), debt(&after.vault, is));
        let (had, has) = (was.collateral_amount, is.collateral_amount);
        // dollars of one base unit of collateral, in base units of the loan; the honest price, between both ends
        let price = self.model.feeds[0].dollars / 1_000.0;
        let is_soft = action.kind == Kind::Deleverage;
        let line = if is_soft { vault.risk.soft_line_bps } else { vault.risk.liquidation_line_bps };
        let ltv = owed as f64 / (had as f64 * price);
        assert!(ltv >= f64::from(line) / 10_000.0 * 0.999, "I14: liquidated at {ltv}");
        // what the reserve paid is no repayment
        let covered = after.vault.reserve_covered_amount - before.vault.reserve_covered_amount;
        let repaid = after.vault.cash_amount - before.vault.cash_amount - covered;
        let bonus = if is_soft { vault.risk.soft_bonus_bps } else { vault.risk.max_bonus_bps };
        let most = (repaid + 1) as f64 * (1.0 + f64::from(bonus) / 10_000.0);
        let seized = (had - has) as f64 * price;
        assert!(seized <= most * 1.000_001 + 1.0, "I14: seized {seized} for {repaid}");
        let is_better = u128::from(owes) * u128::from(had) < u128::from(owed) * u128::from(has);
        assert!(is_better || owes == 0, "I14: {owed} on {had} became {owes} on {has}");
    }

    // --- integrations

    /// Lets the model follow what moved, and checks it.
    pub fn follow_places(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        use Kind as K;
        let ts = self.model.latest;
        for at in 0..PLACES {
            let (was, is) = (&before.integrations[at], &after.integrations[at]);
            let key = self.cast.places[at].keys.integration;
            let out = (is.exited_amount - was.exited_amount, is.risked_amount - was.risked_amount);
            if out == (0, 0) {
                continue;
            }
            let charges = matches!(action.kind, K::Record | K::CustodyTransfer | K::CustodyMint);
            assert!(charges && ix.accounts[2].pubkey == key, "{action:?} charged {key}");
            let k = &before.keys;
            let scopes = [k.guard, key, k.loan_asset];
            let levels = self.model.scopes.of(if at == 1 { &scopes } else { &scopes[..2] }, before.now);
            let lane = match () {
                () if out.1 > 0 => Lane::Risk,
                () if Snap::is_closed(levels.exit) => Lane::Floor,
                () => Lane::Exit,
            };
            assert!(lane != Lane::Risk || levels.risk < Level::ReduceOnly, "new risk at {levels:?}: {action:?}");
            let flows = &mut self.model.places[at];
            flows.all.push((ts, lane, out.0 + out.1));
            assert_place_windows(flows);
        }
        let out = |at: usize, s: &Snap| s.integrations[at].exited_amount + s.integrations[at].risked_amount;
        let left = out(1, after) - out(1, before);
        let held = i128::from(before.custody) - i128::from(after.custody);
        assert!(held <= i128::from(left), "custody paid {held} and was charged {left} by {action:?}");
        let minted = after.minted.checked_sub(before.minted).expect("nothing is burnt");
        assert_eq!(minted, out(2, after) - out(2, before), "minted by {action:?}");
    }

    /// Lets the model follow what moved, and checks it.
    pub fn follow_bounties(&mut self, action: &Action, before: &Snap, after: &Snap) {
        let paid = before.bounty_lamports.saturating_sub(after.bounty_lamports);
        if paid == 0 || action.kind == Kind::WithdrawBounty {
            return;
        }
        assert!(matches!(action.kind, Kind::Trip | Kind::TripGroup), "a bounty for {action:?}");
        let params = before.bounty.params;
        assert_eq!(paid, params.bounty_lamports, "a bounty of another size");
        let ts = self.model.latest;
        let last = self.model.bounties.last().map_or(i64::MIN / 2, |(ts, _)| *ts);
        assert!(ts - last >= i64::from(params.cooldown_secs) - 60, "a bounty within its cooldown");
        self.model.bounties.push((ts, paid));
        let lately = self.model.bounties.iter().filter(|(at, _)| ts - at < DAY).map(|(_, paid)| paid).sum::<u64>();
        assert!(lately <= params.daily_limit_lamports, "{lately} lamports of bounties within a day");
    }
}

/// In every window that holds the newest outflow, no more left than was allowed at any time in it, net of what the same
/// owners brought in within an hour before, or within the window. A loan is never netted.
fn assert_windows(flows: &Flows, is_loan: bool) {
    let newest = flows.all.last().expect("an outflow");
    for window in [HOUR, DAY] {
        let from = newest.ts - window;
        let starts = flows.all.iter().filter(|f| f.way == newest.way && f.ts > from).map(|f| f.ts);
        for start in starts {
            let limit = most_allowed(&flows.allowed, start, start + window);
            let pick = |a: &Allowed| if newest.way == Way::Exit { a.exit } else { a.risk };
            let limit =
                limit.iter().map(|a| if window == HOUR { pick(a).0 } else { pick(a).1 }).max().expect("a limit");
            let gross = is_loan && newest.way == Way::Risk;
            let left = net_outflow(&flows.all, start, window, newest.way, gross);
            assert!(left <= limit, "I1: {left} left as {:?} within {window} s, L is {limit}", newest.way);
        }
    }
}

fn most_allowed<T: Copy>(history: &[(i64, T)], from: i64, to: i64) -> Vec<T> {
    let first = history.iter().rposition(|(ts, _)| *ts <= from).unwrap_or(0);
    history[first..].iter().filter(|(ts, _)| *ts < to).map(|(_, value)| *value).collect()
}

fn net_outflow(all: &[Flow], start: i64, window: i64, way: Way, is_gross: bool) -> u64 {
    let end = start + window;
    let sum = |owner: usize, way: Way, from: i64| -> u64 {
        let counts = |f: &&Flow| f.owner == owner && f.way == way && (from..end).contains(&f.ts);
        all.iter().filter(counts).map(|f| f.amount).sum()
    };
    let net = |owner| {
        // what came in an hour ago by the chain's clock, which may have gone back since
        let outs = all.iter().filter(|f| f.owner == owner && f.way == way && (start..end).contains(&f.ts));
        let behind_secs = outs.map(|f| f.behind_secs).max().unwrap_or(0);
        let credit = if is_gross { 0 } else { sum(owner, Way::In, start - behind_secs - HOUR + 1) };
        sum(owner, way, start).saturating_sub(credit)
    };
    (0..OWNERS).map(net).sum()
}

/// As [`assert_windows`], for an integration: nothing is netted.
fn assert_place_windows(flows: &PlaceFlows) {
    let (newest, lane, _) = *flows.all.last().expect("an outflow");
    for window in [HOUR, DAY] {
        let starts = flows.all.iter().filter(|(ts, l, _)| *l == lane && *ts > newest - window).map(|(ts, _, _)| *ts);
        for start in starts {
            let caps = most_allowed(&flows.caps, start, start + window);
            let of = |cap: &FlowCap| if window == HOUR { cap.hourly_amount } else { cap.daily_amount };
            let pick = |caps: &rampart::state::FlowCaps| match lane {
                Lane::Exit => of(&caps.exit),
                Lane::Risk => of(&caps.risk),
                Lane::Floor => of(&caps.floor),
            };
            let limit = caps.iter().map(pick).max().expect("a limit");
            let counts = |(ts, l, _): &&(i64, Lane, u64)| *l == lane && (start..start + window).contains(ts);
            let left: u64 = flows.all.iter().filter(counts).map(|(_, _, amount)| amount).sum();
            assert!(left <= limit, "I1: {left} left an integration through {lane:?} within {window} s, L is {limit}");
        }
    }
}
