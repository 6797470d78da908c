//! [`Rounds`]: the way that an examination or a repair takes through a store.
//!
//! First the IDs of every list and set, with what is stored under them; then the names of all keys: a task that was met
//! in no list is a suspect, and so are locks, groups and counters. Last come queues as a whole, and the processes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fault::Fault;
use super::finding::Findings;
use super::{Class, Repaired};
use crate::broker::{Broker, Collection, Glimpse, KeyCursor, Spot};
use crate::error::{Error, Result};
use crate::task::{QueueName, TaskId};

/// How many IDs of a list one call reads.
const PAGE: usize = 500;

/// How many tasks one call reads, or keys.
pub(super) const CHUNK: usize = 100;

/// What is done about each fault.
#[derive(Debug)]
pub(super) enum Sink {
    /// It is told.
    Tell(Findings),
    /// It is put right, if it is of this class.
    Mend { class: Class, repaired: Repaired },
}

/// The way through a store.
pub(super) struct Rounds<'a> {
    pub(super) broker: &'a dyn Broker,
    /// Only these; all if none are named.
    pub(super) wanted: Vec<QueueName>,
    sink: Sink,
    /// The queues that the store says there are.
    pub(super) known: BTreeSet<QueueName>,
    /// Those of which keys were found.
    pub(super) met: BTreeMap<QueueName, Met>,
    /// Those that a running server serves.
    pub(super) served: HashSet<String>,
    /// The IDs of running servers.
    pub(super) alive: HashSet<String>,
    /// Which IDs were met in a list or a set, of which queues: their hashes, for there may be millions. Where two share
    /// one, a lost task may go unnoticed.
    seen: HashSet<u64>,
    /// Those that are at fault: each is told once, wherever it is met.
    pub(super) told: HashSet<u64>,
    tasks: usize,
    /// What is a fault only as long as nobody serves the queue.
    unserved: Vec<Fault>,
    pub(super) now: i64,
}

/// What was met of a queue.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Whether it has tasks, or lists of them.
    pub(super) has_tasks: bool,
    /// Whether it has other keys, but for a pause: one may be made before there is a queue.
    pub(super) has_more: bool,
    /// Tasks whose IDs were met in no list.
    unlisted: Vec<TaskId>,
    /// Tasks that seem wrong: where they were met, and the [trace](crate::broker::Standing::trace) of how they stood then.
    pub(super) suspects: Vec<(Glimpse, u64)>,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(broker: &'a dyn Broker, wanted: Vec<QueueName>, sink: Sink) -> Self {
        Self {
            broker,
            wanted,
            sink,
            known: BTreeSet::new(),
            met: BTreeMap::new(),
            served: HashSet::new(),
            alive: HashSet::new(),
            seen: HashSet::new(),
            told: HashSet::new(),
            tasks: 0,
            unserved: Vec::new(),
            now: broker.clock().unix_seconds(),
        }
    }

    /// Goes all the way: what was done about the faults, how many tasks were looked at, and how many queues.
    pub(super) async fn run(mut self) -> Result<(Sink, usize, usize)> {
        self.look_for_servers().await?;
        let is_whole = self.wanted.is_empty();
        if !is_whole || self.check_global_keys().await? {
            self.known.extend(self.broker.queues().await?);
        }
        let queues = if is_whole { self.known.iter().cloned().collect() } else { self.wanted.clone() };
        for queue in &queues {
            self.walk(queue).await?;
        }
        if is_whole {
            self.scan(None).await?;
        } else {
            for queue in &queues {
                self.scan(Some(queue)).await?;
                if !self.known.contains(queue) && !self.met.contains_key(queue) {
                    return Err(Error::QueueNotFound { queue: queue.clone() });
                }
            }
        }
        // Queues and groups that are not listed were met only now.
        let strangers: Vec<QueueName> =
            self.met.keys().filter(|queue| !queues.contains(queue)).cloned().collect();
        for queue in &strangers {
            self.walk(queue).await?;
        }
        self.look_at_unlisted().await?;
        let queues: BTreeSet<QueueName> = queues.into_iter().chain(strangers).collect();
        for queue in &queues {
            self.check_queue(queue).await?;
        }
        if is_whole {
            self.check_store().await?;
            self.check_processes().await?;
        }
        self.tell_unserved().await?;
        Ok((self.sink, self.tasks, queues.len()))
    }

    /// Something is wrong: it is told, or put right.
    pub(super) async fn found(&mut self, fault: Fault) -> Result<()> {
        match &mut self.sink {
            Sink::Tell(findings) => findings.add(&fault),
            Sink::Mend { class, repaired } if *class == fault.class() => {
                if fault.mend(self.broker).await? {
                    repaired.mended += 1;
                } else {
                    repaired.left += 1;
                }
            }
            Sink::Mend { .. } => {}
        }
        Ok(())
    }

    /// Something is wrong unless a server serves the queue: whether one does by now is seen at the end.
    pub(super) fn found_unserved(&mut self, fault: Fault) {
        self.unserved.push(fault);
    }

    async fn tell_unserved(&mut self) -> Result<()> {
        self.look_for_servers().await?;
        for fault in std::mem::take(&mut self.unserved) {
            if fault.queue().is_none_or(|queue| !self.served.contains(queue.as_str())) {
                self.found(fault).await?;
            }
        }
        Ok(())
    }

    async fn look_for_servers(&mut self) -> Result<()> {
        for (server, _) in self.broker.servers().await? {
            self.alive.insert(server.server_id);
            self.served.extend(server.queues.into_keys());
        }
        Ok(())
    }

    /// The IDs of all lists and sets of a queue, but for groups that are not listed.
    async fn walk(&mut self, queue: &QueueName) -> Result<()> {
        for place in self.places(queue).await? {
            self.walk_place(queue, &place).await?;
        }
        Ok(())
    }

    /// The IDs of one list or set.
    pub(super) async fn walk_place(&mut self, queue: &QueueName, place: &Spot) -> Result<()> {
        let (mut offset, mut before) = (0, HashSet::new());
        loop {
            let ids = self.broker.members(queue, place, offset, PAGE).await?;
            if ids.is_empty() {
                break;
            }
            offset += ids.len();
            let mut page = HashSet::with_capacity(ids.len());
            let mut glimpses = Vec::with_capacity(ids.len());
            let mut again = Vec::with_capacity(ids.len());
            for id in ids {
                let print = print_of(queue, &id);
                // What the last page ended with comes again where others were put in front of it meanwhile.
                if before.contains(&print) {
                    continue;
                }
                // A lease is beside the place where its task stands, and does not count as one.
                let was_met = *place != Spot::Lease && !self.seen.insert(print);
                again.push(!page.insert(print) || (was_met && *place == Spot::In(Collection::Pending)));
                glimpses.push(Glimpse { id, at: Some(place.clone()), near: Vec::new() });
            }
            before = page;
            for (part, again) in glimpses.chunks(CHUNK).zip(again.chunks(CHUNK)) {
                self.look(queue, part, again).await?;
            }
        }
        self.question(queue).await?;
        let met = self.met.entry(queue.clone()).or_default();
        met.has_tasks |= offset > 0;
        if *place != Spot::Lease {
            self.tasks += offset;
        }
        Ok(())
    }

    /// The names of all keys, or of those of a queue.
    async fn scan(&mut self, queue: Option<&QueueName>) -> Result<()> {
        let mut next = Some(KeyCursor::default());
        let mut others: BTreeMap<QueueName, Vec<String>> = BTreeMap::new();
        while let Some(from) = next {
            let page = self.broker.keys(queue, &from).await?;
            next = page.next;
            for key in page.keys {
                let Some((owner, name)) = self.split(&key) else { continue };
                if queue.is_some_and(|queue| *queue != owner) {
                    continue;
                }
                match name.strip_prefix("t:") {
                    Some(id) => self.met_task(owner, id),
                    None => others.entry(owner).or_default().push(name.to_owned()),
                }
            }
            let full = others.iter().filter(|(_, names)| names.len() >= CHUNK);
            let full: Vec<QueueName> = full.map(|(owner, _)| owner.clone()).collect();
            for owner in full {
                let names = others.remove(&owner).unwrap_or_default();
                self.check_keys(&owner, &names).await?;
            }
        }
        for (owner, names) in others {
            self.check_keys(&owner, &names).await?;
        }
        Ok(())
    }

    /// Tasks whose keys were met, and whose IDs were in no list.
    async fn look_at_unlisted(&mut self) -> Result<()> {
        let unlisted: Vec<(QueueName, Vec<TaskId>)> = self
            .met
            .iter_mut()
            .map(|(queue, met)| (queue.clone(), std::mem::take(&mut met.unlisted)))
            .collect();
        for (queue, ids) in unlisted {
            let ids = ids.into_iter().filter(|id| !self.seen.contains(&print_of(&queue, id)));
            let glimpses: Vec<Glimpse> = ids.map(|id| Glimpse { id, at: None, near: Vec::new() }).collect();
            for part in glimpses.chunks(CHUNK) {
                self.look(&queue, part, &[false; CHUNK]).await?;
            }
            self.question(&queue).await?;
        }
        Ok(())
    }

    /// A task's key was met.
    fn met_task(&mut self, queue: QueueName, id: &str) {
        let id = TaskId::stored(id);
        let is_listed = self.seen.contains(&print_of(&queue, &id));
        let met = self.met.entry(queue).or_default();
        met.has_tasks = true;
        if !is_listed {
            met.unlisted.push(id);
        }
    }

    /// The queue of a key and its name there. A name of a queue may contain what ends it, so those that are known come
    /// first.
    fn split<'k>(&self, key: &'k str) -> Option<(QueueName, &'k str)> {
        let prefix = self.broker.keyspace().prefix();
        let rest = key.strip_prefix(prefix.as_str())?.strip_prefix('{')?;
        let cuts = rest.match_indices("}:").map(|(at, _)| at);
        let parts = cuts.filter_map(|at| Some((rest.get(..at)?, rest.get(at + 2..)?)));
        let is_known =
            |queue: &str| self.known.contains(queue) || self.wanted.iter().any(|wanted| wanted == queue);
        let known = parts.clone().filter(|(queue, _)| is_known(queue)).last();
        let (queue, name) = known.or_else(|| parts.clone().next())?;
        Some((QueueName::stored(queue), name))
    }
}

pub(super) fn print_of(queue: &QueueName, id: &TaskId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (queue.as_str(), id.as_str()).hash(&mut hasher);
    hasher.finish()
}
