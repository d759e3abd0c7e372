//! Tables in Markdown.

use super::file;

/// The text of each cell in a row.
pub(super) type Row = Vec<String>;

/// The rows of the table in a document whose header begins with `first`.
pub(super) fn rows(document: &str, first: &str) -> Vec<Row> {
    let text = file(document);
    let header = format!("| {first} |");
    let mut tables = text.lines().skip_while(|line| !line.starts_with(&header));
    assert!(tables.next().is_some(), "{document} has no table that begins with {header}");
    tables.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// The names in the first column of that table.
pub(super) fn first_column(document: &str, first: &str) -> Vec<String> {
    rows(document, first).iter().flat_map(|row| names(&row[0])).collect()
}

/// The names between backquotes in a cell.
pub(super) fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The names in the first column of every table whose header begins with `first`.
pub(super) fn first_columns(document: &str, first: &str) -> Vec<String> {
    first_rows(document, first).iter().flat_map(|row| names(&row[0])).collect()
}

/// The rows of every table whose header begins with `first`.
pub(super) fn first_rows(document: &str, first: &str) -> Vec<Row> {
    let (text, header) = (file(document), format!("| {first} |"));
    let mut within = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let begins = line.starts_with(&header);
        within = line.starts_with('|') && (within || begins);
        if within && !begins && !line.starts_with("|---") {
            found.push(cells(line));
        }
    }
    found
}

fn cells(line: &str) -> Row {
    line.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}
