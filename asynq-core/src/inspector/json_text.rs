//! [`JsonText`]: a JSON text taken apart without changing it: numbers stay as they are written, keys in their order.

use std::fmt::{self, Write as _};

use serde::de::IgnoredAny;

/// Values within one another, as other readers take them: what is deeper would use up the stack.
const DEEPEST: usize = 128;

/// A JSON value; its parts are those of the text, so that what is shown is what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonText<'a> {
    /// `null`, `true` or `false`.
    Word(&'a str),
    /// A number, with every digit.
    Number(&'a str),
    /// A text, with its quotes and escapes.
    Text(&'a str),
    /// An array.
    List(Vec<Self>),
    /// An object; keys have their quotes and escapes, and may come twice.
    Object(Vec<(&'a str, Self)>),
}

impl<'a> JsonText<'a> {
    /// The value that a text is, if it is one, of at most 128 values in one another.
    ///
    /// ```
    /// use asynq_core::inspector::JsonText;
    ///
    /// let json = JsonText::read(r#"{"id":12345678901234567890,"to":[]}"#).expect("JSON");
    /// assert_eq!(json.to_string(), "{\n  \"id\": 12345678901234567890,\n  \"to\": []\n}");
    /// ```
    pub fn read(text: &'a str) -> Option<Self> {
        // This checks the grammar; what follows only finds where parts begin and end.
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Reader { rest: text, depth: 0 }.value()
    }

    /// The value with which a text begins, whatever follows it, if it is a text, an array or an object.
    pub(super) fn first(text: &'a str) -> Option<(&'a str, Self)> {
        let part = text.get(..end(text)?)?;
        Some((part, Self::read(part)?))
    }

    /// How many values there are in it, itself included.
    pub fn count(&self) -> usize {
        match self {
            Self::Word(_) | Self::Number(_) | Self::Text(_) => 1,
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Object(fields) => 1 + fields.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }

    /// Writes it, with its lines this deep.
    fn lay_out(&self, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(part) | Self::Number(part) | Self::Text(part) => f.write_str(part),
            Self::List(items) => {
                let item = |item: &Self, depth, f: &mut fmt::Formatter<'_>| item.lay_out(depth, f);
                lay_out_between(['[', ']'], items, depth, f, item)
            }
            Self::Object(fields) => {
                lay_out_between(['{', '}'], fields, depth, f, |(key, value), depth, f| {
                    write!(f, "{key}: ")?;
                    value.lay_out(depth, f)
                })
            }
        }
    }
}

/// Writes parts between brackets, each on a line of its own.
fn lay_out_between<T>(
    [open, close]: [char; 2],
    parts: &[T],
    depth: usize,
    f: &mut fmt::Formatter<'_>,
    lay_out: impl Fn(&T, usize, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if parts.is_empty() {
        return write!(f, "{open}{close}");
    }
    f.write_char(open)?;
    for (place, part) in parts.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(f, "{comma}\n{:width$}", "", width = 2 * (depth + 1))?;
        lay_out(part, depth + 1, f)?;
    }
    write!(f, "\n{:width$}{close}", "", width = 2 * depth)
}

/// Laid out over lines, two blanks for each level.
impl fmt::Display for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lay_out(0, f)
    }
}

/// Where the value ends with which a text begins, as far as quotes and brackets tell.
fn end(text: &str) -> Option<usize> {
    let mut closing = Vec::new();
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => loop {
                match bytes.next()?.1 {
                    b'"' => break,
                    b'\\' => drop(bytes.next()),
                    _ => {}
                }
            },
            b'{' | b'[' if closing.len() >= DEEPEST => return None,
            b'{' => closing.push(b'}'),
            b'[' => closing.push(b']'),
            b'}' | b']' if closing.pop() != Some(byte) => return None,
            _ => {}
        }
        if closing.is_empty() {
            // Of a text, this is behind its quotes.
            return Some(if byte == b'"' { text.len() - bytes.len() } else { at + 1 });
        }
    }
    None
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<JsonText<'a>> {
        self.skip();
        Some(match self.rest.as_bytes().first()? {
            b'{' => JsonText::Object(self.items(b'}', |reader| {
                let key = reader.text()?;
                reader.skip();
                reader.take(1)?;
                Some((key, reader.value()?))
            })?),
            b'[' => JsonText::List(self.items(b']', Self::value)?),
            b'"' => JsonText::Text(self.text()?),
            b't' | b'f' | b'n' => JsonText::Word(self.take_while(|byte| byte.is_ascii_alphabetic())?),
            _ => JsonText::Number(
                self.take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))?,
            ),
        })
    }

    /// What stands between brackets, separated by commas.
    fn items<T>(&mut self, end: u8, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.take(1)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut items = Vec::new();
        loop {
            self.skip();
            match self.rest.as_bytes().first()? {
                byte if *byte == end => {
                    self.depth -= 1;
                    self.take(1)?;
                    return Some(items);
                }
                b',' => {
                    self.take(1)?;
                    self.skip();
                }
                _ => {}
            }
            items.push(item(self)?);
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        while *bytes.get(at)? != b'"' {
            at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
        }
        self.take(at + 1)
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> Option<&'a str> {
        let length = self.rest.bytes().take_while(|byte| fits(*byte)).count();
        (length > 0).then(|| self.take(length)).flatten()
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &JsonText<'_>) -> String {
        match json {
            JsonText::Word(text) | JsonText::Number(text) | JsonText::Text(text) => (*text).to_owned(),
            JsonText::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(",")),
            JsonText::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| format!("{key}:{}", written(value)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn nothing_is_changed() {
        for text in [
            "null",
            "-0.10e+05",
            "123456789012345678901234567890.000",
            r#""a\"\\\u0041é😀{}[]:,""#,
            "[]",
            "{}",
            r#"[1,"x",[true,{}],{"b":1.0,"a":[],"b":{"c":null}}]"#,
        ] {
            assert_eq!(written(&JsonText::read(text).unwrap()), text);
            let spaced = format!(" \n{} ", text.replace("],", "] \t,\r\n"));
            assert_eq!(written(&JsonText::read(&spaced).unwrap()), text);
        }
        assert_eq!(JsonText::read(r#"{"a":[1,2],"b":"x"}"#).unwrap().count(), 5);
    }

    #[test]
    fn a_value_is_found_at_the_beginning_of_a_text() {
        for (text, expected) in [
            (r#"{"a":["}"]} and more"#, Some(r#"{"a":["}"]}"#)),
            (r#""é\"b" c"#, Some(r#""é\"b""#)),
            ("[1] [2]", Some("[1]")),
            ("{]}", None),
            ("{a}", None),
            ("[1", None),
            ("\"x", None),
            ("", None),
        ] {
            assert_eq!(JsonText::first(text).map(|(part, _)| part), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_none() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let (open, deepest) = ("[".repeat(100_000), deep(100_000));
        for text in ["", "{", "[1,]", "nul", "01", "\"", "{a:1}", "1 2", &open, &deepest, &deep(129)] {
            assert!(JsonText::read(text).is_none());
        }
        assert!(JsonText::read(&deep(128)).is_some());
        let parts = ["{", "}", "[", "]", ",", ":", "\"", "\\", "1", "é", "true", " ", "\"a\""];
        for _ in 0..50_000 {
            let text: String =
                (0..fastrand::usize(..9)).map(|_| parts[fastrand::usize(..parts.len())]).collect();
            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            assert_eq!(JsonText::read(&text).is_some(), is_json, "{text}");
        }
    }
}
