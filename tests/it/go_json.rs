//! `GoJson` beside the real `encoding/json`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use asynq::go::{Nanos, bytes};
use asynq::testing::Rig;
use asynq::{Codec, GoJson, Job, Router, Task, TaskOptions, TaskState, job};
use asynq_testkit::{GoPeer, eventually};
use proptest::arbitrary::any;
use proptest::collection::{btree_map, hash_map, vec};
use proptest::option;
use proptest::strategy::{Just, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};

/// The struct of `tests/gopeer/json.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    int: i32,
    natural: u64,
    float: f64,
    single: f32,
    text: String,
    list: Vec<i64>,
    texts: HashMap<String, String>,
    numbers: BTreeMap<i32, f64>,
    #[serde(with = "bytes")]
    bytes: Vec<u8>,
    maybe: Option<String>,
    duration: Nanos,
    time: String,
    inner: Option<Box<Self>>,
}

fn leaf() -> impl Strategy<Value = Everything> {
    let finite = any::<f64>().prop_filter("JSON has no other", |number| number.is_finite());
    let near =
        (-30..30_i32, 1..1_000_u32).prop_map(|(exponent, digits)| f64::from(digits) * 10_f64.powi(exponent));
    let float = proptest::prop_oneof![finite, near];
    let single = any::<f32>().prop_filter("JSON has no other", |number| number.is_finite());
    let texts = hash_map(any::<String>(), any::<String>(), 0..4);
    let numbers = btree_map(any::<i32>(), float.clone(), 0..4);
    (
        (any::<bool>(), any::<i32>(), any::<u64>(), float, single, any::<String>()),
        (
            vec(any::<i64>(), 0..4),
            texts,
            numbers,
            vec(any::<u8>(), 0..9),
            option::of(any::<String>()),
            any::<i64>(),
        ),
    )
        .prop_map(
            |((flag, int, natural, float, single, text), (list, texts, numbers, bytes, maybe, duration))| {
                Everything {
                    flag,
                    int,
                    natural,
                    float,
                    single,
                    text,
                    list,
                    texts,
                    numbers,
                    bytes,
                    maybe,
                    duration: Nanos(duration),
                    time: "2026-11-22T10:00:00.5Z".to_owned(),
                    inner: None,
                }
            },
        )
}

fn everything() -> impl Strategy<Value = Everything> {
    let inner = proptest::prop_oneof![Just(None), leaf().prop_map(|leaf| Some(Box::new(leaf)))];
    (leaf(), inner).prop_map(|(leaf, inner)| Everything { inner, ..leaf })
}

fn text(value: &Everything) -> String {
    String::from_utf8(GoJson::encode(value).unwrap().into()).unwrap()
}

#[tokio::test]
async fn go_writes_the_same_bytes() {
    let mut runner = TestRunner::deterministic();
    let values: Vec<Everything> =
        (0..500).map(|_| everything().new_tree(&mut runner).unwrap().current()).collect();
    let written: Vec<String> = values.iter().map(text).collect();
    let mut go = GoPeer::json(&[]);
    for line in &written {
        go.send(line).await;
    }
    assert!(go.ended().await, "gopeer json failed: {:?}", go.lines());
    eventually("Go answers each value", async || (go.lines().len() == written.len()).then_some(())).await;
    for ((by_go, by_us), value) in go.lines().iter().zip(&written).zip(&values) {
        assert_eq!(by_go, by_us);
        let read: Everything = GoJson::decode(by_go.as_bytes()).unwrap();
        assert_eq!(&read, value);
    }
}

#[tokio::test]
async fn what_is_nil_in_go_is_empty_here() {
    let go = GoPeer::json(&["--nil"]);
    let line = go.line("the zero struct", |_| true).await;
    assert!(line.contains(r#""list":null,"texts":null"#), "{line}");
    let read: Everything = GoJson::decode(line.as_bytes()).unwrap();
    assert_eq!(read, Everything { time: "0001-01-01T00:00:00Z".to_owned(), ..Everything::default() });
}

#[job(name = "go_json:take", codec = GoJson, transparent, unregistered, retention = "1h")]
async fn take(value: Everything) -> Result<usize, String> {
    Ok(value.list.len())
}

/// What Go writes for a struct with nothing in it is the payload of a job, and poisons no worker.
#[tokio::test]
async fn a_job_takes_what_go_wrote() {
    let go = GoPeer::json(&["--nil"]);
    let line = go.line("the zero struct", |_| true).await;
    let rig = Rig::new().router(Router::jobs(asynq::jobs![Take]).unwrap());
    let kept = TaskOptions::new().retention(Duration::from_secs(60));
    rig.client().enqueue(Task::new(Take::NAME, line).unwrap().options(kept)).await.unwrap();
    rig.drain().await.assert_success();
    let done = rig.in_state::<Take>(TaskState::Completed).remove(0);
    assert_eq!(done.info.result.unwrap(), "0");
    // And what the job writes has no mark: to Go it is a task like any other.
    let task = Take::new(done.job.value).to_task().unwrap();
    assert!(task.headers().is_empty());
    assert!(task.payload().unwrap().starts_with(br#"{"flag":false,"#));
}
