//! Real moves: the price falls on every venue.

use super::Dice;
use crate::market::{Follow, World};

/// How a fall goes: share of the price, minutes down, minutes back and share that comes back.
pub(super) struct Fall {
    pub depth: f64,
    pub minutes: f64,
    pub back_minutes: f64,
    pub retrace: f64,
}

impl Fall {
    /// Bends `world` from `onset` on and thins its books; returns the step of the low.
    pub(super) fn play(&self, world: &mut World, onset: usize, factor_share: f64) -> usize {
        let low = onset + world.steps_in(self.minutes);
        let back = low + world.steps_in(self.back_minutes);
        let after = 1.0 - self.depth * (1.0 - self.retrace);
        world.bend(&[(onset, 0.0), (low, (1.0 - self.depth).ln()), (back, after.ln())], factor_share);
        // Books thin with the size of the fall: a third of the depth is left at −30 %.
        world.stress(onset, low, (-3.6 * self.depth).exp(), 1.0 + 20.0 * self.depth, 1.0 + 15.0 * self.depth);
        let taker_buy = 0.5 - 0.3 * self.depth.min(0.8);
        world.within(onset, low, |step| step.taker_buy = step.taker_buy.min(taker_buy));
        low
    }
}

/// Template 1: −20 to −60 % in 2 to 30 minutes, with a retrace of 50 to 95 % or none.
pub(super) fn flash(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let depth = dice.draw("depth", (0.2, 0.4), (0.25, 0.6));
    let minutes = dice.draw("minutes", (5.0, 30.0), (2.0, 20.0));
    let retrace = retrace(dice);
    let back_minutes = dice.any("back_minutes", (10.0, 180.0));
    Fall { depth, minutes, back_minutes, retrace }.play(world, onset, 0.3);
    Some(onset)
}

/// Draws the share of a fall that comes back: none in one of three, else 50 to 95 %.
fn retrace(dice: &mut Dice) -> f64 {
    let comes_back = dice.any("comes_back", (0.0, 1.0)) > 1.0 / 3.0;
    let share = dice.any("retrace_if_any", (0.5, 0.95));
    dice.note("retrace", if comes_back { share } else { 0.0 })
}

/// Template 4: a peg breaks to 0.85 to 0.20; sources that hold a constant price are none here.
pub(super) fn depeg(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    hold_peg(world, onset);
    let depth = dice.draw("depth", (0.1, 0.4), (0.15, 0.8));
    let minutes = dice.draw("minutes", (360.0, 1_440.0), (120.0, 1_440.0));
    let retrace = retrace(dice);
    Fall { depth, minutes, back_minutes: 1_440.0, retrace }.play(world, onset, 0.0);
    Some(onset)
}

/// Takes nearly all movement out of the price until `onset`, as an arbitrated peg does; what moves after it stays.
pub(super) fn hold_peg(world: &mut World, onset: usize) {
    let anchor = world.steps.first().map_or(1.0, |step| step.truth);
    let held = world.steps[onset].truth / anchor;
    for (index, step) in world.steps.iter_mut().enumerate() {
        let drift = if index < onset { step.truth / anchor } else { held };
        // A fortieth of an ordinary asset's movement: a few bps a day.
        step.truth = step.truth / drift * drift.powf(0.025);
    }
}

/// Template 6: the factor falls 15 to 45 % within hours and every beta goes to its stressed value.
pub(super) fn correlated(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let depth = dice.draw("depth", (0.15, 0.3), (0.2, 0.45));
    let minutes = dice.draw("minutes", (120.0, 720.0), (45.0, 720.0));
    let retrace = dice.any("retrace", (0.0, 0.5));
    let low = Fall { depth, minutes, back_minutes: 720.0, retrace }.play(world, onset, 0.85);
    world.within(onset, low, |step| step.borrow_demand *= 1.5);
    Some(onset)
}

/// Template 13: a smaller fall, and the impact of liquidations stays in the price.
pub(super) fn cascade(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let depth = dice.draw("depth", (0.1, 0.2), (0.12, 0.3));
    let feedback = dice.draw("feedback", (0.2, 0.5), (0.4, 0.9));
    let minutes = dice.any("minutes", (20.0, 180.0));
    let low = Fall { depth, minutes, back_minutes: 720.0, retrace: 0.3 }.play(world, onset, 0.4);
    let until = low + world.steps_in(360.0);
    world.within(onset, until, |step| step.feedback = feedback);
    Some(onset)
}

/// Template 14: −25 to −55 % over ten days.
pub(super) fn bleed(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = world.steps_in(dice.note("onset_minutes", 3_000.0));
    let depth = dice.draw("depth", (0.25, 0.45), (0.35, 0.55));
    let low = onset + world.steps_in(dice.note("minutes", 14_400.0));
    world.bend(&[(onset, 0.0), (low, (1.0 - depth).ln())], 0.7);
    world.stress(onset, low, 0.7, 1.3, 1.2);
    Some(onset)
}

/// Template 15: 3 to 6 falls of 6 to 12 % that come back in full.
pub(super) fn whipsaw(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let falls = dice.any("falls", (3.0, 6.99)).floor() as usize;
    let apart = (world.steps.len() - onset) / (falls + 1);
    for fall in 0..falls {
        let depth = dice.draw(&format!("depth_{fall}"), (0.06, 0.1), (0.06, 0.12));
        let minutes = dice.any(&format!("minutes_{fall}"), (10.0, 60.0));
        Fall { depth, minutes, back_minutes: 2.0 * minutes, retrace: 1.0 }.play(world, onset + fall * apart, 0.3);
    }
    Some(onset)
}

/// Lets the first source read one venue only from the first step on.
pub(super) fn capture_first_source(world: &mut World) {
    world.steps.iter_mut().for_each(|step| step.sources[0].follows = Follow::FirstVenue);
}
