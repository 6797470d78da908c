//! The conformance suite on this broker, and what only a broker in this process promises.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::broker::conformance::model::{self, Known};
use crate::broker::conformance::{Fixture, MemoryFixture, cases};
use crate::broker::{Broker, MemoryBroker, NewTask, Placement};
use crate::clock::Clock;
use crate::task::{QueueName, UniqueUntil};
use crate::wire::TaskMessage;

/// A second after which comes a new day soon, and not a whole one.
fn start() -> Timestamp {
    "2033-05-18T23:59:30.750Z".parse().unwrap()
}

fn task(id: &str) -> NewTask {
    let message = TaskMessage { id: id.to_owned(), queue: "q".to_owned(), ..TaskMessage::default() };
    NewTask { message, placement: Placement::Pending, unique_ttl: 0, unique_until: UniqueUntil::Success }
}

#[tokio::test(start_paused = true)]
async fn conforms() {
    let mut failed = Vec::new();
    for case in cases() {
        let fixture = Arc::new(MemoryFixture::new(start()));
        // The panic itself has been printed; this says in which case.
        if AssertUnwindSafe((case.run)(fixture)).catch_unwind().await.is_err() {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "these cases fail: {failed:#?}");
}

#[test]
fn every_case_has_its_own_name() {
    let names = cases().iter().map(|case| case.name).collect::<BTreeSet<_>>();
    assert_eq!(names.len(), cases().len());
    assert!(names.len() > 100);
}

#[tokio::test(start_paused = true)]
async fn keeps_its_invariants_under_random_operations() {
    for seed in 0..40 {
        let (fixture, mut known) = (MemoryFixture::new(start()), Known::default());
        let ops = model::random_ops(seed, 200);
        for (step, op) in ops.iter().filter(|op| !op.is_break()).enumerate() {
            model::apply(&fixture, op, &mut known).await;
            let broken = model::broken_invariants(&fixture.dump().await);
            assert!(broken.is_empty(), "seed {seed}, step {step}, after {op:?}:\n{}", broken.join("\n"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn random_operations_repeat_and_meet() {
    let (mut told, mut keys) = (String::new(), BTreeSet::new());
    for seed in 0..90 {
        let (one, two) = (MemoryFixture::new(start()), MemoryFixture::new(start()));
        let (mut of_one, mut of_two) = (Known::default(), Known::default());
        for (step, op) in model::random_ops(seed, 250).iter().enumerate() {
            let observed = model::apply(&one, op, &mut of_one).await;
            assert_eq!(
                observed,
                model::apply(&two, op, &mut of_two).await,
                "seed {seed}, step {step}: {op:?}"
            );
            one.dump().await.assert_same(&two.dump().await, &format!("seed {seed}, step {step}: {op:?}"));
            writeln!(told, "{observed:?}").unwrap();
            keys.extend(one.dump().await.entries.into_keys());
        }
    }
    // Otherwise the sequences miss what they are for.
    for kind in [
        "pending",
        "lease",
        "scheduled",
        "retry",
        "archived",
        "completed",
        "groups",
        "aggregation_sets",
        "owners",
        "paused",
        "sema:s",
        "{limit}:ran",
        "{limit}:line",
    ] {
        assert!(keys.iter().any(|key| key.ends_with(kind)), "no sequence stores anything in {kind}");
    }
    for outcome in [
        "Applied",
        "Refused",
        "conflict",
        "held by",
        "dangling-",
        "Flags([true",
        "Flag(true)",
        "Flag(false)",
        "moved: 2",
        "Mended(1",
        "run: Some(Some(",
        "run: Some(None)",
        "run: None",
        "crashes: 2",
        "message: None",
        "is_orphaned: true",
        "Failed(Protocol)",
        "Refused(Active)",
        "Applied TaskInfo",
        "changed: 2",
        "NotEmpty(",
        "Busy(",
        "Count(2)",
        "Finished(Done)",
        "Finished(Lost)",
        "Finished(IdConflict)",
        "Finished(Duplicate",
        "sets: 2",
    ] {
        assert!(told.contains(outcome), "no sequence tells {outcome}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_wakes_without_any_time_passing() {
    let broker = MemoryBroker::new(Clock::manual(start()));
    let mut waiter = broker.waiter(&[QueueName::new("q").unwrap()]);
    let began = Instant::now();
    let (waited, results) = tokio::join!(waiter.wait(&[]), async { broker.enqueue(&[task("a")]).await });
    waited.unwrap();
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_paused_queue_is_looked_at_each_second() {
    let broker = MemoryBroker::new(Clock::manual(start()));
    let queue = QueueName::new("q").unwrap();
    let mut waiter = broker.waiter(std::slice::from_ref(&queue));
    let began = Instant::now();
    let late = async {
        tokio::time::sleep(Duration::from_millis(2_400)).await;
        broker.enqueue(&[task("a")]).await
    };
    let (waited, results) = tokio::join!(waiter.wait(std::slice::from_ref(&queue)), late);
    waited.unwrap();
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(began.elapsed(), Duration::from_secs(3), "the third look finds it");
}

#[tokio::test]
async fn clones_share_one_store() {
    let broker = MemoryBroker::new(Clock::manual(start()));
    broker.clone().enqueue(&[task("a")]).await.pop().unwrap().unwrap();
    let other = MemoryBroker::new(Clock::manual(start()));
    assert!(broker.dump().contains("asynq:{q}:t:a"));
    assert!(!other.dump().contains("asynq:{q}:t:a"));
}

#[tokio::test]
async fn a_listener_that_lags_goes_on() {
    let broker = MemoryBroker::new(Clock::manual(start()));
    let mut listener = broker.cancellations().await.unwrap();
    for number in 0..2_000 {
        broker.publish_cancellation(&crate::task::TaskId::stored(&number.to_string())).await.unwrap();
    }
    let first = listener.next().await.unwrap().parse::<usize>().unwrap();
    assert!((900..1_100).contains(&first), "it goes on with what is still there, not with {first}");
    drop(broker);
    let mut last = first;
    while let Some(id) = listener.next().await {
        last = id.parse().unwrap();
    }
    assert_eq!(last, 1_999, "and ends when the broker does");
}
