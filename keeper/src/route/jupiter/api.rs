//! The two requests, and what is believed of their answers.

use crate::config::RouteSettings;
use crate::route::{Ask, Quote};
use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rampart_client::AccountMeta;
use rampart_client::swap::Routed;
use serde::Deserialize;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The longest answer that is read.
const MAX_BYTES: usize = 1 << 20;
/// More accounts than that fit into no transaction beside the guard's, whatever the lookup tables.
const MAX_ACCOUNTS: usize = 64;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The key can't be read.
    #[error("failed to read the key in {path}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read the key.
    #[error("the key in {0} can be read by others: set its mode to 0600")]
    KeyShared(PathBuf),
    /// No answer, or none in time.
    #[error("the API gave no answer")]
    Http(#[from] reqwest::Error),
    /// It refused.
    #[error("the API answered with status {0}")]
    Status(u16),
    /// It sent too much.
    #[error("the API's answer exceeds {MAX_BYTES} bytes")]
    TooLong,
    /// It sent something else.
    #[error("the API's answer has another shape")]
    Shape(#[from] serde_json::Error),
    /// It is about something else than was asked for.
    #[error("the API's answer is not about what was asked for: {0}")]
    Foreign(&'static str),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is swapped.
    pub ask: Ask,
    /// Who swaps.
    pub escrow: Pubkey,
    /// Where what comes out goes.
    pub destination: Pubkey,
    /// How far below its quote the swap may pay before Jupiter's own program fails it, bps.
    pub slippage_bps: u16,
}

/// A quote with the swap that it is about.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the swap would come to, as the API says.
    pub quote: Quote,
    /// The swap.
    pub routed: Routed,
    /// Lookup tables that hold its accounts.
    pub tables: Vec<Pubkey>,
}

/// Where to ask.
#[derive(Debug)]
pub struct Api {
    client: reqwest::Client,
    url: String,
    key_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuoteBody {
    input_mint: String,
    output_mint: String,
    in_amount: String,
    out_amount: String,
    swap_mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SwapBody {
    swap_instruction: InstructionBody,
    #[serde(default)]
    address_lookup_table_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstructionBody {
    accounts: Vec<AccountBody>,
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountBody {
    pubkey: String,
    is_signer: bool,
    is_writable: bool,
}

impl Api {
    /// Asks at the address of `settings`; the key is read anew for each request.
    pub fn new(settings: &RouteSettings) -> Self {
        let builder = reqwest::Client::builder().timeout(Duration::from_millis(settings.timeout_ms));
        Self {
            // CANNOT fail without a custom TLS setup; the default client has no timeout of its own, so each request has
            client: builder.build().unwrap_or_default(),
            url: settings.url.trim_end_matches('/').to_owned(),
            key_file: settings.key_file.clone(),
        }
    }

    /// Asks for a quote, and for its swap.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn fetch(&self, request: Request) -> Result<Answer, ApiError> {
        let Ask { from, to, amount } = request.ask;
        let query = format!(
            "{}/swap/v1/quote?inputMint={from}&outputMint={to}&amount={amount}&slippageBps={}&swapMode=ExactIn&maxAccounts=32",
            self.url, request.slippage_bps
        );
        let quoted = self.send(self.client.get(query)).await?;
        let quote = quote_of(&quoted, &request.ask)?;
        let body = json!({
            "userPublicKey": request.escrow.to_string(),
            "quoteResponse": quoted,
            "wrapAndUnwrapSol": false,
            "destinationTokenAccount": request.destination.to_string(),
        });
        let swap = self.send(self.client.post(format!("{}/swap/v1/swap-instructions", self.url)).json(&body)).await?;
        let (routed, tables) = swap_of(swap, &request)?;
        Ok(Answer { quote, routed, tables })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, ApiError> {
        let key = self.key_file.as_deref().map(read_key).transpose()?;
        let request = match key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        };
        let mut response = request.send().await?;
        if !response.status().is_success() {
            return Err(ApiError::Status(response.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_BYTES {
                return Err(ApiError::TooLong);
            }
        }
        Ok(serde_json::from_slice(&bytes)?)
    }
}

fn read_key(path: &Path) -> Result<String, ApiError> {
    let failed = |source| ApiError::Key { path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(ApiError::KeyShared(path.to_owned()));
    }
    std::fs::read_to_string(path).map(|key| key.trim().to_owned()).map_err(failed)
}

fn quote_of(quoted: &Value, ask: &Ask) -> Result<Quote, ApiError> {
    let body = QuoteBody::deserialize(quoted)?;
    let is_asked = body.input_mint == ask.from.to_string()
        && body.output_mint == ask.to.to_string()
        && body.in_amount == ask.amount.to_string()
        && body.swap_mode == "ExactIn";
    let received_amount = body.out_amount.parse().ok().filter(|_| is_asked);
    let received_amount = received_amount.ok_or(ApiError::Foreign("another pair, amount or mode"))?;
    Ok(Quote { spent_amount: ask.amount, received_amount })
}

fn swap_of(swap: Value, request: &Request) -> Result<(Routed, Vec<Pubkey>), ApiError> {
    let body = SwapBody::deserialize(swap)?;
    let key = |text: &String| text.parse::<Pubkey>().map_err(|_| ApiError::Foreign("an address is none"));
    let meta = |account: &AccountBody| {
        let pubkey = key(&account.pubkey)?;
        let is_escrow = pubkey == request.escrow;
        // the program signs for the escrow, and lets nothing write it
        Ok(AccountMeta {
            pubkey,
            is_signer: account.is_signer && !is_escrow,
            is_writable: account.is_writable && !is_escrow,
        })
    };
    let accounts: Result<Vec<AccountMeta>, ApiError> = body.swap_instruction.accounts.iter().map(meta).collect();
    let accounts = accounts?;
    if accounts.len() > MAX_ACCOUNTS {
        return Err(ApiError::Foreign("too many accounts"));
    }
    if accounts.iter().any(|meta| meta.is_signer) {
        return Err(ApiError::Foreign("somebody else would have to sign"));
    }
    if !accounts.iter().any(|meta| meta.pubkey == request.destination && meta.is_writable) {
        return Err(ApiError::Foreign("what comes out goes elsewhere"));
    }
    let data = STANDARD.decode(&body.swap_instruction.data).map_err(|_| ApiError::Foreign("its data is no base64"))?;
    let tables: Result<Vec<Pubkey>, ApiError> = body.address_lookup_table_addresses.iter().map(key).collect();
    Ok((Routed { accounts, data }, tables?))
}
