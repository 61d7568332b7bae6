//! What the screen shows: levels, rules and their distances, sources, what was done.

use crate::error::{self, KeeperError};
use crate::events::{Event, Severity};
use crate::view::{RuleView, View};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};
use std::collections::VecDeque;

/// Facts that are kept for the list.
const KEPT: usize = 200;
const BAR: usize = 16;

/// What the screen shows.
pub(super) struct Screen {
    base: String,
    view: View,
    lost: Option<String>,
    events: VecDeque<Event>,
}

impl Screen {
    pub fn new(base: &str, view: View) -> Self {
        Self { base: base.to_owned(), view, lost: None, events: VecDeque::new() }
    }

    /// Takes a new state in.
    pub fn view(&mut self, view: View) {
        (self.view, self.lost) = (view, None);
    }

    /// The keeper did not answer: what is shown is old.
    pub fn lost(&mut self, error: &KeeperError) {
        self.lost = Some(error::chain(error));
    }

    /// Takes a fact in.
    pub fn event(&mut self, event: Event) {
        self.events.push_front(event);
        self.events.truncate(KEPT);
    }

    pub fn draw(&self, frame: &mut Frame<'_>) {
        let vaults = height(self.view.vaults.len() + self.view.assets.len() + 1);
        let rules = height(self.view.rules.len());
        let parts = Layout::vertical([
            Constraint::Length(4),
            Constraint::Length(vaults.min(12)),
            Constraint::Length(rules.min(14)),
            Constraint::Min(5),
        ]);
        let [head, levels, rules, facts] = parts.areas(frame.area());
        self.draw_head(frame, head);
        self.draw_levels(frame, levels);
        self.draw_rules(frame, rules);
        self.draw_events(frame, facts);
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect) {
        let keeper = &self.view.keeper;
        let state = match (&self.lost, keeper.ready) {
            (Some(lost), _) => Span::from(format!("NO ANSWER: {lost}")).red().bold(),
            (None, true) => Span::from("ready").green(),
            (None, false) => Span::from(format!("NOT READY: {}", keeper.not_ready_reasons.join("; "))).red().bold(),
        };
        let paused: Vec<&str> = keeper.paused.iter().map(|paused| paused.class.as_str()).collect();
        let paused = if paused.is_empty() { String::new() } else { format!("  PAUSED: {}", paused.join(", ")) };
        let sources = keeper.sources.iter().map(|source| {
            let state = if source.up { "up" } else { "DOWN" };
            let text = format!("{} {state} {} ms  ", source.name, source.silent_ms);
            if source.up { Span::from(text) } else { Span::from(text).red() }
        });
        let tx = &keeper.transactions;
        let lines = vec![
            Line::from(vec![
                Span::from(format!("{} {} ({})  slot {}  ", keeper.name, keeper.version, keeper.mode, keeper.slot)),
                state,
                Span::from(paused).yellow().bold(),
            ]),
            Line::from(sources.collect::<Vec<_>>()),
            Line::from(format!(
                "{} lamports  sent {} landed {} lost race {} failed {} expired {} unknown {}",
                keeper.balance_lamports, tx.sent, tx.landed, tx.lost_race, tx.failed, tx.expired, tx.unknown
            )),
            Line::from(format!("{}  q leaves", self.base)).dim(),
        ];
        frame.render_widget(Paragraph::new(lines), area);
    }

    fn draw_levels(&self, frame: &mut Frame<'_>, area: Rect) {
        let guard = std::iter::once(level_row(
            "guard",
            &self.view.guard.address,
            self.view.guard.level,
            &self.view.guard.level_name,
            String::new(),
        ));
        let vaults = self.view.vaults.iter().map(|vault| {
            let detail = format!(
                "{} positions, {} soft, {} liquidatable, price {}",
                vault.positions.count, vault.positions.soft, vault.positions.liquidatable, vault.price.state
            );
            level_row("vault", &vault.name, vault.level, &vault.level_name, detail)
        });
        let assets = self.view.assets.iter().map(|asset| {
            let price = asset.price.mid.clone().or(asset.price.reason.clone()).unwrap_or_default();
            level_row("asset", &asset.symbol, asset.level, &asset.level_name, format!("{} {price}", asset.price.state))
        });
        let widths = [Constraint::Length(6), Constraint::Length(24), Constraint::Length(12), Constraint::Min(20)];
        let table = Table::new(guard.chain(vaults).chain(assets), widths).block(Block::bordered().title("levels"));
        frame.render_widget(table, area);
    }

    fn draw_rules(&self, frame: &mut Frame<'_>, area: Rect) {
        let mut rules: Vec<&RuleView> = self.view.rules.iter().collect();
        // the closest to its threshold first
        rules.sort_by_key(|rule| std::cmp::Reverse(share(rule).unwrap_or(0)));
        let rows = rules.into_iter().map(|rule| {
            let value = rule.value.as_deref().unwrap_or("-");
            let name = if rule.is_in_force { format!("{} *", rule.name) } else { rule.name.clone() };
            let cells = [name, rule.verdict.clone(), bar(rule), format!("{value} of {} {}", rule.threshold, rule.unit)];
            let style = match rule.verdict.as_str() {
                "true" => Style::new().fg(Color::Red),
                "indeterminate" => Style::new().fg(Color::Yellow),
                _ => Style::new(),
            };
            Row::new(cells.map(Cell::from)).style(style)
        });
        let widths = [Constraint::Length(30), Constraint::Length(14), Constraint::Length(18), Constraint::Min(20)];
        let block = Block::bordered().title("rules, the closest first; * holds a level up");
        frame.render_widget(Table::new(rows, widths).block(block), area);
    }

    fn draw_events(&self, frame: &mut Frame<'_>, area: Rect) {
        let lines: Vec<Line<'_>> = self
            .events
            .iter()
            .map(|event| {
                let line = Line::from(format!("slot {:<10} {}", event.slot, event.text));
                match event.severity {
                    Severity::Critical => line.red().bold(),
                    Severity::Warning => line.yellow(),
                    Severity::Info => line,
                }
            })
            .collect();
        frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("what happened, newest first")), area);
    }
}

fn height(rows: usize) -> u16 {
    u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2)
}

fn level_row(kind: &str, name: &str, level: u8, level_name: &str, detail: String) -> Row<'static> {
    let color = match level {
        0 => Color::Green,
        1 => Color::Yellow,
        _ => Color::Red,
    };
    let level = Cell::from(level_name.to_owned()).style(Style::new().fg(color));
    Row::new([Cell::from(kind.to_owned()), Cell::from(name.to_owned()), level, Cell::from(detail)])
}

/// How far a rule is on its way to its threshold, percent; nothing where it is unknown.
fn share(rule: &RuleView) -> Option<u64> {
    let value: u64 = rule.value.as_ref()?.parse().ok()?;
    let (part, whole) = if rule.comparator == "below" { (rule.threshold, value) } else { (value, rule.threshold) };
    Some(part.saturating_mul(100).checked_div(whole).unwrap_or(100).min(100))
}

fn bar(rule: &RuleView) -> String {
    let Some(share) = share(rule) else { return "?".repeat(BAR) };
    let full = usize::try_from(share).unwrap_or(100) * BAR / 100;
    format!("{}{}", "#".repeat(full), ".".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventKind;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn rule(name: &str, value: Option<&str>, verdict: &str) -> RuleView {
        let (comparator, unit) = ("above".to_owned(), "bps".to_owned());
        let (name, verdict) = (name.to_owned(), verdict.to_owned());
        RuleView {
            name,
            verdict,
            value: value.map(str::to_owned),
            threshold: 1_000,
            comparator,
            unit,
            ..RuleView::default()
        }
    }

    #[test]
    fn screen_shows_levels_distances_sources_and_facts() {
        let mut view = View::default();
        view.keeper.name = "keeper-1".into();
        view.keeper.not_ready_reasons = vec!["no source of data is complete".into()];
        view.keeper.paused = vec![crate::view::PausedView { class: "liquidate".into(), ..Default::default() }];
        view.guard.level_name = "Halt".into();
        view.rules = vec![
            rule("far", Some("100"), "clear"),
            rule("near", Some("900"), "between"),
            rule("dark", None, "indeterminate"),
        ];
        let mut screen = Screen::new("http://127.0.0.1:1", view);
        let fact = r#"{"id":4,"ts":1,"slot":9,"kind":"source_up","text":"the subscriptions are up","fields":{},"severity":"info"}"#;
        screen.event(serde_json::from_str(fact).expect("a fact"));
        let mut terminal = Terminal::new(TestBackend::new(110, 30)).expect("a terminal");
        terminal.draw(|frame| screen.draw(frame)).expect("a screen");
        let shown = terminal.backend().to_string();
        for text in [
            "keeper-1",
            "NOT READY: no source of data is complete",
            "PAUSED: liquidate",
            "Halt",
            "the subscriptions are up",
        ] {
            assert!(shown.contains(text), "{text} is missing:\n{shown}");
        }
        let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text} is missing:\n{shown}"));
        assert!(at("near") < at("far"), "the closest first:\n{shown}");
        assert!(shown.contains("##############.."), "{shown}");
        assert_eq!(EventKind::SourceUp.as_str(), "source_up");
        screen.lost(&KeeperError::WrongChain("gone".into()));
        terminal.draw(|frame| screen.draw(frame)).expect("a screen");
        assert!(terminal.backend().to_string().contains("NO ANSWER: gone"));
    }
}
