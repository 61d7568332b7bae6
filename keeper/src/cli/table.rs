//! The lookup table by which a liquidation through a route fits into a packet: made, extended and looked at.
//!
//! What it holds is read off the instructions that the keeper would send, so it is neither too much nor too little.

use super::chain::{asked, open};
use super::guard::Answer;
use super::guard::hand::{Hand, KeyPlace};
use super::output::Output;
use crate::chain::fees::Market;
use crate::chain::rpc::{Rpc, RpcError};
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::trial::attempt;
use crate::intent::Outcome;
use crate::plan::Planner;
use crate::plan::tables::{OWNER, decode};
use crate::route::Routes;
use crate::submit::{Once, once};
use crate::watch::feeds::{self, Child, Extra};
use crate::watch::oracles::Found;
use crate::watch::poll::newest;
use crate::watch::store::Store;
use anchor_lang::prelude::Rent;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use solana_address_lookup_table_interface::instruction::{create_lookup_table, extend_lookup_table};
use solana_sdk::instruction::Instruction;
use solana_sdk::message::{Message, VersionedMessage};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::VersionedTransaction;
use std::collections::BTreeSet;
use std::time::Instant;

/// The most that a table holds.
const MOST: usize = 256;
/// Addresses that one transaction adds: with the creation before them they fit into a packet.
const AT_ONCE: usize = 20;
/// Bytes of a table before its addresses.
const HEAD: usize = 56;
/// Rounds in which everything that accounts name is read: an asset, its sources, a pool, its tokens.
const ROUNDS: usize = 4;

/// What to do with the lookup table.
#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// Create a table of what the keeper's liquidations through its routes name
    Create(CreateArgs),
    /// Add to a table what it lacks
    Extend(ExtendArgs),
    /// Show tables, who may extend them, and what they lack
    Show(ShowArgs),
}

/// Flags of all that writes.
#[derive(Debug, Args)]
pub struct WriteArgs {
    /// Show what would be done and try it on a node; nothing is signed
    #[arg(long)]
    pub dry_run: bool,
    /// Key that owns the table and pays for it: a keypair file, `usb://ledger?key=0`, or
    /// `vault+https://HOST/KEY?address=ADDRESS` [setting: keys.payer_file]
    #[arg(long, value_name = "KEY")]
    pub signer: Option<KeyPlace>,
    /// Only what this vault's liquidations name, may be given several times [default: all vaults]
    #[arg(long = "vault", value_name = "ADDRESS")]
    pub vaults: Vec<Pubkey>,
    /// Further address to hold, may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub also: Vec<Pubkey>,
}

/// Arguments of `table create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// How.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of `table extend`.
#[derive(Debug, Args)]
pub struct ExtendArgs {
    /// The table [default: the only one of tx.lookup_tables]
    pub table: Option<Pubkey>,
    /// How.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of `table show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Tables [setting: tx.lookup_tables]
    pub tables: Vec<Pubkey>,
    /// Only what this vault's liquidations name, may be given several times [default: all vaults]
    #[arg(long = "vault", value_name = "ADDRESS")]
    pub vaults: Vec<Pubkey>,
}

impl TableCommand {
    /// Does what was asked and prints the answer.
    pub(super) async fn execute(&self, out: Output, config: &Config) -> Result<(), KeeperError> {
        let answer = self.answer(config).await?;
        out.print(&answer.data, || answer.text)
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// `Refused` where the chain refuses or a table can't be used, `Chain` where nobody answers, `Key` for its file.
    pub async fn answer(&self, config: &Config) -> Result<Answer, KeeperError> {
        match self {
            Self::Create(args) => create(&args.write, config).await,
            Self::Extend(args) => extend(args, config).await,
            Self::Show(args) => show(args, config).await,
        }
    }
}

/// A table as it is on chain.
struct Table {
    key: Pubkey,
    authority: Option<Pubkey>,
    addresses: Vec<Pubkey>,
    is_closing: bool,
}

async fn create(args: &WriteArgs, config: &Config) -> Result<Answer, KeeperError> {
    let (key, desk) = Desk::for_writing(args, config).await?;
    let wanted = desk.wanted(args)?;
    let params = json!([{ "commitment": "confirmed" }]);
    let slot: u64 = desk.rpc.call("getSlot", "the slot", params).await.map_err(|e| asked("ask for the slot", e))?;
    let (create, table) = create_lookup_table(key.pubkey(), key.pubkey(), slot);
    let steps = steps(&table, &key.pubkey(), &wanted, Some(create));
    let what = format!("create lookup table {table} with {} addresses", wanted.len());
    let cost = rent(wanted.len());
    let done = desk.carry_out(&what, &steps, &key, args.dry_run).await.map_err(|error| halfway(error, &table))?;
    let line = format!("tx.lookup_tables = [\"{table}\"]");
    let text = format!("{done}next: name it in the settings, `{line}`; it can be used from the next slot on\n");
    answer(&table, &key.pubkey(), &wanted, cost, args.dry_run, &format!("{what}, rent {cost} lamports\n{text}"))
}

async fn extend(args: &ExtendArgs, config: &Config) -> Result<Answer, KeeperError> {
    let (key, desk) = Desk::for_writing(&args.write, config).await?;
    let table = match (args.table, config.tx.lookup_tables.as_slice()) {
        (Some(table), _) => desk.table(table).await?,
        (None, [table]) => desk.table(*table).await?,
        (None, listed) => {
            return Err(refused(
                format!("{} tables are set, and none is named", listed.len()),
                "name the one: `rampart table extend ADDRESS`; or make one: `rampart table create`",
            ));
        }
    };
    if table.is_closing || table.authority != Some(key.pubkey()) {
        let owner = table.authority.map_or_else(|| "nobody".to_owned(), |key| key.to_string());
        let what = match table.is_closing {
            true => format!("lookup table {} is being closed", table.key),
            false => format!("lookup table {} may be extended by {owner}, not by {}", table.key, key.pubkey()),
        };
        return Err(refused(
            what,
            "name where its owner's key is with `--signer`, or make another: `rampart table create`",
        ));
    }
    let mut missing = desk.wanted(&args.write)?;
    missing.retain(|address| !table.addresses.contains(address));
    require_room(table.addresses.len() + missing.len())?;
    let what = format!("extend lookup table {} of {} addresses by {}", table.key, table.addresses.len(), missing.len());
    let cost = rent(table.addresses.len() + missing.len()) - rent(table.addresses.len());
    let steps = steps(&table.key, &key.pubkey(), &missing, None);
    let done = desk.carry_out(&what, &steps, &key, args.write.dry_run).await;
    let done = done.map_err(|error| halfway(error, &table.key))?;
    let text = format!("{what}, rent {cost} lamports\n{done}");
    answer(&table.key, &key.pubkey(), &missing, cost, args.write.dry_run, &text)
}

async fn show(args: &ShowArgs, config: &Config) -> Result<Answer, KeeperError> {
    let desk = Desk::open(config, Pubkey::default()).await?;
    let wanted = desk.shared(&args.vaults)?;
    let named = if args.tables.is_empty() { &config.tx.lookup_tables } else { &args.tables };
    let mut tables = Vec::new();
    for key in named {
        tables.push(desk.table(*key).await?);
    }
    let held: BTreeSet<&Pubkey> = tables.iter().filter(|table| !table.is_closing).flat_map(|t| &t.addresses).collect();
    let missing: Vec<String> = wanted.iter().filter(|key| !held.contains(key)).map(Pubkey::to_string).collect();
    let line = |table: &Table| {
        let owner = table.authority.map_or_else(|| "nobody".to_owned(), |key| key.to_string());
        let state = if table.is_closing { "is being closed" } else { "can be used" };
        format!("{} {state}, {} addresses, may be extended by {owner}\n", table.key, table.addresses.len())
    };
    let mut text: String = tables.iter().map(line).collect();
    if tables.is_empty() {
        text.push_str("no table is set: `rampart table create` makes one\n");
    }
    text.push_str(&match missing.len() {
        0 => format!("all {} shared addresses are held\n", wanted.len()),
        count => format!("{count} of {} shared addresses are held by none: `rampart table extend`\n", wanted.len()),
    });
    missing.iter().for_each(|key| text.extend(["  ", key, "\n"]));
    let told = |table: &Table| {
        let authority = table.authority.map(|key| key.to_string());
        json!({
            "table": table.key.to_string(), "authority": authority, "is_closing": table.is_closing,
            "addresses": strings(&table.addresses),
        })
    };
    let data = json!({ "tables": tables.iter().map(told).collect::<Vec<_>>(), "missing": missing });
    Ok(Answer { data, text })
}

/// The chain as it was read.
struct Desk<'a> {
    config: &'a Config,
    rpc: Rpc,
    signer: Pubkey,
    store: Store,
    found: Found,
    routes: Routes,
}

impl<'a> Desk<'a> {
    async fn for_writing(args: &WriteArgs, config: &'a Config) -> Result<(Hand, Self), KeeperError> {
        let default = || KeyPlace::File(config.keys.payer_file.clone());
        let key = Hand::open(&args.signer.clone().unwrap_or_else(default)).await?;
        let desk = Self::open(config, key.pubkey()).await?;
        Ok((key, desk))
    }

    /// Reads what the first endpoint that answers knows of the guard, but for positions.
    async fn open(config: &'a Config, signer: Pubkey) -> Result<Self, KeeperError> {
        let mut last = RpcError::NoEndpoint;
        for endpoint in config.endpoints() {
            let rpc = open(&endpoint, config);
            let (store, found, routes) = (Store::new(config.cluster.guard), Found::new(), Routes::of(&config.route));
            let mut desk = Self { config, rpc, signer, store, found, routes };
            match desk.read().await {
                Ok(()) => return Ok(desk),
                Err(error) => last = error,
            }
        }
        Err(asked("read the guard", last))
    }

    async fn read(&mut self) -> Result<(), RpcError> {
        for round in 0..ROUNDS {
            let extra = Extra {
                accounts: self.routes.accounts(&self.store).into_iter().collect(),
                policies: self.routes.policies().collect(),
            };
            let set = feeds::watch_set(&self.store, &self.signer, &self.found, &extra);
            self.store.watch_raw(set.raw);
            let keys: Vec<Pubkey> = set.accounts.into_iter().collect();
            let mut updates = self.rpc.accounts(&keys).await?.updates;
            // what is listed once is fetched by its address from then on
            for (child, parent) in set.children.iter().filter(|(child, _)| round == 0 && *child != Child::Position) {
                updates.extend(self.rpc.children(*child, parent).await?.updates);
            }
            for (program, feed_id) in &set.unpinned {
                let key = newest(&self.rpc.price_accounts(program, feed_id).await?, feed_id);
                self.found.extend(key.map(|key| ((*program, *feed_id), key)));
            }
            for update in updates {
                self.store.apply(update, Instant::now());
            }
        }
        Ok(())
    }

    fn wanted(&self, args: &WriteArgs) -> Result<Vec<Pubkey>, KeeperError> {
        let mut wanted = self.shared(&args.vaults)?;
        wanted.extend(args.also.iter().filter(|key| !wanted.contains(key)).copied().collect::<Vec<_>>());
        require_room(wanted.len())?;
        Ok(wanted)
    }

    /// What liquidations and rebalances through the routes name, whatever the position.
    fn shared(&self, vaults: &[Pubkey]) -> Result<Vec<Pubkey>, KeeperError> {
        let (prices, market) = (&self.config.tx.compute_price, Market::default());
        let (store, found, signer) = (&self.store, &self.found, self.signer);
        let planner = Planner { store, found, signer, prices, market: &market, tables: &[] };
        let shared = planner.shared_accounts(&self.routes, vaults).map_err(|error| {
            let what = format!("the accounts of the guard can't be named: {}", crate::error::chain(&error));
            refused(what, "compare `cluster.guard` and `--vault` with `rampart guard show`")
        })?;
        if shared.is_empty() {
            let why =
                "no route is known by which a liquidation could be sold: without one, everything fits without a table";
            return Err(refused(why.into(), "set `[[route]]`; its policy must exist on chain: docs/operating.md"));
        }
        Ok(shared)
    }

    async fn table(&self, key: Pubkey) -> Result<Table, KeeperError> {
        let listing = self.rpc.accounts(&[key]).await.map_err(|error| asked("ask for the table", error))?;
        let account = listing.updates.iter().find(|update| update.owner == OWNER);
        let table = account.and_then(|account| decode(&account.data));
        let table = table
            .ok_or_else(|| refused(format!("there is no lookup table at {key}"), "`rampart table create` makes one"))?;
        let (authority, is_closing) = (table.meta.authority, table.meta.deactivation_slot != u64::MAX);
        Ok(Table { key, authority, addresses: table.addresses.to_vec(), is_closing })
    }

    /// Does one step after the other, or tries the first.
    async fn carry_out(
        &self,
        what: &str,
        steps: &[Vec<Instruction>],
        key: &Hand,
        is_dry: bool,
    ) -> Result<String, KeeperError> {
        let Some(first) = steps.first() else { return Ok("nothing is missing\n".into()) };
        let trial = attempt(&self.rpc, &key.pubkey(), first).await.map_err(|e| asked("try it on a node", e))?;
        if let Some(error) = trial.error {
            let what = format!("{what} is refused: {error}; nothing was sent");
            return Err(refused(what, "the payer may lack SOL: `rampart keys` shows it"));
        }
        if is_dry {
            return Ok(format!("would take {} transactions; nothing is sent\n", steps.len()));
        }
        let mut text = String::new();
        for step in steps {
            let signature = self.land(what, step, key).await?;
            text.push_str(&format!("{signature} landed\n"));
        }
        Ok(text)
    }

    async fn land(&self, what: &str, step: &[Instruction], key: &Hand) -> Result<String, KeeperError> {
        let blockhash = self.rpc.latest_blockhash().await.map_err(|e| asked("fetch a blockhash", e))?;
        let message = Message::new_with_blockhash(step, Some(&key.pubkey()), &blockhash.hash);
        let mut transaction =
            VersionedTransaction { signatures: vec![Signature::default()], message: VersionedMessage::Legacy(message) };
        key.sign(&mut transaction).await?;
        let signature = transaction.signatures[0];
        let bytes = bincode::serialize(&transaction).unwrap_or_default();
        let endpoints: Vec<Rpc> = self.config.endpoints().iter().map(|endpoint| open(endpoint, self.config)).collect();
        // on record before the first send, so that it can be looked up whatever happens here
        eprintln!("sending {signature}");
        match once(&endpoints, &Once { signature, bytes, blockhash }).await {
            Outcome::Landed { .. } => Ok(signature.to_string()),
            Outcome::Failed { error, .. } => {
                Err(refused(format!("{what}: {signature} landed and failed: {error}"), ""))
            }
            Outcome::Expired => Err(refused(format!("{what}: {signature} never landed, and never will"), "")),
            Outcome::Unknown => Err(refused(format!("{what}: nobody could say whether {signature} landed"), "")),
        }
    }
}

/// The transactions that fill a table.
fn steps(table: &Pubkey, owner: &Pubkey, addresses: &[Pubkey], create: Option<Instruction>) -> Vec<Vec<Instruction>> {
    let extend = |part: &[Pubkey]| vec![extend_lookup_table(*table, *owner, Some(*owner), part.to_vec())];
    let mut steps: Vec<Vec<Instruction>> = addresses.chunks(AT_ONCE).map(extend).collect();
    if let (Some(create), Some(first)) = (create, steps.first_mut()) {
        first.insert(0, create);
    }
    steps
}

fn answer(
    table: &Pubkey,
    authority: &Pubkey,
    added: &[Pubkey],
    rent_lamports: u64,
    is_dry: bool,
    text: &str,
) -> Result<Answer, KeeperError> {
    let data: Value = json!({
        "table": table.to_string(), "authority": authority.to_string(), "added": strings(added),
        "rent_lamports": rent_lamports, "is_sent": !is_dry && !added.is_empty(),
    });
    Ok(Answer { data, text: text.to_owned() })
}

fn strings(keys: &[Pubkey]) -> Vec<String> {
    keys.iter().map(Pubkey::to_string).collect()
}

fn rent(addresses: usize) -> u64 {
    Rent::default().minimum_balance(HEAD + 32 * addresses)
}

fn require_room(addresses: usize) -> Result<(), KeeperError> {
    if addresses <= MOST {
        return Ok(());
    }
    let what = format!("{addresses} addresses are more than the {MOST} that a table holds");
    Err(refused(what, "make one for each few vaults: `--vault ADDRESS`"))
}

/// What is to be done after a step that may have been the second.
fn halfway(error: KeeperError, table: &Pubkey) -> KeeperError {
    match error {
        KeeperError::Refused { what, hint } if hint.is_empty() => {
            let next =
                format!("look with `rampart table show {table}`; `rampart table extend {table}` adds what is missing");
            KeeperError::Refused { what, hint: next }
        }
        error => error,
    }
}

fn refused(what: String, hint: &str) -> KeeperError {
    KeeperError::Refused { what, hint: hint.into() }
}
