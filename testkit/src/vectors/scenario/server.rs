//! `server.*`: our server, with a handler that tells what it is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::clock::Clock;
use asynq_core::router::RetryPolicy;
use asynq_core::router::{BoxError, Ctx, Router};
use asynq_core::server::Server;
use redis::aio::MultiplexedConnection;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::aggregation::Aggregation;
use super::behavior::{Behavior, NonFailure, Rule, event};
use crate::vectors::compare::{Difference, compare};
use crate::vectors::file::{Scenario, Step, parse};
use crate::vectors::inputs::error;

/// The server of a case, and what its handler told.
#[derive(Default)]
pub(super) struct Worker {
    server: Option<Server>,
    events: Events,
    /// Every task type that the case names: our router has no pattern for all.
    types: Vec<String>,
    /// Whether the case has a server at all.
    expected: bool,
}

type Events = Arc<Mutex<Vec<Value>>>;

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    queues: BTreeMap<String, i64>,
    #[serde(default)]
    strict: bool,
    concurrency: Option<usize>,
    retry_delay_ms: Option<u64>,
    janitor_ms: Option<u64>,
    shutdown_timeout_ms: Option<u64>,
    #[serde(default)]
    mux: Vec<String>,
    #[serde(default)]
    behaviour: Vec<Rule>,
    #[serde(flatten)]
    aggregation: Aggregation,
}

impl Worker {
    pub(super) fn new(case: &Scenario) -> Self {
        #[derive(Deserialize)]
        struct Typed {
            r#type: Option<String>,
        }
        let enqueues = case.steps.iter().filter(|step| step.op == "client.enqueue");
        let mut types: Vec<String> =
            enqueues.filter_map(|step| parse::<Typed>(super::arguments(step)).r#type).collect();
        types.sort();
        types.dedup();
        let expected = case.steps.iter().any(|step| step.op == "server.start");
        Self { types, expected, ..Self::default() }
    }

    /// Whether a server runs in this case, now or later.
    pub(super) fn is_expected(&self) -> bool {
        self.expected
    }

    /// `server.start`
    pub(super) async fn start(
        &mut self,
        client: &Client,
        redis: &mut MultiplexedConnection,
        arguments: &RawValue,
    ) -> Value {
        let config: Config = parse(arguments);
        let mut builder = Server::builder(client)
            .router(self.router(&config))
            .queues(
                config.queues.iter().map(|(name, priority)| (name, u32::try_from(*priority).unwrap_or(0))),
            )
            .strict(config.strict)
            .is_failure(|error| error.downcast_ref::<NonFailure>().is_none());
        if let Some(tasks) = config.concurrency {
            builder = builder.concurrency(tasks);
        }
        if let Some(millis) = config.retry_delay_ms {
            builder = builder.retry_policy(RetryPolicy::Fixed(Duration::from_millis(millis)));
        }
        if let Some(millis) = config.janitor_ms {
            builder = builder.janitor_interval(Duration::from_millis(millis));
        }
        if let Some(millis) = config.shutdown_timeout_ms {
            builder = builder.shutdown_timeout(Duration::from_millis(millis));
        }
        builder = config.aggregation.set_up(builder);
        match builder.start().await {
            Ok(server) => self.server = Some(server),
            Err(refused) => return error("invalid", refused),
        }
        // Its state is what is written last.
        crate::eventually("the server's state", async || {
            let states: Vec<String> =
                redis::cmd("KEYS").arg("asynq:servers:{*").query_async(redis).await.unwrap();
            (!states.is_empty()).then_some(())
        })
        .await;
        json!({})
    }

    fn router(&self, config: &Config) -> Router {
        let mut patterns = if config.mux.is_empty() { self.types.clone() } else { config.mux.clone() };
        patterns.extend(config.aggregation.task_type().filter(|name| !patterns.contains(name)).cloned());
        patterns.iter().fold(Router::new(), |router, pattern| {
            let handler = Arc::new(Handler {
                events: Arc::clone(&self.events),
                rules: config.behaviour.clone(),
                pattern: (!config.mux.is_empty()).then(|| pattern.clone()),
            });
            router.route(pattern, move |ctx| Arc::clone(&handler).run(ctx)).unwrap()
        })
    }

    /// `server.wait`
    pub(super) async fn wait(&mut self, redis: &mut MultiplexedConnection, arguments: &RawValue) -> Value {
        #[derive(Deserialize)]
        struct Arguments {
            event: String,
            id: Option<String>,
            count: Option<usize>,
            timeout_ms: Option<u64>,
            settle_ms: Option<u64>,
        }
        let wanted: Arguments = parse(arguments);
        let count = wanted.count.unwrap_or(1);
        let limit = tokio::time::Instant::now() + Duration::from_millis(wanted.timeout_ms.unwrap_or(15_000));
        loop {
            let seen = if wanted.event == "error" {
                failures(redis).await
            } else {
                let events = self.events.lock().unwrap();
                let fits = |told: &&Value| {
                    told["event"] == *wanted.event && wanted.id.as_ref().is_none_or(|id| told["id"] == **id)
                };
                events.iter().filter(fits).count()
            };
            if seen >= count {
                break;
            }
            if tokio::time::Instant::now() > limit {
                return error("timeout", format!("{seen} times {} instead of {count}", wanted.event));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(wanted.settle_ms.unwrap_or(150))).await;
        json!({})
    }

    /// `server.stop`
    pub(super) async fn stop(&mut self) -> Value {
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
        json!({})
    }

    /// Compares what Go's handler told in the whole case with what ours did. Go's error handler, which it also tells
    /// of, we do not have; what became of the errors is in the database.
    pub(super) fn compare_events(&self, case: &Scenario, into: &mut Vec<Difference>) {
        let of_handler = |event: &&Value| event["event"] == "start" || event["event"] == "handled";
        let of_step = |step: &Step| step.result["events"].as_array().cloned().unwrap_or_default();
        let go: Vec<Value> = case.steps.iter().flat_map(of_step).collect();
        let go: Vec<Value> = go.iter().filter(of_handler).map(comparable).collect();
        let ours: Vec<Value> = self.events.lock().unwrap().iter().map(comparable).collect();
        compare("events", &Value::Array(go), &Value::Array(ours), into);
    }
}

/// How many tasks have failed: Go would have told its error handler.
async fn failures(redis: &mut MultiplexedConnection) -> usize {
    let queues: Vec<String> = redis::cmd("SMEMBERS").arg("asynq:queues").query_async(redis).await.unwrap();
    let mut failed = 0;
    for queue in queues {
        for set in ["retry", "archived"] {
            let key = format!("asynq:{{{queue}}}:{set}");
            failed += redis::cmd("ZCARD").arg(key).query_async::<usize>(redis).await.unwrap();
        }
    }
    failed
}

/// An event without what is different in each run. How long the handler was given is kept in seconds.
fn comparable(told: &Value) -> Value {
    let mut event = json!({});
    for key in ["event", "id", "type", "queue", "retried", "max_retry", "outcome", "pattern"] {
        event[key] = told[key].clone();
    }
    event["payload"] = told["payload_b64"].as_str().unwrap_or_default().into();
    event["headers"] = if told["headers"].is_null() { json!({}) } else { told["headers"].clone() };
    if let (Some(deadline), Some(now)) = (told["deadline_ns"].as_i64(), told["time_ns"].as_i64()) {
        // Deadlines are in whole seconds with one and not with the other. One that is far away was given as such.
        let seconds = (deadline - now + 999_999_999).div_euclid(1_000_000_000);
        let is_far = seconds > 24 * 3600;
        event["given_s"] = if is_far { deadline / 1_000_000_000 } else { seconds }.into();
    }
    event
}

struct Handler {
    events: Events,
    rules: Vec<Rule>,
    pattern: Option<String>,
}

impl Handler {
    async fn run(self: Arc<Self>, ctx: Ctx) -> Result<(), BoxError> {
        let mut start = self.event(&ctx, "start");
        start["deadline_ns"] = ctx.deadline().map(|at| i64::try_from(at.as_nanosecond()).unwrap()).into();
        self.events.lock().unwrap().push(start);
        let mut told = Told { event: self.event(&ctx, "handled"), events: Arc::clone(&self.events) };
        let behavior = Behavior::of(&ctx, &self.rules);
        told.event["outcome"] = behavior.outcome_if_dropped().into();
        let ended = behavior.run(&ctx).await;
        told.event["outcome"] = behavior.outcome(&ended).into();
        ended
    }

    fn event(&self, ctx: &Ctx, kind: &str) -> Value {
        let mut told = event(ctx, kind);
        told["time_ns"] = Clock::system().unix_nanos().into();
        told["pattern"] = self.pattern.clone().into();
        told
    }
}

/// Told when the handler ends, however it does; unless Go's would still be running unseen.
struct Told {
    event: Value,
    events: Events,
}

impl Drop for Told {
    fn drop(&mut self) {
        if !self.event["outcome"].is_null() {
            self.events.lock().unwrap().push(self.event.take());
        }
    }
}
