//! A file against the chain: what differs, and doing it.

use super::way::{Way, WayArgs};
use super::{Answer, refused_plan};
use crate::cli::chain::asked;
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::file::GuardFile;
use crate::guard::plan::{Mints, Only, Plan, Step, Terms, plan};
use crate::guard::spec::Part;
use crate::guard::view::{decimals_of, in_words};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `guard plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The guard's file
    pub file: PathBuf,
}

/// Arguments of `guard apply` and `guard create`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The guard's file
    pub file: PathBuf,
    /// Send it without showing it first
    #[arg(long)]
    pub yes: bool,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard add-vault`.
#[derive(Debug, Args)]
pub struct AddVaultArgs {
    /// Name of the vault in the file
    pub vault: String,
    /// What to do.
    #[command(flatten)]
    pub apply: ApplyArgs,
}

/// Arguments of `guard set-rule`.
#[derive(Debug, Args)]
pub struct SetRuleArgs {
    /// Number of the rule in the file
    pub rule: u16,
    /// What to do.
    #[command(flatten)]
    pub apply: ApplyArgs,
}

/// Says what would be done.
pub(super) async fn show_plan(args: &PlanArgs, config: &Config) -> Result<Answer, KeeperError> {
    let file = read_file(&args.file)?;
    let way = WayArgs { guard: Some(file.address()), dry_run: true, ..WayArgs::default() };
    let way = Way::open(&way, config).await?;
    let plan = planned(&file, &way, Only::All).await?;
    let hint = format!("`rampart guard apply {} --yes` does it\n", args.file.display());
    Ok(answer(&plan, &way, &if plan.steps.is_empty() { String::new() } else { hint }, Value::Null))
}

/// Does it: in order, each act tried before it is sent, and nothing after the first that is refused.
pub(super) async fn apply(args: &ApplyArgs, only: Only, config: &Config) -> Result<Answer, KeeperError> {
    bring(&read_file(&args.file)?, args, only, config).await
}

/// The same, of a file that is read.
async fn bring(file: &GuardFile, args: &ApplyArgs, only: Only, config: &Config) -> Result<Answer, KeeperError> {
    let flags = WayArgs { guard: Some(file.address()), ..args.way.clone() };
    let is_asked = args.yes || flags.export.is_some() || flags.dry_run;
    // a plan that is only shown needs no key
    let opening = WayArgs { dry_run: flags.dry_run || !is_asked, ..flags.clone() };
    let way = Way::open(&opening, config).await?;
    let plan = planned(file, &way, only).await?;
    if plan.steps.is_empty() || !is_asked {
        let hint = if plan.steps.is_empty() { "" } else { "nothing is sent; `--yes` sends it\n" };
        return Ok(answer(&plan, &way, hint, Value::Null));
    }
    let mut done = Vec::new();
    for step in &plan.steps {
        let told = carry_out(step, &flags, config).await;
        match told {
            Ok(told) => done.push(told),
            // what depends on acts before it can't be tried while these are only tried
            Err(error) if flags.dry_run && !done.is_empty() => {
                done.push(Answer { data: json!({ "error": error.to_string() }), text: format!("{error}\n") });
            }
            Err(error) => return Err(stopped(&error, done.len(), plan.steps.len())),
        }
    }
    let text: String = done.iter().map(|told| told.text.as_str()).collect();
    Ok(answer(&plan, &way, &text, done.into_iter().map(|told| told.data).collect()))
}

/// Brings a vault and its assets to what the file says.
pub(super) async fn add_vault(args: &AddVaultArgs, config: &Config) -> Result<Answer, KeeperError> {
    let file = read_file(&args.apply.file)?;
    let vault = file.vaults.iter().find(|vault| vault.name == args.vault).ok_or_else(|| KeeperError::Refused {
        what: format!("no vault of the file is named `{}`", args.vault),
        hint: format!("it has {}", file.vaults.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", ")),
    })?;
    let names = vec![vault.name.clone(), vault.collateral.clone(), vault.loan.clone()];
    bring(&file, &args.apply, Only::Named(names), config).await
}

/// Brings a rule to what the file says.
pub(super) async fn set_rule(args: &SetRuleArgs, config: &Config) -> Result<Answer, KeeperError> {
    let file = read_file(&args.apply.file)?;
    if !file.rules.iter().any(|rule| rule.id == args.rule) {
        let has = file.rules.iter().map(|rule| rule.id.to_string()).collect::<Vec<_>>().join(", ");
        return Err(KeeperError::Refused {
            what: format!("no rule of the file has the number {}", args.rule),
            hint: format!("it has {has}"),
        });
    }
    bring(&file, &args.apply, Only::Named(vec![format!("rule {}", args.rule)]), config).await
}

async fn carry_out(step: &Step, flags: &WayArgs, config: &Config) -> Result<Answer, KeeperError> {
    // read anew: the acts before it have changed the guard
    Way::open(flags, config).await?.carry_out(&step.act).await
}

fn stopped(error: &KeeperError, done: usize, all: usize) -> KeeperError {
    KeeperError::Refused { what: format!("{done} of {all} acts are done; {error}"), hint: error.hint() }
}

fn read_file(path: &Path) -> Result<GuardFile, KeeperError> {
    let refused = |why: String| KeeperError::Refused {
        what: format!("guard file `{}`: {why}", path.display()),
        hint: "deploy/guards holds files to start from; docs/governance.md says what each section means".into(),
    };
    let text = std::fs::read_to_string(path).map_err(|source| refused(source.to_string()))?;
    let file = GuardFile::read(&text).map_err(|source| refused(source.to_string().trim_end().to_owned()))?;
    match file.placeholder() {
        Some(key) => Err(refused(format!("`{key}` stands for a key that nobody has: put your own there"))),
        None => Ok(file),
    }
}

async fn planned(file: &GuardFile, way: &Way<'_>, only: Only) -> Result<Plan, KeeperError> {
    let mints = mints(file, way).await?;
    let roles = way.snapshot.guard.as_ref().map_or_else(|| file.roles.value(), |guard| guard.roles);
    let tightens = way.authority("the root or the risk admin", &[roles.root, roles.risk_admin]).ok();
    let terms = Terms { tightens, expires_at_ts: way.expires_at_ts(), now_ts: way.snapshot.now_ts(), only };
    plan(file, &way.snapshot, &mints, terms).map_err(|error| refused_plan(&error))
}

/// Asks which program each mint belongs to that the guard doesn't know yet.
async fn mints(file: &GuardFile, way: &Way<'_>) -> Result<Mints, KeeperError> {
    let keys: Vec<_> = file.assets.iter().map(|asset| asset.mint.0).collect();
    let listing = way.rpc.accounts(&keys).await.map_err(|source| asked("ask for mints", source))?;
    let there = listing.updates.into_iter().filter(|update| !update.is_absent());
    Ok(there.map(|update| (update.key, update.owner)).collect())
}

fn answer(plan: &Plan, way: &Way, end: &str, results: Value) -> Answer {
    let steps: Vec<Value> = plan.steps.iter().map(step_json).collect();
    let lines: String = plan.steps.iter().map(|step| step_text(step, way)).collect();
    let notes: String = plan.notes.iter().map(|note| format!("note: {note}\n")).collect();
    let count = |kind: &str| plan.steps.iter().filter(|step| step.kind == kind).count();
    let (create, tighten, propose) = (count("create"), count("tighten"), count("propose"));
    let sum = match plan.steps.len() {
        0 => "nothing to do: the guard is as the file says\n".to_owned(),
        _ => format!("{create} to create, {tighten} to hold at once, {propose} to propose\n"),
    };
    let data = json!({
        "guard": way.snapshot.key.to_string(), "steps": steps, "notes": plan.notes, "results": results,
        "create": create, "tighten": tighten, "propose": propose,
    });
    Answer { data, text: format!("guard {}\n{lines}{notes}{sum}{end}", way.snapshot.key) }
}

fn step_json(step: &Step) -> Value {
    let signers: Vec<String> = step.act.signers.iter().map(ToString::to_string).collect();
    json!({
        "subject": step.subject, "kind": step.kind, "what": step.act.what, "when": step.act.when,
        "target": step.act.target.to_string(), "moves": step.act.moves, "signers": signers,
    })
}

fn step_text(step: &Step, way: &Way) -> String {
    let sign = match step.kind {
        "create" => '+',
        "tighten" => '!',
        _ => '~',
    };
    let decimals = decimals_of(&way.snapshot, &step.act.target);
    let moves: String = step.act.moves.iter().map(|moved| format!("    {}\n", in_words(moved, decimals))).collect();
    format!("{sign} {}: {}, {}\n{moves}", step.subject, step.act.what, step.act.when)
}
