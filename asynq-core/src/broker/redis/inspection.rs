//! Looking at what stands in Redis.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::RedisBroker;
use super::reply::{Reader, score};
use super::script::{Call, Name};
use crate::broker::queue_info::latency;
use crate::broker::snapshot::Snapshot;
use crate::broker::task_detail::StoredTask;
use crate::broker::{
    BrokerError, Collection, DailyStats, GroupInfo, Inspection, Listed, LockInfo, LockStanding, QueueInfo,
    Scan, ScanCursor, TaskCopy, TaskDetail, Unreadable,
};
use crate::clock::from_unix_seconds;
use crate::task::{QueueName, TaskId};
use crate::wire::keys::{QueueKeys, utc_date};

/// How many members of a set one call reads, about.
const CHUNK: usize = 500;

/// How many queues are asked about at the same time: their calls share one connection, and go out together.
const AT_A_TIME: usize = 64;

/// How many groups one call looks at, about.
const GROUPS_AT_ONCE: usize = 1_000;

/// Groups whose memory is measured for all.
const SAMPLED_GROUPS: usize = 5;

/// The groups of a queue: how many, with how many tasks, and some of them by name.
#[derive(Default)]
struct Grouped {
    groups: usize,
    tasks: usize,
    named: Vec<GroupInfo>,
}

/// How many days one call asks for.
const DAYS: usize = 100;

#[async_trait]
impl Inspection for RedisBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        let mut queues: Vec<QueueName> =
            self.members(self.keyspace.queues()).await?.iter().map(|name| QueueName::stored(name)).collect();
        queues.sort();
        Ok(queues)
    }

    async fn queue_exists(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        let key = self.keyspace.queues();
        self.shared.query("look for a queue", redis::cmd("SISMEMBER").arg(key).arg(queue.as_str())).await
    }

    async fn queue_info(&self, queue: &QueueName) -> Result<QueueInfo, BrokerError> {
        let (mut info, groups) = self.counts(queue, SAMPLED_GROUPS).await?;
        info.memory_usage = self.memory_usage(&info, &groups).await?;
        Ok(info)
    }

    async fn queue_with_groups(&self, queue: &QueueName) -> Result<(QueueInfo, Vec<GroupInfo>), BrokerError> {
        let (mut info, groups) = self.counts(queue, usize::MAX).await?;
        info.memory_usage = self.memory_usage(&info, &groups).await?;
        Ok((info, each_once(groups)))
    }

    async fn queue_counts(&self, queues: &[QueueName]) -> Result<Vec<QueueInfo>, BrokerError> {
        let counts = |queue: QueueName| async move { Ok(self.counts(&queue, 0).await?.0) };
        stream::iter(queues.to_vec()).map(counts).buffered(AT_A_TIME).try_collect().await
    }

    async fn history(&self, queue: &QueueName, days: usize) -> Result<Vec<DailyStats>, BrokerError> {
        const DOING: &str = "read a queue's history";
        let keys = self.keyspace.queue(queue);
        let days = last_days(self.clock.now(), days);
        let mut history = Vec::with_capacity(days.len());
        for days in days.chunks(DAYS) {
            let mut command = redis::cmd("MGET");
            for day in days {
                command.arg(keys.processed(*day)).arg(keys.failed(*day));
            }
            let answer = self.shared.query(DOING, &command);
            let mut answer = Reader::new(answer.await?, DOING)?;
            for day in days {
                history.push(DailyStats {
                    date: utc_date(*day),
                    processed: counter(answer.number()?),
                    failed: counter(answer.number()?),
                });
            }
        }
        Ok(history)
    }

    async fn group_sizes(&self, queue: &QueueName) -> Result<Vec<GroupInfo>, BrokerError> {
        Ok(each_once(self.grouped(queue, usize::MAX).await?.named))
    }

    async fn collection_size(
        &self,
        queue: &QueueName,
        collection: &Collection,
    ) -> Result<usize, BrokerError> {
        let mut size = redis::cmd(if collection.is_list() { "LLEN" } else { "ZCARD" });
        size.arg(collection_key(&self.keyspace.queue(queue), collection));
        self.shared.query("count tasks", &size).await
    }

    async fn scan(
        &self,
        queue: &QueueName,
        collection: &Collection,
        from: &ScanCursor,
        limit: usize,
    ) -> Result<Scan, BrokerError> {
        const DOING: &str = "list tasks";
        if limit == 0 {
            return Ok(Scan::default());
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::scan, [collection_key(&keys, collection), keys.lease()]);
        let kind = if collection.is_list() { "list" } else { "zset" };
        call.arg(keys.task_prefix()).arg(kind).arg(from.offset).arg(limit);
        for (id, score) in from.anchors.iter().rev() {
            call.arg(id.as_str()).arg(score);
        }
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        let (found, offset) = (answer.integer()?, answer.count()?);
        if found == 0 {
            let next = ScanCursor { offset, anchors: from.anchors.clone() };
            return Ok(Scan { tasks: Vec::new(), next: Some(next) });
        }
        let (mut tasks, mut anchors) = (Vec::new(), Vec::new());
        while !answer.is_empty() {
            let (id, at) = (TaskId::stored(&answer.text()?), answer.text()?);
            let (message, state, result) =
                (answer.optional_bytes()?, answer.text()?, answer.optional_bytes()?);
            let (due, lease_until) = (score(at.as_bytes()), score(&answer.bytes()?));
            anchors.push((id.clone(), at));
            let task = match message {
                Some(message) => Snapshot { message, state, result, lease_until, due }.into_info_in(
                    collection.state(),
                    queue,
                    &id,
                    self.now_seconds(),
                ),
                None => Err(Unreadable::Missing),
            };
            tasks.push(Listed { id, task });
        }
        let goes_on = tasks.len() == limit || found == 2;
        let next = goes_on.then(|| ScanCursor { offset: offset + tasks.len(), anchors });
        Ok(Scan { tasks, next })
    }

    async fn copies(&self, queue: &QueueName, ids: &[TaskId]) -> Result<Vec<Option<TaskCopy>>, BrokerError> {
        const DOING: &str = "copy tasks";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::copies, [keys.aggregation_sets()]);
        call.arg(keys.prefix());
        for id in ids {
            call.arg(id.as_str());
        }
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        ids.iter().map(|_| read_copy(answer.list()?)).collect()
    }

    async fn task_detail(
        &self,
        queue: &QueueName,
        id: &TaskId,
    ) -> Result<Option<Result<TaskDetail, Unreadable>>, BrokerError> {
        const DOING: &str = "read a task";
        let keys = self.keyspace.queue(queue);
        let mut commands = vec![redis::cmd("HGETALL").arg(keys.task(id.as_str())).take()];
        for zset in [keys.lease(), keys.scheduled(), keys.retry()] {
            commands.push(redis::cmd("ZSCORE").arg(zset).arg(id.as_str()).take());
        }
        // In one transaction, so that the parts belong together.
        let answer = self.shared.query_atomic(DOING, commands).await?;
        let mut answer = Reader::new(answer, DOING)?;
        let mut hash = answer.list()?;
        let mut stored = StoredTask::default();
        while !hash.is_empty() {
            stored.fields.insert(hash.text()?, hash.bytes()?);
        }
        for place in [&mut stored.lease_until, &mut stored.scheduled, &mut stored.retry] {
            *place = answer.optional_bytes()?.and_then(|text| score(&text));
        }
        let mut detail = stored.into_detail(queue, id, self.now_seconds());
        if let Some(Ok(detail)) = &mut detail {
            detail.lock = self.lock(&keys, detail).await?;
        }
        Ok(detail)
    }
}

impl RedisBroker {
    /// A queue as it stands, but for its memory usage; and of each part of its groups so many by name.
    async fn counts(
        &self,
        queue: &QueueName,
        named: usize,
    ) -> Result<(QueueInfo, Vec<GroupInfo>), BrokerError> {
        const DOING: &str = "read a queue's state";
        let keys = self.keyspace.queue(queue);
        let now = self.clock.now();
        let grouped = self.grouped(queue, named).await?;
        let mut call = Call::new(
            Name::queue_info,
            [
                keys.pending(),
                keys.active(),
                keys.scheduled(),
                keys.retry(),
                keys.archived(),
                keys.completed(),
                keys.lease(),
                keys.aggregation_sets(),
                keys.paused(),
                keys.processed(now),
                keys.failed(now),
                keys.processed_total(),
                keys.failed_total(),
                keys.trimmed(),
            ],
        );
        call.arg(keys.task_prefix()).arg(self.now_seconds());
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        let info = QueueInfo {
            pending: answer.count()?,
            active: answer.count()?,
            scheduled: answer.count()?,
            retry: answer.count()?,
            archived: answer.count()?,
            completed: answer.count()?,
            staged: answer.count()?,
            orphaned: answer.count()?,
            aggregating: grouped.tasks,
            groups: grouped.groups,
            latency: latency(answer.number()?, self.clock.unix_nanos()),
            paused_since: answer.text()?.parse().ok().map(from_unix_seconds),
            processed: counter(answer.number()?),
            failed: counter(answer.number()?),
            processed_total: counter(answer.number()?),
            failed_total: counter(answer.number()?),
            trimmed_total: counter(answer.number()?),
            ..QueueInfo::empty(queue.clone(), now)
        };
        Ok((info, grouped.named))
    }

    /// The groups of a queue, a part at a time, and of each part so many by name. A part may be larger than was asked
    /// for.
    async fn grouped(&self, queue: &QueueName, named: usize) -> Result<Grouped, BrokerError> {
        const DOING: &str = "list groups";
        let keys = self.keyspace.queue(queue);
        let mut grouped = Grouped::default();
        let mut cursor = "0".to_owned();
        loop {
            let mut call = Call::new(Name::count_groups, [keys.groups()]);
            call.arg(keys.group("")).arg(cursor.as_str()).arg(GROUPS_AT_ONCE).arg(named);
            let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
            cursor = answer.text()?;
            grouped.groups += answer.count()?;
            grouped.tasks += answer.count()?;
            while !answer.is_empty() {
                grouped.named.push(GroupInfo { group: answer.text()?, size: answer.count()? });
            }
            if cursor == "0" {
                return Ok(grouped);
            }
        }
    }

    /// All members of a set, a part at a time.
    async fn members(&self, key: String) -> Result<Vec<String>, BrokerError> {
        let mut members = Vec::new();
        let mut cursor = 0_u64;
        loop {
            let (next, some): (u64, Vec<Vec<u8>>) = self
                .shared
                .query("list members", redis::cmd("SSCAN").arg(&key).arg(cursor).arg("COUNT").arg(CHUNK))
                .await?;
            members.extend(some.iter().map(|member| lossy(member)));
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        // A member may come twice while the set grows or shrinks.
        members.sort_unstable();
        members.dedup();
        Ok(members)
    }

    async fn lock(&self, keys: &QueueKeys, task: &TaskDetail) -> Result<Option<LockInfo>, BrokerError> {
        let key = &task.message.unique_key;
        // What a message names may be anything; only a key of this queue can be a lock of its own.
        if !key.starts_with(keys.prefix()) {
            return Ok(None);
        }
        let mut pipe = redis::pipe();
        pipe.cmd("GET").arg(key).cmd("PTTL").arg(key);
        let (value, millis): (Option<Vec<u8>>, i64) = self.shared.query_each("read a lock", &pipe).await?;
        let left = u64::try_from(millis).ok().map(|millis| Duration::from_secs(millis.div_ceil(1_000)));
        let until = task.own_fields.get("x_until").map(AsRef::as_ref);
        Ok(Some(LockInfo::read(key.clone(), value.map(|value| lossy(&value)).as_deref(), left, until)))
    }
}

fn read_copy(mut copy: Reader) -> Result<Option<TaskCopy>, BrokerError> {
    if copy.is_empty() {
        return Ok(None);
    }
    let (mut hash, mut fields) = (copy.list()?, BTreeMap::new());
    while !hash.is_empty() {
        fields.insert(hash.text()?, hash.bytes()?);
    }
    let score = score(&copy.bytes()?);
    let mut lock = None;
    if !copy.is_empty() {
        let text = |name: &str| fields.get(name).map(|bytes| lossy(bytes));
        let (key, state) = (text("unique_key").unwrap_or_default(), text("state"));
        lock = Some(LockStanding::read(key, copy.text()?, copy.integer()?, state));
    }
    Ok(Some(TaskCopy { fields, score, lock }))
}

/// Sorted groups, each once: while the set of them grows or shrinks, one may come twice.
fn each_once(mut groups: Vec<GroupInfo>) -> Vec<GroupInfo> {
    groups.sort();
    groups.dedup_by(|one, other| one.group == other.group);
    groups
}

/// The key of a collection.
pub(super) fn collection_key(keys: &QueueKeys, collection: &Collection) -> String {
    match collection {
        Collection::Pending => keys.pending(),
        Collection::Active => keys.active(),
        Collection::Scheduled => keys.scheduled(),
        Collection::Retry => keys.retry(),
        Collection::Archived => keys.archived(),
        Collection::Completed => keys.completed(),
        Collection::Group(name) => keys.group(name),
    }
}

/// Today and the days before it, each by some moment of it.
fn last_days(now: Timestamp, days: usize) -> Vec<Timestamp> {
    let day = Duration::from_secs(24 * 3600);
    std::iter::successors(Some(now), |at| at.checked_sub(day).ok()).take(days).collect()
}

fn counter(value: Option<i64>) -> u64 {
    value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
