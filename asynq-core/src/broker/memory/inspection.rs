//! Looking at what stands in memory.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryBroker;
use super::care::lock_standing;
use super::queue::Queue;
use super::scored_set::ScoredSet;
use super::store::Moment;
use super::task_hash::{TaskHash, field};
use crate::broker::queue_info::latency;
use crate::broker::snapshot::Snapshot;
use crate::broker::task_detail::StoredTask;
use crate::broker::{
    Broker, BrokerError, Collection, DailyStats, GroupInfo, Inspection, Listed, LockInfo, QueueInfo,
    SCAN_BYTES, Scan, ScanCursor, TaskCopy, TaskDetail, Unreadable,
};
use crate::clock::from_unix_seconds;
use crate::task::{QueueName, TaskId, TaskState};
use crate::wire::keys::utc_date;

#[async_trait]
impl Inspection for MemoryBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        Ok(self.shared().lock().known.iter().cloned().collect())
    }

    async fn queue_exists(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        Ok(self.shared().lock().known.contains(queue))
    }

    async fn queue_info(&self, queue: &QueueName) -> Result<QueueInfo, BrokerError> {
        let now = self.now();
        let empty = QueueInfo::empty(queue.clone(), self.clock().now());
        let store = self.shared().lock();
        Ok(match store.queues.get(queue) {
            Some(queue) => queue.info(empty, now),
            None => QueueInfo { memory_usage: Some(0), ..empty },
        })
    }

    async fn queue_with_groups(&self, queue: &QueueName) -> Result<(QueueInfo, Vec<GroupInfo>), BrokerError> {
        Ok((self.queue_info(queue).await?, self.group_sizes(queue).await?))
    }

    async fn queue_counts(&self, queues: &[QueueName]) -> Result<Vec<QueueInfo>, BrokerError> {
        let mut counts = Vec::with_capacity(queues.len());
        for queue in queues {
            counts.push(QueueInfo { memory_usage: None, ..self.queue_info(queue).await? });
        }
        Ok(counts)
    }

    async fn history(&self, queue: &QueueName, days: usize) -> Result<Vec<DailyStats>, BrokerError> {
        let day = Duration::from_secs(24 * 3600);
        let days = std::iter::successors(Some(self.clock().now()), |at| at.checked_sub(day).ok()).take(days);
        let now = self.now();
        let store = self.shared().lock();
        let statistics = store.queues.get(queue).map(|queue| &queue.statistics);
        let stats = |at: Timestamp| {
            let (processed, failed) = statistics
                .map_or((0, 0), |statistics| statistics.of_day(Moment::at(at).seconds, now.seconds));
            DailyStats { date: utc_date(at), processed: counter(processed), failed: counter(failed) }
        };
        Ok(days.map(stats).collect())
    }

    async fn group_sizes(&self, queue: &QueueName) -> Result<Vec<GroupInfo>, BrokerError> {
        Ok(self.shared().lock().queues.get(queue).map(Queue::group_infos).unwrap_or_default())
    }

    async fn collection_size(
        &self,
        queue: &QueueName,
        collection: &Collection,
    ) -> Result<usize, BrokerError> {
        let store = self.shared().lock();
        Ok(store.queues.get(queue).map_or(0, |queue| queue.size_of(collection)))
    }

    async fn scan(
        &self,
        queue: &QueueName,
        collection: &Collection,
        from: &ScanCursor,
        limit: usize,
    ) -> Result<Scan, BrokerError> {
        let now = self.now();
        let store = self.shared().lock();
        let scan = store.queues.get(queue).map(|stored| stored.scan(queue, collection, from, limit, now));
        Ok(scan.unwrap_or_default())
    }

    async fn copies(&self, queue: &QueueName, ids: &[TaskId]) -> Result<Vec<Option<TaskCopy>>, BrokerError> {
        let now = self.now();
        let prefix = self.keyspace().queue(queue).prefix().to_owned();
        let store = self.shared().lock();
        let Some(stored) = store.queues.get(queue) else { return Ok(vec![None; ids.len()]) };
        let copy = |id: &TaskId| {
            let task = stored.tasks.get(id)?;
            let key = text(task, field::UNIQUE_KEY).filter(|key| key.starts_with(&prefix));
            Some(TaskCopy {
                fields: task.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
                score: stored.score_of(id, task),
                lock: key.and_then(|key| lock_standing(&store.locks, Some(stored), &key, now)),
            })
        };
        Ok(ids.iter().map(copy).collect())
    }

    async fn task_detail(
        &self,
        queue: &QueueName,
        id: &TaskId,
    ) -> Result<Option<Result<TaskDetail, Unreadable>>, BrokerError> {
        let now = self.now();
        let keys = self.keyspace().queue(queue);
        let store = self.shared().lock();
        let stored = store.queues.get(queue).and_then(|stored| stored.stored_task(id));
        let mut detail = stored.and_then(|stored| stored.into_detail(queue, id, now.seconds));
        if let Some(Ok(detail)) = &mut detail {
            let key = detail.message.unique_key.clone();
            // What a message names may be anything; only a key of this queue can be a lock of its own.
            detail.lock = key.starts_with(keys.prefix()).then(|| {
                let (value, left) = store.locks.value(&key, now).unzip();
                LockInfo::read(key, value, left, detail.own_fields.get(field::UNTIL).map(AsRef::as_ref))
            });
        }
        Ok(detail)
    }
}

impl Queue {
    fn info(&self, empty: QueueInfo, now: Moment) -> QueueInfo {
        let expired = self.lease.up_to(now.seconds, usize::MAX).len();
        let groups = self.group_infos();
        let oldest = self.pending.back().and_then(|id| self.tasks.get(id));
        let (processed, failed) = self.statistics.of_day(now.seconds, now.seconds);
        QueueInfo {
            pending: self.pending.len(),
            active: self.active.len(),
            scheduled: self.scheduled.len(),
            retry: self.retry.len(),
            archived: self.archived.len(),
            completed: self.completed.len(),
            aggregating: groups.iter().map(|group| group.size).sum(),
            groups: groups.len(),
            staged: self
                .sets
                .iter()
                .filter_map(|(key, _)| self.set_members.get(key))
                .map(ScoredSet::len)
                .sum(),
            orphaned: expired + self.active.len().saturating_sub(self.lease.len()),
            latency: latency(oldest.and_then(pending_since), now.nanos),
            processed: counter(processed),
            failed: counter(failed),
            processed_total: counter(self.statistics.processed.unwrap_or(0)),
            failed_total: counter(self.statistics.failed.unwrap_or(0)),
            trimmed_total: counter(self.statistics.trimmed.unwrap_or(0)),
            paused_since: self.paused_since.map(from_unix_seconds),
            memory_usage: Some(self.tasks.iter().map(|(id, task)| size(id, task)).sum()),
            ..empty
        }
    }

    fn stored_task(&self, id: &TaskId) -> Option<StoredTask> {
        let fields =
            self.tasks.get(id)?.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Some(StoredTask {
            fields,
            lease_until: self.lease.score(id.as_str()),
            scheduled: self.scheduled.score(id.as_str()),
            retry: self.retry.score(id.as_str()),
        })
    }

    fn group_infos(&self) -> Vec<GroupInfo> {
        let size = |group: &String| self.group_members.get(group).map_or(0, ScoredSet::len);
        self.groups.iter().map(|group| GroupInfo { group: group.clone(), size: size(group) }).collect()
    }

    /// The score of a task where its state says that it stands.
    fn score_of(&self, id: &TaskId, task: &TaskHash) -> Option<i64> {
        let state = text(task, field::STATE)?.parse().ok()?;
        let group = || text(task, field::GROUP).unwrap_or_default();
        let collection = match state {
            TaskState::Scheduled => Collection::Scheduled,
            TaskState::Retry => Collection::Retry,
            TaskState::Archived => Collection::Archived,
            TaskState::Completed => Collection::Completed,
            TaskState::Aggregating => Collection::Group(group()),
            TaskState::Active | TaskState::Pending => return None,
        };
        let here = self.sorted(&collection).and_then(|set| set.score(id.as_str()));
        here.or_else(|| {
            let of_group = format!("{}:", collection.group()?);
            let sets = self.set_members.iter().filter(|(set, _)| set.starts_with(&of_group));
            sets.map(|(_, members)| members).find_map(|members| members.score(id.as_str()))
        })
    }

    /// A collection that is no list.
    pub(super) fn sorted(&self, collection: &Collection) -> Option<&ScoredSet> {
        match collection {
            Collection::Pending | Collection::Active => None,
            Collection::Scheduled => Some(&self.scheduled),
            Collection::Retry => Some(&self.retry),
            Collection::Archived => Some(&self.archived),
            Collection::Completed => Some(&self.completed),
            Collection::Group(name) => self.group_members.get(name),
        }
    }

    fn size_of(&self, collection: &Collection) -> usize {
        match collection {
            Collection::Pending => self.pending.len(),
            Collection::Active => self.active.len(),
            sorted => self.sorted(sorted).map_or(0, ScoredSet::len),
        }
    }

    fn scan(
        &self,
        queue: &QueueName,
        collection: &Collection,
        from: &ScanCursor,
        limit: usize,
        now: Moment,
    ) -> Scan {
        let (offset, found) = match collection {
            Collection::Pending => from_list(&self.pending, from, limit),
            Collection::Active => from_list(&self.active, from, limit),
            sorted => self.sorted(sorted).map(|set| from_set(set, from, limit)).unwrap_or_default(),
        };
        let mut scan = Scan::default();
        let mut anchors = Vec::with_capacity(found.len());
        let mut bytes = 0;
        for (id, score) in found {
            if bytes > SCAN_BYTES {
                scan.next = Some(ScanCursor { offset: offset + anchors.len(), anchors });
                return scan;
            }
            let snapshot = self.snapshot(&id).ok_or(Unreadable::Missing);
            bytes += snapshot.as_ref().map_or(0, Snapshot::size);
            let task = snapshot.and_then(|mut snapshot| {
                snapshot.due = score;
                snapshot.into_info_in(collection.state(), queue, &id, now.seconds)
            });
            anchors.push((id.clone(), score.map(|score| score.to_string()).unwrap_or_default()));
            scan.tasks.push(Listed { id, task });
        }
        if limit > 0 && scan.tasks.len() == limit {
            scan.next = Some(ScanCursor { offset: offset + limit, anchors });
        }
        scan
    }
}

/// What follows in a list, and how many come before it.
fn from_list(
    list: &std::collections::VecDeque<TaskId>,
    from: &ScanCursor,
    limit: usize,
) -> (usize, Vec<(TaskId, Option<i64>)>) {
    let known = |id: &TaskId| from.anchors.iter().any(|(anchor, _)| anchor == id);
    let start = if from.anchors.is_empty() {
        from.offset
    } else {
        // The latest of those read before that is still there; what came before the others is gone.
        (0..from.offset.min(list.len()))
            .rev()
            .find(|place| list.iter().nth_back(*place).is_some_and(known))
            .map_or(0, |place| place + 1)
    };
    let found = list.iter().rev().skip(start).take(limit).map(|id| (id.clone(), None)).collect();
    (start, found)
}

/// What follows in a sorted set, and how many come before it, as far as is known.
fn from_set(set: &ScoredSet, from: &ScanCursor, limit: usize) -> (usize, Vec<(TaskId, Option<i64>)>) {
    let scored = |(id, score): (&TaskId, i64)| (id.clone(), Some(score));
    let Some((_, last)) = from.anchors.last() else {
        return (from.offset, set.iter().skip(from.offset).take(limit).map(scored).collect());
    };
    let stays = |(id, score): &&(TaskId, String)| {
        set.score(id.as_str()).is_some_and(|stored| stored.to_string() == *score)
    };
    let last = last.parse().unwrap_or(i64::MIN);
    let found = match from.anchors.iter().rev().find(stays) {
        Some((id, score)) => set.after(score.parse().unwrap_or(last), id).take(limit).map(scored).collect(),
        None => set.from(last).take(limit).map(scored).collect(),
    };
    (from.offset, found)
}

fn pending_since(task: &TaskHash) -> Option<i64> {
    text(task, field::PENDING_SINCE).and_then(|nanos| nanos.parse().ok())
}

fn text(task: &TaskHash, name: &str) -> Option<String> {
    task.text(name).map(std::borrow::Cow::into_owned)
}

fn counter(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The bytes of a task, without what holds them together.
fn size(id: &TaskId, task: &TaskHash) -> u64 {
    let fields = task.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    u64::try_from(id.as_str().len() + fields).unwrap_or(u64::MAX)
}
