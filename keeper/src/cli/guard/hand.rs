//! Keys that sign acts of governance: in files, in HashiCorp Vault, on a Ledger.

use crate::config::payer::PayerKey;
use crate::error::KeeperError;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::VersionedTransaction;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a keypair file.
    File(PathBuf),
    /// In Vault's transit engine: `vault+https://HOST/KEY?address=ADDRESS`.
    Vault {
        /// Address of the server.
        url: String,
        /// Name of the key.
        key: String,
        /// What it signs for.
        address: Pubkey,
    },
    /// On a Ledger: `usb://ledger`, `usb://ledger?key=ACCOUNT` or `usb://ledger?key=ACCOUNT/CHANGE`.
    Ledger {
        /// Path of the key, as in BIP 44.
        path: String,
    },
}

impl FromStr for KeyPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("usb://") {
            return ledger(rest).ok_or_else(|| "a Ledger is `usb://ledger` or `usb://ledger?key=0/0`".into());
        }
        if let Some(url) = text.strip_prefix("vault+") {
            return vault(url).ok_or_else(|| {
                "a key in Vault is `vault+https://HOST:PORT/KEY?address=ADDRESS`; http on loopback alone".into()
            });
        }
        Ok(Self::File(text.into()))
    }
}

fn ledger(rest: &str) -> Option<KeyPlace> {
    let path = match rest.strip_prefix("ledger")? {
        "" => "m/44'/501'".to_owned(),
        query => {
            let parts: Vec<u32> =
                query.strip_prefix("?key=")?.split('/').map(str::parse).collect::<Result<_, _>>().ok()?;
            let hardened: Vec<String> = parts.iter().map(|part| format!("{part}'")).collect();
            (parts.len() <= 2).then(|| format!("m/44'/501'/{}", hardened.join("/")))?
        }
    };
    Some(KeyPlace::Ledger { path })
}

fn vault(text: &str) -> Option<KeyPlace> {
    let url = reqwest::Url::parse(text).ok()?;
    let is_local = matches!(url.host_str()?, "127.0.0.1" | "[::1]" | "localhost");
    let key = url.path().trim_matches('/').to_owned();
    let is_right =
        (url.scheme() == "https" || url.scheme() == "http" && is_local) && !key.is_empty() && !key.contains('/');
    let address = url.query_pairs().find(|(name, _)| name == "address")?.1.parse().ok()?;
    is_right.then(|| KeyPlace::Vault { url: url.origin().ascii_serialization(), key, address })
}

/// A key that signs.
pub(in crate::cli) enum Hand {
    /// Read from a file.
    File(Box<PayerKey>),
    /// Asked for each signature.
    #[cfg(any(feature = "vault", feature = "ledger"))]
    Remote(Box<dyn solana_keychain::TransactionSigner>),
}

impl Hand {
    /// Reads the file, or reaches for what holds the key.
    pub async fn open(place: &KeyPlace) -> Result<Self, KeeperError> {
        match place {
            KeyPlace::File(path) => Ok(Self::File(Box::new(PayerKey::read(path)?))),
            KeyPlace::Vault { url, key, address } => open_vault(url, key, address),
            KeyPlace::Ledger { path } => open_ledger(path).await,
        }
    }

    /// Returns the public half.
    pub fn pubkey(&self) -> Pubkey {
        match self {
            Self::File(key) => key.pubkey(),
            #[cfg(any(feature = "vault", feature = "ledger"))]
            Self::Remote(signer) => signer.pubkey(),
        }
    }

    /// Puts its signature at its place.
    pub async fn sign(&self, transaction: &mut VersionedTransaction) -> Result<(), KeeperError> {
        match self {
            Self::File(key) => {
                let keys = transaction.message.static_account_keys();
                let place = keys.iter().position(|signing| *signing == key.pubkey());
                let signature = key.keypair().sign_message(&transaction.message.serialize());
                if let Some(slot) = place.and_then(|place| transaction.signatures.get_mut(place)) {
                    *slot = signature;
                }
                Ok(())
            }
            #[cfg(any(feature = "vault", feature = "ledger"))]
            Self::Remote(signer) => {
                signer.sign_transaction(transaction).await.map(drop).map_err(|error| KeeperError::Refused {
                    what: format!("the key {} did not sign: {error}; nothing was sent", signer.pubkey()),
                    hint: "see that a Ledger is unlocked and confirms, or that Vault is reachable and VAULT_TOKEN may sign; then run \
                           it again"
                        .into(),
                })
            }
        }
    }
}

#[cfg(feature = "vault")]
fn open_vault(url: &str, key: &str, address: &Pubkey) -> Result<Hand, KeeperError> {
    let token = std::env::var("VAULT_TOKEN").map_err(|_| KeeperError::Refused {
        what: format!("the key {key} at {url} needs a token, and VAULT_TOKEN is not set"),
        hint: "set VAULT_TOKEN to one that may use `transit/sign` of that key".into(),
    })?;
    with_token(url, key, address, token)
}

#[cfg(feature = "vault")]
fn with_token(url: &str, key: &str, address: &Pubkey, token: String) -> Result<Hand, KeeperError> {
    // no `https_only`: where plain http is taken at all, the place says loopback
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(15));
    let signer = solana_keychain::VaultSigner::with_client_builder(
        client,
        url.to_owned(),
        token,
        key.to_owned(),
        address.to_string(),
    );
    let unusable = |error| KeeperError::Refused {
        what: format!("the key {key} at {url} can't be used: {error}"),
        hint: "check the address behind `vault+`".into(),
    };
    Ok(Hand::Remote(Box::new(signer.map_err(unusable)?)))
}

#[cfg(not(feature = "vault"))]
fn open_vault(_: &str, _: &str, _: &Pubkey) -> Result<Hand, KeeperError> {
    Err(lacks("vault"))
}

#[cfg(feature = "ledger")]
async fn open_ledger(path: &str) -> Result<Hand, KeeperError> {
    let wanted = path.to_owned();
    // the device answers when somebody presses a button
    let opened =
        tokio::task::spawn_blocking(move || solana_keychain::LedgerSigner::connect(Some(&wanted), false, None));
    let unusable = |error: String| KeeperError::Refused {
        what: format!("the Ledger's key {path} can't be used: {error}"),
        hint: "plug it in, unlock it, open its Solana app, and run this again".into(),
    };
    let signer = opened.await.map_err(|error| unusable(error.to_string()))?;
    Ok(Hand::Remote(Box::new(signer.map_err(|error| unusable(error.to_string()))?)))
}

#[cfg(not(feature = "ledger"))]
async fn open_ledger(_: &str) -> Result<Hand, KeeperError> {
    Err(lacks("ledger"))
}

#[cfg(not(all(feature = "vault", feature = "ledger")))]
fn lacks(feature: &str) -> KeeperError {
    KeeperError::Refused {
        what: format!("this `rampart` was built without `{feature}`"),
        hint: format!("build it with `--features {feature}`, or export the act: `--export squads --as ADDRESS`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "SysvarC1ock11111111111111111111111111111111";

    #[test]
    fn places_are_told_apart() {
        let file = "keys/root.json".parse::<KeyPlace>().unwrap();
        assert_eq!(file, KeyPlace::File("keys/root.json".into()));
        let vault: KeyPlace = format!("vault+https://vault.example:8200/root?address={ADDRESS}").parse().unwrap();
        let (url, key) = ("https://vault.example:8200".to_owned(), "root".to_owned());
        assert_eq!(vault, KeyPlace::Vault { url, key, address: ADDRESS.parse().unwrap() });
        for (text, path) in [
            ("usb://ledger", "m/44'/501'"),
            ("usb://ledger?key=0", "m/44'/501'/0'"),
            ("usb://ledger?key=1/0", "m/44'/501'/1'/0'"),
        ] {
            assert_eq!(text.parse(), Ok(KeyPlace::Ledger { path: path.to_owned() }));
        }
    }

    #[test]
    fn places_that_are_none_are_refused_with_what_is_right() {
        for text in ["usb://trezor", "usb://ledger?key=x", "usb://ledger?key=0/0/0"] {
            assert_eq!(
                text.parse::<KeyPlace>(),
                Err("a Ledger is `usb://ledger` or `usb://ledger?key=0/0`".to_owned())
            );
        }
        let wrong = "a key in Vault is `vault+https://HOST:PORT/KEY?address=ADDRESS`; http on loopback alone";
        for text in [
            format!("vault+http://vault.example/root?address={ADDRESS}"),
            format!("vault+https://vault.example?address={ADDRESS}"),
            "vault+https://vault.example/root".to_owned(),
            "vault+https://vault.example/root?address=me".to_owned(),
        ] {
            assert_eq!(text.parse::<KeyPlace>(), Err(wrong.to_owned()), "{text}");
        }
    }
}

#[cfg(all(test, feature = "vault"))]
mod vault_tests {
    //! Answers are written from Vault's published API of the transit engine.

    use super::*;
    use axum::extract::{Path, State};
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use axum::{Json, Router};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};
    use solana_sdk::instruction::{AccountMeta, Instruction};
    use solana_sdk::message::{Message, VersionedMessage};
    use solana_sdk::signature::{Keypair, Signature};
    use std::sync::Arc;

    async fn sign(
        State(held): State<Arc<Keypair>>,
        Path(key): Path<String>,
        headers: HeaderMap,
        Json(asked): Json<Value>,
    ) -> (StatusCode, Json<Value>) {
        if headers.get("X-Vault-Token").is_none_or(|token| token != "of governance") || key != "root" {
            return (StatusCode::FORBIDDEN, Json(json!({ "errors": ["permission denied"] })));
        }
        let message = STANDARD.decode(asked["input"].as_str().expect("an input")).expect("base64");
        let signature = STANDARD.encode(held.sign_message(&message));
        (StatusCode::OK, Json(json!({ "data": { "signature": format!("vault:v1:{signature}"), "key_version": 1 } })))
    }

    /// A server that holds `held` under the name `root`.
    async fn server(held: &Keypair) -> String {
        let router = Router::new().route("/v1/transit/sign/{key}", post(sign));
        let router = router.with_state(Arc::new(held.insecure_clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// A transaction that two sign, `second` last.
    fn unsigned(first: &Pubkey, second: &Pubkey) -> VersionedTransaction {
        let of_second = Instruction::new_with_bytes(Pubkey::default(), &[], vec![AccountMeta::new(*second, true)]);
        let message = VersionedMessage::Legacy(Message::new(&[of_second], Some(first)));
        VersionedTransaction { signatures: vec![Signature::default(); 2], message }
    }

    async fn refusal(hand: &Hand, transaction: &mut VersionedTransaction) -> String {
        let before = transaction.signatures.clone();
        let error = hand.sign(transaction).await.expect_err("a refusal").to_string();
        assert_eq!(transaction.signatures, before, "nothing is signed");
        error
    }

    #[tokio::test]
    async fn key_in_vault_signs_beside_one_in_a_file() {
        let (payer, root) = (Keypair::new(), Keypair::new());
        let url = server(&root).await;
        let hand = with_token(&url, "root", &root.pubkey(), "of governance".into()).expect("a key");
        assert_eq!(hand.pubkey(), root.pubkey());
        let mut transaction = unsigned(&payer.pubkey(), &root.pubkey());
        hand.sign(&mut transaction).await.expect("a signature");
        Hand::File(Box::new(PayerKey::new(payer))).sign(&mut transaction).await.expect("a signature");
        assert_eq!(transaction.verify_with_results(), [true, true]);
    }

    #[tokio::test]
    async fn signature_of_another_key_and_a_refused_token_leave_the_transaction_unsigned() {
        let (payer, root) = (Keypair::new(), Keypair::new());
        let url = server(&Keypair::new()).await;
        let mut transaction = unsigned(&payer.pubkey(), &root.pubkey());
        let other = with_token(&url, "root", &root.pubkey(), "of governance".into()).expect("a key");
        let refused = |why: &str| format!("the key {} did not sign: {why}; nothing was sent", root.pubkey());
        assert_eq!(refusal(&other, &mut transaction).await, refused("Signing failed"));
        let stranger = with_token(&url, "root", &root.pubkey(), "of nobody".into()).expect("a key");
        // the crate keeps what a server says to itself
        assert_eq!(refusal(&stranger, &mut transaction).await, refused("Remote API error"));
    }
}
