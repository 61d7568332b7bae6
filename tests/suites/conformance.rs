//! Compares what compiled programs compute with what the host computes.
//!
//! The build without the platform tools rewrites arithmetic, calls and returns (docs/building-the-program.md). One source,
//! `tests/fixtures/conformance/src/operations`, is compiled here for the host and there for SBF; the outcomes MUST agree
//! for every operation, over operands at the edges of their types and over random ones.

// The host encodes operands and never reads them.
#[allow(dead_code)]
#[path = "../fixtures/conformance/src/operations/mod.rs"]
mod operations;

use litesvm::LiteSVM;
use operations::{OPERATIONS, Operands};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;
use std::path::Path;

/// Random operands that every operation is tried with.
const RANDOM_CASES: u32 = 96;

/// Numbers at the edges of the types that operations narrow their operands to.
const EDGES: [u128; 18] = [
    0,
    1,
    2,
    10,
    0x7f,
    0x80,
    0xffff,
    i32::MAX as u128,
    i32::MIN as u128,
    u32::MAX as u128,
    i64::MAX as u128,
    i64::MIN as u128,
    u64::MAX as u128,
    1 << 64,
    0xdead_beef_0123_4567_89ab_cdef_0fed_cba9,
    i128::MAX as u128,
    i128::MIN as u128,
    u128::MAX,
];

/// The bits of numbers that `f64` treats in a way of their own.
const FLOAT_EDGES: [f64; 8] = [0.0, -0.0, 1.0, -1.5, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

/// A virtual machine with the fixture program.
struct Machine {
    svm: LiteSVM,
    payer: Keypair,
    program: Pubkey,
}

impl Machine {
    fn new() -> Machine {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fixtures/conformance.so");
        assert!(path.is_file(), "`target/fixtures/conformance.so` is missing: run `cargo xtask build-fixtures`");
        let mut svm = LiteSVM::new().with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let (payer, program) = (Keypair::new(), Pubkey::new_unique());
        svm.airdrop(&payer.pubkey(), 1_000_000_000_000).expect("an airdrop always succeeds");
        svm.add_program_from_file(program, path).expect("the fixture is a program of this runtime");
        Machine { svm, payer, program }
    }

    /// Returns what the program gives back for one operation.
    fn outcome(&self, index: usize, operands: &Operands) -> Vec<u8> {
        let data = [&[index as u8][..], &operands.encode()].concat();
        let call = Instruction { program_id: self.program, accounts: vec![], data };
        let signers = [&self.payer];
        let blockhash = self.svm.latest_blockhash();
        let instructions = [most_compute_units(), call];
        let transaction =
            Transaction::new_signed_with_payer(&instructions, Some(&self.payer.pubkey()), &signers, blockhash);
        let simulated = self.svm.simulate_transaction(transaction);
        simulated
            .unwrap_or_else(|e| panic!("{} fails on {operands:?}: {e:?}", OPERATIONS[index].0))
            .meta
            .return_data
            .data
    }
}

/// The instruction that asks for the most compute units a transaction can have.
fn most_compute_units() -> Instruction {
    let program_id = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
    let data = [&[2u8][..], &1_400_000u32.to_le_bytes()].concat();
    Instruction { program_id, accounts: vec![], data }
}

fn assert_agrees(machine: &Machine, index: usize, operands: &Operands) {
    let (name, operation) = OPERATIONS[index];
    let (host, program) = (operation(operands).encode(), machine.outcome(index, operands));
    assert_eq!(host, program, "{name} of {operands:?}: host, then program");
}

#[test]
fn program_agrees_with_host_on_edges() {
    let machine = Machine::new();
    let floats = FLOAT_EDGES.map(|x| u128::from(x.to_bits()));
    for index in 0..OPERATIONS.len() {
        for (k, (a, b)) in EDGES.iter().flat_map(|a| EDGES.iter().map(move |b| (*a, *b))).enumerate() {
            assert_agrees(&machine, index, &Operands { a, b, n: (k * 37 % 256) as u8 });
        }
        for (a, b) in floats.iter().flat_map(|a| floats.iter().map(move |b| (*a, *b))) {
            assert_agrees(&machine, index, &Operands { a, b, n: 1 });
        }
    }
}

#[test]
fn program_agrees_with_host_on_random_operands() {
    let machine = Machine::new();
    let config = Config { cases: RANDOM_CASES, failure_persistence: None, ..Config::default() };
    // The same operands in every run.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    // Numbers of every length, not only long ones.
    let number = || (any::<u128>(), 0u32..128).prop_map(|(number, shift)| number >> shift);
    let operands = (number(), number(), any::<u8>()).prop_map(|(a, b, n)| Operands { a, b, n });
    for (index, (name, ..)) in OPERATIONS.iter().enumerate() {
        runner
            .run(&operands, |operands| {
                assert_agrees(&machine, index, &operands);
                Ok(())
            })
            .unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
