//! What is to be changed: which tasks and queues, the question before, and how far it is.

use asynq_core::inspector::{Action, QueueInfo, TaskEdit};
use asynq_core::scheduler::ScheduleState;
use asynq_core::task::{QueueName, TaskId, TaskState};

use super::line::{Line, Purpose, Writing};
use super::model::Model;
use crate::commands::dash::event::Outcome;
use crate::commands::dash::request::{Change, Read, Request, Slot};
use crate::commands::dash::tab::Tab;
use crate::commands::dash::text::{count, grouped};
use crate::commands::task::past;
use crate::human;

/// A change that is under way.
#[derive(Debug)]
pub(in crate::commands::dash) enum Changing {
    /// How many tasks fit is being counted, to ask before this is done to them.
    Counting(Action),
    /// So many of so many are done.
    Running { what: String, total: usize, outcome: Outcome },
}

impl Model {
    /// Does something to the task that is open, those that are selected, or the one under the cursor; asks first.
    pub(super) fn change_tasks(&mut self, action: Action) {
        if self.is_changing() {
            return;
        }
        if self.task.is_none() && self.tab == Tab::Tasks && self.tasks.selected.fitting {
            let selection = self.tasks.selection().allowing(&action);
            self.changing = Some(Changing::Counting(action));
            self.ask(Slot::Count, Read::Count(selection));
            return;
        }
        if self.task.as_ref().is_some_and(|task| task.detail.is_none()) {
            return self.tell("the task is still being read", true);
        }
        let all = self.meant();
        let fits = |state: &Option<TaskState>| match state {
            Some(state) => action.allows(*state),
            // What cannot be read can still be deleted.
            None => matches!(action, Action::Delete),
        };
        let tasks: Vec<(QueueName, TaskId)> =
            all.iter().filter(|(_, state)| fits(state)).map(|(name, _)| name.clone()).collect();
        match (all.as_slice(), tasks.as_slice()) {
            ([], _) => self.tell("there is no task here", true),
            ([(_, state)], []) => {
                let state = state.map_or("cannot be read", TaskState::as_str);
                self.tell(format!("{action}: not possible, the task is {state}"), true);
            }
            (_, []) => self.tell(format!("{action}: not possible in the states of these tasks"), true),
            _ => {
                let what = match tasks.as_slice() {
                    [(_, id)] => format!("task {}", human::printable(id.as_str())),
                    _ => count(tasks.len(), "task"),
                };
                let others = if tasks.len() < all.len() {
                    format!(" (of {}; the others are in states that do not allow it)", grouped(all.len()))
                } else {
                    String::new()
                };
                let question = format!("{action} {what}{others}");
                self.confirm(question, Change::Tasks { action, tasks });
            }
        }
    }

    /// Asks about all that fit, now that they are counted.
    pub(super) fn propose(&mut self, action: Action, fitting: usize) {
        if fitting == 0 {
            return self.tell(format!("{action}: no task fits whose state allows it"), true);
        }
        let selection = self.tasks.selection();
        self.confirm(
            format!("{action} all {} that fit", count(fitting, "task")),
            Change::Fitting { action, selection },
        );
    }

    /// The tasks that are meant, each with its state.
    fn meant(&self) -> Vec<((QueueName, TaskId), Option<TaskState>)> {
        if let Some(task) = &self.task {
            let state =
                task.detail.as_ref().and_then(|detail| detail.as_ref().ok()).map(|detail| detail.info.state);
            return vec![((task.queue.clone(), task.id.clone()), state)];
        }
        if self.tab == Tab::Servers {
            let worker = self.servers.workers.chosen().filter(|_| self.servers.on_workers);
            let name = worker.map(|row| (row.task.queue.clone(), row.task.id.clone()));
            return name.map(|name| (name, Some(TaskState::Active))).into_iter().collect();
        }
        if !self.tasks.selected.tasks.is_empty() {
            return self.tasks.selected.tasks.iter().map(|(name, state)| (name.clone(), *state)).collect();
        }
        let chosen = self.tasks.list.chosen();
        let named = chosen
            .map(|row| ((row.queue.clone(), row.id.clone()), row.task.as_ref().ok().map(|task| task.state)));
        named.into_iter().collect()
    }

    /// Pauses the queues that are meant, or resumes them where all are paused.
    pub(super) fn pause(&mut self) {
        if self.is_changing() {
            return;
        }
        if self.tab == Tab::Schedulers {
            return self.pause_schedule();
        }
        let queues: Vec<(QueueName, bool)> = if self.tab == Tab::Tasks {
            let queue = self.tasks.queue.clone();
            let info = self.tasks.queues.first();
            queue.map(|queue| (queue, info.is_some_and(QueueInfo::is_paused))).into_iter().collect()
        } else {
            let list = &self.queues.list;
            let selected = list.all().iter().filter(|row| self.queues.selected.contains(&row.info.queue));
            let meant: Vec<_> = selected.collect();
            let meant = if meant.is_empty() { list.chosen().into_iter().collect() } else { meant };
            meant.into_iter().map(|row| (row.info.queue.clone(), row.info.is_paused())).collect()
        };
        if queues.is_empty() {
            return self.tell("there is no queue here", true);
        }
        let pause = queues.iter().any(|(_, paused)| !paused);
        let queues: Vec<QueueName> =
            queues.into_iter().filter(|(_, paused)| *paused != pause).map(|(queue, _)| queue).collect();
        let what = match queues.as_slice() {
            [queue] => format!("queue {}", human::printable(queue.as_str())),
            _ => count(queues.len(), "queue"),
        };
        let verb = if pause { "pause" } else { "resume" };
        self.confirm(format!("{verb} {what}"), Change::Pause { queues, pause });
    }

    /// Pauses the schedule under the cursor, or resumes it. Those that are written in programs cannot be.
    fn pause_schedule(&mut self) {
        let Some(schedule) = self.schedulers.list.chosen() else {
            return self.tell("there is no schedule here", true);
        };
        let Some(name) = schedule.name().map(str::to_owned) else {
            return self.tell("it is written in a program, and can only be changed there", true);
        };
        let pause = schedule.state() != ScheduleState::Paused;
        let verb = if pause { "pause" } else { "resume" };
        let question = format!("{verb} schedule {}", human::printable(&name));
        self.confirm(question, Change::PauseSchedule { name, pause });
    }

    /// Deletes the queue under the cursor. One that holds tasks must be named.
    pub(super) fn delete_queue(&mut self) {
        if self.is_changing() {
            return;
        }
        let Some(row) = self.queues.list.chosen() else { return self.tell("there is no queue here", true) };
        let queue = row.info.queue.clone();
        if row.info.size() == row.info.completed {
            let question = format!("delete queue {}", human::printable(queue.as_str()));
            self.confirm(question, Change::DeleteQueue { queue, with_tasks: false });
        } else {
            self.tell(format!("it holds {}", count(row.info.size(), "task")), false);
            self.line =
                Some(Line::Prompt { purpose: Purpose::DeleteQueue(queue), writing: Writing::default() });
        }
    }

    /// Has the payload of a task edited.
    pub(super) fn edit(&mut self) {
        if self.is_changing() {
            return;
        }
        let open =
            self.task.as_ref().and_then(|task| task.detail.as_ref()).and_then(|detail| detail.as_ref().ok());
        let task = match (&self.task, open) {
            (Some(_), open) => open.map(|detail| &detail.info),
            (None, _) => self.tasks.list.chosen().and_then(|row| row.task.as_deref().ok()),
        };
        let Some(task) = task else { return self.tell("there is no task here that can be read", true) };
        let action = Action::Edit(TaskEdit::new());
        if !action.allows(task.state) {
            let state = task.state;
            return self.tell(format!("{action}: not possible, the task is {state}"), true);
        }
        if std::str::from_utf8(&task.payload).is_err() {
            return self.tell("its payload is no text; `asynq task edit` takes any bytes", true);
        }
        let request =
            Request::Edit { queue: task.queue.clone(), id: task.id.clone(), payload: task.payload.to_vec() };
        self.requests.push(request);
    }

    /// Somebody edited the payload.
    pub(super) fn edited(
        &mut self,
        queue: QueueName,
        id: TaskId,
        old: Vec<u8>,
        new: Result<Vec<u8>, String>,
    ) {
        match new {
            Err(why) => self.tell(why, true),
            Ok(new) if new == old => self.tell("nothing was changed", false),
            Ok(new) => {
                let question = format!(
                    "replace the payload of {}: {} bytes become {}",
                    human::printable(id.as_str()),
                    old.len(),
                    new.len()
                );
                // Not where somebody else changed it meanwhile.
                let action = Action::Edit(TaskEdit::new().payload(new).only_if_payload(old));
                self.confirm(question, Change::Tasks { action, tasks: vec![(queue, id)] });
            }
        }
    }

    /// Asks, unless that is not wanted.
    fn confirm(&mut self, question: String, change: Change) {
        if self.options.yes {
            self.begin_change(change);
        } else {
            self.line = Some(Line::Confirm { question, change: Box::new(change) });
        }
    }

    pub(super) fn begin_change(&mut self, change: Change) {
        let (what, total) = match &change {
            Change::Tasks { action, tasks } => (past(action).to_owned(), tasks.len()),
            Change::Fitting { action, .. } => (past(action).to_owned(), 0),
            Change::Pause { queues, pause } => {
                ((if *pause { "paused" } else { "resumed" }).to_owned(), queues.len())
            }
            Change::PauseSchedule { pause, .. } => {
                ((if *pause { "paused" } else { "resumed" }).to_owned(), 1)
            }
            Change::DeleteQueue { .. } => ("deleted".to_owned(), 1),
        };
        self.changing = Some(Changing::Running { what, total, outcome: Outcome::default() });
        self.requests.push(Request::Change(change));
    }

    /// Whether a change is under way: then no other can begin.
    fn is_changing(&mut self) -> bool {
        let changing = self.changing.is_some();
        if changing {
            self.tell("another change is under way; Esc stops it", true);
        }
        changing
    }

    /// Begins no more of the change that is under way; whether there is one.
    pub(super) fn stop_change(&mut self) -> bool {
        match self.changing {
            Some(Changing::Counting(_)) => {
                self.changing = None;
                self.wait_for(Slot::Count, None);
                true
            }
            Some(Changing::Running { .. }) => {
                self.requests.push(Request::StopChange);
                true
            }
            None => false,
        }
    }

    pub(super) fn progress(&mut self, now: Outcome) {
        if let Some(Changing::Running { outcome, .. }) = &mut self.changing {
            *outcome = now;
        }
    }

    /// A change is done: it is told, and the screen read again.
    pub(super) fn changed(&mut self, outcome: &Outcome) {
        let Some(Changing::Running { what, .. }) = self.changing.take() else { return };
        let mut parts = vec![format!("{} {what}", grouped(outcome.done))];
        if outcome.failed > 0 {
            parts.push(format!("{} failed", grouped(outcome.failed)));
        }
        if outcome.stopped {
            parts.push("stopped".to_owned());
        }
        let why =
            outcome.error.as_ref().map_or_else(String::new, |error| format!(": {}", human::printable(error)));
        self.tell(format!("{}{why}", parts.join(", ")), outcome.failed > 0 || outcome.error.is_some());
        self.tasks.selected = super::tasks::Selected::default();
        self.queues.selected.clear();
        self.read_screen();
        self.read_task();
    }
}
