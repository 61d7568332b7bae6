//! Which network a story takes place on.
//!
//! A validator's clock is the wall's, and its accounts change by transactions alone. So the set-up, with the day that
//! passes in it, is played on Surfpool with its clock set back by that day; then a validator starts with every account
//! as it is, at the moment at which Surfpool's clock has arrived at the wall's.

use super::validator::Validator;
use super::{Chain, Network, Pace};
use crate::error::Outcome;
use crate::metronome::wall_unix_ms;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Names the validator's executable. Unset, everything takes place on Surfpool.
const BINARY: &str = "RAMPART_VALIDATOR";
/// Names the program that stands at the oracle programs' addresses on a validator.
const WRITER: &str = "RAMPART_WRITER_SO";
/// A validator's slot, as far as it can be known in advance.
const VALIDATOR_PACE: Pace = Pace { slot_ms: 400, wall_ms: 400 };

/// The network on which a story takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Surfpool,
    /// A process of its own.
    Validator {
        /// `solana-test-validator`.
        binary: PathBuf,
        /// The program that writes oracle accounts.
        writer: PathBuf,
        /// The program under test.
        program: PathBuf,
    },
}

impl Backend {
    /// Returns what the environment asks for, with the program that it names.
    pub fn from_environment() -> Self {
        let Some(binary) = std::env::var_os(BINARY) else { return Self::Surfpool };
        let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fixtures/writer.so");
        let writer = std::env::var_os(WRITER).map_or_else(built, PathBuf::from);
        Self::Validator { binary: binary.into(), writer, program: crate::run::program() }
    }

    /// Returns whether the set-up has to end at the wall clock's time.
    pub fn keeps_wall_time(&self) -> bool {
        matches!(self, Self::Validator { .. })
    }
}

impl Network {
    /// Goes on with every account as it is on the network that `backend` names.
    ///
    /// # Errors
    /// Those of the network that ends, and of the one that starts.
    pub async fn continue_on(self, backend: &Backend) -> Outcome<Self> {
        let Backend::Validator { binary, writer, program } = backend else { return Ok(self) };
        let (accounts, arrived_ts) = (self.genesis().await?, self.now().unix_ts);
        self.stop()?;
        // what was written at a time must not be from the validator's future
        while wall_unix_ms() < arrived_ts.unsigned_abs() * 1_000 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let payer = self.payer.insecure_clone();
        let (validator, urls) = Validator::start(binary, [program, writer], &accounts).await?;
        let timeline = validator.timeline().clone();
        Ok(Self::new(Chain::Validator(validator), timeline, VALIDATOR_PACE, payer, urls))
    }
}
