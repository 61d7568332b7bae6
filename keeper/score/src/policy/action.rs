//! The nine actions, and the stance that they change.

use serde::{Deserialize, Serialize};

/// One decision. The order is the order of the weights in a policy file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Leave everything.
    Noop,
    /// Lower the LTV for new risk by 250 bps.
    TightenLtv,
    /// Raise the LTV for new risk by 100 bps.
    LoosenLtv,
    /// Lower the caps by 2,500 bps of their base.
    TightenCaps,
    /// Raise the caps by 500 bps of their base.
    LoosenCaps,
    /// Deleverage softly, 200 bps of the debt an hour, for an hour.
    Deleverage,
    /// Move 2,500 bps of the reserve's exposure into the quote asset.
    HedgeMore,
    /// Move 2,500 bps of it back.
    HedgeLess,
    /// Halt new risk for 30 minutes.
    Halt,
}

impl Action {
    /// Number of actions.
    pub const COUNT: usize = 9;
    /// All actions, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Noop,
        Self::TightenLtv,
        Self::LoosenLtv,
        Self::TightenCaps,
        Self::LoosenCaps,
        Self::Deleverage,
        Self::HedgeMore,
        Self::HedgeLess,
        Self::Halt,
    ];
    /// Step of [`Action::TightenLtv`], bps.
    pub const LTV_DOWN_BPS: u16 = 250;
    /// Step of [`Action::LoosenLtv`], bps.
    pub const LTV_UP_BPS: u16 = 100;
    /// Step of [`Action::TightenCaps`], bps of the base caps.
    pub const CAPS_DOWN_BPS: u16 = 2_500;
    /// Step of [`Action::LoosenCaps`], bps of the base caps.
    pub const CAPS_UP_BPS: u16 = 500;
    /// Quota of [`Action::Deleverage`], bps of the debt an hour.
    pub const QUOTA_BPS: u16 = 200;
    /// How long a quota holds, seconds.
    pub const QUOTA_SECS: i64 = 3_600;
    /// Step of both hedges, bps of the exposure.
    pub const HEDGE_BPS: u16 = 2_500;
    /// How long a halt holds, seconds.
    pub const HALT_SECS: i64 = 1_800;

    /// Returns the place in [`Action::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Says whether the action gives risk back: such actions need a calm and known market.
    pub fn is_loosening(self) -> bool {
        matches!(self, Self::LoosenLtv | Self::LoosenCaps | Self::HedgeLess)
    }
}

/// What the guard is set to, as far as a policy may set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stance {
    /// LTV for new risk, bps.
    pub ltv_bps: u16,
    /// Caps as a share of their base, bps.
    pub caps_bps: u16,
    /// Share of the reserve's exposure that is in the quote asset, bps.
    pub hedge_bps: u16,
    /// Until when soft deleveraging runs, unix seconds; none if it doesn't.
    pub deleverage_until_ts: Option<i64>,
    /// Until when new risk is halted, unix seconds; none if it isn't.
    pub halted_until_ts: Option<i64>,
}

impl Stance {
    /// Says whether new risk is halted at `now_ts`.
    pub fn is_halted(&self, now_ts: i64) -> bool {
        self.halted_until_ts.is_some_and(|until| now_ts < until)
    }

    /// Says whether soft deleveraging runs at `now_ts`.
    pub fn is_deleveraging(&self, now_ts: i64) -> bool {
        self.deleverage_until_ts.is_some_and(|until| now_ts < until)
    }

    /// Returns the stance after `action`, whatever bounds say: the shield decides whether it may be.
    pub(super) fn after(self, action: Action, now_ts: i64) -> Self {
        let mut next = self;
        match action {
            Action::Noop => {}
            Action::TightenLtv => next.ltv_bps = self.ltv_bps.saturating_sub(Action::LTV_DOWN_BPS),
            Action::LoosenLtv => next.ltv_bps = self.ltv_bps.saturating_add(Action::LTV_UP_BPS),
            Action::TightenCaps => next.caps_bps = self.caps_bps.saturating_sub(Action::CAPS_DOWN_BPS),
            Action::LoosenCaps => next.caps_bps = self.caps_bps.saturating_add(Action::CAPS_UP_BPS),
            Action::Deleverage => next.deleverage_until_ts = Some(now_ts.saturating_add(Action::QUOTA_SECS)),
            Action::HedgeMore => next.hedge_bps = self.hedge_bps.saturating_add(Action::HEDGE_BPS),
            Action::HedgeLess => next.hedge_bps = self.hedge_bps.saturating_sub(Action::HEDGE_BPS),
            Action::Halt => next.halted_until_ts = Some(now_ts.saturating_add(Action::HALT_SECS)),
        }
        next
    }
}
