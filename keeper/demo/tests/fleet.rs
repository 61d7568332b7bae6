//! A fleet of three keeper processes on one etcd and one chain, while members die, stand still or are cut off.
//!
//! Judged by what landed: the drawdown rule tripped once, every position beyond its line was liquidated, none of them
//! twice under one number. Where etcd is not installed each test says so and passes.

mod build;
#[path = "fleet/rig.rs"]
mod rig;
#[path = "../../src/fleet/testing.rs"]
mod testing;

use rampart_demo::error::Outcome;
use rig::{Rig, Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn fault_30_three_keepers_that_fire_together_act_once_and_each_loser_pays_one_fee() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Together).await? else { return Ok(()) };
    rig.fall_to(0.8).await?;
    rig.until_done().await?;
    rig.verify().await?;
    // an action costs one landed transaction, and at most one refused of each other keeper
    let counts = rig.counts().await;
    let landed: u64 = counts.iter().map(|count| count.landed).sum();
    assert!(counts.iter().all(|count| count.refused <= landed - count.landed), "{counts:?}");
    rig.stop().await
}

/// One chain for all of it: to set it up takes longest. At each step the price falls further, so that the rule trips or
/// more positions are beyond their lines.
#[tokio::test(flavor = "multi_thread")]
async fn fault_50_51_52_53_fleet_of_processes_misses_nothing_and_does_nothing_twice() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Fleet).await? else { return Ok(()) };
    owner_dies(&mut rig).await?;
    owner_is_cut_off(&mut rig).await?;
    owner_stands_still(&mut rig).await?;
    ownership_flaps(&mut rig).await?;
    etcd_is_down(&mut rig).await?;
    rig.verify().await?;
    rig.stop().await
}

async fn owner_dies(rig: &mut Rig) -> Outcome<()> {
    let owner = rig.owner().await;
    rig.fall_to(0.85).await?;
    rig.kill(owner).await?;
    rig.until_done().await?;
    assert_eq!(rig.rule().await?.trip_epoch, 1, "the rule tripped once");
    rig.until("another owns", async |rig| rig.owners().await.iter().any(|other| *other != owner)).await?;
    rig.restart(owner)?;
    rig.until_settled().await
}

async fn owner_is_cut_off(rig: &mut Rig) -> Outcome<()> {
    let owner = rig.owner().await;
    rig.gate(owner, false);
    rig.fall_to(0.8).await?;
    rig.until_done().await?;
    rig.until("it has stepped down", async |rig| rig.role(owner).await == "detached").await?;
    rig.until("another owns", async |rig| rig.owners().await.len() == 1).await?;
    rig.gate(owner, true);
    rig.until_settled().await
}

async fn owner_stands_still(rig: &mut Rig) -> Outcome<()> {
    let owner = rig.owner().await;
    rig.fall_to(0.75).await?;
    rig.signal(owner, "STOP").await?;
    rig.until_done().await?;
    rig.until("another owns", async |rig| rig.owners().await.iter().any(|other| *other != owner)).await?;
    rig.signal(owner, "CONT").await?;
    rig.until("it is back", async |rig| rig.role(owner).await == "standby").await?;
    rig.until_settled().await
}

/// By a member that claims to be ready at once, comes first by its name, and never acts.
async fn ownership_flaps(rig: &mut Rig) -> Outcome<()> {
    let is_over = Arc::new(AtomicBool::new(false));
    let flapping = tokio::spawn(rig::flap(rig.etcd().port(), rig.guard(), is_over.clone()));
    rig.fall_to(0.7).await?;
    rig.until_done().await?;
    is_over.store(true, Ordering::Relaxed);
    flapping.await.expect("it ends");
    rig.until_settled().await
}

async fn etcd_is_down(rig: &mut Rig) -> Outcome<()> {
    rig.etcd().stop();
    rig.until("all have stepped down", async |rig| rig.roles().await == ["detached"; 3]).await?;
    rig.until("it says so", async |rig| rig.metrics(0).await.contains("rampart_fleet_engine_up 0")).await?;
    rig.fall_to(0.65).await?;
    rig.until_done().await?;
    rig.etcd().resume().await;
    rig.until_settled().await?;
    rig.until("it says so", async |rig| rig.metrics(0).await.contains("rampart_fleet_engine_up 1")).await
}
