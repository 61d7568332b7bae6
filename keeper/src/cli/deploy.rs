//! Puts the program on a chain: buffer, program, the right to upgrade it, and its first guard.

use super::guard::{Answer, Format, GuardCommand};
use super::output::Output;
use crate::config::payer::PayerKey;
use crate::config::{Commitment, Config};
use crate::deploy::act::upgrade;
use crate::deploy::image::code_hash;
use crate::deploy::standing::{Place, Site};
use crate::deploy::{Drive, DriveError, Image, Standing, Step, Wants, plan};
use crate::error::{self, KeeperError};
use crate::guard::export;
use crate::metrics::Metrics;
use clap::Args;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The program that holds what is published about programs, such as their interfaces.
const METADATA: Pubkey = anchor_lang::prelude::pubkey!("ProgM6JCCvbYkfKqJYHePx4xxSUSqJp7rh8Lyv7nk7S");

/// Flags of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The built program
    #[arg(long, value_name = "FILE", default_value = "artifacts/rampart.so")]
    pub so: PathBuf,
    /// SHA-256 that it must have [default: that of SHA256SUMS beside it]
    #[arg(long, value_name = "HASH")]
    pub sha256: Option<String>,
    /// Keypair file of the program, for its first deployment
    #[arg(long, value_name = "FILE")]
    pub program_keypair: Option<PathBuf>,
    /// Who may upgrade the program in the end: a multisig's vault [default: whoever may now]
    #[arg(long, value_name = "ADDRESS")]
    pub upgrade_authority: Option<Pubkey>,
    /// File of the guard to bring onto the chain afterwards, as `guard apply` does
    #[arg(long, value_name = "FILE")]
    pub guard: Option<PathBuf>,
    /// Keypair file that pays, writes and upgrades [setting: keys.payer_file]
    #[arg(long, value_name = "FILE")]
    pub signer: Option<PathBuf>,
    /// JSON-RPC endpoint, in place of the settings; then no settings are read
    #[arg(long, value_name = "URL", requires = "signer")]
    pub url: Option<String>,
    /// What is paid for priority, micro-lamports for each compute unit
    #[arg(long, value_name = "MICRO_LAMPORTS", default_value_t = 0)]
    pub compute_price: u64,
    /// Form in which an upgrade is printed that somebody else has to make
    #[arg(long, value_enum, value_name = "FORM", default_value = "squads")]
    pub export: Format,
    /// Only show what would be done
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do it; without this it is only shown
    #[arg(long)]
    pub yes: bool,
}

impl DeployArgs {
    /// Does what was asked and prints the answer. `settings` are read where no endpoint is named.
    pub(super) async fn execute(
        &self,
        out: Output,
        settings: impl FnOnce() -> Result<Config, KeeperError>,
    ) -> Result<(), KeeperError> {
        let config = match (&self.url, &self.signer) {
            (Some(url), Some(signer)) => crate::config::of_flags(url, signer)?,
            _ => settings()?,
        };
        let answer = self.answer(&config).await?;
        out.print(&answer.data, || answer.text)
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// `Refused` where there is no way or the chain refuses, `Chain` where nobody answers, `Key` for a keypair file.
    pub async fn answer(&self, config: &Config) -> Result<Answer, KeeperError> {
        let image = Image::read(&self.so, self.sha256.as_deref())
            .map_err(|error| KeeperError::Refused { what: error::chain(&error), hint: error.hint().into() })?;
        let key = PayerKey::read(self.signer.as_ref().unwrap_or(&config.keys.payer_file))?;
        let program_key = self.program_keypair.as_deref().map(read_program_key).transpose()?;
        let wants = Wants { signer: key.pubkey(), authority: self.upgrade_authority };
        let site = Site::of(rampart::ID, &image, &wants.signer).map_err(|source| KeeperError::Chain {
            what: "derive the buffer's address".into(),
            source: Box::new(source),
        })?;
        let (key, program_key, endpoints) = (&key, program_key.as_ref(), endpoints(config));
        let drive = Drive { site, image, wants, key, program_key, endpoints, price: self.compute_price };
        let before = drive.standing(0).await.map_err(failed)?;
        let steps = plan(&drive.image, &before, wants).map_err(|error| failed(error.into()))?;
        let shown = shown(&drive, &before, &steps);
        if !self.yes {
            return self.only_shown(&drive, shown, config).await;
        }
        eprint!("{}", shown.text);
        let done = drive.run(|line| eprintln!("{line}")).await.map_err(failed)?;
        let steps: Vec<Value> = done
            .steps
            .iter()
            .map(|(name, words, signature)| json!({ "step": name, "what": words, "signature": signature }))
            .collect();
        let mut text = done.steps.iter().map(|(_, words, _)| format!("done: {words}\n")).collect::<String>();
        text.push_str(&verdict(&drive, &done.standing));
        let export = self.export(&drive, &done.left, &mut text);
        let guard = self.apply(&done.left, &mut text, config).await?;
        text.push_str(&idl_note(&drive));
        let data = json!({
            "program": drive.site.program.to_string(), "sha256": drive.image.sha256, "plan": shown.data["plan"],
            "done": steps, "writes": done.writes, "deployed_sha256": hash_of(&drive, &done.standing),
            "upgrade_authority": authority_of(&done.standing), "export": export, "guard": guard, "is_sent": true,
        });
        Ok(Answer { data, text })
    }

    async fn only_shown(&self, drive: &Drive<'_>, shown: Answer, config: &Config) -> Result<Answer, KeeperError> {
        let Answer { mut data, mut text } = shown;
        if let Some(file) = &self.guard {
            let plan = GuardCommand::plan_of(file.clone()).answer(config).await?;
            text.push_str(&plan.text);
            data["guard"] = plan.data;
        }
        text.push_str(&idl_note(drive));
        if !data["plan"].as_array().is_none_or(Vec::is_empty) {
            text.push_str("nothing is sent; `--yes` does it\n");
        }
        Ok(Answer { data, text })
    }

    /// Prints the upgrade that is left to somebody else.
    fn export(&self, drive: &Drive, left: &[Step], text: &mut String) -> Option<String> {
        let by = left.iter().find_map(|step| match step {
            Step::Await { by } => Some(*by),
            _ => None,
        })?;
        let instruction = upgrade(&drive.site, &by, &drive.wants.signer);
        let export = match self.export {
            Format::Squads => export::squads(&[instruction], &by),
            Format::Realms => export::realms(&instruction),
        };
        text.push_str(&format!("{by} has to upgrade the program; then run this again to see it checked:\n{export}\n"));
        Some(export)
    }

    /// Brings the guard onto the chain, once the program is there as it should be.
    async fn apply(&self, left: &[Step], text: &mut String, config: &Config) -> Result<Value, KeeperError> {
        let Some(file) = &self.guard else { return Ok(Value::Null) };
        if !left.is_empty() {
            text.push_str("the guard comes once the program is upgraded\n");
            return Ok(Value::Null);
        }
        let told = GuardCommand::apply_of(file.clone(), self.signer.clone()).answer(config).await?;
        text.push_str(&told.text);
        Ok(told.data)
    }
}

/// Returns ways to the endpoints, each kept to its pace; what is asked is confirmed, as what is sent has to be.
fn endpoints(config: &Config) -> Vec<crate::chain::rpc::Rpc> {
    let network = Arc::new(crate::chain::network::HostNetwork::default());
    let open = |(index, endpoint)| {
        let rpc = crate::chain::rpc::Rpc::sharing(
            network.clone(),
            endpoint,
            Commitment::Confirmed,
            Metrics::new(),
            Arc::default(),
            index,
        );
        rpc.at_pace().patient()
    };
    config.endpoints().iter().enumerate().map(open).collect()
}

fn read_program_key(path: &Path) -> Result<PayerKey, KeeperError> {
    let key = PayerKey::read(path)?;
    if key.pubkey() == rampart::ID {
        return Ok(key);
    }
    Err(KeeperError::Refused {
        what: format!("the program's keypair is of {}, and the program is built for {}", key.pubkey(), rampart::ID),
        hint: "build it with that address in `declare_id!`, or name its own keypair".into(),
    })
}

fn shown(drive: &Drive, standing: &Standing, steps: &[Step]) -> Answer {
    let lamports = |step: &Step| step.lamports(&drive.image, standing);
    let line = |step: &Step| format!("+ {}, up to {} lamports\n", step.words(&drive.image), lamports(step));
    let mut text = verdict(drive, standing);
    let contacts = drive.image.contacts();
    text.push_str(&match &contacts {
        Some(contacts) => format!("security.txt of the file: {}\n", contacts.join(", ")),
        None => "the file has no security.txt: whoever finds a weakness can tell nobody\n".to_owned(),
    });
    text.extend(steps.iter().map(line));
    let told =
        |step: &Step| json!({ "step": step.name(), "what": step.words(&drive.image), "lamports": lamports(step) });
    let data = json!({
        "program": drive.site.program.to_string(), "buffer": drive.site.buffer.to_string(),
        "sha256": drive.image.sha256, "contacts": contacts, "deployed_sha256": hash_of(drive, standing),
        "upgrade_authority": authority_of(standing), "plan": steps.iter().map(told).collect::<Vec<_>>(),
        "is_sent": false,
    });
    Answer { data, text }
}

fn hash_of(drive: &Drive, standing: &Standing) -> Option<String> {
    standing.deployed().map(|program| code_hash(&program.code, drive.image.bytes.len()))
}

fn authority_of(standing: &Standing) -> Option<String> {
    standing.deployed().and_then(|program| program.authority).map(|key| key.to_string())
}

/// Says what runs and whether it is what was named.
fn verdict(drive: &Drive, standing: &Standing) -> String {
    let (program, wanted) = (drive.site.program, &drive.image.sha256);
    match &standing.place {
        Place::Deployed(deployed) => {
            let found = code_hash(&deployed.code, drive.image.bytes.len());
            let judged = if found == *wanted { "as named".to_owned() } else { format!("and not {wanted}") };
            let who = deployed.authority.map_or_else(|| "nobody".to_owned(), |key| key.to_string());
            let slot = deployed.slot;
            format!("program {program} has SHA-256 {found}, {judged}; deployed in slot {slot}, {who} may upgrade it\n")
        }
        _ => format!("program {program} is not on this chain; SHA-256 {wanted} is to be\n"),
    }
}

/// The interface is published by another program, with its authors' tool.
fn idl_note(drive: &Drive) -> String {
    let mut seed = [0; 16];
    seed[..3].copy_from_slice(b"idl");
    let at = Pubkey::find_program_address(&[drive.site.program.as_ref(), &seed], &METADATA).0;
    format!("interface: who may upgrade the program publishes it, to {at}: docs/deploying.md\n")
}

fn failed(error: DriveError) -> KeeperError {
    let again = "run it again: what stands is not done twice";
    let hint = match &error {
        DriveError::Rpc { .. } => {
            return KeeperError::Chain { what: "deploy".into(), source: Box::new(error) };
        }
        DriveError::Plan(error) => error.hint(),
        DriveError::ProgramKey => format!("name the keypair file of {}: `--program-keypair FILE`", rampart::ID),
        DriveError::Refused { .. } | DriveError::Make { .. } => "`--dry-run` shows what stands and what is left".into(),
        DriveError::Lost { .. } => again.into(),
        DriveError::Stalled { .. } => "ask another endpoint: this one may show an older chain".into(),
    };
    KeeperError::Refused { what: error::chain(&error), hint }
}
