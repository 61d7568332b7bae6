//! The keepers of a guard and their reports.

use crate::{AccountMeta, Instruction, Pubkey, address, build};
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::risk::keepers::{Ballot, Poll};
use rampart::state::{KeeperSet, Report, ReportPart, ScaleTarget};
use rampart::{SetKeepersArgs, SubmitReportArgs, Validity, accounts, instruction};

const SYSTEM: Pubkey = anchor_lang::system_program::ID;

/// Creates the keeper set of `guard`.
pub fn initialize_keepers(root: Pubkey, guard: Pubkey, args: SetKeepersArgs) -> Instruction {
    let accounts = accounts::InitializeKeepers {
        root,
        guard,
        keeper_set: address::keeper_set(&guard),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: SYSTEM,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::InitializeKeepers { args }, &[])
}

/// Replaces the members of the keeper set of `guard`.
pub fn set_keepers(authority: Pubkey, guard: Pubkey, args: SetKeepersArgs, validity: Validity) -> Instruction {
    let accounts = accounts::SetKeepers {
        authority,
        guard,
        keeper_set: address::keeper_set(&guard),
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::SetKeepers { args, validity }, &[])
}

/// Opens the report of `keeper` about `subject`, an asset account or a vault.
pub fn open_report(payer: Pubkey, guard: Pubkey, subject: Pubkey, keeper: Pubkey) -> Instruction {
    let accounts = accounts::OpenReport {
        payer,
        keeper_set: address::keeper_set(&guard),
        keeper,
        subject,
        report: address::report(&subject, &keeper),
        system_program: SYSTEM,
    };
    build(accounts, instruction::OpenReport {}, &[])
}

/// Reports about `subject`.
pub fn submit_report(keeper: Pubkey, guard: Pubkey, subject: Pubkey, args: SubmitReportArgs) -> Instruction {
    let accounts = accounts::SubmitReport {
        keeper,
        guard,
        keeper_set: address::keeper_set(&guard),
        report: address::report(&subject, &keeper),
    };
    build(accounts, instruction::SubmitReport { args }, &[])
}

/// Lets a limit of `vault` on new risk follow what the keepers `set` report about its collateral.
pub fn scale_risk(vault: Pubkey, collateral_asset: &Pubkey, set: &KeeperSet, target: ScaleTarget) -> Instruction {
    let metas = report_metas(set, collateral_asset);
    let accounts = accounts::ScaleRisk {
        vault,
        keeper_set: address::keeper_set(&set.guard),
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::ScaleRisk { target: target as u8 }, &metas[1..])
}

/// Returns the accounts that a rule on reports about `subject` is judged on: the set, then each member's report.
pub fn report_metas(set: &KeeperSet, subject: &Pubkey) -> Vec<AccountMeta> {
    let reports = set.active().iter().map(|member| address::report(subject, &member.key));
    let keys = std::iter::once(address::keeper_set(&set.guard)).chain(reports);
    keys.map(|key| AccountMeta::new_readonly(key, false)).collect()
}

/// Counts what the members of `set` report of one `part` of a subject's risk, as the program would. `reports`: those about
/// the subject, in any order; who has none is silent.
pub fn poll<'a>(set: &KeeperSet, reports: impl IntoIterator<Item = &'a Report>, part: ReportPart, now_ts: i64) -> Poll {
    let reports: Vec<&Report> = reports.into_iter().collect();
    let mut poll = Poll::new(set, now_ts);
    for member in set.active() {
        let report = reports.iter().find(|report| report.keeper == member.key);
        let ballot = report.map(|report| Ballot {
            value_bps: report.parts.get(part),
            observed_at_ts: report.observed_at_ts,
            set_epoch: report.set_epoch,
        });
        poll.count(member, ballot);
    }
    poll
}
