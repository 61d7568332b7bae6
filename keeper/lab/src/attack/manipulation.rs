//! Moves of one venue: no size trades at them.

use super::Dice;
use super::crash::capture_first_source;
use crate::market::World;

/// Template 2: the first venue goes ×2 to ×20 in 5 to 30 minutes, the others stay; debt is drawn on top of it. The first oracle
/// reads that venue alone, the second is an honest median.
pub(super) fn pump(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let multiple = dice.draw("multiple", (2.0, 6.0), (6.0, 20.0));
    let minutes = dice.any("minutes", (5.0, 30.0));
    let borrow = dice.draw("attack_borrow", (0.1, 0.3), (0.2, 0.6));
    capture_first_source(world);
    squeeze(world, onset, multiple, minutes, borrow);
    Some(onset)
}

/// Moves the first venue to `multiple` within `minutes`, holds it for ten, and lets it fall back; draws `borrow` while it is up.
pub(super) fn squeeze(world: &mut World, onset: usize, multiple: f64, minutes: f64, borrow: f64) {
    let top = onset + world.steps_in(minutes);
    let held = top + world.steps_in(10.0);
    let back = held + world.steps_in(30.0);
    world.bend_venue(0, &[(onset, 0.0), (top, multiple.ln()), (held, multiple.ln()), (back, 0.0)]);
    world.stress(onset, held, 0.6, 3.0, 2.0);
    let each = borrow / (held - top) as f64;
    world.within(top, held, |step| step.attack_borrow = each);
    world.within(onset, top, |step| step.taker_buy = step.taker_buy.max(0.8));
}

/// Template 3: the first venue is sold down 30 to 80 % for minutes; whoever liquidates at its print farms healthy positions.
pub(super) fn dump(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let depth = dice.draw("depth", (0.3, 0.5), (0.3, 0.8));
    let minutes = dice.any("minutes", (5.0, 30.0));
    capture_first_source(world);
    push_down(world, onset, depth, minutes);
    Some(onset)
}

/// Moves the first venue down by `depth` within a quarter of `minutes`, holds it, and lets it come back.
pub(super) fn push_down(world: &mut World, onset: usize, depth: f64, minutes: f64) {
    let low = onset + world.steps_in(minutes / 4.0);
    let held = onset + world.steps_in(minutes);
    let down = (1.0 - depth).ln();
    world.bend_venue(0, &[(onset, 0.0), (low, down), (held.max(low + 1), down), (held.max(low + 1) + 5, 0.0)]);
    world.stress(onset, held, 0.6, 3.0, 2.0);
}

/// Template 16: one venue prints 0.0001 to 0.7 of the price for one or two minutes. A median of venues doesn't move, and no
/// guard should.
pub(super) fn wick(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let at = dice.onset(world);
    let print = dice.draw("print", (0.2, 0.7), (0.0001, 0.7));
    let minutes = dice.any("minutes", (1.0, 2.0));
    let until = at + world.steps_in(minutes);
    world.within(at, until, |step| step.gaps[0] *= print);
    None
}
