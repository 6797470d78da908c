//! Comparing what Go gave with what we give.

use std::fmt::Display;

use serde_json::{Map, Value};

/// One place in which we differ from Go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a path into the result, or `step N …` of a scenario.
    pub what: String,
    /// Go's value and ours.
    pub detail: String,
}

impl Difference {
    pub(super) fn new(what: impl Into<String>, go: impl Display, ours: impl Display) -> Self {
        Self { what: what.into(), detail: format!("Go {go}, ours {ours}") }
    }
}

/// Compares two results as JSON. Of errors only the class counts: the words are ours. An absent member is null.
pub(super) fn compare(at: &str, go: &Value, ours: &Value, into: &mut Vec<Difference>) {
    match (go, ours) {
        (Value::Object(go), Value::Object(ours)) if fails(go) != fails(ours) => {
            let answer = |members: &Map<String, Value>| Value::Object(members.clone());
            into.push(Difference::new(join(at, "error"), answer(go), answer(ours)));
        }
        (Value::Object(go), Value::Object(ours)) => {
            for (key, go, ours) in members(go, ours) {
                if key == "error" && go.is_object() && ours.is_object() {
                    compare_errors(&join(at, key), go, ours, into);
                } else {
                    compare(&join(at, key), go, ours, into);
                }
            }
        }
        (Value::Array(go), Value::Array(ours)) if go.len() == ours.len() => {
            for (index, (go, ours)) in go.iter().zip(ours).enumerate() {
                compare(&format!("{at}[{index}]"), go, ours, into);
            }
        }
        _ if go == ours => {}
        _ => into.push(Difference::new(at, go, ours)),
    }
}

/// Whether a result says that the operation failed.
pub(super) fn fails(result: &Map<String, Value>) -> bool {
    result.get("error").is_some_and(Value::is_object)
}

/// Compares the classes of two errors. Go's class `other` says nothing that could be compared.
pub(super) fn compare_errors(at: &str, go: &Value, ours: &Value, into: &mut Vec<Difference>) {
    if go["class"] != ours["class"] && go["class"] != "other" {
        into.push(Difference::new(join(at, "class"), &go["class"], ours));
    }
}

/// The members of two objects side by side, sorted.
pub(super) fn members<'a>(
    go: &'a Map<String, Value>,
    ours: &'a Map<String, Value>,
) -> impl Iterator<Item = (&'a str, &'a Value, &'a Value)> {
    let mut keys: Vec<&str> = go.keys().chain(ours.keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| (key, go.get(key).unwrap_or(&Value::Null), ours.get(key).unwrap_or(&Value::Null)))
}

pub(super) fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
