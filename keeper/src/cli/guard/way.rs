//! How an act of governance leaves the terminal: tried, exported, or signed and sent.

use super::hand::{Hand, KeyPlace};
use super::{Answer, no_guard, read};
use crate::chain::rpc::Rpc;
use crate::cli::chain::{asked, open};
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::act::{Act, ActError};
use crate::guard::effect::{Effect, effects};
use crate::guard::snapshot::Snapshot;
use crate::guard::trial::{Trial, attempt};
use crate::guard::view::{decimals_of, in_words};
use crate::guard::{export, refusal};
use crate::intent::Outcome;
use crate::plan::MAX_UNITS;
use crate::submit::{Once, PACKET_BYTES, once};
use clap::{Args, ValueEnum};
use rampart::Validity;
use rampart::state::Guard;
use serde_json::{Value, json};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::instruction::Instruction;
use solana_sdk::message::{Message, VersionedMessage};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::VersionedTransaction;

/// How long what is signed here is good, seconds.
const SIGNED_SECS: u32 = 600;
/// How long what a multisig has to gather signatures for is good, seconds.
const EXPORTED_SECS: u32 = 7 * 86_400;

/// For which multisig.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One message in base58 for each transaction, paid by the vault that holds the role
    Squads,
    /// One `InstructionData` in base64 for each instruction
    Realms,
}

/// Flags of all that acts.
#[derive(Clone, Debug, Default, Args)]
pub struct WayArgs {
    /// Try it on a node and show its effect; nothing is signed
    #[arg(long)]
    pub dry_run: bool,
    /// Print it for a multisig instead of signing it
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "dry_run")]
    pub export: Option<Format>,
    /// Key of a role: a keypair file, `usb://ledger?key=0`, or `vault+https://HOST/KEY?address=ADDRESS`; may be given
    /// several times [setting: keys.payer_file]
    #[arg(long = "signer", value_name = "KEY")]
    pub signers: Vec<KeyPlace>,
    /// Key that pays, given alike [default: the first signer]
    #[arg(long, value_name = "KEY")]
    pub fee_payer: Option<KeyPlace>,
    /// Address that signs where no key is at hand, may be given several times: a multisig's vault, a guardian
    #[arg(long = "as", value_name = "ADDRESS")]
    pub authorities: Vec<Pubkey>,
    /// For how long the program takes it, seconds [default: 600, of an export 7 days]
    #[arg(long, value_name = "SECONDS")]
    pub valid_secs: Option<u32>,
    /// Another guard than that of the settings [setting: cluster.guard]
    #[arg(long, value_name = "ADDRESS")]
    pub guard: Option<Pubkey>,
}

impl WayArgs {
    /// Flags of an act that is shown before it is confirmed: only tried, unless it is confirmed or exported.
    pub fn unless_confirmed(&self, is_confirmed: bool) -> Self {
        let is_asked = is_confirmed || self.export.is_some();
        Self { dry_run: self.dry_run || !is_asked, ..self.clone() }
    }
}

/// An act under way: the chain as it was read, and the keys at hand.
pub(super) struct Way<'a> {
    args: &'a WayArgs,
    endpoints: Vec<Rpc>,
    keys: Vec<Hand>,
    fee_payer: Option<Hand>,
    /// The endpoint that answered.
    pub rpc: Rpc,
    /// The guard as it was read.
    pub snapshot: Snapshot,
}

impl<'a> Way<'a> {
    /// Reads keys, where something will be signed, and the guard.
    pub async fn open(args: &'a WayArgs, config: &Config) -> Result<Self, KeeperError> {
        let is_signing = args.export.is_none() && !args.dry_run;
        let default = [KeyPlace::File(config.keys.payer_file.clone())];
        // a trial needs no key, but takes the roles of those that are named
        let places = if args.signers.is_empty() && is_signing { &default[..] } else { &args.signers };
        let mut keys = Vec::with_capacity(places.len());
        for place in places {
            keys.push(Hand::open(place).await?);
        }
        let fee_payer = match &args.fee_payer {
            Some(place) => Some(Hand::open(place).await?),
            None => None,
        };
        let (rpc, snapshot) = read(config, args.guard.unwrap_or(config.cluster.guard)).await?;
        let endpoints = config.endpoints().iter().map(|endpoint| open(endpoint, config)).collect();
        Ok(Self { args, endpoints, keys, fee_payer, rpc, snapshot })
    }

    /// Returns the guard.
    pub fn guard(&self) -> Result<&Guard, KeeperError> {
        self.snapshot.guard.as_deref().ok_or_else(|| no_guard(&self.snapshot.key))
    }

    /// Returns until when the program takes what is made now.
    pub fn validity(&self) -> Result<Validity, KeeperError> {
        Ok(Validity { authority_epoch: self.guard()?.authority_epoch, expires_at_ts: self.expires_at_ts() })
    }

    /// Returns until when that is, unix seconds of the chain.
    pub fn expires_at_ts(&self) -> i64 {
        let default = if self.args.export.is_some() { EXPORTED_SECS } else { SIGNED_SECS };
        self.snapshot.now_ts().saturating_add(self.args.valid_secs.unwrap_or(default).into())
    }

    /// Returns the holder of a role that signs: one named, one whose key is at hand, or the only one.
    pub fn authority(&self, role: &str, holders: &[Pubkey]) -> Result<Pubkey, KeeperError> {
        let at_hand = self.args.authorities.iter().copied().chain(self.keys.iter().map(Hand::pubkey));
        if let Some(key) = at_hand.clone().find(|key| holders.contains(key)) {
            return Ok(key);
        }
        match holders {
            [only] if self.is_nobody_named() => Ok(*only),
            // a trial needs no signature: any of them shows what would come of it
            [first, ..] if self.is_nobody_named() && self.args.dry_run => Ok(*first),
            _ => Err(self.nobody(role, holders)),
        }
    }

    fn is_nobody_named(&self) -> bool {
        self.keys.is_empty() && self.args.authorities.is_empty()
    }

    /// Returns who signs what needs no role: who is named, or the first key.
    pub fn anyone(&self) -> Option<Pubkey> {
        self.args.authorities.iter().copied().chain(self.keys.iter().map(Hand::pubkey)).next()
    }

    fn nobody(&self, role: &str, holders: &[Pubkey]) -> KeeperError {
        let listed: Vec<String> = holders.iter().map(Pubkey::to_string).collect();
        KeeperError::Refused {
            what: format!("this needs {role}, and no key at hand is {}", listed.join(" or ")),
            hint:
                "name where its key is with `--signer`, or export it for its multisig: `--export squads --as ADDRESS`"
                    .into(),
        }
    }

    /// Returns as many holders of a role as make a quorum.
    pub fn quorum(&self, guard: &Guard) -> Result<Vec<Pubkey>, KeeperError> {
        let active = guard.roles.active_guardians();
        let at_hand = self.args.authorities.iter().copied().chain(self.keys.iter().map(Hand::pubkey));
        let signing: Vec<Pubkey> = at_hand.filter(|key| active.contains(key)).collect();
        if signing.len() < usize::from(guard.roles.guardian_quorum) {
            return Err(self.nobody(&format!("{} guardians", guard.roles.guardian_quorum), active));
        }
        Ok(signing)
    }

    /// Does an act that is shown first: without `--yes` it is only tried.
    pub async fn once_confirmed(&self, act: &Act, is_confirmed: bool) -> Result<Answer, KeeperError> {
        let mut answer = self.carry_out(act).await?;
        if self.args.dry_run && !is_confirmed {
            answer.text.push_str("`--yes` sends it\n");
        }
        Ok(answer)
    }

    /// Tells whether a node would take an act.
    pub async fn is_taken(&self, act: &Act) -> bool {
        match self.payer(act) {
            Ok(payer) => self.attempt(act, payer).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Does an act: exports it, tries it, or signs and sends it.
    pub async fn carry_out(&self, act: &Act) -> Result<Answer, KeeperError> {
        if let Some(format) = self.args.export {
            return self.export(act, format);
        }
        let payer = self.payer(act)?;
        let trial = self.attempt(act, payer).await?;
        let after = trial.after(&self.snapshot);
        let told = effects(&self.snapshot, &after, self.snapshot.now_ts());
        if self.args.dry_run {
            let note = format!("would use {} compute units; nothing is sent\n", trial.units);
            return self.answer(act, &told, json!({ "is_sent": false, "compute_units": trial.units }), &note);
        }
        let (signature, outcome) = self.send(act, payer, trial.units).await?;
        let sent = json!({ "is_sent": true, "signature": signature, "outcome": outcome.as_str() });
        self.answer(act, &told, sent, &format!("{signature} {}\n", outcome.as_str()))
    }

    fn payer(&self, act: &Act) -> Result<Pubkey, KeeperError> {
        let first_key = self.keys.first().map(Hand::pubkey);
        let named = self.fee_payer.as_ref().map(Hand::pubkey).or(first_key);
        named.or_else(|| act.signers.first().or(self.args.authorities.first()).copied()).ok_or_else(|| {
            KeeperError::Refused {
                what: "nobody pays for it".into(),
                hint: "name who would pay: `--as ADDRESS` or `--fee-payer FILE`".into(),
            }
        })
    }

    async fn attempt(&self, act: &Act, payer: Pubkey) -> Result<Trial, KeeperError> {
        let instructions = with_units(&act.instructions, MAX_UNITS);
        let trial = attempt(&self.rpc, &payer, &instructions).await.map_err(|e| asked("try it on a node", e))?;
        match &trial.error {
            None => Ok(trial),
            Some(error) => {
                let is_ours = |at: u8| instructions.get(usize::from(at)).is_some_and(|ix| ix.program_id == rampart::ID);
                let refusal = refusal::of_error(error, is_ours);
                let name = refusal.name.map_or_else(String::new, |name| format!(" ({name})"));
                let what = format!("{} is refused: {}{name}; nothing was sent", act.what, refusal.what);
                Err(KeeperError::Refused { what, hint: refusal.next })
            }
        }
    }

    async fn send(&self, act: &Act, payer: Pubkey, units: u64) -> Result<(String, Outcome), KeeperError> {
        // before a key is asked: whoever confirms on a device reads what it is about
        eprint!("{}", self.in_words(act));
        let signed = self.sign(act, payer, units).await?;
        // on record before the first send, so that it can be looked up whatever happens here
        eprintln!("sending {}", signed.signature);
        let outcome = once(&self.endpoints, &signed).await;
        let signature = signed.signature.to_string();
        let refused = |what: String, hint: &str| Err(KeeperError::Refused { what, hint: hint.into() });
        match &outcome {
            Outcome::Landed { .. } => Ok((signature, outcome)),
            Outcome::Failed { error, code, .. } => {
                let meant = code.and_then(refusal::of_code);
                let what = meant.as_ref().map_or_else(|| error.to_string(), |refusal| refusal.what.clone());
                refused(format!("{signature} landed and failed: {what}"), &meant.map_or_else(String::new, |r| r.next))
            }
            Outcome::Expired => {
                refused(format!("{signature} never landed, and never will"), "nothing has changed: run it again")
            }
            Outcome::Unknown => refused(
                format!("nobody could say whether {signature} landed"),
                "look with `rampart guard show` before you run it again; the program takes it once",
            ),
        }
    }

    async fn sign(&self, act: &Act, payer: Pubkey, units: u64) -> Result<Once, KeeperError> {
        let blockhash = self.rpc.latest_blockhash().await.map_err(|e| asked("fetch a blockhash", e))?;
        // a fifth more than the trial used: the chain moves on meanwhile
        let limit = u32::try_from(units + units / 5 + 5_000).unwrap_or(MAX_UNITS).min(MAX_UNITS);
        let message = Message::new_with_blockhash(&with_units(&act.instructions, limit), Some(&payer), &blockhash.hash);
        let count = usize::from(message.header.num_required_signatures);
        let wanted = message.account_keys.iter().take(count);
        let at_hand = || self.keys.iter().chain(&self.fee_payer);
        let signing = wanted.map(|key| at_hand().find(|at_hand| at_hand.pubkey() == *key).ok_or(*key));
        let signing: Result<Vec<&Hand>, Pubkey> = signing.collect();
        let signing = signing.map_err(|key| self.nobody("a signature", &[key]))?;
        let signatures = vec![Signature::default(); count];
        let mut transaction = VersionedTransaction { signatures, message: VersionedMessage::Legacy(message) };
        for hand in signing {
            hand.sign(&mut transaction).await?;
        }
        let bytes = bincode::serialize(&transaction).unwrap_or_default();
        if bytes.is_empty() || bytes.len() > PACKET_BYTES {
            return Err(KeeperError::Refused {
                what: format!("{} takes {} bytes, and a transaction has {PACKET_BYTES}", act.what, bytes.len()),
                hint: "name fewer positions as evidence, or fewer guardians".into(),
            });
        }
        Ok(Once { signature: transaction.signatures[0], bytes, blockhash })
    }

    fn export(&self, act: &Act, format: Format) -> Result<Answer, KeeperError> {
        let signer = act.signers.first().or(self.args.authorities.first()).copied();
        let signer = signer.ok_or_else(|| KeeperError::Refused {
            what: "an export names the multisig's vault, which pays for it".into(),
            hint: "name it: `--as ADDRESS`".into(),
        })?;
        if act.signers.len() > 1 {
            return Err(KeeperError::Refused {
                what: format!("{} needs {} signatures, and a multisig's export has one", act.what, act.signers.len()),
                hint: "sign it here with all keys: `--signer` for each".into(),
            });
        }
        let (name, exports) = match format {
            Format::Squads => ("squads", vec![export::squads(&act.instructions, &signer)]),
            Format::Realms => ("realms", act.instructions.iter().map(export::realms).collect()),
        };
        let text: String = exports.iter().map(|export| format!("{export}\n")).collect();
        let signed_by = signer.to_string();
        self.answer(act, &[], json!({ "format": name, "exports": exports, "signer": signed_by }), &text)
    }

    fn answer(&self, act: &Act, effects: &[Effect], result: Value, note: &str) -> Result<Answer, KeeperError> {
        let line = |effect: &Effect| {
            let lines = effect.words.iter().map(|words| format!("  effect on {}: {words}\n", effect.what));
            lines.collect::<String>()
        };
        let effect_lines: String = effects.iter().map(line).collect();
        let text = format!("{}{effect_lines}{note}", self.in_words(act));
        let data = json!({
            "what": act.what, "when": act.when, "lasting": act.lasting, "target": act.target.to_string(),
            "moves": act.moves, "effects": effects, "result": result,
        });
        Ok(Answer { data, text })
    }

    /// What an act does, what moves, and what of it can't be taken back.
    fn in_words(&self, act: &Act) -> String {
        let decimals = decimals_of(&self.snapshot, &act.target);
        let moves: String = act.moves.iter().map(|moved| format!("  {}\n", in_words(moved, decimals))).collect();
        let lasting = act.lasting.as_ref().map_or_else(String::new, |words| format!("  for ever: {words}\n"));
        format!("{}: {}\n{moves}{lasting}", act.what, act.when)
    }
}

fn with_units(instructions: &[Instruction], units: u32) -> Vec<Instruction> {
    let limit = ComputeBudgetInstruction::set_compute_unit_limit(units);
    std::iter::once(limit).chain(instructions.iter().cloned()).collect()
}

/// Says why an act can't be made.
pub(super) fn refused(error: &ActError) -> KeeperError {
    KeeperError::Refused { what: crate::error::chain(error), hint: error.next().into() }
}
