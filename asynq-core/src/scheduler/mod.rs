//! Periodic tasks: tasks that are enqueued at the times a schedule says.
//!
//! Any number of schedulers may have the same entry, in as many processes: each of its ticks is enqueued once. There is
//! no leader. All of them try, and the store remembers the last tick of each entry, so the first one wins, whatever
//! their clocks say; when one dies, the others go on as before.
//!
//! ```text
//! scheduler.rs (entries, start, stop) ─► ticker.rs (one entry: waits, then enqueues) ─► Client::enqueue_tick
//!   ▲             │                        └─► due.rs (which ticks), cron/ (when)
//!   │             └─► publisher.rs (what tools see)
//! manager/ (entries from a provider, kept in step)
//! stored/ (entries from the store, managed while programs run)
//! ```

mod builder;
mod cron;
mod due;
mod entry;
mod hooks;
mod identity;
mod manager;
mod option_strings;
mod periodic_task;
mod publisher;
mod scheduler;
mod stored;
#[cfg(test)]
mod tests;
mod ticker;

pub use builder::SchedulerBuilder;
pub use cron::{InvalidSchedule, Schedule, in_words};
pub use due::CatchUp;
pub use hooks::Firing;
pub use identity::EntryId;
pub use manager::{ManagerBuilder, PeriodicTaskManager, PeriodicTaskProvider, Rejected, SyncReport};
pub use option_strings::option_strings;
pub use periodic_task::PeriodicTask;
pub use scheduler::Scheduler;
pub use stored::{
    KnownSchedule, KnownSchedules, Revision, ScheduleState, SchedulesFound, StoredSchedule, StoredSchedules,
    UnreadableSchedule,
};
