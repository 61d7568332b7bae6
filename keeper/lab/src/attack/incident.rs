//! Real incidents as templates. The numbers of a template's line are the incident's; what isn't published is drawn from a range
//! and said to be assumed.

use super::crash::{Fall, capture_first_source, hold_peg};
use super::manipulation::{push_down, squeeze};
use super::template::{Play, Template, ordinary};
use super::{Dice, Split};
use crate::market::{Calm, Follow, World};

const RECORDED: &str = "hourly and daily candles of the recorded markets";
const POSTMORTEM: &str = "https://blog.loopscale.com/posts/postmortem";
const CAPO: &str = "https://governance.aave.com/t/24269";
const DRIFT: &str =
    "https://blocksec.com/blog/drift-protocol-incident-multisig-governance-compromise-via-durable-nonce-exploitation";
const CRASH: &str = "https://gov.kamino.finance/t/847";
const RESOLV: &str = "https://cleansky.io/blog/resolv-usr-hack-forensics-2026";
const GUARDS: &str = "the incident's public reports";

/// Returns the incidents. Those until 2023 may be trained on, later ones are for results only.
pub(super) fn templates() -> Vec<Template> {
    let (train, test) = (Split::Train, Split::Test);
    vec![
        new(
            "mango-2022",
            train,
            mango,
            RECORDED,
            "a thin token's aggregate price ×2.08, venues far more; then ×0.43; about $114M",
        ),
        new(
            "solend-whale-2022",
            train,
            whale,
            GUARDS,
            "95 % of the debt in one position, thin books, a fall (assumed)",
        ),
        new(
            "solend-usdh-2022",
            train,
            usdh,
            GUARDS,
            "one pool's price is the only source; $1.26M drawn (share assumed)",
        ),
        new("usdc-2023", train, usdc, RECORDED, "a stablecoin falls to 0.874 and comes back within three days"),
        new(
            "loopscale-2025",
            test,
            loopscale,
            POSTMORTEM,
            "one source is spoofed, $5.73M and 1,211 SOL drawn (share assumed)",
        ),
        new("drift-usdy-2025", test, usdy, GUARDS, "one venue's print liquidates users (depth assumed)"),
        new("crash-2025-10-10", test, october, CRASH, "a real crash at once everywhere (depth and minutes assumed)"),
        new(
            "aave-capo-2026",
            test,
            capo,
            CAPO,
            "the guard's own cap holds the oracle 2.85 % under the market; $26M liquidated",
        ),
        new(
            "resolv-usr-2026",
            test,
            resolv,
            RESOLV,
            "80M units minted in two calls, lenders price them at $1 (growth assumed)",
        ),
        new(
            "drift-2026",
            test,
            drift,
            DRIFT,
            "31 withdrawals in 12 minutes, $285M (share assumed); here the guard stands, which an admin had lifted",
        ),
        new(
            "kelp-rseth-2026",
            test,
            kelp,
            GUARDS,
            "a forged message mints collateral, $292M drawn (growth and share assumed)",
        ),
    ]
}

fn new(name: &'static str, split: Split, play: Play, source: &'static str, about: &'static str) -> Template {
    let hours = if name == "usdc-2023" { 168 } else { 96 };
    Template { name, hours, only: Some(split), about, source, play }
}

/// Returns the ordinary market that `name` begins from.
pub(super) fn calm(name: &str) -> Calm {
    match name {
        // A thin token: a hundredth of a major's volume.
        "mango-2022" => Calm { daily_vol: 0.06, volume: 10.0, ..ordinary() },
        _ => ordinary(),
    }
}

/// Returns the share of the debt that one position holds in `name`.
pub(super) fn concentration(name: &str) -> f64 {
    if name == "solend-whale-2022" { 0.95 } else { 0.0 }
}

fn mango(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    // Day's open 0.040, high 0.083, low 0.017. Two of three venues were moved, so that the median followed.
    let aggregate = dice.note("aggregate", 0.083 / 0.040);
    let venue = dice.any("venue", (3.0, 8.0));
    let borrow = dice.any("attack_borrow", (0.5, 0.9));
    squeeze(world, onset, venue, 30.0, borrow);
    let (top, held) = (onset + world.steps_in(30.0), onset + world.steps_in(40.0));
    let knots = [(onset, 0.0), (top, aggregate.ln()), (held, aggregate.ln()), (held + 30, 0.0)];
    world.bend_venue(1, &knots);
    let after = dice.note("after", 0.017 / 0.040);
    world.bend(&[(held, 0.0), (held + world.steps_in(120.0), f64::ln(after))], 0.0);
    Some(onset)
}

fn whale(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let depth = dice.any("depth", (0.15, 0.35));
    let books = dice.any("book_depth", (0.1, 0.3));
    world.within(0, usize::MAX, |step| step.depth *= books);
    Fall { depth, minutes: 600.0, back_minutes: 720.0, retrace: 0.2 }.play(world, onset, 0.8);
    Some(onset)
}

fn usdh(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    capture_first_source(world);
    world.within(0, usize::MAX, |step| step.sources[1].is_frozen = true);
    let multiple = dice.any("multiple", (2.0, 10.0));
    let borrow = dice.any("attack_borrow", (0.05, 0.2));
    squeeze(world, onset, multiple, 10.0, borrow);
    Some(onset)
}

fn usdc(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    hold_peg(world, onset);
    // From 1.0001 on 2023-03-10 to 0.874 at 07:00 on the next day; back within 0.5 % two days later.
    let depth = dice.note("depth", 1.0 - 0.874 / 1.0001);
    Fall { depth, minutes: 600.0, back_minutes: 2_880.0, retrace: 0.96 }.play(world, onset, 0.0);
    Some(onset)
}

fn loopscale(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let bias = dice.any("bias", (2.0, 50.0));
    let borrow = dice.any("attack_borrow", (0.1, 0.2));
    let until = onset + world.steps_in(10.0);
    world.within(onset, until, |step| {
        step.sources[0].bias = bias;
        step.attack_borrow = borrow / 10.0;
    });
    Some(onset)
}

fn usdy(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    capture_first_source(world);
    let depth = dice.any("depth", (0.08, 0.3));
    push_down(world, onset, depth, 8.0);
    Some(onset)
}

fn october(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let depth = dice.any("depth", (0.2, 0.5));
    let minutes = dice.any("minutes", (15.0, 60.0));
    let retrace = dice.any("retrace", (0.3, 0.7));
    let low = Fall { depth, minutes, back_minutes: 240.0, retrace }.play(world, onset, 0.6);
    world.within(onset, low, |step| step.inclusion = step.inclusion.min(0.6));
    Some(onset)
}

fn capo(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let bias = 1.0 - dice.note("under_market", 0.0285);
    let until = onset + world.steps_in(240.0);
    world.within(onset, until, |step| step.sources.iter_mut().for_each(|source| source.bias = bias));
    Some(onset)
}

fn resolv(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    hold_peg(world, onset);
    world.steps.iter_mut().for_each(|step| step.sources.iter_mut().for_each(|source| source.follows = Follow::Peg));
    let growth = dice.any("growth", (0.5, 2.0));
    mint(world, &[onset, onset + world.steps_in(40.0)], growth / 2.0);
    let borrow = dice.any("attack_borrow", (0.1, 0.4));
    draw_debt(world, onset + 1, 60.0, borrow);
    let depth = dice.any("depth", (0.5, 0.95));
    Fall { depth, minutes: 60.0, back_minutes: 1_440.0, retrace: 0.2 }.play(world, onset, 0.0);
    Some(onset)
}

fn drift(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let share = dice.any("share", (0.3, 0.6));
    let minutes = world.steps_in(dice.note("minutes", 12.0));
    // 31 withdrawals over the minutes: equal parts of what was there, as shares of what remains.
    let withdrawals = dice.note("withdrawals", 31.0) as usize;
    let mut remaining = 1.0;
    for index in 0..minutes {
        let count = withdrawals * (index + 1) / minutes - withdrawals * index / minutes;
        let part = share * count as f64 / withdrawals as f64;
        world.steps[onset + index].outflow = part / remaining;
        remaining -= part;
    }
    Some(onset)
}

fn kelp(world: &mut World, dice: &mut Dice) -> Option<usize> {
    let onset = dice.onset(world);
    let growth = dice.any("growth", (0.1, 0.3));
    mint(world, &[onset], growth);
    let borrow = dice.any("attack_borrow", (0.2, 0.5));
    draw_debt(world, onset + 1, 30.0, borrow);
    // What backs each unit is shared by more units.
    Fall { depth: growth / (1.0 + growth), minutes: 240.0, back_minutes: 720.0, retrace: 0.0 }.play(world, onset, 0.0);
    Some(onset)
}

/// Adds `growth` of the first supply at each step of `at`.
fn mint(world: &mut World, at: &[usize], growth: f64) {
    for onset in at {
        world.within(*onset, usize::MAX, |step| step.collateral_supply += growth);
    }
}

/// Draws `share` of the pool's deposits evenly over `minutes`.
fn draw_debt(world: &mut World, from: usize, minutes: f64, share: f64) {
    let steps = world.steps_in(minutes);
    world.within(from, from + steps, |step| step.attack_borrow = share / steps as f64);
}
