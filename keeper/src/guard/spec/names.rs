//! Words for the numbers that the program stores.

use super::{Part, Unknown};
use rampart::mint::Issuer;
use rampart::state::asset::{Peg, ReferenceSpan};
use rampart::state::{
    Comparator, KeeperRole, Level, Metric, Pin, Purpose, RateKind, ReportPart, Scope, SourceKind, Standing, SwapCaller,
    Switch,
};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident of $kind:ident, $what:literal { $first:ident, $($variant:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            #[doc = concat!("As the program's `", stringify!($kind), "::", stringify!($first), "`.")]
            #[default]
            $first,
            $(
                #[doc = concat!("As the program's `", stringify!($kind), "::", stringify!($variant), "`.")]
                $variant,
            )*
        }

        impl Part<u8> for $name {
            fn of(value: &u8) -> Result<Self, Unknown> {
                Ok(match $kind::try_from(*value) {
                    Ok($kind::$first) => Self::$first,
                    $(Ok($kind::$variant) => Self::$variant,)*
                    Err(_) => return Err(Unknown { what: $what, value: *value }),
                })
            }

            fn value(&self) -> u8 {
                match self {
                    Self::$first => $kind::$first as u8,
                    $(Self::$variant => $kind::$variant as u8,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }
    };
}

named!(
    /// On or off.
    SwitchName of Switch, "switch" { Disabled, Enabled }
);
named!(
    /// What a scope still allows.
    LevelName of Level, "level" { Normal, Caution, ReduceOnly, Halt, Resolution }
);
named!(
    /// What a rule measures.
    MetricName of Metric, "metric" {
        Drawdown, DeviationFromReference, OracleAge, ConfidenceRatio, OutflowRate, CollateralRatio, RealizedVolatility,
        SourceDisagreement, PegDeviation, SupplyGrowth, InflowRate, Utilisation, ReserveCover, KeeperMedian,
        KeeperSilence, KeeperSpread, VaultShortfall
    }
);
named!(
    /// Which side of a threshold is dangerous.
    ComparatorName of Comparator, "comparator" { Above, Below }
);
named!(
    /// Whose level a rule raises.
    ScopeName of Scope, "scope" { Subject, Guard }
);
named!(
    /// Whether a rule acts by itself.
    StandingName of Standing, "standing" { Alone, Member }
);
named!(
    /// A part of a keeper's report.
    PartName of ReportPart, "part of a report" { Score, Volatility, Liquidity, Correlation, Anomaly, SystemHealth }
);
named!(
    /// Which reference a price is held against.
    SpanName of ReferenceSpan, "reference" { Short, FourHours, Day }
);
named!(
    /// The provider of a price source.
    SourceName of SourceKind, "kind of source" { Pyth, Switchboard }
);
named!(
    /// How an oracle account is recognised.
    PinName of Pin, "pin" { Account, Feed }
);
named!(
    /// What prices are multiplied with.
    RateName of RateKind, "kind of exchange rate" { Unrated, SplStakePool }
);
named!(
    /// What an asset is meant to be worth.
    PegName of Peg, "peg" { Unpegged, UsDollar }
);
named!(
    /// What the issuer of a mint may do.
    IssuerName of Issuer, "issuer" { Powerless, MayStall }
);
named!(
    /// What a member of the keeper set is there for.
    MemberName of KeeperRole, "role of a keeper" { Reporter, Standby }
);
named!(
    /// What a swap policy is for.
    PurposeName of Purpose, "purpose" { Rebalance, Liquidation, Both }
);
named!(
    /// Who may call a swap policy.
    CallerName of SwapCaller, "caller" { Anyone, Keepers }
);
