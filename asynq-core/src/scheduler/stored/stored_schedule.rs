//! [`StoredSchedule`]: one of the schedules in the store.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use md5::{Digest, Md5};

use super::record::{At, OptionsRecord, Record, Version};
use crate::clock::floor_seconds;
use crate::error::{Error, Result};
use crate::payload::Payloads;
use crate::scheduler::option_strings::of_options;
use crate::scheduler::periodic_task::{Prepared, no_task};
use crate::scheduler::{CatchUp, EntryId, InvalidSchedule, PeriodicTask, Schedule};
use crate::task::{Headers, InvalidOption, QueueName, Task, TaskOptions, TaskType};
use crate::wire::{Blob, LAYERS_HEADER, TaskMessage};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;

/// The longest text that is stored of one, in bytes: all are read at once.
const LONGEST_TEXT: usize = 64 * 1024;

/// A schedule in the store: when, and which task. To change it, change what is in it and
/// [save](super::StoredSchedules::save) it.
///
/// Its name and the type of its tasks stay: what has another is another schedule.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredSchedule {
    /// When, as [`Schedule::parse`] reads it.
    pub spec: String,
    /// The time zone of the specification, such as `Europe/Rome`.
    pub time_zone: String,
    /// Headers of its tasks.
    pub headers: Headers,
    /// Options of its tasks.
    pub options: TaskOptions,
    /// What becomes of ticks that were missed; `None` for what the scheduler says.
    pub catch_up: Option<CatchUp>,
    pub(super) name: String,
    pub(super) task_type: TaskType,
    pub(super) payload: Option<Bytes>,
    /// How the payload is sealed.
    pub(super) layers: Option<String>,
    /// The payload has been set, and is to be sealed as the one before.
    pub(super) is_unsealed: bool,
    pub(super) paused_since: Option<Timestamp>,
    pub(super) created_at: Timestamp,
    pub(super) changed_at: Timestamp,
    pub(super) counts_from: Timestamp,
    pub(in crate::scheduler) revision: Revision,
}

/// What a stored schedule was when it was read: whatever changes it, changes this.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Revision(Arc<str>);

impl Revision {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut digest = format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()));
        digest.truncate(16);
        Self(Arc::from(digest))
    }

    /// As text: sixteen hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StoredSchedule {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identity of its entry in every scheduler that has it.
    pub fn entry_id(&self) -> EntryId {
        EntryId::stored(&self.name)
    }

    /// The type of its tasks.
    pub fn task_type(&self) -> &TaskType {
        &self.task_type
    }

    /// The payload of its tasks as it is stored: compressed or encrypted where [`layers`](Self::layers) say so.
    pub fn payload(&self) -> Option<&Bytes> {
        self.payload.as_ref()
    }

    /// How the payload is stored, as the header `asynq-layers` of a task says it; `None` where it is as it is.
    pub fn layers(&self) -> Option<&str> {
        self.layers.as_deref()
    }

    /// Another payload. When it is saved, it is compressed or encrypted as the one before it was.
    pub fn set_payload(&mut self, payload: impl Into<Bytes>) {
        self.payload = Some(payload.into());
        self.is_unsealed = true;
    }

    /// Takes an option of its tasks back, by the name that [`TaskOptions`] has for it, such as `max_retry`; `false` when it
    /// has none of this name. Headers are none of them.
    pub fn unset(&mut self, option: &str) -> bool {
        let options = &mut self.options;
        match option {
            "queue" => options.queue = None,
            "max_retry" => options.max_retry = None,
            "timeout" => options.timeout = None,
            "deadline" => options.deadline = None,
            "expires_in" => options.expires_in = None,
            "unique" => options.unique = None,
            "unique_key" | "unique_by" => options.unique_by = None,
            "unique_until" => options.unique_until = None,
            "process_at" | "process_in" => options.process = None,
            "task_id" => options.task_id = None,
            "retention" => options.retention = None,
            "group" => options.group = None,
            _ => return false,
        }
        true
    }

    /// The queue of its tasks.
    pub fn queue(&self) -> QueueName {
        self.options.queue.clone().unwrap_or_default()
    }

    /// Its options as text, as [`option_strings`](crate::scheduler::option_strings()) writes them.
    pub fn option_strings(&self) -> Vec<String> {
        of_options(&self.options)
    }

    /// Since when it is paused, if it is.
    pub fn paused_since(&self) -> Option<Timestamp> {
        self.paused_since
    }

    /// When it was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it was changed last.
    pub fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// What it was when it was read.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// When it fires.
    ///
    /// # Errors
    ///
    /// [`InvalidSchedule`] when the specification or the time zone is wrong.
    pub fn schedule(&self) -> Result<Schedule, InvalidSchedule> {
        Schedule::parse(&self.spec, &self.time_zone)
    }

    /// The first times at which it fires after an instant, at most so many: what a scheduler does, also for `@every`.
    /// None while it is paused, or where the specification is wrong.
    pub fn next_times(&self, after: Timestamp, most: usize) -> Vec<Timestamp> {
        match self.schedule() {
            Ok(schedule) if self.paused_since.is_none() => schedule.ticks(after).take(most).collect(),
            _ => Vec::new(),
        }
    }

    /// The specification with its time zone in it, as tools see the entry.
    pub fn whole_spec(&self) -> String {
        let has_its_own = ["TZ=", "CRON_TZ=", "@every "].iter().any(|start| self.spec.starts_with(start));
        if has_its_own || matches!(self.time_zone.as_str(), "" | "UTC") {
            self.spec.clone()
        } else {
            format!("CRON_TZ={} {}", self.time_zone, self.spec)
        }
    }

    /// A periodic task that is to be stored, from `now` on. Its payload is sealed.
    pub(super) fn new(task: PeriodicTask, payloads: &Payloads, now: Timestamp) -> Result<Self> {
        let PeriodicTask { spec, task, name, zone, catch_up } = task;
        let name = name.ok_or_else(|| InvalidSchedule::new(&spec, &"to be stored, it needs a name"))?;
        let Task { task_type, payload, headers, options, layers } =
            task.map_err(|reason| no_task(&spec, &reason))?;
        let mut schedule = Self {
            spec,
            time_zone: zone.unwrap_or_else(|| "UTC".to_owned()),
            headers,
            options,
            catch_up,
            name,
            task_type,
            payload,
            layers: None,
            is_unsealed: false,
            paused_since: None,
            created_at: now,
            changed_at: now,
            counts_from: now,
            revision: Revision::of(b""),
        };
        schedule.check()?;
        let mut message = schedule.message();
        payloads.seal(&mut message, layers)?;
        schedule.keep_sealed(message);
        Ok(schedule)
    }

    /// What is stored under a name; or what is wrong with it, and where.
    pub(in crate::scheduler) fn decode(name: &str, text: &[u8]) -> Result<Self, String> {
        let record = Record::decode(text)?;
        let schedule = Self {
            spec: record.spec,
            time_zone: record.time_zone,
            headers: record.headers,
            options: record.options.options()?,
            catch_up: record.catch_up.map(CatchUp::from),
            name: name.to_owned(),
            task_type: TaskType::new(record.task_type).map_err(|blank| format!("type: {blank}"))?,
            payload: record.payload.map(|Blob(payload)| payload),
            layers: record.layers,
            is_unsealed: false,
            paused_since: record.paused_since.map(|At(at)| at),
            created_at: record.created_at.0,
            changed_at: record.changed_at.0,
            counts_from: record.counts_from.0,
            revision: Revision::of(text),
        };
        match schedule.check() {
            Ok(()) => Ok(schedule),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What is to be stored.
    pub(in crate::scheduler) fn encode(&self) -> Result<Bytes> {
        let mut headers = self.headers.clone();
        headers.extend(self.options.headers.clone());
        let record = Record {
            version: Version,
            spec: self.spec.clone(),
            time_zone: self.time_zone.clone(),
            task_type: self.task_type.as_str().to_owned(),
            payload: self.payload.clone().map(Blob),
            layers: self.layers.clone(),
            headers,
            options: OptionsRecord::new(&self.options),
            catch_up: self.catch_up.map(Into::into),
            paused_since: self.paused_since.map(At),
            created_at: At(self.created_at),
            changed_at: At(self.changed_at),
            counts_from: At(self.counts_from),
        };
        let text = record.encode().map_err(|reason| InvalidSchedule::new(&self.spec, &reason))?;
        if text.len() > LONGEST_TEXT {
            let reason = format!(
                "it takes {} bytes to store, and at most {LONGEST_TEXT} are allowed: store what is large elsewhere, and a \
                 reference to it in the payload",
                text.len()
            );
            return Err(InvalidSchedule::new(&self.spec, &reason).into());
        }
        Ok(text)
    }

    /// Whether everything in it can be kept.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |reason: &str| Err(Error::from(InvalidSchedule::new(&self.spec, &reason)));
        self.schedule()?;
        if self.name.trim().is_empty() {
            return wrong("its name must not be blank");
        }
        if self.name.len() > LONGEST_NAME {
            let length = self.name.len();
            return wrong(&format!("its name is of {length} bytes, and at most {LONGEST_NAME} are allowed"));
        }
        if let Some(invalid) = &self.options.invalid {
            return Err(invalid.clone().into());
        }
        self.options.check_unique()?;
        if self.headers.contains_key(LAYERS_HEADER) || self.options.headers.contains_key(LAYERS_HEADER) {
            let reason =
                format!("`{LAYERS_HEADER}` says how the payload is stored, which is the client's to say");
            return Err(InvalidOption::new("header", &reason).into());
        }
        Ok(())
    }

    /// Whether ticks of the one say anything about ticks of the other: it fires at the same times, into the same queue.
    pub(super) fn has_times_of(&self, other: &Self) -> bool {
        (&self.spec, &self.time_zone, self.queue()) == (&other.spec, &other.time_zone, other.queue())
    }

    /// The task that it enqueues, its payload as its job reads it.
    pub(super) fn task(&self, payloads: &Payloads) -> Result<Task> {
        let message = self.message();
        let unreadable = |reason: String| Error::UnreadableSchedule { name: self.name.clone(), reason };
        let opened = payloads.open(&message).map_err(|error| unreadable(format!("payload: {error}")))?;
        let layers = Payloads::layers_of(&message).map_err(|error| unreadable(error.to_string()))?;
        let payload = self.payload.is_some().then(|| opened.map_or(message.payload, |opened| opened.payload));
        let (task_type, headers) = (self.task_type.clone(), self.headers.clone());
        Ok(Task { task_type, payload, headers, options: self.options.clone(), layers })
    }

    /// What a scheduler makes of it.
    pub(super) fn prepare(&self, payloads: &Payloads) -> Result<Prepared> {
        let id = self.entry_id();
        Ok(Prepared {
            content: id.clone(),
            id,
            spec: self.whole_spec(),
            schedule: self.schedule()?,
            task: self.task(payloads)?,
            catch_up: self.catch_up,
            counts_from: Some(floor_seconds(self.counts_from)),
        })
    }

    /// Seals a payload that was set.
    pub(super) fn seal(&mut self, payloads: &Payloads) -> Result<()> {
        if std::mem::take(&mut self.is_unsealed) {
            let mut message = self.message();
            payloads.reseal(&mut message)?;
            self.keep_sealed(message);
        }
        Ok(())
    }

    /// What its payload is sealed as: that of a task whose ID no task has.
    fn message(&self) -> TaskMessage {
        let layers = self.layers.iter().map(|layers| (LAYERS_HEADER.to_owned(), layers.clone()));
        TaskMessage {
            task_type: self.task_type.as_str().to_owned(),
            id: format!("schedule {}", self.name),
            payload: self.payload.clone().unwrap_or_default(),
            headers: layers.collect(),
            ..TaskMessage::default()
        }
    }

    fn keep_sealed(&mut self, mut message: TaskMessage) {
        self.layers = message.headers.remove(LAYERS_HEADER);
        if self.layers.is_some() || self.payload.is_some() {
            self.payload = Some(message.payload);
        }
    }
}

impl fmt::Debug for StoredSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payload may be private.
        f.debug_struct("StoredSchedule")
            .field("name", &self.name)
            .field("spec", &self.spec)
            .field("time_zone", &self.time_zone)
            .field("task_type", &self.task_type)
            .field("options", &self.options)
            .field("catch_up", &self.catch_up)
            .field("paused_since", &self.paused_since)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
