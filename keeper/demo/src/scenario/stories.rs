//! What each story consists of.

use crate::market::synthetic::{CRASH, Corner, calm, corner, path};
use crate::market::{Disturbance, Effect, PricePoint};
use crate::scenario::{Act, Loosening, Scenario, Scheduled, Story};
use crate::world::cast::{BORROWERS, LENDERS};
use crate::world::{Coin, SOURCES};

/// Rounds of withdrawals in the bank run, and seconds between two.
const RUN_ROUNDS: usize = 12;
const RUN_STEP_SECS: i64 = 12;

impl Scenario {
    /// Returns the story, its points `step_secs` apart.
    pub fn story(self, step_secs: i64, seed: u64) -> Story {
        let market = |corners: &[Corner]| path(corners, step_secs, seed);
        let (points, disturbances, acts) = match self {
            Self::Crash => (market(&CRASH), Vec::new(), crash_acts()),
            Self::OracleManipulation => (market(&calm(600)), manipulation(), manipulation_acts()),
            Self::Depeg => (market(&DEPEG), Vec::new(), depeg_acts()),
            Self::BankRun => (market(&calm(420)), Vec::new(), run_acts()),
            Self::StaleOracle => (market(&STALE), silence(), stale_acts()),
            Self::KeeperOutage => (market(&CRASH), Vec::new(), outage_acts()),
            Self::AdminTakeover => (market(&calm(300)), Vec::new(), takeover_acts()),
        };
        Story { points, disturbances, acts, attempt: self.attempt().to_owned() }
    }

    fn attempt(self) -> &'static str {
        match self {
            Self::Crash => {
                "SOL fell by 43 % and BTC by 27 % within eighteen minutes; borrowers tried to borrow more on the way down."
            }
            Self::OracleManipulation => {
                "One of SOL's two price sources was moved up by 60 %, and an attacker tried to borrow at the fake price; then it \
                 was moved down by 45 %, and the attacker tried to liquidate a healthy borrower."
            }
            Self::Depeg => {
                "USDC, the loan of both vaults, fell to 0.87 dollars; an attacker tried to borrow while it was there."
            }
            Self::BankRun => "Every lender of the SOL vault tried to withdraw again and again.",
            Self::StaleOracle => {
                "Both of SOL's price sources fell silent while its price fell by 20 %; a borrower tried to borrow at the old price."
            }
            Self::KeeperOutage => "Two of three keepers were killed in the middle of the crash; one came back later.",
            Self::AdminTakeover => {
                "A thief with the root key tried to loosen the limits and to switch a rule off, and to drain the vault."
            }
        }
    }
}

/// The dollar coin falls to 0.87 and recovers.
const DEPEG: [Corner; 5] = [
    corner(0, 1.0, 1.0, 1.0),
    corner(120, 1.0, 1.0, 0.998),
    corner(240, 0.99, 0.99, 0.90),
    corner(360, 0.985, 0.985, 0.87),
    corner(600, 0.99, 0.99, 0.97),
];

/// SOL falls by a fifth while nobody says so.
const STALE: [Corner; 4] =
    [corner(0, 1.0, 1.0, 1.0), corner(100, 1.0, 1.0, 1.0), corner(400, 0.8, 0.97, 1.0), corner(600, 0.82, 0.97, 1.0)];

fn manipulation() -> Vec<Disturbance> {
    let moved = |from_secs, to_secs, times| Disturbance {
        coin: Coin::Sol,
        source: 0,
        from_secs,
        to_secs,
        effect: Effect::Times(times),
    };
    vec![moved(120, 240, 1.6), moved(360, 480, 0.55)]
}

fn silence() -> Vec<Disturbance> {
    let silent = |source| Disturbance { coin: Coin::Sol, source, from_secs: 100, to_secs: 400, effect: Effect::Silent };
    (0..SOURCES).map(silent).collect()
}

fn at(at_secs: i64, act: Act) -> Scheduled {
    Scheduled { at_secs, act, must_be_refused: false }
}

fn refused(at_secs: i64, act: Act) -> Scheduled {
    Scheduled { at_secs, act, must_be_refused: true }
}

/// Borrowers who try to take more out while the price falls.
fn crash_acts() -> Vec<Scheduled> {
    (0..6).map(|n| refused(600 + 60 * n, Act::BorrowsMore { borrower: n as usize * 7, usd: 20_000 })).collect()
}

fn manipulation_acts() -> Vec<Scheduled> {
    // 360,000 is far above 75 % of the true 400,000 and below 75 % of the fake 640,000
    let borrow = Act::AttackerBorrows { usd: 360_000 };
    let borrows = [150, 180, 210].map(|secs| refused(secs, borrow));
    let liquidations = [390, 420, 450].map(|secs| refused(secs, Act::AttackerLiquidates));
    borrows.into_iter().chain(liquidations).collect()
}

fn depeg_acts() -> Vec<Scheduled> {
    [300, 360, 420].map(|secs| refused(secs, Act::AttackerBorrows { usd: 200_000 })).to_vec()
}

fn run_acts() -> Vec<Scheduled> {
    let round = |n: usize| (0..LENDERS).map(move |lender| (n, lender));
    let asked = (0..RUN_ROUNDS).flat_map(round).map(|(n, lender)| {
        // who was refused asks for less: the exit floor is what stays
        let share_bps = if n < 6 { 400 } else { 90 };
        at(120 + n as i64 * RUN_STEP_SECS, Act::Withdraws { lender, share_bps })
    });
    asked.collect()
}

fn stale_acts() -> Vec<Scheduled> {
    let borrow = |secs| refused(secs, Act::BorrowsMore { borrower: 0, usd: 1_000 });
    vec![borrow(240), at(270, Act::Withdraws { lender: 0, share_bps: 50 }), borrow(330)]
}

fn outage_acts() -> Vec<Scheduled> {
    let keepers = [at(420, Act::KillsKeeper(0)), at(424, Act::KillsKeeper(1)), at(840, Act::RestartsKeeper(0))];
    let mut acts = crash_acts();
    acts.extend(keepers);
    acts.sort_by_key(|scheduled| scheduled.at_secs);
    acts
}

fn takeover_acts() -> Vec<Scheduled> {
    use Loosening::{BorrowCap, DisableRule, Ltv, Outflow, Threshold};
    let tries = [Ltv, Outflow, BorrowCap, DisableRule, Threshold].into_iter().zip(0i64..);
    let mut acts: Vec<_> = tries.map(|(loosening, n)| refused(60 + 20 * n, Act::Loosens(loosening))).collect();
    acts.push(refused(160, Act::StrangerTightens));
    acts.push(refused(180, Act::AttackerBorrows { usd: 350_000 }));
    acts
}

/// Returns the points of a recorded market as a story of its own, with the crash's borrowers.
pub fn recorded(points: Vec<PricePoint>, attempt: String) -> Story {
    Story { points, disturbances: Vec::new(), acts: Vec::new(), attempt }
}

const _: () = assert!(BORROWERS[0] > 36, "the crash names borrowers of the first vault");

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn acts_are_in_order_and_inside_the_market() {
        for scenario in Scenario::value_variants() {
            let story = scenario.story(4, 1);
            let end = story.points.last().unwrap().at_secs;
            assert!(story.acts.windows(2).all(|w| w[0].at_secs <= w[1].at_secs), "{scenario:?}");
            assert!(story.acts.iter().all(|s| s.at_secs < end), "{scenario:?}");
        }
    }

    #[test]
    fn stories_are_seeded() {
        assert_eq!(Scenario::Crash.story(4, 3).points, Scenario::Crash.story(4, 3).points);
        assert_ne!(Scenario::Crash.story(4, 3).points, Scenario::Crash.story(4, 4).points);
    }
}
