//! [`Masks`]: which fields of payloads, results and headers are shown to nobody who need not see them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use super::filter::Pattern;
use super::{Encoding, JsonText};
use crate::task::TaskInfo;

/// What stands where something is not shown.
const DOTS: &str = "•••••";

/// A field that is not to be shown, or many of them: names with dots between.
///
/// | mask | what |
/// |---|---|
/// | `password` | every field of this name, wherever it is, and the header |
/// | `card.number` | the field `number` of `card`, which stands outermost |
/// | `*.card.number` | the same, wherever `card` is: `*` stands for any number of names, or none |
/// | `*_token` | every field whose name ends so: within a name `*` stands for anything, `?` for one character |
///
/// The case of letters is no matter, and the items of a list are as if each stood in its place. What is in a field that is
/// not shown is not shown, either.
///
/// # Examples
///
/// ```
/// use asynq_core::inspector::{Mask, Masks};
///
/// let masks: Masks = ["password", "card.number"].into_iter().map(str::parse).collect::<Result<_, _>>()?;
/// let shown = masks.hide(br#"{"card":{"number":4111,"year":2030},"id":12345678901234567890}"#.as_slice().into());
/// assert_eq!(&shown[..], r#"{"card":{"number":"•••••","year":2030},"id":12345678901234567890}"#.as_bytes());
/// assert!("card..number".parse::<Mask>().is_err());
/// # Ok::<(), asynq_core::inspector::InvalidMask>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mask {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Any number of names.
    Any,
    Name(Pattern),
}

impl Mask {
    /// Whether what these names lead to is not to be shown.
    fn fits(&self, names: &[&str]) -> bool {
        fits(&self.steps, names)
    }
}

fn fits(steps: &[Step], names: &[&str]) -> bool {
    match (steps.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((Step::Any, rest)), _) => {
            (0..=names.len()).any(|taken| fits(rest, names.get(taken..).unwrap_or(&[])))
        }
        (Some((Step::Name(pattern), steps)), Some((name, names))) => pattern.fits(name) && fits(steps, names),
        (Some((Step::Name(_), _)), None) | (None, Some(_)) => false,
    }
}

impl FromStr for Mask {
    type Err = InvalidMask;

    fn from_str(text: &str) -> Result<Self, InvalidMask> {
        let names: Vec<&str> = text.split('.').collect();
        if names.iter().any(|name| name.trim().is_empty()) {
            return Err(InvalidMask { text: text.to_owned() });
        }
        let step = |name: &&str| if *name == "*" { Step::Any } else { Step::Name(Pattern::of(name)) };
        let mut steps: Vec<Step> = names.iter().map(step).collect();
        // Two in a row say no more than one.
        steps.dedup_by(|later, earlier| matches!((later, earlier), (Step::Any, Step::Any)));
        if let [Step::Name(_)] = steps.as_slice() {
            steps.insert(0, Step::Any);
        }
        Ok(Self { steps })
    }
}

/// Not a mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidMask {
    text: String,
}

impl fmt::Display for InvalidMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no mask: it must be names with dots between, such as `password` or `card.number`",
            self.text
        )
    }
}

impl std::error::Error for InvalidMask {}

/// Masks that apply together. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    masks: Arc<[Mask]>,
}

impl Masks {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.masks.is_empty()
    }

    /// What is left of a content. JSON keeps every character of what is shown, but for blanks between, and so does JSON in
    /// its texts. Of what is no JSON nothing can be shown.
    pub fn hide(&self, content: Bytes) -> Bytes {
        if self.is_empty() || content.is_empty() {
            return content;
        }
        match std::str::from_utf8(&content).ok().and_then(|text| self.left_of(text)) {
            Some(Cow::Borrowed(_)) => content,
            Some(Cow::Owned(left)) => left.into(),
            None => Bytes::from_static(DOTS.as_bytes()),
        }
    }

    /// What is left of a text in which there may be JSON, such as that of an error: what is hidden in JSON is hidden there,
    /// also where that is quoted. All else stays; what is cut off, or is written in another way, is taken for no JSON.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::inspector::{Mask, Masks};
    ///
    /// let masks: Masks = std::iter::once("password".parse::<Mask>()?).collect();
    /// assert_eq!(
    ///     masks.hide_in_text(r#"no login for {"name":"ann","password":"x"}: 401"#),
    ///     r#"no login for {"name":"ann","password":"•••••"}: 401"#
    /// );
    /// # Ok::<(), asynq_core::inspector::InvalidMask>(())
    /// ```
    pub fn hide_in_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() {
            return Cow::Borrowed(text);
        }
        self.searched(text, &mut Way::default()).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// A task with what is left of its payload, its result, its headers and the text of its last error.
    ///
    /// A payload that is marked as MessagePack or CBOR becomes JSON, if anything in it is hidden.
    #[must_use]
    pub fn conceal(&self, task: &TaskInfo) -> TaskInfo {
        let mut task = task.clone();
        // Fields of protobuf have no names by which they could be hidden.
        let encoding = Encoding::marked(&task.headers).filter(|encoding| *encoding != Encoding::Protobuf);
        task.payload = match encoding.and_then(|encoding| encoding.to_json(&task.payload).ok()) {
            Some(json) => match self.left_of(&json) {
                Some(Cow::Borrowed(_)) => task.payload,
                Some(Cow::Owned(left)) => left.into(),
                None => Bytes::from_static(DOTS.as_bytes()),
            },
            None => self.hide(task.payload),
        };
        task.result = task.result.map(|result| self.hide(result));
        if let Cow::Owned(left) = self.hide_in_text(&task.last_error) {
            task.last_error = left;
        }
        for (name, value) in &mut task.headers {
            if self.hides(&[name]) {
                DOTS.clone_into(value);
            } else if let Cow::Owned(left) = self.hide_in_text(value) {
                *value = left;
            }
        }
        task
    }

    /// Whether something on the way that these names go is not shown.
    pub(super) fn hides_on_way(&self, names: &[&str]) -> bool {
        let words: Vec<&str> = names.iter().filter(|name| name.parse::<usize>().is_err()).copied().collect();
        [names, &words]
            .iter()
            .any(|names| (0..=names.len()).any(|end| self.hides(names.get(..end).unwrap_or(names))))
    }

    fn hides(&self, names: &[&str]) -> bool {
        self.masks.iter().any(|mask| mask.fits(names))
    }

    /// What is left of JSON: the same text where nothing is hidden, and nothing where it is no JSON.
    fn left_of<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let json = JsonText::read(text)?;
        let mut left = String::with_capacity(text.len());
        let is_hidden = self.write(&json, &mut Way::default(), &mut left);
        Some(if is_hidden { Cow::Owned(left) } else { Cow::Borrowed(text) })
    }

    /// Writes what is left of a value; whether anything was hidden.
    fn write(&self, json: &JsonText<'_>, way: &mut Way, out: &mut String) -> bool {
        if way.readings().any(|names| self.hides(&names)) {
            out.extend(["\"", DOTS, "\""]);
            return true;
        }
        let mut is_hidden = false;
        match json {
            JsonText::Word(text) | JsonText::Number(text) => out.push_str(text),
            JsonText::Text(text) => match self.left_of_quoted(text, way) {
                Some(left) => {
                    out.push_str(&left);
                    is_hidden = true;
                }
                None => out.push_str(text),
            },
            JsonText::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    is_hidden |= self.write(item, way, out);
                }
                out.push(']');
            }
            JsonText::Object(fields) => {
                out.push('{');
                for (at, (key, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.extend([key, ":"]);
                    // A name that is no text, for half of a pair of surrogates is missing, is taken as it is written.
                    way.names.push(serde_json::from_str(key).unwrap_or_else(|_| (*key).to_owned()));
                    is_hidden |= self.write(value, way, out);
                    way.names.pop();
                }
                out.push('}');
            }
        }
        is_hidden
    }

    /// What is left of a text with its quotes, if something in it is hidden.
    fn left_of_quoted(&self, quoted: &str, way: &mut Way) -> Option<String> {
        if !quoted.contains(['{', '[', '\\']) {
            return None;
        }
        let text = serde_json::from_str::<String>(quoted);
        let Ok(text) = text else {
            // Nobody can look into half of a pair of surrogates: what may be in it is not shown.
            let brackets = ["{", "[", "\\u007b", "\\u007B", "\\u005b", "\\u005B"];
            return brackets.iter().any(|bracket| quoted.contains(bracket)).then(|| format!("\"{DOTS}\""));
        };
        self.searched(&text, way).map(|left| serde_json::to_string(&left).unwrap_or_default())
    }

    /// What is left of a text, if there is JSON in it of which something is hidden.
    fn searched(&self, text: &str, way: &mut Way) -> Option<String> {
        let mut left = String::new();
        let (mut written, mut at) = (0, 0);
        while let Some(found) = text.get(at..).and_then(|rest| rest.find(['{', '[', '"'])) {
            at += found;
            let rest = text.get(at..).unwrap_or_default();
            let Some((part, json)) = JsonText::first(rest) else {
                at += 1;
                continue;
            };
            let mut shown = String::new();
            way.documents.push(way.names.len());
            let is_hidden = self.write(&json, way, &mut shown);
            way.documents.pop();
            if is_hidden {
                left.push_str(text.get(written..at).unwrap_or_default());
                left.push_str(&shown);
                written = at + part.len();
            }
            // A quote may be the end of a text, or an inch: what follows it is looked at by itself.
            at += if is_hidden || !part.starts_with('"') { part.len() } else { 1 };
        }
        (written > 0).then(|| left + text.get(written..).unwrap_or_default())
    }
}

/// The names that lead to a value.
#[derive(Default)]
struct Way {
    names: Vec<String>,
    /// Where documents begin that are texts within others: each has an outermost place of its own.
    documents: Vec<usize>,
}

impl Way {
    /// The names as they are for each of the documents that the value is in.
    fn readings(&self) -> impl Iterator<Item = Vec<&str>> {
        let starts = std::iter::once(0).chain(self.documents.iter().copied());
        starts.map(|start| self.names.iter().skip(start).map(String::as_str).collect())
    }
}

impl FromIterator<Mask> for Masks {
    fn from_iter<I: IntoIterator<Item = Mask>>(masks: I) -> Self {
        Self { masks: masks.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn masks(texts: &[&str]) -> Masks {
        texts.iter().map(|text| text.parse::<Mask>().unwrap()).collect()
    }

    #[track_caller]
    fn check(mask: &str, content: &str, expected: &str) {
        let shown = masks(&[mask]).hide(content.to_owned().into());
        assert_eq!(std::str::from_utf8(&shown).unwrap(), expected, "{mask}");
    }

    #[test]
    fn fields_are_hidden_where_their_masks_say() {
        check(
            "password",
            r#"{"password":"x","a":[{"PassWord":1}]}"#,
            r#"{"password":"•••••","a":[{"PassWord":"•••••"}]}"#,
        );
        check("password", r#"{"pass\u0077ord":{"old":"x"}}"#, r#"{"pass\u0077ord":"•••••"}"#);
        check(
            "card.number",
            r#"{"card":{"number":1},"x":{"card":{"number":2}}}"#,
            r#"{"card":{"number":"•••••"},"x":{"card":{"number":2}}}"#,
        );
        check(
            "*.card.number",
            r#"{"x":[{"card":[{"number":2}]}]}"#,
            r#"{"x":[{"card":[{"number":"•••••"}]}]}"#,
        );
        check("*_token", r#"{"api_token":1,"token":2}"#, r#"{"api_token":"•••••","token":2}"#);
        check("a.*", r#"{"a":{"b":1},"c":1}"#, r#"{"a":"•••••","c":1}"#);
        check("*", "[1]", "\"•••••\"");
        check("password", r#"{"password":1,"password":2}"#, r#"{"password":"•••••","password":"•••••"}"#);
    }

    #[test]
    fn what_is_shown_stays_as_it_is_written() {
        let text = r#"{ "n": 123456789012345678901234567890.10, "t": "\u00e9\ud83d", "password2": [] }"#;
        check("password", text, text);
        check("t", text, r#"{"n":123456789012345678901234567890.10,"t":"•••••","password2":[]}"#);
    }

    #[test]
    fn json_in_texts_is_looked_into() {
        check(
            "password",
            r#"{"body":"{\"password\":\"x\",\"n\":1.0}","n":"[1]"}"#,
            r#"{"body":"{\"password\":\"•••••\",\"n\":1.0}","n":"[1]"}"#,
        );
        check(
            "password",
            r#"["{\"in\":\"{\\\"password\\\":1}\"}"]"#,
            r#"["{\"in\":\"{\\\"password\\\":\\\"•••••\\\"}\"}"]"#,
        );
        check(
            "password",
            r#""sent {\"password\":1}, got 401""#,
            r#""sent {\"password\":\"•••••\"}, got 401""#,
        );
        check("password", r#""\u007b\"password\":1}""#, r#""{\"password\":\"•••••\"}""#);
        for mask in ["card.number", "body.card.number"] {
            check(
                mask,
                r#"{"body":"{\"card\":{\"number\":1}}"}"#,
                r#"{"body":"{\"card\":{\"number\":\"•••••\"}}"}"#,
            );
        }
        check("password", r#"["\ud83d {\"password\":1}"]"#, r#"["•••••"]"#);
    }

    #[test]
    fn json_in_errors_is_looked_into() {
        let masks = masks(&["password"]);
        for (text, left) in [
            ("no login", "no login"),
            (r#"{"password":"x"}"#, r#"{"password":"•••••"}"#),
            (
                r#"a {"password":"x"} b [{"password":2}]"#,
                r#"a {"password":"•••••"} b [{"password":"•••••"}]"#,
            ),
            (r#"bad "{\"password\":\"x\"}""#, r#"bad "{\"password\":\"•••••\"}""#),
            (r#"5" pipe: {"password":"x"}"#, r#"5" pipe: {"password":"•••••"}"#),
            (r#"{{[{"password":"x"}"#, r#"{{[{"password":"•••••"}"#),
            (r#"{"to":"ann"} failed: é {"n":[]}"#, r#"{"to":"ann"} failed: é {"n":[]}"#),
            (r#"{"password":"x"#, r#"{"password":"x"#),
            ("password=x", "password=x"),
        ] {
            assert_eq!(masks.hide_in_text(text), left);
        }
        for part in ["[\"{", "[", "{", "\"[", "[\"\\\"", "{\"a\":", "[1,", "[\",\"", "{ x } "] {
            let long = part.repeat(10_000);
            assert_eq!(masks.hide_in_text(&long), long);
        }
    }

    #[test]
    fn a_task_is_concealed_in_all_that_it_carries() {
        use crate::wire::{CODEC_HEADER, TaskMessage};

        let masks = masks(&["password"]);
        let task = |mark: &str, payload: &'static [u8]| {
            let headers = [(CODEC_HEADER, mark), ("password", "x"), ("context", r#"{"password":"x"}"#)];
            let message = TaskMessage {
                payload: Bytes::from_static(payload),
                headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
                error_msg: r#"got {"password":"x"}"#.to_owned(),
                ..TaskMessage::default()
            };
            masks.conceal(&TaskInfo::stored(&message, crate::task::TaskState::Retry))
        };
        let seen = task("msgpack", b"\x82\xa8password\xa1x\xa1n\x07");
        assert_eq!(seen.payload, r#"{"password":"•••••","n":7}"#);
        assert_eq!(seen.last_error, r#"got {"password":"•••••"}"#);
        assert_eq!(
            [&seen.headers["password"], &seen.headers["context"]],
            ["•••••", r#"{"password":"•••••"}"#]
        );
        assert_eq!(task("cbor", b"\xa1\x68password\x01").payload, r#"{"password":"•••••"}"#);
        // Where nothing is hidden, the payload stays what it is.
        assert_eq!(task("msgpack", b"\x81\xa1n\x07").payload, &b"\x81\xa1n\x07"[..]);
        for (mark, payload) in
            [("msgpack", &b"\x82\xa1n"[..]), ("protobuf", b"\x0a\x01x"), ("odd", b"\x81\xa1n\x07")]
        {
            assert_eq!(task(mark, payload).payload, DOTS, "{mark}");
        }
    }

    #[test]
    fn what_is_no_json_cannot_be_shown() {
        for text in ["password=x", "{\"password\":", "{'password':1}", "{\"a\":1}{\"password\":1}"] {
            check("password", text, DOTS);
        }
        assert_eq!(masks(&["x"]).hide(Bytes::from_static(&[0xff])), DOTS);
        check("password", "", "");
        assert_eq!(Masks::default().hide(Bytes::from_static(b"x")), "x");
        let deep = "[".repeat(500);
        check("password", &deep, DOTS);
    }

    #[test]
    fn ways_to_what_is_hidden_are_known() {
        let masks = masks(&["password", "card.number"]);
        let hides = |way: &str| masks.hides_on_way(&way.split('.').collect::<Vec<_>>());
        for way in [
            "password",
            "user.password",
            "user.password.old",
            "users.0.password",
            "card.number",
            "card.0.number",
        ] {
            assert!(hides(way), "{way}");
        }
        for way in ["user", "card", "card.year", "passwords", "x.card.number"] {
            assert!(!hides(way), "{way}");
        }
    }

    #[test]
    fn what_is_no_mask_is_refused() {
        for text in ["", ".", "a.", ".a", "a..b", " "] {
            assert!(text.parse::<Mask>().is_err(), "{text:?}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<i64>().prop_map(Value::from),
            "[a-z\"\\\\é]{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-d\"é]{1,2}|secret", inner), 0..4)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    /// Puts something that occurs nowhere else below every field of this name.
    fn marked(value: Value) -> Value {
        match value {
            Value::Array(items) => items.into_iter().map(marked).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| {
                    let value = if name == "secret" { json!([{"x": "XYZZY"}, value]) } else { marked(value) };
                    (name, value)
                })
                .collect(),
            other => other,
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_all_else_is(value in value()) {
            let value = marked(value);
            let shown = masks(&["secret"]).hide(value.to_string().into());
            let text = std::str::from_utf8(&shown).unwrap();
            prop_assert!(!text.contains("XYZZY"));
            let hidden = |value: Value| {
                fn hidden(value: Value) -> Value {
                    match value {
                        Value::Array(items) => items.into_iter().map(hidden).collect(),
                        Value::Object(fields) => fields
                            .into_iter()
                            .map(|(name, value)| {
                                let value = if name == "secret" { json!(DOTS) } else { hidden(value) };
                                (name, value)
                            })
                            .collect(),
                        other => other,
                    }
                }
                hidden(value)
            };
            prop_assert_eq!(serde_json::from_str::<Value>(text).unwrap(), hidden(value));
            prop_assert_eq!(masks(&["secret"]).hide(shown.clone()), shown);
        }

        #[test]
        fn nothing_hidden_is_left_in_texts(value in value(), before in r#"[a-z"{\[\\ ]{0,6}"#, levels in 0_usize..4) {
            let value = json!({ "secret": value, "shown": 1 });
            let mut text = before.replace('\\', "\\ ") + " " + &marked(value).to_string();
            for _ in 0..levels {
                text = Value::from(text).to_string();
            }
            let left = masks(&["secret"]).hide_in_text(&text).into_owned();
            prop_assert!(!left.contains("XYZZY") && left.contains("shown"), "{} of {}", left, text);
        }
    }
}
