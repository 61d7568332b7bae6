//! The parts of a section from Markdown: results whose own text already holds all that there is to say.

use super::Table;

/// Returns paragraphs as notes and tables as tables, each with the head of its first column as its caption.
pub fn parts(text: &str) -> (Vec<String>, Vec<Table>) {
    let (mut notes, mut tables) = (Vec::new(), Vec::new());
    for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        match table(block) {
            Some(rows) => tables.push(rows),
            None => notes.push(plain(&block.replace('\n', " "))),
        }
    }
    (notes, tables)
}

fn table(block: &str) -> Option<Table> {
    let mut lines = block.lines();
    let head = cells(lines.next()?)?;
    cells(lines.next()?).filter(|rule| rule.iter().all(|cell| cell.contains("---")))?;
    let rows = lines.map(cells).collect::<Option<Vec<_>>>()?;
    let caption = head.first().cloned().unwrap_or_default();
    Some(Table { caption, head, rows })
}

fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| plain(cell.trim())).collect())
}

fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_become_notes_and_tables_tables() {
        let (notes, tables) = parts("**One.** `two`\nlines\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n\nlast\n");
        assert_eq!(notes, ["One. two lines", "last"]);
        let table =
            Table { caption: "a".into(), head: vec!["a".into(), "b".into()], rows: vec![vec!["x".into(), "1".into()]] };
        assert_eq!(tables, [table]);
    }
}
