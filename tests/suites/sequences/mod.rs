//! Random sequences of all instructions against an exact reference: what holds after every step of every sequence.
//!
//! A sequence starts from a copy of one warm world with everything in it, and is a list of small steps: an instruction by
//! whoever may, or by somebody else, or with an account that doesn't belong; a price that moves; an oracle that fails; time
//! that passes, stands or goes back; tokens that vanish. After each step the accounts are held against `model`. A sequence
//! is named by its seed, the same in every run; one that fails is shrunk, and printed with its seed.
//!
//! `RAMPART_SEQUENCES` says how many there are (1,000 unless told otherwise), `RAMPART_SEQUENCES_FROM` with which seed they
//! begin, `RAMPART_SEQUENCE` replays one by its seed, `RAMPART_SEQUENCES_OUT` names a folder for the counts. `cargo xtask
//! sequences` does all of it.

mod action;
mod build;
mod causes;
mod census;
mod changes;
mod charges;
mod check;
mod config;
mod create;
mod desk;
mod evidence;
mod govern;
mod leases;
mod levels;
mod migration;
mod model;
mod money;
mod pauses;
mod policies;
mod quiet;
mod reserve;
mod run;
mod sabotage;
mod scale;
mod snap;
mod stage;
mod standby;
mod swaps;
mod tally;

use action::Kind;
use action::{Action, sequence};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use quiet::quietly;
use run::Became;
use stage::Stage;
use std::path::PathBuf;
use tally::Tally;

/// Sequences, unless told otherwise; `cargo xtask test` tells it ten times as many.
const SEQUENCES: u64 = 1_000;
/// Steps of one sequence.
const STEPS: usize = 40;
/// The fewest times that each kind lands, per thousand sequences.
const LEAST_PER_THOUSAND: u64 = 5;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{name}` must be a number, not `{text}`")))
}

/// The sequence that a seed names.
fn actions(seed: u64) -> Vec<Action> {
    let mut bytes = [0x5e; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    sequence(STEPS).new_tree(&mut runner).expect("a sequence").current()
}

/// A step that broke an invariant.
struct Broken {
    index: usize,
    reason: String,
}

/// Runs one sequence, and returns what became of its steps.
fn play(first: &Stage, actions: &[Action]) -> Result<Vec<(Kind, Became)>, Broken> {
    let mut stage = first.replica();
    let mut done = Vec::with_capacity(actions.len());
    for (index, action) in actions.iter().enumerate() {
        let became = quietly(|| stage.step(action));
        let became = became.map_err(|text| Broken { index, reason: format!("{action:?}: {text}") })?;
        done.push((action.kind, became));
    }
    Ok(done)
}

/// Leaves out every step, and every number, that the failure doesn't need.
fn shrink(first: &Stage, actions: &[Action], broken: Broken) -> (Vec<Action>, Broken) {
    let mut best = (actions[..=broken.index].to_vec(), broken);
    let simpler: [fn(&mut Action); 4] = [|s| s.twist = 0, |s| s.impostor = 0, |s| s.a = 0, |s| s.b = 0];
    loop {
        let before = best.0.len();
        for at in (0..best.0.len()).rev() {
            let mut fewer = best.0.clone();
            fewer.remove(at.min(fewer.len() - 1));
            if let Err(broken) = play(first, &fewer) {
                fewer.truncate(broken.index + 1);
                best = (fewer, broken);
            }
            if at >= best.0.len() {
                continue;
            }
            for change in simpler {
                let mut plain = best.0.clone();
                change(&mut plain[at]);
                if let Err(broken) = play(first, &plain) {
                    plain.truncate(broken.index + 1);
                    best = (plain, broken);
                }
                if at >= best.0.len() {
                    break;
                }
            }
        }
        if best.0.len() == before {
            return best;
        }
    }
}

fn try_seed(first: &Stage, seed: u64, tally: &mut Tally) {
    let actions = quietly(|| actions(seed)).unwrap_or_else(|text| panic!("seed {seed} makes no sequence: {text}"));
    match play(first, &actions) {
        Ok(done) => {
            tally.sequences += 1;
            done.into_iter().for_each(|(kind, became)| tally.note(kind, became));
        }
        Err(broken) => {
            let (actions, Broken { reason, .. }) = shrink(first, &actions, broken);
            let steps: Vec<String> = actions.iter().map(|a| format!("  {a:?}")).collect();
            panic!("seed {seed} (RAMPART_SEQUENCE={seed} replays it): {reason}\nshrunk to\n{}", steps.join("\n"));
        }
    }
}

/// Runs the sequences whose seed leaves `part` when divided by `of`.
fn run(part: u64, of: u64) {
    let first = Stage::new();
    let mut tally = Tally::default();
    if let Some(seed) = number("RAMPART_SEQUENCE") {
        return try_seed(&first, seed, &mut tally);
    }
    let count = number("RAMPART_SEQUENCES").unwrap_or(SEQUENCES);
    let out = std::env::var_os("RAMPART_SEQUENCES_OUT").map(PathBuf::from);
    let from = number("RAMPART_SEQUENCES_FROM").unwrap_or(0);
    for seed in (from + part..from + count).step_by(of as usize) {
        try_seed(&first, seed, &mut tally);
        let done = tally.sequences;
        let is_twentieth = done.is_multiple_of((count / of / 20).max(1));
        if let Some(folder) = out.as_ref().filter(|_| is_twentieth || seed + of >= from + count) {
            eprintln!("part {part}: {done} sequences of {} hold", count / of);
            tally.write(&folder.join(format!("part-{part}.tsv"))).expect("counts are written");
        }
    }
    let rare = tally.rare(LEAST_PER_THOUSAND * tally.sequences / 1_000);
    assert!(rare.is_empty(), "{} sequences show too little: {}", tally.sequences, rare.join(", "));
}

#[test]
fn all_instructions_in_any_sequence_first_half() {
    run(0, 2);
}

#[test]
fn all_instructions_in_any_sequence_second_half() {
    run(1, 2);
}
