//! Members against a real etcd. What they do to a chain is shown by the tests of `keeper/demo`.

use super::etcd::{Access, Worker};
use super::rank::{Member, Phase, ranking};
use super::testing::{Etcd, Gate, request, until};
use super::{Fleet, FleetError, Role};
use crate::config::Config;
use crate::config::payer::KeyError;
use crate::events::{EventKind, Events};
use crate::intent::ActionClass;
use crate::metrics::Metrics;
use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GUARD: &str = "So11111111111111111111111111111111111111112";

/// A member of the fleet, without a keeper around it.
struct Node {
    fleet: Fleet,
    events: Events,
    metrics: Metrics,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// What its engine says every second; nothing where it hangs.
    is_fit: watch::Sender<Option<bool>>,
}

fn config(name: &str, port: u16) -> Config {
    let text = format!(
        "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"{GUARD}\"\n[keeper]\nname = \"{name}\"\n\
         state_dir = \"s\"\n[keys]\npayer_file = \"p\"\n[fleet]\nmode = \"etcd\"\nendpoints = [\"http://127.0.0.1:{port}\"]\n"
    );
    toml::from_str(&text).expect("settings")
}

#[tokio::test]
async fn fault_51_member_that_starts_while_etcd_is_down_has_the_rank_of_before() {
    let Some(mut etcd) = Etcd::start().await else { return };
    let names = ["a", "b", "c"];
    let dirs = names.map(|_| tempfile::tempdir().expect("a directory"));
    let of = |at: usize| {
        let mut config = config(names[at], etcd.port());
        config.keeper.state_dir = dirs[at].path().to_owned();
        // not what the order says, for at least two of them
        config.tx.stagger.rank = 5;
        config
    };
    let configs = [0, 1, 2].map(of);
    let nodes = configs.clone().map(|config| {
        let fleet = Fleet::new(&config, Metrics::new(), Events::new(Metrics::new()), Arc::default());
        let stop = CancellationToken::new();
        let work = fleet.worker(&config, stop.clone()).expect("no secrets").expect("a fleet");
        (fleet, stop, tokio::spawn(work))
    });
    let ranks = || nodes.each_ref().map(|(fleet, ..)| fleet.standing().expect("a member").rank);
    until("each has a rank of its own, and has it on disk", async || {
        let (mut ranks, on_disk) =
            (ranks(), dirs.each_ref().map(|dir| super::kept::read(dir.path(), "/rampart").len()));
        ranks.sort_unstable();
        ranks == [0, 1, 2] && on_disk == [3, 3, 3]
    })
    .await;
    let before = ranks();
    etcd.stop();
    nodes.into_iter().for_each(|(.., task)| task.abort());
    for (config, rank) in configs.iter().zip(before) {
        let fleet = Fleet::new(config, Metrics::new(), Events::new(Metrics::new()), Arc::default());
        let standing = fleet.standing().expect("a member");
        assert_eq!((standing.role, standing.rank), (Role::Detached, rank));
        assert_eq!(fleet.view().members.len(), 3);
    }
}

impl Node {
    fn start(name: &str, port: u16) -> Self {
        Self::with(config(name, port))
    }

    fn with(config: Config) -> Self {
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let events = Events::new(metrics.clone());
        let fleet = Fleet::new(&config, metrics.clone(), events.clone(), Arc::default());
        let (is_fit, mut said) = watch::channel(Some(true));
        let engine = fleet.clone();
        tokio::spawn(async move {
            loop {
                said.borrow_and_update().into_iter().for_each(|is_fit| engine.set_fit(is_fit));
                // ends with the node
                if let Ok(Err(_)) = tokio::time::timeout(Duration::from_millis(500), said.changed()).await {
                    return;
                }
            }
        });
        let task = tokio::spawn(Worker::open(&config, &fleet).expect("no secrets").run(stop.clone()));
        Self { fleet, events, metrics, stop, task, is_fit }
    }

    fn role(&self) -> Role {
        self.fleet.standing().expect("a member").role
    }

    fn told(&self, kind: EventKind) -> usize {
        self.events.subscribe().0.iter().filter(|event| event.kind == kind).count()
    }

    /// Ends as a process does that is killed: nobody gives the lease back.
    async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    async fn leave(self) {
        self.stop.cancel();
        self.task.await.expect("it leaves");
    }
}

fn order(node: &Node) -> Vec<(String, String)> {
    node.fleet.view().members.into_iter().map(|member| (member.id, member.phase)).collect()
}

async fn until_all_ready(nodes: &[Node]) {
    let is_settled = |node: &Node| {
        let order = order(node);
        order.len() == nodes.len() && order.iter().all(|(_, phase)| phase == "ready") && order == self::order(&nodes[0])
    };
    until("all are ready and see the same order", async || nodes.iter().all(is_settled)).await;
}

/// Three members through gates of their own, the owner first.
async fn three(etcd: &Etcd) -> (Vec<Node>, Vec<Gate>) {
    let names = ["keeper-1", "keeper-2", "keeper-3"];
    let guard: Pubkey = GUARD.parse().expect("a key");
    let members = names.map(|id| Member { id: id.into(), guard, phase: Phase::Ready });
    let (mut nodes, mut gates) = (Vec::new(), Vec::new());
    for member in ranking(&guard, &members) {
        gates.push(Gate::open(etcd.port()).await);
        nodes.push(Node::start(&member.id, gates[gates.len() - 1].port()));
    }
    until_all_ready(&nodes).await;
    (nodes, gates)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_members_agree_and_the_next_takes_over_from_one_that_dies_or_leaves() {
    let Some(etcd) = Etcd::start().await else { return };
    let (mut nodes, _gates) = three(&etcd).await;
    let roles: Vec<_> = nodes.iter().map(Node::role).collect();
    assert_eq!(roles, [Role::Owner, Role::Standby, Role::Standby]);
    let died = Instant::now();
    nodes.remove(0).crash().await;
    until("the second takes over", async || nodes[0].role() == Role::Owner).await;
    eprintln!("took over {} ms after the owner died", died.elapsed().as_millis());
    until("it says so", async || nodes[0].metrics.render().contains("rampart_fleet_takeovers_total 1")).await;
    let left = Instant::now();
    nodes.remove(0).leave().await;
    until("the third takes over", async || nodes[0].role() == Role::Owner).await;
    eprintln!("took over {} ms after the owner was asked to leave", left.elapsed().as_millis());
    assert_eq!(order(&nodes[0]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_50_member_cut_off_from_etcd_steps_down_and_comes_back_behind_the_others() {
    let Some(etcd) = Etcd::start().await else { return };
    let (nodes, gates) = three(&etcd).await;
    let pass = nodes[0].fleet.pass();
    assert_eq!(pass.check(ActionClass::Liquidate), Ok(()));
    gates[0].set(false);
    until("the second takes over", async || nodes[1].role() == Role::Owner).await;
    let cut_off = nodes[0].fleet.standing().expect("a member");
    assert_eq!((cut_off.role, cut_off.rank, cut_off.delay_slots), (Role::Detached, 0, 2), "before anybody took over");
    assert!(pass.check(ActionClass::Liquidate).is_err());
    until("it says so", async || nodes[0].told(EventKind::FleetEngineDown) > 0).await;
    assert!(nodes[0].metrics.render().contains("rampart_fleet_engine_up 0"));
    gates[0].set(true);
    until("the first is back", async || nodes[0].role() == Role::Standby).await;
    assert_eq!(nodes[1].role(), Role::Owner, "who was away is on probation");
    until_all_ready(&nodes).await;
    until("the first owns again", async || nodes[0].role() == Role::Owner).await;
    assert_ne!(nodes[1].role(), Role::Owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_51_without_etcd_all_step_down_to_their_ranks_and_return_with_it() {
    let Some(mut etcd) = Etcd::start().await else { return };
    let (nodes, _gates) = three(&etcd).await;
    etcd.stop();
    until("all have stepped down", async || nodes.iter().all(|node| node.role() == Role::Detached)).await;
    let delays: Vec<_> = nodes.iter().map(|node| node.fleet.standing().expect("a member").delay_slots).collect();
    assert_eq!(delays, [2, 4, 6]);
    let ups: Vec<_> = nodes.iter().map(|node| node.told(EventKind::FleetEngineUp)).collect();
    until("all say so", async || nodes.iter().all(|node| node.told(EventKind::FleetEngineDown) > 0)).await;
    etcd.resume().await;
    until_all_ready(&nodes).await;
    until("one owns again", async || nodes[0].role() == Role::Owner).await;
    assert!(nodes[1..].iter().all(|node| node.role() != Role::Owner));
    let is_told = |(node, before): (&Node, &usize)| node.told(EventKind::FleetEngineUp) > *before;
    until("all say so", async || nodes.iter().zip(&ups).all(is_told)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_53_member_that_dies_and_returns_each_second_moves_nobody() {
    let Some(etcd) = Etcd::start().await else { return };
    let (mut nodes, _gates) = three(&etcd).await;
    nodes.remove(0).leave().await;
    until("the second takes over", async || nodes[0].role() == Role::Owner).await;
    let changes = nodes[0].told(EventKind::FleetRoleChanged);
    // by its name it would come first
    let first = ["keeper-1", "keeper-2", "keeper-3"].into_iter().find(|id| order(&nodes[0]).iter().all(|m| m.0 != *id));
    for _ in 0..5 {
        let flapper = Node::start(first.expect("the one that left"), etcd.port());
        until("it joined", async || order(&nodes[0]).len() == 3).await;
        assert_ne!(flapper.role(), Role::Owner);
        assert_eq!(nodes[0].role(), Role::Owner);
        flapper.leave().await;
        until("it left", async || order(&nodes[0]).len() == 2).await;
    }
    assert_eq!(nodes[0].told(EventKind::FleetRoleChanged), changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn drained_owner_hands_over_until_it_is_taken_back() {
    let Some(etcd) = Etcd::start().await else { return };
    let (nodes, _gates) = three(&etcd).await;
    let id = nodes[0].fleet.view().member;
    let access = Access::read(&config("operator", etcd.port()).fleet).expect("no secrets");
    assert_eq!(access.count().await.expect("an answer"), 3);
    access.drain(&id, true).await.expect("drained");
    until("the second takes over", async || nodes[1].role() == Role::Owner && nodes[0].role() == Role::Standby).await;
    until("all see it last", async || nodes.iter().all(|node| order(node)[2] == (id.clone(), "draining".into()))).await;
    access.drain(&id, false).await.expect("taken back");
    until("the first owns again", async || nodes[0].role() == Role::Owner).await;
    let error = access.drain("nobody", true).await.expect_err("a refusal");
    assert_eq!(error.to_string(), "member `nobody` is not in the fleet");
}

#[tokio::test(flavor = "multi_thread")]
async fn second_process_under_a_name_stays_out() {
    let Some(etcd) = Etcd::start().await else { return };
    let first = Node::start("keeper-1", etcd.port());
    until("the first owns", async || first.role() == Role::Owner).await;
    let second = Node::start("keeper-1", etcd.port());
    until("the second was refused", async || second.told(EventKind::FleetEngineDown) > 0).await;
    assert_eq!((first.role(), second.role()), (Role::Owner, Role::Detached));
    first.leave().await;
    until("the second joins", async || second.role() == Role::Owner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn member_that_can_not_act_or_hangs_is_no_owner_while_another_can() {
    let Some(etcd) = Etcd::start().await else { return };
    let (nodes, _gates) = three(&etcd).await;
    nodes[0].is_fit.send_replace(Some(false));
    until("the second takes over", async || nodes[1].role() == Role::Owner && nodes[0].role() == Role::Standby).await;
    nodes[1].is_fit.send_replace(None);
    until("the third takes over", async || nodes[2].role() == Role::Owner && nodes[1].role() == Role::Standby).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_left_under_the_prefix_is_passed_over() {
    let Some(etcd) = Etcd::start().await else { return };
    let node = Node::start("keeper-1", etcd.port());
    for (key, value) in [("/rampart/members/odd", "no json"), ("/rampart/other", "{}"), ("/rampart/drain/gone", "")] {
        let body = json!({ "key": BASE64.encode(key), "value": BASE64.encode(value) });
        request(etcd.port(), "POST", "/v3/kv/put", &body.to_string()).await.expect("an answer");
    }
    until("it owns", async || node.role() == Role::Owner).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(order(&node).len(), 1);
}

fn private(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn user_and_password_are_demanded_and_read_from_their_file() {
    let Some(etcd) = Etcd::start().await else { return };
    let url = format!("http://127.0.0.1:{}", etcd.port());
    let mut root = etcd_client::Client::connect([url], None).await.expect("a connection");
    root.user_add("root", "first", None).await.expect("a user");
    root.user_grant_role("root", "root").await.expect("its role");
    root.auth_enable().await.expect("authentication");
    let dir = tempfile::tempdir().expect("a directory");
    let mut named = config("keeper-1", etcd.port());
    named.fleet.user = Some("root".into());
    named.fleet.password_file = Some(private(dir.path(), "right", "first\n"));
    let node = Node::with(named.clone());
    until("it owns", async || node.role() == Role::Owner).await;
    named.fleet.password_file = Some(private(dir.path(), "wrong", "second"));
    for refused in [config("keeper-2", etcd.port()), named] {
        let node = Node::with(refused);
        until("it was refused", async || node.told(EventKind::FleetEngineDown) > 0).await;
        assert_eq!(node.role(), Role::Detached);
    }
}

#[test]
fn password_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = config("keeper-1", 1);
    let path = private(dir.path(), "password", "secret");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    (config.fleet.user, config.fleet.password_file) = (Some("keeper".into()), Some(path));
    let error = Access::read(&config.fleet).err().expect("a refusal");
    assert!(matches!(error, FleetError::Secret(KeyError::Mode { mode: 0o644, .. })), "{error}");
    assert_eq!(error.exit_code(), 3);
}

/// Makes an authority, and a certificate by it for this machine.
fn certificates(dir: &Path) -> bool {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem && \
                  openssl req -newkey rsa:2048 -nodes -subj /CN=one -keyout one.key -out one.csr && \
                  printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' > one.ext && \
                  openssl x509 -req -in one.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile one.ext -out one.pem && \
                  chmod 600 one.key";
    let made = std::process::Command::new("sh").args(["-c", script]).current_dir(dir).output().expect("a shell");
    if !made.status.success() {
        eprintln!("skipped: no certificates without openssl: {}", String::from_utf8_lossy(&made.stderr));
    }
    made.status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn member_and_etcd_show_each_other_certificates() {
    let dir = tempfile::tempdir().expect("a directory");
    if !certificates(dir.path()) {
        return;
    }
    let file = |name: &str| dir.path().join(name);
    let flag = |name: &str, at: &str| format!("--{name}={}", file(at).display());
    let names = [("cert-file", "one.pem"), ("key-file", "one.key"), ("trusted-ca-file", "ca.pem")];
    let flags = names.map(|(name, at)| flag(name, at)).into_iter().chain(["--client-cert-auth".to_owned()]);
    let Some(etcd) = Etcd::start_with(flags.collect()).await else { return };
    let mut known = config("keeper-1", etcd.port());
    known.fleet.endpoints = vec![format!("https://127.0.0.1:{}", etcd.port())];
    known.fleet.ca_file = Some(file("ca.pem"));
    let mut unknown = known.clone();
    unknown.keeper.name = "keeper-2".into();
    (known.fleet.cert_file, known.fleet.key_file) = (Some(file("one.pem")), Some(file("one.key")));
    let (known, unknown) = (Node::with(known), Node::with(unknown));
    until("the one with a certificate owns", async || known.role() == Role::Owner).await;
    until("the other was refused", async || unknown.told(EventKind::FleetEngineDown) > 0).await;
    assert_eq!((unknown.role(), order(&known).len()), (Role::Detached, 1));
}
