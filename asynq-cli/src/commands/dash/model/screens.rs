//! What the screens hold, but for the tasks.

use std::collections::BTreeSet;

use asynq_core::inspector::{DailyStats, EnqueueEvent, ServerStatus, StoreInfo};
use asynq_core::scheduler::KnownSchedule;
use asynq_core::task::QueueName;

use crate::commands::dash::columns::{
    CURVES, CurveRow, EVENTS, QUEUES, QueueRow, SCHEDULES, SERVERS, WORKERS, WorkerRow,
};
use crate::commands::dash::list::List;

/// Servers and Redis, as the overview shows them.
#[derive(Debug, Default)]
pub(in crate::commands::dash) struct OverviewScreen {
    pub(in crate::commands::dash) servers: Vec<ServerStatus>,
    pub(in crate::commands::dash) redis: StoreInfo,
}

#[derive(Debug)]
pub(in crate::commands::dash) struct QueuesScreen {
    pub(in crate::commands::dash) list: List<QueueRow>,
    pub(in crate::commands::dash) selected: BTreeSet<QueueName>,
}

/// Servers, and the tasks that they run.
#[derive(Debug)]
pub(in crate::commands::dash) struct ServersScreen {
    pub(in crate::commands::dash) list: List<ServerStatus>,
    pub(in crate::commands::dash) workers: List<WorkerRow>,
    /// Whether the keys go to the workers.
    pub(in crate::commands::dash) on_workers: bool,
}

/// Entries of schedulers, and what the chosen one enqueued.
#[derive(Debug)]
pub(in crate::commands::dash) struct SchedulersScreen {
    pub(in crate::commands::dash) list: List<KnownSchedule>,
    pub(in crate::commands::dash) history: List<EnqueueEvent>,
    /// The entry that the history is of.
    pub(in crate::commands::dash) history_of: Option<String>,
    /// Whether the keys go to the history.
    pub(in crate::commands::dash) on_history: bool,
}

/// Queues, the curves of the chosen one, and its days.
#[derive(Debug)]
pub(in crate::commands::dash) struct MetricsScreen {
    pub(in crate::commands::dash) list: List<CurveRow>,
    pub(in crate::commands::dash) days: Option<(QueueName, Vec<DailyStats>)>,
}

/// What Redis tells, line by line.
#[derive(Debug, Default)]
pub(in crate::commands::dash) struct RedisScreen {
    pub(in crate::commands::dash) info: StoreInfo,
    pub(in crate::commands::dash) scroll: usize,
}

impl Default for QueuesScreen {
    fn default() -> Self {
        Self { list: List::new(QUEUES), selected: BTreeSet::new() }
    }
}

impl Default for ServersScreen {
    fn default() -> Self {
        Self { list: List::new(SERVERS), workers: List::new(WORKERS), on_workers: false }
    }
}

impl Default for SchedulersScreen {
    fn default() -> Self {
        Self { list: List::new(SCHEDULES), history: List::new(EVENTS), history_of: None, on_history: false }
    }
}

impl Default for MetricsScreen {
    fn default() -> Self {
        Self { list: List::new(CURVES), days: None }
    }
}

impl MetricsScreen {
    /// The queue whose curves are shown; `None` for all together.
    pub(in crate::commands::dash) fn queue(&self) -> Option<&QueueName> {
        self.list.chosen().and_then(|row| row.queue.as_ref())
    }
}
