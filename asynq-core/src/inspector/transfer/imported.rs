//! [`Imported`], [`ImportedLines`], [`ImportError`]: what became of lines.

use crate::error::Error;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imported {
    /// Its task is stored, or would be.
    Stored,
    /// There is such a task already, or one that holds its lock: it was left out.
    Skipped,
    /// It is no task: the first line, the last, or an empty one.
    Nothing,
}

/// What became of several lines.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ImportedLines {
    /// How many tasks are stored, or would be.
    pub stored: usize,
    /// How many were left out: there is such a task already, or one that holds its lock.
    pub skipped: usize,
    /// What was wrong with the first line that could not be imported.
    pub error: Option<ImportError>,
}

impl ImportedLines {
    pub(super) fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.skipped += other.skipped;
        let line = |error: &Option<ImportError>| error.as_ref().map(ImportError::line);
        if line(&self.error).is_none_or(|first| line(&other.error).is_some_and(|line| line < first)) {
            self.error = other.error;
        }
    }
}

/// Why a line could not be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It cannot be read.
    #[error("line {line}, column {column}: {reason}")]
    Unreadable {
        /// Its number, from 1 on.
        line: usize,
        /// Where in it, in bytes from 1 on.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Its task cannot be stored.
    #[error("line {line}")]
    Refused {
        /// Its number, from 1 on.
        line: usize,
        /// Why not.
        source: Error,
    },
    /// The lines ended before the one that says that all were there.
    #[error("line {line}: the export ends here without its last line: it was cut off")]
    CutOff {
        /// How many lines there were.
        line: usize,
    },
}

impl ImportError {
    /// The number of the line, from 1 on.
    pub fn line(&self) -> usize {
        let (Self::Unreadable { line, .. } | Self::Refused { line, .. } | Self::CutOff { line }) = self;
        *line
    }
}
