//! Every Redis key, one function each.
//!
//! All keys of one queue carry the hash tag `{<queue>}` and so share a cluster slot. Keys of our own (`x:…`)
//! stand beside Go's and are never read by it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::task::QueueName;

/// The names of all keys under one prefix: `asynq` everywhere that Go must read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyspace {
    prefix: Arc<str>,
}

impl Default for Keyspace {
    fn default() -> Self {
        Self::new("asynq")
    }
}

macro_rules! global_keys {
    ($($(#[$doc:meta])* $name:ident = $suffix:literal;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> String {
            format!(concat!("{}:", $suffix), self.prefix)
        })*
    };
}

impl Keyspace {
    /// Keys whose names begin with this and a colon. Go reads `asynq` alone.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: Arc::from(prefix) }
    }

    /// What all keys begin with.
    pub fn prefix(&self) -> String {
        format!("{}:", self.prefix)
    }

    global_keys! {
        /// Set of all queue names.
        queues = "queues";
        /// Sorted set of server keys, by expiry in seconds.
        servers = "servers";
        /// Sorted set of workers keys, by expiry in seconds.
        workers = "workers";
        /// Sorted set of scheduler keys, by expiry in seconds.
        schedulers = "schedulers";
        /// Our own: sorted set of keys of run times, by expiry in seconds.
        run_times = "x:times";
        /// Pub/sub channel whose messages are IDs of tasks to cancel.
        cancel_channel = "cancel";
        /// Our own: pub/sub channel whose messages are keys of tasks that somebody waits for, and of which a run has ended.
        run_ends_channel = "x:ended";
        /// Our own: stream of who changed what.
        audit = "x:audit";
        /// Our own: hash of schedules that are managed while programs run, by name.
        timetable = "x:{{timetable}}";
        /// Our own: how often those were changed.
        timetable_changes = "x:{{timetable}}:changes";
    }

    /// One server's `ServerInfo`.
    pub fn server_info(&self, host: &str, pid: i32, server_id: &str) -> String {
        format!("{}:servers:{{{host}:{pid}:{server_id}}}", self.prefix)
    }

    /// One server's running tasks, a hash of `WorkerInfo`.
    pub fn server_workers(&self, host: &str, pid: i32, server_id: &str) -> String {
        format!("{}:workers:{{{host}:{pid}:{server_id}}}", self.prefix)
    }

    /// Our own: how long one server's runs took.
    pub fn server_run_times(&self, host: &str, pid: i32, server_id: &str) -> String {
        format!("{}:x:times:{{{host}:{pid}:{server_id}}}", self.prefix)
    }

    /// One scheduler's entries; its ID is `<host>:<pid>:<uuid>`.
    pub fn scheduler_entries(&self, scheduler_id: &str) -> String {
        format!("{}:schedulers:{{{scheduler_id}}}", self.prefix)
    }

    /// What one scheduler entry has enqueued.
    pub fn scheduler_history(&self, entry_id: &str) -> String {
        format!("{}:scheduler_history:{entry_id}", self.prefix)
    }

    /// The tokens of an `x/rate` semaphore: a sorted set of IDs by the second in which they expire.
    pub fn semaphore(&self, scope: &str) -> String {
        format!("{}:sema:{scope}", self.prefix)
    }

    /// Our own: when tasks ran under a rate limit, a sorted set of runs by microsecond.
    pub fn rate_runs(&self, scope: &str) -> String {
        format!("{}:x:rate:{{{scope}}}:ran", self.prefix)
    }

    /// Our own: the tasks that wait for a rate limit, a sorted set of IDs by the microsecond of their turn.
    pub fn rate_line(&self, scope: &str) -> String {
        format!("{}:x:rate:{{{scope}}}:line", self.prefix)
    }

    /// The keys of one queue.
    pub fn queue(&self, queue: &QueueName) -> QueueKeys {
        QueueKeys { base: format!("{}:{{{queue}}}:", self.prefix) }
    }
}

/// The names of one queue's keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueKeys {
    base: String,
}

macro_rules! queue_keys {
    ($($(#[$doc:meta])* $name:ident = $suffix:literal;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> String {
            [self.base.as_str(), $suffix].concat()
        })*
    };
}

impl QueueKeys {
    queue_keys! {
        /// List of IDs ready to run; the right end is next.
        pending = "pending";
        /// List of IDs being run.
        active = "active";
        /// Sorted set of active IDs by the end of their lease, in seconds.
        lease = "lease";
        /// Sorted set of IDs by the time they are due, in seconds.
        scheduled = "scheduled";
        /// Sorted set of failed IDs by the time of their next attempt, in seconds.
        retry = "retry";
        /// Sorted set of given-up IDs by the time that happened, in seconds.
        archived = "archived";
        /// Sorted set of finished IDs by the end of their retention, in seconds.
        completed = "completed";
        /// Exists while the queue is paused; the value is since when, in seconds.
        paused = "paused";
        /// Number of tasks processed since ever.
        processed_total = "processed";
        /// Number of failed attempts since ever.
        failed_total = "failed";
        /// Set of names of groups that hold tasks.
        groups = "groups";
        /// Sorted set of keys of sets being aggregated, by their deadline in seconds.
        aggregation_sets = "aggregation_sets";
        /// What task keys begin with.
        task_prefix = "t:";
        /// What group keys begin with.
        group_prefix = "g:";
        /// Our own: sorted set of server IDs that lease from this queue, by their last beat in seconds.
        owners = "x:owners";
        /// Our own: sorted set of scheduler entries that enqueue here, by their last tick in seconds.
        ticks = "x:tick";
        /// Our own: sorted set of IDs that somebody waits for, by the second until which that counts.
        waits = "x:waits";
        /// Our own: number of archived tasks that were deleted because they were too many or too old.
        trimmed = "x:trimmed";
    }

    /// What all keys of the queue begin with.
    pub fn prefix(&self) -> &str {
        &self.base
    }

    /// One task's hash.
    pub fn task(&self, id: &str) -> String {
        format!("{}t:{id}", self.base)
    }

    /// The same in the place of what `key` holds, whose room is used again.
    #[cfg(feature = "redis")]
    pub(crate) fn write_task(&self, key: &mut String, id: &str) {
        key.clear();
        for part in [&self.base, "t:", id] {
            key.push_str(part);
        }
    }

    /// Our own: exists for a while after a task that somebody waited for, and that is not kept, has succeeded.
    pub fn done(&self, id: &str) -> String {
        format!("{}x:waits:{id}", self.base)
    }

    /// One group: a sorted set of IDs by the time they were added, in seconds.
    pub fn group(&self, group: &str) -> String {
        format!("{}g:{group}", self.base)
    }

    /// The members of a group that are being aggregated under the ID of a set.
    pub fn aggregation_set(&self, group: &str, set_id: &str) -> String {
        format!("{}g:{group}:{set_id}", self.base)
    }

    /// Tasks processed on the UTC day of `at`.
    pub fn processed(&self, at: Timestamp) -> String {
        format!("{}processed:{}", self.base, utc_date(at))
    }

    /// Attempts failed on the UTC day of `at`.
    pub fn failed(&self, at: Timestamp) -> String {
        format!("{}failed:{}", self.base, utc_date(at))
    }

    /// Our own: the uniqueness lock of a task type that a producer has named. The length of the type keeps apart what
    /// would look alike.
    pub fn own_lock(&self, task_type: &str, name: &str) -> String {
        format!("{}x:unique:{}:{task_type}:{name}", self.base, task_type.len())
    }

    /// What the uniqueness locks of a task type begin with.
    pub fn unique_prefix(&self, task_type: &str) -> String {
        format!("{}unique:{task_type}:", self.base)
    }
}

/// The UTC day of an instant: how the daily counters are named.
pub(crate) fn utc_date(at: Timestamp) -> jiff::civil::Date {
    Offset::UTC.to_datetime(at).date()
}
