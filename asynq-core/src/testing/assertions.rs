//! What is enqueued: typed lists, and assertions that show what there is when they fail.
#![expect(clippy::panic, reason = "assertions fail tests")]

use jiff::Timestamp;

use super::Rig;
use super::table::{Table, payload_text};
use crate::job::{self, Job};
use crate::task::{TaskInfo, TaskState};
use crate::wire::LAYERS_HEADER;

/// A stored task of a job.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stored<J> {
    /// Its payload.
    pub job: J,
    /// All that is known about it.
    pub info: TaskInfo,
}

impl Rig {
    /// Every stored task of any job, in any state: by queue, each in the order in which it will run.
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.broker.tasks()
    }

    /// The tasks of a job that wait to be run: pending, scheduled, to be tried again, or in a group. Those that have
    /// run are not among them; see [`in_state`](Self::in_state).
    ///
    /// # Panics
    ///
    /// When the payload of one cannot be decoded.
    #[track_caller]
    pub fn enqueued<J: Job>(&self) -> Vec<Stored<J>> {
        self.tasks().into_iter().filter(waits).filter_map(|info| self.decode(info)).collect()
    }

    /// The tasks of a job that are in this state, such as [`TaskState::Archived`].
    ///
    /// # Panics
    ///
    /// When the payload of one cannot be decoded.
    #[track_caller]
    pub fn in_state<J: Job>(&self, state: TaskState) -> Vec<Stored<J>> {
        self.tasks()
            .into_iter()
            .filter(|info| info.state == state)
            .filter_map(|info| self.decode(info))
            .collect()
    }

    /// Asserts that a task of this job waits to be run whose payload is as `wanted` says: the first such task, so that
    /// its options can be looked at, too.
    ///
    /// # Panics
    ///
    /// When there is none; the message shows what is enqueued instead.
    #[track_caller]
    pub fn assert_enqueued<J: Job>(&self, wanted: impl Fn(&J) -> bool) -> Stored<J> {
        match self.enqueued::<J>().into_iter().find(|stored| wanted(&stored.job)) {
            Some(stored) => stored,
            None => panic!("no task of `{}` that was wanted is enqueued.\n{}", J::NAME, self.show(J::NAME)),
        }
    }

    /// Asserts that no task of this job waits to be run whose payload is as `unwanted` says.
    ///
    /// # Panics
    ///
    /// When there is one; the message shows it.
    #[track_caller]
    pub fn refute_enqueued<J: Job>(&self, unwanted: impl Fn(&J) -> bool) {
        let found: Vec<TaskInfo> = self
            .enqueued::<J>()
            .into_iter()
            .filter(|stored| unwanted(&stored.job))
            .map(|stored| stored.info)
            .collect();
        assert!(
            found.is_empty(),
            "a task of `{}` that must not be is enqueued:\n{}",
            J::NAME,
            self.table(&found)
        );
    }

    /// Asserts that nothing waits to be run, of any job.
    ///
    /// # Panics
    ///
    /// When something does; the message shows it.
    #[track_caller]
    pub fn assert_nothing_enqueued(&self) {
        let waiting: Vec<TaskInfo> = self.tasks().into_iter().filter(waits).collect();
        assert!(waiting.is_empty(), "nothing should be enqueued, but this is:\n{}", self.table(&waiting));
    }

    /// The task as one of this job, if it is one.
    #[track_caller]
    fn decode<J: Job>(&self, info: TaskInfo) -> Option<Stored<J>> {
        if info.task_type.as_str() != J::NAME {
            return None;
        }
        let payload = match self.client().open(&info) {
            Ok(payload) => payload,
            Err(error) => {
                panic!("the payload of task `{}` of `{}` cannot be read: {error}", info.id, J::NAME)
            }
        };
        let headers = info.headers.iter().filter(|(name, _)| *name != LAYERS_HEADER);
        let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
        match job::read::<J>(&payload, &headers) {
            Ok(job) => Some(Stored { job, info }),
            Err(error) => panic!(
                "the payload of task `{}` is none of `{}`: {error:?}\n  {}",
                info.id,
                J::NAME,
                payload_text(&payload)
            ),
        }
    }

    /// What is stored, with the tasks of one job first.
    fn show(&self, task_type: &str) -> String {
        let (of_job, others): (Vec<_>, Vec<_>) =
            self.tasks().into_iter().partition(|info| info.task_type.as_str() == task_type);
        match (of_job.is_empty(), others.is_empty()) {
            (true, true) => "Nothing is stored at all.".to_owned(),
            (true, false) => format!("Of this job there is nothing, but of others:\n{}", self.table(&others)),
            (false, true) => format!("Of this job there is:\n{}", self.table(&of_job)),
            (false, false) => {
                let (of_job, others) = (self.table(&of_job), self.table(&others));
                format!("Of this job there is:\n{of_job}\nand of others:\n{others}")
            }
        }
    }

    fn table(&self, tasks: &[TaskInfo]) -> Table<6> {
        let mut table = Table::new(["job", "state", "queue", "due", "retried", "payload"]);
        let now = self.now();
        for info in tasks {
            table.row([
                info.task_type.as_str().to_owned(),
                info.state.to_string(),
                info.queue.as_str().to_owned(),
                info.next_process_at.map(|at| due(at, now)).unwrap_or_default(),
                format!("{} of {}", info.retried, info.max_retry),
                payload_text(&info.payload),
            ]);
        }
        table
    }
}

fn waits(info: &TaskInfo) -> bool {
    matches!(
        info.state,
        TaskState::Pending | TaskState::Scheduled | TaskState::Retry | TaskState::Aggregating
    )
}

fn due(at: Timestamp, now: Timestamp) -> String {
    let left = std::time::Duration::try_from(at.duration_since(now)).unwrap_or_default();
    if left.is_zero() { "now".to_owned() } else { format!("in {left:?}") }
}
