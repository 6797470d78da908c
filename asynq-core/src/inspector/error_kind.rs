//! [`ErrorKind`]: what errors have in common that differ in numbers, addresses and names alone.

use std::fmt;

/// The longest text of a kind, in characters.
const LONGEST: usize = 300;

/// A run of hexadecimal digits counts as one thing from this length on, if it has a digit and a letter.
const LEAST_HEX: usize = 6;

/// An error's text without what differs from one task to the next: its first line, with a `*` in place of each number, hash,
/// UUID and quoted text. Errors of one kind have one cause, more or less.
///
/// # Examples
///
/// ```
/// use asynq_core::inspector::ErrorKind;
///
/// let kind = ErrorKind::of("dial tcp 10.0.0.7:25: i/o timeout after 1.5s");
/// assert_eq!(kind.as_str(), "dial tcp *: i/o timeout after *s");
/// assert_eq!(ErrorKind::of(r#"no user "ann""#), ErrorKind::of(r#"no user "bob""#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorKind(String);

impl ErrorKind {
    /// The kind of an error. That of a kind's text is the kind itself.
    pub fn of(error: &str) -> Self {
        let line = error.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let mut chars: Vec<char> = line.chars().take(LONGEST).collect();
        while chars.pop_if(|last| last.is_whitespace()).is_some() {}
        let mut kind = String::with_capacity(chars.len());
        let mut at = 0;
        while let Some(&first) = chars.get(at) {
            let rest = chars.get(at..).unwrap_or_default();
            let before = at.checked_sub(1).and_then(|before| chars.get(before)).copied();
            if let Some(length) = quoted(rest, before) {
                // A kind is never longer than its error.
                kind.push(first);
                if length > 2 {
                    kind.push('*');
                }
                kind.push(first);
                at += length;
            } else if let Some(length) = varying(rest, before) {
                // What stands side by side is one thing: an address with its port, a version.
                let joins = kind.strip_suffix(['.', ':']).is_some_and(|start| start.ends_with('*'));
                if joins {
                    kind.pop();
                } else if !kind.ends_with('*') {
                    kind.push('*');
                }
                at += length;
            } else {
                kind.push(first);
                at += 1;
            }
        }
        Self(kind)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The filter that finds its tasks.
    pub fn filter(&self) -> String {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        format!("error_kind:\"{escaped}\"")
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long the quoted text is that begins here, with its quotes. An apostrophe within a word is no quote.
fn quoted(text: &[char], before: Option<char>) -> Option<usize> {
    let quote = *text.first()?;
    if !['"', '\'', '`'].contains(&quote) || before.is_some_and(is_word) {
        return None;
    }
    let end = (1..text.len()).find(|end| {
        let follows = text.get(end + 1).copied();
        text.get(*end) == Some(&quote) && !follows.is_some_and(is_word)
    })?;
    Some(end + 1)
}

/// Whether this is a part of a word, or stands for one.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '*'
}

/// How long the number, hash or UUID is that begins here.
fn varying(text: &[char], before: Option<char>) -> Option<usize> {
    let is_hex = |c: &char| c.is_ascii_hexdigit();
    let is_inside = before.is_some_and(is_word);
    if !is_inside {
        if let Some(length) = uuid(text) {
            return Some(length);
        }
        if let ['0', 'x' | 'X', rest @ ..] = text
            && rest.first().is_some_and(is_hex)
        {
            return Some(2 + rest.iter().take_while(|c| is_hex(c)).count());
        }
        let length = text.iter().take_while(|c| is_hex(c)).count();
        let word = text.get(..length).unwrap_or_default();
        let ends = text.get(length).is_none_or(|c| !is_word(*c));
        let is_mixed = word.iter().any(char::is_ascii_digit) && !word.iter().all(char::is_ascii_digit);
        if length >= LEAST_HEX && ends && is_mixed {
            return Some(length);
        }
    }
    let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
    (digits > 0).then_some(digits)
}

/// How long the UUID is that begins here.
fn uuid(text: &[char]) -> Option<usize> {
    const LENGTH: usize = 36;
    let candidate = text.get(..LENGTH)?;
    let fits = candidate.iter().enumerate().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => *c == '-',
        _ => c.is_ascii_hexdigit(),
    });
    let ends = text.get(LENGTH).is_none_or(|c| !is_word(*c));
    (fits && ends).then_some(LENGTH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inspector::Filter;

    #[test]
    fn what_varies_is_left_out() {
        for (error, kind) in [
            ("", ""),
            ("it broke", "it broke"),
            ("\n  first line \nsecond", "first line"),
            ("dial tcp 10.0.0.7:25: i/o timeout", "dial tcp *: i/o timeout"),
            ("user 12345 of 7", "user * of *"),
            ("user123 not found", "user* not found"),
            ("took 1.25s, 3m5s", "took *s, *m*s"),
            ("job 7f3e1a90-12ab-4cde-8f00-0123456789ab failed", "job * failed"),
            ("at 0xDEADBEEF in deadbeef42", "at * in *"),
            ("decade facade", "decade facade"),
            ("commit 3f9a2c1 is gone", "commit * is gone"),
            (r#"no such file "/tmp/a b": 'x' `y`"#, r#"no such file "*": '*' `*`"#),
            ("can't read what isn't there", "can't read what isn't there"),
            ("it's an \"open quote", "it's an \"open quote"),
            ("HTTP 503 ünicode 7é", "HTTP * ünicode *é"),
            ("[::1]:6379 refused", "[::*]:* refused"),
        ] {
            assert_eq!(ErrorKind::of(error).as_str(), kind, "{error}");
        }
        assert!(ErrorKind::of(&"x ".repeat(50_000)).as_str().len() <= 4 * LONGEST);
    }

    proptest! {
        #[test]
        fn a_kind_is_its_own_kind_and_its_filter_is_one(error in r#"[a-f0-9x'"`.: *\\-]{0,60}|\PC{0,400}"#) {
            let kind = ErrorKind::of(&error);
            prop_assert_eq!(&ErrorKind::of(kind.as_str()), &kind);
            prop_assert!(kind.filter().parse::<Filter>().is_ok(), "{}", kind.filter());
        }
    }
}
