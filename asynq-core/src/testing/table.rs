//! [`Table`]: rows with aligned columns, for the messages of assertions.

use std::fmt;

/// The longest text of a cell, in characters.
const WIDEST: usize = 80;

/// Rows with aligned columns.
pub(super) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned)] }
    }

    /// Adds a row. Line ends become spaces, and what is too long is cut.
    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| cut(&cell)));
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("  {cell:<width$}"));
            let line: String = cells.collect();
            let end = if index + 1 < self.rows.len() { "\n" } else { "" };
            write!(f, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}

fn cut(text: &str) -> String {
    let line = text.replace(['\n', '\r', '\t'], " ");
    if line.chars().count() <= WIDEST {
        return line;
    }
    line.chars().take(WIDEST - 1).chain(['…']).collect()
}

/// A payload to read: as text if it is one, else how long it is.
pub(super) fn payload_text(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("({} bytes)", payload.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_bounded() {
        let mut table = Table::new(["job", "payload"]);
        table.row(["äöü:x".to_owned(), "a\nb".to_owned()]);
        table.row(["x".to_owned(), "ß".repeat(100)]);
        let long = "ß".repeat(79);
        assert_eq!(table.to_string(), format!("  job    payload\n  äöü:x  a b\n  x      {long}…"));
        assert_eq!(payload_text(&[0xff, 0]), "(2 bytes)");
    }
}
