//! The page: one file that loads nothing, in light and dark, with a table for every plot.

use super::plot::{self, DARK};
use super::{Figure, Report, ReportError, Section, Table};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use plotters::style::RGBColor;
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// Returns the page of a report. Text is escaped; plots are drawn by `plot`, which escapes theirs.
///
/// # Errors
/// `Plot`.
pub fn html(report: &Report) -> Result<String, ReportError> {
    let sections: Vec<Markup> =
        report.sections.iter().enumerate().map(|(at, one)| section(at, one)).collect::<Result<_, _>>()?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (report.title) }
                style { (PreEscaped(STYLE)) (PreEscaped(dark())) }
            }
            body {
                header {
                    h1 { (report.title) }
                    @if report.sections.len() > 1 {
                        nav aria-label="Results" {
                            ul {
                                @for (at, one) in report.sections.iter().enumerate() {
                                    li { a href={ "#result-" (at) } { (one.title) } }
                                }
                            }
                        }
                    }
                }
                main { @for one in &sections { (one) } }
            }
        }
    };
    Ok(page.into_string())
}

fn section(at: usize, section: &Section) -> Result<Markup, ReportError> {
    let id = format!("result-{at}");
    let figures: Vec<Markup> = section.figures.iter().map(figure).collect::<Result<_, _>>()?;
    let tables = section.tables.iter().enumerate().map(|(nth, one)| table(&format!("{id}-table-{nth}"), one));
    Ok(html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (section.title) }
            @if section.file.is_empty() {
                p.file { (section.kind) }
            } @else {
                p.file { (section.kind) " · " (section.file) " · sha256 " code { (section.sha256) } }
            }
            @for note in &section.notes { p { (note) } }
            @for one in &figures { (one) }
            @for one in tables { (one) }
        }
    })
}

fn figure(figure: &Figure) -> Result<Markup, ReportError> {
    let svg = plot::svg(figure)?;
    let label = html! { svg role="img" aria-label=(figure.description) {} }.into_string();
    // the drawing's own tag, with the role and the words of ours
    let open = label.trim_end_matches("></svg>");
    let labelled = svg.replacen("<svg", open, 1);
    Ok(html! {
        figure {
            figcaption { strong { (figure.title) } " " (figure.description) }
            (PreEscaped(labelled))
        }
    })
}

fn table(id: &str, table: &Table) -> Markup {
    let is_number = |column: usize| {
        let mut cells = table.rows.iter().filter_map(|row| row.get(column)).filter(|cell| *cell != "-").peekable();
        cells.peek().is_some()
            && cells.all(|cell| cell.starts_with(['-', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']))
    };
    let kinds: Vec<Option<&str>> = (0..table.head.len()).map(|at| is_number(at).then_some("number")).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(id) {
            table {
                caption id=(id) { (table.caption) }
                thead { tr { @for (name, kind) in table.head.iter().zip(&kinds) { th scope="col" class=[*kind] { (name) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (at, cell) in row.iter().enumerate() {
                                @let kind = kinds.get(at).copied().flatten();
                                @if at == 0 { th scope="row" class=[kind] { (cell) } } @else { td class=[kind] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The plots' colours in the dark.
fn dark() -> String {
    let mut text = "@media (prefers-color-scheme: dark) {\n".to_owned();
    for (RGBColor(red, green, blue), dark) in DARK {
        let of = format!("#{red:02X}{green:02X}{blue:02X}");
        // CANNOT fail: a String takes any write.
        let _ = writeln!(text, "svg [fill=\"{of}\"] {{ fill: {dark} }}\nsvg [stroke=\"{of}\"] {{ stroke: {dark} }}");
    }
    text + "}\n"
}
