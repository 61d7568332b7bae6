//! Parameters with lists: the program stores them as places, of which the first few are in use.

use super::{CallerName, Key, Part, PurposeName, RateSpec, SourceSpec, SwitchName, Unknown, unhex};
use bytemuck::Zeroable;
use rampart::state::{
    CoverCaps, OracleSet, OracleSource, Prefix, RateSource, ReserveGrant, ReservePlan, Roles, StandbySet, SwapParams,
};
use serde::{Deserialize, Serialize};

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesSpec {
    /// Creates and proposes.
    pub root: Key,
    /// Tightens at once.
    pub risk_admin: Key,
    /// Lowers levels with a proof.
    pub resetter: Key,
    /// Stops pending changes.
    pub vetoer: Key,
    /// May raise levels within a budget; at most eight.
    pub guardians: Vec<Key>,
    /// How many of them make a quorum.
    pub guardian_quorum: u8,
}

impl Part<Roles> for RolesSpec {
    fn of(value: &Roles) -> Result<Self, Unknown> {
        let Roles { root, risk_admin, resetter, vetoer, guardians: _, guardian_count: _, guardian_quorum, reserved: _ } =
            value;
        let guardians = value.active_guardians().iter().copied().map(Key).collect();
        let [root, risk_admin, resetter, vetoer] = [root, risk_admin, resetter, vetoer].map(|key| Key(*key));
        Ok(Self { root, risk_admin, resetter, vetoer, guardians, guardian_quorum: *guardian_quorum })
    }

    fn value(&self) -> Roles {
        let keys: Vec<_> = self.guardians.iter().map(|key| key.0).collect();
        Roles {
            root: self.root.0,
            risk_admin: self.risk_admin.0,
            resetter: self.resetter.0,
            vetoer: self.vetoer.0,
            guardians: places(&keys),
            guardian_count: count(&keys),
            guardian_quorum: self.guardian_quorum,
            reserved: Zeroable::zeroed(),
        }
    }
}

/// Price sources and how they have to agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleSpec {
    /// How many must be valid and agree.
    pub required: u8,
    /// The widest gap between two agreeing sources, bps of the lower.
    pub max_disagree_bps: u16,
    /// The sources, at most three.
    pub sources: Vec<SourceSpec>,
    /// What their price is multiplied with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateSpec>,
}

impl Part<OracleSet> for OracleSpec {
    fn of(value: &OracleSet) -> Result<Self, Unknown> {
        let OracleSet { sources: _, count: _, required, max_disagree_bps, reserved: _, rate } = value;
        let sources = value.active().iter().map(SourceSpec::of).collect::<Result<_, _>>()?;
        let rate = if *rate == RateSource::UNRATED { None } else { Some(RateSpec::of(rate)?) };
        Ok(Self { required: *required, max_disagree_bps: *max_disagree_bps, sources, rate })
    }

    fn value(&self) -> OracleSet {
        let sources: Vec<OracleSource> = self.sources.iter().map(Part::value).collect();
        OracleSet {
            sources: places(&sources),
            count: count(&sources),
            required: self.required,
            max_disagree_bps: self.max_disagree_bps,
            reserved: Zeroable::zeroed(),
            rate: self.rate.as_ref().map_or(RateSource::UNRATED, Part::value),
        }
    }
}

/// Sources that may take a dead one's place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandbySpec {
    /// The sources, at most two.
    pub sources: Vec<SourceSpec>,
}

impl Part<StandbySet> for StandbySpec {
    fn of(value: &StandbySet) -> Result<Self, Unknown> {
        let StandbySet { sources, count, reserved: _ } = value;
        let used = sources.iter().take(usize::from(*count));
        Ok(Self { sources: used.map(SourceSpec::of).collect::<Result<_, _>>()? })
    }

    fn value(&self) -> StandbySet {
        let sources: Vec<OracleSource> = self.sources.iter().map(Part::value).collect();
        StandbySet { sources: places(&sources), count: count(&sources), reserved: Zeroable::zeroed() }
    }
}

/// What a swap policy allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwapSpec {
    /// Whether it is in use. A new one is not.
    #[serde(default)]
    pub switch: SwitchName,
    /// The program that swaps.
    pub program: Key,
    /// How the data of its allowed instructions starts, hexadecimal; at most eight.
    pub prefixes: Vec<String>,
    /// What it is for.
    pub purpose: PurposeName,
    /// Who may call it.
    pub caller: CallerName,
    /// The most that one swap may be worth, millionths of a dollar.
    pub max_swap_micro_usd: u64,
    /// The most within 24 hours, millionths of a dollar.
    pub max_day_micro_usd: u64,
    /// The most that rebalances may lose within 24 hours, millionths of a dollar.
    pub loss_day_micro_usd: u64,
    /// Above this worth two sources have to agree, millionths of a dollar.
    pub two_sources_micro_usd: u64,
    /// Time between two rebalances, seconds.
    pub cooldown_secs: u32,
    /// The oldest price, seconds.
    pub max_oracle_age_secs: u32,
    /// How far below the prices a swap may pay, bps.
    pub max_slippage_bps: u16,
}

impl Part<SwapParams> for SwapSpec {
    fn of(value: &SwapParams) -> Result<Self, Unknown> {
        let used = value.prefixes.iter().take(usize::from(value.prefix_count));
        Ok(Self {
            switch: SwitchName::of(&value.switch)?,
            program: Key(value.program),
            prefixes: used.map(|prefix| hex::encode(prefix.active())).collect(),
            purpose: PurposeName::of(&value.purpose)?,
            caller: CallerName::of(&value.caller)?,
            max_swap_micro_usd: value.max_swap_micro_usd,
            max_day_micro_usd: value.max_day_micro_usd,
            loss_day_micro_usd: value.loss_day_micro_usd,
            two_sources_micro_usd: value.two_sources_micro_usd,
            cooldown_secs: value.cooldown_secs,
            max_oracle_age_secs: value.max_oracle_age_secs,
            max_slippage_bps: value.max_slippage_bps,
        })
    }

    fn value(&self) -> SwapParams {
        let prefixes: Vec<Prefix> = self.prefixes.iter().map(|text| prefix(text)).collect();
        SwapParams {
            program: self.program.0,
            prefixes: places(&prefixes),
            max_swap_micro_usd: self.max_swap_micro_usd,
            max_day_micro_usd: self.max_day_micro_usd,
            loss_day_micro_usd: self.loss_day_micro_usd,
            two_sources_micro_usd: self.two_sources_micro_usd,
            cooldown_secs: self.cooldown_secs,
            max_oracle_age_secs: self.max_oracle_age_secs,
            max_slippage_bps: self.max_slippage_bps,
            prefix_count: count(&prefixes),
            purpose: self.purpose.value(),
            caller: self.caller.value(),
            switch: self.switch.value(),
            reserved: Zeroable::zeroed(),
        }
    }
}

/// What can't be read becomes an empty prefix, which the program refuses.
fn prefix(text: &str) -> Prefix {
    let bytes = unhex(text).unwrap_or_default();
    Prefix { bytes: places(&bytes), len: count(&bytes) }
}

/// Weights and cover of the reserve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSpec {
    /// For each asset its weights at the levels Normal to Halt, bps.
    pub weights_bps: Vec<[u16; 4]>,
    /// For each asset what it may pay for one vault ever, for all in 24 hours, and for all ever, base units.
    pub cover_amounts: Vec<[u64; 3]>,
    /// How much nearer its targets a rebalance brings the basket, bps.
    pub min_improvement_bps: u16,
    /// Place of the quote asset.
    pub quote: u8,
    /// Place of the scored asset.
    pub scored: u8,
}

impl Part<ReservePlan> for PlanSpec {
    fn of(value: &ReservePlan) -> Result<Self, Unknown> {
        let count = usize::from(value.count);
        let cover = value.cover.iter().take(count).map(|c| [c.vault_amount, c.day_amount, c.life_amount]);
        Ok(Self {
            weights_bps: value.weights_bps.iter().take(count).copied().collect(),
            cover_amounts: cover.collect(),
            min_improvement_bps: value.min_improvement_bps,
            quote: value.quote,
            scored: value.scored,
        })
    }

    fn value(&self) -> ReservePlan {
        let caps = self.cover_amounts.iter().map(|[vault_amount, day_amount, life_amount]| CoverCaps {
            vault_amount: *vault_amount,
            day_amount: *day_amount,
            life_amount: *life_amount,
        });
        ReservePlan {
            weights_bps: places(&self.weights_bps),
            cover: places(&caps.collect::<Vec<_>>()),
            min_improvement_bps: self.min_improvement_bps,
            count: count(&self.weights_bps),
            quote: self.quote,
            scored: self.scored,
            reserved: Zeroable::zeroed(),
        }
    }
}

/// Leave to take something out of the reserve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantSpec {
    /// The token account that it goes to.
    pub destination: Key,
    /// How much at most, base units.
    pub amount: u64,
    /// Which asset of the basket.
    pub index: u8,
}

impl Part<ReserveGrant> for GrantSpec {
    fn of(value: &ReserveGrant) -> Result<Self, Unknown> {
        let ReserveGrant { destination, amount, index, reserved: _ } = value;
        Ok(Self { destination: Key(*destination), amount: *amount, index: *index })
    }

    fn value(&self) -> ReserveGrant {
        let (destination, amount, index) = (self.destination.0, self.amount, self.index);
        ReserveGrant { destination, amount, index, reserved: Zeroable::zeroed() }
    }
}

/// Fills places from the front; what is too much is counted, so that the program refuses it.
fn places<T: Zeroable + Copy, const N: usize>(values: &[T]) -> [T; N] {
    std::array::from_fn(|at| values.get(at).copied().unwrap_or_else(Zeroable::zeroed))
}

fn count<T>(values: &[T]) -> u8 {
    values.len().try_into().unwrap_or(u8::MAX)
}
