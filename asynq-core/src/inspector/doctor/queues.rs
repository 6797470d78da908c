//! What can be wrong with keys, groups, locks and queues as a whole.

use super::Class;
use super::fault::Fault;
use super::rounds::Rounds;
use crate::broker::{BrokerErrorKind, Collection, Glimpse, GroupStanding, LockStanding, QueueInfo, Spot};
use crate::error::Result;
use crate::task::{QueueName, TaskState};
use crate::wire::keys::QueueKeys;

/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// From how many days on an archived task is about to be deleted: servers keep it for 90.
const LONG_ARCHIVED: i64 = 80;

/// How many groups or locks one call looks at.
const CHUNK: usize = 100;

/// What asynq keeps under a name of a queue; `None` for what it does not know.
fn kind_of(name: &str) -> Option<&'static str> {
    let kinds = [
        ("unique:", "string"),
        ("x:unique:", "string"),
        ("x:waits:", "string"),
        ("processed:", "string"),
        ("failed:", "string"),
        ("g:", "zset"),
        ("t:", "hash"),
    ];
    Some(match name {
        "pending" | "active" => "list",
        "lease" | "scheduled" | "retry" | "archived" | "completed" | "aggregation_sets" | "x:owners"
        | "x:tick" | "x:waits" => "zset",
        "groups" => "set",
        "paused" | "processed" | "failed" => "string",
        _ => kinds.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, kind)| *kind)?,
    })
}

/// The key of a place, and what asynq keeps there.
fn key_of(keys: &QueueKeys, place: &Spot) -> (String, &'static str) {
    match place {
        Spot::In(Collection::Pending) => (keys.pending(), "list"),
        Spot::In(Collection::Active) => (keys.active(), "list"),
        Spot::In(Collection::Scheduled) => (keys.scheduled(), "zset"),
        Spot::In(Collection::Retry) => (keys.retry(), "zset"),
        Spot::In(Collection::Archived) => (keys.archived(), "zset"),
        Spot::In(Collection::Completed) => (keys.completed(), "zset"),
        Spot::In(Collection::Group(name)) | Spot::Staged(name) => (keys.group(name), "zset"),
        Spot::Lease => (keys.lease(), "zset"),
    }
}

impl Rounds<'_> {
    /// Where tasks of a queue may stand, but for groups that nobody lists: those whose keys hold what they should. The
    /// others are told when the names of keys are looked at.
    pub(super) async fn places(&self, queue: &QueueName) -> Result<Vec<Spot>> {
        use Collection::{Active, Archived, Completed, Group, Pending, Retry, Scheduled};
        let keys = self.broker.keyspace().queue(queue);
        let mut places = vec![Spot::Lease];
        places.extend([Pending, Active, Scheduled, Retry, Archived, Completed].map(Spot::In));
        let groups = self.broker.key_kinds(&[keys.groups()]).await?;
        if groups.iter().all(|groups| groups.kind == "set") {
            let groups = self.broker.group_sizes(queue).await;
            places.extend(groups?.into_iter().map(|group| Spot::In(Group(group.group))));
        }
        let mut right = Vec::with_capacity(places.len());
        for places in places.chunks(CHUNK) {
            let named: Vec<(String, &str)> = places.iter().map(|place| key_of(&keys, place)).collect();
            let found = named.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
            for ((place, (_, kind)), found) in
                places.iter().zip(named).zip(self.broker.key_kinds(&found).await?)
            {
                right.extend((found.kind == kind).then(|| place.clone()));
            }
        }
        Ok(right)
    }

    /// Keys of a queue, by their names there; not those of tasks.
    pub(super) async fn check_keys(&mut self, queue: &QueueName, names: &[String]) -> Result<()> {
        let prefix = self.broker.keyspace().queue(queue).prefix().to_owned();
        let keys: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
        let kinds = self.broker.key_kinds(&keys).await?;
        let (mut groups, mut locks) = (Vec::new(), Vec::new());
        for ((name, key), found) in names.iter().zip(keys).zip(kinds) {
            let Some(kind) = kind_of(name).filter(|_| found.kind != "none") else { continue };
            let met = self.met.entry(queue.clone()).or_default();
            if ["list", "zset"].contains(&kind) && !name.starts_with("x:") {
                met.has_tasks = true;
            }
            met.has_more |= name != "paused";
            if found.kind != kind {
                let queue = Some(queue.clone());
                self.found(Fault::Key { class: Class::WrongType, queue, key, kind: found.kind }).await?;
            } else if (name.starts_with("processed:") || name.starts_with("failed:"))
                && found.expires_in.is_none()
            {
                let queue = Some(queue.clone());
                self.found(Fault::Key { class: Class::EndlessCounter, queue, key, kind: found.kind }).await?;
            } else if let Some(group) = name.strip_prefix("g:") {
                groups.push(group.to_owned());
            } else if name.starts_with("unique:") || name.starts_with("x:unique:") {
                locks.push(key);
            }
        }
        for part in groups.chunks(CHUNK) {
            self.check_groups(queue, part).await?;
        }
        for part in locks.chunks(CHUNK) {
            self.check_locks(queue, part).await?;
        }
        Ok(())
    }

    /// Groups and aggregation sets, and who stands in them.
    async fn check_groups(&mut self, queue: &QueueName, names: &[String]) -> Result<()> {
        for group in self.broker.group_standings(queue, names).await? {
            if group.size == 0 {
                continue;
            }
            let place = if group.is_set || is_set(&group) {
                Spot::Staged(group.name.clone())
            } else {
                Spot::In(Collection::Group(group.name.clone()))
            };
            if !group.is_listed {
                self.walk_place(queue, &place).await?;
            }
            if !group.is_listed && !group.is_set {
                let class = if is_set(&group) { Class::StraySet } else { Class::UnlistedGroup };
                self.found(Fault::Group { class, queue: queue.clone(), name: group.name }).await?;
            }
        }
        Ok(())
    }

    async fn check_locks(&mut self, queue: &QueueName, keys: &[String]) -> Result<()> {
        for seen in self.broker.lock_standings(queue, keys).await?.into_iter().flatten() {
            if let Some(class) = fault_of_lock(&seen) {
                self.found(Fault::Lock { class, queue: queue.clone(), seen }).await?;
            }
        }
        Ok(())
    }

    /// A queue as a whole.
    pub(super) async fn check_queue(&mut self, queue: &QueueName) -> Result<()> {
        let info = match self.broker.queue_info(queue).await {
            Ok(info) => info,
            // A key of the wrong kind, which is told already.
            Err(error) if error.kind() == BrokerErrorKind::Refused => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.check_empty_groups(queue).await?;
        let is_empty = info.size() + info.staged - info.archived - info.completed == 0;
        if info.is_paused() && is_empty {
            let detail = "it is paused and empty".to_owned();
            self.found(Fault::Queue { class: Class::PausedEmpty, queue: queue.clone(), detail }).await?;
        }
        if info.pending > 0 && !info.is_paused() {
            let detail = format!("{} tasks are pending", info.pending);
            self.found_unserved(Fault::Queue { class: Class::Unserved, queue: queue.clone(), detail });
        }
        self.check_archive(queue, &info).await?;
        self.check_beats(queue).await?;
        if !self.broker.queue_exists(queue).await? {
            self.check_unlisted(queue, &info).await?;
        }
        Ok(())
    }

    async fn check_empty_groups(&mut self, queue: &QueueName) -> Result<()> {
        let groups = self.broker.group_sizes(queue).await?;
        let empty: Vec<String> =
            groups.into_iter().filter(|group| group.size == 0).map(|group| group.group).collect();
        for part in empty.chunks(CHUNK) {
            for group in self.broker.group_standings(queue, part).await? {
                if group.is_listed && group.size == 0 {
                    let queue = queue.clone();
                    self.found(Fault::Group { class: Class::EmptyGroup, queue, name: group.name }).await?;
                }
            }
        }
        Ok(())
    }

    async fn check_archive(&mut self, queue: &QueueName, info: &QueueInfo) -> Result<()> {
        let place = Spot::In(Collection::Archived);
        let oldest = self.broker.members(queue, &place, 0, 1).await?;
        let met = |id| Glimpse { id, at: Some(place.clone()), near: Vec::new() };
        let glimpses: Vec<Glimpse> = oldest.into_iter().map(met).collect();
        let tasks = self.broker.standings(queue, &glimpses, false).await?;
        let since = tasks.iter().flat_map(|task| &task.spots).find(|(spot, _)| *spot == place);
        let days = since.map_or(0, |(_, at)| (self.broker.clock().unix_seconds() - at) / DAY);
        if info.is_archive_full() || days >= LONG_ARCHIVED {
            let detail = format!("{} tasks are archived, the oldest since {days} days", info.archived);
            self.found(Fault::Queue { class: Class::FullArchive, queue: queue.clone(), detail }).await?;
        }
        Ok(())
    }

    /// Servers that may have held tasks of the queue, and are long dead.
    async fn check_beats(&mut self, queue: &QueueName) -> Result<()> {
        let before = self.broker.clock().unix_seconds() - DAY;
        let beats = self.broker.beats(std::slice::from_ref(queue)).await?;
        for beat in beats.into_iter().flatten() {
            if beat.at < before && !self.alive.contains(&beat.server_id) {
                let server_id = beat.server_id;
                self.found(Fault::Beat { queue: queue.clone(), server_id }).await?;
            }
        }
        Ok(())
    }

    /// A queue that is not in the set of queues.
    async fn check_unlisted(&mut self, queue: &QueueName, info: &QueueInfo) -> Result<()> {
        let Some(met) = self.met.get(queue) else { return Ok(()) };
        if met.has_tasks {
            let detail = format!("it holds {} tasks", info.size());
            self.found(Fault::Queue { class: Class::UnlistedQueue, queue: queue.clone(), detail }).await?;
        } else if met.has_more && !self.served.contains(queue.as_str()) && self.is_quiet(queue).await? {
            let detail = "the queue was deleted".to_owned();
            self.found(Fault::Queue { class: Class::Leftover, queue: queue.clone(), detail }).await?;
        }
        Ok(())
    }

    /// Whether no server has beaten there of late: one that waits for its first task does.
    async fn is_quiet(&self, queue: &QueueName) -> Result<bool> {
        let before = self.broker.clock().unix_seconds() - DAY;
        let beats = self.broker.beats(std::slice::from_ref(queue)).await?;
        Ok(beats.into_iter().flatten().all(|beat| beat.at < before))
    }
}

/// Whether the name is that of a set, by the group of its tasks: a colon and an ID follow.
fn is_set(group: &GroupStanding) -> bool {
    let rest = group.name.strip_prefix(group.group_of_first.as_str());
    !group.group_of_first.is_empty() && rest.is_some_and(|rest| rest.starts_with(':'))
}

/// What is wrong with a lock, if anything.
fn fault_of_lock(lock: &LockStanding) -> Option<Class> {
    if lock.is_kept {
        return None;
    }
    match lock.state.as_deref() {
        None => Some(Class::StaleLock),
        Some(state) if state == TaskState::Completed.as_str() => Some(Class::StaleLock),
        Some(state) if state == TaskState::Archived.as_str() => Some(Class::ArchivedLock),
        Some(_) => None,
    }
}
