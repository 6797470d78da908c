//! [`Catalog`]: the jobs of a program as data, for other programs and for comparing two versions.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DuplicateJob, Registration, registered};
use crate::job::PayloadShape;

/// The jobs of a program, by task type: what a producer in any language must know to send them, and what a deploy may
/// break.
///
/// As JSON it is one object:
///
/// ```json
/// { "version": 1,
///   "jobs": {
///     "email:send": {
///       "aliases": ["mail:send"],
///       "struct": "SendEmail",
///       "queue": "mail",
///       "options": { "retry": 5, "timeout": 30 },
///       "payload": { "fields": { "to": { "type": "String", "required": true } } },
///       "schedules": [],
///       "file": "src/jobs.rs",
///       "line": 7
///     } } }
/// ```
///
/// Lengths of time are in seconds, and what is not set is left out: `codec` for JSON, `version` for the first, `reads` for no
/// earlier one. A payload that is the encoding of one type says
/// `{ "type": "Invoice" }`. Types are written as in the source.
///
/// # Examples
///
/// Keep the catalog of what runs in production in a file, and let a test refuse what would break it:
///
/// ```
/// use asynq_core::router::Catalog;
///
/// # let file = r#"{ "version": 1, "jobs": {} }"#;
/// let deployed: Catalog = file.parse()?;
/// let broken: Vec<_> =
///     deployed.diff(&Catalog::registered()?).into_iter().filter(|change| change.is_breaking()).collect();
/// assert!(broken.is_empty(), "{broken:#?}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Catalog {
    /// The version of this form: 1.
    pub version: u32,
    /// The jobs, by task type.
    pub jobs: BTreeMap<String, CatalogJob>,
}

/// A job in a [`Catalog`].
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

/// Defaults of a job in a [`Catalog`]; what is not set is Go's.
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

impl Catalog {
    /// The catalog of all jobs that are registered in this program.
    ///
    /// # Errors
    ///
    /// [`DuplicateJob`] when two have the same task type.
    pub fn registered() -> Result<Self, DuplicateJob> {
        Ok(Self::of(registered()?))
    }

    /// The catalog of these jobs.
    pub fn of(jobs: impl IntoIterator<Item = &'static Registration>) -> Self {
        let jobs = jobs.into_iter().map(|job| (job.name.to_owned(), CatalogJob::of(job))).collect();
        Self { version: 1, jobs }
    }

    /// What changed from this catalog to a newer one, by task type.
    pub fn diff(&self, newer: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, old) in &self.jobs {
            let successor = newer.jobs.iter().find(|(_, job)| job.aliases.contains(name));
            let mut note = |kind| changes.push(Change { job: name.clone(), kind });
            let new = match (newer.jobs.get(name), successor) {
                (Some(new), _) => new,
                (None, Some((to, new))) => {
                    note(ChangeKind::Renamed { to: to.clone() });
                    new
                }
                (None, None) => {
                    note(ChangeKind::Removed);
                    continue;
                }
            };
            let (from, to) = (old.version.unwrap_or(1), new.version.unwrap_or(1));
            if old.codec != new.codec {
                note(ChangeKind::Codec { from: old.codec.clone(), to: new.codec.clone() });
            }
            if from == to {
                payload_changes(&old.payload, &new.payload, &mut note);
            } else {
                note(ChangeKind::Version { from, to, reads_old: new.reads.contains(&from) });
            }
            if old.queue != new.queue {
                let is_served = newer.jobs.values().any(|job| job.queue == old.queue);
                note(ChangeKind::Queue { from: old.queue.clone(), to: new.queue.clone(), is_served });
            }
            if old.options != new.options {
                note(ChangeKind::Options);
            }
        }
        let known = |name: &String| {
            self.jobs.contains_key(name)
                || newer
                    .jobs
                    .get(name)
                    .is_some_and(|job| job.aliases.iter().any(|old| self.jobs.contains_key(old)))
        };
        let added = newer.jobs.keys().filter(|name| !known(name));
        changes.extend(added.map(|name| Change { job: name.clone(), kind: ChangeKind::Added }));
        changes.sort_by(|a, b| a.job.cmp(&b.job));
        changes
    }
}

/// What changed in a payload.
fn payload_changes(old: &CatalogPayload, new: &CatalogPayload, note: &mut impl FnMut(ChangeKind)) {
    let (CatalogPayload::Fields(old_fields), CatalogPayload::Fields(new_fields)) = (old, new) else {
        if old != new {
            note(ChangeKind::PayloadKind);
        }
        return;
    };
    for (field, old) in old_fields {
        let field = field.clone();
        match new_fields.get(&field) {
            None => note(ChangeKind::FieldRemoved { field, required: old.required }),
            Some(new) if old.ty != new.ty => {
                note(ChangeKind::FieldType { field, from: old.ty.clone(), to: new.ty.clone() });
            }
            Some(new) if old.required != new.required => {
                note(ChangeKind::FieldRequired { field, required: new.required });
            }
            Some(_) => {}
        }
    }
    for (field, new) in new_fields.iter().filter(|(field, _)| !old_fields.contains_key(*field)) {
        note(ChangeKind::FieldAdded { field: field.clone(), required: new.required });
    }
}

impl CatalogJob {
    fn of(job: &Registration) -> Self {
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

/// The JSON form.
impl fmt::Display for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(self).map_err(|_never| fmt::Error)?;
        f.write_str(&json)
    }
}

/// From the JSON form.
impl std::str::FromStr for Catalog {
    type Err = InvalidCatalog;

    fn from_str(json: &str) -> Result<Self, InvalidCatalog> {
        serde_json::from_str(json).map_err(InvalidCatalog)
    }
}

/// A text is not the JSON of a [`Catalog`]; the cause, with its line, is the source.
#[derive(Debug, thiserror::Error)]
#[error("not a catalog of jobs")]
pub struct InvalidCatalog(#[source] serde_json::Error);

/// The catalog of all jobs that are registered in this program, as JSON.
///
/// # Errors
///
/// [`DuplicateJob`] when two have the same task type.
pub fn export_catalog() -> Result<String, DuplicateJob> {
    Ok(Catalog::registered()?.to_string())
}

/// A difference between two catalogs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The task type, as in the older one; in the newer one if it was added.
    pub job: String,
    /// What changed.
    pub kind: ChangeKind,
}

/// What changed between two catalogs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// A job was added.
    Added,
    /// A job is gone: its tasks in the queues have no handler.
    Removed,
    /// A job has another task type and runs the old one as an alias.
    Renamed {
        /// The new task type.
        to: String,
    },
    /// The payload is written by another codec.
    Codec {
        /// The codec that it had; none for JSON.
        from: Option<String>,
        /// The codec that it has.
        to: Option<String>,
    },
    /// The payload is of another version.
    Version {
        /// The version that it had.
        from: u32,
        /// The version that it has.
        to: u32,
        /// Whether payloads of the old one are read.
        reads_old: bool,
    },
    /// The payload is of another kind.
    PayloadKind,
    /// A field was added. Tasks that are in the queues do not have it.
    FieldAdded {
        /// Its name.
        field: String,
        /// Whether a payload without it is refused.
        required: bool,
    },
    /// A field is gone. Workers that are not deployed yet may need it.
    FieldRemoved {
        /// Its name.
        field: String,
        /// Whether older workers refuse a payload without it.
        required: bool,
    },
    /// A field has another type.
    FieldType {
        /// Its name.
        field: String,
        /// The type that it had.
        from: String,
        /// The type that it has.
        to: String,
    },
    /// A field may no longer be missing, or may now.
    FieldRequired {
        /// Its name.
        field: String,
        /// Whether a payload without it is now refused.
        required: bool,
    },
    /// Tasks go to another queue.
    Queue {
        /// The queue that it had.
        from: String,
        /// The queue that it has.
        to: String,
        /// Whether some job of the newer catalog still uses the old one, so that a worker serves it.
        is_served: bool,
    },
    /// Its defaults changed.
    Options,
}

impl Change {
    /// Whether tasks may fail or be left lying while both versions run, or after the older one is gone.
    pub fn is_breaking(&self) -> bool {
        match &self.kind {
            ChangeKind::Removed
            | ChangeKind::Codec { .. }
            | ChangeKind::PayloadKind
            | ChangeKind::FieldType { .. } => true,
            // Workers of the older version know that it is newer, and may be told to put it back.
            ChangeKind::Version { reads_old, .. } => !reads_old,
            ChangeKind::FieldAdded { required, .. }
            | ChangeKind::FieldRemoved { required, .. }
            | ChangeKind::FieldRequired { required, .. } => *required,
            ChangeKind::Queue { is_served, .. } => !is_served,
            // Workers of the older version do not know the new name, but put up with it as with any unknown type.
            ChangeKind::Added | ChangeKind::Renamed { .. } | ChangeKind::Options => false,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job `{}`: ", self.job)?;
        match &self.kind {
            ChangeKind::Added => f.write_str("added"),
            ChangeKind::Removed => f.write_str("removed; keep it, or name it in another job's `aliases`"),
            ChangeKind::Renamed { to } => write!(f, "renamed to `{to}`, which runs the old name too"),
            ChangeKind::Codec { from, to } => {
                let name = |codec: &Option<String>| codec.clone().unwrap_or_else(|| "JSON".to_owned());
                write!(
                    f,
                    "its codec was {} and is {}; give the job another `name`, and keep the old one until its tasks are done",
                    name(from),
                    name(to)
                )
            }
            ChangeKind::Version { from, to, reads_old: true } => {
                write!(f, "version {from} of its payload is now {to}, and the old one is read too")
            }
            ChangeKind::Version { from, to, .. } => {
                write!(
                    f,
                    "version {from} of its payload is now {to}, and stored tasks of the old one are not read; write `from({from} = …)`"
                )
            }
            ChangeKind::PayloadKind => f.write_str("its payload is of another kind"),
            ChangeKind::FieldAdded { field, required: true } => {
                write!(
                    f,
                    "field `{field}` added, which stored tasks do not have; write `#[serde(default)]` before it"
                )
            }
            ChangeKind::FieldAdded { field, .. } => write!(f, "field `{field}` added"),
            ChangeKind::FieldRemoved { field, required: true } => {
                write!(
                    f,
                    "field `{field}` removed, which older workers refuse to miss; make it optional first"
                )
            }
            ChangeKind::FieldRemoved { field, .. } => write!(f, "field `{field}` removed"),
            ChangeKind::FieldType { field, from, to } => {
                write!(f, "field `{field}` was `{from}` and is `{to}`")
            }
            ChangeKind::FieldRequired { field, required: true } => {
                write!(f, "field `{field}` may no longer be missing, as it may be in stored tasks")
            }
            ChangeKind::FieldRequired { field, .. } => write!(f, "field `{field}` may now be missing"),
            ChangeKind::Queue { from, to, is_served: true } => write!(f, "queue `{from}` is now `{to}`"),
            ChangeKind::Queue { from, to, .. } => {
                write!(
                    f,
                    "queue `{from}` is now `{to}`, and no job uses `{from}` any more: its tasks are left lying"
                )
            }
            ChangeKind::Options => f.write_str("other default options"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, aliases, queue, and names and types of fields.
    type Described<'a> = (&'a str, &'a [&'a str], &'a str, &'a [(&'a str, &'a str)]);

    /// A catalog of jobs `name: queue fields`, a `?` after a field's name for one that may be missing.
    fn catalog(jobs: &[Described<'_>]) -> Catalog {
        let job = |aliases: &[&str], queue: &str, fields: &[(&str, &str)]| CatalogJob {
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            structure: "Job".to_owned(),
            queue: queue.to_owned(),
            options: CatalogOptions::default(),
            payload: CatalogPayload::Fields(
                fields
                    .iter()
                    .map(|(name, ty)| {
                        let required = !name.ends_with('?');
                        (
                            name.trim_end_matches('?').to_owned(),
                            CatalogField { ty: (*ty).to_owned(), required },
                        )
                    })
                    .collect(),
            ),
            codec: None,
            version: None,
            reads: Vec::new(),
            schedules: Vec::new(),
            file: "src/jobs.rs".to_owned(),
            line: 1,
        };
        let jobs = jobs
            .iter()
            .map(|(name, aliases, queue, fields)| ((*name).to_owned(), job(aliases, queue, fields)));
        Catalog { version: 1, jobs: jobs.collect() }
    }

    /// Each change, with `!` before one that breaks something.
    fn changes(old: &Catalog, new: &Catalog) -> Vec<String> {
        let changes = old.diff(new).into_iter();
        changes.map(|change| format!("{}{change}", if change.is_breaking() { "!" } else { "" })).collect()
    }

    #[test]
    fn equal_catalogs_do_not_differ_wherever_the_code_stands() {
        let old = catalog(&[("a", &[], "default", &[("x", "u8")])]);
        let mut new = old.clone();
        for job in new.jobs.values_mut() {
            job.line = 99;
            "src/moved.rs".clone_into(&mut job.file);
        }
        assert!(old.diff(&new).is_empty());
    }

    #[test]
    fn jobs_that_come_go_and_are_renamed() {
        let old = catalog(&[("gone", &[], "q", &[]), ("old", &[], "q", &[("x", "u8")])]);
        let new = catalog(&[("fresh", &[], "q", &[]), ("new", &["old"], "q", &[("x", "u16")])]);
        assert_eq!(
            changes(&old, &new),
            [
                "job `fresh`: added",
                "!job `gone`: removed; keep it, or name it in another job's `aliases`",
                "job `old`: renamed to `new`, which runs the old name too",
                "!job `old`: field `x` was `u8` and is `u16`",
            ]
        );
    }

    #[test]
    fn fields_break_where_one_version_needs_what_the_other_does_not_send() {
        let old = catalog(&[(
            "a",
            &[],
            "q",
            &[("dropped", "u8"), ("idle?", "u8"), ("stricter?", "u8"), ("looser", "u8")],
        )]);
        let new = catalog(&[(
            "a",
            &[],
            "q",
            &[("needed", "u8"), ("extra?", "u8"), ("stricter", "u8"), ("looser?", "u8")],
        )]);
        let broken: Vec<_> =
            old.diff(&new).into_iter().map(|change| (change.is_breaking(), change.kind)).collect();
        let field = |name: &str| name.to_owned();
        assert_eq!(
            broken,
            [
                (true, ChangeKind::FieldRemoved { field: field("dropped"), required: true }),
                (false, ChangeKind::FieldRemoved { field: field("idle"), required: false }),
                (false, ChangeKind::FieldRequired { field: field("looser"), required: false }),
                (true, ChangeKind::FieldRequired { field: field("stricter"), required: true }),
                (false, ChangeKind::FieldAdded { field: field("extra"), required: false }),
                (true, ChangeKind::FieldAdded { field: field("needed"), required: true }),
            ]
        );
    }

    #[test]
    fn another_version_breaks_nothing_where_the_old_one_is_read() {
        let old = catalog(&[("a", &[], "q", &[("x", "u8")])]);
        let mut new = catalog(&[("a", &[], "q", &[("y", "String")])]);
        let job = |catalog: &mut Catalog, set: fn(&mut CatalogJob)| catalog.jobs.values_mut().for_each(set);
        job(&mut new, |job| job.version = Some(2));
        let dropped = "!job `a`: version 1 of its payload is now 2, and stored tasks of the old one are not read; write \
                       `from(1 = …)`";
        assert_eq!(changes(&old, &new), [dropped]);
        job(&mut new, |job| job.reads = vec![1]);
        assert_eq!(
            changes(&old, &new),
            ["job `a`: version 1 of its payload is now 2, and the old one is read too"]
        );
        assert_eq!(new.to_string().parse::<Catalog>().unwrap(), new);
        let mut packed = old.clone();
        job(&mut packed, |job| job.codec = Some("msgpack".to_owned()));
        let codec = "!job `a`: its codec was JSON and is msgpack; give the job another `name`, and keep the old one until \
                     its tasks are done";
        assert_eq!(changes(&old, &packed), [codec]);
    }

    #[test]
    fn a_queue_that_nobody_serves_any_more_is_told() {
        let old = catalog(&[("a", &[], "left", &[]), ("b", &[], "shared", &[]), ("c", &[], "shared", &[])]);
        let new = catalog(&[("a", &[], "q", &[]), ("b", &[], "q", &[]), ("c", &[], "shared", &[])]);
        assert_eq!(
            changes(&old, &new),
            [
                "!job `a`: queue `left` is now `q`, and no job uses `left` any more: its tasks are left lying",
                "job `b`: queue `shared` is now `q`",
            ]
        );
    }

    #[test]
    fn what_is_no_catalog_says_so() {
        let error = "{}".parse::<Catalog>().unwrap_err();
        assert_eq!(error.to_string(), "not a catalog of jobs");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("missing field"), "{cause}");
    }
}
