//! Bytes to accounts of the program, with every check that keeps bad data out.
//!
//! What passes is safe to hand to the program's own functions: they assume what the program's instructions enforce
//! (ascending curves, positive cells, at least one source), and a source that lies must not be able to make them panic.

use anchor_lang::prelude::Pubkey;
use anchor_lang::{Discriminator, Owner, ZeroCopy};
use rampart::constants::{LAYOUT_VERSION, MAX_DECIMALS, MAX_GROUP_RULES, MAX_KEEPERS, MAX_SOURCES};
use rampart::math::price::Q64_ONE;
use rampart::state::{
    Asset, BountyVault, Comparator, Guard, Integration, KeeperSet, Level, Position, Report, Reserve, Rule, RuleGroup,
    Scope, SwapPolicy, Switch, Vault,
};
use thiserror::Error;

/// Why the bytes of an account are not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum DecodeError {
    /// Another program owns it.
    #[error("account belongs to another program")]
    Owner,
    /// No account of the program starts like that.
    #[error("account has an unknown discriminator")]
    Discriminator,
    /// It ends too early.
    #[error("account is too short for its kind")]
    Length,
    /// A newer program wrote it.
    #[error("account has a layout version that this keeper does not know")]
    Version,
    /// It holds what the program never writes.
    #[error("account holds values that the program never writes")]
    Unsound,
    /// It belongs to another guard.
    #[error("account belongs to another guard")]
    Foreign,
}

impl DecodeError {
    /// Every reason, for metrics.
    pub const ALL: [Self; 6] =
        [Self::Owner, Self::Discriminator, Self::Length, Self::Version, Self::Unsound, Self::Foreign];

    /// Returns the reason in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Discriminator => "discriminator",
            Self::Length => "length",
            Self::Version => "version",
            Self::Unsound => "unsound",
            Self::Foreign => "foreign",
        }
    }
}

/// An account of the program, decoded.
#[derive(Clone, Debug)]
pub enum Decoded {
    /// The guard.
    Guard(Box<Guard>),
    /// An asset.
    Asset(Box<Asset>),
    /// A vault.
    Vault(Box<Vault>),
    /// A rule.
    Rule(Box<Rule>),
    /// A position.
    Position(Box<Position>),
    /// A group of rules.
    Group(Box<RuleGroup>),
    /// An integration.
    Integration(Box<Integration>),
    /// The keeper set.
    KeeperSet(Box<KeeperSet>),
    /// A keeper's report.
    Report(Box<Report>),
    /// The bounty vault.
    Bounty(Box<BountyVault>),
    /// A swap policy.
    Policy(Box<SwapPolicy>),
    /// The reserve.
    Reserve(Box<Reserve>),
}

/// Decodes an account of the program.
///
/// # Errors
/// All of [`DecodeError`] but `Foreign`.
pub fn decode(owner: &Pubkey, data: &[u8]) -> Result<Decoded, DecodeError> {
    if *owner != rampart::ID {
        return Err(DecodeError::Owner);
    }
    let head = data.get(..8).ok_or(DecodeError::Length)?;
    match head {
        h if h == Position::DISCRIMINATOR => read::<Position>(data).map(Decoded::Position),
        h if h == Vault::DISCRIMINATOR => read::<Vault>(data).map(Decoded::Vault),
        h if h == Asset::DISCRIMINATOR => read::<Asset>(data).map(Decoded::Asset),
        h if h == Rule::DISCRIMINATOR => read::<Rule>(data).map(Decoded::Rule),
        h if h == Guard::DISCRIMINATOR => read::<Guard>(data).map(Decoded::Guard),
        h if h == Report::DISCRIMINATOR => read::<Report>(data).map(Decoded::Report),
        h if h == RuleGroup::DISCRIMINATOR => read::<RuleGroup>(data).map(Decoded::Group),
        h if h == Integration::DISCRIMINATOR => read::<Integration>(data).map(Decoded::Integration),
        h if h == KeeperSet::DISCRIMINATOR => read::<KeeperSet>(data).map(Decoded::KeeperSet),
        h if h == BountyVault::DISCRIMINATOR => read::<BountyVault>(data).map(Decoded::Bounty),
        h if h == SwapPolicy::DISCRIMINATOR => read::<SwapPolicy>(data).map(Decoded::Policy),
        h if h == Reserve::DISCRIMINATOR => read::<Reserve>(data).map(Decoded::Reserve),
        _ => Err(DecodeError::Discriminator),
    }
}

fn read<T: Stored>(data: &[u8]) -> Result<Box<T>, DecodeError> {
    let body = data.get(8..8 + size_of::<T>()).ok_or(DecodeError::Length)?;
    let account: Box<T> = Box::new(bytemuck::pod_read_unaligned(body));
    if account.version() != LAYOUT_VERSION {
        return Err(DecodeError::Version);
    }
    if account.is_sound() { Ok(account) } else { Err(DecodeError::Unsound) }
}

/// An account that the program stores, with what its code relies on.
trait Stored: ZeroCopy + Owner + Discriminator {
    fn version(&self) -> u8;
    fn is_sound(&self) -> bool;
}

impl Stored for Guard {
    fn version(&self) -> u8 {
        self.version
    }

    fn is_sound(&self) -> bool {
        self.bounds.validate().is_ok()
    }
}

impl Stored for Asset {
    fn version(&self) -> u8 {
        self.version
    }

    fn is_sound(&self) -> bool {
        let set = &self.oracle;
        let counts = (1..=MAX_SOURCES).contains(&usize::from(set.count)) && (1..=set.count).contains(&set.required);
        counts && self.decimals <= MAX_DECIMALS && self.window.cell_secs > 0 && self.reference_params.half_life_secs > 0
    }
}

impl Stored for Vault {
    fn version(&self) -> u8 {
        self.version
    }

    fn is_sound(&self) -> bool {
        let risk = &self.risk;
        let lines = 0 < risk.soft_line_bps
            && risk.soft_line_bps < risk.liquidation_line_bps
            && risk.liquidation_line_bps < risk.full_close_ltv_bps
            && risk.min_bonus_bps <= risk.max_bonus_bps;
        // debt never shrinks by itself, so the index starts at one; 2^32 times the debt is beyond any curve
        let index = (Q64_ONE..=Q64_ONE << 32).contains(&self.borrow_index_q64.get());
        let decimals = self.collateral_decimals <= MAX_DECIMALS && self.loan_decimals <= MAX_DECIMALS;
        lines && index && decimals && self.curve.validate().is_ok()
    }
}

impl Stored for Rule {
    fn version(&self) -> u8 {
        self.version
    }

    fn is_sound(&self) -> bool {
        let p = &self.params;
        let level = Level::try_from(p.level).is_ok_and(|l| (Level::Caution..=Level::Halt).contains(&l));
        let kinds = p.metric().is_ok()
            && Comparator::try_from(p.comparator).is_ok()
            && Scope::try_from(p.scope).is_ok()
            && Switch::try_from(p.switch).is_ok();
        level && kinds
    }
}

/// Kinds of which every bit pattern is safe: the program's functions check what they read of them.
macro_rules! stored_as_it_is {
    ($($kind:ty),+) => {$(
        impl Stored for $kind {
            fn version(&self) -> u8 {
                self.version
            }

            fn is_sound(&self) -> bool {
                true
            }
        }
    )+};
}
stored_as_it_is!(Position, Report, Integration, BountyVault, SwapPolicy);

impl Stored for RuleGroup {
    fn version(&self) -> u8 {
        self.version
    }

    fn is_sound(&self) -> bool {
        let level = Level::try_from(self.params.level).is_ok_and(|l| (Level::Caution..=Level::Halt).contains(&l));
        level && (1..=MAX_GROUP_RULES).contains(&usize::from(self.count))
    }
}

impl Stored for Reserve {
    fn version(&self) -> u8 {
        self.version
    }

    fn is_sound(&self) -> bool {
        // the program's own check: places within the basket, weights whole and falling
        self.plan.validate().is_ok() && self.active().iter().all(|held| held.decimals <= MAX_DECIMALS)
    }
}

impl Stored for KeeperSet {
    fn version(&self) -> u8 {
        self.version
    }

    fn is_sound(&self) -> bool {
        usize::from(self.count) <= MAX_KEEPERS
    }
}

/// What a token account says, in the layout that both token programs share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBalance {
    /// Base units that may be spent; none from a frozen account.
    pub amount: u64,
}

impl TokenBalance {
    const AMOUNT: core::ops::Range<usize> = 64..72;
    const STATE: usize = 108;
    const INITIALIZED: u8 = 1;

    /// Reads a token account of `mint` and `owner`; `None` for anything else.
    pub fn decode(data: &[u8], mint: &Pubkey, owner: &Pubkey) -> Option<Self> {
        let is_theirs = data.get(..32)? == mint.as_ref() && data.get(32..64)? == owner.as_ref();
        let amount = u64::from_le_bytes(data.get(Self::AMOUNT)?.try_into().ok()?);
        let is_usable = *data.get(Self::STATE)? == Self::INITIALIZED;
        is_theirs.then_some(Self { amount: if is_usable { amount } else { 0 } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::testing;
    use proptest::prelude::*;

    #[test]
    fn every_kind_is_read_back() {
        let world = testing::World::new();
        assert!(matches!(decode(&rampart::ID, &testing::bytes_of(&world.guard)), Ok(Decoded::Guard(_))));
        assert!(matches!(decode(&rampart::ID, &testing::bytes_of(&world.asset(0))), Ok(Decoded::Asset(_))));
        assert!(matches!(decode(&rampart::ID, &testing::bytes_of(&world.vault())), Ok(Decoded::Vault(_))));
        assert!(matches!(decode(&rampart::ID, &testing::bytes_of(&world.position(1, 2))), Ok(Decoded::Position(_))));
    }

    #[test]
    fn fault_15_48_wrong_owner_version_length_and_values_are_refused() {
        let world = testing::World::new();
        let data = testing::bytes_of(&world.vault());
        assert_eq!(decode(&Pubkey::default(), &data).unwrap_err(), DecodeError::Owner);
        assert_eq!(decode(&rampart::ID, &data[..data.len() - 1]).unwrap_err(), DecodeError::Length);
        assert_eq!(decode(&rampart::ID, &[9; 8]).unwrap_err(), DecodeError::Discriminator);
        let newer = testing::bytes_of(&Vault { version: LAYOUT_VERSION + 1, ..world.vault() });
        assert_eq!(decode(&rampart::ID, &newer).unwrap_err(), DecodeError::Version);
        let mut unsound = world.vault();
        unsound.curve.kink_bps = 20_000;
        assert_eq!(decode(&rampart::ID, &testing::bytes_of(&unsound)).unwrap_err(), DecodeError::Unsound);
    }

    #[test]
    fn frozen_or_foreign_token_account_holds_nothing_to_spend() {
        let (mint, owner) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let mut data = testing::token_account(&mint, &owner, 77);
        assert_eq!(TokenBalance::decode(&data, &mint, &owner), Some(TokenBalance { amount: 77 }));
        assert_eq!(TokenBalance::decode(&data, &owner, &owner), None);
        data[108] = 2;
        assert_eq!(TokenBalance::decode(&data, &mint, &owner), Some(TokenBalance { amount: 0 }));
    }

    proptest! {
        #[test]
        fn garbage_is_refused_without_a_panic(data in prop::collection::vec(any::<u8>(), 0..6_000)) {
            prop_assert!(decode(&rampart::ID, &data).is_err());
        }
    }
}
