//! [`Dump`]: everything in a store, in a form that compares equal when the stores do.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

/// How far apart the expiry times of two dumps may be, in seconds: Redis counts a time to live by its own clock.
const EXPIRY_TOLERANCE: i64 = 5;

/// Everything in a store, by key, as a scan over Redis would find it: no key whose collection is empty, none
/// that has expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// The keys, by the names of [`Keyspace`](crate::wire::keys::Keyspace).
    pub entries: BTreeMap<String, Entry>,
}

/// What one key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// When the key expires, Unix seconds of the fixture's clock: for a time to live, now plus what is left of it,
    /// rounded up.
    pub expires_at: Option<i64>,
}

/// A value of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    String(Bytes),
    /// A list from left to right.
    List(Vec<Bytes>),
    /// A set.
    Set(BTreeSet<Bytes>),
    /// A sorted set by score, equal scores by bytes.
    ZSet(Vec<(Bytes, i64)>),
    /// A hash.
    Hash(BTreeMap<String, Bytes>),
}

impl Dump {
    /// Adds a key.
    pub fn insert(&mut self, key: impl Into<String>, value: Value, expires_at: Option<i64>) {
        self.entries.insert(key.into(), Entry { value, expires_at });
    }

    /// The same with the random parts renamed: run tokens become `run-1`, `run-2`, in the order of the keys, so
    /// that tasks which shared a token still do.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        let mut seen = Vec::<Bytes>::new();
        for entry in self.entries.values_mut() {
            let Value::Hash(fields) = &mut entry.value else { continue };
            let Some(run) = fields.get_mut("x_run") else { continue };
            let place = seen.iter().position(|token| token == run).unwrap_or_else(|| {
                seen.push(run.clone());
                seen.len() - 1
            });
            *run = Bytes::from(format!("run-{}", place + 1));
        }
        self
    }

    /// In what two dumps differ, one line for each key; empty when they are the same but for run tokens and for
    /// a few seconds of expiry.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (left, right) = (self.clone().normalized().entries, other.clone().normalized().entries);
        let keys = left.keys().chain(right.keys()).collect::<BTreeSet<_>>();
        keys.into_iter()
            .filter_map(|key| match (left.get(key), right.get(key)) {
                (Some(one), Some(two)) if one.is_like(two) => None,
                (one, two) => Some(format!("{key}: {} ≠ {}", Shown(one), Shown(two))),
            })
            .collect()
    }

    /// Panics when two dumps [differ](Self::differences).
    #[track_caller]
    pub fn assert_same(&self, other: &Self, what: &str) {
        let differences = self.differences(other);
        assert!(differences.is_empty(), "{what}:\n{}", differences.join("\n"));
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// When a key expires.
    pub fn expires_at(&self, key: &str) -> Option<i64> {
        self.entries.get(key)?.expires_at
    }

    /// The text of a string, if the key exists.
    #[track_caller]
    pub fn string(&self, key: &str) -> Option<String> {
        self.value(key).map(|value| match value {
            Value::String(bytes) => text(bytes),
            other => unexpected(key, other),
        })
    }

    /// A list from left to right; empty when there is no such key.
    #[track_caller]
    pub fn list(&self, key: &str) -> Vec<String> {
        self.value(key).map_or_else(Vec::new, |value| match value {
            Value::List(items) => items.iter().map(text).collect(),
            other => unexpected(key, other),
        })
    }

    /// A set; empty when there is no such key.
    #[track_caller]
    pub fn set(&self, key: &str) -> Vec<String> {
        self.value(key).map_or_else(Vec::new, |value| match value {
            Value::Set(members) => members.iter().map(text).collect(),
            other => unexpected(key, other),
        })
    }

    /// A sorted set; empty when there is no such key.
    #[track_caller]
    pub fn zset(&self, key: &str) -> Vec<(String, i64)> {
        self.value(key).map_or_else(Vec::new, |value| match value {
            Value::ZSet(members) => members.iter().map(|(member, score)| (text(member), *score)).collect(),
            other => unexpected(key, other),
        })
    }

    /// A hash; empty when there is no such key.
    #[track_caller]
    pub fn hash(&self, key: &str) -> BTreeMap<String, Bytes> {
        self.value(key).map_or_else(BTreeMap::new, |value| match value {
            Value::Hash(fields) => fields.clone(),
            other => unexpected(key, other),
        })
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }
}

impl Entry {
    fn is_like(&self, other: &Self) -> bool {
        let same_expiry = match (self.expires_at, other.expires_at) {
            (Some(one), Some(two)) => one.abs_diff(two) <= EXPIRY_TOLERANCE.unsigned_abs(),
            (one, two) => one == two,
        };
        self.value == other.value && same_expiry
    }
}

/// An entry as a line of a report.
struct Shown<'a>(Option<&'a Entry>);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str("absent"),
            Some(Entry { value, expires_at: None }) => write!(f, "{value:?}"),
            Some(Entry { value, expires_at: Some(at) }) => write!(f, "{value:?} until {at}"),
        }
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn unexpected<T>(key: &str, value: &Value) -> T {
    panic!("{key} holds another kind of value: {value:?}")
}
