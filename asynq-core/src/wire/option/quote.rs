//! [`GoString`], and Go's string literals.

use std::fmt;
use std::fmt::Write as _;
use std::str::Chars;

/// A Go string: text in UTF-8 nearly always, but Go does not insist. Its debug form is Go's literal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoString(Vec<u8>);

impl GoString {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, or nothing when it is not UTF-8: then Go could never enqueue with it either.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Reads a Go string literal, as `strconv.Unquote` does: in double quotes, in back quotes, or a single character
    /// in single quotes.
    pub(super) fn unquote(literal: &str) -> Option<Self> {
        let mut rest = literal.chars();
        let bytes = match rest.next()? {
            '`' => {
                let raw = rest.as_str().strip_suffix('`').filter(|raw| !raw.contains('`'))?;
                raw.bytes().filter(|&byte| byte != b'\r').collect()
            }
            quote @ ('"' | '\'') => {
                let mut bytes = Vec::new();
                let mut characters = 0;
                while unquote_char(&mut rest, quote, &mut bytes)? {
                    characters += 1;
                }
                // Two single quotes are nothing in Go's language, yet Go reads them as an empty string.
                let complete = rest.as_str().is_empty() && (quote == '"' || characters <= 1);
                complete.then_some(bytes)?
            }
            _ => return None,
        };
        Some(Self(bytes))
    }
}

impl From<&str> for GoString {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for GoString {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<Vec<u8>> for GoString {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for GoString {
    /// The literal that `strconv.Quote` writes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                quote_char(c, f)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_char('"')
    }
}

fn quote_char(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\t' => f.write_str("\\t"),
        '\n' => f.write_str("\\n"),
        '\x0b' => f.write_str("\\v"),
        '\x0c' => f.write_str("\\f"),
        '\r' => f.write_str("\\r"),
        _ if is_printable(c) => f.write_char(c),
        '\0'..='\x7f' => write!(f, "\\x{:02x}", u32::from(c)),
        '\u{80}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(c)),
        _ => write!(f, "\\U{:08x}", u32::from(c)),
    }
}

/// Whether Go prints the character as it is: letters, marks, numbers, punctuation, symbols and the plain space.
///
/// Rust's debug form of a string goes by the same categories, except for combining marks at its start; so the
/// character is tried behind another. The two may be of different Unicode versions: then they differ in characters
/// that one of them does not know yet, and read each other's literals all the same.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    let mut buffer = [b'a', 0, 0, 0, 0];
    let [_, tail @ ..] = &mut buffer;
    let length = 1 + c.encode_utf8(tail).len();
    std::str::from_utf8(buffer.get(..length).unwrap_or_default())
        .is_ok_and(|text| text.escape_debug().eq(text.chars()))
}

/// Reads one character or escape; `Some(false)` is the closing quote, `None` a mistake.
fn unquote_char(rest: &mut Chars<'_>, quote: char, into: &mut Vec<u8>) -> Option<bool> {
    let mut push = |c: char| into.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    match rest.next()? {
        c if c == quote => return Some(false),
        '\n' => return None,
        '\\' => match rest.next()? {
            'a' => push('\x07'),
            'b' => push('\x08'),
            'f' => push('\x0c'),
            'n' => push('\n'),
            'r' => push('\r'),
            't' => push('\t'),
            'v' => push('\x0b'),
            '\\' => push('\\'),
            c if c == quote => push(c),
            'u' => push(char::from_u32(number(rest, 0, 4, 16)?)?),
            'U' => push(char::from_u32(number(rest, 0, 8, 16)?)?),
            // These give bytes, which need not be UTF-8.
            'x' => into.push(u8::try_from(number(rest, 0, 2, 16)?).ok()?),
            c => into.push(u8::try_from(number(rest, c.to_digit(8)?, 2, 8)?).ok()?),
        },
        c => push(c),
    }
    Some(true)
}

/// Goes on from `number` with this many more digits.
fn number(rest: &mut Chars<'_>, mut number: u32, digits: u32, radix: u32) -> Option<u32> {
    for _ in 0..digits {
        number = number.checked_mul(radix)?.checked_add(rest.next()?.to_digit(radix)?)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_gos_and_read_back() {
        for (bytes, literal) in [
            ("a\"b\\".as_bytes(), r#""a\"b\\""#),
            (b"\x07\x08\x09\x0a\x0b\x0c\x0d\x00\x1b\x7f", r#""\a\b\t\n\v\f\r\x00\x1b\x7f""#),
            ("é очередь 📮 e\u{301}".as_bytes(), "\"é очередь 📮 e\u{301}\""),
            ("\u{301}".as_bytes(), "\"\u{301}\""),
            ("\u{80}\u{a0}\u{ad}\u{200b}\u{feff}".as_bytes(), r#""\u0080\u00a0\u00ad\u200b\ufeff""#),
            ("\u{fffd}\u{e0001}\u{e000}".as_bytes(), "\"\u{fffd}\\U000e0001\\ue000\""),
            (b"a\xffb\xe2\x82", r#""a\xffb\xe2\x82""#),
        ] {
            let string = GoString::from(bytes.to_vec());
            assert_eq!(format!("{string:?}"), literal);
            assert_eq!(GoString::unquote(literal), Some(string));
        }
    }

    #[test]
    fn reads_every_form_of_literal() {
        for (literal, bytes) in [
            ("`a\\n\r\nb`", b"a\\n\nb".as_slice()),
            ("'\"'", b"\""),
            ("'\\''", b"'"),
            ("'\\377'", b"\xff"),
            ("''", b""),
            (r#""\x41\u00e9\U0001F4EE\101'""#, "Aé📮A'".as_bytes()),
        ] {
            assert_eq!(GoString::unquote(literal), Some(GoString::from(bytes.to_vec())), "{literal}");
        }
        for literal in [
            "",
            "\"",
            "a",
            "'",
            "'ab'",
            "`",
            "`a`b`",
            "\"a\"b\"",
            "\"a",
            "\"\n\"",
            r#""\'""#,
            r#""\8""#,
            r#""\400""#,
            r#""\ud800""#,
            r#""\U00110000""#,
            r#""\Uffffffff""#,
            r#""\x4""#,
            r#""\"#,
        ] {
            assert_eq!(GoString::unquote(literal), None, "{literal}");
        }
    }
}
