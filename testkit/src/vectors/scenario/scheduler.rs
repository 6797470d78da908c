//! `scheduler.*`: our scheduler, whose hooks tell what it enqueues.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq_core::Error;
use asynq_core::client::Client;
use asynq_core::scheduler::{Firing, PeriodicTask, Scheduler, option_strings};
use asynq_core::task::{Task, TaskInfo};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client;
use crate::encoding::base64;
use crate::vectors::compare::{Difference, compare};
use crate::vectors::file::{Scenario, Step, parse};
use crate::vectors::inputs::error;

/// The scheduler of a case, and what its hooks told.
#[derive(Default)]
pub(super) struct Periodic {
    scheduler: Option<Scheduler>,
    events: Events,
}

type Events = Arc<Mutex<Vec<Value>>>;

impl Periodic {
    /// `scheduler.start`
    pub(super) fn start(&mut self, client: &Client, arguments: &RawValue) -> Value {
        #[derive(Deserialize)]
        struct Arguments {
            #[serde(default)]
            entries: Vec<Box<RawValue>>,
            #[serde(default)]
            location: String,
            #[serde(default)]
            heartbeat_ms: u64,
        }
        let Arguments { entries, location, heartbeat_ms } = parse(arguments);
        let (before, after) = (Arc::clone(&self.events), Arc::clone(&self.events));
        let mut builder = Scheduler::builder(client)
            .time_zone(location)
            .before_enqueue(move |firing| before.lock().unwrap().push(pre_enqueue(firing)))
            .after_enqueue(move |_, result| after.lock().unwrap().push(post_enqueue(result)));
        if heartbeat_ms > 0 {
            builder = builder.heartbeat(Duration::from_millis(heartbeat_ms));
        }
        let scheduler = builder.build().unwrap();
        let registered: Vec<Value> = entries.iter().map(|entry| register(&scheduler, entry)).collect();
        scheduler.start().unwrap();
        self.scheduler = Some(scheduler);
        json!({"registered": registered})
    }

    /// `scheduler.wait`
    pub(super) async fn wait(&self, arguments: &RawValue) -> Value {
        #[derive(Deserialize)]
        struct Arguments {
            event: String,
            count: Option<usize>,
            timeout_ms: Option<u64>,
            settle_ms: Option<u64>,
        }
        let wanted: Arguments = parse(arguments);
        let limit = Duration::from_millis(wanted.timeout_ms.unwrap_or(15_000));
        let seen = || {
            let events = self.events.lock().unwrap();
            events.iter().filter(|told| told["event"] == *wanted.event).count()
        };
        let arrived = tokio::time::timeout(limit, async {
            while seen() < wanted.count.unwrap_or(1) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        if arrived.await.is_err() {
            return error("timeout", format!("{} only {} times", wanted.event, seen()));
        }
        tokio::time::sleep(Duration::from_millis(wanted.settle_ms.unwrap_or(150))).await;
        json!({})
    }

    /// `scheduler.stop`
    pub(super) async fn stop(&mut self) -> Value {
        if let Some(scheduler) = self.scheduler.take() {
            scheduler.shutdown().await;
        }
        json!({})
    }

    /// Compares what Go's hooks told in the whole case with what ours did.
    pub(super) fn compare_events(&self, case: &Scenario, into: &mut Vec<Difference>) {
        if !case.steps.iter().any(|step| step.op == "scheduler.start") {
            return;
        }
        let of_step = |step: &Step| step.result["events"].as_array().cloned().unwrap_or_default();
        let of_hooks = |event: &&Value| {
            ["pre_enqueue", "enqueued", "enqueue_error"].iter().any(|kind| event["event"] == **kind)
        };
        let go: Vec<Value> = case.steps.iter().flat_map(of_step).collect();
        let go: Vec<Value> = go.iter().filter(of_hooks).map(comparable).collect();
        let ours: Vec<Value> = self.events.lock().unwrap().iter().map(comparable).collect();
        compare("events", &Value::Array(go), &Value::Array(ours), into);
    }
}

fn register(scheduler: &Scheduler, entry: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Timed {
        cron: String,
    }
    let Timed { cron } = parse(entry);
    let task: Task = match client::task(entry) {
        Ok(task) => task,
        Err(answer) => return answer,
    };
    let (task_type, opts) = (task.task_type().as_str().to_owned(), option_strings(&task));
    match scheduler.register(PeriodicTask::new(&cron, task)) {
        Ok(id) => json!({"cron": cron, "entry_id": id.as_str(), "type": task_type, "opts": opts}),
        Err(wrong) => {
            let class =
                if matches!(wrong, Error::InvalidSchedule(_)) { "bad_spec" } else { client::class(&wrong) };
            let mut answer = error(class, wrong);
            answer["cron"] = cron.into();
            answer
        }
    }
}

fn pre_enqueue(firing: &Firing<'_>) -> Value {
    json!({
        "event": "pre_enqueue",
        "type": firing.task.task_type().as_str(),
        "payload_b64": firing.task.payload().map(|payload| base64(payload)),
    })
}

fn post_enqueue(result: Result<&TaskInfo, &Error>) -> Value {
    let mut told = match result {
        Ok(info) => client::shown(info),
        Err(refused) => error(client::class(refused), refused),
    };
    told["event"] = if result.is_ok() { "enqueued" } else { "enqueue_error" }.into();
    told
}

/// An event without what is different in each run. Our tasks have one header more, with the time of the tick, and an ID
/// of their own; both are options, which the start of the scheduler shows without them.
fn comparable(told: &Value) -> Value {
    let mut event = json!({"error": told["error"]["class"]});
    for key in [
        "event",
        "type",
        "queue",
        "state",
        "max_retry",
        "retried",
        "timeout_ms",
        "deadline_unix",
        "group",
        "retention_ms",
    ] {
        event[key] = told[key].clone();
    }
    event["payload"] = told["payload_b64"].as_str().unwrap_or_default().into();
    event
}
