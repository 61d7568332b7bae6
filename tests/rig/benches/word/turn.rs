//! How prices turn.

use rampart_rig::Scene;
use rampart_rig::scene::CALM;

/// Where prices end, share of the calm one: beyond the drawdown's line, short of the borrower's.
const LOW: f64 = 0.88;
/// How long a slide takes, milliseconds.
const SLIDE_MS: u64 = 60_000;

/// One way to turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Down in one block.
    Jump,
    /// Down within a minute.
    Slide,
    /// No feed tells anything any more.
    Silence,
}

impl Turn {
    /// All of them, in the table's order.
    pub const ALL: [Self; 3] = [Self::Jump, Self::Slide, Self::Silence];

    /// Returns what the table says.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jump => "12 % down in one block",
            Self::Slide => "12 % down within a minute",
            Self::Silence => "no feed tells any",
        }
    }

    /// Tells whether prices fall: else no drawdown is seen.
    pub fn is_fall(self) -> bool {
        self != Self::Silence
    }

    /// Goes on, so many milliseconds after it began.
    pub fn go_on(self, scene: &Scene, ms: u64) {
        let gone = ms.min(SLIDE_MS) as f64 / SLIDE_MS as f64;
        match self {
            Self::Jump => scene.price(CALM * LOW),
            Self::Slide => scene.price(CALM * (1.0 - (1.0 - LOW) * gone)),
            Self::Silence => scene.chain.state().is_publishing = false,
        }
    }
}
