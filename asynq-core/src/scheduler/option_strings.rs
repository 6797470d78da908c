//! [`option_strings`]: a task's options as a scheduler entry lists them.

use crate::clock::floor_seconds;
use crate::task::{ProcessTime, Task, TaskOptions, UniqueBy};
use crate::wire::{EnqueueOption, GoString, GoTime};

/// The options of a task, as a scheduler entry lists them and Go's tools show them: `Queue("low")`, `MaxRetry(3)`.
pub fn option_strings(task: &Task) -> Vec<String> {
    of_options(&task.options)
}

/// What is set, in the words of Go's options. Go's tools show them all but ID, group and headers, which they do not
/// know, and what Go has not.
pub(super) fn of_options(options: &TaskOptions) -> Vec<String> {
    let TaskOptions {
        queue,
        max_retry,
        timeout,
        deadline,
        expires_in: _,
        unique,
        unique_by,
        unique_until,
        process,
        task_id,
        retention,
        group,
        headers,
        invalid: _,
    } = options;
    let time = |at| GoTime::utc(floor_seconds(at));
    let mut listed = Vec::new();
    listed.extend(queue.as_ref().map(|name| EnqueueOption::Queue(name.as_str().into())));
    listed.extend(max_retry.map(|times| EnqueueOption::MaxRetry(times.into())));
    listed.extend(timeout.map(|limit| EnqueueOption::Timeout(limit.into())));
    listed.extend(deadline.map(|at| EnqueueOption::Deadline(time(at))));
    listed.extend(process.map(|process| match process {
        ProcessTime::At(at) => EnqueueOption::ProcessAt(time(at)),
        ProcessTime::In(delay) => EnqueueOption::ProcessIn(delay.into()),
    }));
    listed.extend(unique.map(|ttl| EnqueueOption::Unique(ttl.into())));
    listed.extend(retention.map(|keep| EnqueueOption::Retention(keep.into())));
    listed.extend(group.as_ref().map(|name| EnqueueOption::Group(name.as_str().into())));
    listed.extend(task_id.as_ref().map(|id| EnqueueOption::TaskId(id.as_str().into())));
    listed.extend(headers.iter().map(|(name, value)| EnqueueOption::Header(name.clone(), value.clone())));
    let mut listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
    let quoted = |name, bytes: &[u8]| format!("{name}({:?})", GoString::from(bytes.to_vec()));
    listed.extend(unique_by.as_ref().map(|by| match by {
        UniqueBy::Key(key) => quoted("UniqueKey", key.as_bytes()),
        UniqueBy::Bytes(bytes) => quoted("UniqueBy", bytes),
    }));
    listed.extend(unique_until.map(|until| quoted("UniqueUntil", until.as_str().as_bytes())));
    listed
}
