//! `rdb.*`: Go's broker operations, by our broker's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use asynq_core::broker::{
    Broker, BrokerError, Demand, EnqueueError, LEASE, LeaseRef, NewTask, Placement, QueueShare, RunToken,
    Settled, Settlement, Transition,
};
use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::task::{QueueName, TaskId, UniqueUntil};
use asynq_core::wire::TaskMessage;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::groups::Sets;
use super::inspector;
use crate::decoded;
use crate::vectors::file::parse;
use crate::vectors::inputs::{self, NotUtf8, error};

/// What we have of Go's operations.
pub(super) const OPERATIONS: &[&str] = &[
    "enqueue",
    "enqueue_unique",
    "schedule",
    "schedule_unique",
    "add_to_group",
    "add_to_group_unique",
    "dequeue",
    "done",
    "mark_as_complete",
    "requeue",
    "retry",
    "archive",
    "forward",
    "extend_lease",
    "list_lease_expired",
    "write_result",
    "delete_expired_completed",
    "write_server_state",
    "clear_server_state",
    "write_scheduler_entries",
    "clear_scheduler_entries",
    "record_enqueue_event",
    "clear_scheduler_history",
    "pause",
    "unpause",
    "run_task",
    "archive_task",
    "delete_task",
    "current_stats",
    "history_stats",
    "list_servers",
];

/// Go's broker operations on our broker.
pub(super) struct Operations {
    broker: Arc<dyn Broker>,
    /// The latest message and run of each task that a step named.
    held: HashMap<String, Held>,
    sets: Sets,
}

struct Held {
    message: TaskMessage,
    run: Option<RunToken>,
    lease_until: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Arguments {
    msg: Option<Box<RawValue>>,
    id: String,
    ids: Vec<String>,
    queue: String,
    queues: Vec<String>,
    group: String,
    process_at_unix: i64,
    ttl_ms: u64,
    err: String,
    err_hex: Option<String>,
    is_failure: Option<bool>,
    batch: usize,
    cutoff_unix: i64,
    server: Option<Box<RawValue>>,
    workers: Vec<Box<RawValue>>,
    scheduler_id: String,
    entries: Vec<Box<RawValue>>,
    entry_id: String,
    event: Option<Box<RawValue>>,
}

type Answer = Result<Value, BrokerError>;

impl Operations {
    pub(super) fn new(broker: Arc<dyn Broker>) -> Self {
        Self { broker, held: HashMap::new(), sets: Sets::default() }
    }

    /// Runs an operation: its result.
    pub(super) async fn step(&mut self, op: &str, raw: &RawValue) -> Value {
        let given: Arguments = parse(raw);
        if let Some(message) = &given.msg {
            match inputs::message(message) {
                Ok(message) => return self.create(op, message, &given).await,
                Err(NotUtf8) => return NotUtf8::answer(),
            }
        }
        if super::groups::OPERATIONS.contains(&op) {
            let answer = self.sets.step(&*self.broker, op, raw).await;
            return answer.unwrap_or_else(|failed| error("redis", failed));
        }
        self.answer(op, &given, raw).await.unwrap_or_else(|failed| error("redis", failed))
    }

    async fn create(&mut self, op: &str, message: TaskMessage, given: &Arguments) -> Value {
        let placement = match op {
            "enqueue" | "enqueue_unique" => Placement::Pending,
            "schedule" | "schedule_unique" => Placement::Scheduled(given.process_at_unix),
            "add_to_group" | "add_to_group_unique" => {
                assert_eq!(message.group_key, given.group, "our group is that of the message");
                Placement::Group
            }
            _ => panic!("rdb.{op} takes no message"),
        };
        let unique_ttl =
            if op.ends_with("_unique") { Duration::from_millis(given.ttl_ms).as_secs() } else { 0 };
        let held = Held { message: message.clone(), run: None, lease_until: i64::MAX };
        self.held.insert(message.id.clone(), held);
        let new = NewTask {
            message,
            placement,
            unique_ttl: unique_ttl.cast_signed(),
            unique_until: UniqueUntil::Success,
        };
        match self.broker.enqueue(&[new]).await.remove(0) {
            Ok(()) => json!({"ok": true}),
            Err(refused @ EnqueueError::Duplicate { .. }) => error("duplicate", refused),
            Err(refused @ EnqueueError::IdConflict) => error("conflict", refused),
            Err(refused @ EnqueueError::Broker(_)) => error("redis", refused),
        }
    }

    async fn answer(&mut self, op: &str, given: &Arguments, raw: &RawValue) -> Answer {
        match op {
            "dequeue" => self.dequeue(&given.queues).await,
            "done" | "mark_as_complete" | "requeue" | "retry" | "archive" => self.settle(op, given).await,
            "forward" => self.forward(&given.queues).await,
            "extend_lease" => self.extend_leases(given).await,
            "list_lease_expired" => self.list_lease_expired(given).await,
            "write_result" => {
                let result = inputs::payload(raw).unwrap_or_default();
                let id = TaskId::new(&given.id).unwrap();
                let written = self.broker.write_result(&queue(&given.queue), &id, &result).await?;
                Ok(if written {
                    json!({"written": result.len()})
                } else {
                    error("task_not_found", "no such task")
                })
            }
            "delete_expired_completed" => {
                let queue = queue(&given.queue);
                while self.broker.delete_expired_completed(&queue, given.batch).await? > 0 {}
                Ok(json!({"ok": true}))
            }
            "write_server_state" => {
                let server = inputs::server(given.server.as_ref().unwrap());
                let workers: Vec<_> = given.workers.iter().map(|worker| inputs::worker(worker)).collect();
                let ttl = Duration::from_millis(given.ttl_ms);
                self.broker.write_server_state(&server, &workers, ttl).await?;
                Ok(json!({"ok": true}))
            }
            "clear_server_state" => {
                self.broker.clear_server_state(&inputs::server(given.server.as_ref().unwrap())).await?;
                Ok(json!({"ok": true}))
            }
            "write_scheduler_entries" => {
                let entries: Vec<_> = given.entries.iter().map(|entry| inputs::entry(entry)).collect();
                let ttl = Duration::from_millis(given.ttl_ms);
                self.broker.write_scheduler_entries(&given.scheduler_id, &entries, ttl).await?;
                Ok(json!({"ok": true}))
            }
            "clear_scheduler_entries" => {
                self.broker.clear_scheduler_entries(&given.scheduler_id).await?;
                Ok(json!({"ok": true}))
            }
            "record_enqueue_event" => {
                let event = inputs::event(given.event.as_ref().unwrap());
                self.broker.record_enqueue_event(&given.entry_id, &event, Duration::from_secs(3600)).await?;
                Ok(json!({"ok": true}))
            }
            "clear_scheduler_history" => {
                self.broker.clear_scheduler_history(&given.entry_id).await?;
                Ok(json!({"ok": true}))
            }
            "pause" => {
                self.broker.pause(&queue(&given.queue)).await.map(|changed| precondition(changed, "paused"))
            }
            "unpause" => self
                .broker
                .resume(&queue(&given.queue))
                .await
                .map(|changed| precondition(changed, "not paused")),
            _ => self.inspect(op, given).await,
        }
    }

    async fn inspect(&self, op: &str, given: &Arguments) -> Answer {
        let inspector = Inspector::new(&Client::new(Arc::clone(&self.broker)));
        let done = match op {
            "run_task" => inspector.run(&given.queue, &given.id).await,
            "archive_task" => inspector.archive(&given.queue, &given.id).await,
            "delete_task" => inspector.delete(&given.queue, &given.id).await,
            "current_stats" => {
                let info = inspector.queue_info(&given.queue).await;
                return Ok(info
                    .map_or_else(|failed| inspector::error(&failed), |info| inspector::queue_counts(&info)));
            }
            "history_stats" => {
                let history = inspector.history(&given.queue, given.batch).await;
                return Ok(history.map_or_else(
                    |failed| inspector::error(&failed),
                    |days| json!({"days": inspector::days(&days)}),
                ));
            }
            "list_servers" => {
                let servers = self.broker.servers().await?;
                return Ok(json!({
                    "servers": servers.iter().map(|(info, _)| decoded::server(info)).collect::<Vec<_>>(),
                }));
            }
            _ => panic!("unknown operation rdb.{op}"),
        };
        Ok(done.map_or_else(|failed| inspector::error(&failed), |()| json!({"ok": true})))
    }

    async fn dequeue(&mut self, queues: &[String]) -> Answer {
        let demand = Demand {
            server_id: "vectors".to_owned(),
            slots: 1,
            queues: queues.iter().map(|name| QueueShare::new(queue(name), 1)).collect(),
            strict: true,
            ..Demand::none()
        };
        let Some(leased) = self.broker.exchange(&[], &demand).await?.leased.pop() else {
            return Ok(error("no_processable_task", "no tasks are ready"));
        };
        let message = match leased.message {
            Ok(message) => message,
            Err(undecodable) => return Ok(error("decode", undecodable.error)),
        };
        let shown = decoded::task(&message);
        let held = Held { message, run: Some(leased.run), lease_until: leased.lease_until };
        self.held.insert(leased.id.as_str().to_owned(), held);
        Ok(json!({"task_message": shown, "lease_expires_unix": leased.lease_until}))
    }

    async fn settle(&mut self, op: &str, given: &Arguments) -> Answer {
        let now = self.broker.clock().unix_seconds();
        let held = self.held.get(&given.id).unwrap_or_else(|| panic!("no message with ID {} yet", given.id));
        let failed = || {
            // Text of errors is UTF-8 with us before it comes near a broker.
            let text = given.err_hex.as_ref().map(|hex| crate::encoding::unhex(hex));
            let error_msg =
                text.map_or_else(|| given.err.clone(), |text| String::from_utf8_lossy(&text).into_owned());
            TaskMessage { error_msg, last_failed_at: now, ..held.message.clone() }
        };
        let transition = match op {
            "done" => Transition::Done { unique_key: held.message.unique_key.clone() },
            "mark_as_complete" => Transition::Complete {
                message: TaskMessage { completed_at: now, ..held.message.clone() },
                until: now + held.message.retention,
                result: None,
            },
            "retry" => {
                let is_failure = given.is_failure.unwrap_or(true);
                let retried = held.message.retried + i32::from(is_failure);
                let message = TaskMessage { retried, ..failed() };
                Transition::Retry { message, at: given.process_at_unix, is_failure }
            }
            "archive" => Transition::Archive { message: Some(failed()), unique_key: String::new() },
            _ => Transition::Requeue { crashed: false },
        };
        let settlement = Settlement {
            queue: queue(&held.message.queue),
            id: TaskId::new(&given.id).unwrap(),
            run: held.run.clone(),
            lease_until: held.lease_until,
            transition,
        };
        let exchanged = self.broker.exchange(&[settlement], &Demand::none()).await?;
        Ok(match exchanged.settled[..] {
            [Settled::Applied] => json!({"ok": true}),
            // Go's script fails, which makes it an error of Redis.
            _ => error("redis", "the run does not hold the task"),
        })
    }

    async fn forward(&self, queues: &[String]) -> Answer {
        let now = self.broker.clock().unix_seconds();
        for name in queues {
            while self.broker.forward(&queue(name)).await?.next_due.is_some_and(|due| due <= now) {}
        }
        Ok(json!({"ok": true}))
    }

    async fn extend_leases(&mut self, given: &Arguments) -> Answer {
        let until = self.broker.clock().unix_seconds() + LEASE.as_secs().cast_signed();
        let runs: Vec<LeaseRef> = given
            .ids
            .iter()
            .map(|id| {
                let run = self.held.get(id).and_then(|held| held.run.clone());
                LeaseRef { id: TaskId::new(id).unwrap(), run: run.unwrap_or_else(RunToken::random) }
            })
            .collect();
        let extended = self.broker.extend_leases(&queue(&given.queue), &runs, until).await?;
        for (LeaseRef { id, .. }, _) in runs.iter().zip(extended).filter(|(_, extended)| *extended) {
            self.held.get_mut(id.as_str()).unwrap().lease_until = until;
        }
        Ok(json!({"lease_expires_unix": until}))
    }

    async fn list_lease_expired(&self, given: &Arguments) -> Answer {
        let mut ids = Vec::new();
        for name in &given.queues {
            let tasks = self.broker.expiring_leases(&queue(name), given.cutoff_unix, 10_000).await?;
            ids.extend(tasks.into_iter().map(|task| task.id.as_str().to_owned()));
        }
        Ok(json!({"ids": ids}))
    }
}

fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

fn precondition(changed: bool, state: &str) -> Value {
    if changed {
        json!({"ok": true})
    } else {
        error("failed_precondition", format!("queue is already {state}"))
    }
}
