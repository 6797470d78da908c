//! `asynq wait`: waits until a task has come to a state.

use std::time::{Duration, Instant};

use asynq_core::client::WaitError;
use asynq_core::task::{Task, TaskState};
use clap::Args;

use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::output::{Cell, Record};
use crate::{complete, human};

/// How often a task is looked at for a state that nobody tells of.
const LOOK: Duration = Duration::from_millis(250);

#[derive(Args, Clone, Debug)]
pub(crate) struct Wait {
    /// The task's ID.
    #[arg(long, value_name = "ID")]
    task: String,
    /// Its queue; without one it is looked for in all.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: Option<String>,
    /// The state, or several of which one will do.
    #[arg(short = 's', long, value_delimiter = ',', default_value = "completed", add = complete::states())]
    state: Vec<TaskState>,
    /// How long at most; without it, as long as it takes.
    #[arg(long, value_name = "TIME", value_parser = human::duration)]
    timeout: Option<Duration>,
}

impl Wait {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let queue = match self.queue {
            Some(queue) => queue,
            None => match app.inspector.locate(&self.task).await?.as_slice() {
                [] => return Err(Failure::not_found(format!("no queue has a task `{}`", self.task))),
                [task] => task.queue.to_string(),
                _ => return Err(Failure::usage("several queues have a task of this ID: name one, --queue")),
            },
        };
        let began = Instant::now();
        let ends = [TaskState::Completed, TaskState::Archived];
        let wants_an_end = self.state.iter().all(|state| ends.contains(state));
        loop {
            let left = self.timeout.map(|limit| limit.saturating_sub(began.elapsed()));
            let look = if wants_an_end { left } else { Some(left.map_or(LOOK, |left| left.min(LOOK))) };
            let wait = app.client.wait::<Task>(&queue, &self.task);
            let ended = match look {
                Some(look) => wait.timeout(look).await,
                None => wait.await,
            };
            let (state, result) = match ended {
                Ok(outcome) => (TaskState::Completed, outcome.result),
                Err(WaitError::Failed { .. }) => (TaskState::Archived, None),
                Err(WaitError::TimedOut { state, .. }) => (state, None),
                Err(error) => return Err(error.into()),
            };
            if self.state.contains(&state) {
                return app.printer.record(
                    &Record::new()
                        .field("id", "ID", Cell::text(&self.task))
                        .field("queue", "Queue", Cell::text(&queue))
                        .field("state", "State", Cell::text(state.as_str()))
                        .field(
                            "result",
                            "Result",
                            result.map_or_else(Cell::none, |bytes| Cell::bytes(&bytes)),
                        ),
                );
            }
            if ends.contains(&state) {
                let text = format!("task `{}` in queue `{queue}` is {state}", self.task);
                return Err(Failure::new(Kind::Conflict, text));
            }
            if let Some(limit) = self.timeout.filter(|limit| began.elapsed() >= *limit) {
                let (task, limit) = (&self.task, human::length(limit));
                let text = format!("task `{task}` in queue `{queue}` is {state} after {limit}");
                return Err(Failure::new(Kind::Failed, text));
            }
        }
    }
}
