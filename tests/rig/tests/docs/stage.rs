//! Where a reader of the documentation sits: a directory with keys and settings, the built binary, a chain.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rampart_rig::keeper::free_port;
use rampart_rig::{Scene, until};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How a command of the documentation is run, and what has to come of it.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// As it stands in the documentation.
    pub docs: &'static str,
    typed: &'static str,
    code: i32,
    shows: &'static str,
}

impl Run {
    /// Typed as it stands there, and done; what it prints holds `shows`.
    pub const fn new(docs: &'static str, shows: &'static str) -> Self {
        Self { docs, typed: docs, code: 0, shows }
    }

    /// With what the documentation leaves to its reader: `{NAME}` stands for what the stage knows by it.
    pub const fn typed(self, typed: &'static str) -> Self {
        Self { typed, ..self }
    }

    /// It ends with another code.
    pub const fn ends(self, code: i32) -> Self {
        Self { code, ..self }
    }
}

/// A directory, what is known by a name in it, and the environment of the commands.
pub struct Stage {
    dir: tempfile::TempDir,
    known: BTreeMap<&'static str, String>,
    environment: Vec<(&'static str, String)>,
}

impl Stage {
    /// An empty directory.
    pub fn empty() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self { dir, known: BTreeMap::new(), environment: Vec::new() }
    }

    /// A directory with the keys of a scene's roles, whose settings are to be written.
    pub fn of(scene: &Scene) -> Self {
        let mut stage = Self::empty();
        stage.key("payer.json", &scene.payer);
        stage.know("PAYER", scene.payer.pubkey());
        stage.know("URL", scene.endpoints[0].http());
        stage.know("GUARD", scene.guard);
        stage.know("RULE", scene.rule);
        stage.know("POSITION", scene.borrower.position);
        stage.environment = vec![
            ("RAMPART__CLUSTER__WS_URL", scene.endpoints[0].ws().to_owned()),
            ("RAMPART__HTTP__LISTEN", format!("127.0.0.1:{}", free_port())),
            ("RAMPART__INGEST__SWEEP_SECS", "1".to_owned()),
        ];
        stage
    }

    /// As [`Self::of`], with the settings that `rampart init` writes.
    pub fn settled(scene: &Scene) -> Self {
        let stage = Self::of(scene);
        stage.run(&INIT);
        stage
    }

    /// Adds to the environment of every command.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.environment.push((name, value));
    }

    /// Lets commands name something.
    pub fn know(&mut self, name: &'static str, value: impl ToString) {
        self.known.insert(name, value.to_string());
    }

    /// Returns a path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a keypair file.
    pub fn key(&self, name: &str, key: &Keypair) {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.create_new(true).write(true).mode(0o600).open(self.path(name)).expect("a key file");
        file.write_all(format!("{:?}", key.to_bytes().to_vec()).as_bytes()).expect("the key");
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// Lets a folder of the repository be seen here, as where its commands are typed.
    pub fn link(&self, name: &str) {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name).canonicalize().expect("a folder");
        std::os::unix::fs::symlink(target, self.path(name)).expect("a link");
    }

    fn filled(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    fn command(&self, typed: &str) -> Command {
        let mut command = Command::new(binary());
        command.args(self.filled(typed).split_whitespace().skip(1)).current_dir(self.dir.path());
        command.env_remove("RAMPART_CONFIG").envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end and returns what it printed.
    ///
    /// # Panics
    /// If it ends otherwise than it should, or doesn't show what it should.
    pub fn run(&self, run: &Run) -> String {
        self.tried(run).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    /// Runs each of them, and then names every one that went wrong.
    ///
    /// # Panics
    /// If one did.
    pub fn all(&self, runs: &[Run]) {
        let wrong: Vec<String> = runs.iter().filter_map(|run| self.tried(run).err()).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn tried(&self, run: &Run) -> Result<String, String> {
        let output = self.command(run.typed).stdin(Stdio::null()).output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let (typed, shows) = (self.filled(run.typed), self.filled(run.shows));
        match output.status.code() {
            code if code != Some(run.code) => Err(format!("$ {typed}\n{text}it ended with {code:?}, not {}", run.code)),
            _ if !text.contains(&shows) => Err(format!("$ {typed}\n{text}it doesn't say `{shows}`")),
            _ => Ok(text),
        }
    }

    /// Starts a command that goes on until it is stopped.
    pub fn start(&self, run: &Run) -> Running<'_> {
        let log = std::fs::File::create(self.path("running.log")).expect("a log");
        let both = (log.try_clone().expect("a log"), log);
        let child = self.command(run.typed).stdin(Stdio::null()).stdout(both.0).stderr(both.1).spawn();
        Running { stage: self, run: *run, child: child.expect("it starts") }
    }
}

/// How the settings of a keeper are written where nobody sits at a terminal.
pub const INIT: Run = Run::new("rampart init", "rampart.toml")
    .typed("rampart init --name one --rpc-url {URL} --guard {GUARD} --payer-file payer.json --state-dir state");

/// A command that goes on.
pub struct Running<'a> {
    stage: &'a Stage,
    run: Run,
    child: Child,
}

impl Running<'_> {
    fn log(&self) -> String {
        std::fs::read_to_string(self.stage.path("running.log")).unwrap_or_default()
    }

    /// Waits until the API says that it is ready.
    pub async fn ready(&mut self) {
        let (_, listen) = self.stage.environment.iter().find(|(name, _)| name.ends_with("LISTEN")).expect("an address");
        let url = format!("http://{listen}/readyz");
        until("the keeper is ready", || async {
            reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// Stops it as a service manager does.
    pub fn stop(self) {
        self.end(Signal::SIGTERM);
    }

    /// Stops it as Ctrl-C does.
    pub fn interrupt(self) {
        self.end(Signal::SIGINT);
    }

    fn end(mut self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("the process is there");
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(self.run.code), "`{}`:\n{}", self.run.typed, self.log());
        assert!(self.log().contains(self.run.shows), "`{}`:\n{}", self.run.typed, self.log());
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the binary, which stands one folder above the tests of the same build.
///
/// # Panics
/// If it isn't built.
pub fn binary() -> PathBuf {
    let here = std::env::current_exe().expect("this test");
    let found = here.ancestors().skip(1).take(2).map(|dir| dir.join("rampart")).find(|path| path.is_file());
    found.expect("`rampart` is built beside its tests: cargo build -p rampart-keeper --features fleet")
}
