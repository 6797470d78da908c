//! [`Masks`]: which fields of payloads, results and headers are shown to nobody who need not see them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use super::JsonText;
use super::filter::Pattern;
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

    /// What is left of a content. JSON keeps every character of what is shown, but for blanks between. Of what is no JSON
    /// nothing can be shown.
    pub fn hide(&self, content: Bytes) -> Bytes {
        if self.is_empty() || content.is_empty() {
            return content;
        }
        let json = std::str::from_utf8(&content).ok().and_then(JsonText::read);
        let Some(json) = json else { return Bytes::from_static(DOTS.as_bytes()) };
        let mut out = String::with_capacity(content.len());
        if self.write(&json, &mut Vec::new(), &mut out) { out.into() } else { content }
    }

    /// A task with what is left of its payload, its result and its headers.
    #[must_use]
    pub fn conceal(&self, task: &TaskInfo) -> TaskInfo {
        let mut task = task.clone();
        task.payload = self.hide(task.payload);
        task.result = task.result.map(|result| self.hide(result));
        for (name, value) in &mut task.headers {
            if self.hides(&[name]) {
                DOTS.clone_into(value);
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

    /// Writes what is left of a value; whether anything was hidden.
    fn write(&self, json: &JsonText<'_>, names: &mut Vec<String>, out: &mut String) -> bool {
        let way: Vec<&str> = names.iter().map(String::as_str).collect();
        if self.hides(&way) {
            out.extend(["\"", DOTS, "\""]);
            return true;
        }
        let mut is_hidden = false;
        match json {
            JsonText::Word(text) | JsonText::Number(text) | JsonText::Text(text) => out.push_str(text),
            JsonText::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    is_hidden |= self.write(item, names, out);
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
                    names.push(serde_json::from_str(key).unwrap_or_else(|_| (*key).to_owned()));
                    is_hidden |= self.write(value, names, out);
                    names.pop();
                }
                out.push('}');
            }
        }
        is_hidden
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
    }
}
