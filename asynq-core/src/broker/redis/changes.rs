//! What an operator does to tasks in Redis.

use async_trait::async_trait;
use redis::Value;

use super::RedisBroker;
use super::enqueue::lock;
use super::inspection::collection_key;
use super::reply::Reader;
use super::script::{Call, Name};
use crate::broker::{
    Adoption, BrokerError, BrokerErrorKind, Change, Changed, ChangedMany, Changes, Collection, Edit, Edited,
    EnqueueError, QueueDeletion,
};
use crate::task::{QueueName, TaskId, TaskState};
use crate::wire::TaskMessage;
use crate::wire::keys::QueueKeys;

#[async_trait]
impl Changes for RedisBroker {
    async fn change(&self, queue: &QueueName, id: &TaskId, change: Change) -> Result<Changed, BrokerError> {
        const DOING: &str = "change a task";
        let keys = self.keyspace.queue(queue);
        let mut call = self.change_call(&keys, change, None);
        call.arg(id.as_str());
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        match answer.integer()? {
            1 => {
                self.release_locks(&keys, &mut answer).await?;
                Ok(Changed::Applied)
            }
            0 => Ok(Changed::NotFound),
            -1 => Ok(Changed::Refused(state(&answer.text()?, DOING)?)),
            -2 => Ok(Changed::Staged),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    async fn change_first(
        &self,
        queue: &QueueName,
        collection: &Collection,
        change: Change,
        limit: usize,
    ) -> Result<ChangedMany, BrokerError> {
        const DOING: &str = "change tasks";
        if limit == 0 {
            return Ok(ChangedMany::default());
        }
        let keys = self.keyspace.queue(queue);
        let mut call = self.change_call(&keys, change, Some(collection_key(&keys, collection)));
        call.arg(collection.state().as_str()).arg(collection.group().unwrap_or_default()).arg(limit);
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        let changed =
            ChangedMany { changed: answer.count()?, dropped: answer.count()?, left: answer.count()? };
        self.release_locks(&keys, &mut answer).await?;
        Ok(changed)
    }

    async fn edit(&self, queue: &QueueName, id: &TaskId, edit: &Edit) -> Result<Edited, BrokerError> {
        const DOING: &str = "edit a task";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(
            Name::edit,
            [keys.task(id.as_str()), keys.pending(), keys.scheduled(), keys.retry(), keys.archived()],
        );
        call.arg(id.as_str()).arg(edit.expected.as_ref());
        call.arg(edit.message.as_ref().map(TaskMessage::encode).unwrap_or_default());
        call.arg(edit.due.map(|due| due.to_string()).unwrap_or_default());
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        match answer.integer()? {
            1 => Ok(Edited::Applied),
            0 => Ok(Edited::NotFound),
            2 => Ok(Edited::Changed),
            -1 => Ok(Edited::Refused(state(&answer.text()?, DOING)?)),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    async fn adopt(&self, task: &Adoption) -> Result<(), EnqueueError> {
        const DOING: &str = "adopt a task";
        let Adoption { message, state, score, fields, unique_ttl, unique_until, replace } = task;
        let queue = QueueName::stored(&message.queue);
        let keys = self.keyspace.queue(&queue);
        let collection = match state {
            TaskState::Pending => keys.pending(),
            TaskState::Scheduled => keys.scheduled(),
            TaskState::Retry => keys.retry(),
            TaskState::Archived => keys.archived(),
            TaskState::Completed => keys.completed(),
            TaskState::Aggregating => keys.group(task.group()),
            _ => return Err(BrokerError::protocol(DOING).into()),
        };
        let names = [keys.task(&message.id), collection, keys.groups()];
        let names = names.into_iter().chain(self.known_queues_key());
        let mut call = Call::new(Name::adopt, names.collect::<Vec<_>>());
        call.arg(self.name_to_make_known(&queue)).arg(&message.id).arg(message.encode());
        call.arg(state.as_str()).arg(*score).arg(self.clock.unix_nanos());
        call.arg(task.group()).arg(u8::from(*replace));
        let (key, time) = lock(message, *unique_ttl, *unique_until).unwrap_or_default();
        call.arg(key).arg(time);
        for (name, value) in fields {
            call.arg(name).arg(value.as_ref());
        }
        match self.run_storing(&queue, call, DOING).await? {
            Value::Int(1) => Ok(()),
            Value::Int(0) => Err(EnqueueError::IdConflict),
            Value::BulkString(holder) => {
                Err(EnqueueError::Duplicate { holder: String::from_utf8_lossy(&holder).into_owned() })
            }
            _ => Err(BrokerError::protocol(DOING).into()),
        }
    }

    async fn delete_queue(&self, queue: &QueueName, force: bool) -> Result<QueueDeletion, BrokerError> {
        self.delete_whole_queue(queue, force).await
    }
}

impl RedisBroker {
    fn change_call(&self, keys: &QueueKeys, change: Change, collection: Option<String>) -> Call {
        let fixed = [keys.pending(), keys.archived(), keys.groups(), keys.lease(), keys.aggregation_sets()];
        let all: Vec<String> = fixed.into_iter().chain(collection).collect();
        let mut call = Call::new(Name::change, all);
        let now = self.now_seconds();
        call.arg(match change {
            Change::Run => "run",
            Change::Archive => "archive",
            Change::Delete => "delete",
        });
        call.arg(keys.prefix()).arg(now).arg(self.clock.unix_nanos());
        call.arg(self.archive_limits.cutoff(now)).arg(self.archive_limits.tasks);
        call.arg(self.keyspace.run_ends_channel());
        call
    }

    /// Releases the locks of deleted tasks, whose messages the rest of an answer gives.
    async fn release_locks(&self, keys: &QueueKeys, messages: &mut Reader) -> Result<(), BrokerError> {
        const DOING: &str = "release locks";
        let mut held = Vec::new();
        while !messages.is_empty() {
            if let Ok(message) = TaskMessage::decode(messages.bytes()?)
                && message.unique_key.starts_with(keys.prefix())
            {
                held.push(message);
            }
        }
        if held.is_empty() {
            return Ok(());
        }
        let locks: Vec<String> = held.iter().map(|message| message.unique_key.clone()).collect();
        let mut call = Call::new(Name::release, locks);
        for message in held {
            call.arg(message.id);
        }
        call.run(&self.shared, DOING).await.map(drop)
    }
}

fn state(text: &str, doing: &'static str) -> Result<TaskState, BrokerError> {
    text.parse().map_err(|unknown: crate::task::UnknownState| {
        BrokerError::new(BrokerErrorKind::Protocol, doing, unknown)
    })
}
