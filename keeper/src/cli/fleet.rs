//! The keepers that share the work: who is there, in which order, and taking one out of it.

use super::AskArgs;
use super::ask::Running;
use super::output::Output;
use crate::config::Config;
use crate::error::KeeperError;
use crate::view::FleetView;
use clap::{Args, Subcommand};

/// What to do with the fleet.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Show what a running keeper is in its fleet
    Status(AskArgs),
    /// Show who acts first, second and so on, as a running keeper sees it
    Ranks(AskArgs),
    /// Move a keeper to the end of the order until its process ends
    Drain(DrainArgs),
}

/// Flags of `fleet drain`.
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// Name within the fleet [default: this keeper, by its settings]
    pub member: Option<String>,
    /// Take it back
    #[arg(long)]
    pub undo: bool,
}

impl FleetCommand {
    /// Does what was asked.
    pub(super) async fn execute(
        &self,
        out: Output,
        settings: impl FnOnce() -> Result<Config, KeeperError>,
    ) -> Result<(), KeeperError> {
        match self {
            Self::Status(args) => {
                let fleet = Running::of(args, settings)?.state().await?.keeper.fleet;
                out.print(&fleet, || line(&fleet))
            }
            Self::Ranks(args) => {
                let fleet = Running::of(args, settings)?.state().await?.keeper.fleet;
                out.print(&fleet.members, || ranks(&fleet))
            }
            Self::Drain(args) => drain(args, out, &settings()?).await,
        }
    }
}

/// Returns one line about a keeper's place.
pub(super) fn line(fleet: &FleetView) -> String {
    if fleet.mode == "single" {
        return "fleet: none\n".to_owned();
    }
    let engine = if fleet.engine_up { "up" } else { "DOWN" };
    format!(
        "fleet: {} is {} at rank {} of {}, waits {} slots, etcd {engine}, {} takeovers, fence {}\n",
        fleet.member,
        fleet.role,
        fleet.rank,
        fleet.members.len(),
        fleet.delay_slots,
        fleet.takeovers,
        fleet.fence
    )
}

fn ranks(fleet: &FleetView) -> String {
    let stale = if fleet.engine_up || fleet.mode == "single" { "" } else { "etcd is DOWN: as last seen\n" };
    let rows = fleet.members.iter().map(|member| format!("{} {} {}\n", member.rank, member.id, member.phase));
    std::iter::once(stale.to_owned()).chain(rows).collect()
}

#[cfg(feature = "fleet")]
async fn drain(args: &DrainArgs, out: Output, config: &Config) -> Result<(), KeeperError> {
    use crate::config::FleetMode;
    use crate::fleet::{FleetError, etcd::Access};
    if config.fleet.mode == FleetMode::Single {
        return Err(FleetError::NoFleet.into());
    }
    let member = args.member.as_deref().unwrap_or_else(|| config.fleet.member_id(&config.keeper.name));
    Access::read(&config.fleet)?.drain(member, !args.undo).await?;
    let done = if args.undo { "takes part again" } else { "comes last from now on; it can be stopped" };
    out.print(&serde_json::json!({ "member": member, "draining": !args.undo }), || format!("{member} {done}\n"))
}

/// Tries whether etcd answers; nothing for a keeper on its own.
#[cfg(feature = "fleet")]
pub(super) async fn look(config: &Config) -> Option<Result<String, KeeperError>> {
    use crate::fleet::etcd::Access;
    if config.fleet.mode == crate::config::FleetMode::Single {
        return None;
    }
    let count = async { Access::read(&config.fleet)?.count().await };
    Some(count.await.map(|count| format!("etcd answers, {count} members")).map_err(KeeperError::from))
}

#[cfg(not(feature = "fleet"))]
pub(super) async fn look(_: &Config) -> Option<Result<String, KeeperError>> {
    None
}

#[cfg(not(feature = "fleet"))]
async fn drain(_: &DrainArgs, _: Output, _: &Config) -> Result<(), KeeperError> {
    Err(crate::fleet::FleetError::NotBuilt.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::MemberView;

    fn fleet() -> FleetView {
        let member = |id: &str, rank, phase: &str| MemberView { id: id.into(), rank, phase: phase.into() };
        FleetView {
            mode: "etcd".into(),
            member: "b".into(),
            role: "detached".into(),
            rank: 1,
            delay_slots: 4,
            fence: 7,
            takeovers: 2,
            engine_up: false,
            members: vec![member("a", 0, "ready"), member("b", 1, "draining")],
        }
    }

    #[test]
    fn place_and_order_are_told_in_plain_lines() {
        let expected = "fleet: b is detached at rank 1 of 2, waits 4 slots, etcd DOWN, 2 takeovers, fence 7\n";
        assert_eq!(line(&fleet()), expected);
        assert_eq!(ranks(&fleet()), "etcd is DOWN: as last seen\n0 a ready\n1 b draining\n");
        assert_eq!(line(&FleetView::default()), "fleet: none\n");
    }
}
