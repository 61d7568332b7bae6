//! The keepers that share the work: who is there, in which order, and taking one out of it.

use super::StatusArgs;
use super::show::text;
use super::status::{state, view_of};
use crate::config::Config;
use crate::error::KeeperError;
use crate::view::{FleetView, View};
use clap::{Args, Subcommand};
use serde_json::json;

/// What to do with the fleet.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Show what a running keeper is in its fleet
    Status(StatusArgs),
    /// Show who acts first, second and so on, as a running keeper sees it
    Ranks(StatusArgs),
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
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl FleetCommand {
    /// Does what was asked.
    pub(super) async fn execute(
        &self,
        settings: impl FnOnce() -> Result<Config, KeeperError>,
    ) -> Result<(), KeeperError> {
        match self {
            Self::Status(args) => show(args, settings, |view| line(&view.keeper.fleet), |fleet| json!(fleet)).await,
            Self::Ranks(args) => {
                show(args, settings, |view| ranks(&view.keeper.fleet), |fleet| json!(fleet.members)).await
            }
            Self::Drain(args) => drain(args, &settings()?).await,
        }
    }
}

async fn show(
    args: &StatusArgs,
    settings: impl FnOnce() -> Result<Config, KeeperError>,
    plain: impl Fn(&View) -> String,
    json: impl Fn(&FleetView) -> serde_json::Value,
) -> Result<(), KeeperError> {
    let view = view_of(state(args, settings).await?)?;
    if args.json { text(&format!("{:#}\n", json(&view.keeper.fleet))) } else { text(&plain(&view)) }
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
async fn drain(args: &DrainArgs, config: &Config) -> Result<(), KeeperError> {
    use crate::config::FleetMode;
    use crate::fleet::{FleetError, etcd::Access};
    if config.fleet.mode == FleetMode::Single {
        return Err(FleetError::NoFleet.into());
    }
    let member = args.member.as_deref().unwrap_or_else(|| config.fleet.member_id(&config.keeper.name));
    Access::read(&config.fleet)?.drain(member, !args.undo).await?;
    if args.json {
        return text(&format!("{:#}\n", json!({ "member": member, "draining": !args.undo })));
    }
    let done = if args.undo { "takes part again" } else { "comes last from now on; it can be stopped" };
    text(&format!("{member} {done}\n"))
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
async fn drain(_: &DrainArgs, _: &Config) -> Result<(), KeeperError> {
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
