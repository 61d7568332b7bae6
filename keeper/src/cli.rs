//! Commands and flags. Parses and dispatches; the work is done elsewhere.
//!
//! Exit codes: 0 stop, 2 settings, 3 key, 4 wrong chain or program, 5 critical task or network, 6 journal, 64 usage.

mod check;
mod fleet;
mod show;
mod status;
#[cfg(test)]
mod tests;

use crate::config::{self, Config, LogFormat, Overrides, example};
use crate::error::KeeperError;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Exit code for a command line that cannot be understood.
pub const USAGE: u8 = 64;

/// Watches oracle prices and guarded vaults, and acts when a risk limit is crossed.
#[derive(Debug, Parser)]
#[command(name = "rampart", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 stopped, 2 settings, 3 key, 4 wrong chain or program, 5 critical task or network, \
                        6 journal, 64 usage."
)]
pub struct Cli {
    /// Settings file
    #[arg(
        long,
        global = true,
        env = "RAMPART_CONFIG",
        hide_env_values = true,
        default_value = "rampart.toml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch, decide and act until stopped
    Run(RunArgs),
    /// Show what a running keeper sees and does
    Status(StatusArgs),
    /// Try settings, key, journal, chain, program and guard, without sending anything
    Check,
    /// Show the keepers that share the work, or take one out of it
    Fleet {
        /// What to do.
        #[command(subcommand)]
        command: fleet::FleetCommand,
    },
    /// Write a settings file with every key explained
    Init(InitArgs),
    /// Show settings
    Config {
        /// What to show.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Show the version and the program it is built for
    Version,
    /// Write a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Do everything except send
    #[arg(long)]
    pub observe: bool,
    /// Address of API, app and metrics [setting: http.listen]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Form of log lines [setting: log.format]
    #[arg(long, value_name = "FORM")]
    pub log_format: Option<Form>,
}

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print the whole state as JSON
    #[arg(long)]
    pub json: bool,
    /// Base address of the keeper's API [default: http.listen of the settings]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// Flags of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Print it instead of writing it
    #[arg(long)]
    pub print: bool,
}

/// What to show of settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in effect, with defaults and environment, as TOML
    Print,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Form {
    /// One JSON object per line
    Json,
    /// For people
    Pretty,
}

/// Parses a command line.
///
/// # Errors
/// The text to print and the exit code: 0 for help and version, [`USAGE`] otherwise.
pub fn parse(line: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, (clap::Error, u8)> {
    Cli::try_parse_from(line).map_err(|error| {
        let code = if error.use_stderr() { USAGE } else { 0 };
        (error, code)
    })
}

impl Cli {
    /// Does what was asked. `run` returns when the keeper has stopped.
    ///
    /// # Errors
    /// Whatever ended it.
    pub async fn execute(self) -> Result<(), KeeperError> {
        match &self.command {
            Command::Run(args) => run(self.settings(&args.overrides())?).await,
            Command::Status(args) => status::status(args, || self.settings(&Overrides::default())).await,
            Command::Check => check::check(&self.config).await,
            Command::Fleet { command } => command.execute(|| self.settings(&Overrides::default())).await,
            Command::Init(args) => self.init(args),
            Command::Config { command: ConfigCommand::Print } => show::config(&self.settings(&Overrides::default())?),
            Command::Version => show::version(),
            Command::Completions { shell } => {
                clap_complete::generate(*shell, &mut Self::command(), "rampart", &mut std::io::stdout());
                Ok(())
            }
        }
    }

    fn settings(&self, overrides: &Overrides) -> Result<Config, KeeperError> {
        Ok(config::load(&self.config, std::env::vars(), overrides)?)
    }

    fn init(&self, args: &InitArgs) -> Result<(), KeeperError> {
        if args.print {
            return show::text(example::TEXT);
        }
        example::write(&self.config)?;
        show::text(&format!(
            "wrote {}; set `cluster.guard` and `keys.payer_file`, then run `rampart check`\n",
            self.config.display()
        ))
    }
}

impl RunArgs {
    fn overrides(&self) -> Overrides {
        let log_format = self.log_format.map(|form| match form {
            Form::Json => LogFormat::Json,
            Form::Pretty => LogFormat::Pretty,
        });
        Overrides { observe: self.observe, listen: self.listen, log_format }
    }
}

async fn run(config: Config) -> Result<(), KeeperError> {
    show::start_log(&config.log)?;
    crate::run::run(config, show::stop_signal()?).await
}
