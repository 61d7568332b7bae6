//! A fleet of three keeper processes on one etcd and one chain, while members die, stand still or are cut off.
//!
//! Judged by what landed: the drawdown rule tripped once, every position beyond its line was liquidated, none of them
//! twice under one number. Where etcd is not installed each test says so and passes.

#[path = "fleet/rig.rs"]
mod rig;
#[path = "../../src/fleet/testing.rs"]
mod testing;

use rampart_demo::error::Outcome;
use rig::{Rig, Settings};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn fault_030_three_keepers_that_fire_together_act_once_and_each_loser_pays_one_fee() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Together).await? else { return Ok(()) };
    rig.crash().await?;
    rig.until_done().await?;
    rig.verify().await?;
    // an action costs one landed transaction, and at most one refused of each other keeper
    let counts = rig.counts().await;
    let landed: u64 = counts.iter().map(|count| count.landed).sum();
    assert!(counts.iter().all(|count| count.refused <= landed - count.landed), "{counts:?}");
    rig.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_killed_as_prices_fall_is_replaced_and_nothing_is_missed_or_done_twice() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Fleet).await? else { return Ok(()) };
    let owner = rig.owner().await;
    rig.crash().await?;
    rig.kill(owner).await?;
    rig.until_done().await?;
    rig.until("another owns", async |rig| rig.owners().await.iter().any(|other| *other != owner)).await?;
    rig.verify().await?;
    rig.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_050_owner_cut_off_from_etcd_steps_down_and_all_is_done_once() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Fleet).await? else { return Ok(()) };
    let owner = rig.owner().await;
    rig.gate(owner, false);
    rig.until("it has stepped down", async |rig| rig.role(owner).await == "detached").await?;
    rig.until("another owns", async |rig| rig.owners().await.len() == 1).await?;
    rig.crash().await?;
    rig.until_done().await?;
    rig.gate(owner, true);
    rig.until("it is back", async |rig| rig.role(owner).await != "detached").await?;
    rig.verify().await?;
    rig.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_051_fleet_without_etcd_acts_by_rank_and_says_so() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Fleet).await? else { return Ok(()) };
    rig.etcd().stop();
    rig.until("all have stepped down", async |rig| rig.roles().await == ["detached"; 3]).await?;
    assert!(rig.metrics(0).await.contains("rampart_fleet_engine_up 0"));
    rig.crash().await?;
    rig.until_done().await?;
    rig.etcd().resume().await;
    rig.until("one owns again", async |rig| rig.owners().await.len() == 1).await?;
    assert!(rig.metrics(0).await.contains("rampart_fleet_engine_up 1"));
    rig.verify().await?;
    rig.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_052_owner_that_stood_still_while_others_acted_does_nothing_again() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Fleet).await? else { return Ok(()) };
    let owner = rig.owner().await;
    rig.crash().await?;
    rig.signal(owner, "STOP").await?;
    rig.until_done().await?;
    rig.until("another owns", async |rig| rig.owners().await.iter().any(|other| *other != owner)).await?;
    let woke_at = rig.slot();
    rig.signal(owner, "CONT").await?;
    rig.until("it is back", async |rig| rig.role(owner).await == "standby").await?;
    let ledger = rig.verify().await?;
    let payer = rig.payers()[owner];
    let repeated = ledger.liquidations.iter().filter(|entry| entry.payer == payer && entry.slot >= woke_at).count();
    assert_eq!(repeated, 0, "all had been done when it woke");
    rig.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_053_while_ownership_flaps_each_second_all_is_done_once() -> Outcome<()> {
    let Some(mut rig) = Rig::start(Settings::Fleet).await? else { return Ok(()) };
    // a member that claims to be ready at once, comes first by its name, and never acts
    let flapping = tokio::spawn(rig::flap(rig.etcd().port(), rig.guard(), Duration::from_secs(1)));
    rig.crash().await?;
    rig.until_done().await?;
    flapping.abort();
    rig.verify().await?;
    rig.stop().await
}
