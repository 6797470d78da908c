//! Tasks that many callers enqueue at the same time, each for itself: they travel together, and nobody notices.

use std::collections::HashSet;
use std::time::Duration;

use asynq::{Client, Error, Task, TaskOptions};
use asynq_testkit::RedisServer;
use futures_util::future::{Either, join_all, select};
use tokio::task::{JoinSet, yield_now};

use crate::support::redis;

fn task(queue: &str, id: &str) -> Task {
    Task::new("t", "{}").unwrap().options(TaskOptions::new().queue(queue).task_id(id))
}

async fn pending(redis: &RedisServer, queue: &str) -> Vec<String> {
    redis.command(&["LRANGE", &format!("asynq:{{{queue}}}:pending"), "0", "-1"]).await
}

/// A client whose script the server knows already.
async fn ready() -> (RedisServer, Client) {
    let (redis, client) = redis().await;
    client.enqueue(task("other", "first")).await.unwrap();
    redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;
    (redis, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_need_few_calls_and_each_task_is_stored_once() {
    const CALLERS: usize = 50;
    const EACH: usize = 40;
    let (redis, client) = ready().await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let client = client.clone();
        callers.spawn(async move {
            for n in 0..EACH {
                client.enqueue(task(["a", "b"][n % 2], &format!("{caller}-{n}"))).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let mut stored = Vec::new();
    for queue in ["a", "b"] {
        let ids = pending(&redis, queue).await;
        // What one caller enqueues one after the other stays in order; the left end is the latest.
        for caller in 0..CALLERS {
            let start = format!("{caller}-");
            let numbers: Vec<usize> =
                ids.iter().filter_map(|id| id.strip_prefix(&start)?.parse().ok()).collect();
            assert!(numbers.is_sorted_by(|left, right| left > right), "{numbers:?}");
        }
        stored.extend(ids);
    }
    assert_eq!(stored.len(), CALLERS * EACH);
    assert_eq!(stored.iter().collect::<HashSet<_>>().len(), CALLERS * EACH);
    let calls = redis.calls("evalsha").await;
    assert!(calls < CALLERS * EACH / 2, "{calls}");
}

#[tokio::test]
async fn a_lone_caller_has_calls_of_his_own() {
    let (redis, client) = ready().await;
    for n in 0..10 {
        client.enqueue(task("a", &n.to_string())).await.unwrap();
    }
    assert_eq!(redis.calls("evalsha").await, 10);
}

#[tokio::test]
async fn each_caller_is_told_of_his_own_task() {
    let (redis, client) = ready().await;
    let unique = |id: String| {
        let options = TaskOptions::new().queue("a").unique(Duration::from_secs(60)).task_id(id);
        Task::new("u", "same").unwrap().options(options)
    };
    // Every ID twice, and all of the second kind after one lock.
    let ends = join_all((0..60).map(|n| {
        let task = if n % 3 == 0 { unique(format!("u{n}")) } else { task("a", &format!("{}", n % 30)) };
        client.enqueue(task)
    }))
    .await;
    let (mut stored, mut conflicts, mut duplicates) = (Vec::new(), 0, 0);
    for (n, end) in ends.into_iter().enumerate() {
        match end {
            Ok(enqueued) => stored.push(enqueued.id.to_string()),
            Err(Error::TaskIdConflict { .. }) if n % 3 != 0 => conflicts += 1,
            Err(Error::DuplicateTask { .. }) if n % 3 == 0 => duplicates += 1,
            Err(error) => panic!("{n}: {error}"),
        }
    }
    assert_eq!((stored.len(), conflicts, duplicates), (21, 20, 19));
    let mut listed = pending(&redis, "a").await;
    listed.sort();
    stored.sort();
    assert_eq!(listed, stored);
}

/// Whoever drops his future half-way leaves the others theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_leave_take_nobody_with_them() {
    let (redis, client) = ready().await;
    let mut callers = JoinSet::new();
    for caller in 0..40_usize {
        let client = client.clone();
        callers.spawn(async move {
            let mut stored = Vec::new();
            for n in 0..25_usize {
                let id = format!("{caller}-{n}");
                let enqueued = Box::pin(client.enqueue(task("a", &id)));
                let patience = Box::pin(async {
                    for _ in 0..(caller * 7 + n) % 9 {
                        yield_now().await;
                    }
                });
                // Every third caller leaves, after a moment or at once.
                if caller % 3 == 0 {
                    if let Either::Left((end, _)) = select(enqueued, patience).await {
                        end.unwrap();
                        stored.push(id);
                    }
                } else {
                    enqueued.await.unwrap();
                    stored.push(id);
                }
            }
            stored
        });
    }
    let stored: HashSet<String> = callers.join_all().await.into_iter().flatten().collect();
    // The connection answers in order: what was sent before this has been stored.
    client.enqueue(task("a", "last")).await.unwrap();
    let listed = pending(&redis, "a").await;
    let distinct: HashSet<&String> = listed.iter().collect();
    assert_eq!(listed.len(), distinct.len(), "none twice");
    assert!(stored.iter().all(|id| distinct.contains(id)), "what somebody was told of is there");
    for id in &listed {
        let fields: usize = redis.command(&["HLEN", &format!("asynq:{{a}}:t:{id}")]).await;
        assert_eq!(fields, 3, "{id}");
    }
}

#[tokio::test]
async fn large_tasks_do_not_wait_for_each_other() {
    let (redis, client) = ready().await;
    let large = vec![b'x'; 200 * 1024];
    let ends = join_all((0..20).map(|_| {
        let options = TaskOptions::new().queue("a");
        client.enqueue(Task::new("t", large.clone()).unwrap().options(options))
    }))
    .await;
    assert!(ends.iter().all(Result::is_ok));
    assert_eq!(redis.calls("evalsha").await, 20);
}

#[tokio::test]
async fn a_queue_that_cannot_be_stored_in_keeps_nothing_of_a_batch() {
    let (redis, client) = ready().await;
    redis.command::<()>(&["SET", "asynq:{a}:pending", "no list"]).await;
    let ends = join_all((0..20).map(|n| client.enqueue(task("a", &n.to_string())))).await;
    assert!(ends.iter().all(|end| matches!(end, Err(Error::Broker(_)))));
    let several = client.enqueue_all((20..30).map(|n| task("a", &n.to_string()))).await;
    assert!(several.iter().all(|end| matches!(end, Err(Error::Broker(_)))));
    let tasks: Vec<String> = redis.command(&["KEYS", "asynq:{a}:t:*"]).await;
    assert_eq!(tasks, [""; 0]);
}

/// The first call is alone, for the server does not know the script; then several are on their way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_call_enqueues_is_stored_in_its_order() {
    const TASKS: usize = 5_000;
    let (redis, client) = redis().await;
    let ends = client.enqueue_all((0..TASKS).map(|n| task("a", &n.to_string()))).await;
    let told: Vec<String> = ends.into_iter().map(|end| end.unwrap().id.to_string()).collect();
    let mut listed = pending(&redis, "a").await;
    listed.reverse();
    let expected: Vec<String> = (0..TASKS).map(|n| n.to_string()).collect();
    assert_eq!(told, expected);
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn few_calls_are_needed_for_many_tasks_however_they_are_counted() {
    const TASKS: usize = 200;
    let (redis, client) = ready().await;
    let tasks = |queue: &'static str| (0..TASKS).map(move |n| task(queue, &n.to_string()));
    // An iterator that leaves some out cannot tell how many are left.
    let counted = client.enqueue_all(tasks("a")).await;
    let calls = redis.calls("evalsha").await;
    let uncounted = client.enqueue_all(tasks("b").filter(|_| true)).await;
    let calls = [calls, redis.calls("evalsha").await - calls];
    for ends in [counted, uncounted] {
        assert!(ends.len() == TASKS && ends.iter().all(Result::is_ok), "{ends:?}");
    }
    assert_eq!(calls, [TASKS.div_ceil(32); 2]);
}
