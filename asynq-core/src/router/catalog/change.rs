//! [`Change`]: a difference between two catalogs, and whether it breaks something.

use std::fmt;

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
    Options {
        /// The names of those that did, in order.
        names: Vec<String>,
    },
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
            ChangeKind::Added | ChangeKind::Renamed { .. } | ChangeKind::Options { .. } => false,
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
            ChangeKind::Options { names } => write!(f, "other default options: `{}`", names.join("`, `")),
        }
    }
}
