//! [`changes`]: what differs between two JSON Schemas of one job's payload.
//!
//! Objects are compared property by property, however deep; of anything else only whether it is the same is told. What
//! describes but does not restrict makes no difference.

use std::collections::BTreeSet;
use std::ptr;

use serde_json::{Map, Value};

use super::ChangeKind;

/// What describes.
const ANNOTATIONS: [&str; 10] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
    "$defs",
];

/// What a change is told as, and where nothing can be said since one of the two leaves it open: paths from the payload
/// down, such as `invoice.lines[].amount`.
#[derive(Default)]
pub(super) struct SchemaChanges {
    /// In the order in which they were found.
    pub(super) changes: Vec<ChangeKind>,
    /// The payload itself is the empty path.
    pub(super) open: Vec<String>,
}

/// What changed from one schema to a newer one.
pub(super) fn changes(old: &Value, new: &Value) -> SchemaChanges {
    let mut comparison = Comparison { old, new, seen: BTreeSet::new(), found: SchemaChanges::default() };
    comparison.compare("", old, new);
    comparison.found
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    /// What was compared: types may contain themselves.
    seen: BTreeSet<(*const Value, *const Value)>,
    found: SchemaChanges,
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (resolved(self.old, old), resolved(self.new, new));
        if !self.seen.insert((ptr::from_ref(old), ptr::from_ref(new))) {
            return;
        }
        if is_open(old) || is_open(new) {
            self.found.open.push(path.to_owned());
            return;
        }
        let is_same = match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                self.properties(path, old, new);
                self.keywords(path, old, new)
            }
            _ => old == new,
        };
        if !is_same {
            let change = match path {
                "" => ChangeKind::PayloadKind,
                _ => ChangeKind::FieldType { field: path.to_owned(), from: text(old), to: text(new) },
            };
            self.found.changes.push(change);
        }
    }

    /// Compares the properties of two objects.
    fn properties(&mut self, path: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, old_property) in properties(old) {
            let (field, was_required) = (below(name), is_required(old, name));
            let Some(new_property) =
                properties(new).find_map(|(other, value)| (other == name).then_some(value))
            else {
                self.found.changes.push(ChangeKind::FieldRemoved { field, required: was_required });
                continue;
            };
            self.compare(&field, old_property, new_property);
            let required = is_required(new, name);
            if required != was_required {
                self.found.changes.push(ChangeKind::FieldRequired { field, required });
            }
        }
        for (name, _) in properties(new).filter(|(name, _)| properties(old).all(|(other, _)| other != *name))
        {
            let change = ChangeKind::FieldAdded { field: below(name), required: is_required(new, name) };
            self.found.changes.push(change);
        }
    }

    /// Compares everything but properties; tells whether it is the same at this place.
    fn keywords(&mut self, path: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) -> bool {
        let keywords: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut is_same = true;
        for keyword in keywords {
            is_same &= match (keyword.as_str(), old.get(keyword), new.get(keyword)) {
                ("properties" | "required", ..) => true,
                (keyword, ..) if ANNOTATIONS.contains(&keyword) => true,
                ("items", Some(old), Some(new)) => {
                    self.compare(&format!("{path}[]"), old, new);
                    true
                }
                ("additionalProperties", Some(old), Some(new)) => {
                    self.compare(&format!("{path}.*"), old, new);
                    true
                }
                (
                    "anyOf" | "oneOf" | "allOf" | "prefixItems",
                    Some(Value::Array(old)),
                    Some(Value::Array(new)),
                ) => {
                    if old.len() == new.len() {
                        old.iter().zip(new).for_each(|(old, new)| self.compare(path, old, new));
                    }
                    old.len() == new.len()
                }
                (_, old, new) => old == new,
            };
        }
        is_same
    }
}

/// What a reference refers to, unless something is said beside it.
fn resolved<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    // A chain of references is no longer than there are definitions; one that goes round in circles ends here, too.
    for _ in 0..100 {
        let Value::Object(keywords) = schema else { break };
        let others = keywords.keys().filter(|keyword| *keyword != "$ref");
        let target = keywords.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        let Some(target) = target.and_then(|pointer| root.pointer(pointer)) else { break };
        if restricting(others).next().is_some() {
            break;
        }
        schema = target;
    }
    schema
}

/// Whether it allows anything.
fn is_open(schema: &Value) -> bool {
    match schema {
        Value::Bool(allows) => *allows,
        Value::Object(keywords) => restricting(keywords.keys()).next().is_none(),
        _ => false,
    }
}

fn restricting<'a>(keywords: impl Iterator<Item = &'a String>) -> impl Iterator<Item = &'a String> {
    keywords.filter(|keyword| !ANNOTATIONS.contains(&keyword.as_str()))
}

fn properties(schema: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn is_required(schema: &Map<String, Value>, name: &str) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|required| required.iter().any(|other| other == name))
}

/// A schema for messages: what restricts, in short.
fn text(schema: &Value) -> String {
    const LONGEST: usize = 80;
    let Value::Object(keywords) = schema else { return schema.to_string() };
    let said: Map<String, Value> = restricting(keywords.keys())
        .filter_map(|keyword| Some((keyword.clone(), keywords.get(keyword)?.clone())))
        .collect();
    let text = match (said.get("format"), said.get("type")) {
        (Some(Value::String(format)), Some(Value::String(_))) => format.clone(),
        (None, Some(Value::String(ty))) if said.len() == 1 => ty.clone(),
        _ => Value::Object(said).to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}
