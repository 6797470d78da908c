//! [`EnqueueOption`]: one option of a scheduler entry.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use super::{GoDuration, GoString, GoTime};

/// One option of a scheduler entry. Its text is exactly Go's, and everything that Go or we write reads back.
///
/// # Examples
///
/// ```
/// use asynq_core::wire::EnqueueOption;
///
/// let option = EnqueueOption::Queue("critical".into());
/// assert_eq!(option.to_string(), r#"Queue("critical")"#);
/// assert_eq!(option.to_string().parse(), Ok(option));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnqueueOption {
    /// How often a failed task is tried again. A negative number is written as 0.
    MaxRetry(i64),
    /// The queue.
    Queue(GoString),
    /// Time limit of an attempt.
    Timeout(GoDuration),
    /// When the task must be done.
    Deadline(GoTime),
    /// How long the uniqueness lock lasts.
    Unique(GoDuration),
    /// The earliest time to start.
    ProcessAt(GoTime),
    /// The delay before the task may start.
    ProcessIn(GoDuration),
    /// The task's ID.
    TaskId(GoString),
    /// How long the task is kept after success.
    Retention(GoDuration),
    /// The group to collect the task in.
    Group(GoString),
    /// A header: name and value.
    Header(String, String),
}

/// Not an option as Go or we write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an option string: {0:?}")]
pub struct InvalidOptionString(pub String);

impl EnqueueOption {
    /// The option of this name. How a time is read depends on the reader.
    pub(super) fn read(name: &str, argument: &str, time: fn(&str) -> Option<GoTime>) -> Option<Self> {
        let duration = || argument.parse::<GoDuration>().ok();
        let string = || GoString::unquote(argument);
        Some(match name {
            "MaxRetry" => Self::MaxRetry(argument.parse::<i64>().ok()?.max(0)),
            "Queue" => Self::Queue(string()?),
            "Timeout" => Self::Timeout(duration()?),
            "Deadline" => Self::Deadline(time(argument)?),
            "Unique" => Self::Unique(duration()?),
            "ProcessAt" => Self::ProcessAt(time(argument)?),
            "ProcessIn" => Self::ProcessIn(duration()?),
            "TaskID" => Self::TaskId(string()?),
            "Retention" => Self::Retention(duration()?),
            "Group" => Self::Group(string()?),
            "Header" => {
                let (name, value) = serde_json::from_str(argument).ok()?;
                Self::Header(name, value)
            }
            _ => return None,
        })
    }
}

impl fmt::Display for EnqueueOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxRetry(times) => write!(f, "MaxRetry({})", times.max(&0)),
            Self::Queue(name) => write!(f, "Queue({name:?})"),
            Self::Timeout(limit) => write!(f, "Timeout({limit})"),
            Self::Deadline(at) => write!(f, "Deadline({at})"),
            Self::Unique(ttl) => write!(f, "Unique({ttl})"),
            Self::ProcessAt(at) => write!(f, "ProcessAt({at})"),
            Self::ProcessIn(delay) => write!(f, "ProcessIn({delay})"),
            Self::TaskId(id) => write!(f, "TaskID({id:?})"),
            Self::Retention(keep) => write!(f, "Retention({keep})"),
            Self::Group(name) => write!(f, "Group({name:?})"),
            Self::Header(name, value) => write!(f, "Header([{},{}])", Json(name), Json(value)),
        }
    }
}

impl FromStr for EnqueueOption {
    type Err = InvalidOptionString;

    fn from_str(text: &str) -> Result<Self, InvalidOptionString> {
        text.strip_suffix(')')
            .and_then(|text| text.split_once('('))
            .and_then(|(name, argument)| Self::read(name, argument, GoTime::parse))
            .ok_or_else(|| InvalidOptionString(text.to_owned()))
    }
}

/// A JSON string as Go's encoder writes it: safe to put into HTML.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\x08' => f.write_str("\\b")?,
                '\x0c' => f.write_str("\\f")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    write!(f, "\\u{:04x}", u32::from(c))?;
                }
                _ => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{GoReading, go_readable};

    #[test]
    fn every_kind_reads_back() {
        let options = [
            EnqueueOption::MaxRetry(3),
            EnqueueOption::Queue("a) (b\n".into()),
            EnqueueOption::Timeout(GoDuration(-1)),
            EnqueueOption::Deadline(GoTime::utc(i64::MAX)),
            EnqueueOption::Unique(GoDuration(3_600_000_000_000)),
            EnqueueOption::ProcessAt(GoTime::utc(253_402_300_800)),
            EnqueueOption::ProcessIn(GoDuration(0)),
            EnqueueOption::TaskId(GoString::from(vec![0xff, b'"'])),
            EnqueueOption::Retention(GoDuration(i64::MIN)),
            EnqueueOption::Group("группа".into()),
            EnqueueOption::Header("<k>&\u{2028}".to_owned(), "\0\x08\x7f\")]".to_owned()),
        ];
        for option in options {
            let text = option.to_string();
            assert_eq!(text.parse(), Ok(option));
            assert_ne!(go_readable(&text), GoReading::Panics);
        }
    }

    #[test]
    fn headers_are_escaped_as_gos_encoder_does() {
        let option = EnqueueOption::Header("<k>&\u{2028}".to_owned(), "\0\x08\x0c\t\"\\\x7fé".to_owned());
        assert_eq!(
            option.to_string(),
            "Header([\"\\u003ck\\u003e\\u0026\\u2028\",\"\\u0000\\b\\f\\t\\\"\\\\\x7fé\"])"
        );
    }

    #[test]
    fn nothing_makes_the_readers_panic() {
        let parts = [
            "MaxRetry(",
            "Queue(",
            "Deadline(",
            "Unique(",
            "Header([",
            "Mon Jan  1 ",
            "00:00:00 ",
            "UTC ",
            "GMT+3",
            "2100",
            "\"",
            "'",
            "`",
            "\\",
            "\\x",
            "\\u",
            "\\U",
            "ff",
            "é",
            "9",
            "-",
            ".",
            "h",
            "ms",
            " ",
            ",",
            "]",
            ")",
            "(",
            "\n",
        ];
        for _ in 0..100_000 {
            let text: String =
                (0..fastrand::usize(..9)).map(|_| parts[fastrand::usize(..parts.len())]).collect();
            let read = go_readable(&text);
            if let Ok(option) = text.parse::<EnqueueOption>() {
                let again = option.to_string();
                assert_eq!(again.parse(), Ok(option), "{text}");
            } else {
                assert!(!matches!(read, GoReading::Option(_)) || text.contains(')'), "{text}");
            }
        }
    }
}
