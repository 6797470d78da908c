//! [`CodecError`]: why a payload could not be written or read, and where.

use std::error::Error;
use std::fmt;

type Source = Box<dyn Error + Send + Sync>;

/// A value could not be encoded, or bytes not decoded. The text says where, as far as that is known; the cause is its
/// source.
///
/// It is stored with the task and logged, so the codecs of this crate keep values out of it: a cause tells the type of
/// what it found, and not what it was. Names of fields and keys of maps are told.
#[derive(Debug)]
pub struct CodecError {
    field: Option<String>,
    position: Option<Position>,
    source: Source,
}

#[derive(Debug)]
enum Position {
    /// Both count from 1.
    Line { line: usize, column: usize },
    /// Bytes before it.
    Byte(usize),
}

impl CodecError {
    /// A failure with this cause.
    pub fn new(source: impl Into<Source>) -> Self {
        Self { field: None, position: None, source: source.into() }
    }

    /// It is in this field, such as `address.lines[2]`.
    #[must_use]
    pub fn in_field(mut self, path: impl Into<String>) -> Self {
        self.field = Some(path.into());
        self
    }

    /// It was noticed at this place of a text, both counted from 1.
    #[must_use]
    pub fn at_line(mut self, line: usize, column: usize) -> Self {
        self.position = Some(Position::Line { line, column });
        self
    }

    /// It was noticed behind so many bytes.
    #[must_use]
    pub fn at_byte(mut self, offset: usize) -> Self {
        self.position = Some(Position::Byte(offset));
        self
    }

    /// All that is known, in one line: where, and why.
    pub(crate) fn reason(&self) -> String {
        let mut reason = String::new();
        if self.field.is_some() || self.position.is_some() {
            reason = format!("{self}: ");
        }
        reason.push_str(&self.source.to_string());
        let mut next = self.source.source();
        while let Some(cause) = next {
            reason = format!("{reason}: {cause}");
            next = cause.source();
        }
        reason
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.position {
            None => None,
            Some(Position::Line { line, column }) => Some(format!("line {line}, column {column}")),
            Some(Position::Byte(offset)) => Some(format!("byte {offset}")),
        };
        match (&self.field, place) {
            (Some(field), Some(place)) => write!(f, "field `{field}` ({place})"),
            (Some(field), None) => write!(f, "field `{field}`"),
            (None, Some(place)) => f.write_str(&place),
            (None, None) => f.write_str("payload has the wrong form"),
        }
    }
}

impl Error for CodecError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
