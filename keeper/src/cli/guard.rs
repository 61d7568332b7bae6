//! Governance of the guard from the terminal.
//!
//! Each command makes an [`Answer`]; it is printed in one place. What may be asked of the chain is asked of the endpoints
//! of the settings.

mod act;
mod apply;
mod bounds;
pub(super) mod hand;
mod means;
mod migrate;
mod report;
mod resolution;
mod show;
mod simulate;
mod urgent;
mod way;

use super::chain::{asked, open};
use super::output::Output;
use crate::chain::rpc::{Rpc, RpcError};
use crate::config::Config;
use crate::error::{self, KeeperError};
use crate::guard::change::ChangeError;
use crate::guard::plan::{Only, PlanError};
use crate::guard::snapshot::Snapshot;
use crate::guard::view::Names;
use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;
use solana_sdk::pubkey::Pubkey;
use std::path::PathBuf;
pub use way::Format;

/// What to do with the guard.
#[derive(Debug, Subcommand)]
pub enum GuardCommand {
    /// Show who governs, what stands, what waits and what is paused
    Show(ShowArgs),
    /// Propose a change, which then waits for the guard's delay
    Propose(act::ProposeArgs),
    /// Make a vault, a rule, a swap policy or the dollar limit stricter, at once
    Tighten(act::ProposeArgs),
    /// Execute a change that has waited; anyone may
    Execute(act::ExecuteArgs),
    /// Veto a pending change, as vetoer or guardian
    Veto(act::ChangeArgs),
    /// Take a proposal back, as root
    Cancel(act::ChangeArgs),
    /// Take over as root by a change that has waited
    Accept(act::ChangeArgs),
    /// Raise the level of a scope for a bounded time, as guardian; Halt by their quorum
    Pause(act::GuardPauseArgs),
    /// Lift a pause early, as resetter
    Resume(act::GuardResumeArgs),
    /// Let a standby source take the place of one that is proved dead, at once
    Standby(urgent::StandbyArgs),
    /// End the cause of a rule that is clear again, as resetter
    Reset(urgent::ResetArgs),
    /// Narrow the hard bounds, at once and for ever
    Narrow(bounds::NarrowArgs),
    /// Give up loosening, for ever: no change is executed any more, of roles neither
    Freeze(bounds::FreezeArgs),
    /// Count a guard that is too large for one transaction, before it is narrowed or frozen
    Census {
        /// What to do.
        #[command(subcommand)]
        command: bounds::CensusCommand,
    },
    /// Begin the orderly end of a vault, or call it off
    Resolution {
        /// What to do.
        #[command(subcommand)]
        command: resolution::ResolutionCommand,
    },
    /// Let keepers join or leave the guard's set
    Keepers(act::KeepersArgs),
    /// Show how a file differs from the chain, and what would be done about it
    Plan(apply::PlanArgs),
    /// Bring the guard to what a file says: at once what gets tighter, proposed what does not
    Apply(apply::ApplyArgs),
    /// Say what a text for a multisig is, and try it on a node
    Simulate(simulate::SimulateArgs),
    /// Create what a file names and the chain does not have yet: guard, assets, vaults, rules
    Create(apply::ApplyArgs),
    /// Create a vault of a file with its assets, or bring it to what the file says
    AddVault(apply::AddVaultArgs),
    /// List accounts that an earlier program wrote in another layout, and bring them to the present one; anyone may
    Migrate(migrate::MigrateArgs),
    /// Create a rule of a file, or bring it to what the file says
    SetRule(apply::SetRuleArgs),
    /// Create a swap policy of a file, switched off
    AddPolicy(means::AddPolicyArgs),
    /// Create the guard's reserve of a file, empty
    AddReserve(means::AddReserveArgs),
    /// Pay what a change granted out of the reserve; anyone may
    PayGrant(means::PayGrantArgs),
}

/// Flags of `guard show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Another guard than that of the settings [setting: cluster.guard]
    #[arg(long, value_name = "ADDRESS")]
    pub guard: Option<Pubkey>,
}

/// What a command answers: for programs and for people.
#[derive(Clone, Debug)]
pub struct Answer {
    /// For programs.
    pub data: Value,
    /// For people.
    pub text: String,
}

impl Answer {
    fn new(data: &impl Serialize, text: String) -> Result<Self, KeeperError> {
        let data = serde_json::to_value(data).map_err(|source| KeeperError::Chain {
            what: "write the answer as JSON".into(),
            source: Box::new(source),
        })?;
        Ok(Self { data, text })
    }
}

impl GuardCommand {
    /// `guard plan FILE`.
    pub(super) const fn plan_of(file: PathBuf) -> Self {
        Self::Plan(apply::PlanArgs { file })
    }

    /// `guard apply FILE --yes`, signed by the key of a file.
    pub(super) fn apply_of(file: PathBuf, signer: Option<PathBuf>) -> Self {
        let way =
            way::WayArgs { signers: signer.map(hand::KeyPlace::File).into_iter().collect(), ..way::WayArgs::default() };
        Self::Apply(apply::ApplyArgs { file, yes: true, way })
    }

    /// Does what was asked and prints the answer.
    pub(super) async fn execute(&self, out: Output, config: &Config) -> Result<(), KeeperError> {
        let answer = self.answer(config).await?;
        out.print(&answer.data, || answer.text)
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// `Refused` where the chain or the program refuses, `WrongChain` where there is no guard, `Chain` where nobody answers.
    pub async fn answer(&self, config: &Config) -> Result<Answer, KeeperError> {
        match self {
            Self::Show(args) => show::show(args, config).await,
            Self::Propose(args) => act::propose(args, config).await,
            Self::Tighten(args) => act::tighten(args, config).await,
            Self::Execute(args) => act::execute(args, config).await,
            Self::Veto(args) => act::veto(args, config).await,
            Self::Cancel(args) => act::cancel(args, config).await,
            Self::Accept(args) => act::accept(args, config).await,
            Self::Pause(args) => act::pause(args, config).await,
            Self::Resume(args) => act::resume(args, config).await,
            Self::Keepers(args) => act::keepers(args, config).await,
            Self::Plan(args) => apply::show_plan(args, config).await,
            Self::Simulate(args) => simulate::simulate(args, config).await,
            Self::Apply(args) => apply::apply(args, Only::All, config).await,
            Self::Create(args) => apply::apply(args, Only::Missing, config).await,
            Self::Migrate(args) => migrate::migrate_all(args, config).await,
            Self::AddVault(args) => apply::add_vault(args, config).await,
            Self::SetRule(args) => apply::set_rule(args, config).await,
            Self::Standby(args) => urgent::standby(args, config).await,
            Self::Reset(args) => urgent::reset(args, config).await,
            Self::Narrow(args) => bounds::narrow(args, config).await,
            Self::Freeze(args) => bounds::freeze(args, config).await,
            Self::Census { command } => bounds::census(command, config).await,
            Self::Resolution { command } => resolution::resolution(command, config).await,
            Self::AddPolicy(args) => means::add_policy(args, config).await,
            Self::AddReserve(args) => means::add_reserve(args, config).await,
            Self::PayGrant(args) => means::pay_grant(args, config).await,
        }
    }
}

/// Reads the guard from the first endpoint that answers.
async fn read(config: &Config, guard: Pubkey) -> Result<(Rpc, Snapshot), KeeperError> {
    let mut last = RpcError::NoEndpoint;
    for endpoint in config.endpoints() {
        let rpc = open(&endpoint, config);
        match Snapshot::fetch(&rpc, guard).await {
            Ok(snapshot) => return Ok((rpc, snapshot)),
            Err(error) => last = error,
        }
    }
    Err(asked("read the guard", last))
}

fn names(config: &Config) -> Names {
    config.label.iter().map(|label| (label.address, label.name.clone())).collect()
}

fn unknown(source: &ChangeError) -> KeeperError {
    KeeperError::Refused {
        what: error::chain(source),
        hint: "compare the names with `rampart guard show --json`; a newer program needs a newer `rampart`".into(),
    }
}

fn refused_plan(error: &PlanError) -> KeeperError {
    let hint = match error {
        PlanError::Act(error) => error.next().to_owned(),
        _ => "correct the file; docs/governance.md says what each section means".to_owned(),
    };
    KeeperError::Refused { what: error::chain(error), hint }
}

fn no_guard(guard: &Pubkey) -> KeeperError {
    KeeperError::WrongChain(format!("there is no guard at {guard} on this chain"))
}
