//! Layouts of accounts: each has a discriminator of its own, so that an account of another one is refused by whoever gets
//! it; and what stands behind an account means nothing.

use super::cu::measure_all;
use rampart::error::RampartError;
use rampart::state::vault_v1;
use rampart_tests::layouts::probed;
use serde_json::Value;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;
use solana_sha256_hasher::hash;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Anchor's `AccountDiscriminatorMismatch`: what every instruction says but for those of [`OTHERWISE`].
const MISMATCH: u32 = 3002;

/// What instructions say that look for the kind of an account which isn't in a fixed place: kind of account, instructions,
/// refusal.
const OTHERWISE: &[(&str, &[&str], RampartError)] = &[
    ("Asset", &["create_rule", "create_group", "open_report"], RampartError::RuleSubjectMismatch),
    ("Vault", &["create_rule"], RampartError::RuleSubjectMismatch),
    ("Rule", &["create_group"], RampartError::GroupInvalid),
    ("Asset", &["count_census", "narrow_bounds", "freeze_forever"], RampartError::CensusIncomplete),
    ("Vault", &["count_census", "narrow_bounds", "freeze_forever"], RampartError::CensusIncomplete),
    ("Rule", &["narrow_bounds", "freeze_forever"], RampartError::CensusIncomplete),
    ("Census", &["narrow_bounds"], RampartError::CensusIncomplete),
    ("Asset", &["initialize_reserve"], RampartError::ReserveAccountsMismatch),
    ("Reserve", &["liquidate", "liquidate_by_swap"], RampartError::ReserveMissing),
    ("Report", &["observe_rule", "trip", "rebalance", "scale_risk"], RampartError::ReportAccountsMismatch),
    // keepers that were left out are no keepers
    ("KeeperSet", &["rebalance"], RampartError::ReserveHolds),
];

fn idl() -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../artifacts/rampart.json");
    serde_json::from_slice(&std::fs::read(path).expect("the IDL is there")).expect("the IDL is JSON")
}

/// Names by discriminator, of the IDL's `list`.
fn names(idl: &Value, list: &str) -> BTreeMap<Vec<u8>, String> {
    let bytes = |v: &Value| v["discriminator"].as_array().unwrap().iter().map(|b| b.as_u64().unwrap() as u8).collect();
    let name = |v: &Value| v["name"].as_str().unwrap().to_owned();
    idl[list].as_array().unwrap().iter().map(|v| (bytes(v), name(v))).collect()
}

/// Whether a transaction of `instructions` says the right thing about an account of `kind` that has another layout.
fn is_refused(kind: &str, instructions: &[&str], outcome: &Result<(), TransactionError>) -> bool {
    let code = match outcome {
        Ok(()) => None,
        Err(TransactionError::InstructionError(_, InstructionError::Custom(code))) => Some(*code),
        Err(_) => return false,
    };
    let otherwise =
        |row: &&(&str, &[&str], RampartError)| row.0 == kind && instructions.iter().all(|i| row.1.contains(i));
    match OTHERWISE.iter().find(otherwise) {
        Some(row) => code == Some(row.2.into()),
        // a rule on reports knows its subject by address alone
        None if kind == "Asset" && instructions == ["observe_rule"] => code.is_none_or(|code| code == MISMATCH),
        None => code == Some(MISMATCH),
    }
}

#[test]
fn case_090_account_of_another_layout_is_refused_by_every_instruction_and_bytes_behind_one_mean_nothing() {
    let idl = idl();
    let (instructions, mut accounts) = (names(&idl, "instructions"), names(&idl, "accounts"));
    // what only its migration takes
    accounts.insert(vault_v1::DISCRIMINATOR.to_vec(), "Vault of layout 1".to_owned());
    let mut probes = probed(|| drop(measure_all()));
    probes.retain(|probe| !probe.instructions.is_empty());
    let mut wrong = BTreeSet::new();
    for probe in &probes {
        let kind = accounts[probe.kind.as_slice()].as_str();
        let all: Vec<&str> = probe.instructions.iter().map(|d| instructions[d.as_slice()].as_str()).collect();
        if !is_refused(kind, &all, &probe.other_layout) {
            wrong.insert(format!("another layout of {kind} in {all:?}: {:?}", probe.other_layout));
        }
        if probe.with_tail != Ok(()) {
            wrong.insert(format!("bytes behind {kind} in {all:?}: {:?}", probe.with_tail));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let kinds: BTreeSet<&String> = probes.iter().map(|probe| &accounts[probe.kind.as_slice()]).collect();
    assert_eq!(kinds, accounts.values().collect(), "every kind of account was tried");
    let tried: BTreeSet<[u8; 8]> = probes.iter().flat_map(|probe| probe.instructions.clone()).collect();
    let untried = instructions.iter().filter(|(d, _)| !tried.iter().any(|t| t == d.as_slice()));
    let untried: Vec<&str> = untried.map(|(_, name)| name.as_str()).collect();
    assert_eq!(untried, ["initialize_guard"], "the first takes no account of the program's");
}

/// Size in bytes and the fields with their places, down to numbers and keys.
fn layout(idl: &Value, kind: &Value, at: usize, path: &str, out: &mut String) -> usize {
    if let Some(plain) = kind.as_str() {
        let size = match plain {
            "u8" | "i8" | "bool" => 1,
            "u16" | "i16" => 2,
            "u32" | "i32" => 4,
            "u64" | "i64" => 8,
            "u128" | "i128" => 16,
            "pubkey" => 32,
            other => panic!("an account holds no {other}"),
        };
        writeln!(out, "{at} {path} {plain}").unwrap();
        return size;
    }
    if let Some(array) = kind["array"].as_array() {
        let count = array[1].as_u64().unwrap() as usize;
        let mut size = 0;
        for index in 0..count {
            size += layout(idl, &array[0], at + size, &format!("{path}[{index}]"), out);
        }
        return size;
    }
    let name = &kind["defined"]["name"];
    let types = idl["types"].as_array().unwrap();
    let found = types.iter().find(|t| t["name"] == *name).unwrap_or_else(|| panic!("{name} is in the IDL"));
    let mut size = 0;
    for field in found["type"]["fields"].as_array().unwrap() {
        let path = format!("{path}.{}", field["name"].as_str().unwrap());
        size += layout(idl, &field["type"], at + size, &path, out);
    }
    size
}

/// Every layout by its discriminator: account, bytes and the start of the hash of its fields.
fn layouts() -> BTreeMap<String, String> {
    let idl = idl();
    let row = |(discriminator, name): (Vec<u8>, String)| {
        let mut fields = String::new();
        let kind = serde_json::json!({ "defined": { "name": name } });
        let size = 8 + layout(&idl, &kind, 8, &name, &mut fields);
        let digest = hex::encode(&hash(fields.as_bytes()).to_bytes()[..8]);
        (hex::encode(&discriminator), format!("| {name} | {} | {size} | {digest} |", hex::encode(&discriminator)))
    };
    names(&idl, "accounts").into_iter().map(row).collect()
}

/// A layout that has been in use stays in the record for ever; one that changes gets another discriminator.
#[test]
fn layouts_are_those_on_record_and_a_changed_one_has_another_discriminator() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots/layouts.md");
    let text = std::fs::read_to_string(&path).expect("the record is there");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.contains("discriminator"));
    let recorded: BTreeMap<&str, &str> =
        rows.filter_map(|row| Some((row.split(" | ").nth(1)?, row))).filter(|(d, _)| d.len() == 16).collect();
    let mut unrecorded = vec![];
    for (discriminator, row) in layouts() {
        match recorded.get(discriminator.as_str()) {
            Some(on_record) => assert_eq!(
                *on_record, row,
                "accounts with this discriminator exist: give the layout another one (docs/adr/0011-layouts.md)"
            ),
            None => unrecorded.push(row),
        }
    }
    assert!(unrecorded.is_empty(), "new layouts: add to {}:\n{}", path.display(), unrecorded.join("\n"));
}
