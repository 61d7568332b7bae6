//! Pools of SPL Token Swap: a constant product, quoted to the unit.
//!
//! # Source
//! spl-token-swap 3.0.0: `state.rs` for the bytes, `curve/{base,fees,constant_product}.rs` for the numbers. That program
//! is the one that the tests run; another program with the same bytes and the same numbers is quoted alike.

use crate::route::{Ask, Order, Quote, Route, RouteError};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart_client::AccountMeta;
use rampart_client::swap::Routed;

/// The tag of `swap` among the program's instructions.
const SWAP: u8 = 1;

/// A pool that is watched.
#[derive(Clone, Debug)]
pub struct TokenSwap {
    name: String,
    policy_id: u16,
    pool: Pubkey,
}

/// What a pool's account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The program of both tokens and of the pool's shares.
    pub token_program: Pubkey,
    /// The pool's account of each token.
    pub tokens: [Pubkey; 2],
    /// The mint of its shares.
    pub shares: Pubkey,
    /// The mint of each token.
    pub mints: [Pubkey; 2],
    /// Where the owner's fee goes, in shares.
    pub fees: Pubkey,
    /// What stays with the pool, and what is its owner's: numerator and denominator.
    pub fee_parts: [(u64, u64); 2],
    bump: u8,
}

impl Pool {
    /// Bytes of a pool's account: a version and its state.
    const LEN: usize = 324;
    const VERSION: u8 = 1;
    const CONSTANT_PRODUCT: u8 = 0;

    /// Decodes a pool's account.
    ///
    /// # Errors
    /// `Unsupported` for anything but an open pool of a constant product.
    pub fn decode(data: &[u8]) -> Result<Self, RouteError> {
        let unsupported = |why| Err(RouteError::Unsupported(why));
        if data.len() != Self::LEN || data.first() != Some(&Self::VERSION) || data.get(1) != Some(&1) {
            return unsupported("it is no open pool of version 1");
        }
        let key = |at: usize| data.get(at..at + 32).and_then(|b| b.try_into().ok()).map(Pubkey::new_from_array);
        let keys: Option<Vec<Pubkey>> = (0..7).map(|n| key(3 + 32 * n)).collect();
        let number = |at: usize| data.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        let parts: Option<Vec<u64>> = (0..4).map(|n| number(227 + 8 * n)).collect();
        if data.get(291) != Some(&Self::CONSTANT_PRODUCT) {
            return unsupported("its curve is no constant product");
        }
        let (Some(keys), Some(parts)) = (keys, parts) else { return unsupported("it is too short") };
        Ok(Self {
            token_program: keys[0],
            tokens: [keys[1], keys[2]],
            shares: keys[3],
            mints: [keys[4], keys[5]],
            fees: keys[6],
            fee_parts: [(parts[0], parts[1]), (parts[2], parts[3])],
            bump: data[2],
        })
    }

    /// Reads the pool at `key`; returns it with its program.
    ///
    /// # Errors
    /// `Unknown`, `Unsupported`.
    pub fn of(store: &Store, key: &Pubkey) -> Result<(Pubkey, Self), RouteError> {
        let account = store.raw(key).ok_or(RouteError::Unknown)?;
        Ok((account.owner, Self::decode(&account.data)?))
    }

    /// Returns the accounts that say what the pool at `key` holds: itself, and its tokens' once it is known.
    pub fn accounts(store: &Store, key: &Pubkey) -> Vec<Pubkey> {
        let tokens = Self::of(store, key).map(|(_, pool)| pool.tokens.to_vec()).unwrap_or_default();
        std::iter::once(*key).chain(tokens).collect()
    }

    /// Returns what it holds of the token on one side; unlike the program a frozen account is left alone, for no transfer would
    /// pass.
    ///
    /// # Errors
    /// `Unknown`, `Unsupported`.
    pub fn held(&self, store: &Store, side: usize) -> Result<u64, RouteError> {
        let account = store.raw(&self.tokens[side]).ok_or(RouteError::Unknown)?;
        let holding = rampart::state::Holding::decode(&account.data);
        holding.map(|h| h.payable()).map_err(|_| RouteError::Unsupported("a token account is too short"))
    }

    /// Returns the part of what goes in that both fees take, beside their rounding.
    pub fn fee(&self) -> f64 {
        let part = |&(numerator, denominator): &(u64, u64)| match numerator {
            0 => 0.0,
            _ => numerator as f64 / denominator as f64,
        };
        self.fee_parts.iter().map(part).sum()
    }

    /// Returns the places of what goes in and what comes out.
    fn sides(&self, from: &Pubkey, to: &Pubkey) -> Result<(usize, usize), RouteError> {
        match self.mints {
            [a, b] if (a, b) == (*from, *to) => Ok((0, 1)),
            [a, b] if (b, a) == (*from, *to) => Ok((1, 0)),
            _ => Err(RouteError::OtherPair),
        }
    }

    /// Returns what a swap of `amount` comes to with `held` of what goes in and of what comes out in the pool.
    ///
    /// Both fees are taken off what goes in. What is taken is what the curve needs for what it pays, rounded up: a few
    /// units less than what is offered.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn quote(&self, amount: u64, held: (u64, u64)) -> Result<Quote, RouteError> {
        self.swapped(amount.into(), (held.0.into(), held.1.into())).ok_or(RouteError::Nothing)
    }

    fn swapped(&self, amount: u128, (source, destination): (u128, u128)) -> Option<Quote> {
        let fees = self.fee_parts.iter().try_fold(0u128, |sum, part| sum.checked_add(fee(amount, *part)?))?;
        let invariant = source.checked_mul(destination)?;
        let (left, filled) = ceil_div(invariant, source.checked_add(amount.checked_sub(fees)?)?)?;
        let spent = filled.checked_sub(source)?.checked_add(fees)?;
        let received = destination.checked_sub(left).filter(|received| *received > 0)?;
        Some(Quote { spent_amount: u64::try_from(spent).ok()?, received_amount: u64::try_from(received).ok()? })
    }
}

/// A part of `amount`, at least one unit, and nothing of nothing.
fn fee(amount: u128, (numerator, denominator): (u64, u64)) -> Option<u128> {
    if numerator == 0 || amount == 0 {
        return Some(0);
    }
    Some(amount.checked_mul(numerator.into())?.checked_div(denominator.into())?.max(1))
}

/// The quotient rounded up, and the smallest divisor that still gives it; `None` for a quotient below one.
fn ceil_div(value: u128, divisor: u128) -> Option<(u128, u128)> {
    let quotient = value.checked_div(divisor).filter(|quotient| *quotient > 0)?;
    if value.is_multiple_of(divisor) {
        return Some((quotient, divisor));
    }
    let quotient = quotient.checked_add(1)?;
    Some((quotient, value.div_ceil(quotient)))
}

impl TokenSwap {
    /// Watches the pool at `pool`.
    pub fn new(name: &str, policy_id: u16, pool: Pubkey) -> Self {
        Self { name: name.to_owned(), policy_id, pool }
    }
}

impl Route for TokenSwap {
    fn name(&self) -> &str {
        &self.name
    }

    fn policy_id(&self) -> u16 {
        self.policy_id
    }

    fn accounts(&self, store: &Store) -> Vec<Pubkey> {
        Pool::accounts(store, &self.pool)
    }

    fn quote(&self, store: &Store, ask: &Ask) -> Result<Quote, RouteError> {
        let (_, pool) = Pool::of(store, &self.pool)?;
        let (from, to) = pool.sides(&ask.from, &ask.to)?;
        pool.quote(ask.amount, (pool.held(store, from)?, pool.held(store, to)?))
    }

    fn build(&self, store: &Store, order: &Order<'_>) -> Result<Routed, RouteError> {
        let (program, pool) = Pool::of(store, &self.pool)?;
        let (from, to) = pool.sides(&order.from.mint, &order.to.mint)?;
        let authority = Pubkey::create_program_address(&[self.pool.as_ref(), &[pool.bump]], &program)
            .map_err(|_| RouteError::Unsupported("its bump is wrong"))?;
        let (read, write) = (|key| AccountMeta::new_readonly(key, false), |key| AccountMeta::new(key, false));
        let accounts = vec![
            read(self.pool),
            read(authority),
            read(order.policy.escrow),
            write(order.policy.token(&order.from)),
            write(pool.tokens[from]),
            write(pool.tokens[to]),
            write(order.policy.token(&order.to)),
            write(pool.shares),
            write(pool.fees),
            read(pool.token_program),
        ];
        let data = [&[SWAP][..], &order.amount.to_le_bytes(), &order.least_amount.to_le_bytes()].concat();
        Ok(Routed { accounts, data })
    }
}

#[cfg(test)]
#[path = "token_swap_tests.rs"]
mod tests;
