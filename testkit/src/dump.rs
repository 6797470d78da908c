//! A whole Redis database as JSON: the `state` of the vector format (`tests/vectors/FORMAT.md`).

use std::collections::BTreeSet;

use asynq_core::clock::Clock;
use asynq_core::wire::{SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, TaskMessage, WorkerInfo};
use redis::aio::MultiplexedConnection;
use serde_json::{Map, Value, json};

use crate::decoded::{self, bin};
use crate::encoding::hex;

type Bytes = Vec<u8>;

/// What asynq keeps under a key, as far as it matters for showing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A task's hash.
    Task,
    /// A server's `ServerInfo`.
    Server,
    /// A server's workers.
    Workers,
    /// A scheduler's entries.
    Scheduler,
    /// What a scheduler entry enqueued.
    History,
    /// A counter of one day.
    Daily,
    /// Since when a queue is paused.
    Paused,
    /// Our own: unknown to Go.
    Own,
    /// Anything else.
    Other,
}

impl KeyKind {
    /// What is under this key.
    pub fn of(key: &str) -> Self {
        for (prefix, kind) in [
            ("asynq:servers:{", Self::Server),
            ("asynq:workers:{", Self::Workers),
            ("asynq:schedulers:{", Self::Scheduler),
            ("asynq:scheduler_history:", Self::History),
        ] {
            if key.starts_with(prefix) {
                return kind;
            }
        }
        // A queue name may itself contain `}:`, so the last one ends it; but so may a task's ID.
        let Some((_, suffix)) = key.strip_prefix("asynq:{").and_then(|rest| rest.rsplit_once("}:")) else {
            return Self::Other;
        };
        match suffix.split_once(':') {
            Some(("t", _)) => Self::Task,
            Some(("x", _)) => Self::Own,
            Some(("processed" | "failed", _)) => Self::Daily,
            None if suffix == "paused" => Self::Paused,
            None if ["pending", "active", "scheduled", "retry", "archived", "completed"]
                .contains(&suffix) =>
            {
                Self::Other
            }
            _ if key.contains("}:t:") => Self::Task,
            _ => Self::Other,
        }
    }
}

/// Every key of the database, sorted.
pub async fn dump(redis: &mut MultiplexedConnection) -> Vec<Value> {
    let mut keys = BTreeSet::new();
    let mut cursor = 0_u64;
    loop {
        let (next, some): (u64, Vec<Bytes>) =
            redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(1000).query_async(redis).await.unwrap();
        keys.extend(some);
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    let mut state = Vec::new();
    for key in keys {
        state.extend(dump_key(redis, &key).await);
    }
    state
}

/// One key; nothing when it has gone meanwhile.
async fn dump_key(redis: &mut MultiplexedConnection, key: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(key);
    let kind = text.map_or(KeyKind::Other, KeyKind::of);
    let kind_of_value: String = redis::cmd("TYPE").arg(key).query_async(redis).await.unwrap();
    let mut entry = Map::new();
    match text {
        Ok(text) => entry.insert("key".to_owned(), text.into()),
        Err(_) => entry.insert("key_hex".to_owned(), hex(key).into()),
    };
    entry.insert("ttl".to_owned(), ttl(redis, key, kind).await);
    entry.insert("type".to_owned(), kind_of_value.as_str().into());
    let value = match kind_of_value.as_str() {
        "string" => {
            let value: Bytes = redis::cmd("GET").arg(key).query_async(redis).await.unwrap();
            if let (KeyKind::Server, Ok(info)) = (kind, ServerInfo::decode(value.as_slice())) {
                entry.insert("decoded".to_owned(), json!({"server_info": decoded::server(&info)}));
            }
            bin(&value)
        }
        "list" => {
            let values: Vec<Bytes> =
                redis::cmd("LRANGE").arg(key).arg(0).arg(-1).query_async(redis).await.unwrap();
            values.iter().map(|value| list_element(kind, value)).collect()
        }
        "set" => {
            let values: BTreeSet<Bytes> = redis::cmd("SMEMBERS").arg(key).query_async(redis).await.unwrap();
            values.iter().map(|value| bin(value)).collect()
        }
        "zset" => {
            let values: Vec<(Bytes, f64)> = redis::cmd("ZRANGE")
                .arg(key)
                .arg(0)
                .arg(-1)
                .arg("WITHSCORES")
                .query_async(redis)
                .await
                .unwrap();
            values.iter().map(|(member, score)| zset_element(kind, member, *score)).collect()
        }
        "hash" => {
            let mut fields: Vec<(Bytes, Bytes)> =
                redis::cmd("HGETALL").arg(key).query_async(redis).await.unwrap();
            fields.sort();
            if let Some(decoded) = decode_hash(kind, &fields) {
                entry.insert("decoded".to_owned(), decoded);
            }
            fields.iter().map(|(field, value)| (tag(field), bin(value))).collect()
        }
        "none" => return None,
        other => {
            panic!("key {:?} is of type {other}, which asynq does not use", String::from_utf8_lossy(key))
        }
    };
    entry.insert("value".to_owned(), value);
    Some(Value::Object(entry))
}

async fn ttl(redis: &mut MultiplexedConnection, key: &[u8], kind: KeyKind) -> Value {
    const FAR: i64 = 30 * 24 * 3_600_000;
    let millis: i64 = redis::cmd("PTTL").arg(key).query_async(redis).await.unwrap();
    match millis {
        ..=0 => Value::Null,
        _ if kind == KeyKind::Daily => {
            let at: i64 = redis::cmd("EXPIRETIME").arg(key).query_async(redis).await.unwrap();
            json!({"kind": "absolute", "expire_unix": at})
        }
        FAR.. => {
            let at = (Clock::system().unix_nanos() / 1_000_000 + millis + 500).div_euclid(1000);
            json!({"kind": "absolute", "expire_unix": at})
        }
        _ => json!({"kind": "relative", "seconds": (millis + 999) / 1000, "observed_ms": millis}),
    }
}

fn list_element(kind: KeyKind, value: &[u8]) -> Value {
    let mut element = bin(value);
    if let (KeyKind::Scheduler, Ok(entry)) = (kind, SchedulerEntry::decode(value)) {
        element["decoded"] = json!({"scheduler_entry": decoded::entry(&entry)});
    }
    element
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn zset_element(kind: KeyKind, member: &[u8], score: f64) -> Value {
    let whole = score.fract().abs() < f64::EPSILON && score.abs() < 1e15;
    let score = if whole { json!(score as i64) } else { json!(score) };
    let mut element = json!({"member": bin(member), "score": score});
    if let (KeyKind::History, Ok(event)) = (kind, SchedulerEnqueueEvent::decode(member)) {
        element["decoded"] = json!({"scheduler_enqueue_event": decoded::event(&event)});
    }
    element
}

fn decode_hash(kind: KeyKind, fields: &[(Bytes, Bytes)]) -> Option<Value> {
    match kind {
        KeyKind::Task => {
            let (_, message) = fields.iter().find(|(field, _)| field == b"msg")?;
            let message = TaskMessage::decode(message.as_slice()).ok()?;
            Some(json!({"task_message": decoded::task(&message)}))
        }
        KeyKind::Workers => {
            let workers: Map<String, Value> = fields
                .iter()
                .filter_map(|(field, value)| {
                    Some((tag(field), decoded::worker(&WorkerInfo::decode(value.as_slice()).ok()?)))
                })
                .collect();
            Some(json!({"worker_infos": workers}))
        }
        _ => None,
    }
}

/// Text, or its hexadecimal behind `hex:` where it is not UTF-8.
pub(crate) fn tag(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("hex:{}", hex(bytes)), ToOwned::to_owned)
}
