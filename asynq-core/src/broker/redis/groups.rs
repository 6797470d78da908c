//! Groups on Redis: the scripts' calls and their answers.

use async_trait::async_trait;
use redis::Value;

use super::RedisBroker;
use super::enqueue::{EncodedTask, ROOM_FOR_ID};
use super::reply::{Reader, message, score};
use super::script::{Call, Name};
use crate::broker::{
    AGGREGATION_TIMEOUT, BrokerError, BrokerErrorKind, FinishedMember, FinishedSet, GroupPage, GroupRule,
    GroupState, Groups, Member, NewTask, Reclaimed, RejectedMember, SetName,
};
use crate::task::{QueueName, TaskId};
use crate::wire::TaskMessage;
use crate::wire::keys::QueueKeys;

/// How much of a message is looked at for its type, in bytes.
const MESSAGE_HEAD: usize = 256;

/// How many stale sets one call puts back: each may hold many tasks.
const RECLAIM_LIMIT: usize = 10;

/// How many members of a set are read together: nothing waits longer for the connection, or behind a script.
const READ_AT_ONCE: usize = 500;

const READ_SET: &str = "read an aggregation set";

impl RedisBroker {
    /// Members of a set, if each has a task that can be read, which nearly always is so: then plain commands cost Redis
    /// two thirds of what the script does. Nothing where that decides what becomes of one, for a task may have left the
    /// set before its command.
    async fn read_whole_tasks(
        &self,
        keys: &QueueKeys,
        ids: &[Vec<u8>],
    ) -> Result<Option<Vec<Member>>, BrokerError> {
        let Ok(ids) = ids.iter().map(|id| str::from_utf8(id)).collect::<Result<Vec<_>, _>>() else {
            return Ok(None);
        };
        let mut pipe = redis::Pipeline::with_capacity(ids.len());
        for id in &ids {
            pipe.cmd("HGET").arg(keys.task(id)).arg("msg");
        }
        let messages: Vec<Option<Vec<u8>>> = match self.shared.query_each(READ_SET, &pipe).await {
            Err(error) if error.kind() == BrokerErrorKind::Refused => return Ok(None),
            answer => answer?,
        };
        let members = ids.iter().zip(messages).map(|(id, found)| {
            Some(Member { id: TaskId::stored(id), message: Some(message(found?.into())) })
        });
        Ok(members.collect())
    }

    /// Members of a set, whatever their tasks are like; but not those that are no more in it.
    async fn read_members(
        &self,
        keys: &QueueKeys,
        set_key: String,
        ids: &[Vec<u8>],
    ) -> Result<Vec<Member>, BrokerError> {
        let mut call = Call::new(Name::read_members, [set_key]);
        call.arg(keys.task_prefix());
        for id in ids {
            call.arg(id);
        }
        let mut answer = Reader::new(call.run(&self.shared, READ_SET).await?, READ_SET)?;
        let mut members = Vec::with_capacity(answer.len() / 2);
        while !answer.is_empty() {
            let id = TaskId::stored(&answer.text()?);
            members.push(Member { id, message: answer.optional_bytes()?.map(message) });
        }
        Ok(members)
    }
}

#[async_trait]
impl Groups for RedisBroker {
    async fn groups(&self, queue: &QueueName, cursor: u64) -> Result<GroupPage, BrokerError> {
        const DOING: &str = "look at groups";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::peek_groups, [keys.groups()]);
        call.arg(keys.task_prefix()).arg(keys.group_prefix()).arg(MESSAGE_HEAD).arg(cursor);
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        let next = answer.text()?.parse().or(Err(BrokerError::protocol(DOING)))?;
        let mut groups = Vec::with_capacity(answer.len() / 6);
        while !answer.is_empty() {
            let (name, size) = (answer.text()?, answer.count()?);
            let mut instant = || score(&answer.bytes()?).ok_or(BrokerError::protocol(DOING));
            let (oldest, newest) = (instant()?, instant()?);
            let mut task_type = || Ok(TaskMessage::type_in(&answer.bytes()?));
            let types = [task_type()?, task_type()?];
            groups.push(GroupState { name, size, oldest, newest, types });
        }
        Ok(GroupPage { groups, next })
    }

    async fn stage_group(
        &self,
        queue: &QueueName,
        set: &SetName,
        rule: &GroupRule,
    ) -> Result<bool, BrokerError> {
        const DOING: &str = "stage a group";
        let keys = self.keyspace.queue(queue);
        let now = self.now_seconds();
        let set_key = keys.aggregation_set(&set.group, &set.id);
        let mut call = Call::new(
            Name::stage_group,
            [keys.group(&set.group), set_key, keys.aggregation_sets(), keys.groups()],
        );
        call.arg(now)
            .arg(rule.max_size.unwrap_or(0))
            .arg(rule.max_delay.map(|delay| delay.to_string()).unwrap_or_default())
            .arg(rule.grace)
            .arg(rule.set_size())
            .arg(now.saturating_add(AGGREGATION_TIMEOUT.as_secs().cast_signed()))
            .arg(&set.group);
        match call.run(&self.shared, DOING).await? {
            Value::Int(staged @ 0..=1) => Ok(staged == 1),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    async fn read_set(&self, queue: &QueueName, set: &SetName) -> Result<Vec<Member>, BrokerError> {
        let keys = self.keyspace.queue(queue);
        let set_key = keys.aggregation_set(&set.group, &set.id);
        let mut all = redis::cmd("ZRANGE");
        all.arg(&set_key).arg(0).arg(-1);
        let ids: Vec<Vec<u8>> = self.shared.query(READ_SET, &all).await?;
        let mut members = Vec::with_capacity(ids.len());
        for ids in ids.chunks(READ_AT_ONCE) {
            members.extend(match self.read_whole_tasks(&keys, ids).await? {
                Some(members) => members,
                None => self.read_members(&keys, set_key.clone(), ids).await?,
            });
        }
        Ok(members)
    }

    async fn extend_set(&self, queue: &QueueName, set: &SetName, until: i64) -> Result<bool, BrokerError> {
        let keys = self.keyspace.queue(queue);
        let set_key = keys.aggregation_set(&set.group, &set.id);
        let mut pipe = redis::pipe();
        pipe.cmd("ZADD").arg(keys.aggregation_sets()).arg("XX").arg(until).arg(&set_key);
        pipe.cmd("ZSCORE").arg(keys.aggregation_sets()).arg(&set_key);
        let answer: (i64, Option<Vec<u8>>) =
            self.shared.query_each("extend an aggregation set", &pipe).await?;
        Ok(answer.1.is_some())
    }

    async fn finish_members(
        &self,
        queue: &QueueName,
        set: &SetName,
        members: &[FinishedMember],
        are_all: bool,
        task: Option<&NewTask>,
    ) -> Result<FinishedSet, BrokerError> {
        const DOING: &str = "finish an aggregation set";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(
            Name::finish_members,
            [keys.aggregation_set(&set.group, &set.id), keys.aggregation_sets(), keys.pending()],
        );
        let locks: Vec<_> = members.iter().filter(|member| !member.unique_key.is_empty()).collect();
        call.arg(keys.prefix()).arg(self.now_seconds()).arg(self.clock.unix_nanos());
        call.arg(members.len()).arg(u8::from(are_all)).arg(locks.len());
        let mut key = String::with_capacity(keys.prefix().len() + ROOM_FOR_ID);
        for member in members {
            keys.write_task(&mut key, member.id.as_str());
            call.arg(&key);
        }
        for FinishedMember { id, unique_key } in locks {
            call.arg(unique_key).arg(id.as_str());
        }
        if let Some(task) = task {
            EncodedTask::new(task).add_to(&mut call);
        }
        match call.run(&self.shared, DOING).await? {
            Value::Int(1) => Ok(FinishedSet::Done),
            Value::Int(0) => Ok(FinishedSet::IdConflict),
            Value::Int(-1) => Ok(FinishedSet::Lost),
            Value::BulkString(holder) => {
                Ok(FinishedSet::Duplicate { holder: String::from_utf8_lossy(&holder).into_owned() })
            }
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    async fn archive_members(
        &self,
        queue: &QueueName,
        set: &SetName,
        members: &[RejectedMember],
    ) -> Result<bool, BrokerError> {
        const DOING: &str = "archive members of a group";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(
            Name::archive_members,
            [keys.aggregation_set(&set.group, &set.id), keys.aggregation_sets(), keys.archived()],
        );
        call.arg(keys.task_prefix()).arg(self.now_seconds());
        for RejectedMember { id, message } in members {
            call.arg(id.as_str())
                .arg(u8::from(message.is_some()))
                .arg(message.as_ref().map(TaskMessage::encode).unwrap_or_default());
        }
        match call.run(&self.shared, DOING).await? {
            Value::Int(done @ 0..=1) => Ok(done == 1),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    async fn reclaim_sets(&self, queue: &QueueName) -> Result<Reclaimed, BrokerError> {
        const DOING: &str = "reclaim aggregation sets";
        let keys = self.keyspace.queue(queue);
        let now = self.now_seconds();
        // Nearly always there is nothing to do, which one plain read tells.
        let earliest: Vec<Vec<u8>> = self
            .shared
            .query(DOING, redis::cmd("ZRANGE").arg(keys.aggregation_sets()).arg(0).arg(0).arg("WITHSCORES"))
            .await?;
        let next_due = earliest.get(1).and_then(|text| score(text));
        if next_due.is_none_or(|due| due > now) {
            return Ok(Reclaimed { sets: 0, next_due });
        }
        let mut call = Call::new(Name::reclaim_sets, [keys.aggregation_sets(), keys.groups()]);
        call.arg(now).arg(keys.group_prefix()).arg(RECLAIM_LIMIT);
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        Ok(Reclaimed { sets: answer.count()?, next_due: score(&answer.bytes()?) })
    }

    async fn mend_groups(&self, queue: &QueueName, groups: &[String]) -> Result<usize, BrokerError> {
        const DOING: &str = "mend groups";
        if groups.is_empty() {
            return Ok(0);
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::mend_groups, [keys.groups()]);
        call.arg(keys.group_prefix());
        for group in groups {
            call.arg(group);
        }
        match call.run(&self.shared, DOING).await? {
            Value::Int(mended) => usize::try_from(mended).or(Err(BrokerError::protocol(DOING))),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }
}
