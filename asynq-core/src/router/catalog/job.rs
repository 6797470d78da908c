//! [`CatalogJob`]: what a catalog says of one job.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::{JobSchedule, PayloadField, PayloadShape};
use crate::router::Registration;

/// A job in a [`Catalog`](super::Catalog).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogJob {
    /// Other task types that it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The struct.
    #[serde(rename = "struct")]
    pub structure: String,
    /// The queue that its tasks go to unless told otherwise.
    pub queue: String,
    /// Its defaults.
    #[serde(default)]
    pub options: CatalogOptions,
    /// What its payload holds.
    pub payload: CatalogPayload,
    /// The JSON Schema of its payload: with the feature `schemars`, for a payload that is JSON and whose type has one. An
    /// argument whose type has none may be anything there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<serde_json::Value>,
    /// The codec that its payload is written by, as in the header `asynq-codec`; none for JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// The version of its payload's form, as in the header `asynq-version`; none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The earlier versions that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<u32>,
    /// When it is enqueued by itself, as Go's scheduler reads it: one that is for a time zone begins with it,
    /// `CRON_TZ=Europe/Rome 0 9 * * *`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<String>,
    /// The source file.
    pub file: String,
    /// The line.
    pub line: u32,
}

/// Defaults of a job in a [`Catalog`](super::Catalog); what is not set is Go's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CatalogOptions {
    /// The number of retries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<u32>,
    /// The time limit of one attempt, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// The time from enqueuing to the deadline, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// How long the uniqueness lock lasts, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_for: Option<u64>,
    /// The arguments in the payload that tell tasks apart, by name; all of the payload unless given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unique_by: Vec<String>,
    /// Until when the lock is held: `start` or `ttl`; until it is done unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_until: Option<String>,
    /// How long a finished task is kept, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<u64>,
    /// The time from enqueuing to the first attempt, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<u64>,
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How many of them one worker runs at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
    /// How many of them all workers together begin in a period, such as `100/s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// When a failed one is tried again: `fixed(10s)`, `exponential(2s, max = 10m)` or `a function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<String>,
    /// What becomes of a cancelled one: `retry`, `archive` or `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_cancel: Option<String>,
    /// Its middleware, as written in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Whether it blocks a thread.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blocking: bool,
}

/// What a payload holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CatalogPayload {
    /// An object of these fields.
    Fields(BTreeMap<String, CatalogField>),
    /// The encoding of this type.
    Type(String),
    /// Not known: the job was implemented by hand.
    Unknown,
}

/// A field of a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogField {
    /// Its type, as written in the source.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether a payload without it is refused.
    pub required: bool,
}

impl CatalogJob {
    pub(super) fn of(job: &Registration) -> Self {
        Self {
            aliases: job.aliases.iter().map(|&name| name.to_owned()).collect(),
            structure: job.job.to_owned(),
            queue: job.options.queue_name().to_owned(),
            options: CatalogOptions::of(job),
            payload: CatalogPayload::of(job.payload),
            schema: (job.schema)(),
            codec: job.form.codec.map(ToOwned::to_owned),
            version: Some(job.form.version).filter(|version| *version > 1),
            reads: job.form.earlier().collect(),
            schedules: job.schedule.iter().flat_map(JobSchedule::texts).collect(),
            file: job.file.to_owned(),
            line: job.line,
        }
    }
}

impl CatalogOptions {
    fn of(job: &Registration) -> Self {
        let options = &job.options;
        let seconds = |length: Option<Duration>| length.map(|length| length.as_secs());
        Self {
            retry: options.retry,
            timeout: seconds(options.timeout),
            expires_in: seconds(options.expires_in),
            unique_for: seconds(options.unique_for),
            unique_by: options.unique_by.iter().map(|&name| name.to_owned()).collect(),
            unique_until: options.unique_until.map(|until| until.as_str().to_owned()),
            retention: seconds(options.retention),
            delay: seconds(options.delay),
            group: options.group.map(ToOwned::to_owned),
            concurrency: job.concurrency,
            rate: job.rate.map(|rate| rate.to_string()),
            backoff: job.retry_policy.map(|policy| policy().to_string()),
            on_cancel: job.on_cancel.map(|fate| fate.as_str().to_owned()),
            layer: job.layer.map(|layer| layer.text.to_owned()),
            blocking: job.blocking,
        }
    }

    /// The names of those that these do not have in common, sorted.
    pub(super) fn other_than(&self, other: &Self) -> Vec<String> {
        let [mine, others] = [self, other].map(|options| match serde_json::to_value(options) {
            Ok(serde_json::Value::Object(options)) => options,
            _ => serde_json::Map::new(),
        });
        let names: BTreeSet<&String> = mine.keys().chain(others.keys()).collect();
        names.into_iter().filter(|name| mine.get(*name) != others.get(*name)).cloned().collect()
    }
}

impl CatalogPayload {
    fn of(shape: PayloadShape) -> Self {
        let fields = match shape {
            PayloadShape::Unknown => return Self::Unknown,
            PayloadShape::Value(ty) => return Self::Type(ty.to_owned()),
            PayloadShape::Fields(fields) => fields.iter(),
        };
        let field = |field: &PayloadField| {
            let about = CatalogField { ty: field.ty.to_owned(), required: field.required };
            (field.name.to_owned(), about)
        };
        Self::Fields(fields.map(field).collect())
    }
}
