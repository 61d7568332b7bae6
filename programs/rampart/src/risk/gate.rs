//! The one gate: class of instruction against level.

use crate::error::RampartError;
use crate::state::breaker::{Level, Levels};

/// What an instruction does to risk. Every instruction belongs to one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// New risk: borrow, collateral out from behind a debt.
    RiskUp,
    /// Neither: lending.
    Neutral,
    /// Less risk: repay, add collateral.
    RiskDown,
    /// Forced reduction: liquidate, deleverage.
    Liquidation,
    /// Out of a position without debt behind it.
    Exit,
    /// Proof: observe, trip, step down.
    Evidence,
    /// Stricter configuration.
    Tighten,
    /// Looser configuration, and creation.
    Loosen,
}

/// What the gate allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// As within normal limits.
    Full,
    /// At this share of the outflow limits, bps.
    Scaled(u16),
    /// Through the exit floor only.
    Floor,
    /// Only with a price on which two sources agree, where there are two.
    TwoSources,
}

impl Pass {
    /// Returns the share of the outflow limits that is left, bps.
    pub fn scale_bps(self) -> u16 {
        if let Self::Scaled(scale_bps) = self { scale_bps } else { 10_000 }
    }
}

/// Returns what the levels in force leave of `class`.
///
/// Repaying and adding collateral are never blocked, proofs never, exits never below Resolution. Lending and new risk
/// look at the level for new risk, exits and liquidations at theirs: what isn't known never narrows an exit.
///
/// # Errors
/// `LevelForbids`.
pub fn gate(class: Class, levels: Levels) -> Result<Pass, RampartError> {
    use {Class as C, Level as L};
    let level = match class {
        C::RiskUp | C::Neutral => levels.risk,
        C::RiskDown | C::Liquidation | C::Exit | C::Evidence | C::Tighten | C::Loosen => levels.exit,
    };
    match (class, level) {
        (C::RiskDown | C::Evidence | C::Tighten | C::Loosen, _) => Ok(Pass::Full),
        (_, L::Normal) => Ok(Pass::Full),
        (C::RiskUp, L::Caution) => Ok(Pass::Scaled(2_500)),
        (C::RiskUp, L::ReduceOnly | L::Halt | L::Resolution) => Err(RampartError::LevelForbids),
        (C::Neutral, L::Caution) => Ok(Pass::Full),
        (C::Neutral, L::ReduceOnly | L::Halt | L::Resolution) => Err(RampartError::LevelForbids),
        (C::Liquidation, L::Caution | L::ReduceOnly) => Ok(Pass::Full),
        (C::Liquidation, L::Halt) => Ok(Pass::TwoSources),
        (C::Liquidation, L::Resolution) => Err(RampartError::LevelForbids),
        (C::Exit, L::Caution) => Ok(Pass::Scaled(5_000)),
        (C::Exit, L::ReduceOnly | L::Halt) => Ok(Pass::Floor),
        (C::Exit, L::Resolution) => Err(RampartError::LevelForbids),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 5] = [Level::Normal, Level::Caution, Level::ReduceOnly, Level::Halt, Level::Resolution];

    #[test]
    fn cure_and_proof_are_never_blocked() {
        for level in LEVELS {
            assert_eq!(gate(Class::RiskDown, Levels::all(level)), Ok(Pass::Full));
            assert_eq!(gate(Class::Evidence, Levels::all(level)), Ok(Pass::Full));
        }
    }

    #[test]
    fn exits_pass_at_every_level_below_resolution() {
        for level in &LEVELS[..4] {
            assert!(gate(Class::Exit, Levels::all(*level)).is_ok());
        }
    }

    #[test]
    fn what_only_narrows_new_risk_leaves_exits_and_liquidations_whole() {
        for risk in LEVELS {
            let levels = Levels { risk, exit: Level::Normal };
            assert_eq!(gate(Class::Exit, levels), Ok(Pass::Full));
            assert_eq!(gate(Class::Liquidation, levels), Ok(Pass::Full));
        }
    }

    #[test]
    fn higher_level_never_allows_more_new_risk() {
        let room = |l| match gate(Class::RiskUp, Levels::all(l)) {
            Ok(Pass::Full) => 10_000,
            Ok(Pass::Scaled(bps)) => bps,
            _ => 0,
        };
        assert!(LEVELS.windows(2).all(|w| room(w[1]) <= room(w[0])));
    }
}
