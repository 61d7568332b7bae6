//! Reads what the basket is worth and where it should be, from the accounts of a rebalance.

use crate::constants::RESERVE_ASSETS;
use crate::error::RampartError;
use crate::instructions::evidence::reports::take_poll;
use crate::instructions::shared::{is_kind, load};
use crate::oracle::{self, PriceBand};
use crate::refuse::{err, require, require_keys_eq};
use crate::risk::basket::{Basket, Each, targets};
use crate::risk::gate::{Class, Pass, gate};
use crate::risk::health::Side;
use crate::risk::swap::worth_micro_usd;
use crate::state::{Asset, Comparator, Guard, KeeperSet, Level, Levels, ReportPart, Reserve};
use anchor_lang::prelude::*;

/// The places in the basket of what goes out of it and what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is sold.
    pub from: usize,
    /// What is bought.
    pub to: usize,
}

/// What the accounts of a rebalance say.
pub struct Reading {
    /// The price that what is sold has.
    pub from: PriceBand,
    /// The price that what is bought has.
    pub to: PriceBand,
    /// The middle of each asset's price, where it is needed.
    mids: Each<Option<crate::math::Price>>,
    /// Decimals of each asset.
    decimals: Each<u8>,
    /// Levels of the guard and of the asset that the score is about.
    basket: Levels,
    /// Levels of the asset that is sold.
    sold: Levels,
    /// Levels of the asset that is bought.
    bought: Levels,
    /// The keepers' median risk score, bps; `None` where it is not known.
    score_bps: Option<u16>,
    /// Extensions of the mints that are sold and bought, as registered.
    pub fingerprints: [u64; 2],
    /// Whether the caller is a member of the keeper set that was passed.
    pub is_keeper: bool,
    /// How many accounts were read.
    pub used: usize,
}

/// What a rebalance may do.
pub struct Aim {
    /// Where the basket should be.
    pub targets: Each<u16>,
    /// How much of the policy's size the level leaves, bps.
    pub scale_bps: u16,
}

impl Reading {
    /// Reads `accounts`: for each asset of the basket its asset account and its oracles, in order; then, where the guard
    /// has keepers, their set and each member's report about the scored asset.
    ///
    /// Only what is held or swapped needs a price.
    ///
    /// # Errors
    /// `ReserveAccountsMismatch`, `ReportAccountsMismatch`, the oracle's.
    #[inline(never)]
    pub fn take<'info>(
        (guard_key, guard): (&Pubkey, &Guard),
        reserve: &Reserve,
        pair: Pair,
        accounts: &[AccountInfo<'info>],
        (caller, now_ts): (&Pubkey, i64),
    ) -> Result<Box<Self>> {
        let (mut from, mut to, mut used) = (None, None, 0);
        let mut mids = [None; RESERVE_ASSETS];
        let mut decimals = [0; RESERVE_ASSETS];
        let (mut levels, mut fingerprints) = ([Levels::default(); 3], [0; 2]);
        for (index, held) in reserve.active().iter().enumerate() {
            let account = accounts.get(used).ok_or(RampartError::ReserveAccountsMismatch)?;
            require_keys_eq!(held.asset, *account.key, RampartError::ReserveAccountsMismatch);
            let asset = load::<Asset>(account)?;
            let count = asset.oracle.account_count();
            let is_needed = held.accounted_amount > 0 || index == pair.from || index == pair.to;
            if is_needed {
                let sources = accounts.get(used + 1..).unwrap_or_default();
                let band = oracle::read_accounts(&asset.oracle, sources, now_ts)?.band(&asset.oracle, now_ts)?;
                mids[index] = Some(band.mid);
                from = if index == pair.from { Some(band) } else { from };
                to = if index == pair.to { Some(band) } else { to };
            }
            decimals[index] = held.decimals;
            let own = asset.breaker.levels_at(now_ts);
            let swapped = [index == pair.from, index == pair.to];
            let bits = asset.extension_fingerprint;
            fingerprints.iter_mut().zip(swapped).filter(|(_, is)| *is).for_each(|(slot, _)| *slot = bits);
            let roles = [index == usize::from(reserve.plan.scored), index == pair.from, index == pair.to];
            levels.iter_mut().zip(roles).filter(|(_, has)| *has).for_each(|(level, _)| *level = own);
            used += 1 + count;
        }
        let (Some(from), Some(to)) = (from, to) else { return err!(RampartError::ReserveAccountsMismatch) };
        let rest = accounts.get(used..).ok_or(RampartError::ReserveAccountsMismatch)?;
        let scored = reserve.assets[usize::from(reserve.plan.scored)].asset;
        let said = score(guard_key, &scored, rest, (caller, now_ts))?;
        let [scored, sold, bought] = levels;
        Ok(Box::new(Self {
            from,
            to,
            mids,
            decimals,
            basket: guard.breaker.levels_at(now_ts).max(scored),
            sold,
            bought,
            score_bps: said.score_bps,
            fingerprints,
            is_keeper: said.is_keeper,
            used: used + said.used,
        }))
    }

    /// Decides where the basket should be and whether it may go there by this swap.
    ///
    /// To the quote asset leads the class of liquidations: at a halt at a price of two sources. Anything else is new risk.
    /// What is bought has to be calm itself: a quote asset that has lost its peg is no refuge. While the keepers' median
    /// isn't known, the basket holds its weights; only a level from ReduceOnly on, which was proved without keepers, moves
    /// it to the quote asset.
    ///
    /// # Errors
    /// `LevelForbids`, `TwoSourcesRequired`, `ReserveHolds`.
    pub fn aim(&self, reserve: &Reserve, pair: Pair) -> Result<Aim> {
        let is_to_quote = pair.to == usize::from(reserve.plan.quote);
        let class = if is_to_quote { Class::Liquidation } else { Class::RiskUp };
        let pass = gate(class, self.basket.max(self.sold))?;
        let calm = gate(Class::RiskUp, if is_to_quote { self.bought } else { self.bought.max(self.basket) })?;
        let sources = self.from.sources.min(self.to.sources);
        require!(pass != Pass::TwoSources || sources >= 2, RampartError::TwoSourcesRequired);
        let (level, score_bps) = match self.score_bps {
            Some(score_bps) => (self.basket.risk, score_bps),
            None => {
                let is_proved = is_to_quote && self.basket.exit >= Level::ReduceOnly;
                require!(is_proved, RampartError::ReserveHolds);
                (self.basket.exit, 0)
            }
        };
        Ok(Aim {
            targets: targets(&reserve.plan.weights_bps, usize::from(reserve.plan.quote), level, score_bps),
            scale_bps: pass.scale_bps().min(calm.scale_bps()),
        })
    }

    /// Returns what the basket is worth by its books.
    ///
    /// # Errors
    /// `MathOverflow`; `PriceIndeterminate` for something held that has no price.
    pub fn weigh<'a>(&self, reserve: &Reserve, aim: &'a Aim) -> Result<Basket<'a>> {
        let mut worth = [0; RESERVE_ASSETS];
        for (index, held) in reserve.active().iter().enumerate() {
            if held.accounted_amount > 0 {
                let mid = self.mids[index].ok_or(RampartError::PriceIndeterminate)?;
                worth[index] = worth_micro_usd(held.accounted_amount, mid, self.decimals[index])?;
            }
        }
        Ok(Basket { worth, targets: &aim.targets })
    }

    /// Returns what is sold and what is bought, with the decimals of both.
    pub fn sides(&self, [from, to]: [u8; 2]) -> (Side<'_>, Side<'_>) {
        (Side { band: &self.from, decimals: from }, Side { band: &self.to, decimals: to })
    }

    /// Returns the older of both publish times of what is swapped, unix seconds.
    pub fn oldest_publish_ts(&self) -> i64 {
        self.from.oldest_publish_ts().min(self.to.oldest_publish_ts())
    }
}

/// What the keepers say.
struct Said {
    score_bps: Option<u16>,
    is_keeper: bool,
    used: usize,
}

/// The keepers' median about `subject`. Who leaves the keepers out has no median: that only ever allows less.
#[inline(never)]
fn score(guard: &Pubkey, subject: &Pubkey, accounts: &[AccountInfo], (caller, now_ts): (&Pubkey, i64)) -> Result<Said> {
    let Some((first, rest)) = accounts.split_first().filter(|(first, _)| is_kind::<KeeperSet>(first)) else {
        return Ok(Said { score_bps: None, is_keeper: false, used: 0 });
    };
    let set = load::<KeeperSet>(first)?;
    require_keys_eq!(set.guard, *guard, RampartError::ReserveAccountsMismatch);
    let count = set.active().len();
    let reports = rest.get(..count).ok_or(RampartError::ReportAccountsMismatch)?;
    let poll = take_poll(&set, subject, ReportPart::Score, reports, now_ts)?;
    let is_keeper = set.member_at(caller, now_ts).is_some();
    // too few, too old or no one opinion: not known
    Ok(Said { score_bps: poll.median(Comparator::Above, true).ok(), is_keeper, used: 1 + count })
}
