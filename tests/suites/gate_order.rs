//! The source itself: who passes the gate, how often, and before what.

use std::path::PathBuf;

/// The files of instructions that are new risk, exits or liquidations, and how often each passes the gate.
///
/// `liquidate` and `liquidate_by_swap` share `apply`. `withdraw_collateral` has two ways, of which each call takes one: behind a debt it is new risk, else an exit.
const PASSES: [(&str, usize); 8] = [
    ("lending/borrow.rs", 1),
    ("lending/withdraw.rs", 1),
    ("lending/withdraw_collateral.rs", 2),
    ("exit/claim_withdrawal.rs", 1),
    ("exit/request_withdrawal.rs", 1),
    ("exit/claim_collateral.rs", 1),
    ("liquidation/apply.rs", 1),
    ("liquidation/deleverage.rs", 1),
];

/// What passes the gate.
const GATES: [&str; 3] = ["pass_gate(", "ExitPass::new(", "gate(Class::"];
/// What reads a price.
const PRICE: &str = "PairPrices::read(";

#[test]
fn inv_20_every_risk_exit_and_liquidation_passes_the_gate_once_and_before_a_price() {
    for (name, passes) in PASSES {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../programs/rampart/src/instructions").join(name);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        let lines = || text.lines().map(str::trim).filter(|l| !l.starts_with("//") && !l.starts_with("use "));
        let is_pass = |line: &str| GATES.iter().any(|gate| line.contains(gate));
        let at: Vec<usize> = lines().enumerate().filter(|(_, line)| is_pass(line)).map(|(at, _)| at).collect();
        assert_eq!(at.len(), passes, "{name} passes the gate in lines {at:?}");
        let price = lines().position(|line| line.contains(PRICE));
        assert!(price.is_none_or(|price| at.iter().all(|at| *at < price)), "{name} reads a price before its gate");
    }
}
