//! [`Limits`]: how many tasks a server may take next, of all, of each queue and of each type. Pure.
//!
//! What runs, or waits to, is not counted twice: it is looked up in the table of tasks that the server holds. Only a
//! server with a limit looks.

use std::collections::HashMap;
use std::sync::Arc;

use super::queues::Served;
use super::running::Running;
use crate::broker::{Demand, QueueShare, TypeShare};

/// What a server may run at a time, beside its concurrency.
#[derive(Debug)]
pub(super) struct Limits {
    server_id: String,
    strict: bool,
    /// By task type.
    types: HashMap<Arc<str>, usize>,
}

/// What a call asks for.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) demand: Demand,
    /// Whether it asks for something that is limited. Only one call in flight may, for what it will bring is not
    /// known yet.
    pub(super) is_limited: bool,
    /// Whether it names some of the queues only.
    pub(super) is_narrow: bool,
}

impl Ask {
    /// For a call that only settles.
    pub(super) fn nothing() -> Self {
        Self { demand: Demand::none(), is_limited: false, is_narrow: false }
    }
}

impl Limits {
    pub(super) fn new(
        server_id: String,
        strict: bool,
        types: impl IntoIterator<Item = (String, usize)>,
    ) -> Self {
        let types = types.into_iter().map(|(name, most)| (Arc::from(name), most)).collect();
        Self { server_id, strict, types }
    }

    /// Whether anything is limited.
    pub(super) fn any(&self, queues: &Served) -> bool {
        !self.types.is_empty() || queues.iter().any(|queue| queue.concurrency.is_some())
    }

    /// Whether tasks of this type are limited, or those of this queue.
    pub(super) fn cover(&self, queues: &Served, queue: &str, task_type: &str) -> bool {
        self.types.contains_key(task_type)
            || queues.iter().any(|served| served.name == queue && served.concurrency.is_some())
    }

    /// The demand for up to `slots` tasks. With `is_asked`, another call in flight asks for what is limited, and this
    /// one does not.
    pub(super) fn ask(&self, queues: &Served, running: &Running, slots: usize, is_asked: bool) -> Ask {
        let is_limited = slots > 0 && self.any(queues);
        let share = |slots| move |(name, priority)| QueueShare { slots, ..QueueShare::new(name, priority) };
        let (mut by_queue, mut by_type) = (HashMap::new(), HashMap::new());
        let table = (is_limited && !is_asked).then(|| running.lock());
        let held = table.iter().flat_map(|table| table.iter());
        for ((queue, _), held) in held.filter(|(_, held)| held.is_to_run()) {
            *by_queue.entry(queue).or_insert(0_usize) += 1;
            *by_type.entry(held.message.task_type.as_str()).or_insert(0_usize) += 1;
        }
        let left = |most: usize, running: Option<&usize>| {
            if is_asked { 0 } else { most.saturating_sub(running.copied().unwrap_or(0)) }
        };
        let queues = queues.iter().map(|queue| {
            let slots = queue.concurrency.map_or(usize::MAX, |most| left(most, by_queue.get(&queue.name)));
            share(slots)((queue.name.clone(), queue.priority))
        });
        let queues: Vec<QueueShare> = queues.collect();
        let slots = queues.iter().fold(0_usize, |sum, share| sum.saturating_add(share.slots)).min(slots);
        let types = self.types.iter().map(|(task_type, &most)| TypeShare {
            task_type: Arc::clone(task_type),
            slots: left(most, by_type.get(&**task_type)),
        });
        // What cannot be exceeded by this call need not be watched.
        let types = if is_limited { types.filter(|share| share.slots < slots).collect() } else { Vec::new() };
        let demand = Demand {
            server_id: self.server_id.clone(),
            slots,
            queues,
            strict: self.strict,
            types,
            ..Demand::none()
        };
        Ask { demand, is_limited: is_limited && !is_asked, is_narrow: false }
    }
}
