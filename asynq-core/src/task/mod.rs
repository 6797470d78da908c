//! What a task is: its type, payload, options, state. Plain data; no Redis, no runtime.

mod id;
mod info;
mod layers;
mod options;
mod state;
mod task;
mod unique;

pub(crate) use id::RandomIds;
pub use id::{BlankName, QueueName, TaskId, TaskType};
pub(crate) use info::Names;
pub use info::TaskInfo;
pub use layers::Layers;
pub use options::{DEFAULT_MAX_RETRY, DEFAULT_TIMEOUT, InvalidOption, TaskOptions};
pub(crate) use options::{ProcessTime, wire_seconds};
pub use state::{TaskState, UnknownState};
pub use task::{Headers, Task};
pub(crate) use unique::{LONGEST_UNIQUE_KEY, UniqueBy};
pub use unique::{UniqueUntil, unique_key};
