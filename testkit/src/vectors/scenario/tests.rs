//! The comparison itself, tried on Go: what Go does a second time must not differ from what it did before.

use std::path::Path;

use serde_json::Value;

use super::clock::Clocks;
use super::names::Names;
use super::{results, state};
use crate::vectors::Difference;
use crate::vectors::file::{Scenario, StepClock, Suite, parse};
use crate::{GoPeer, RedisServer, dump};

/// The suites that take no time.
const SUITES: &str =
    "enqueue,enqueue_conflicts,groups,lifecycle,schedule,scheduler_state,server_state,unique";

#[tokio::test]
async fn a_second_run_of_go_does_not_differ() {
    let redis = RedisServer::start().await;
    let again = tempfile::tempdir().unwrap();
    GoPeer::new(&redis.url()).vectors(again.path(), SUITES).await;
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    for suite in SUITES.split(',') {
        let file = format!("{suite}.json");
        let (first, second) = (Suite::read(&vectors.join(&file)), Suite::read(&again.path().join(&file)));
        assert_eq!(first.cases.len(), second.cases.len());
        for (first, second) in first.cases.iter().zip(&second.cases) {
            let differences = differences(&parse(first), &parse(second));
            assert_eq!(differences, [], "{suite} / {}", Suite::name_of(first));
        }
    }
}

fn differences(first: &Scenario, second: &Scenario) -> Vec<Difference> {
    let (mut clocks, mut names, mut differences) = (Clocks::new(first), Names::new(first), Vec::new());
    for (number, (step, again)) in first.steps.iter().zip(&second.steps).enumerate() {
        match again.clock {
            StepClock::Real { before_ns, after_ns } => clocks.passed(before_ns, after_ns),
            StepClock::Fixed { now_ns } => clocks.passed(now_ns, now_ns),
        }
        let at = format!("step {number}");
        results::compare(&at, step, &again.result, &clocks, &mut names, &mut differences);
        if let (Some(state), Some(again)) = (&step.state, &again.state) {
            state::compare(&at, step, state, again, &clocks, &names, &mut differences);
        }
    }
    differences
}

#[tokio::test]
async fn a_dump_is_gos_dump() {
    let redis = RedisServer::start().await;
    let go = GoPeer::new(&redis.url());
    let task = |options: Value| serde_json::json!({"type": "t", "payload_hex": "00ff", "opts": options});
    go.enqueue_all([
        task(serde_json::json!({"task_id": "pending", "headers": {"k": "v"}, "unique_ms": 60_000})),
        task(serde_json::json!({"task_id": "a}:t:b", "queue": "x}:y", "process_in_ms": 60_000})),
        task(serde_json::json!({"task_id": "grouped", "group": "g"})),
    ])
    .await;
    redis.command::<()>(&["SET", "asynq:{default}:processed:2033-05-18", "1", "EXAT", "4102444800"]).await;
    redis.command::<()>(&["SET", "asynq:{default}:paused", "2000000000"]).await;
    let worker = go.serve(&["--queues", "default=1"]).await;
    redis.until::<u64>(&["EXISTS", "asynq:servers"], |&exists| exists == 1).await;
    worker.signal("STOP");

    let go: Value = go.dump().await["state"].take();
    let mut ours = Value::Array(dump::dump(&mut redis.connection().await).await);
    let mut go = go;
    for state in [&mut go, &mut ours] {
        for entry in state.as_array_mut().unwrap() {
            // The one thing that goes on meanwhile.
            if let Some(ttl) = entry["ttl"].as_object_mut() {
                ttl.remove("observed_ms");
            }
        }
    }
    assert_eq!(ours, go);
}

#[tokio::test]
async fn go_decodes_what_we_encode() {
    let message = asynq_core::wire::TaskMessage {
        task_type: "t".to_owned(),
        headers: [("a".to_owned(), String::new()), ("b".to_owned(), "c".to_owned())].into(),
        deadline: i64::MIN,
        ..Default::default()
    };
    let go = GoPeer::new("redis://127.0.0.1:1");
    assert_eq!(go.decode("task", &message.encode()).await, crate::decoded::task(&message));
}
