//! `guard simulate`: what a text that a multisig was given would do.

use super::Answer;
use super::way::{Way, WayArgs};
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::act::Act;
use crate::guard::import::{Imported, described, read};
use clap::Args;
use serde_json::json;
use solana_sdk::pubkey::Pubkey;
use std::collections::BTreeSet;

/// Flags of `guard simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// What was exported: one message in base58, or the instructions of one proposal in base64, in their order; `-` reads
    /// them from standard input
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// Who would pay [default: the payer that the text names, else the first that signs]
    #[arg(long = "as", value_name = "ADDRESS")]
    payer: Option<Pubkey>,
    /// Another guard than that of the settings [setting: cluster.guard]
    #[arg(long, value_name = "ADDRESS")]
    guard: Option<Pubkey>,
}

/// Says what the texts are and tries them on a node as one transaction; nothing is signed.
pub(super) async fn simulate(args: &SimulateArgs, config: &Config) -> Result<Answer, KeeperError> {
    let imported = imported(&args.texts)?;
    let payer = args.payer.or(imported.payer);
    let way =
        WayArgs { dry_run: true, authorities: payer.into_iter().collect(), guard: args.guard, ..WayArgs::default() };
    let way = Way::open(&way, config).await?;
    let lines: Vec<String> = imported.instructions.iter().map(described).collect();
    let act = act(way.snapshot.key, payer, imported);
    let told = way.carry_out(&act).await?;
    let numbered = lines.iter().zip(1..).map(|(line, at)| format!("{at}. {line}\n"));
    let mut data = told.data;
    data["instructions"] = json!(lines);
    Ok(Answer { data, text: numbered.collect::<String>() + &told.text })
}

fn act(guard: Pubkey, payer: Option<Pubkey>, imported: Imported) -> Act {
    let metas = imported.instructions.iter().flat_map(|instruction| &instruction.accounts);
    let signing: BTreeSet<Pubkey> = metas.filter(|meta| meta.is_signer).map(|meta| meta.pubkey).collect();
    let names: Vec<String> = signing.iter().map(Pubkey::to_string).collect();
    let signers = payer.into_iter().chain(signing.iter().copied().filter(|key| Some(*key) != payer)).collect();
    let when = if names.is_empty() { "nobody signs it".into() } else { format!("signed by {}", names.join(", ")) };
    Act {
        what: "what the text holds".into(),
        target: guard,
        instructions: imported.instructions,
        signers,
        moves: Vec::new(),
        when,
        lasting: None,
    }
}

/// Joins the instructions of one proposal; a message is whole by itself.
fn imported(texts: &[String]) -> Result<Imported, KeeperError> {
    let hint = "paste what `--export squads` or `--export realms` printed, or what the multisig shows as its import";
    let refuse = |what: String| KeeperError::Refused { what, hint: hint.into() };
    let lines = match texts {
        [only] if only == "-" => {
            let read = std::io::read_to_string(std::io::stdin());
            let text = read.map_err(|source| refuse(format!("standard input can't be read: {source}")))?;
            text.split_whitespace().map(str::to_owned).collect()
        }
        texts => texts.to_vec(),
    };
    let mut all = lines.iter().map(|line| read(line).map_err(|error| refuse(error.to_string())));
    let mut joined = all.next().unwrap_or_else(|| Err(refuse("there is no text".into())))?;
    for next in all {
        let next = next?;
        if joined.payer.is_some() && next.payer.is_some() && joined.payer != next.payer {
            return Err(refuse(
                "the texts name different payers, so they aren't one proposal: try one at a time".into(),
            ));
        }
        joined.payer = joined.payer.or(next.payer);
        joined.instructions.extend(next.instructions);
    }
    Ok(joined)
}
