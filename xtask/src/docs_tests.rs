//! The documentation: its links lead somewhere, the book has every page, every alert a runbook, and the commands of the
//! checks are ones. The keeper's own commands are tried where its command line is.

use crate::cli::Cli;
use crate::files;
use clap::CommandFactory;
use std::path::{Path, PathBuf};

fn pages() -> Vec<PathBuf> {
    let mut found = vec![files::root().join("README.md")];
    for folder in ["docs", "docs/adr"] {
        let entries = std::fs::read_dir(files::root().join(folder)).unwrap();
        found.extend(
            entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "md")),
        );
    }
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Returns the targets of a page's links into the repository, without their anchors.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    targets.map(|target| target.split('#').next().unwrap_or_default()).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    let (mut count, mut dead) = (0, Vec::new());
    for page in pages() {
        let text = read(&page);
        for link in links(&text) {
            count += 1;
            if !page.parent().unwrap().join(link).exists() {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(count > 100, "only {count} links were found");
}

#[test]
fn links_of_the_book_stay_in_it() {
    let docs = files::root().join("docs");
    let leaves = |page: &PathBuf| {
        let text = read(page);
        let depth = page.parent().unwrap().strip_prefix(&docs).unwrap().components().count();
        let out = links(&text).into_iter().filter(|link| link.matches("../").count() > depth);
        out.map(|link| format!("{}: {link}", page.display())).collect::<Vec<_>>()
    };
    // the book and the release's archive hold `docs/` alone
    let found: Vec<String> = pages().iter().filter(|page| page.starts_with(&docs)).flat_map(leaves).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn readme_is_one_screen() {
    let text = read(&files::root().join("README.md"));
    assert!(text.lines().count() <= 60, "{} lines", text.lines().count());
}

#[test]
fn book_has_every_page() {
    let docs = files::root().join("docs");
    let summary = read(&docs.join("SUMMARY.md"));
    let listed = links(&summary);
    let missing: Vec<_> = pages()
        .iter()
        .filter_map(|page| Some(page.strip_prefix(&docs).ok()?.display().to_string()))
        .filter(|page| page != "SUMMARY.md" && !listed.contains(&page.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md lacks {}", missing.join(", "));
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let rules = read(&files::root().join("deploy/prometheus/rampart.rules.yml"));
    let named = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    // those of a fleet are a table on its own page
    let fleet = read(&files::root().join("docs/fleet.md"));
    let mut alerts: Vec<&str> = named.filter(|name| !fleet.contains(&format!("| `{name}` |"))).collect();
    let runbooks = read(&files::root().join("docs/runbooks.md"));
    let mut books: Vec<&str> = runbooks.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    alerts.sort_unstable();
    books.sort_unstable();
    assert_eq!(alerts, books);
}

#[test]
fn every_command_of_the_checks_is_one() {
    let (mut count, mut wrong) = (0, Vec::new());
    for page in pages() {
        let text = read(&page);
        let typed = text.match_indices("cargo xtask ").filter(|(at, _)| text[..*at].ends_with(['`', '\n']));
        for (at, name) in typed {
            let command: String = text[at + name.len()..].chars().take_while(|c| !"`#\n(;,|".contains(*c)).collect();
            let words = command.split("  ").next().unwrap_or_default().split_whitespace();
            let words: Vec<&str> = words.map(|word| if matches!(word, "N" | "S" | "H") { "1" } else { word }).collect();
            count += 1;
            if let Err(error) = Cli::command().try_get_matches_from([&["xtask"][..], &words].concat()) {
                wrong.push(format!("{}: {}: {error}", page.display(), words.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 20, "only {count} commands were found");
}

#[test]
fn image_and_release_are_built_alike() {
    let image = read(&files::root().join("deploy/Dockerfile"));
    let features = format!("--features {} ", crate::release::FEATURES);
    assert!(image.contains(&features), "deploy/Dockerfile builds without `{features}`");
}
