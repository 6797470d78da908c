//! [`Reader`]: bytes taken one after the other, and how what is in them is written as JSON.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::encoding::Wrong;

/// Values within one another: fewer than a reader of JSON takes.
pub(super) const DEEPEST: usize = 100;

pub(super) const TOO_EARLY: &str = "it ends too early";
pub(super) const UNKNOWN: &str = "a byte that means nothing";
pub(super) const TOO_DEEP: &str = "values in one another, more than 100,";

/// Bytes that are taken one after the other.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether all were taken.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// What is wrong with what was taken last.
    pub(super) fn wrong(&self, what: &'static str) -> Wrong {
        Wrong { at: self.at, what }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Wrong> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..length));
        let taken = taken.ok_or_else(|| self.wrong(TOO_EARLY))?;
        self.at += length;
        Ok(taken)
    }

    /// As many as a number says that was read before.
    pub(super) fn take_counted(&mut self, length: u64) -> Result<&'a [u8], Wrong> {
        let length = usize::try_from(length).map_err(|_error| self.wrong(TOO_EARLY))?;
        self.take(length)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Wrong> {
        self.take(1).map(|bytes| bytes.first().copied().unwrap_or_default())
    }

    /// A number of so many bytes, the largest first.
    pub(super) fn number(&mut self, width: usize) -> Result<u64, Wrong> {
        let digits = self.take(width)?;
        Ok(digits.iter().fold(0, |number, digit| (number << 8) | u64::from(*digit)))
    }

    /// The same, the smallest first.
    pub(super) fn little(&mut self, width: usize) -> Result<u64, Wrong> {
        let digits = self.take(width)?;
        Ok(digits.iter().rfold(0, |number, digit| (number << 8) | u64::from(*digit)))
    }

    /// Nothing, if all were taken.
    pub(super) fn end(&self) -> Result<(), Wrong> {
        if self.is_at_end() { Ok(()) } else { Err(self.wrong("more follows")) }
    }
}

/// A text as JSON has it.
pub(super) fn quoted(text: &str) -> String {
    // A text always has a form in JSON.
    serde_json::to_string(text).unwrap_or_default()
}

/// Bytes as a text of JSON.
pub(super) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => quoted(text),
        Err(_) => format!("\"base64:{}\"", STANDARD.encode(bytes)),
    }
}

/// A floating point number, which JSON has not all of.
pub(super) fn float(number: f64) -> String {
    finite(number, number.is_finite())
}

/// One of single precision: with fewer digits.
pub(super) fn single(number: f32) -> String {
    finite(number, number.is_finite())
}

fn finite(number: impl Debug, is_finite: bool) -> String {
    if is_finite { format!("{number:?}") } else { format!("\"{number:?}\"") }
}

/// A value as the name of a field.
pub(super) fn name(value: String) -> String {
    if value.starts_with('"') { value } else { quoted(&value) }
}
