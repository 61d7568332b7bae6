//! Talks to etcd: joins, renews, looks who is there, leaves.
//!
//! ```text
//! <prefix>/members/<id>  {"guard": .., "ready": ..}   bound to the member's lease
//! <prefix>/drain/<id>                                 bound to the same lease, so that it ends with the process
//! ```
//! One round is a renewal and one linearizable read of everything. It is repeated eight times within a lease: a stream
//! of changes would tell sooner by a fraction of a second, and has to be proved alive by such a round anyway.

use super::rank::{Member, Phase};
use super::{Clock, Fleet, FleetError, machine};
use crate::config::secret::read_private;
use crate::config::{self, Config};
use anchor_lang::prelude::Pubkey;
use etcd_client::{
    Certificate, Client, Compare, CompareOp, ConnectOptions, Error, GetOptions, Identity, KeyValue, PutOptions,
    TlsOptions, Txn, TxnOp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The longest file of a secret, bytes.
const LONGEST: u64 = 64 << 10;
/// Rounds within a lease.
const ROUNDS: u32 = 8;
/// Leases for which a member has to be able to act until it is relied on.
const PROBATION_LEASES: u32 = 3;
/// How long leaving may take; the lease ends by itself all the same.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a member says of itself.
#[derive(Debug, Deserialize, Serialize)]
struct Card {
    guard: String,
    ready: bool,
}

/// Where etcd is, and how to show who asks.
#[derive(Clone)]
pub struct Access {
    endpoints: Vec<String>,
    options: ConnectOptions,
    prefix: String,
    patience: Duration,
}

/// The task that keeps this keeper in its fleet.
pub struct Worker {
    access: Access,
    fleet: Fleet,
    clock: Clock,
    id: String,
    guard: Pubkey,
    ttl: Duration,
    client: Option<Client>,
    lease: Option<Lease>,
    fit_since: Option<Duration>,
    last_failure: Option<String>,
}

#[derive(Clone, Copy)]
struct Lease {
    id: i64,
    is_ready: bool,
}

impl Access {
    /// Reads certificates and secrets.
    ///
    /// # Errors
    /// `Certificate`, `Secret`.
    pub fn read(settings: &config::Fleet) -> Result<Self, FleetError> {
        let patience = Duration::from_millis(settings.lease_ttl_ms) / 4;
        let mut options = ConnectOptions::new().with_connect_timeout(patience).with_require_leader(true);
        if let Some(tls) = tls(settings)? {
            options = options.with_tls(tls);
        }
        if let (Some(user), Some(file)) = (&settings.user, &settings.password_file) {
            let password = read_private(file, LONGEST)?;
            options = options.with_user(user, password.trim_end_matches(['\r', '\n'])).with_auto_token_refresh(true);
        }
        Ok(Self { endpoints: settings.endpoints.clone(), options, prefix: settings.prefix.clone(), patience })
    }

    async fn connect(&self) -> Result<Client, FleetError> {
        let options = Some(self.options.clone());
        Client::connect(&self.endpoints, options).await.map_err(failed("open a connection"))
    }

    fn member_key(&self, id: &str) -> String {
        format!("{}/members/{id}", self.prefix)
    }

    fn drain_key(&self, id: &str) -> String {
        format!("{}/drain/{id}", self.prefix)
    }

    /// Moves a member to the end of every order until its process ends, or takes that back.
    ///
    /// # Errors
    /// `NoSuchMember`, `Etcd`, `Silent`.
    pub async fn drain(&self, id: &str, is_draining: bool) -> Result<(), FleetError> {
        self.patiently(self.set_draining(id, is_draining)).await
    }

    /// Returns how many members there are.
    ///
    /// # Errors
    /// `Etcd`, `Silent`.
    pub async fn count(&self) -> Result<usize, FleetError> {
        self.patiently(async {
            let every = Some(GetOptions::new().with_prefix());
            let found = self.connect().await?.get(format!("{}/", self.prefix), every).await;
            Ok(members(&self.prefix, found.map_err(failed("list the members"))?.kvs()).len())
        })
        .await
    }

    /// Somebody waits at a terminal: gives them more time than a round has.
    async fn patiently<T>(&self, work: impl Future<Output = Result<T, FleetError>>) -> Result<T, FleetError> {
        let patience = self.patience * 4;
        timeout(patience, work).await.map_err(|_| FleetError::Silent { millis: patience.as_millis() })?
    }

    async fn set_draining(&self, id: &str, is_draining: bool) -> Result<(), FleetError> {
        let mut client = self.connect().await?;
        let (member, drain) = (self.member_key(id), self.drain_key(id));
        let found = client.get(member.as_str(), None).await.map_err(failed("look a member up"))?;
        let none = || FleetError::NoSuchMember { id: id.to_owned() };
        let lease = found.kvs().first().ok_or_else(none)?.lease();
        let step = match is_draining {
            true => TxnOp::put(drain, "", Some(PutOptions::new().with_lease(lease))),
            false => TxnOp::delete(drain, None),
        };
        let change = Txn::new().when([Compare::lease(member, CompareOp::Equal, lease)]).and_then([step]);
        let answer = client.txn(change).await.map_err(failed("drain a member"))?;
        if answer.succeeded() { Ok(()) } else { Err(none()) }
    }
}

impl Worker {
    /// Reads what it takes to talk to etcd.
    ///
    /// # Errors
    /// See [`Access::read`].
    pub fn open(config: &Config, fleet: &Fleet) -> Result<Self, FleetError> {
        Ok(Self {
            access: Access::read(&config.fleet)?,
            fleet: fleet.clone(),
            clock: machine(),
            id: config.fleet.member_id(&config.keeper.name).to_owned(),
            guard: config.cluster.guard,
            ttl: Duration::from_millis(config.fleet.lease_ttl_ms),
            client: None,
            lease: None,
            fit_since: None,
            last_failure: None,
        })
    }

    /// Belongs to the fleet until `stop`, then gives the lease back at once.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.leave().await,
                () = self.turn() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return self.leave().await,
                () = tokio::time::sleep(self.ttl / ROUNDS) => {}
            }
        }
    }

    async fn turn(&mut self) {
        let patience = self.access.patience;
        let silent = |_| FleetError::Silent { millis: patience.as_millis() };
        match timeout(patience, self.round()).await.map_err(silent).flatten() {
            Ok(()) => self.last_failure = None,
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &FleetError) {
        let is_lost = matches!(error, FleetError::LeaseLost | FleetError::MemberTaken { .. });
        self.client = None;
        if is_lost {
            self.lease = None;
        }
        let text = crate::error::chain(error);
        if self.last_failure.as_ref() != Some(&text) {
            tracing::warn!("a round with the fleet's etcd failed: {text}");
        }
        self.last_failure = Some(text);
        self.fleet.unconfirmed(is_lost);
    }

    async fn round(&mut self) -> Result<(), FleetError> {
        // MUST come before everything that is asked: the lease is counted from here
        let sent_at = (self.clock)();
        let mut client = match self.client.take() {
            Some(client) => client,
            None => self.access.connect().await?,
        };
        let lease = match self.lease {
            Some(lease) => renew(&mut client, lease.id).await.map(|()| lease)?,
            None => self.join(&mut client).await?,
        };
        let every = Some(GetOptions::new().with_prefix());
        let found = client.get(format!("{}/", self.access.prefix), every).await.map_err(failed("list the members"))?;
        let revision = found.header().map_or(0, |header| header.revision());
        let key = self.access.member_key(&self.id);
        if !found.kvs().iter().any(|kv| kv.key() == key.as_bytes() && kv.lease() == lease.id) {
            return Err(FleetError::LeaseLost);
        }
        self.fleet.confirmed(sent_at, revision, members(&self.access.prefix, found.kvs()));
        self.show_fitness(&mut client, lease, sent_at).await?;
        self.client = Some(client);
        Ok(())
    }

    async fn join(&mut self, client: &mut Client) -> Result<Lease, FleetError> {
        let seconds = i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX);
        let granted = client.lease_grant(seconds, None).await.map_err(failed("get a lease"))?;
        let lease = Lease { id: granted.id(), is_ready: false };
        // noted before it is used, so that leaving gives it back whatever comes
        self.lease = Some(lease);
        let key = self.access.member_key(&self.id);
        let put = TxnOp::put(key.as_str(), self.card(false), Some(PutOptions::new().with_lease(lease.id)));
        let enter = Txn::new().when([Compare::version(key, CompareOp::Equal, 0)]).and_then([put]);
        if client.txn(enter).await.map_err(failed("join"))?.succeeded() {
            self.fit_since = None;
            return Ok(lease);
        }
        client.lease_revoke(lease.id).await.map_err(failed("give a lease back"))?;
        Err(FleetError::MemberTaken { id: self.id.clone() })
    }

    /// Tells the others when this member turns able to act for long enough, and at once when it no longer is.
    async fn show_fitness(&mut self, client: &mut Client, lease: Lease, now: Duration) -> Result<(), FleetError> {
        self.fit_since = self.fleet.is_fit().then(|| self.fit_since.unwrap_or(now));
        let is_ready = self.fit_since.is_some_and(|since| now.saturating_sub(since) >= self.ttl * PROBATION_LEASES);
        if is_ready == lease.is_ready {
            return Ok(());
        }
        let key = self.access.member_key(&self.id);
        let put = TxnOp::put(key.as_str(), self.card(is_ready), Some(PutOptions::new().with_lease(lease.id)));
        let change = Txn::new().when([Compare::lease(key, CompareOp::Equal, lease.id)]).and_then([put]);
        if !client.txn(change).await.map_err(failed("tell whether this keeper can act"))?.succeeded() {
            return Err(FleetError::LeaseLost);
        }
        self.lease = Some(Lease { is_ready, ..lease });
        Ok(())
    }

    fn card(&self, ready: bool) -> Vec<u8> {
        // CANNOT fail: text and a boolean
        serde_json::to_vec(&Card { guard: self.guard.to_string(), ready }).unwrap_or_default()
    }

    async fn leave(self) {
        let Some(lease) = self.lease else { return };
        let bye = async {
            let mut client = match self.client {
                Some(client) => client,
                None => self.access.connect().await?,
            };
            client.lease_revoke(lease.id).await.map(drop).map_err(failed("give the lease back"))
        };
        let silent = |_| FleetError::Silent { millis: FAREWELL.as_millis() };
        if let Err(error) = timeout(FAREWELL, bye).await.map_err(silent).flatten() {
            tracing::warn!("the lease ends by itself: {}", crate::error::chain(&error));
        }
    }
}

async fn renew(client: &mut Client, lease: i64) -> Result<(), FleetError> {
    match client.lease_keep_alive(lease).await {
        Ok(_) => Ok(()),
        // the one way in which the client says that etcd knows no such lease
        Err(Error::LeaseKeepAliveError(_)) => Err(FleetError::LeaseLost),
        Err(error) => Err(failed("renew the lease")(error)),
    }
}

fn members(prefix: &str, kvs: &[KeyValue]) -> Vec<Member> {
    let under = |folder: &str, kv: &KeyValue| -> Option<String> {
        std::str::from_utf8(kv.key()).ok()?.strip_prefix(prefix)?.strip_prefix(folder).map(str::to_owned)
    };
    let draining: BTreeSet<String> = kvs.iter().filter_map(|kv| under("/drain/", kv)).collect();
    let member = |kv: &KeyValue| {
        let id = under("/members/", kv)?;
        // what can't be read is of another version: it is not counted on
        let card: Card = serde_json::from_slice(kv.value()).ok()?;
        let phase = match (draining.contains(&id), card.ready) {
            (true, _) => Phase::Draining,
            (false, true) => Phase::Ready,
            (false, false) => Phase::Probation,
        };
        Some(Member { id, guard: card.guard.parse().ok()?, phase })
    };
    kvs.iter().filter_map(member).collect()
}

fn tls(settings: &config::Fleet) -> Result<Option<TlsOptions>, FleetError> {
    let Some(ca) = &settings.ca_file else { return Ok(None) };
    let mut tls = TlsOptions::new().ca_certificate(Certificate::from_pem(certificate(ca)?));
    if let (Some(cert), Some(key)) = (&settings.cert_file, &settings.key_file) {
        tls = tls.identity(Identity::from_pem(certificate(cert)?, read_private(key, LONGEST)?));
    }
    Ok(Some(tls))
}

fn certificate(path: &Path) -> Result<Vec<u8>, FleetError> {
    std::fs::read(path).map_err(|source| FleetError::Certificate { path: path.to_owned(), source })
}

fn failed(what: &'static str) -> impl Fn(Error) -> FleetError {
    move |source| FleetError::Etcd { what, source: Box::new(source) }
}
