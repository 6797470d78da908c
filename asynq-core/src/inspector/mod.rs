//! Looking at what is stored, and changing it: what operators do, and the tools they do it with.
//!
//! ```text
//! inspector.rs (Inspector: queues and tasks, one at a time)
//!   ├─► listing.rs (pages and streams)      ├─► edit.rs, moving.rs, copying.rs (one task, its message)
//!   ├─► bulk.rs (all tasks of a collection) ├─► processes.rs (servers, schedulers, cluster)
//!   ├─► locks.rs (uniqueness locks)          ├─► transfer/ (export and import)
//!   ├─► encoding/ (payloads that are no text, as JSON), masks.rs (what of them is not shown)
//!   ├─► doctor/ (what is wrong with all of it, and how it is put right)
//!   └─► selection.rs, filter/ (tasks of many queues that fit a line of text) ─► action.rs (what is done to them)
//!         ├─► met.rs (which tasks were met before)  ├─► search.rs (part by part, within a budget)
//!         ├─► tally.rs (counted by type and error_kind.rs)
//!         └─► watching.rs (what becomes of them)
//! ```
//!
//! Nothing here runs tasks, and nothing decides how they are shown: command line, dashboard and Web UI live on it. How
//! people write and read times and lengths is the same for all of them, and in [`human`].

mod action;
mod audit;
mod bulk;
mod copying;
mod doctor;
mod edit;
mod encoding;
mod error_kind;
mod filter;
pub mod human;
mod inspector;
mod json_text;
mod listing;
mod locks;
mod masks;
mod met;
mod moving;
mod payload_format;
mod processes;
mod search;
mod selection;
mod sorting;
mod tally;
#[cfg(test)]
mod tests;
mod transfer;
mod watching;

pub use crate::broker::{
    AuditEntry, AuditId, ClusterMember, ClusterNode, Collection, DailyStats, GroupInfo, LockInfo,
    LockStanding, QueueInfo, StoreInfo, TaskDetail, Unreadable,
};
pub use action::{Action, SelectionChange, SelectionChanged};
pub use audit::Audited;
pub use bulk::{BulkChange, Progress};
pub use doctor::{Class, Diagnosis, Examination, Finding, Repair, Repaired, Severity, UnknownClass};
pub use edit::TaskEdit;
pub use encoding::{Encoding, EncodingError};
pub use error_kind::ErrorKind;
pub use filter::{Filter, FilterError};
pub use inspector::Inspector;
pub use json_text::JsonText;
pub use listing::{Page, TaskPage, TaskStream, UnreadableTask};
pub use locks::HeldLocks;
pub use masks::{InvalidMask, Mask, Masks};
pub use payload_format::PayloadFormat;
pub use processes::{EnqueueEvent, RunningTask, ScheduledEntry, ServerRunTimes, ServerStatus};
pub use search::{Search, SearchCursor, SearchPart};
pub use selection::{FoundTasks, Selection};
pub use sorting::SortBy;
pub use tally::{ErrorCount, Tally};
pub use transfer::{Export, Import, ImportError, Imported, ImportedLines, OnConflict};
pub use watching::{TaskChange, TaskWatch};
