//! A keeper's process and its files.

use crate::chain::{Chain, PATIENCE};
use crate::watch::testing::key;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A keeper.
pub struct Keeper {
    dir: Arc<tempfile::TempDir>,
    child: Child,
    base: String,
}

impl Keeper {
    /// Name of the recording, in the keeper's directory.
    pub const CAPTURE: &'static str = "capture.gz";

    /// Starts one with settings, key and port of its own.
    pub async fn start(chain: &Chain, environment: &[(&str, String)]) -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        for (name, pair) in [("payer.json", &chain.payer), ("guardian.json", &chain.guardian)] {
            let path = dir.path().join(name);
            let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let text = serde_json::to_string(&pair.to_bytes().to_vec()).expect("numbers");
            opened.expect("a file").write_all(text.as_bytes()).expect("a write");
        }
        let settings = format!(
            "[cluster]\nrpc_url = \"{}\"\nguard = \"{}\"\n[keeper]\nname = \"k\"\nstate_dir = \"state\"\n\
             [keys]\npayer_file = \"payer.json\"\n[ingest]\npoll_ms = 100\nsweep_secs = 1\n\
             [http]\nlisten = \"127.0.0.1:{port}\"\n[takeover]\npoll_secs = 1\n\
             [[label]]\naddress = \"{}\"\nname = \"RULE\"\n",
            chain.url,
            chain.world.guard_key,
            key(crate::RULE)
        );
        std::fs::write(dir.path().join("rampart.toml"), settings).expect("a file");
        let child = spawn(&dir, environment);
        Self { dir, child, base: format!("http://127.0.0.1:{port}") }
    }

    /// Starts the next one on the same files.
    pub async fn again(self) -> Self {
        self.again_with(&[]).await
    }

    pub async fn again_with(mut self, environment: &[(&str, String)]) -> Self {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = spawn(&self.dir, environment);
        self
    }

    /// Waits until it may act.
    pub async fn ready(&self) {
        self.wait("the keeper to be ready", || async { self.status("/readyz").await == Some(200) }).await;
    }

    /// Waits for something, with a generous bound.
    pub async fn wait<F: Future<Output = bool>>(&self, what: &str, is_so: impl Fn() -> F) {
        let waiting = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("waited in vain for {what}; the log:\n{}", self.log());
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("the process is there");
    }

    /// Waits for its end and returns its exit code.
    pub async fn end(&mut self) -> Option<i32> {
        for _ in 0..PATIENCE.as_millis() / 50 {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not end; the log:\n{}", self.log());
    }

    /// Returns the status of an answer; nothing if there is none.
    pub async fn status(&self, path: &str) -> Option<u16> {
        let answer = client().get(format!("{}{path}", self.base)).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    pub async fn has_metric(&self, line: &str) -> bool {
        let Ok(answer) = client().get(format!("{}/metrics", self.base)).send().await else { return false };
        answer.text().await.is_ok_and(|text| text.contains(line))
    }

    pub async fn post(&self, path: &str, token: &str, host: Option<&str>, body: &str) -> u16 {
        let mut request = client().post(format!("{}{path}", self.base)).bearer_auth(token).body(body.to_owned());
        request = request.header("content-type", "application/json");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        request.send().await.expect("an answer").status().as_u16()
    }

    /// Runs a command on its files; returns whether it succeeded and all that it printed.
    pub fn run(&self, words: &[&str]) -> (bool, String) {
        let (code, text) = self.code(words);
        (code == Some(0), text)
    }

    pub fn code(&self, words: &[&str]) -> (Option<i32>, String) {
        self.code_with(words, &[])
    }

    pub fn code_with(&self, words: &[&str], environment: &[(&str, String)]) -> (Option<i32>, String) {
        let environment = environment.iter().map(|(name, value)| (*name, value.as_str()));
        let output = command(&self.dir).args(words).envs(environment).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    }

    /// Runs a command until a line of it holds `last`, and ends it.
    pub async fn follow(&self, words: &[&str], last: &str) -> String {
        let mut child =
            command(&self.dir).args(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        let (out, last) = (child.stdout.take().expect("a pipe"), last.to_owned());
        let reading = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                text += &format!("{line}\n");
                if line.contains(&last) {
                    break;
                }
            }
            text
        });
        let text = tokio::time::timeout(PATIENCE, reading).await;
        let _ = child.kill();
        let _ = child.wait();
        text.expect("the line comes").expect("it reads")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("keeper.log")).unwrap_or_default()
    }

    pub fn token(&self) -> String {
        std::fs::read_to_string(self.path("state/control.token")).expect("a token").trim().to_owned()
    }

    pub fn settings(&self) -> String {
        std::fs::read_to_string(self.path("rampart.toml")).expect("settings")
    }

    pub fn write_settings(&self, text: &str) {
        std::fs::write(self.path("rampart.toml"), text).expect("a write");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client")
}

fn command(dir: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rampart"));
    command.current_dir(dir.path()).env_remove("RAMPART_CONFIG");
    command
}

fn spawn(dir: &tempfile::TempDir, environment: &[(&str, String)]) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.path().join("keeper.log")).expect("a log");
    let mut command = command(dir);
    command.arg("run").stderr(log).stdout(Stdio::null()).stdin(Stdio::null());
    command.envs(environment.iter().map(|(name, value)| (name.to_string(), value.clone())));
    command.spawn().expect("it starts")
}

/// What systemd would hear.
pub struct NotifySocket {
    dir: tempfile::TempDir,
    heard: Arc<Mutex<Vec<String>>>,
}

impl NotifySocket {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let socket = UnixDatagram::bind(dir.path().join("notify")).expect("a socket");
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let all = heard.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(length) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                all.lock().expect("a lock").push(text);
            }
        });
        Self { dir, heard }
    }

    pub fn path(&self) -> String {
        self.dir.path().join("notify").display().to_string()
    }

    /// Returns how often a line was heard.
    pub fn count(&self, line: &str) -> usize {
        let heard = self.heard.lock().expect("a lock");
        heard.iter().flat_map(|text| text.lines()).filter(|heard| *heard == line).count()
    }
}
