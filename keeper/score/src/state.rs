//! What is known beside a market's bars: the portfolio, the flows, the oracle, the positions, the keeper itself.

mod composition;
mod drift;
mod flow;
mod operations;
mod oracle;
mod portfolio;

pub use composition::Composition;
pub use drift::{DECILES, Drift};
pub use flow::{FLOWS, Flow, FlowKind, FlowReading, Hawkes};
pub use operations::Operations;
pub use oracle::{OracleHealth, OraclePrint};
pub use portfolio::{MARKETS_MAX, Portfolio, PortfolioError, Stress};
