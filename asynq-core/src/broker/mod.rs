//! Where tasks rest: the [`Broker`] trait in batch form, and the brokers behind it.
//!
//! [`MemoryBroker`] and `RedisBroker` show the same behavior, by one
//! suite of conformance checks; a difference between them is a bug.

mod admission;
mod archive_limits;
mod audit;
mod broker;
mod care;
mod changes;
mod cluster_member;
mod collection;
#[cfg(any(test, feature = "__conformance"))]
#[doc(hidden)]
pub mod conformance;
mod error;
mod groups;
#[cfg(test)]
mod hostile;
mod inspection;
mod listing;
mod lock;
mod memory;
mod processes;
mod queue_info;
#[cfg(feature = "redis")]
pub mod redis;
mod schedules;
mod server_time;
mod settlement;
mod snapshot;
mod store_info;
mod task_detail;
mod timetable;
mod waits;

pub use admission::{Admission, LINE_PATIENCE, Token, Turn};
pub use archive_limits::ArchiveLimits;
pub use audit::{AUDIT_LIMIT, Audit, AuditEntry, AuditId, InvalidAuditId};
pub use broker::{
    ActiveTask, Broker, Demand, EnqueueError, Exchanged, Forwarded, LaterChanges, LeaseRef, Leased, Messages,
    NewTask, OwnerBeat, Place, Placement, QueueShare, StoredMessage, TypeShare, Undecodable, Waiter,
};
pub use care::{Care, Glimpse, GroupStanding, KeyCursor, KeyKind, KeyPage, LockStanding, Spot, Standing};
pub use changes::{Adoption, Change, Changed, ChangedMany, Changes, Edit, Edited, QueueDeletion};
pub use cluster_member::ClusterMember;
pub use collection::Collection;
pub use error::{BrokerError, BrokerErrorKind};
pub use groups::{
    AGGREGATION_TIMEOUT, FinishedMember, FinishedSet, GroupPage, GroupRule, GroupState, Groups, LARGEST_SET,
    Member, Reclaimed, RejectedMember, SetName,
};
pub use inspection::{Inspection, SCAN_BYTES, TaskCopy};
pub use listing::{Listed, Scan, ScanCursor};
pub use lock::LockInfo;
pub(crate) use lock::lock_until;
pub use memory::MemoryBroker;
pub use processes::{ClusterNode, Processes};
pub use queue_info::{DailyStats, GroupInfo, QueueInfo};
pub use schedules::{HISTORY_LIMIT, Schedules, TICK_AGE, Tick, Ticked};
pub use server_time::ServerTime;
pub use settlement::{RunToken, Settled, Settlement, Transition};
pub use snapshot::Unreadable;
pub use store_info::StoreInfo;
pub use task_detail::TaskDetail;
pub use timetable::{TIMETABLE_LIMIT, Timetable, TimetableChange, TimetableRows};
pub use waits::{DONE_AGE, WATCH, Waits, Watched};

/// How long a lease lasts from the moment it is taken or extended, as in Go.
pub const LEASE: std::time::Duration = std::time::Duration::from_secs(30);

/// How many tasks of one queue an exchange passes over, whose types are full, in search of others.
pub const LOOK_AHEAD: usize = 256;

/// With more active tasks than this, a queue is crowded for those that were not taken of late. The script that settles
/// knows it, too.
pub const CROWD: usize = 256;

/// So many tasks of a queue, those that were taken last, were taken of late: beside thousands of slow ones, a server that
/// has quick ones settles these. The script that settles knows it, too.
pub const OF_LATE: usize = 64;

/// Daily counters are kept this long, as in Go.
pub const STATISTICS_AGE: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 3600);
