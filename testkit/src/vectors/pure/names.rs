//! `unique_keys`, `keys`, `queue_names`: names, and the keys made of them.

use std::sync::Arc;

use asynq_core::Error;
use asynq_core::broker::redis::RedisBroker;
use asynq_core::client::Client;
use asynq_core::clock::Clock;
use asynq_core::inspector::{Collection, Inspector, Page};
use asynq_core::task::{BlankName, QueueName, Task, TaskOptions, TaskType};
use asynq_core::wire::keys::Keyspace;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::RedisServer;
use crate::decoded::bin;
use crate::encoding::hex;
use crate::vectors::compare::compare;
use crate::vectors::file::parse;
use crate::vectors::inputs::{self, NotUtf8, error};
use crate::vectors::runner::Outcome;

pub(super) fn unique_key(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Names {
        queue: String,
        r#type: String,
    }
    let names: Names = parse(inputs);
    let key = || -> Result<String, BlankName> {
        let (queue, task_type) = (QueueName::new(&names.queue)?, TaskType::new(&names.r#type)?);
        let payload = inputs::payload(inputs);
        Ok(asynq_core::task::unique_key(&Keyspace::default(), &queue, &task_type, payload.as_deref()))
    };
    match key() {
        Ok(key) => json!({"key": key, "key_hex": hex(key.as_bytes())}),
        Err(blank) => error("invalid", blank),
    }
}

pub(super) fn keys(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Names {
        queue: String,
        task_id: String,
        group: String,
        set_id: String,
        date_unix: i64,
        host: String,
        pid: i32,
        server_id: String,
        scheduler_id: String,
        entry_id: String,
    }
    let names: Names = parse(inputs);
    let all = Keyspace::default();
    let queue = match QueueName::new(&names.queue) {
        Ok(queue) => all.queue(&queue),
        Err(blank) => return error("invalid", blank),
    };
    // The date of the key is that of UTC, in whatever zone the time was given.
    let date = jiff::Timestamp::from_second(names.date_unix).unwrap();
    json!({
        "queue_key_prefix": queue.prefix(), "task_key_prefix": queue.task_prefix(),
        "task": queue.task(&names.task_id), "pending": queue.pending(), "active": queue.active(),
        "scheduled": queue.scheduled(), "retry": queue.retry(), "archived": queue.archived(),
        "lease": queue.lease(), "completed": queue.completed(), "paused": queue.paused(),
        "processed_total": queue.processed_total(), "failed_total": queue.failed_total(),
        "processed": queue.processed(date), "failed": queue.failed(date),
        "group_key_prefix": queue.group_prefix(), "group": queue.group(&names.group),
        "aggregation_set": queue.aggregation_set(&names.group, &names.set_id),
        "all_groups": queue.groups(), "all_aggregation_sets": queue.aggregation_sets(),
        "server_info": all.server_info(&names.host, names.pid, &names.server_id),
        "workers": all.server_workers(&names.host, names.pid, &names.server_id),
        "scheduler_entries": all.scheduler_entries(&names.scheduler_id),
        "scheduler_history": all.scheduler_history(&names.entry_id),
        "all_servers": all.servers(), "all_workers": all.workers(), "all_schedulers": all.schedulers(),
        "all_queues": all.queues(), "cancel_channel": all.cancel_channel(),
    })
}

#[derive(Deserialize)]
struct Named {
    name: String,
    name_hex: Option<String>,
}

/// Whether a name is valid, and which keys a task enqueued there makes.
pub(super) async fn queue_name(inputs: &RawValue, go: &Value, redis: &RedisServer) -> Outcome {
    let named: Named = parse(inputs);
    redis.command::<()>(&["FLUSHALL"]).await;
    let (validate, enqueue) = match inputs::text(&named.name, named.name_hex.as_deref()) {
        Ok(name) => {
            let validate =
                QueueName::new(&name).map_or_else(|blank| error("invalid", blank), |_| Value::Null);
            (validate, enqueue(&name, redis).await)
        }
        // Go takes the name as such, and fails when it encodes a task with it.
        Err(NotUtf8) => (Value::Null, NotUtf8::answer()),
    };
    let mut keys: Vec<Vec<u8>> = redis.command(&["KEYS", "*"]).await;
    keys.sort();
    let keys: Vec<Value> = keys.iter().map(|key| bin(key)).collect();

    let (info, list) = inspect(&named, redis).await;
    let mut ours = json!({"keys_after_enqueue": keys});
    // Null or an error, not wrapped in a member as elsewhere.
    let answers = [
        ("validate", validate),
        ("enqueue", enqueue),
        ("inspector_get_queue_info", info),
        ("inspector_list_pending", list),
    ];
    for (member, mut answer) in answers {
        ours[member] = answer.as_object_mut().and_then(|answer| answer.remove("error")).unwrap_or(answer);
    }
    let mut comparable = go.clone();
    for member in ["validate", "enqueue", "inspector_get_queue_info", "inspector_list_pending"] {
        for side in [&mut comparable[member], &mut ours[member]] {
            // Only the class can be compared.
            *side = side["class"].clone();
        }
    }
    let mut outcome = Outcome::default();
    compare("", &comparable, &ours, &mut outcome.differences);
    outcome
}

/// What the inspector says of a queue of this name: null or an error.
async fn inspect(named: &Named, redis: &RedisServer) -> (Value, Value) {
    let Ok(name) = inputs::text(&named.name, named.name_hex.as_deref()) else {
        return (
            error("queue_not_found", "text is not UTF-8"),
            error("queue_not_found", "text is not UTF-8"),
        );
    };
    let broker = RedisBroker::connect(&redis.url(), Clock::system()).await.unwrap();
    let inspector = Inspector::new(&Client::new(Arc::new(broker)));
    let shown = |answer: Result<(), Error>| match answer {
        Ok(()) => Value::Null,
        Err(refused @ Error::QueueNotFound { .. }) => error("queue_not_found", refused),
        Err(refused) => error("invalid", refused),
    };
    let list = inspector.list(&name, Collection::Pending, Page::first()).await;
    (shown(inspector.queue_info(&name).await.map(drop)), shown(list.map(drop)))
}

async fn enqueue(queue: &str, redis: &RedisServer) -> Value {
    let broker = RedisBroker::connect(&redis.url(), Clock::system()).await.unwrap();
    let options = TaskOptions::new().queue(queue).task_id("x");
    let task = Task::without_payload("t").unwrap().options(options);
    match Client::new(Arc::new(broker)).enqueue(task).await {
        Ok(_) => Value::Null,
        Err(refused) => error("invalid", refused),
    }
}
