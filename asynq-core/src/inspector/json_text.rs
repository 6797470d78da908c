//! [`Json`]: a JSON text taken apart without changing it: numbers stay as they are written, keys in their order.

use serde::de::IgnoredAny;

/// A JSON value; its parts are those of the text.
#[derive(Debug, PartialEq)]
pub(crate) enum Json<'a> {
    /// `null`, `true` or `false`.
    Word(&'a str),
    Number(&'a str),
    /// With its quotes and escapes.
    Text(&'a str),
    List(Vec<Self>),
    /// Keys with their quotes and escapes.
    Object(Vec<(&'a str, Self)>),
}

impl<'a> Json<'a> {
    /// The value that a text is, if it is one.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        // This checks the grammar and how deep it goes; what follows only finds where parts begin and end.
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Reader { rest: text }.value()
    }

    /// How many values there are in it, itself included.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Word(_) | Self::Number(_) | Self::Text(_) => 1,
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Object(fields) => 1 + fields.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<Json<'a>> {
        self.skip();
        Some(match self.rest.as_bytes().first()? {
            b'{' => Json::Object(self.items(b'}', |reader| {
                let key = reader.text()?;
                reader.skip();
                reader.take(1)?;
                Some((key, reader.value()?))
            })?),
            b'[' => Json::List(self.items(b']', Self::value)?),
            b'"' => Json::Text(self.text()?),
            b't' | b'f' | b'n' => Json::Word(self.take_while(|byte| byte.is_ascii_alphabetic())?),
            _ => {
                Json::Number(self.take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))?)
            }
        })
    }

    /// What stands between brackets, separated by commas.
    fn items<T>(&mut self, end: u8, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.take(1)?;
        let mut items = Vec::new();
        loop {
            self.skip();
            match self.rest.as_bytes().first()? {
                byte if *byte == end => {
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

    fn written(json: &Json<'_>) -> String {
        match json {
            Json::Word(text) | Json::Number(text) | Json::Text(text) => (*text).to_owned(),
            Json::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(",")),
            Json::Object(fields) => {
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
            assert_eq!(written(&Json::read(text).unwrap()), text);
            let spaced = format!(" \n{} ", text.replace("],", "] \t,\r\n"));
            assert_eq!(written(&Json::read(&spaced).unwrap()), text);
        }
        assert_eq!(Json::read(r#"{"a":[1,2],"b":"x"}"#).unwrap().count(), 5);
    }

    #[test]
    fn what_is_no_json_is_none() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "[1,]", "nul", "01", "\"", "{a:1}", "1 2", deep.as_str()] {
            assert!(Json::read(text).is_none());
        }
        let parts = ["{", "}", "[", "]", ",", ":", "\"", "\\", "1", "é", "true", " ", "\"a\""];
        for _ in 0..50_000 {
            let text: String =
                (0..fastrand::usize(..9)).map(|_| parts[fastrand::usize(..parts.len())]).collect();
            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            assert_eq!(Json::read(&text).is_some(), is_json, "{text}");
        }
    }
}
