//! Doing it: what stands is read, the first step that is left is done, and what stands is read again.

use super::act::{instructions, priced, priced_write, write};
use super::image::Image;
use super::plan::{PlanError, Step, Wants, plan};
use super::standing::{Site, Standing};
use crate::chain::rpc::{Rpc, RpcError};
use crate::config::payer::PayerKey;
use crate::guard::trial::attempt;
use crate::intent::{Blockhash, Outcome};
use crate::submit::{Once, PACKET_BYTES, many, once};
use solana_sdk::instruction::{Instruction, InstructionError};
use solana_sdk::transaction::{Transaction, TransactionError};

/// Chunks whose transactions share a blockhash: they land well before it is too old.
const WINDOW: usize = 128;
/// How often a step may leave the chain as it was.
const STALLS: u32 = 3;
/// Compute units that any step but a write may use, where they are paid for. The loader itself asks for 2,370.
const UNITS: u32 = 50_000;

/// Why it isn't done.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// There is no way.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The chain can't be asked.
    #[error("failed to {what}")]
    Rpc {
        /// What was asked for.
        what: &'static str,
        /// Why it failed.
        source: RpcError,
    },
    /// A program that isn't there yet signs with its own key.
    #[error("the program is not on this chain yet, and its keypair is not at hand")]
    ProgramKey,
    /// A node says that it would fail.
    #[error("{step} is refused: {error}; nothing was sent for it")]
    Refused {
        /// The step.
        step: String,
        /// What the node said.
        error: TransactionError,
    },
    /// It did not take effect.
    #[error("{step} is {outcome}")]
    Lost {
        /// The step.
        step: String,
        /// What became of it.
        outcome: String,
    },
    /// It landed, and the chain is as it was.
    #[error("{step} landed {STALLS} times and changed nothing")]
    Stalled {
        /// The step.
        step: String,
    },
    /// The instructions can't be made.
    #[error("failed to make {step}")]
    Make {
        /// The step.
        step: String,
        /// What the loader's interface said.
        source: InstructionError,
    },
}

/// A deployment under way.
pub struct Drive<'a> {
    /// Where to and where from.
    pub site: Site,
    /// The program.
    pub image: Image,
    /// What is wanted.
    pub wants: Wants,
    /// Signs and pays; its address MUST be the one that [`Wants`] names.
    pub key: &'a PayerKey,
    /// Signs for a program that isn't there yet.
    pub program_key: Option<&'a PayerKey>,
    /// Where transactions are sent. The first that answers is asked; commitment MUST be `confirmed`.
    pub endpoints: Vec<Rpc>,
    /// What is paid for priority, micro-lamports for each compute unit.
    pub price: u64,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Name and words of each step, with the signatures of those that are one transaction.
    pub steps: Vec<(&'static str, String, Option<String>)>,
    /// Transactions that wrote chunks.
    pub writes: usize,
    /// What stands in the end.
    pub standing: Standing,
    /// What is left for others.
    pub left: Vec<Step>,
}

impl Drive<'_> {
    /// Asks the first endpoint that answers.
    async fn first<T>(
        &self,
        what: &'static str,
        ask: impl AsyncFn(&Rpc) -> Result<T, RpcError>,
    ) -> Result<T, DriveError> {
        let mut last = RpcError::NoEndpoint;
        for rpc in &self.endpoints {
            match ask(rpc).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(DriveError::Rpc { what, source: last })
    }

    /// Reads what stands, at `slot` or later, from the first endpoint that answers.
    ///
    /// # Errors
    /// `Rpc`.
    pub async fn standing(&self, slot: u64) -> Result<Standing, DriveError> {
        let read = async |rpc: &Rpc| Standing::read(rpc, &self.site, &self.wants.signer, slot).await;
        self.first("ask what stands", read).await
    }

    /// Does what is left, step by step, and nothing after the first that fails. `told` hears of each.
    ///
    /// # Errors
    /// All of [`DriveError`].
    pub async fn run(&self, told: impl Fn(&str)) -> Result<Done, DriveError> {
        let (mut steps, mut writes, mut slot, mut stalls) = (Vec::new(), 0, 0, 0);
        let mut last: Option<Step> = None;
        loop {
            let standing = self.standing(slot).await?;
            let left = plan(&self.image, &standing, self.wants)?;
            let is_fresh = left.iter().any(|step| matches!(step, Step::Deploy { .. }));
            if is_fresh && self.program_key.is_none_or(|key| key.pubkey() != self.site.program) {
                return Err(DriveError::ProgramKey);
            }
            let Some(step) = left.first().filter(|step| !matches!(step, Step::Await { .. })).cloned() else {
                return Ok(Done { steps, writes, standing, left });
            };
            stalls = if last.as_ref() == Some(&step) { stalls + 1 } else { 0 };
            let words = step.words(&self.image);
            if stalls >= STALLS {
                return Err(DriveError::Stalled { step: words });
            }
            told(&words);
            let mut signature = None;
            if let Step::Write { offsets } = &step {
                slot = self.write(offsets, &told).await?.max(standing.slot);
                writes += offsets.len();
            } else {
                let (landed, name) = self.land(&step).await?;
                (slot, signature) = (landed, Some(name));
            }
            steps.push((step.name(), words, signature));
            last = Some(step);
        }
    }

    /// Writes chunks, a window after the other; returns the newest slot in which one landed. What expired is left for the
    /// next look.
    async fn write(&self, offsets: &[usize], told: &impl Fn(&str)) -> Result<u64, DriveError> {
        let (mut slot, mut before) = (0, 0);
        for window in offsets.chunks(WINDOW) {
            let blockhash = self.blockhash().await?;
            let made = |offset: &usize| {
                let instruction =
                    write(&self.site, &self.image, &self.wants.signer, *offset).map_err(make("a write"))?;
                self.signed(&priced_write(instruction, self.price), blockhash, false)
            };
            let all = window.iter().map(made).collect::<Result<Vec<_>, _>>()?;
            let count = std::cell::Cell::new(0);
            let outcomes = many(&self.endpoints, &all, |decided| {
                if decided > count.replace(decided) {
                    told(&format!("  {} of {} chunks", before + decided, offsets.len()));
                }
            })
            .await;
            before += window.len();
            for outcome in outcomes {
                match outcome {
                    Outcome::Landed { slot: landed, .. } => slot = slot.max(landed),
                    Outcome::Failed { error, .. } => return Err(lost("a write", &format!("failed: {error}"))),
                    Outcome::Expired | Outcome::Unknown => {}
                }
            }
        }
        Ok(slot)
    }

    /// Tries a step and sends it; returns the slot in which it landed, and its signature.
    async fn land(&self, step: &Step) -> Result<(u64, String), DriveError> {
        let words = step.words(&self.image);
        let signer = self.wants.signer;
        let plain = instructions(step, (&self.site, &self.image), &signer).map_err(make(&words))?;
        let all = priced(&plain, UNITS, self.price);
        self.attempt(&words, &all).await?;
        let signed = self.signed(&all, self.blockhash().await?, matches!(step, Step::Deploy { .. }))?;
        // on record before the first send, so that it can be looked up whatever happens here
        eprintln!("sending {}", signed.signature);
        let name = signed.signature.to_string();
        match once(&self.endpoints, &signed).await {
            Outcome::Landed { slot, .. } => Ok((slot, name)),
            Outcome::Failed { error, .. } => Err(lost(&words, &format!("failed: {error} ({name})"))),
            other => Err(lost(&words, &format!("{} ({name})", other.as_str()))),
        }
    }

    async fn attempt(&self, step: &str, all: &[Instruction]) -> Result<(), DriveError> {
        let trial =
            self.first("try it on a node", async |rpc: &Rpc| attempt(rpc, &self.wants.signer, all).await).await?;
        trial.error.map_or(Ok(()), |error| Err(DriveError::Refused { step: step.to_owned(), error }))
    }

    async fn blockhash(&self) -> Result<Blockhash, DriveError> {
        self.first("fetch a blockhash", async |rpc: &Rpc| rpc.latest_blockhash().await).await
    }

    fn signed(&self, all: &[Instruction], blockhash: Blockhash, by_program: bool) -> Result<Once, DriveError> {
        let program = self.program_key.filter(|_| by_program);
        let keys: Vec<_> = [Some(self.key), program].into_iter().flatten().map(PayerKey::keypair).collect();
        let payer = self.wants.signer;
        let transaction = Transaction::new_signed_with_payer(all, Some(&payer), &keys, blockhash.hash);
        let bytes = bincode::serialize(&transaction).unwrap_or_default();
        if bytes.is_empty() || bytes.len() > PACKET_BYTES {
            return Err(lost("a transaction", "too long for a packet"));
        }
        Ok(Once { signature: transaction.signatures[0], bytes, blockhash })
    }
}

fn make(step: &str) -> impl FnOnce(InstructionError) -> DriveError {
    let step = step.to_owned();
    move |source| DriveError::Make { step, source }
}

fn lost(step: &str, outcome: &str) -> DriveError {
    DriveError::Lost { step: step.to_owned(), outcome: outcome.to_owned() }
}
