//! Prices and names as people read them.

use rampart::math::Price;
use rampart::math::price::pow10;
use rampart::state::{Level, Metric};

/// Returns a U64.64 price as a decimal with up to nine places, rounded down.
pub fn price(price: Price) -> String {
    decimal(price.q64(), 0)
}

/// Returns a vault's price as whole loan tokens for one whole collateral token.
pub fn pair_price(price: Price, collateral_decimals: u8, loan_decimals: u8) -> String {
    decimal(price.q64(), i32::from(collateral_decimals) - i32::from(loan_decimals))
}

/// `raw / 2^64 · 10^shift`, nine significant places beyond the point at most, rounded down.
fn decimal(raw: u128, shift: i32) -> String {
    const PLACES: i32 = 9;
    let scale = PLACES + shift;
    let power = u8::try_from(scale.unsigned_abs()).ok().and_then(pow10).unwrap_or(1);
    let scaled = if scale >= 0 {
        rampart::math::mul_div_floor(raw, power, 1 << 64).unwrap_or(u128::MAX)
    } else {
        (raw >> 64) / power
    };
    let one = 1_000_000_000;
    let text = format!("{}.{:09}", scaled / one, scaled % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns a level in words.
pub const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Normal => "Normal",
        Level::Caution => "Caution",
        Level::ReduceOnly => "ReduceOnly",
        Level::Halt => "Halt",
        Level::Resolution => "Resolution",
    }
}

/// Returns what a metric is counted in.
pub const fn metric_unit(metric: Metric) -> &'static str {
    match metric {
        Metric::OracleAge | Metric::KeeperSilence => "seconds",
        _ => "bps",
    }
}

/// Returns an address short enough for a label.
pub fn short(key: &anchor_lang::prelude::Pubkey) -> String {
    let text = key.to_string();
    let tail = text.len().saturating_sub(4);
    format!("{}..{}", &text[..text.len().min(4)], &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart::math::price::Q64_ONE;

    #[test]
    fn prices_are_decimals_without_trailing_zeros() {
        let of = |raw| price(Price::from_q64(raw).unwrap());
        assert_eq!(of(150 * Q64_ONE), "150");
        assert_eq!(of(Q64_ONE / 2), "0.5");
        assert_eq!(of(Q64_ONE * 3 / 1_000), "0.002999999");
        assert_eq!(of(1 << 112), (1u64 << 48).to_string());
    }

    #[test]
    fn pair_is_told_in_whole_tokens() {
        // 1 SOL = 10^9 lamports = 150 USDC of 10^6 base units
        let sol = Price::from_decimal(15_000_000_000, -8).unwrap();
        let usdc = Price::from_decimal(100_000_000, -8).unwrap();
        let shown: f64 = pair_price(Price::pair(sol, 9, usdc, 6).unwrap(), 9, 6).parse().unwrap();
        assert!((149.999..=150.0).contains(&shown));
        let back: f64 = pair_price(Price::pair(usdc, 6, sol, 9).unwrap(), 6, 9).parse().unwrap();
        assert!((0.006_666..0.006_667).contains(&back));
    }

    #[test]
    fn short_address_keeps_both_ends() {
        assert_eq!(short(&rampart::ID), "HiDN..Bjh4s".replace("Bjh4s", "jh4s"));
    }
}
