//! What to say about bytes that could not be decoded: in which field, and why, but not what was in them.
//!
//! Only failures come here: reading begins a second time to find the field.

use std::fmt::Write;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_path_to_error::{Segment, Track};

use super::CodecError;

/// Most bytes of one name in a path, of a path and of a message: names and messages come from the payload, too.
const LONGEST_NAME: usize = 40;
const LONGEST_PATH: usize = 200;
const LONGEST_MESSAGE: usize = 300;

/// The field in which reading a `T` breaks off, if it is in one.
pub(super) fn path<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Option<String> {
    PathIn::<T>::deserialize(deserializer).ok()?.path
}

/// Reads as `T`; succeeds with the path when that fails. To ask a codec for whose deserializer cannot be had.
pub(super) struct PathIn<T> {
    pub(super) path: Option<String>,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PathIn<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut track = Track::new();
        let read = T::deserialize(serde_path_to_error::Deserializer::new(deserializer, &mut track));
        let path = if read.is_err() { text(&track.path()) } else { None };
        Ok(Self { path, of: PhantomData })
    }
}

/// A path as in `address.lines[2]`; none where nothing is known.
fn text(path: &serde_path_to_error::Path) -> Option<String> {
    if path.iter().all(|segment| matches!(segment, Segment::Unknown)) {
        return None;
    }
    let mut text = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => {
                // Writing to a text cannot fail.
                _ = write!(text, "[{index}]");
                continue;
            }
            Segment::Map { key } => cut(key.escape_debug().collect(), LONGEST_NAME),
            Segment::Enum { variant } => cut(variant.escape_debug().collect(), LONGEST_NAME),
            Segment::Unknown => "?".to_owned(),
        };
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&name);
    }
    Some(cut(text, LONGEST_PATH))
}

/// The error of `serde_json`, for JSON of any dialect.
pub(super) fn json_error(error: &serde_json::Error, path: Option<String>) -> CodecError {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let message = match error.classify() {
        Category::Data => without_values(message),
        Category::Syntax => format!("not JSON: {message}"),
        Category::Eof | Category::Io => message.to_owned(),
    };
    let explained = explained(message, path);
    if error.line() == 0 { explained } else { explained.at_line(error.line(), error.column()) }
}

/// A failure with this message, in this field if it is in one.
pub(super) fn explained(message: String, path: Option<String>) -> CodecError {
    let error = CodecError::new(message);
    match path {
        Some(path) => error.in_field(path),
        None => error,
    }
}

/// A message of serde's without the value that it tells: `invalid type: string "secret", expected u32` becomes `invalid
/// type: string, expected u32`. What a type says of itself stays, but for what it quotes.
pub(super) fn without_values(message: &str) -> String {
    const NAMES: [&str; 3] = ["missing field `", "duplicate field `", "unknown field `"];
    let text = if NAMES.iter().any(|names| message.starts_with(names)) {
        message.escape_debug().collect()
    } else if let Some((found, expected)) = message.rsplit_once(", expected ") {
        let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
        format!("{kind}, expected {expected}")
    } else {
        unquoted(message)
    };
    cut(text, LONGEST_MESSAGE)
}

/// Every quotation replaced by dots; one that does not end runs to the end.
fn unquoted(message: &str) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some((before, quoted)) = rest.split_once(['"', '`']) {
        text.push_str(before);
        text.push('…');
        rest = quoted.split_once(['"', '`']).map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text
}

fn cut(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        let end = (0..=longest).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_tell_kinds_and_not_values() {
        for (message, said) in [
            (r#"invalid type: string "secret", expected u32"#, "invalid type: string, expected u32"),
            (r#"invalid type: string "a, expected b", expected u32"#, "invalid type: string, expected u32"),
            ("invalid value: integer `300`, expected u8", "invalid value: integer, expected u8"),
            (
                "unknown variant `secret`, expected one of `a`, `b`",
                "unknown variant, expected one of `a`, `b`",
            ),
            ("missing field `to`", "missing field `to`"),
            ("unknown field `too`, expected `to`", "unknown field `too`, expected `to`"),
            (r#"failed to parse "secret" as a date"#, "failed to parse … as a date"),
            (r#"failed to parse "secr"et"#, "failed to parse …et"),
            (r#"failed to parse "secret"#, "failed to parse …"),
            ("too short", "too short"),
        ] {
            assert_eq!(without_values(message), said);
        }
        assert!(without_values(&"ä".repeat(1_000)).len() < 310);
    }
}
