//! Where somebody governs: a scene with one endpoint, settings, and key files.

use rampart::constants::MIN_LOOSEN_DELAY_SECS;
use rampart::error::RampartError;
use rampart_client::Pubkey;
use rampart_keeper::cli::guard::Answer;
use rampart_keeper::cli::{self, Command};
use rampart_keeper::config::Config;
use rampart_keeper::error::KeeperError;
use rampart_rig::Scene;
use rampart_tests::defaults::SOL;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

/// A scene, settings and a directory for files.
pub struct Desk {
    /// The chain.
    pub scene: Scene,
    dir: TempDir,
}

impl Desk {
    /// A desk on a fresh scene with a drawdown rule.
    pub async fn new() -> Self {
        let desk = Self { scene: Scene::new(1).await, dir: tempfile::tempdir().expect("a directory") };
        desk.key("payer", &desk.scene.payer);
        desk
    }

    /// Returns the settings.
    pub fn config(&self) -> Config {
        let text = format!(
            "[cluster]\nrpc_url = {:?}\nguard = \"{}\"\n[keeper]\nname = \"desk\"\nstate_dir = {:?}\n[keys]\npayer_file = {:?}\n\
             [[label]]\naddress = \"{}\"\nname = \"SOL\"\n[[label]]\naddress = \"{}\"\nname = \"USDC\"\n",
            self.scene.endpoints[0].http(),
            self.scene.guard,
            self.dir.path(),
            self.path("payer.json"),
            self.world(|world| world.keys.collateral_asset),
            self.world(|world| world.keys.loan_asset),
        );
        toml::from_str(&text).expect("settings")
    }

    /// Returns a path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a keypair file and returns its path as text.
    pub fn key(&self, name: &str, key: &Keypair) -> String {
        let path = self.path(&format!("{name}.json"));
        let bytes = serde_json::to_vec(&key.to_bytes().to_vec()).expect("numbers");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .expect("a file");
        file.write_all(&bytes).expect("the key");
        path.display().to_string()
    }

    /// Writes the key of the guard's root.
    pub fn root(&self) -> String {
        let root = self.world(|world| world.root.insecure_clone());
        self.key("root", &root)
    }

    /// Returns a new key with lamports.
    pub fn rich(&self) -> Keypair {
        let key = Keypair::new();
        self.world(|world| world.svm.airdrop(&key.pubkey(), 1_000 * SOL).expect("airdrop"));
        key
    }

    /// Does `rampart guard ..` and returns the answer.
    pub async fn guard(&self, words: &[&str]) -> Result<Answer, KeeperError> {
        let line = ["rampart", "guard"].iter().chain(words).map(|word| (*word).into()).collect::<Vec<_>>();
        let cli = cli::parse(line).unwrap_or_else(|(error, _)| panic!("{error}"));
        let Command::Guard { command } = &cli.command else { panic!("another command") };
        command.answer(&self.config()).await
    }

    /// Reads or changes the world behind the chain.
    pub fn world<T>(&self, act: impl FnOnce(&mut rampart_tests::World) -> T) -> T {
        act(&mut self.scene.chain.state().world)
    }

    /// Lets the endpoint see what was done to the world.
    pub async fn settle(&self) {
        self.scene.settle().await;
    }

    /// Returns the guard's accounts with their bytes: what a refusal must leave alone.
    pub fn governed(&self) -> Vec<(Pubkey, Vec<u8>)> {
        let vault = self.world(|world| world.vault_accounts());
        let keys = vault.into_iter().take(4).chain([self.scene.rule]);
        keys.map(|key| (key, self.world(|world| world.svm.get_account(&key).expect("account exists").data))).collect()
    }
}

/// Asserts that a command was refused with `error`, with `hint`, and that it left the guard alone.
macro_rules! assert_refused {
    ($desk:expr, $words:expr, $error:expr, $hint:expr) => {{
        let (before, sends) = ($desk.governed(), $desk.scene.chain.state().sends.len());
        let failure = $desk.guard($words).await.expect_err("a refusal");
        assert!(matches!(failure, rampart_keeper::error::KeeperError::Refused { .. }), "{failure}");
        assert!(failure.to_string().contains($error), "{failure}");
        assert!(failure.hint().contains($hint), "{}", failure.hint());
        assert_eq!($desk.governed(), before);
        assert_eq!($desk.scene.chain.state().sends.len(), sends, "nothing was sent");
    }};
}
pub(crate) use assert_refused;

/// How a refusal by the program is told.
pub fn refusal(error: RampartError) -> String {
    format!("({error:?})")
}

/// Lets the delay of a change pass.
pub fn ripen(desk: &Desk) {
    desk.scene.chain.advance(i64::from(MIN_LOOSEN_DELAY_SECS));
}
