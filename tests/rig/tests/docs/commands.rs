//! What the documentation has its reader type.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Returns every `rampart` command of the documentation, in each of the forms that its text stands for.
pub fn documented() -> BTreeSet<String> {
    let texts = documents().into_iter().map(|path| std::fs::read_to_string(path).expect("a document"));
    texts.flat_map(|text| commands(&text)).flat_map(|command| forms(&command)).collect()
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
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

/// Lines of fenced blocks, and what a sentence has between backticks.
fn commands(text: &str) -> Vec<String> {
    let (mut found, mut is_block) = (Vec::new(), false);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            is_block = !is_block;
        } else if is_block && line.starts_with("rampart ") {
            found.push(line.split(" #").next().unwrap_or_default().to_owned());
        } else if !is_block {
            let spans = line.split('`').skip(1).step_by(2).filter(|span| span.starts_with("rampart "));
            found.extend(spans.map(str::to_owned));
        }
    }
    found
}

/// Returns a command in each of the forms that its text stands for: `a|b`, and with what is in brackets.
fn forms(command: &str) -> Vec<String> {
    let mut forms = vec![String::new()];
    for word in command.split_whitespace().filter(|word| *word != ".." && *word != "..,") {
        let word = word.trim_matches(['[', ']', ',']).trim_end_matches("..");
        let grown = |form: &String, choice: &str| format!("{form} {choice}").trim_start().to_owned();
        forms = forms.iter().flat_map(|form| word.split('|').map(|choice| grown(form, choice))).collect();
    }
    forms
}

#[test]
fn commands_are_found_in_blocks_and_sentences() {
    let text = "Say `rampart run` or `cargo demo`.\n```\nrampart fleet status|ranks [--json]   # two\nls\n```\n";
    let found = commands(text);
    assert_eq!(found, ["rampart run", "rampart fleet status|ranks [--json]  "]);
    assert_eq!(forms(&found[1]), ["rampart fleet status --json", "rampart fleet ranks --json"]);
}
