//! The keeper as its operator runs it: a process with settings, an API and numbers in `/proc`.

use crate::verdict::Sample;
use rampart_rig::keeper::{free_port, write_settings};
use rampart_rig::{Scene, until};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A keeper that runs.
pub struct Process {
    child: Child,
    url: String,
    _dir: TempDir,
}

impl Process {
    /// Starts the keeper at `keeper` on the endpoints of `scene`.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn start(keeper: &Path, scene: &Scene) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let settings = write_settings(scene, dir.path(), port, "[tx]\nresend_ms = 400\n[ingest]\nsweep_secs = 30\n");
        let log = std::fs::File::create(dir.path().join("log")).expect("a file for the log");
        let mut command = Command::new(keeper);
        command.arg("run").arg("--config").arg(settings).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("the keeper starts");
        Self { child, url: format!("http://127.0.0.1:{port}"), _dir: dir }
    }

    /// Waits until it is ready.
    pub async fn ready(&self) {
        until("the keeper is ready", || async {
            reqwest::get(format!("{}/readyz", self.url)).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// Returns what it holds now; `None` if it has ended.
    pub async fn sample(&mut self, scene: &Scene, at: Duration, falls: u64) -> Option<Sample> {
        if self.child.try_wait().ok()?.is_some() {
            return None;
        }
        let proc = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{proc}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let metrics = reqwest::get(format!("{}/metrics", self.url)).await.ok()?.text().await.ok()?;
        // a family has a line for each of its labels
        let sum = |name: &str| {
            let lines = metrics.lines().filter(|line| line.starts_with(name));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
        };
        // each locks the chain: one after the other
        let slot = scene.chain.state().slot;
        let trips = scene.trips();
        Some(Sample {
            at,
            allocated_kib: sum("rampart_memory_allocated_bytes") / 1_024,
            anonymous_kib: field("RssAnon:")?,
            files: std::fs::read_dir(format!("{proc}/fd")).ok()?.count() as u64,
            threads: field("Threads:")?,
            slot,
            falls,
            trips,
            mismatches: sum("rampart_sweep_mismatches_total"),
            restarts: sum("rampart_task_restarts_total"),
        })
    }

    /// Ends it, and returns how it ended.
    pub fn end(&mut self) -> String {
        if let Ok(Some(status)) = self.child.try_wait() {
            return status.to_string();
        }
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let status = asked.and_then(|_| self.child.wait());
        status.map_or_else(|error| error.to_string(), |status| format!("asked to stop: {status}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it has ended where `end` was called
        let _ = self.child.kill();
    }
}
