//! [`Waves`]: which tasks may be stored at the same time.

use std::collections::{HashMap, HashSet};

use crate::broker::Adoption;
use crate::task::TaskState;
use crate::wire::TaskMessage;

/// Tasks that may be stored at the same time, and after them others.
#[derive(Debug, Default)]
pub(super) struct Waves(pub(super) Vec<Lanes>);

/// Tasks that may be stored at the same time: lanes, in each of which one follows the other.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) of: HashMap<String, Vec<(usize, Adoption)>>,
    /// The keys of tasks and locks that are in use.
    taken: HashSet<String>,
}

impl Waves {
    pub(super) fn add(&mut self, line: usize, task: Adoption) {
        let TaskMessage { queue, id, unique_key, .. } = &task.message;
        let key = format!("{queue} {id}");
        let lane = if task.state == TaskState::Pending { queue.clone() } else { key.clone() };
        let lock = Some(unique_key).filter(|lock| !lock.is_empty()).cloned();
        let is_met = |lanes: &Lanes| {
            [Some(&key), lock.as_ref()].into_iter().flatten().any(|key| lanes.taken.contains(key))
        };
        if self.0.last().is_none_or(is_met) {
            self.0.push(Lanes::default());
        }
        if let Some(lanes) = self.0.last_mut() {
            lanes.taken.extend(lock.into_iter().chain([key]));
            lanes.of.entry(lane).or_default().push((line, task));
        }
    }
}
