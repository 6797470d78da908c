//! [`Members`]: the tasks of a set as an aggregator sees them, with their payloads opened.

use crate::job::CodecError;
use crate::payload::Payloads;
use crate::router::{Aggregation, Aggregator, BadPayload, BoxError, Ctx};
use crate::task::{Layers, Task, TaskId, TaskOptions, TaskType};
use crate::wire::TaskMessage;

/// The tasks of a set that could be opened, and why the others could not.
pub(super) struct Members {
    tasks: Vec<Task>,
    /// The position of each in the set.
    positions: Vec<usize>,
    sealed: Vec<(usize, BoxError)>,
}

impl Members {
    pub(super) fn open(members: &[(TaskId, TaskMessage)], payloads: &Payloads) -> Self {
        let mut opened =
            Self { tasks: Vec::with_capacity(members.len()), positions: Vec::new(), sealed: Vec::new() };
        for (position, (_, message)) in members.iter().enumerate() {
            match payloads.open(message) {
                Ok(message_opened) => {
                    opened.tasks.push(untyped(message_opened.as_ref().unwrap_or(message)));
                    opened.positions.push(position);
                }
                Err(error) => {
                    let error = BadPayload::new(message.task_type.clone(), CodecError::new(error));
                    opened.sealed.push((position, error.into()));
                }
            }
        }
        opened
    }

    /// Begins to aggregate them; what is rejected counts by its position in the set. It may panic, as it calls the user's
    /// code.
    pub(super) fn aggregate(self, aggregator: &Aggregator, ctx: Ctx) -> Aggregation {
        let Self { tasks, positions, sealed: mut rejected } = self;
        if tasks.is_empty() {
            return Aggregation { rejected, run: None };
        }
        let begun = aggregator.start(ctx, tasks);
        let in_set = |(position, error)| Some((*positions.get(position)?, error));
        rejected.extend(begun.rejected.into_iter().filter_map(in_set));
        rejected.sort_by_key(|(position, _)| *position);
        Aggregation { rejected, run: begun.run }
    }
}

/// A task as an aggregator sees it.
fn untyped(message: &TaskMessage) -> Task {
    Task {
        task_type: TaskType::stored(&message.task_type),
        payload: Some(message.payload.clone()),
        headers: message.headers.clone(),
        options: TaskOptions::new(),
        layers: Layers::NONE,
    }
}
