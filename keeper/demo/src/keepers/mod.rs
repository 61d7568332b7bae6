//! Three production keepers, each a process of its own.
//!
//! Owns their files, their processes and what is read from their HTTP servers. Links nothing of the keeper: it is run as
//! an operator would run it.

pub mod files;
pub mod http;
pub mod process;

use crate::error::Outcome;
use crate::keepers::files::{Files, Known};
use crate::keepers::process::Process;
use crate::network::Network;
use crate::world::World;
use crate::world::cast::KEEPERS;
use std::path::{Path, PathBuf};

/// All keepers of a run.
pub struct Keepers {
    files: Vec<Files>,
    processes: Vec<Process>,
    binary: PathBuf,
}

impl Keepers {
    /// Writes every keeper's settings and key under `dir`, and has a lookup table made. Only while slots follow each other.
    ///
    /// # Errors
    /// [`crate::error::DemoError::File`] where that fails, [`crate::error::DemoError::Keeper`] without a built keeper or a
    /// free port.
    pub async fn prepare(dir: &Path, network: &Network, world: &World, past: Vec<PathBuf>) -> Outcome<Self> {
        let binary = process::find_binary()?;
        let ports = process::free_ports(KEEPERS)?;
        let mut known = Known { tables: Vec::new(), past };
        // what swaps doesn't fit into a packet without a table: the first keeper makes one for all, as an operator does
        let first = Files::write(dir, 0, &ports, network, world, &known)?;
        known.tables = vec![process::create_table(&binary, &first).await?];
        let write = |rank| Files::write(dir, rank, &ports, network, world, &known);
        let files = (0..KEEPERS).map(write).collect::<Outcome<_>>()?;
        Ok(Self { files, processes: Vec::new(), binary })
    }

    /// Starts every keeper and waits until all are ready.
    ///
    /// # Errors
    /// [`crate::error::DemoError::Keeper`] with the end of its log.
    pub async fn start(&mut self) -> Outcome<()> {
        for files in &self.files {
            self.processes.push(Process::start(&self.binary, files, &[])?);
        }
        for process in &mut self.processes {
            process.wait_ready().await?;
        }
        Ok(())
    }

    /// Returns the address of the web page.
    pub fn page(&self) -> String {
        self.files[0].url()
    }

    /// Returns every keeper's name and address.
    pub fn addresses(&self) -> impl Iterator<Item = (String, String)> {
        self.files.iter().map(|files| (files.name().to_owned(), files.url()))
    }

    /// Kills a keeper without warning, as a machine that dies.
    ///
    /// # Errors
    /// [`crate::error::DemoError::Keeper`] where it can't be killed.
    pub async fn kill(&mut self, rank: usize) -> Outcome<()> {
        self.processes[rank].kill().await
    }

    /// Starts a killed keeper again, on its own journal.
    ///
    /// # Errors
    /// [`crate::error::DemoError::Keeper`].
    pub fn restart(&mut self, rank: usize) -> Outcome<()> {
        self.processes[rank] = Process::start(&self.binary, &self.files[rank], &[])?;
        Ok(())
    }

    /// Returns the keepers that have ended by themselves, with the end of their logs.
    pub fn ended(&mut self) -> Vec<String> {
        self.processes.iter_mut().filter_map(Process::ended).collect()
    }

    /// Stops every keeper as an operator does, and waits.
    ///
    /// # Errors
    /// [`crate::error::DemoError::Keeper`] where one doesn't stop, or not cleanly.
    pub async fn stop(&mut self) -> Outcome<()> {
        for process in &mut self.processes {
            process.stop().await?;
        }
        Ok(())
    }
}
