//! What is kept beside the queues' flow: results, retention, pauses, servers, cancellations, and how a task looks.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::suite::case_list;
use super::world::{
    World, failed, grouped, message, pending, pending_in, queue, scheduled, strict, task_id, unique,
};
use crate::broker::{BrokerErrorKind, Messages, NewTask, Place, Transition};
use crate::clock::from_unix_seconds;
use crate::task::{QueueName, TaskState};
use crate::wire::{ServerInfo, TaskMessage, WireTimestamp, WorkerInfo};

case_list! { "state":
    answers_a_ping,
    stamps_with_its_clock,
    tells_which_queues_are_occupied,
    stores_a_result_with_a_task,
    b30_stores_no_result_without_a_task,
    deletes_completed_tasks_after_their_retention,
    deletes_at_most_the_limit,
    pauses_and_resumes,
    publishes_a_server,
    replaces_what_a_server_published,
    a_servers_state_goes_away_by_itself,
    a_servers_state_lasts_a_second_at_least,
    clears_a_server,
    tells_of_no_task,
    tells_all_of_a_task,
    tells_when_a_task_will_run,
    tells_of_an_orphan,
    tells_of_a_result,
    tells_what_cannot_be_read,
    passes_a_cancellation_on,
    a_cancellation_without_listeners_is_no_error,
}

async fn answers_a_ping(world: World) {
    world.broker.ping().await.expect("the store answers");
}

async fn tells_which_queues_are_occupied(world: World) {
    let queues = [queue("q"), queue("other"), queue("never")];
    let occupied = async |place, queues: &[QueueName]| {
        world.broker.occupied(place, queues).await.expect("the store answers")
    };
    let [q, other, _] = &queues;
    let places = [Place::Later, Place::Active, Place::Ended, Place::Groups];
    world.store(&[pending("p"), pending_in("other", "p")]).await;
    for place in places {
        assert!(occupied(place, &queues).await.is_empty());
        assert!(occupied(place, &[]).await.is_empty());
    }
    world.store(&[scheduled("s", world.now() + 9), grouped("g")]).await;
    assert_eq!(occupied(Place::Later, &queues).await, std::slice::from_ref(q));
    assert_eq!(occupied(Place::Groups, &queues).await, std::slice::from_ref(q));
    let leased = world.exchange(&[], &strict(2, &[other, q])).await.leased;
    assert_eq!(occupied(Place::Active, &queues).await, [q.clone(), other.clone()]);
    assert_eq!(occupied(Place::Active, std::slice::from_ref(other)).await, std::slice::from_ref(other));
    for leased in &leased {
        let message = message(leased.id.as_str());
        let message = TaskMessage { queue: leased.queue.to_string(), ..message };
        let transition = if leased.queue == *q {
            Transition::Complete { message, until: world.now() + 9, result: None }
        } else {
            Transition::Retry { message, at: world.now() + 9, is_failure: true }
        };
        world.apply(leased, transition).await;
    }
    assert!(occupied(Place::Active, &queues).await.is_empty());
    world.broker.beat("server", std::slice::from_ref(other)).await.expect("the store answers");
    assert_eq!(occupied(Place::Servers, &queues).await, std::slice::from_ref(other));
    assert_eq!(occupied(Place::Ended, &queues).await, std::slice::from_ref(q));
    assert_eq!(occupied(Place::Later, &queues).await, [q.clone(), other.clone()]);
    world.store(&[pending_in("other", "a")]).await;
    let leased = world.exchange(&[], &strict(1, &[other])).await.leased;
    world.apply(&leased[0], Transition::Archive { message: None, unique_key: String::new() }).await;
    assert_eq!(occupied(Place::Ended, &queues).await, [q.clone(), other.clone()]);
    for place in places {
        assert!(occupied(place, &queues[2..]).await.is_empty());
    }
}

async fn stamps_with_its_clock(world: World) {
    world.advance(12_345).await;
    assert_eq!(world.broker.clock().now(), world.clock.now());
}

async fn write_result(world: &World, id: &str, result: &'static [u8]) -> bool {
    let result = Bytes::from_static(result);
    world.broker.write_result(&world.queue, &task_id(id), &result).await.expect("the store answers")
}

async fn stores_a_result_with_a_task(world: World) {
    world.active("a").await;
    assert!(write_result(&world, "a", b"first").await);
    assert!(write_result(&world, "a", b"\x00\xff").await);
    assert_eq!(world.dump().await.hash("asynq:{q}:t:a")["result"], Bytes::from_static(b"\x00\xff"));
}

async fn b30_stores_no_result_without_a_task(world: World) {
    let before = world.dump().await;
    assert!(!write_result(&world, "a", b"result").await);
    world.dump().await.assert_same(&before, "no ghosts");
    world.set_field("ghost", "state", b"active").await;
    assert!(!write_result(&world, "ghost", b"result").await, "a hash without a message is no task");
    assert!(!world.dump().await.hash("asynq:{q}:t:ghost").contains_key("result"));
}

async fn complete(world: &World, id: &str, until: i64) {
    let leased = world.active(id).await;
    world.apply(&leased, Transition::Complete { message: message(id), until, result: None }).await;
}

async fn delete_expired(world: &World, limit: usize) -> usize {
    world.broker.delete_expired_completed(&world.queue, limit).await.expect("the store answers")
}

async fn deletes_completed_tasks_after_their_retention(world: World) {
    assert_eq!(delete_expired(&world, 10).await, 0);
    let now = world.now();
    for (id, until) in [("a", now + 5), ("b", now + 6), ("gone", now)] {
        complete(&world, id, until).await;
    }
    world.delete_task("gone").await;
    world.advance(5).await;
    assert_eq!(delete_expired(&world, 10).await, 2);
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.completed()), [("b".to_owned(), now + 6)]);
    assert!(!dump.contains("asynq:{q}:t:a"));
    assert!(dump.contains("asynq:{q}:t:b"));
}

async fn deletes_at_most_the_limit(world: World) {
    for (id, age) in [("a", 1), ("b", 3), ("c", 2)] {
        complete(&world, id, world.now() - age).await;
    }
    assert_eq!(delete_expired(&world, 2).await, 2);
    let left = world.dump().await.zset(&world.keys.completed());
    assert_eq!(left, [("a".to_owned(), world.now() - 1)], "the longest overdue go first");
    assert_eq!(delete_expired(&world, 2).await, 1);
    assert_eq!(delete_expired(&world, 2).await, 0);
}

async fn pauses_and_resumes(world: World) {
    let pause = async || world.broker.pause(&world.queue).await.expect("the store answers");
    let resume = async || world.broker.resume(&world.queue).await.expect("the store answers");
    let since = world.now();
    assert!(!resume().await);
    assert!(pause().await);
    world.advance(5).await;
    assert!(!pause().await);
    let dump = world.dump().await;
    assert_eq!(dump.string(&world.keys.paused()), Some(since.to_string()), "since the first time");
    assert_eq!((dump.expires_at(&world.keys.paused()), dump.entries.len()), (None, 1));
    assert!(resume().await);
    assert!(!resume().await);
    assert!(world.dump().await.entries.is_empty());
}

fn server(world: &World) -> ServerInfo {
    ServerInfo {
        host: "host".to_owned(),
        pid: 17,
        server_id: "s-1".to_owned(),
        concurrency: 10,
        queues: [("q".to_owned(), 3)].into(),
        status: "active".to_owned(),
        start_time: Some(WireTimestamp::from(world.clock.now())),
        ..ServerInfo::default()
    }
}

fn worker(id: &str) -> WorkerInfo {
    WorkerInfo { task_id: id.to_owned(), queue: "q".to_owned(), ..WorkerInfo::default() }
}

const SERVER_KEY: &str = "asynq:servers:{host:17:s-1}";
const WORKERS_KEY: &str = "asynq:workers:{host:17:s-1}";
const TTL: Duration = Duration::from_secs(10);

async fn publish(world: &World, info: &ServerInfo, workers: &[WorkerInfo]) {
    world.broker.write_server_state(info, workers, TTL).await.expect("the store answers");
}

async fn publishes_a_server(world: World) {
    let info = server(&world);
    publish(&world, &info, &[worker("a"), worker("b")]).await;
    let dump = world.dump().await;
    let until = world.now() + 10;
    assert_eq!(dump.zset("asynq:servers"), [(SERVER_KEY.to_owned(), until)]);
    assert_eq!(dump.zset("asynq:workers"), [(WORKERS_KEY.to_owned(), until)]);
    assert_eq!(dump.entries[SERVER_KEY].value, super::Value::String(Bytes::from(info.encode())));
    let workers = dump.hash(WORKERS_KEY);
    assert_eq!(workers.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(workers["b"], worker("b").encode());
    for key in [SERVER_KEY, WORKERS_KEY] {
        let expires_at = dump.expires_at(key).expect("it goes away");
        assert!((expires_at - until).abs() <= 5, "{key} expires at {expires_at}, not about {until}");
    }
    assert_eq!(dump.entries.len(), 4);
}

async fn replaces_what_a_server_published(world: World) {
    publish(&world, &server(&world), &[worker("a"), worker("b")]).await;
    world.advance(3).await;
    let info = ServerInfo { status: "stopped".to_owned(), ..server(&world) };
    publish(&world, &info, &[worker("c")]).await;
    let dump = world.dump().await;
    assert_eq!(dump.entries[SERVER_KEY].value, super::Value::String(Bytes::from(info.encode())));
    assert_eq!(dump.hash(WORKERS_KEY).keys().collect::<Vec<_>>(), ["c"]);
    assert_eq!(dump.zset("asynq:servers"), [(SERVER_KEY.to_owned(), world.now() + 10)]);
    publish(&world, &info, &[]).await;
    let dump = world.dump().await;
    assert!(!dump.contains(WORKERS_KEY));
    assert_eq!(dump.zset("asynq:workers").len(), 1);
}

async fn a_servers_state_goes_away_by_itself(world: World) {
    publish(&world, &server(&world), &[worker("a")]).await;
    world.advance(5).await;
    assert!(world.dump().await.contains(SERVER_KEY));
    world.advance(6).await;
    let dump = world.dump().await;
    assert!(!dump.contains(SERVER_KEY) && !dump.contains(WORKERS_KEY));
    assert_eq!(dump.zset("asynq:servers").len(), 1, "readers drop what is past its score");
}

async fn a_servers_state_lasts_a_second_at_least(world: World) {
    let state =
        world.broker.write_server_state(&server(&world), &[worker("a")], Duration::from_millis(300)).await;
    state.expect("it is not refused");
    assert_eq!(world.dump().await.zset("asynq:servers"), [(SERVER_KEY.to_owned(), world.now() + 1)]);
}

async fn clears_a_server(world: World) {
    let other = ServerInfo { server_id: "s-2".to_owned(), ..server(&world) };
    publish(&world, &other, &[]).await;
    let before = world.dump().await;
    publish(&world, &server(&world), &[worker("a")]).await;
    for _ in 0..2 {
        world.broker.clear_server_state(&server(&world)).await.expect("the store answers");
        world.dump().await.assert_same(&before, "only the other server is left");
    }
}

async fn tells_of_no_task(world: World) {
    assert_eq!(world.info("a").await, None);
    world.store(&[pending_in("other", "a")]).await;
    assert_eq!(world.info("a").await, None);
    world.set_field("ghost", "state", b"pending").await;
    assert_eq!(world.info("ghost").await, None, "a hash without a message is no task");
}

async fn tells_all_of_a_task(world: World) {
    let message = TaskMessage {
        retry: 7,
        retried: 2,
        error_msg: "it broke".to_owned(),
        timeout: 90,
        deadline: 2_100_000_000,
        last_failed_at: 2_000_000_000,
        retention: 60,
        group_key: "g".to_owned(),
        headers: [("k".to_owned(), "v".to_owned())].into(),
        ..message("a")
    };
    world.store(&[NewTask { message: message.clone(), ..grouped("a") }]).await;
    let info = world.info("a").await.expect("it is stored");
    assert_eq!((info.id.as_str(), info.queue.as_str(), info.task_type.as_str()), ("a", "q", "t"));
    assert_eq!((info.payload, info.headers, info.group.as_str()), (message.payload, message.headers, "g"));
    assert_eq!((info.state, info.max_retry, info.retried), (TaskState::Aggregating, 7, 2));
    assert_eq!(info.last_error, "it broke");
    assert_eq!(info.last_failed_at, Some(from_unix_seconds(2_000_000_000)));
    assert_eq!((info.timeout, info.retention), (Duration::from_secs(90), Duration::from_secs(60)));
    assert_eq!(info.deadline, Some(from_unix_seconds(2_100_000_000)));
    assert_eq!((info.completed_at, info.result, info.next_process_at), (None, None, None));
    assert!(!info.is_orphaned);
}

async fn tells_when_a_task_will_run(world: World) {
    let now = world.now();
    let told = async |id: &str| {
        let info = world.info(id).await.expect("it is stored");
        (info.state, info.next_process_at)
    };
    world.store(&[scheduled("scheduled", now + 60)]).await;
    assert_eq!(told("scheduled").await, (TaskState::Scheduled, Some(from_unix_seconds(now + 60))));

    let leased = world.active("retry").await;
    assert_eq!(told("retry").await, (TaskState::Active, None));
    world
        .apply(&leased, Transition::Retry { message: failed(&leased), at: now + 15, is_failure: true })
        .await;
    assert_eq!(told("retry").await, (TaskState::Retry, Some(from_unix_seconds(now + 15))));

    complete(&world, "completed", now + 5).await;
    assert_eq!(told("completed").await, (TaskState::Completed, None));
    let leased = world.active("archived").await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: String::new() }).await;
    assert_eq!(told("archived").await, (TaskState::Archived, None));

    world.store(&[unique(pending("pending"), 60)]).await;
    world.fixture.advance(Duration::from_millis(3_125)).await;
    let this_second = from_unix_seconds(world.now());
    assert_eq!(told("pending").await, (TaskState::Pending, Some(this_second)), "now, in whole seconds");
}

async fn tells_of_an_orphan(world: World) {
    world.active("a").await;
    let is_orphaned = async || world.info("a").await.expect("it is stored").is_orphaned;
    world.advance(29).await;
    assert!(!is_orphaned().await);
    world.advance(1).await;
    assert!(is_orphaned().await, "its lease is over");
    world.set_lease("a", world.now() + 30).await;
    assert!(!is_orphaned().await);
    world.remove_lease("a").await;
    assert!(is_orphaned().await, "it has no lease");
}

async fn tells_of_a_result(world: World) {
    let leased = world.active("a").await;
    let message = TaskMessage { completed_at: world.now(), ..message("a") };
    let result = Some(Bytes::from_static(b"result"));
    let until = world.now() + 60;
    world.apply(&leased, Transition::Complete { message, until, result: result.clone() }).await;
    let info = world.info("a").await.expect("it is stored");
    assert_eq!(info.result, result);
    assert_eq!(info.completed_at, Some(from_unix_seconds(world.now())));
}

async fn tells_what_cannot_be_read(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.set_field("a", "msg", b"\xff\xff").await;
    world.set_field("b", "state", b"odd").await;
    for id in ["a", "b"] {
        let error = world.broker.task_info(&world.queue, &task_id(id)).await.expect_err("it cannot be read");
        assert_eq!(error.kind(), BrokerErrorKind::Protocol, "{id}");
    }
}

async fn next(cancellations: &mut dyn Messages) -> Option<String> {
    timeout(Duration::from_secs(20), cancellations.next()).await.expect("a request arrives")
}

async fn passes_a_cancellation_on(world: World) {
    let publish = async |id: &str| {
        world.broker.publish_cancellation(&task_id(id)).await.expect("the store answers");
    };
    let mut one = world.broker.cancellations().await.expect("the store answers");
    publish("a").await;
    let mut two = world.broker.cancellations().await.expect("the store answers");
    publish("b").await;
    assert_eq!(next(&mut *one).await.as_deref(), Some("a"));
    assert_eq!(next(&mut *one).await.as_deref(), Some("b"));
    assert_eq!(next(&mut *two).await.as_deref(), Some("b"), "only what comes after listening began");
    drop(timeout(Duration::from_millis(50), one.next()).await);
    publish("c").await;
    assert_eq!(next(&mut *one).await.as_deref(), Some("c"));
    assert!(world.dump().await.entries.is_empty(), "nothing is stored");
}

async fn a_cancellation_without_listeners_is_no_error(world: World) {
    world.broker.publish_cancellation(&task_id("a")).await.expect("nobody needs to listen");
    drop(world.broker.cancellations().await.expect("the store answers"));
    world.broker.publish_cancellation(&task_id("a")).await.expect("nobody listens anymore");
}
