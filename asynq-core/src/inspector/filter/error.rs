//! [`FilterError`]: what is wrong in the text of a filter, and where.

use std::fmt;
use std::ops::Range;

/// What is wrong in the text of a filter, and where. Its text has three lines: what is wrong and what is allowed, the
/// filter, and a mark below the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    reason: String,
    text: String,
    place: Range<usize>,
}

impl FilterError {
    pub(super) fn new(reason: impl Into<String>, text: &str, place: Range<usize>) -> Self {
        Self { reason: reason.into(), text: text.to_owned(), place }
    }

    /// What is wrong, and what is allowed: one line.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Where: bytes of the filter's text.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars = |range: Range<usize>| self.text.get(range).map_or(0, |part| part.chars().count());
        let (before, marked) = (chars(0..self.place.start), chars(self.place.clone()).max(1));
        writeln!(f, "{}", self.reason)?;
        writeln!(f, "  {}", self.text.replace(char::is_control, " "))?;
        write!(f, "  {:before$}{}", "", "^".repeat(marked))
    }
}

impl std::error::Error for FilterError {}
