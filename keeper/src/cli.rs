//! Commands and flags. Parses and dispatches; the work is done elsewhere.
//!
//! Exit codes: 0 done or stopped, 1 refused, not found or different, 2 settings, 3 key, 4 wrong chain or program,
//! 5 critical task or network, 6 journal, 64 usage.

mod act;
mod ask;
mod chain;
pub mod deploy;
mod doctor;
mod explain;
mod fleet;
pub mod guard;
mod history;
mod init;
mod journal;
mod keys;
mod lab;
pub mod output;
mod replay;
mod show;
mod status;
pub mod table;
#[cfg(test)]
mod tests;
mod watch;

use crate::config::{self, Config, ConfigError, LogFormat, Overrides};
use crate::control::Group;
use crate::error::KeeperError;
use crate::supervise::Reload;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use output::Output;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Exit code for a command line that cannot be understood.
pub const USAGE: u8 = 64;

/// Watches oracle prices and guarded vaults, and acts when a risk limit is crossed.
#[derive(Debug, Parser)]
#[command(name = "rampart", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done or stopped, 1 refused, not found or different, 2 settings, 3 key, 4 wrong chain or \
                  program, 5 critical task or network, 6 journal, 64 usage."
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
    /// Print JSON in one envelope with a schema version
    #[arg(long, global = true)]
    pub json: bool,
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
    Status(AskArgs),
    /// Show what happened: from the history's file or database, newest first
    History(HistoryArgs),
    /// Follow a running keeper on the terminal
    Watch(AskArgs),
    /// Say why the keeper acts on something, or doesn't
    Explain(ExplainArgs),
    /// Try settings, keys, disk, journal, endpoints, program and guard, and name the fix of each finding
    Doctor,
    /// Show the keepers that share the work, or take one out of it
    Fleet {
        /// What to do.
        #[command(subcommand)]
        command: fleet::FleetCommand,
    },
    /// Govern the guard: show, propose, execute, veto, pause, keepers, plan and apply a file
    Guard {
        /// What to do.
        #[command(subcommand)]
        command: guard::GuardCommand,
    },
    /// Put the program on a chain, or bring it up to date: shows what is left to do, and does it with `--yes`
    Deploy(deploy::DeployArgs),
    /// Make, extend or look at the lookup table that liquidations through a route need
    Table {
        /// What to do.
        #[command(subcommand)]
        command: table::TableCommand,
    },
    /// Write a settings file: asks on a terminal, takes flags elsewhere
    Init(InitArgs),
    /// Show public keys, file modes and the roles that they hold on chain
    Keys,
    /// Intents of the journal, with their transactions
    Intents {
        /// What to show.
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Transactions of the journal
    Txs {
        /// What to show.
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Trip a rule or group now; the program proves it like any other trip
    Trip(TripArgs),
    /// Stop classes of action until they are resumed, also after a restart; trips only if named
    Pause(PauseArgs),
    /// Take up paused classes of action again: those named, or all
    Resume(ResumeArgs),
    /// Record what decisions are made from, without sending anything
    Capture(CaptureArgs),
    /// Decide anew what a recording holds
    Replay(ReplayArgs),
    /// Try rules, policies and models on recorded markets and attacks, before they act on anybody's funds
    #[command(
        subcommand,
        after_help = "Exit codes: 0 done, 1 could not be done, 2 a configuration broke a bound, 64 usage, 130 stopped by Ctrl-C. Settings are not read."
    )]
    Lab(rampart_lab::cli::LabCommand),
    /// Show settings
    Config {
        /// What to show.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print every metric with what it means, as a keeper that has just started tells it
    Metrics,
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

/// Which running keeper to ask.
#[derive(Clone, Debug, Default, Args)]
pub struct AskArgs {
    /// Base address of the keeper's API [default: http.listen of the settings]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// What to show
    pub kind: crate::history::Kind,
    /// From this moment on: a span before now (90s, 30m, 24h, 7d) or unix seconds
    #[arg(long, value_name = "WHEN", value_parser = history::When::parse)]
    pub since: Option<history::When>,
    /// Before this moment
    #[arg(long, value_name = "WHEN", value_parser = history::When::parse)]
    pub until: Option<history::When>,
    /// Only what concerns this vault
    #[arg(long, value_name = "ADDRESS")]
    pub vault: Option<String>,
    /// Only this rule, position, asset or vault
    #[arg(long, value_name = "ADDRESS")]
    pub subject: Option<String>,
    /// Only this kind of event or sample, or class of decision
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Of this guard [setting: cluster.guard]
    #[arg(long, value_name = "ADDRESS")]
    pub guard: Option<String>,
    /// Rows of the page, at most 500
    #[arg(long, value_name = "ROWS", default_value_t = 50)]
    pub limit: u32,
    /// Goes on where an earlier page ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// Ask a running keeper at this address instead
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// Flags of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Address or name of a rule, group, position, vault or asset; `guard`; or the identity of an intent
    pub subject: String,
    /// Which keeper.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// What to show of the journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// List them, newest first
    Ls(ListArgs),
    /// Show one in full
    Show {
        /// Its identity or signature, or the beginning of it
        id: String,
    },
}

/// Flags of `ls`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this class, such as trip or liquidate
    #[arg(long)]
    pub class: Option<String>,
    /// Only this state, such as landed or unknown
    #[arg(long)]
    pub state: Option<String>,
    /// Only this account
    #[arg(long, value_name = "ADDRESS")]
    pub target: Option<String>,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// Also what was prepared and never sent
    #[arg(long)]
    pub all: bool,
}

/// Flags of `trip`.
#[derive(Debug, Args)]
pub struct TripArgs {
    /// Address or name of the rule or group
    pub rule: String,
    /// Send it without asking
    #[arg(long)]
    pub yes: bool,
    /// Which keeper.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Flags of `pause`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// Class to pause, may be given several times [default: all but trip]
    #[arg(long, value_enum)]
    pub class: Vec<Group>,
    /// Why, for the record and for those on call
    #[arg(long)]
    pub reason: String,
    /// Which keeper.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Flags of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Class to resume, may be given several times [default: all]
    #[arg(long, value_enum)]
    pub class: Vec<Group>,
    /// Which keeper.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Flags of `capture`.
#[derive(Debug, Args)]
pub struct CaptureArgs {
    /// File to record to
    pub file: PathBuf,
    /// End after this many seconds [default: until stopped]
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,
}

/// Flags of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording
    pub file: PathBuf,
    /// Show only what differs from the recording; exit code 1 if anything does
    #[arg(long)]
    pub diff: bool,
}

/// Flags of `init`. Whatever is given is not asked for.
#[derive(Clone, Debug, Default, Args)]
pub struct InitArgs {
    /// Print it instead of writing it
    #[arg(long)]
    pub print: bool,
    /// Ask nothing, also on a terminal
    #[arg(long)]
    pub yes: bool,
    /// Name of the keeper
    #[arg(long)]
    pub name: Option<String>,
    /// JSON-RPC endpoint
    #[arg(long, value_name = "URL")]
    pub rpc_url: Option<String>,
    /// Address of the guard to defend, or the file of one that is to be created
    #[arg(long, value_name = "ADDRESS")]
    pub guard: Option<String>,
    /// Keypair file of the payer
    #[arg(long, value_name = "FILE")]
    pub payer_file: Option<PathBuf>,
    /// Directory of the journal
    #[arg(long, value_name = "DIRECTORY")]
    pub state_dir: Option<PathBuf>,
    /// Do everything except send
    #[arg(long)]
    pub observe: bool,
    /// Make a new key at the payer's file, if there is none
    #[arg(long)]
    pub new_key: bool,
}

/// What to show of settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in effect, with defaults and environment, as TOML; what may be secret is hidden
    Print,
    /// Print the JSON Schema of the settings
    Schema,
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
    pub async fn execute(&self) -> Result<(), KeeperError> {
        let out = self.output();
        let settings = || self.settings(&Overrides::default());
        match &self.command {
            Command::Run(args) => self.run(args.overrides(), |_| {}, None).await,
            Command::Status(args) => status::status(args, out, settings).await,
            Command::History(args) => history::history(args, out, settings).await,
            Command::Watch(args) => watch::watch(args, out, settings).await,
            Command::Explain(args) => explain::explain(args, out, settings).await,
            Command::Doctor => doctor::doctor(&self.config, out).await,
            Command::Fleet { command } => command.execute(out, settings).await,
            Command::Guard { command } => command.execute(out, &settings()?).await,
            Command::Deploy(args) => args.execute(out, settings).await,
            Command::Table { command } => command.execute(out, &settings()?).await,
            Command::Init(args) => init::init(&self.config, args, out),
            Command::Keys => keys::keys(&settings()?, out).await,
            Command::Intents { command } => journal::intents(command, &settings()?, out),
            Command::Txs { command } => journal::txs(command, &settings()?, out),
            Command::Trip(args) => act::trip(args, out, &settings()?).await,
            Command::Pause(args) => act::pause(args, out, &settings()?).await,
            Command::Resume(args) => act::resume(args, out, &settings()?).await,
            Command::Capture(args) => self.capture(args).await,
            Command::Replay(args) => replay::replay(args, out),
            Command::Lab(command) => lab::lab(command.clone(), out).await,
            Command::Config { command: ConfigCommand::Print } => show::config(&settings()?, out),
            Command::Config { command: ConfigCommand::Schema } => show::schema(),
            Command::Metrics => show::text(&crate::metrics::Metrics::new().render()),
            Command::Version => show::version(out),
            Command::Completions { shell } => {
                clap_complete::generate(*shell, &mut Self::command(), "rampart", &mut std::io::stdout());
                Ok(())
            }
        }
    }

    /// Returns how answers and errors are printed.
    pub fn output(&self) -> Output {
        Output { is_json: self.json, command: self.command.name() }
    }

    fn settings(&self, overrides: &Overrides) -> Result<Config, KeeperError> {
        Ok(config::load(&self.config, std::env::vars(), overrides)?)
    }

    /// Runs the keeper with what `change` makes of its settings, until stopped or for as long as `span`.
    async fn run(
        &self,
        overrides: Overrides,
        change: impl Fn(&mut Config) + Send + Sync + 'static,
        span: Option<std::time::Duration>,
    ) -> Result<(), KeeperError> {
        let path = self.config.clone();
        let load = move || -> Result<Config, ConfigError> {
            let mut config = config::load(&path, std::env::vars(), &overrides)?;
            change(&mut config);
            Ok(config)
        };
        let config = load()?;
        show::start_log(&config.log)?;
        let stop = show::stop_signal()?;
        if let Some(span) = span {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(span).await;
                stop.cancel();
            });
        }
        crate::run::run(config, Reload { asked: show::reload_signal()?, load: Box::new(load) }, stop).await
    }

    /// Runs an observer of its own that records: its state lies next to the file, its API on a port of its own.
    async fn capture(&self, args: &CaptureArgs) -> Result<(), KeeperError> {
        let file = args.file.clone();
        let state_dir = file.with_extension("state");
        let overrides = Overrides { observe: true, listen: Some(([127, 0, 0, 1], 0).into()), log_format: None };
        let change = move |config: &mut Config| record_beside(config, &file, &state_dir);
        self.run(overrides, change, args.seconds.map(std::time::Duration::from_secs)).await
    }
}

/// Makes the settings of a keeper those of an observer that records to `file`, next to that keeper.
fn record_beside(config: &mut Config, file: &Path, state_dir: &Path) {
    config.capture.file = Some(file.to_owned());
    state_dir.clone_into(&mut config.keeper.state_dir);
    config.http.token_file = None;
    // the keeper that acts tells these
    config.notify.clear();
    config.takeover = config::Takeover { watch: false, ..config.takeover };
    // its name in the fleet is the keeper's
    config.fleet.mode = config::FleetMode::Single;
}

impl Command {
    const fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Status(_) => "status",
            Self::History(_) => "history",
            Self::Watch(_) => "watch",
            Self::Explain(_) => "explain",
            Self::Doctor => "doctor",
            Self::Fleet { .. } => "fleet",
            Self::Guard { .. } => "guard",
            Self::Deploy(_) => "deploy",
            Self::Table { .. } => "table",
            Self::Init(_) => "init",
            Self::Keys => "keys",
            Self::Intents { .. } => "intents",
            Self::Txs { .. } => "txs",
            Self::Trip(_) => "trip",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Capture(_) => "capture",
            Self::Replay(_) => "replay",
            Self::Lab(_) => "lab",
            Self::Config { .. } => "config",
            Self::Metrics => "metrics",
            Self::Version => "version",
            Self::Completions { .. } => "completions",
        }
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
