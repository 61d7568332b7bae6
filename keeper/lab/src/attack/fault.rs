//! Faults around a move: books, suppliers, oracles, keepers, the network and the hedge's venue.

use super::crash::Fall;
use super::{Dice, Keeper};
use crate::market::{Hawkes, World};
use rand::Rng;

/// Template 5: depth ×0.05 to ×0.3 over an hour, spread ×5 to ×20, the price flat at first; then it falls.
pub(super) fn drain(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let depth = dice.draw("book_depth", (0.15, 0.3), (0.05, 0.2));
    let spread = dice.draw("spread", (5.0, 10.0), (8.0, 20.0));
    let hour = world.steps_in(60.0);
    let until = onset + world.steps_in(720.0);
    for (index, step) in world.steps.iter_mut().enumerate().take(until).skip(onset) {
        let part = ((index - onset + 1) as f64 / hour as f64).min(1.0);
        step.depth *= depth.powf(part);
        step.spread *= spread.powf(part);
        step.volume *= 0.3f64.powf(part);
    }
    let fall = dice.draw("depth", (0.1, 0.2), (0.1, 0.3));
    Fall { depth: fall, minutes: 120.0, back_minutes: 720.0, retrace: 0.5 }.play(world, onset + 2 * hour, 0.3);
    Some(onset)
}

/// Template 7: 20 to 60 % of the deposits want to leave within 1 to 12 hours.
pub(super) fn run(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let share = dice.draw("share", (0.2, 0.4), (0.3, 0.6));
    let hours = dice.draw("hours", (4.0, 12.0), (1.0, 8.0));
    let fall = dice.any("depth", (0.0, 0.1));
    leave(world, onset, share, hours, dice);
    Fall { depth: fall, minutes: hours * 60.0, back_minutes: 720.0, retrace: 0.5 }.play(world, onset, 0.3);
    Some(onset)
}

/// Spreads the wish of `share` of the deposits to leave over `hours`, in the bursts of a Hawkes process.
pub(super) fn leave(world: &mut World, onset: usize, share: f64, hours: f64, dice: &mut Dice) {
    let end = (onset + world.steps_in(hours * 60.0)).min(world.steps.len());
    let burst = Hawkes { base: 0.5, branching: 0.7, half_life: 15.0 };
    let mut counts = burst.counts(end - onset, &mut dice.rng);
    // A quiet draw still is a run: its first step counts one.
    counts[0] += 1;
    let total: u32 = counts.iter().sum();
    for (step, count) in world.steps[onset..end].iter_mut().zip(counts) {
        // Parts of what remains, so that together they take exactly `share`.
        let part = 1.0 - (1.0 - share).powf(f64::from(count) / f64::from(total));
        step.outflow = 1.0 - (1.0 - step.outflow) * (1.0 - part);
    }
}

/// Template 8: both sources freeze for 5 to 120 minutes while the price falls 5 to 25 %.
pub(super) fn stale(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let minutes = dice.draw("minutes", (5.0, 60.0), (20.0, 120.0));
    let depth = dice.draw("depth", (0.05, 0.15), (0.1, 0.25));
    let until = onset + world.steps_in(minutes);
    Fall { depth, minutes, back_minutes: 720.0, retrace: 0.3 }.play(world, onset, 0.4);
    world.within(onset, until, |step| step.sources.iter_mut().for_each(|source| source.is_frozen = true));
    Some(onset)
}

/// Draws and plays the crash that an infrastructure fault is combined with; returns its onset.
fn crash_under_fault(world: &mut World, dice: &mut Dice) -> usize {
    let onset = dice.onset(world);
    let depth = dice.draw("depth", (0.15, 0.3), (0.2, 0.4));
    let minutes = dice.any("minutes", (20.0, 120.0));
    let retrace = dice.any("retrace", (0.0, 0.7));
    Fall { depth, minutes, back_minutes: 360.0, retrace }.play(world, onset, 0.5);
    onset
}

/// Template 9: the keeper is down for 10 to 240 minutes from the first minute of a crash.
pub(super) fn outage(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = crash_under_fault(world, dice);
    let minutes = dice.draw("outage_minutes", (10.0, 120.0), (60.0, 240.0));
    let until = onset + world.steps_in(minutes);
    world.within(onset, until, |step| step.keeper = Keeper::Down);
    Some(onset)
}

/// Template 10: 5 to 50 % of the transactions land while a crash goes on.
pub(super) fn congestion(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = crash_under_fault(world, dice);
    let inclusion = dice.draw("inclusion", (0.2, 0.5), (0.05, 0.3));
    let minutes = dice.any("congested_minutes", (60.0, 360.0));
    let until = onset + world.steps_in(minutes);
    world.within(onset, until, |step| step.inclusion = inclusion);
    Some(onset)
}

/// Template 11: for hours a keeper reports 10,000, reports 0 during a crash, or swings between both.
pub(super) fn compromise(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let manner = dice.any("manner", (0.0, 2.999)) as u8;
    let onset = if manner == 1 { crash_under_fault(world, dice) } else { dice.onset(world) };
    let until = onset + world.steps_in(dice.any("hours", (2.0, 12.0)) * 60.0);
    let swing = dice.rng.random_range(3..30);
    let mut count = 0usize;
    world.within(onset, until, |step| {
        let is_high = manner == 0 || (manner == 2 && (count / swing).is_multiple_of(2));
        step.keeper = Keeper::Compromised { score: if is_high { 10_000 } else { 0 } };
        count += 1;
    });
    Some(onset)
}

/// Template 12: perpetuals trade 8 to 25 % away from the spot for an hour or more of a crash.
pub(super) fn basis(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = crash_under_fault(world, dice);
    let basis = dice.draw("basis", (-0.12, -0.05), (-0.25, -0.08));
    let minutes = dice.any("basis_minutes", (60.0, 240.0));
    let until = onset + world.steps_in(minutes);
    world.within(onset, until, |step| step.basis += basis);
    Some(onset)
}
