//! [`Known`]: what applying operations leaves behind in the one who applies them, and [`Observation`]: what they told.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use super::groups::KnownSets;
use super::op::IDS;
use crate::broker::{
    ActiveTask, BrokerErrorKind, FinishedSet, Forwarded, GroupState, Leased, OwnerBeat, Reclaimed, RunToken,
    Settled, TimetableChange, TimetableRows,
};
use crate::task::{QueueName, TaskId, TaskInfo};
use crate::wire::TaskMessage;

/// What an operation told. Equal for equal behavior: run tokens are replaced by which run of [`Known`] they name.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// The operation tells nothing.
    Nothing,
    /// An answer.
    Flag(bool),
    /// An answer for each.
    Flags(Vec<bool>),
    /// A number.
    Count(usize),
    /// Queues.
    Queues(Vec<QueueName>),
    /// How many were mended, and looked at.
    Mended(usize, usize),
    /// For each task `stored`, `conflict`, or the holder of the lock.
    Enqueued(Vec<String>),
    /// What became of a tick: `passed`, or as of any task.
    Ticked(String),
    /// An entry's mark.
    Mark(i64),
    /// What an exchange gave.
    Exchanged {
        /// What became of each settlement.
        settled: Vec<Settled>,
        /// What was leased.
        leased: Vec<SeenLease>,
        /// IDs that had no task.
        dropped: Vec<(QueueName, String)>,
        /// Paused queues.
        paused: BTreeSet<QueueName>,
        /// How many tokens the leases have among them.
        tokens: usize,
    },
    /// What forwarding did.
    Forwarded(Forwarded),
    /// The beats for each queue, by server.
    Beats(Vec<Vec<OwnerBeat>>),
    /// Active tasks, and how many were looked at where that is told.
    Active(Vec<SeenActive>, Option<usize>),
    /// What became of a change to the stored schedules.
    TimetableChange(TimetableChange),
    /// All that are stored, where they have changed.
    Timetable(Option<TimetableRows>),
    /// What servers left of how long their runs took.
    RunTimes(Vec<(String, Bytes)>),
    /// A task.
    Info(Box<Option<TaskInfo>>),
    /// Groups, by name.
    Groups(Vec<GroupState>),
    /// Members of a set, and the message where there is one that can be read.
    Members(Vec<(TaskId, Option<Option<TaskMessage>>)>),
    /// What became of members that were to be finished.
    Finished(FinishedSet),
    /// What reclaiming did.
    Reclaimed(Reclaimed),
    /// Whatever else, as text.
    Told(String),
    /// An error of this kind.
    Failed(BrokerErrorKind),
}

/// A lease.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenLease {
    /// The queue.
    pub queue: QueueName,
    /// The task.
    pub id: TaskId,
    /// The message, if it can be read.
    pub message: Option<TaskMessage>,
    /// The end of the lease.
    pub lease_until: i64,
}

/// An active task.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenActive {
    /// The task.
    pub id: TaskId,
    /// The end of the lease.
    pub lease_until: i64,
    /// Whether it has a token, and if it is a known run's, which.
    pub run: Option<Option<usize>>,
    /// The owner.
    pub owner: Option<String>,
    /// How often its worker died.
    pub crashes: u32,
    /// The message, if it can be read.
    pub message: Option<TaskMessage>,
}

/// What the operations so far left behind in the one who applies them; one for each fixture.
#[derive(Debug, Default)]
pub struct Known {
    runs: Vec<Run>,
    /// How often the hash of a task was deleted. Its ID may be left anywhere, so the next one gets another name:
    /// an ID that is twice in one list is not what is tested here.
    deleted: HashMap<(QueueName, u8), usize>,
    /// How many IDs without a task were pushed.
    dangling: usize,
    pub(super) sets: KnownSets,
}

/// A run that was leased, perhaps long ago.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) queue: QueueName,
    pub(super) id: TaskId,
    pub(super) token: RunToken,
    pub(super) lease_until: i64,
    pub(super) message: TaskMessage,
}

impl Known {
    /// The run that is this far back; `None` before the first.
    pub(super) fn run(&self, back: u8) -> Option<&Run> {
        let back = usize::from(back) % self.runs.len().max(1);
        self.runs.iter().nth_back(back)
    }

    /// Remembers a run.
    pub(super) fn learn(&mut self, leased: &Leased) {
        let message = leased.message.clone().unwrap_or_else(|_| TaskMessage {
            id: leased.id.as_str().to_owned(),
            queue: leased.queue.as_str().to_owned(),
            ..TaskMessage::default()
        });
        self.runs.push(Run {
            queue: leased.queue.clone(),
            id: leased.id.clone(),
            token: leased.run.clone(),
            lease_until: leased.lease_until,
            message,
        });
    }

    /// The ID that this number stands for now.
    pub(super) fn id(&self, queue: &QueueName, number: u8) -> TaskId {
        let number = number % IDS;
        match self.deleted.get(&(queue.clone(), number)) {
            None => TaskId::stored(&format!("t{number}")),
            Some(times) => TaskId::stored(&format!("t{number}-{times}")),
        }
    }

    /// The next hash of this task gets another name.
    pub(super) fn forget_task(&mut self, queue: &QueueName, number: u8) {
        *self.deleted.entry((queue.clone(), number % IDS)).or_default() += 1;
    }

    /// An ID that no task ever had.
    pub(super) fn dangling_id(&mut self) -> TaskId {
        self.dangling += 1;
        TaskId::stored(&format!("dangling-{}", self.dangling))
    }

    pub(super) fn see_lease(leased: &Leased) -> SeenLease {
        SeenLease {
            queue: leased.queue.clone(),
            id: leased.id.clone(),
            message: leased.message.clone().ok(),
            lease_until: leased.lease_until,
        }
    }

    pub(super) fn see_active(&self, task: ActiveTask) -> SeenActive {
        // The batch shares one token, so the first run that has it stands for all.
        let place = |token: RunToken| self.runs.iter().position(|run| run.token == token);
        SeenActive {
            id: task.id,
            lease_until: task.lease_until,
            run: task.run.map(place),
            owner: task.owner,
            crashes: task.crashes,
            message: task.message.ok(),
        }
    }
}
