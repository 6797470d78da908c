//! What is stored of a schedule: a line of JSON that people can read, and that is read strictly.
//!
//! ```text
//! {"version":1,"spec":"0 9 * * mon-fri","time_zone":"Europe/Rome","type":"report","payload":"{}",
//!  "options":{"queue":"reports","max_retry":3},"catch_up":"last","created_at":"2026-11-29T09:00:00Z",
//!  "changed_at":"2026-11-29T09:00:00Z","counts_from":"2026-11-29T09:00:00Z"}
//! ```
//!
//! Lengths of time are whole seconds. What is not known is refused: a newer program wrote it, or somebody mistyped it,
//! and either way it would not be done.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::scheduler::CatchUp;
use crate::task::{Headers, ProcessTime, TaskOptions, UniqueBy, UniqueUntil, wire_seconds};
use crate::wire::Blob;

/// The version of this form.
const VERSION: u32 = 1;

/// What is stored of a schedule, beside its name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) version: Version,
    pub(super) spec: String,
    pub(super) time_zone: String,
    #[serde(rename = "type")]
    pub(super) task_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<Blob>,
    /// How the payload is sealed, as a task's header says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layers: Option<String>,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub(super) headers: Headers,
    #[serde(default)]
    pub(super) options: OptionsRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) catch_up: Option<CatchUpRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) paused_since: Option<At>,
    pub(super) created_at: At,
    pub(super) changed_at: At,
    /// Ticks up to this instant are not its own: it was not there, at other times, or paused.
    pub(super) counts_from: At,
}

impl Record {
    pub(super) fn encode(&self) -> Result<Bytes, String> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|error| error.to_string())
    }

    /// Says what is wrong, and where.
    pub(super) fn decode(text: &[u8]) -> Result<Self, String> {
        let mut read = serde_json::Deserializer::from_slice(text);
        let record = serde_path_to_error::deserialize(&mut read).map_err(|error| error.to_string())?;
        read.end().map_err(|error| error.to_string())?;
        Ok(record)
    }
}

/// The version that this program writes, and the only one it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Self),
            other => Err(D::Error::custom(format!("this program reads {VERSION}, and {other} is stored"))),
        }
    }
}

/// An instant, in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(pub(super) Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// What becomes of ticks that were missed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CatchUpRecord {
    None,
    Last,
    All(usize),
}

impl From<CatchUp> for CatchUpRecord {
    fn from(policy: CatchUp) -> Self {
        match policy {
            CatchUp::None => Self::None,
            CatchUp::Last => Self::Last,
            CatchUp::All(limit) => Self::All(limit),
        }
    }
}

impl From<CatchUpRecord> for CatchUp {
    fn from(policy: CatchUpRecord) -> Self {
        match policy {
            CatchUpRecord::None => Self::None,
            CatchUpRecord::Last => Self::Last,
            CatchUpRecord::All(limit) => Self::All(limit),
        }
    }
}

/// Options that are set.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OptionsRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_retry: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_by: Option<Blob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

impl OptionsRecord {
    /// Of options whose headers stand elsewhere.
    pub(super) fn new(options: &TaskOptions) -> Self {
        let seconds = |length: Option<Duration>| length.map(|length| wire_seconds(length).unsigned_abs());
        let (process_at, process_in) = match options.process {
            Some(ProcessTime::At(at)) => (Some(At(at)), None),
            Some(ProcessTime::In(delay)) => (None, Some(delay)),
            None => (None, None),
        };
        let (unique_key, unique_by) = match &options.unique_by {
            Some(UniqueBy::Key(key)) => (Some(key.clone()), None),
            Some(UniqueBy::Bytes(bytes)) => (None, Some(Blob(bytes.clone()))),
            None => (None, None),
        };
        Self {
            queue: options.queue.as_ref().map(ToString::to_string),
            max_retry: options.max_retry.and_then(|times| u32::try_from(times).ok()),
            timeout: seconds(options.timeout),
            deadline: options.deadline.map(At),
            expires_in: seconds(options.expires_in),
            unique: seconds(options.unique),
            unique_key,
            unique_by,
            unique_until: options.unique_until.map(|until| until.as_str().to_owned()),
            process_at,
            process_in: seconds(process_in),
            task_id: options.task_id.as_ref().map(ToString::to_string),
            retention: seconds(options.retention),
            group: options.group.clone(),
        }
    }

    /// The options that are recorded; they remember what can never be right.
    pub(super) fn options(self) -> Result<TaskOptions, String> {
        let mut options = TaskOptions::new();
        let seconds = Duration::from_secs;
        if let Some(queue) = self.queue {
            options = options.queue(queue);
        }
        if let Some(times) = self.max_retry {
            options = options.max_retry(times);
        }
        if let Some(limit) = self.timeout {
            options = options.timeout(seconds(limit));
        }
        if let Some(At(at)) = self.deadline {
            options = options.deadline(at);
        }
        if let Some(limit) = self.expires_in {
            options = options.expires_in(seconds(limit));
        }
        if let Some(ttl) = self.unique {
            options = options.unique(seconds(ttl));
        }
        if let Some(key) = self.unique_key {
            options = options.unique_key(key);
        }
        if let Some(Blob(bytes)) = self.unique_by {
            options = options.unique_by(bytes);
        }
        if let Some(until) = self.unique_until {
            let until = UniqueUntil::named(&until)
                .ok_or_else(|| format!("unique_until must be success, start or ttl, got `{until}`"))?;
            options = options.unique_until(until);
        }
        if let Some(At(at)) = self.process_at {
            options = options.process_at(at);
        }
        if let Some(delay) = self.process_in {
            options = options.process_in(seconds(delay));
        }
        if let Some(id) = self.task_id {
            options = options.task_id(id);
        }
        if let Some(keep) = self.retention {
            options = options.retention(seconds(keep));
        }
        if let Some(group) = self.group {
            options = options.group(group);
        }
        Ok(options)
    }
}
