//! Every `rampart` command that the documentation names is one that this binary takes.

use super::Cli;
use clap::CommandFactory;
use clap::error::ErrorKind;
use std::path::{Path, PathBuf};

/// A line of a fenced block has to be whole; within a sentence a command may be named without what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Block,
    Sentence,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = vec![root.join("README.md"), root.join("migrations/README.md")];
    for folder in ["docs", "docs/adr"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder");
        found.extend(
            entries
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.extension().is_some_and(|e| e == "md")),
        );
    }
    found
}

/// Returns what a document has the reader type that begins with `rampart`.
fn commands(text: &str) -> Vec<(Place, String)> {
    let (mut found, mut is_block) = (Vec::new(), false);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            is_block = !is_block;
        } else if is_block && line.starts_with("rampart ") {
            found.push((Place::Block, line.split(" #").next().unwrap_or_default().to_owned()));
        } else if !is_block {
            let spans = line.split('`').skip(1).step_by(2).filter(|span| span.starts_with("rampart "));
            found.extend(spans.map(|span| (Place::Sentence, span.to_owned())));
        }
    }
    found
}

/// Returns a command in each of the forms that its text stands for: `a|b`, and with what is in brackets.
fn forms(command: &str) -> Vec<Vec<String>> {
    let mut forms = vec![Vec::new()];
    for word in command.split_whitespace().filter(|word| *word != ".." && *word != "..,") {
        let word = word.trim_matches(['[', ']', ',']).trim_end_matches("..");
        let choices: Vec<&str> = word.split('|').collect();
        forms = forms
            .iter()
            .flat_map(|form: &Vec<String>| choices.iter().map(|choice| [form.clone(), vec![stand_in(choice)]].concat()))
            .collect();
    }
    forms
}

/// Returns a value that a placeholder in capitals may have.
fn stand_in(word: &str) -> String {
    match word {
        "N" => "1".into(),
        "HASH" => "ab".repeat(32),
        "MULTISIG_VAULT" | "ASSET" | "KEEPER" => rampart::ID.to_string(),
        _ => word.to_owned(),
    }
}

#[test]
fn every_command_in_the_documentation_is_one() {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document");
        for (place, command) in commands(&text) {
            for form in forms(&command) {
                count += 1;
                let Err(error) = Cli::command().try_get_matches_from(&form) else { continue };
                let is_named = matches!(
                    error.kind(),
                    ErrorKind::DisplayHelp
                        | ErrorKind::MissingRequiredArgument
                        | ErrorKind::MissingSubcommand
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                );
                if place == Place::Block || !is_named {
                    let first = error.to_string().lines().next().unwrap_or_default().to_owned();
                    wrong.push(format!("{}: `{}`: {first}", path.display(), form.join(" ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 60, "only {count} commands were found");
}

#[test]
fn commands_are_found_in_blocks_and_sentences() {
    let text = "Say `rampart run` or `cargo demo`.\n```\nrampart fleet status|ranks   # two\nls\n```\n";
    let found = commands(text);
    assert_eq!(
        found,
        [(Place::Sentence, "rampart run".to_owned()), (Place::Block, "rampart fleet status|ranks  ".to_owned())]
    );
    assert_eq!(forms(&found[1].1).len(), 2);
}
