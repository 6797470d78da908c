//! [`CatalogJob`]: what a catalog says of one job.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::PayloadShape;
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
    /// The codec that its payload is written by, as in the header `asynq-codec`; none for JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// The version of its payload's form, as in the header `asynq-version`; none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The earlier versions that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<u32>,
    /// When it is enqueued by itself.
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
        let options = &job.options;
        let seconds = |length: Option<Duration>| length.map(|length| length.as_secs());
        Self {
            aliases: job.aliases.iter().map(|&name| name.to_owned()).collect(),
            structure: job.job.to_owned(),
            queue: options.queue_name().to_owned(),
            options: CatalogOptions {
                retry: options.retry,
                timeout: seconds(options.timeout),
                expires_in: seconds(options.expires_in),
                unique_for: seconds(options.unique_for),
                unique_until: options.unique_until.map(|until| until.as_str().to_owned()),
                retention: seconds(options.retention),
                delay: seconds(options.delay),
                group: options.group.map(ToOwned::to_owned),
                concurrency: job.concurrency,
            },
            payload: match job.payload {
                PayloadShape::Unknown => CatalogPayload::Unknown,
                PayloadShape::Value(ty) => CatalogPayload::Type(ty.to_owned()),
                PayloadShape::Fields(fields) => CatalogPayload::Fields(
                    fields
                        .iter()
                        .map(|field| {
                            let about = CatalogField { ty: field.ty.to_owned(), required: field.required };
                            (field.name.to_owned(), about)
                        })
                        .collect(),
                ),
            },
            codec: job.form.codec.map(ToOwned::to_owned),
            version: Some(job.form.version).filter(|version| *version > 1),
            reads: (job.form.earlier)(),
            schedules: job
                .schedule
                .iter()
                .flat_map(|schedule| schedule.specs)
                .map(|&spec| spec.to_owned())
                .collect(),
            file: job.file.to_owned(),
            line: job.line,
        }
    }
}
