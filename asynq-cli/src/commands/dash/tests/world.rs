//! A store with something of everything.

use std::sync::Arc;
use std::time::Duration;

use asynq_core::broker::{Demand, MemoryBroker, QueueShare, Settlement, Transition};
use asynq_core::client::Client;
use asynq_core::clock::Clock;
use asynq_core::inspector::Inspector;
use asynq_core::scheduler::{PeriodicTask, StoredSchedules};
use asynq_core::task::{QueueName, Task, TaskOptions};
use asynq_core::wire::{
    SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, TaskMessage, WireTimestamp, WorkerInfo,
};
use jiff::Timestamp;

/// The second at which everything happens.
pub(super) const NOW: i64 = 2_000_000_000;

const FOREVER: Duration = Duration::from_secs(1_000_000);

/// An empty store.
pub(super) fn empty() -> Client {
    Client::new(Arc::new(MemoryBroker::new(Clock::manual(Timestamp::from_second(NOW).unwrap()))))
}

pub(super) async fn enqueue(client: &Client, queue: &str, id: &str, payload: &[u8], options: TaskOptions) {
    let options = options.queue(queue).task_id(id);
    client.enqueue(Task::new("email:send", payload.to_vec()).unwrap().options(options)).await.unwrap();
}

/// Tasks in every state, servers, schedules.
pub(super) async fn full() -> Client {
    let client = empty();
    let plain = TaskOptions::new;
    for (id, payload) in
        [("done", "{\"to\":\"dan\"}"), ("failed", "{\"to\":\"flo\"}"), ("given-up", "{}"), ("running", "{}")]
    {
        enqueue(&client, "mail", id, payload.as_bytes(), plain().header("tenant", "acme")).await;
    }
    settle(&client).await;
    let json = "{\"to\":\"ann@example.com\",\"subject\":\"日本語のテキスト\",\"tags\":[\"a\",\"b\"],\"n\":12345678901234567890}";
    enqueue(&client, "mail", "0198a4b0-5f5c-7c31-b8cf-4dc1f8a8a4d1", json.as_bytes(), plain()).await;
    enqueue(&client, "mail", "binary", &[0xff, 0, 1, 2, 0x80].repeat(20), plain()).await;
    enqueue(&client, "mail", "two-lines", b"two\nlines \x1b[31m", plain()).await;
    enqueue(&client, "low", "later", b"{}", plain().process_in(Duration::from_secs(900))).await;
    for n in 0..3 {
        enqueue(
            &client,
            "low",
            &format!("g{n}"),
            b"{}",
            plain().group(if n < 2 { "users" } else { "orders" }),
        )
        .await;
    }
    enqueue(&client, "キュー", "wide", "{\"名前\":\"値\"}".as_bytes(), plain()).await;
    Inspector::new(&client).pause("キュー").await.unwrap();
    processes(&client).await;
    client.broker().clock().advance(Duration::from_secs(75));
    client
}

/// A while at a busy worker: tasks come and are done, more of both now and then, and some fail.
pub(super) async fn work(client: &Client, round: usize) {
    let wave = [3, 5, 8, 12, 15, 17, 16, 13, 9, 6, 4, 3];
    let count = wave[round % wave.len()] + round / 10;
    for n in 0..count {
        enqueue(
            client,
            ["mail", "images", "reports"][n % 3],
            &format!("{round}-{n}"),
            b"{}",
            TaskOptions::new(),
        )
        .await;
    }
    let queues: Vec<_> = ["mail", "images", "reports"]
        .iter()
        .map(|name| QueueShare::new(QueueName::new(name).unwrap(), 1))
        .collect();
    let slots = count.saturating_sub(usize::from(round.is_multiple_of(5)) * 2);
    let demand = Demand {
        server_id: "server-1".to_owned(),
        slots,
        queues,
        strict: true,
        types: Vec::new(),
        pending_since: false,
    };
    let leased = client.broker().exchange(&[], &demand).await.unwrap().leased;
    let mut settlements = Vec::new();
    for (place, run) in leased.into_iter().enumerate() {
        let message = run.message.unwrap();
        let transition = if place % 9 == 8 {
            let at = client.broker().clock().unix_seconds() + 3_600;
            Transition::Retry { message: TaskMessage { retried: 1, ..message }, at, is_failure: true }
        } else {
            Transition::Done { unique_key: String::new() }
        };
        let (queue, id, lease_until) = (run.queue, run.id, run.lease_until);
        settlements.push(Settlement { queue, id, run: Some(run.run), lease_until, transition });
    }
    client.broker().exchange(&settlements, &Demand::none()).await.unwrap();
}

/// The first tasks of the queue `mail`: done, to be retried, given up, being run.
async fn settle(client: &Client) {
    let queue = QueueName::new("mail").unwrap();
    let demand = Demand {
        server_id: "server-1".to_owned(),
        slots: 4,
        queues: vec![QueueShare::new(queue.clone(), 1)],
        strict: false,
        types: Vec::new(),
        pending_since: false,
    };
    let leased = client.broker().exchange(&[], &demand).await.unwrap().leased;
    let mut settlements = Vec::new();
    for run in leased {
        let message = run.message.unwrap();
        let failed = TaskMessage {
            error_msg: "550 no such user, timeout".to_owned(),
            last_failed_at: NOW,
            retried: 1,
            ..message.clone()
        };
        let transition = match run.id.as_str() {
            "done" => Transition::Complete {
                message: TaskMessage { completed_at: NOW, retention: 3_600, ..message },
                until: NOW + 3_600,
                result: Some("{\"sent\":true}".into()),
            },
            "failed" => Transition::Retry { message: failed, at: NOW + 60, is_failure: true },
            "given-up" => Transition::Archive { message: Some(failed), unique_key: String::new() },
            _ => continue,
        };
        let (id, lease_until) = (run.id, run.lease_until);
        settlements.push(Settlement {
            queue: queue.clone(),
            id,
            run: Some(run.run),
            lease_until,
            transition,
        });
    }
    client.broker().exchange(&settlements, &Demand::none()).await.unwrap();
}

async fn processes(client: &Client) {
    let at = |seconds: i64| Some(WireTimestamp::from(Timestamp::from_second(NOW + seconds).unwrap()));
    let server = ServerInfo {
        host: "worker-1.example".to_owned(),
        pid: 4_711,
        server_id: "server-1".to_owned(),
        concurrency: 10,
        queues: [("mail".to_owned(), 6), ("low".to_owned(), 1)].into(),
        status: "active".to_owned(),
        start_time: at(-7_200),
        active_worker_count: 1,
        ..ServerInfo::default()
    };
    let worker = WorkerInfo {
        host: server.host.clone(),
        pid: server.pid,
        server_id: server.server_id.clone(),
        task_id: "running".to_owned(),
        task_type: "email:send".to_owned(),
        task_payload: "{}".into(),
        queue: "mail".to_owned(),
        start_time: at(0),
        deadline: at(1_800),
        ..WorkerInfo::default()
    };
    let broker = client.broker();
    broker.write_server_state(&server, &[worker], FOREVER).await.unwrap();
    let entry = |id: &str, spec: &str| SchedulerEntry {
        id: id.to_owned(),
        spec: spec.to_owned(),
        task_type: "report:daily".to_owned(),
        task_payload: "{\"kind\":\"all\"}".into(),
        enqueue_options: vec!["Queue(\"low\")".to_owned(), "MaxRetry(3)".to_owned()],
        next_enqueue_time: at(600),
        prev_enqueue_time: at(-60),
        ..SchedulerEntry::default()
    };
    let entries = [entry("entry-1", "0 9 * * mon-fri"), entry("entry-2", "@every 10m")];
    broker.write_scheduler_entries("scheduler-1", &entries, FOREVER).await.unwrap();
    store_a_schedule(client).await;
    let event = SchedulerEnqueueEvent {
        task_id: "later".to_owned(),
        enqueue_time: at(-60),
        ..SchedulerEnqueueEvent::default()
    };
    broker.record_enqueue_event("entry-1", &event, FOREVER).await.unwrap();
}

/// One is stored, and paused.
async fn store_a_schedule(client: &Client) {
    let schedules = StoredSchedules::new(client);
    let task = PeriodicTask::new("0 6 1 * *", Task::new("bill", "{}").unwrap()).name("bill 7");
    schedules.create(task).await.unwrap();
    schedules.pause("bill 7").await.unwrap();
}
