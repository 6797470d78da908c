//! Defects of Go asynq that are not ours, by their number in `docs/from-go.md`. Those of one feature are tested beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asynq::broker::MemoryBroker;
use asynq::clock::Clock;
use asynq::{Client, Ctx, Router, Task, TaskOptions, TaskState};
use asynq_testkit::{GoPeer, eventually};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::support::{doing, gone, in_state, info, redis, telling, worker};

fn named(id: &str) -> TaskOptions {
    TaskOptions::new().task_id(id)
}

fn task(id: &str) -> Task {
    Task::new("t", "").unwrap().options(named(id))
}

/// A router whose handlers wait for a permit; how many have begun.
fn waiting(permits: &Arc<Semaphore>) -> (Router, Arc<AtomicUsize>) {
    let begun = Arc::new(AtomicUsize::new(0));
    let (permits, counter) = (Arc::clone(permits), Arc::clone(&begun));
    let router =
        Router::new().route("t", move |_: Ctx| {
            let permits = Arc::clone(&permits);
            counter.fetch_add(1, Ordering::SeqCst);
            async move {
                permits.acquire().await.map(SemaphorePermit::forget).map_err(|closed| closed.to_string())
            }
        });
    (router.unwrap(), begun)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_an_outcome_that_could_not_be_written_is_written_later() {
    let (redis, client) = redis().await;
    let permits = Arc::new(Semaphore::new(0));
    let (router, begun) = waiting(&permits);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    client.enqueue(task("it")).await.unwrap();
    eventually("the task runs", async || (begun.load(Ordering::SeqCst) == 1).then_some(())).await;
    redis.freeze();
    permits.add_permits(1);
    // By the time that this call is given up, so is the first attempt to write the outcome.
    client.enqueue(task("other").options(named("other").queue("not served"))).await.unwrap_err();
    redis.thaw();
    permits.add_permits(10);
    gone(&client, "default", "it").await;
    assert_eq!(redis.command::<String>(&["GET", "asynq:{default}:processed"]).await, "1");
    server.shutdown().await;
    assert_eq!(begun.load(Ordering::SeqCst), 1, "it was not recovered, which would have run it again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_that_have_reached_their_end_begin_anew() {
    let (redis, client) = redis().await;
    let nearly_full = (i64::MAX - 1).to_string();
    for total in ["processed", "failed"] {
        redis.command::<()>(&["SET", &format!("asynq:{{default}}:{total}"), &nearly_full]).await;
    }
    let permits = Arc::new(Semaphore::new(10));
    let (router, _) = waiting(&permits);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    for id in ["a", "b", "c"] {
        client.enqueue(task(id)).await.unwrap();
        gone(&client, "default", id).await;
    }
    server.shutdown().await;
    let totals: Vec<i64> =
        redis.command(&["MGET", "asynq:{default}:processed", "asynq:{default}:failed"]).await;
    // One fills it, the next begins anew. Nothing has failed since.
    assert_eq!(totals, [2, i64::MAX - 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_total_beyond_its_end_begins_anew_and_what_is_no_number_stays() {
    for (before, after) in [("9223372036854775808", "1"), ("none", "none")] {
        let (redis, client) = redis().await;
        redis.command::<()>(&["SET", "asynq:{default}:processed", before]).await;
        let (router, _) = waiting(&Arc::new(Semaphore::new(1)));
        let server = worker(&client, router, &["default"]).start().await.unwrap();
        client.enqueue(task("it")).await.unwrap();
        gone(&client, "default", "it").await;
        server.shutdown().await;
        assert_eq!(redis.command::<String>(&["GET", "asynq:{default}:processed"]).await, after);
    }
}

#[tokio::test(start_paused = true)]
async fn b9_one_id_in_two_queues_is_two_tasks() {
    let clock = Clock::with_tokio_time("2030-01-01T00:00:00Z".parse().unwrap());
    let client = Client::new(Arc::new(MemoryBroker::new(clock)));
    let permits = Arc::new(Semaphore::new(0));
    let (router, begun) = waiting(&permits);
    let server = worker(&client, router, &["one", "two"]).start().await.unwrap();
    for queue in ["one", "two"] {
        client.enqueue(task("it").options(named("it").queue(queue))).await.unwrap();
    }
    // Far past the end of the first leases: both are extended.
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    for queue in ["one", "two"] {
        let info = info(&client, queue, "it").await.unwrap();
        assert_eq!((info.state, info.is_orphaned, info.retried), (TaskState::Active, false, 0));
    }
    permits.add_permits(2);
    gone(&client, "one", "it").await;
    gone(&client, "two", "it").await;
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    server.shutdown().await;
}

#[tokio::test]
async fn b10_an_error_that_is_no_text_is_stored_all_the_same() {
    #[derive(Debug)]
    struct Odd;
    impl std::error::Error for Odd {}
    impl std::fmt::Display for Odd {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&String::from_utf8_lossy(b"caf\xe9 \xff\0"))
        }
    }
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let (router, _told) = doing(&["t"], |_| Err(Odd.into()));
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    client.enqueue(task("it").options(named("it").max_retry(0))).await.unwrap();
    let archived = in_state(&client, "default", "it", TaskState::Archived).await;
    server.shutdown().await;
    assert_eq!(archived.last_error, "caf\u{fffd} \u{fffd}\0");
    assert_eq!(go.inspect(&["task", "default", "it"]).await["last_err"], "caf\u{fffd} \u{fffd}\0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_pending_ids_without_a_task_hold_nothing_up() {
    let (redis, client) = redis().await;
    for n in 0..300 {
        redis.command::<()>(&["LPUSH", "asynq:{default}:pending", &format!("ghost-{n}")]).await;
    }
    for id in ["a", "b", "c"] {
        client.enqueue(task(id)).await.unwrap();
    }
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    for id in ["a", "b", "c"] {
        assert!(told.recv().await.is_some());
        gone(&client, "default", id).await;
    }
    server.shutdown().await;
    for list in ["pending", "active"] {
        assert_eq!(redis.command::<i64>(&["LLEN", &format!("asynq:{{default}}:{list}")]).await, 0);
    }
    assert_eq!(redis.command::<i64>(&["ZCARD", "asynq:{default}:lease"]).await, 0);
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "asynq:{default}:t:*"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b12_a_large_archive_is_trimmed_piece_by_piece() {
    let (redis, client) = redis().await;
    let fill = "for n = 1, 20000 do redis.call('ZADD', KEYS[1], 1, 'old-' .. n) end";
    redis.command::<()>(&["EVAL", fill, "1", "asynq:{default}:archived"]).await;
    let (router, _told) = doing(&["t"], |_| Err("boom".into()));
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    for n in 0..25 {
        let id = format!("t{n}");
        client.enqueue(task(&id).options(named(&id).max_retry(0))).await.unwrap();
        in_state(&client, "default", &id, TaskState::Archived).await;
    }
    server.shutdown().await;
    assert_eq!(redis.command::<i64>(&["ZCARD", "asynq:{default}:archived"]).await, 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b13_a_task_that_looks_completed_already_is_completed() {
    let (redis, client) = redis().await;
    redis.command::<()>(&["ZADD", "asynq:{default}:completed", "5000000000", "it"]).await;
    client.enqueue(task("it").options(named("it").retention(Duration::from_secs(60)))).await.unwrap();
    let (router, _told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    in_state(&client, "default", "it", TaskState::Completed).await;
    server.shutdown().await;
    assert_eq!(redis.command::<i64>(&["LLEN", "asynq:{default}:active"]).await, 0);
    assert_eq!(redis.command::<i64>(&["ZCARD", "asynq:{default}:completed"]).await, 1);
}

#[tokio::test]
async fn b5_a_refused_id_leaves_no_lock_behind() {
    let (redis, client) = redis().await;
    client.enqueue(Task::new("t", "one").unwrap().options(named("it"))).await.unwrap();
    let unique = Task::new("t", "two").unwrap().options(named("it").unique(Duration::from_secs(60)));
    assert!(matches!(client.enqueue(unique).await, Err(asynq::Error::TaskIdConflict { .. })));
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "*:unique:*"]).await, Vec::<String>::new());
}

#[tokio::test]
async fn b7_a_queue_deleted_by_another_process_is_known_again() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    client.enqueue(Task::new("t", "").unwrap().options(named("one"))).await.unwrap();
    go.inspect(&["delete-queue", "default", "--force"]).await;
    assert_eq!(redis.command::<i64>(&["SISMEMBER", "asynq:queues", "default"]).await, 0);
    client.enqueue(Task::new("t", "").unwrap().options(named("two"))).await.unwrap();
    assert_eq!(redis.command::<i64>(&["SISMEMBER", "asynq:queues", "default"]).await, 1);
}

#[tokio::test]
async fn b8_b14_options_of_one_task_never_reach_another_and_headers_of_many_are_kept() {
    let (_redis, client) = redis().await;
    let base = Task::new("t", "").unwrap().options(TaskOptions::new().queue("base").header("from", "base"));
    let tasks = ["a", "b"].map(|id| base.clone().options(named(id).queue(id).header("id", id)));
    let infos = client.enqueue_all(tasks).await;
    for (info, id) in infos.iter().zip(["a", "b"]) {
        let info = info.as_ref().unwrap();
        assert_eq!((info.id.as_str(), info.queue.as_str()), (id, id));
        let stored = crate::support::info(&client, id, id).await.unwrap();
        assert_eq!((stored.headers["id"].as_str(), stored.headers["from"].as_str()), (id, "base"));
    }
}

#[tokio::test]
async fn b20_nothing_above_zero_seconds_becomes_zero() {
    let (_redis, client) = redis().await;
    let half = Duration::from_millis(500);
    let options = TaskOptions::new().timeout(half).retention(half);
    let told = client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
    let stored = info(&client, "default", told.id.as_str()).await.unwrap();
    for info in [&*told, &stored] {
        assert_eq!((info.timeout, info.retention), (Duration::from_secs(1), Duration::from_secs(1)));
    }
}
