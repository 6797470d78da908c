//! Comparing what steps left in Redis.
//!
//! A dump is taken apart into places, named as in the vectors' `times`: the key, then `#` and what is in it. So a
//! difference says by itself where it is.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::Value;

use super::clock::Clocks;
use super::names::Names;
use crate::dump::{KeyKind, tag};
use crate::encoding::unhex;
use crate::vectors::compare::Difference;
use crate::vectors::file::{Step, TimeRelation};

/// Compares two dumps. Keys and fields of our own are left aside.
pub(super) fn compare(
    at: &str,
    step: &Step,
    go: &[Value],
    ours: &[Value],
    clocks: &Clocks,
    names: &Names,
    into: &mut Vec<Difference>,
) {
    let events = events(go, names);
    let (go, ours) = (keys(go, names), keys(ours, names));
    let place = |relation: &TimeRelation| match events.get(&relation.at) {
        Some(place) => place.clone(),
        None => names.mark(&relation.at),
    };
    let times: HashMap<String, &TimeRelation> =
        step.times.iter().map(|relation| (place(relation), relation)).collect();
    let by_chance = |key: &str| key.starts_with("asynq:workers:{") && is_living(key);
    for (key, go) in &go {
        let Some(ours) = ours.get(key) else {
            if by_chance(key) {
                continue;
            }
            into.push(Difference::new(format!("{at} {key}"), summary(go), "nothing"));
            continue;
        };
        for (place, go) in go {
            let Some(ours) = ours.get(place) else {
                into.push(Difference::new(format!("{at} {place}"), go, "nothing"));
                continue;
            };
            let equal = match (times.get(place), go, ours) {
                (Some(relation), Leaf::Number(go), Leaf::Number(ours)) => {
                    clocks.expected(relation, *go).allows(*ours)
                }
                _ => leaves_equal(go, ours, clocks, names),
            };
            if !equal {
                into.push(Difference::new(format!("{at} {place}"), go, ours));
            }
        }
        for (place, ours) in ours.iter().filter(|(place, _)| !go.contains_key(*place)) {
            into.push(Difference::new(format!("{at} {place}"), "nothing", ours));
        }
    }
    for (key, ours) in ours.iter().filter(|(key, _)| !go.contains_key(*key) && !by_chance(key)) {
        into.push(Difference::new(format!("{at} {key}"), "nothing", summary(ours)));
    }
}

/// Where a scheduler's events are whose tasks have IDs of their own: which one it is, in place of its bytes.
fn events(state: &[Value], names: &Names) -> HashMap<String, String> {
    let mut events = HashMap::new();
    for entry in state.iter().filter(|entry| entry["type"] == "zset") {
        let key = entry["key"].as_str().unwrap_or_default();
        for (index, element) in entry["value"].as_array().unwrap().iter().enumerate() {
            if let Some(place) = event(element, index, names) {
                events.insert(
                    format!("{key}#{}", text(&element["member"])),
                    format!("{}#{place}", names.mark(key)),
                );
            }
        }
    }
    events
}

fn event(element: &Value, index: usize, names: &Names) -> Option<String> {
    let id = element["decoded"]["scheduler_enqueue_event"]["task_id"].as_str()?;
    (names.mark(id) != id).then(|| format!("event {index}"))
}

/// The places of one key, and what is in them.
type Places = BTreeMap<String, Leaf>;

/// Whether a key is that of a server that runs in the case.
fn is_living(key: &str) -> bool {
    key.contains("~this process~")
}

fn summary(places: &Places) -> String {
    let some: Vec<String> = places.values().take(3).map(ToString::to_string).collect();
    format!("{}{}", some.join(", "), if places.len() > 3 { ", …" } else { "" })
}

/// What is in one place.
#[derive(Clone, Debug, PartialEq)]
enum Leaf {
    Text(String),
    /// A number, which may be a time.
    Number(i64),
    /// Seconds until the key goes.
    Ttl(i64),
    /// When the key goes, Unix seconds.
    Expires(i64),
    /// A protobuf message, whose parts stand in places of their own.
    Bytes {
        hex: String,
        decoded: Value,
    },
    /// Anything else.
    Json(Value),
}

fn leaves_equal(go: &Leaf, ours: &Leaf, clocks: &Clocks, names: &Names) -> bool {
    match (go, ours) {
        (Leaf::Text(go), Leaf::Text(ours)) => names.mark(go) == names.mark(ours),
        (Leaf::Ttl(go), Leaf::Ttl(ours)) => go.abs_diff(*ours) <= 1 + clocks.elapsed().unsigned_abs(),
        (Leaf::Expires(go), Leaf::Expires(ours)) => {
            let (go_step, our_step) = clocks.current();
            let between_runs = (our_step.from - go_step.from) / 1_000_000_000;
            go.abs_diff(*ours) <= 1 || (go + between_runs).abs_diff(*ours) <= 2
        }
        (Leaf::Bytes { hex: go_hex, decoded: go }, Leaf::Bytes { hex: our_hex, decoded: ours }) => {
            // Where the parts differ, that is told there; and with several entries in a map Go has no one order.
            let several =
                ["headers", "queues"].iter().any(|map| go[map].as_object().is_some_and(|m| m.len() > 1));
            go != ours || several || go_hex == our_hex
        }
        _ => go == ours,
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Ttl(seconds) => write!(f, "expires in {seconds} s"),
            Self::Expires(at) => write!(f, "expires at {at}"),
            Self::Bytes { hex, .. } => f.write_str(hex),
            Self::Json(value) => write!(f, "{value}"),
        }
    }
}

fn keys(state: &[Value], names: &Names) -> BTreeMap<String, Places> {
    let mut keys = BTreeMap::new();
    for entry in state {
        let key = match entry["key"].as_str() {
            Some(key) => key.to_owned(),
            None => format!("hex:{}", entry["key_hex"].as_str().unwrap()),
        };
        let kind = KeyKind::of(&key);
        if kind == KeyKind::Own {
            continue;
        }
        let marked = names.mark(&key);
        let mut places = Places::new();
        for (place, leaf) in leaves(entry, kind, names) {
            // Which machine and process it was says its key already, and how busy a living server was at its last
            // beat is chance.
            let is_chance = ["host", "pid", "active_worker_count"].iter().any(|name| place.ends_with(name));
            if is_chance && is_living(&marked) {
                continue;
            }
            let separator = if place.is_empty() || place.starts_with('[') { "" } else { "#" };
            places.insert(format!("{marked}{separator}{}", names.mark(&place)), leaf);
        }
        // An own field may be all there is.
        if !places.is_empty() {
            keys.insert(marked, places);
        }
    }
    keys
}

/// Everything under one key.
fn leaves(entry: &Value, kind: KeyKind, names: &Names) -> Vec<(String, Leaf)> {
    let mut leaves = Vec::new();
    let ttl = &entry["ttl"];
    if let Some(seconds) = ttl["seconds"].as_i64() {
        leaves.push(("ttl".to_owned(), Leaf::Ttl(seconds)));
    }
    if let Some(at) = ttl["expire_unix"].as_i64() {
        leaves.push(match kind {
            KeyKind::Daily => ("expire".to_owned(), Leaf::Number(at)),
            _ => ("ttl".to_owned(), Leaf::Expires(at)),
        });
    }
    let value = &entry["value"];
    let decoded = &entry["decoded"];
    match entry["type"].as_str().unwrap() {
        "string" if decoded.is_object() => message("", value, &decoded["server_info"], &mut leaves),
        "string" if kind == KeyKind::Paused => leaves.push((String::new(), number(&text(value)))),
        "string" => leaves.push((String::new(), Leaf::Text(text(value)))),
        "list" => {
            for (index, element) in value.as_array().unwrap().iter().enumerate() {
                match element["decoded"].get("scheduler_entry") {
                    Some(entry) => message(&format!("{index}."), element, entry, &mut leaves),
                    None => leaves.push((format!("[{index}]"), Leaf::Text(text(element)))),
                }
            }
        }
        "set" => {
            leaves.extend(
                value
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|member| (text(member), Leaf::Text("member".to_owned()))),
            );
        }
        "zset" => {
            leaves.extend(value.as_array().unwrap().iter().enumerate().map(|(index, element)| {
                let score = &element["score"];
                (
                    event(element, index, names).unwrap_or_else(|| text(&element["member"])),
                    score.as_i64().map_or_else(|| Leaf::Json(score.clone()), Leaf::Number),
                )
            }));
        }
        _ => {
            for (field, value) in value.as_object().unwrap() {
                match (kind, field.as_str()) {
                    (KeyKind::Task, field) if field.starts_with("x_") => {}
                    (KeyKind::Task, "msg") if decoded.is_object() => {
                        message("msg.", value, &decoded["task_message"], &mut leaves);
                    }
                    (KeyKind::Task, "pending_since") => leaves.push((field.clone(), number(&text(value)))),
                    (KeyKind::Workers, field) => {
                        message(&format!("{field}."), value, &decoded["worker_infos"][field], &mut leaves);
                    }
                    _ => leaves.push((field.clone(), Leaf::Text(text(value)))),
                }
            }
        }
    }
    leaves
}

/// The parts of a message, and the whole.
fn message(prefix: &str, bytes: &Value, decoded: &Value, leaves: &mut Vec<(String, Leaf)>) {
    for (name, value) in decoded.as_object().unwrap() {
        // Times are named in short.
        let name = match name.as_str() {
            "next_enqueue_time" => "next",
            "prev_enqueue_time" => "prev",
            name => name,
        };
        let leaf = match value {
            Value::String(text) => Leaf::Text(text.clone()),
            Value::Number(number) => number.as_i64().map_or_else(|| Leaf::Json(value.clone()), Leaf::Number),
            Value::Object(parts) if parts.contains_key("nanos") => instant(value),
            _ => Leaf::Json(value.clone()),
        };
        leaves.push((format!("{prefix}{name}"), leaf));
    }
    let hex = bytes["hex"].as_str().unwrap().to_owned();
    leaves.push((format!("{prefix}bytes"), Leaf::Bytes { hex, decoded: decoded.clone() }));
}

/// Unix nanoseconds; what they cannot count stays as it is.
fn instant(value: &Value) -> Leaf {
    let (seconds, nanos) = (value["seconds"].as_i64().unwrap(), value["nanos"].as_i64().unwrap());
    seconds
        .checked_mul(1_000_000_000)
        .and_then(|whole| whole.checked_add(nanos))
        .map_or_else(|| Leaf::Json(value.clone()), Leaf::Number)
}

fn number(text: &str) -> Leaf {
    text.parse().map_or_else(|_| Leaf::Text(text.to_owned()), Leaf::Number)
}

fn text(bin: &Value) -> String {
    tag(&unhex(bin["hex"].as_str().unwrap()))
}
