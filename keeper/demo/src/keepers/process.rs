//! One keeper process.

use crate::error::{DemoError, Outcome};
use crate::keepers::files::Files;
use crate::keepers::http;
use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

/// How often readiness is asked for, and how long between.
const READY_ASKS: u32 = 600;
const READY_PAUSE: Duration = Duration::from_millis(100);
/// How long a keeper may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// Lines of its log that an error shows.
const LOG_LINES: usize = 8;

/// Has a keeper make a lookup table of what it names, and returns the table's address.
///
/// # Errors
/// [`DemoError::Keeper`] with what it says.
pub async fn create_table(binary: &std::path::Path, files: &Files) -> Outcome<String> {
    let problem = |problem: String| DemoError::Keeper { name: files.name().to_owned(), problem };
    let mut command = Command::new(binary);
    command.args(["table", "create", "--json", "--config"]).arg(files.settings_path()).stdin(Stdio::null());
    let done = command.kill_on_drop(true).output().await.map_err(|error| problem(error.to_string()))?;
    let answer: Option<serde_json::Value> = serde_json::from_slice(&done.stdout).ok();
    let table = answer.and_then(|answer| answer["data"]["table"].as_str().map(str::to_owned));
    table.ok_or_else(|| problem(format!("no lookup table: {}", String::from_utf8_lossy(&done.stderr))))
}

/// A keeper process.
pub struct Process {
    files: Files,
    child: Child,
    is_killed: bool,
}

impl Process {
    /// Starts `rampart run` with a keeper's settings; it dies with this process.
    ///
    /// # Errors
    /// [`DemoError::Keeper`], [`DemoError::File`].
    pub fn start(binary: &std::path::Path, files: &Files, environment: &[(&str, &str)]) -> Outcome<Self> {
        let path = files.log_path();
        let failed = |source| DemoError::File { path: path.clone(), source };
        let log = File::options().create(true).append(true).open(&path).map_err(failed)?;
        let twin = log.try_clone().map_err(|source| DemoError::File { path: path.clone(), source })?;
        let child = Command::new(binary)
            .arg("run")
            .arg("--config")
            .arg(files.settings_path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(twin)
            .kill_on_drop(true)
            .spawn();
        let child =
            child.map_err(|error| DemoError::Keeper { name: files.name().to_owned(), problem: error.to_string() })?;
        Ok(Self { files: files.clone(), child, is_killed: false })
    }

    /// Waits until the keeper says that it is ready.
    ///
    /// # Errors
    /// [`DemoError::Keeper`] where it ends, or isn't ready within a minute.
    pub async fn wait_ready(&mut self) -> Outcome<()> {
        let mut last = "no answer".to_owned();
        for _ in 0..READY_ASKS {
            if let Some(status) = self.exit_status()? {
                return Err(self.problem(&format!("ended before it was ready: {status}")));
            }
            match http::get(self.files.port(), "/readyz").await {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(answer) => last = answer.body,
                Err(_) => {}
            }
            tokio::time::sleep(READY_PAUSE).await;
        }
        Err(self.problem(&format!("is not ready: {last}")))
    }

    /// Waits until the process ends by itself and returns how.
    ///
    /// # Errors
    /// [`DemoError::Keeper`] where it goes on for `timeout`.
    pub async fn wait_end(&mut self, timeout: Duration) -> Outcome<ExitStatus> {
        match tokio::time::timeout(timeout, self.child.wait()).await {
            Ok(Ok(status)) => {
                self.is_killed = true;
                Ok(status)
            }
            Ok(Err(error)) => Err(self.problem(&error.to_string())),
            Err(_) => Err(self.problem("goes on")),
        }
    }

    /// Kills it without warning.
    ///
    /// # Errors
    /// [`DemoError::Keeper`] where that fails.
    pub async fn kill(&mut self) -> Outcome<()> {
        self.is_killed = true;
        match self.child.kill().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.problem(&error.to_string())),
        }
    }

    /// Returns what to say where it has ended though nobody ended it.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.exit_status().ok().flatten().filter(|_| !self.is_killed)?;
        self.is_killed = true;
        Some(self.problem(&format!("ended by itself: {status}")).to_string())
    }

    /// Asks it to stop, as an operator does, and waits.
    ///
    /// # Errors
    /// [`DemoError::Keeper`] where it doesn't, or ends with another code than 0.
    pub async fn stop(&mut self) -> Outcome<()> {
        if self.is_killed {
            return Ok(());
        }
        self.signal("TERM").await?;
        let status = self.wait_end(STOP_TIMEOUT).await?;
        if status.success() { Ok(()) } else { Err(self.problem(&format!("did not stop cleanly: {status}"))) }
    }

    /// Sends it a signal by name, as `STOP`.
    ///
    /// # Errors
    /// [`DemoError::Keeper`] where it has ended, or the signal can't be sent.
    pub async fn signal(&self, name: &str) -> Outcome<()> {
        let Some(pid) = self.child.id() else { return Err(self.problem("has ended")) };
        // the standard library sends no other signal than the one that can't be caught
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().await;
        if sent.is_ok_and(|status| status.success()) { Ok(()) } else { Err(self.problem("can't be signalled")) }
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.files.port()
    }

    fn exit_status(&mut self) -> Outcome<Option<ExitStatus>> {
        let status = self.child.try_wait();
        status.map_err(|error| DemoError::Keeper { name: self.files.name().to_owned(), problem: error.to_string() })
    }

    fn problem(&self, what: &str) -> DemoError {
        let log = std::fs::read_to_string(self.files.log_path()).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(LOG_LINES).collect();
        let end: Vec<_> = lines.into_iter().rev().map(|line| format!("\n  | {line}")).collect();
        DemoError::Keeper { name: self.files.name().to_owned(), problem: format!("{what}{}", end.concat()) }
    }
}

/// Finds the keeper beside this executable, or one directory up, where test executables are.
///
/// # Errors
/// [`DemoError::Keeper`] with the command that builds it.
pub fn find_binary() -> Outcome<PathBuf> {
    let here = std::env::current_exe().unwrap_or_default();
    let candidates = here.ancestors().skip(1).take(2).map(|dir| dir.join("rampart"));
    let found = candidates.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| DemoError::Keeper {
        name: "rampart".to_owned(),
        problem: format!("is not built: there is none beside {}", here.display()),
    })
}

/// Returns free ports of the loopback interface, all different.
///
/// # Errors
/// [`DemoError::Keeper`] where the system has none.
pub fn free_ports(count: usize) -> Outcome<Vec<u16>> {
    let listeners: Result<Vec<_>, _> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let ports = listeners.and_then(|all| all.iter().map(|l| l.local_addr().map(|a| a.port())).collect());
    ports.map_err(|error| DemoError::Keeper { name: "keepers".to_owned(), problem: format!("no free port: {error}") })
}
