//! [`Link`]: addresses of our own pages, with names of any characters in them.
//!
//! A name is one segment of a path, percent-encoded. Browsers take `.` and `..` for folders even when they are encoded,
//! and no path has an empty segment; so these names, and those that begin with `~`, get a `~` in front.

use std::borrow::Cow;
use std::fmt;

/// An address below the place where the Web UI is mounted.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    text: String,
    has_query: bool,
}

impl Link {
    /// The first page; `base` is empty, or a path without a slash at its end.
    pub(crate) fn new(base: &str) -> Self {
        Self { text: format!("{base}/"), has_query: false }
    }

    /// One segment further.
    pub(crate) fn to(mut self, name: &str) -> Self {
        if !self.text.ends_with('/') {
            self.text.push('/');
        }
        if matches!(name, "" | "." | "..") || name.starts_with('~') {
            self.text.push('~');
        }
        encode(name, &mut self.text);
        self
    }

    /// With this in the query.
    pub(crate) fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        encode(name, &mut self.text);
        self.text.push('=');
        encode(&value.to_string(), &mut self.text);
        self
    }

    /// The same, if there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl maud::Render for Link {
    fn render_to(&self, buffer: &mut String) {
        self.text.as_str().render_to(buffer);
    }
}

/// A text as it may stand in a query or a form.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode(text, &mut out);
    out
}

/// The name that a segment of a path stands for, once it is decoded.
pub(crate) fn name(segment: &str) -> &str {
    segment.strip_prefix('~').unwrap_or(segment)
}

/// A segment of a path as it was before it was percent-encoded; `None` where that is no text.
pub(crate) fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut left = segment.as_bytes();
    while let [first, rest @ ..] = left {
        left = rest;
        let digit = |at: usize| rest.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).ok()?);
                left = rest.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

const HEX: [u8; 16] = *b"0123456789ABCDEF";

/// What may stand in a path and in a query as it is, and the rest by number.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.extend([byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)])));
            }
        }
    }
}

/// A path of our own that a form gives back to return to: anything else leads to the first page.
pub(crate) fn own_path<'a>(base: &str, given: &'a str) -> Cow<'a, str> {
    let is_own = given.strip_prefix(base).is_some_and(|rest| {
        rest.starts_with('/')
            && !rest.starts_with("//")
            && !rest.contains(|c: char| c == '\\' || c.is_control())
    });
    if is_own { Cow::Borrowed(given) } else { Cow::Owned(format!("{base}/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back() {
        for text in
            ["mail", "", ".", "..", "...", "~", "~~a", "a/b", "a b", "%2F", "?#&=+", "é😀", "\n\0", "-._~"]
        {
            let link = Link::new("/x").to("queues").to(text);
            let segment = link.as_str().strip_prefix("/x/queues/").unwrap();
            assert!(
                segment.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#".contains(&byte)),
                "{segment}"
            );
            assert!(!["", ".", ".."].contains(&segment));
            let decoded = decoded(segment).unwrap();
            assert_eq!(name(&decoded), text);
        }
        let link = Link::new("").to("a").with("x", "1&2").with_some("y", None::<u8>).with("z", "ü");
        assert_eq!(link.as_str(), "/a?x=1%262&z=%C3%BC");
    }

    #[test]
    fn a_way_back_leads_to_our_own_pages() {
        for (given, expected) in [
            ("/m/queues/a?x=1", "/m/queues/a?x=1"),
            ("/m", "/m/"),
            ("/other", "/m/"),
            ("//evil.example", "/m/"),
            ("/m//evil.example", "/m/"),
            ("/m/\\evil", "/m/"),
            ("https://evil.example/", "/m/"),
            ("", "/m/"),
        ] {
            assert_eq!(own_path("/m", given), expected, "{given}");
        }
        assert_eq!(own_path("", "//evil.example"), "/");
        assert_eq!(own_path("", "/queues"), "/queues");
    }
}
