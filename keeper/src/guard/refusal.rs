//! What the program's refusals mean for who governs, and what to do next.

use serde::Deserialize;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;
use std::sync::LazyLock;

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the program's error, where it is one.
    pub name: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to do next.
    pub next: String,
}

/// An error as the interface of the program lists it.
#[derive(Deserialize)]
struct Listed {
    code: u32,
    name: String,
    msg: String,
}

#[derive(Deserialize)]
struct Interface {
    errors: Vec<Listed>,
}

static ERRORS: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let interface: Result<Interface, _> = serde_json::from_str(include_str!("../../../artifacts/rampart.json"));
    // CANNOT fail: a test reads it
    interface.map_or_else(|_| Vec::new(), |interface| interface.errors)
});

/// What to do next, by the name of an error.
const NEXT: [(&str, &str); 61] = [
    ("WrongAuthority", "sign with the key that holds the role; `rampart guard show` lists roles"),
    ("AuthorityEpochMoved", "roles have changed since: propose anew, and cancel the old one"),
    ("InstructionExpired", "make it anew; `--valid-secs` gives a multisig more time"),
    ("DurableNonceRefused", "sign with a recent blockhash: this instruction takes no durable nonce"),
    ("ChangeTargetMismatch", "name the account that the change is about, of this guard"),
    ("ChangeValueMoved", "somebody changed the value since: look with `rampart guard show`, then propose anew"),
    ("ChangeIsEmpty", "the guard has this value already: there is nothing to do"),
    ("ChangeNotRipe", "wait: `rampart guard show` counts down to when it may be executed"),
    ("ChangeExpired", "its window is over: cancel it and propose it anew"),
    ("OwnRoleVeto", "another guardian or the vetoer has to veto it"),
    ("RootNeedsAcceptance", "the new root takes over with its own signature: `rampart guard accept`"),
    ("EffectTooLarge", "go there in several smaller changes, each with its own delay"),
    ("EffectUnknown", "wait until the sources agree again, or change only what is proved dead"),
    ("HealthyPositionHit", "move the line by less: a healthy position would become liquidatable"),
    ("SampleInvalid", "name one to eight positions with debt in this vault: `--evidence ADDRESS`"),
    ("SettleFirst", "observe the asset in the same transaction; `rampart guard execute` does so by itself"),
    ("FixedAtCreation", "this field never changes: create a new rule or vault"),
    ("TightenStepExceeded", "tighten by less, wait a day, or propose it as a change that waits"),
    ("LooseningRefused", "propose it: what gets looser waits for the guard's delay"),
    ("OutsideHardBounds", "stay within the guard's hard bounds; `rampart guard show` lists them"),
    ("GuardFrozen", "nothing can be loosened any more: only tightening is left"),
    ("QuorumMissing", "add the guardians' keys with `--signer`, as many as their quorum"),
    (
        "RiskParamsInvalid",
        "keep ltv < soft line < liquidation line < full close, and line times (1 + bonus) at most one",
    ),
    ("CurveInvalid", "keep base <= kink <= max, and the kink below 100 %"),
    ("LimiterInvalid", "keep the hour within the day, and at least twice the exit floor for exits"),
    ("RuleInvalid", "look at threshold, clear threshold, level and sources: docs/risk.md says what each metric takes"),
    ("RuleSubjectMismatch", "name an asset for metrics of prices, and a vault for all others"),
    ("RolesInvalid", "give every role a key of its own, and at least one guardian"),
    ("KeeperSetMissing", "name the guard's keeper set: `rampart guard` does so by itself, so try again"),
    ("KeeperHoldsRole", "take the keeper out of the set first, or give the role to another key"),
    ("KeeperSetInvalid", "name 3 to 15 keepers with keys of their own, none of which holds a role"),
    ("KeeperQuorumUnreachable", "at least 3 reporting keepers have to be left"),
    ("PauseInvalid", "ask for Caution or ReduceOnly, and no longer than the guard's longest pause"),
    ("PauseBudgetUsed", "another guardian, or the quorum, has to pause: this budget of 30 days is used up"),
    ("OwnPauseExtension", "another guardian has to pause: nobody prolongs an own pause"),
    ("OwnPauseLift", "another key has to lift it: nobody lifts an own pause"),
    ("NotTripped", "there is no such pause or cause in force at this scope; `rampart guard show` lists them"),
    ("SwapPolicyMustWait", "create it with `switch` disabled, then propose the group `swap-policy` with it enabled"),
    ("LayoutIsPresent", "there is nothing to migrate: `rampart guard migrate` lists what is"),
    (
        "DwellNotOver",
        "wait: a pause stands for 15 minutes before it may be lifted, a rule's cause for the rule's dwell time",
    ),
    (
        "RuleNotClear",
        "wait until what it measures is back on the safe side; `rampart explain` tells the value and the line",
    ),
    ("RuleIndeterminate", "wait until its sources are fresh and agree, or let a standby in: `rampart guard standby`"),
    ("TripEpochMoved", "the rule tripped or stepped down meanwhile: look with `rampart guard show`, then run it again"),
    ("SourceNotDead", "only governance replaces a source that still tells: propose the group `asset-oracle`"),
    (
        "StandbyInvalid",
        "name a place that there is; one publisher may not stand beside itself: `rampart guard show` lists both",
    ),
    (
        "PriceIndeterminate",
        "wait until sources tell fresh prices that agree; of two standby sources try the other one: `--standby`",
    ),
    ("BoundsOnlyNarrow", "leave out what gets wider: no instruction widens a bound"),
    ("BoundsInvalid", "keep every floor at or below its ceiling; docs/governance.md lists the bounds"),
    (
        "CensusIncomplete",
        "run it again: something was added since; `rampart guard migrate` lists accounts that can't be counted yet",
    ),
    (
        "CensusNotEnabled",
        "enable every rule first: the group `rule`, `switch=enabled`; a guard without a rule is not frozen",
    ),
    ("CensusMoved", "begin anew: `rampart guard census close`, then `rampart guard census open`"),
    (
        "SwapPolicyInvalid",
        "name a deployed program that is no token program, and its instructions; docs/governance.md has a file",
    ),
    (
        "ReserveInvalid",
        "weights of a level sum to 10,000, and move to the quote as levels rise; docs/governance.md has a file",
    ),
    ("ReserveAccountsMismatch", "name each asset of the basket once, in the order of the plan"),
    (
        "ShortfallNotStanding",
        "wait until it has stood proved for three days; before, root with a quorum of guardians may",
    ),
    ("ShortfallStands", "what is missing has to come back first: as long as it is, nobody calls the resolution off"),
    ("ResolutionDateInvalid", "give `--secs` from 604800 to 2592000; whoever is not root gives none"),
    ("ResolutionInForce", "it has begun; within its first day `rampart guard resolution leave` calls it off"),
    ("ResolutionNotInForce", "there is nothing to call off; `rampart guard resolution enter` begins it"),
    ("ResolutionOpen", "owners take their claims now: nothing leads back"),
    ("GrantMissing", "a grant is proposed first: the group `reserve-grant`"),
];

/// Returns what an error of the program means.
pub fn of_code(code: u32) -> Option<Refusal> {
    let listed = ERRORS.iter().find(|listed| listed.code == code)?;
    let next =
        NEXT.iter().find(|(name, _)| *name == listed.name).map_or(
            "`rampart guard show` tells what stands; docs/governance.md says who may change what",
            |(_, next)| *next,
        );
    Some(Refusal { name: Some(listed.name.clone()), what: listed.msg.clone(), next: next.to_owned() })
}

/// Returns what a failed transaction means. `is_ours`: whether the instruction at a place is of the program.
pub fn of_error(error: &TransactionError, is_ours: impl Fn(u8) -> bool) -> Refusal {
    let other = |what: String, next: &str| Refusal { name: None, what, next: next.to_owned() };
    match error {
        TransactionError::InstructionError(at, InstructionError::Custom(code)) if is_ours(*at) => {
            let strange =
                || other(format!("the program refuses with code {code}"), "look at the logs: `--json` has them");
            of_code(*code).unwrap_or_else(strange)
        }
        TransactionError::AccountNotFound | TransactionError::InsufficientFundsForFee => {
            other("the payer of the fee has no SOL".into(), "send it some, or pay with another key: `--fee-payer FILE`")
        }
        TransactionError::InstructionError(_, InstructionError::ComputationalBudgetExceeded) => {
            other("it needs more compute units than it may have".into(), "name fewer positions as evidence")
        }
        error => other(format!("the chain refuses: {error}"), "look at the logs: `--json` has them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart::error::RampartError;

    #[test]
    fn every_refusal_with_advice_is_one_of_the_program() {
        for (name, _) in NEXT {
            assert!(ERRORS.iter().any(|listed| listed.name == name), "{name}");
        }
    }

    #[test]
    fn code_is_told_with_the_programs_words_and_the_next_act() {
        let refusal = of_code(RampartError::ChangeNotRipe.into()).expect("a listed error");
        assert_eq!(refusal.name.as_deref(), Some("ChangeNotRipe"));
        assert_eq!(refusal.what, "Change has not waited for its delay");
        assert!(refusal.next.starts_with("wait"), "{}", refusal.next);
        assert_eq!(of_code(1), None);
    }

    #[test]
    fn code_of_another_program_is_not_taken_for_ours() {
        let code = u32::from(RampartError::WrongAuthority);
        let error = TransactionError::InstructionError(0, InstructionError::Custom(code));
        assert_eq!(of_error(&error, |_| false).name, None);
        assert_eq!(of_error(&error, |_| true).name.as_deref(), Some("WrongAuthority"));
    }
}
