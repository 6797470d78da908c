//! [`EntryId`]: what makes two entries the same, in one process or in many.

use std::fmt;
use std::sync::Arc;

use md5::{Digest, Md5};
use uuid::Uuid;

use super::option_strings::option_strings;
use crate::task::Task;

/// The identity of a scheduler entry: a UUID, made from what the entry is. The same entry has the same ID in every
/// process and after every restart; schedulers that share one enqueue each of its ticks once.
///
/// An entry with a [name](super::PeriodicTask::name) is that name, one that is [stored](super::StoredSchedules) too; any other is its specification, its time zone, and
/// its task with everything in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(Arc<str>);

impl EntryId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn named(name: &str) -> Self {
        Self::of("name", &Parts::default().text(name))
    }

    /// Of a schedule in the store: no entry of a program has the same identity, whatever its name.
    pub(super) fn stored(name: &str) -> Self {
        Self::of("stored", &Parts::default().text(name))
    }

    pub(super) fn of_job(task_type: &str, spec: &str, zone: &str) -> Self {
        Self::of("job", &Parts::default().text(task_type).text(spec).text(zone))
    }

    /// By everything in the entry.
    pub(super) fn of_task(spec: &str, zone: &str, task: &Task) -> Self {
        Self::of("task", &Parts::default().text(spec).text(zone).task(task))
    }

    /// The ID of the task of a tick: one tick, one task, should the store have forgotten the tick.
    pub(super) fn task_id(&self, tick: i64) -> String {
        Parts::default().text("tick").text(&self.0).text(&tick.to_string()).uuid().to_string()
    }

    fn of(kind: &str, parts: &Parts) -> Self {
        Self(Arc::from(Parts::default().text(kind).bytes(&parts.0).uuid().to_string()))
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for EntryId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Texts one after the other, each with its length before it, so that no two lists look alike.
#[derive(Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes.len().to_le_bytes());
        self.0.extend(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    fn task(self, task: &Task) -> Self {
        let mut parts = self.text(task.task_type.as_str());
        // No payload is not the same as an empty one.
        parts = match &task.payload {
            Some(payload) => parts.text("payload").bytes(payload),
            None => parts.text("none"),
        };
        for (name, value) in task.headers.iter().chain(&task.options.headers) {
            parts = parts.text(name).text(value);
        }
        parts = parts.text("options");
        for option in option_strings(task) {
            parts = parts.text(&option);
        }
        parts
    }

    fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(Md5::digest(&self.0).into()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::TaskOptions;

    fn id(spec: &str, zone: &str, task: &Task) -> EntryId {
        EntryId::of_task(spec, zone, task)
    }

    fn task(payload: &'static str) -> Task {
        Task::new("t", payload).unwrap()
    }

    #[test]
    fn b24_an_entry_is_everything_in_it() {
        let option = |options| task("p").options(options);
        let ids = [
            id("@daily", "UTC", &task("p")),
            id("@hourly", "UTC", &task("p")),
            id("@daily", "Asia/Tokyo", &task("p")),
            id("@daily", "UTC", &task("q")),
            id("@daily", "UTC", &Task::new("tp", "").unwrap()),
            id("@daily", "UTC", &Task::new("t", "").unwrap()),
            id("@daily", "UTC", &Task::without_payload("t").unwrap()),
            id("@daily", "UTC", &task("p").header("a", "b")),
            id("@daily", "UTC", &task("p").header("ab", "")),
            id("@daily", "UTC", &option(TaskOptions::new().queue("low"))),
            id("@daily", "UTC", &option(TaskOptions::new().group("low"))),
            id("@daily", "UTC", &option(TaskOptions::new().header("c", "d"))),
            EntryId::named("@daily"),
            EntryId::stored("@daily"),
            EntryId::of_job("t", "@daily", "UTC"),
        ];
        for (place, one) in ids.iter().enumerate() {
            assert!(!ids[..place].contains(one), "{place} is another entry");
        }
    }

    #[test]
    fn an_entry_is_the_same_everywhere_and_always() {
        // Changing this makes every entry of every user a new one.
        let options = TaskOptions::new().queue("low").max_retry(3);
        let entry = id("@daily", "UTC", &task("p").options(options.clone()));
        assert_eq!(entry, id("@daily", "UTC", &task("p").options(options)));
        assert_eq!(EntryId::named("report").as_str(), "e502ea38-a8df-40b7-9ae3-619a8bc0b29e");
        assert_eq!(
            EntryId::of_job("report", "@daily", "UTC").as_str(),
            "44de8910-9aa9-4be6-8936-a7c876fe631e"
        );
        assert_eq!(EntryId::stored("report").as_str(), "6a9044f7-82a0-49c8-a259-c7a88aa0e5a8");
        assert_eq!(EntryId::named("report").task_id(60), "000bd770-f298-48df-827f-e6fde5e1f005");
    }
}
