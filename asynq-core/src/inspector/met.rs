//! [`Met`]: which tasks were met before, remembered in little room.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::task::{QueueName, TaskId};

/// Which tasks were met before: 128 bits of each, for there may be millions. That two of them share these is less likely
/// than that any part of the machine fails.
#[derive(Debug, Default)]
pub(super) struct Met(HashSet<u128>);

impl Met {
    /// Whether a task is met for the first time.
    pub(super) fn is_new(&mut self, queue: &QueueName, id: &TaskId) -> bool {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, queue.as_str(), id.as_str()).hash(&mut hasher);
            u128::from(hasher.finish())
        };
        self.0.insert((half(0) << 64) | half(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_new_once_in_each_queue() {
        let mut met = Met::default();
        let mut is_new = |queue, id| met.is_new(&QueueName::stored(queue), &TaskId::stored(id));
        assert!(is_new("a", "1") && is_new("b", "1") && is_new("a", "2"));
        assert!(!is_new("a", "1") && !is_new("b", "1"));
    }
}
