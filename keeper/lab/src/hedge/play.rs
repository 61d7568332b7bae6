//! One method on one pair, bar by bar: decided before the bar, paid for, held through it.

use super::{Assumptions, Estimator, Method, Row};

const YEAR_SECS: f64 = 365.0 * 86_400.0;

/// What one bar brought who holds one of the asset, as shares of its value at the bar's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// When the bar closed, unix seconds.
    pub ts: i64,
    /// What was held through the bar: short for one of the asset, or the share that is sold.
    pub held: f64,
    /// How much of it was traded at the bar's start, either way.
    pub traded: f64,
    /// What the trade cost.
    pub cost: f64,
    /// What holding cost.
    pub carry: f64,
    /// What prices brought.
    pub gross: f64,
}

impl Step {
    /// Returns what was held.
    pub fn ratio(&self) -> f64 {
        self.held
    }

    /// Returns what the bar brought after all costs.
    pub fn net(&self) -> f64 {
        self.gross - self.cost - self.carry
    }
}

/// Plays a method. Between trades units are held, so the ratio drifts with both prices; a trade is made where it is further from
/// the wanted one than the band, all the way.
pub fn play(method: Method, rows: &[Row], bar_secs: u32, assumptions: &Assumptions) -> Vec<Step> {
    let mut estimator = Estimator::new(method, assumptions, bar_secs);
    let mut held = 0.0;
    let step = |row: &Row| {
        // what the bar brings is seen after it: MUST stay behind `target`
        let wanted = estimator.target().filter(|target| (target - held).abs() > assumptions.band).unwrap_or(held);
        let traded = (wanted - held).abs();
        let step = stepped(method, (wanted, traded), row, bar_secs, assumptions);
        held = drifted(method, wanted, row);
        estimator.see(row);
        step
    };
    rows.iter().map(step).collect()
}

fn stepped(method: Method, (held, traded): (f64, f64), row: &Row, bar_secs: u32, assumptions: &Assumptions) -> Step {
    let is_sale = method == Method::Sell;
    let trade_bps = if is_sale { assumptions.sell_bps } else { assumptions.trade_bps };
    let funding = assumptions.funding_bps_year / 1e4 * f64::from(bar_secs) / YEAR_SECS;
    Step {
        ts: row.ts,
        held,
        traded,
        cost: traded * trade_bps / 1e4,
        carry: if is_sale { 0.0 } else { held * funding },
        gross: if is_sale { (1.0 - held) * row.asset } else { row.asset - held * row.short },
    }
}

/// Returns what is held after the bar, if nothing is traded.
fn drifted(method: Method, held: f64, row: &Row) -> f64 {
    match method {
        Method::Sell => 1.0 - (1.0 - held) * (1.0 + row.asset) / (1.0 + (1.0 - held) * row.asset),
        _ => held * (1.0 + row.short) / (1.0 + row.asset),
    }
}
