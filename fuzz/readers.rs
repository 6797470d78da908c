//! What reads text and bytes that others wrote, one function for each kind: what must hold whatever they are. The fuzz
//! targets give them bytes that a fuzzer makes up, the tests in `tests/it/readers.rs` bytes that proptest does.

use asynq::broker::redis::{Address, ConnectOptions, Password};
use asynq::inspector::{Encoding, JsonText, Mask, Masks};
use asynq::scheduler::Schedule;
use asynq::wire::{
    EnqueueOption, GoDuration, SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, TaskMessage, WorkerInfo,
    go_readable,
};
use asynq::{Catalog, Cbor, Codec, GoJson, Json, MsgPack, Protobuf, QueueName, Raw, TaskId};
use serde::{Deserialize, Serialize};

/// A kind of what is read.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// Reads bytes, which may be anything; panics when what must hold does not.
    pub(crate) read: fn(&[u8]),
    /// Bytes that it accepts.
    pub(crate) accepted: fn() -> Vec<Vec<u8>>,
}

/// Every reader.
pub(crate) const READERS: [Reader; 7] = [
    Reader { name: "messages", read: messages, accepted: encoded_messages },
    Reader { name: "urls", read: urls, accepted: || texts(&URLS) },
    Reader { name: "schedules", read: schedules, accepted: || texts(&SCHEDULES) },
    Reader { name: "options", read: options, accepted: || texts(&OPTIONS) },
    Reader { name: "catalogs", read: catalogs, accepted: || texts(&CATALOGS) },
    Reader { name: "payloads", read: payloads, accepted: encoded_payloads },
    Reader { name: "names", read: names, accepted: || texts(&["default", "a{b}", "mail:low"]) },
];

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Protobuf that Go or Rust has stored: read again after being written, it is the same.
fn messages(bytes: &[u8]) {
    macro_rules! kept {
        ($($message:ident)*) => {$(
            if let Ok(read) = $message::decode(bytes) {
                assert_eq!($message::decode(read.encode().as_slice()).as_ref(), Ok(&read));
            }
        )*};
    }
    kept!(TaskMessage ServerInfo WorkerInfo SchedulerEntry SchedulerEnqueueEvent);
    if let Some(at) = ServerInfo::decode(bytes).ok().and_then(|info| info.start_time) {
        at.instant();
    }
    if let Some(task_type) = TaskMessage::type_in(bytes) {
        assert!(task_type.len() <= bytes.len());
    }
}

fn encoded_messages() -> Vec<Vec<u8>> {
    let task = TaskMessage {
        task_type: "email:send".to_owned(),
        payload: "{}".into(),
        id: "id".to_owned(),
        queue: "default".to_owned(),
        retry: 25,
        retried: -1,
        timeout: 1_800,
        deadline: i64::MIN,
        headers: [("a".to_owned(), "b".to_owned()), (String::new(), String::new())].into(),
        unknown: vec![0xf8, 0x01, 0x05],
        ..TaskMessage::default()
    };
    let server = ServerInfo {
        host: "h".to_owned(),
        queues: [("default".to_owned(), 6)].into(),
        strict_priority: true,
        start_time: Some(asynq::wire::WireTimestamp::never()),
        ..ServerInfo::default()
    };
    let entry = SchedulerEntry {
        id: "e".to_owned(),
        spec: "@every 1s".to_owned(),
        enqueue_options: vec!["Queue(\"low\")".to_owned()],
        ..SchedulerEntry::default()
    };
    vec![task.encode(), server.encode(), entry.encode()]
}

/// URLs of brokers: what is read is written in a form that reads as the same place, and a password is never shown.
fn urls(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let options = ConnectOptions::new(text);
    match text.parse::<Address>() {
        Ok(address) => {
            let shown = format!("{address} {address:?} {options:?}");
            let long = address.password.as_ref().map(Password::reveal).filter(|text| text.len() > 11);
            // A short one, or one that is also the name of the host, may stand there for another reason.
            if let Some(password) = long.filter(|password| text.matches(password).count() == 1) {
                assert!(!shown.contains(password), "{shown}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty() && options.is_err()),
    }
}

const URLS: [&str; 8] = [
    "redis://user:a-long-password@example.com:6380/3",
    "rediss://[::1]:1/0",
    "redis-socket:///run/redis.sock?db=2",
    "unix:///a%20b",
    "redis-sentinel://:secret@a,b:1/2?master=m&password=another-password",
    "redis-cluster://a:1,b:2",
    "redis://h#x",
    "redis:",
];

/// Specifications of schedules: what can be parsed tells its next times without end, and each is later.
fn schedules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(schedule) = Schedule::parse(text, "UTC") else { return };
    for start in [jiff::Timestamp::MIN, jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX] {
        let mut after = start;
        for _ in 0..3 {
            let Some(next) = schedule.next(after) else { break };
            assert!(next > after, "{text}: {next} is not after {after}");
            after = next;
        }
    }
}

const SCHEDULES: [&str; 8] = [
    "0 9 * * mon-fri",
    "*/5,7 0-23/2 1,15 jan-dec ?",
    "@every 1h30m",
    "@daily",
    "TZ=Asia/Tokyo 30 4 * * *",
    "CRON_TZ=Europe/Rome @midnight",
    "0 0 29 2 *",
    "0 0 31 2 *",
];

/// Options as text, Go's durations, and Go's own reading of them.
fn options(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    go_readable(text);
    if let Ok(option) = text.parse::<EnqueueOption>() {
        let written = option.to_string();
        assert_eq!(written.parse::<EnqueueOption>().map(|option| option.to_string()), Ok(written));
    }
    if let Ok(duration) = text.parse::<GoDuration>() {
        let written = duration.to_string();
        assert_eq!(written.parse::<GoDuration>(), Ok(duration), "{text}");
        duration.to_std();
    }
}

const OPTIONS: [&str; 10] = [
    "Queue(\"low\")",
    "MaxRetry(3)",
    "Timeout(1h0m0s)",
    "Deadline(Fri Mar 27 09:00:00 UTC 2026)",
    "ProcessIn(1.5s)",
    "ProcessAt(Mon Jan  2 15:04:05 CET 2006)",
    "TaskID(\"a\\\"b\\u00e9\")",
    "Unique(1m0s)",
    "Retention(-1ns)",
    "1h2m3.000000004s",
];

/// Catalogs of jobs.
fn catalogs(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(catalog) = text.parse::<Catalog>() {
        if let Ok(other) = CATALOGS[1].parse::<Catalog>() {
            drop((catalog.diff(&other), other.diff(&catalog)));
        }
        assert!(catalog.to_string().parse::<Catalog>().is_ok(), "{catalog}");
    }
}

const CATALOGS: [&str; 2] = [
    r#"{"version":1,"jobs":{}}"#,
    r#"{"version":1,"jobs":{"a":{"aliases":[],"struct":"A","queue":"mail","options":{"retry":5},"payload":{"fields":{"to":{"type":"String","required":true}}},"schedules":[],"file":"f","line":7}}}"#,
];

/// Payloads of every codec, as jobs read them, and without a type.
fn payloads(bytes: &[u8]) {
    fn read<T: std::fmt::Debug, C: Codec<T>>(bytes: &[u8]) {
        if let Err(error) = C::decode(bytes) {
            assert!(format!("{error} {error:?}").len() < 20_000);
        }
    }
    read::<Payload, Json>(bytes);
    read::<Payload, GoJson>(bytes);
    read::<Payload, MsgPack>(bytes);
    read::<Payload, Cbor>(bytes);
    read::<serde_json::Value, Json>(bytes);
    read::<serde_json::Value, GoJson>(bytes);
    read::<serde_json::Value, MsgPack>(bytes);
    read::<serde_json::Value, Cbor>(bytes);
    read::<String, Raw>(bytes);
    read::<TaskMessage, Protobuf>(bytes);
    for encoding in Encoding::ALL {
        match encoding.to_json(bytes) {
            Ok(json) => assert!(JsonText::read(&json).is_some(), "{encoding}: {json}"),
            Err(error) => assert!(error.to_string().contains(" at byte ")),
        }
    }
    let masks: Masks = "to".parse::<Mask>().into_iter().collect();
    let text = String::from_utf8_lossy(bytes);
    let left = masks.hide_in_text(&text);
    assert_eq!(masks.hide_in_text(&left), left);
}

/// A payload with something of everything.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Payload {
    to: Vec<String>,
    #[serde(default)]
    inner: Option<Box<Self>>,
    #[serde(default)]
    numbers: std::collections::BTreeMap<String, (i64, f64, u8)>,
    #[serde(default, with = "asynq::go::bytes")]
    bytes: Vec<u8>,
}

fn encoded_payloads() -> Vec<Vec<u8>> {
    let payload = || Payload {
        to: vec!["ann".to_owned()],
        numbers: [("n".to_owned(), (-1, 0.5, 7))].into(),
        bytes: vec![0, 255],
        ..Payload::default()
    };
    let payload = Payload { inner: Some(Box::new(payload())), ..payload() };
    let encoded =
        [Json::encode(&payload), GoJson::encode(&payload), MsgPack::encode(&payload), Cbor::encode(&payload)];
    encoded.into_iter().flatten().map(|bytes| bytes.to_vec()).collect()
}

/// Names of queues and tasks.
fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(QueueName::new(&text).is_ok(), !text.trim().is_empty());
    assert_eq!(TaskId::new(&text).is_ok(), !text.trim().is_empty());
}
