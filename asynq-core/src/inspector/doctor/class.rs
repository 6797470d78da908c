//! [`Class`]: each kind of thing that can be wrong, in words.

use std::fmt;
use std::str::FromStr;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; nothing fails because of it.
    Notice,
    /// Something does not work as it should, or will not for long.
    Warning,
    /// Tasks do not run, are lost, or run twice.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The text names no class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no class of findings; known are {known}", known = Class::names())]
pub struct UnknownClass(String);

/// What is said of a class.
struct Words {
    name: &'static str,
    severity: Severity,
    /// What it is, and where it comes from.
    explanation: &'static str,
    /// What a repair does.
    remedy: Option<&'static str>,
    /// What somebody has to do where there is no repair, or before it.
    advice: &'static str,
}

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident {
        name: $name:literal,
        severity: $severity:ident,
        explanation: $explanation:literal,
        $(remedy: $remedy:literal,)?
        $(advice: $advice:literal,)?
    })*) => {
        /// A kind of thing that can be wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Class { $($(#[$doc])* $class),* }

        impl Class {
            /// Every class, in the order in which they are best put right.
            pub const ALL: &[Self] = &[$(Self::$class),*];

            fn words(self) -> Words {
                match self {
                    $(Self::$class => Words {
                        name: $name,
                        severity: Severity::$severity,
                        explanation: $explanation,
                        remedy: None$(.or(Some($remedy)))?,
                        advice: concat!("" $(, $advice)?),
                    }),*
                }
            }
        }
    };
}

classes! {
    /// A key holds another kind of value than asynq keeps there.
    WrongType {
        name: "wrong-type",
        severity: Error,
        explanation: "The key holds another kind of value than asynq keeps there: every call that needs it fails. \
                      Something else writes to this Redis under asynq's names.",
        remedy: "renames the key, to `…:x:aside:…`, where nobody looks for it",
        advice: "Find out who wrote it: it will happen again.",
    }
    /// A queue that holds tasks is not in the set of queues.
    UnlistedQueue {
        name: "unlisted-queue",
        severity: Warning,
        explanation: "The queue holds tasks and is not in the set of queues, so no inspector shows it, nor do servers that \
                      follow the set serve it. Go's producers leave it so when somebody deletes a queue that they use.",
        remedy: "adds the queue to the set",
    }
    /// An ID under which no task is stored.
    Ghost {
        name: "ghost",
        severity: Warning,
        explanation: "The ID stands in a list or a set, or has a hash, but no task is stored under it. Eviction leaves \
                      such IDs behind, and so do Go's workers when a task is deleted while it runs.",
        remedy: "removes the ID, and what is left of its hash",
    }
    /// A task whose message cannot be read.
    Unreadable {
        name: "unreadable",
        severity: Error,
        explanation: "The stored message cannot be read: it is damaged, or no asynq wrote it. Go's workers take it again \
                      and again, and their recovery stops at it.",
        remedy: "moves the task to the archive, where it harms nobody",
    }
    /// A task that stands in two places.
    Doubled {
        name: "doubled",
        severity: Error,
        explanation: "The task stands in two places, or twice among the pending: it may run twice, or run after it was \
                      given up.",
        remedy: "leaves it where its own state says it is, and otherwise where it runs soonest",
    }
    /// A task that stands nowhere.
    Lost {
        name: "lost",
        severity: Error,
        explanation: "The task is stored and stands in no list: nothing will ever run it. A worker of Go leaves it so when \
                      the end of a lease and the end of a run cross, and an eviction of a list does.",
        remedy: "puts it where its state says; one that was active becomes pending, and so may run a second time",
    }
    /// A task whose state differs from where it stands.
    Misplaced {
        name: "misplaced",
        severity: Warning,
        explanation: "The state that is stored with the task differs from where it stands, so that it can be neither run \
                      nor deleted by hand. Go leaves it so where trimming the archive fails half-way.",
        remedy: "has the state say where the task stands",
    }
    /// An active task without a lease.
    Unleased {
        name: "unleased",
        severity: Error,
        explanation: "The task is active and has no lease. Servers of Go never look at it again: it stays active for ever \
                      once its worker is gone.",
        remedy: "gives it a lease that has ended, so that a server takes it over as after a crash",
    }
    /// A lease of a task that is not active.
    StrayLease {
        name: "stray-lease",
        severity: Warning,
        explanation: "The task has a lease and is not active. When that ends, Go's recovery retries a task that is \
                      somewhere else.",
        remedy: "removes the lease",
    }
    /// An active task whose lease has ended, where no server is that could take it over.
    Orphaned {
        name: "orphaned",
        severity: Error,
        explanation: "The task's worker is gone, its lease has ended, and no running server serves the queue: nobody will \
                      take it over.",
        remedy: "makes it pending, in front of the others",
        advice: "A server on this queue does the same by itself.",
    }
    /// Fields of a task that mean nothing in its state.
    StaleFields {
        name: "stale-fields",
        severity: Notice,
        explanation: "The hash of the task names a run that is over, or a group that it will not join any more. Go's \
                      programs leave such fields of ours in place: after a task that ours began, or when they make one \
                      pending that was to join a group.",
        remedy: "removes the fields",
    }
    /// A group that is listed and empty.
    EmptyGroup {
        name: "empty-group",
        severity: Notice,
        explanation: "The group is in the set of groups and holds no task: every server asks for it in vain.",
        remedy: "takes it out of the set",
    }
    /// A group that holds tasks and is not listed.
    UnlistedGroup {
        name: "unlisted-group",
        severity: Error,
        explanation: "The group holds tasks and is not in the set of groups, so no server aggregates it until somebody \
                      adds to it. Go's servers leave it so when they put tasks back into a group.",
        remedy: "adds it to the set",
    }
    /// An aggregation set that nobody knows.
    StraySet {
        name: "stray-set",
        severity: Error,
        explanation: "Tasks were taken out of their group to be aggregated, and the set that they stand in is not known \
                      as one: nobody will ever look at it.",
        remedy: "has servers put the tasks back into their group",
    }
    /// A uniqueness lock whose task is gone or done.
    StaleLock {
        name: "stale-lock",
        severity: Warning,
        explanation: "The uniqueness lock names a task that is gone or done. Producers on Go go on refusing new tasks until \
                      its time is over; ours do not.",
        remedy: "deletes the lock",
    }
    /// A uniqueness lock whose task is archived.
    ArchivedLock {
        name: "archived-lock",
        severity: Notice,
        explanation: "The uniqueness lock names a task that was given up. That is how asynq works, but no new task of its \
                      kind is taken until the time of the lock is over.",
        remedy: "deletes the lock",
        advice: "Run or delete the archived task, if it is not to be replaced.",
    }
    /// A daily counter that never goes away.
    EndlessCounter {
        name: "endless-counter",
        severity: Notice,
        explanation: "A counter of one day never goes away by itself, as those do after 90 days.",
        remedy: "lets it go away in 90 days",
    }
    /// Keys that a deleted queue has left behind, and beats of servers that are long dead.
    Leftover {
        name: "leftover",
        severity: Notice,
        explanation: "What is left of a queue that was deleted, or of a server that died more than a day ago. Go deletes \
                      of a queue only the keys that it knows.",
        remedy: "deletes it",
    }
    /// Servers and schedulers that died and are still listed.
    DeadProcess {
        name: "dead-process",
        severity: Notice,
        explanation: "A server or scheduler that ended without taking leave is still listed. It is not shown, and does no harm.",
        remedy: "takes it off the list",
    }
    /// A paused queue that holds nothing.
    PausedEmpty {
        name: "paused-empty",
        severity: Notice,
        explanation: "The queue is paused, and nothing waits in it: perhaps the pause was forgotten.",
        remedy: "resumes it",
    }
    /// A queue with pending tasks that no server serves.
    Unserved {
        name: "unserved",
        severity: Error,
        explanation: "Tasks are pending, and no running server serves the queue.",
        advice: "Start a server with this queue, or move the tasks to one that is served.",
    }
    /// An archive that is about to be trimmed.
    FullArchive {
        name: "full-archive",
        severity: Warning,
        explanation: "The archive of the queue is about to be trimmed: servers delete what is beyond 9,999 tasks or 90 days, \
                      unless they are told otherwise, and say nothing.",
        advice: "Run, delete or export the archived tasks, or set the servers' archive limits.",
    }
    /// Redis may evict what is stored.
    Evicting {
        name: "evicting",
        severity: Error,
        explanation: "When its memory is full, Redis evicts keys: tasks, leases and lists disappear.",
        advice: "Set `maxmemory-policy noeviction`.",
    }
    /// What is stored is on no disk.
    Unsaved {
        name: "unsaved",
        severity: Warning,
        explanation: "Redis has not saved what it holds: when it ends, tasks are lost.",
        advice: "Set `appendonly yes`, or `save 3600 1 300 100`; where saving fails, the log of Redis says why.",
    }
    /// The clock of Redis differs from the one here.
    ClockSkew {
        name: "clock-skew",
        severity: Warning,
        explanation: "The clocks of this machine and of Redis differ. Leases and due times are those of the clients' clocks: \
                      where these differ by 30 seconds, Go's servers take over tasks that still run.",
        advice: "Have all machines keep time by NTP.",
    }
    /// Redis is older than what some part needs.
    OldRedis {
        name: "old-redis",
        severity: Warning,
        explanation: "Redis is older than 6.2. Go's workers fail to archive tasks and lose them; ours do without, and wait a \
                      second longer for new tasks.",
        advice: "Upgrade Redis.",
    }
}

impl Class {
    /// Its name: lower case, with dashes.
    pub fn as_str(self) -> &'static str {
        self.words().name
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        self.words().severity
    }

    /// What it is, and where it comes from.
    pub fn explanation(self) -> &'static str {
        self.words().explanation
    }

    /// What a repair does, in the third person; `None` where only an operator can do something.
    pub fn remedy(self) -> Option<&'static str> {
        self.words().remedy
    }

    /// What somebody should do beside that; may be empty.
    pub fn advice(self) -> &'static str {
        self.words().advice
    }

    fn names() -> String {
        Self::ALL.iter().map(|class| class.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| UnknownClass(text.to_owned()))
    }
}
