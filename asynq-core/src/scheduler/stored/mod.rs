//! Schedules that are kept in the store, and managed while programs run.
//!
//! ```text
//! StoredSchedules (create, save, pause, …) ─► record.rs (what is written) ─► Broker, as `Timetable`
//!   StoredSchedule (one of them)                                               │
//!   KnownSchedule (they, and those that schedulers tell of)                    │
//! Follower (makes the entries of a scheduler those that are stored) ◄──────────┘
//! ```

mod follower;
mod known;
mod record;
mod stored_schedule;
mod stored_schedules;

pub(super) use follower::{Follower, follow};
pub use known::{KnownSchedule, KnownSchedules, ScheduleState};
pub use stored_schedule::{Revision, StoredSchedule};
pub use stored_schedules::{SchedulesFound, StoredSchedules, UnreadableSchedule};
