//! The permissions that `docs/operations.md` says are enough are.

use std::ops::Range;
use std::time::Duration;

use asynq::broker::{BrokerErrorKind, CROWD, Demand, Settled, Transition};
use asynq::client::WaitError;
use asynq::inspector::{Class, Inspector, Page};
use asynq::{
    Client, Ctx, Error, PeriodicTask, QueueName, Router, Scheduler, StoredSchedules, Task, TaskOptions,
    TaskState,
};
use asynq_testkit::{RedisServer, eventually};

use crate::support::{chain, doing, ended, in_state, lease, one_of, worker};

/// A user as the document makes it, but with a password.
async fn user(redis: &RedisServer, name: &str) -> Client {
    let document = include_str!("../../docs/operations.md");
    let line = document.lines().find(|line| line.starts_with(&format!("ACL SETUSER {name} "))).unwrap();
    let line = line.replace(">PASSWORD", ">secret");
    redis.command::<()>(&line.split(' ').collect::<Vec<_>>()).await;
    Client::connect(&format!("redis://{name}:secret@127.0.0.1:{}", redis.port())).await.unwrap()
}

fn task(id: &str) -> TaskOptions {
    TaskOptions::new().task_id(id)
}

async fn enqueue(client: &Client, task_type: &str, options: TaskOptions) {
    client.enqueue(Task::new(task_type, "").unwrap().options(options)).await.unwrap();
}

async fn enqueue_of_every_kind(client: &Client) {
    enqueue(client, "good", task("pending").retention(Duration::from_secs(600))).await;
    enqueue(client, "good", task("unique").unique(Duration::from_secs(600))).await;
    enqueue(client, "good", task("due").process_in(Duration::from_secs(1))).await;
    enqueue(client, "good", task("later").process_in(Duration::from_secs(600))).await;
    enqueue(client, "good", task("grouped").group("g")).await;
    enqueue(client, "bad", task("again").max_retry(1)).await;
    enqueue(client, "bad", task("archived").max_retry(0)).await;
}

/// Some of each kind in one call, and one ID twice.
async fn enqueue_many(client: &Client) {
    let of = |id: &str, options: TaskOptions| Task::new("good", id.to_owned()).unwrap().options(options);
    let (one, two, a_while) = (task("one"), task("two"), Duration::from_secs(600));
    let batches = [
        vec![of("1", one.clone()), of("2", two), of("3", one)],
        vec![
            of("1", task("three").group("g")),
            of("2", task("four").group("h")),
            of("3", task("three").group("h")),
        ],
        vec![
            of("1", task("five").unique(a_while)),
            of("2", task("six").unique(a_while)),
            of("3", task("seven")),
        ],
        vec![
            of("1", task("eight").process_in(a_while)),
            of("2", task("nine").process_in(a_while).group("g")),
        ],
    ];
    for batch in batches {
        for result in client.enqueue_all(batch).await {
            assert!(matches!(result, Ok(_) | Err(Error::TaskIdConflict { .. })), "{result:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_document_grants_is_enough() {
    let redis = RedisServer::start().await;
    let client = user(&redis, "asynq-client").await;
    enqueue_of_every_kind(&client).await;
    enqueue_many(&client).await;
    let again = Task::new("good", "").unwrap().options(TaskOptions::new().unique(Duration::from_secs(600)));
    let refused = client.enqueue(again).await.unwrap_err();
    assert!(matches!(refused, Error::DuplicateTask { .. }), "{refused}");
    assert_eq!(redis.denied().await, Vec::<String>::new());

    let workers = user(&redis, "asynq-worker").await;
    let (router, _told) = doing(&["good", "bad", "cancelled"], |ctx: &Ctx| {
        if ctx.task_type() == "good" { Ok(()) } else { Err("fails".into()) }
    });
    let server = worker(&workers, router, &["default"]).start().await.unwrap();
    let waiter = user(&redis, "asynq-waiter").await;
    waiter.wait::<Task>("default", "pending").await.unwrap();
    let options = task("slow").process_in(Duration::from_secs(1)).retention(Duration::from_secs(600));
    let slow = waiter.enqueue(Task::new("good", "").unwrap().options(options)).await.unwrap();
    slow.wait(&waiter).await.unwrap();
    in_state(&workers, "default", "pending", TaskState::Completed).await;
    in_state(&workers, "default", "archived", TaskState::Archived).await;
    in_state(&workers, "default", "again", TaskState::Archived).await;
    assert_eq!(redis.denied().await, Vec::<String>::new());

    let inspector = user(&redis, "asynq-inspector").await;
    let inspect = Inspector::new(&inspector);
    let queue = QueueName::new("default").unwrap();
    assert_eq!(inspect.queues().await.unwrap(), std::slice::from_ref(&queue));
    eventually("the server is seen", async || inspect.servers().await.unwrap().first().map(|_| ())).await;
    let info = inspect.queue_info(&queue).await.unwrap();
    assert_eq!((info.archived, info.completed), (2, 2));
    assert!(info.memory_usage.is_some());
    inspect.history(&queue, 2).await.unwrap();
    inspect.task(&queue, "archived").await.unwrap();
    inspect.pause(&queue).await.unwrap();
    inspect.run(&queue, "archived").await.unwrap();
    inspect.archive(&queue, "later").await.unwrap();
    enqueue(&client, "good", task("watched").process_in(Duration::from_secs(600))).await;
    let waited = waiter.wait::<Task>("default", "watched").timeout(Duration::from_secs(60)).into_future();
    let delete = async {
        redis.until(&["EXISTS", "asynq:{default}:x:waits"], |found: &u32| *found == 1).await;
        inspect.delete(&queue, "watched").await.unwrap();
    };
    let (waited, ()) = tokio::join!(waited, delete);
    assert!(matches!(waited, Err(WaitError::Gone { .. })), "{waited:?}");
    inspect.delete(&queue, "later").await.unwrap();
    inspect.cancel("archived").await.unwrap();
    server.shutdown().await;
    inspect.resume(&queue).await.unwrap();
    inspect.store_info().await.unwrap();
    redis.command::<()>(&["LPUSH", "asynq:{default}:pending", "ghost"]).await;
    redis.command::<()>(&["SET", "asynq:{default}:processed:2020-01-01", "5"]).await;
    inspect.repair(Class::Ghost).await.unwrap();
    inspect.repair(Class::EndlessCounter).await.unwrap();
    inspect.force_delete_queue(&queue).await.unwrap();
    assert_eq!(redis.denied().await, Vec::<String>::new());
}

/// What a server does only where many tasks run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_running_tasks_needs_no_more() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let workers = user(&redis, "asynq-worker").await;
    let router = Router::new().route("held", async |_: Ctx| std::future::pending::<()>().await).unwrap();
    let router = router.route("good", async |_: Ctx| ()).unwrap();
    let held = (0..=CROWD).map(|_| Task::new("held", "").unwrap());
    assert!(client.enqueue_all(held).await.iter().all(Result::is_ok));
    let server = worker(&workers, router, &["default"])
        .concurrency(CROWD + 2)
        .shutdown_timeout(Duration::ZERO)
        .start()
        .await
        .unwrap();
    redis.until::<usize>(&["LLEN", "asynq:{default}:active"], |running| *running > CROWD).await;
    enqueue(&client, "good", task("it")).await;
    redis
        .until::<Option<i64>>(&["GET", "asynq:{default}:processed"], |processed| *processed == Some(1))
        .await;
    // It says at once that it stops, and what it runs.
    server.handle().stop();
    redis.until::<Vec<String>>(&["KEYS", "asynq:workers:*"], |found| !found.is_empty()).await;
    server.shutdown().await;
    assert_eq!(redis.denied().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_ends_among_very_many_is_taken_out_at_once_where_that_is_allowed() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let workers = user(&redis, "asynq-worker").await;
    let tasks = (0..1_400).map(|_| Task::new("held", "").unwrap());
    assert!(client.enqueue_all(tasks).await.iter().all(Result::is_ok));
    let all = Demand { slots: 1_400, ..one_of("default") };
    let leased = workers.broker().exchange(&[], &all).await.unwrap().leased;
    let end = async |range: Range<usize>| {
        let done = Transition::Done { unique_key: String::new() };
        let settlements: Vec<_> =
            leased[range].iter().map(|leased| ended(leased.clone(), done.clone())).collect();
        workers.broker().exchange(&settlements, &Demand::none()).await.unwrap().settled
    };
    assert_eq!(end(600..700).await, [Settled::Applied; 100]);
    assert_eq!(redis.denied().await, Vec::<String>::new());
    let statistics: String = redis.command(&["INFO", "commandstats"]).await;
    assert!(statistics.contains("cmdstat_lset:calls=101,"), "{statistics}");
    forbid(&redis, "lset").await;
    assert_eq!(end(700..800).await, [Settled::Applied; 100]);
    let active: usize = redis.command(&["LLEN", "asynq:{default}:active"]).await;
    assert_eq!(active, 1_200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_are_read_apart_from_the_others_where_that_is_allowed() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let workers = user(&redis, "asynq-worker").await;
    let (tell, mut told) = tokio::sync::mpsc::channel(10);
    let router = Router::new()
        .route("long", move |ctx: Ctx| {
            let (tell, length) = (tell.clone(), ctx.payload().len());
            async move { tell.send(length).await.map_err(asynq::BoxError::from) }
        })
        .unwrap();
    let server = worker(&workers, router, &["default"]).start().await.unwrap();
    let mut run = async |lengths: [usize; 3]| {
        for length in lengths {
            client.enqueue(Task::new("long", vec![b'x'; length]).unwrap()).await.unwrap();
            assert_eq!(told.recv().await, Some(length));
        }
    };
    run([10_000, 20_000, 30_000]).await;
    assert_eq!(redis.denied().await, Vec::<String>::new());
    let statistics: String = redis.command(&["INFO", "commandstats"]).await;
    assert!(statistics.contains("cmdstat_hstrlen:"), "{statistics}");
    forbid(&redis, "hstrlen").await;
    run([10_000, 10, 20_000]).await;
    server.shutdown().await;
}

#[tokio::test]
async fn long_messages_stay_pending_while_they_cannot_be_read() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let workers = user(&redis, "asynq-worker").await;
    for id in ["a", "b"] {
        let long = Task::new("long", vec![b'x'; 10_000]).unwrap().options(task(id));
        client.enqueue(long).await.unwrap();
    }
    let demand = one_of("default");
    let asks_since = Demand { pending_since: true, ..demand.clone() };
    lease(&workers, "default").await;
    forbid(&redis, "hget").await;
    for demand in [&demand, &asks_since] {
        let error = workers.broker().exchange(&[], demand).await.unwrap_err();
        assert!(chain(&error).contains("can't run this command"), "{}", chain(&error));
        let pending: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:pending", "0", "-1"]).await;
        assert_eq!(pending, ["b"]);
    }
    allow(&redis, "hget").await;
    let leased = workers.broker().exchange(&[], &asks_since).await.unwrap().leased.pop().unwrap();
    assert_eq!(leased.message.unwrap().payload.len(), 10_000);
    assert!(leased.pending_since.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_looks_needs_no_command_that_writes() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    enqueue_of_every_kind(&client).await;
    redis.command::<()>(&["LPUSH", "asynq:{default}:pending", "ghost"]).await;
    let looking = user(&redis, "asynq-inspector").await;
    let document = include_str!("../../docs/operations.md");
    let line = document.lines().find(|line| line.starts_with("One that only looks")).unwrap();
    for command in line.rsplit('`').nth(1).unwrap().split(' ').chain(["publish"]) {
        redis.command::<()>(&["ACL", "SETUSER", "asynq-inspector", &format!("-{command}")]).await;
    }
    let inspect = Inspector::new(&looking);
    let diagnosis = inspect.examine().await.unwrap();
    let classes: Vec<Class> = diagnosis.findings.iter().map(|finding| finding.class).collect();
    assert_eq!(classes, [Class::Unserved, Class::Ghost]);
    assert_eq!(redis.denied().await, Vec::<String>::new());
    let refused = inspect.repair(Class::Ghost).await.unwrap_err();
    assert!(chain(&refused).contains("can't run this command"), "{}", chain(&refused));
    assert_eq!(inspect.examine().await.unwrap().findings, diagnosis.findings, "nothing is done by half");
}

/// Takes a command away from a worker's user; given back by [`allow`].
async fn forbid(redis: &RedisServer, command: &str) {
    redis.command::<()>(&["ACL", "LOG", "RESET"]).await;
    redis.command::<()>(&["ACL", "SETUSER", "asynq-worker", &format!("-{command}")]).await;
}

async fn allow(redis: &RedisServer, command: &str) {
    redis.command::<()>(&["ACL", "SETUSER", "asynq-worker", &format!("+{command}")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_may_not_read_tasks_takes_none_for_missing() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let workers = user(&redis, "asynq-worker").await;
    forbid(&redis, "hget").await;
    for id in ["a", "b", "c"] {
        enqueue(&client, "good", task(id)).await;
    }
    let (router, mut told) = doing(&["good"], |_| Ok(()));
    let server = worker(&workers, router, &["default"]).start().await.unwrap();
    redis.until_denied(2).await;
    let pending: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:pending", "0", "-1"]).await;
    assert_eq!(pending, ["c", "b", "a"], "in their order");
    allow(&redis, "hget").await;
    for _ in 0..3 {
        told.recv().await.unwrap();
    }
    server.shutdown().await;
    assert_eq!(redis.command::<i64>(&["GET", "asynq:{default}:processed"]).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_waits_until_the_worker_may_write_it() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let workers = user(&redis, "asynq-worker").await;
    let (started, go_on) = (std::sync::Arc::new(tokio::sync::Notify::new()), tokio::sync::Notify::new());
    let go_on = std::sync::Arc::new(go_on);
    let router = {
        let (started, go_on) = (std::sync::Arc::clone(&started), std::sync::Arc::clone(&go_on));
        Router::new()
            .route("good", move |_: Ctx| {
                let (started, go_on) = (std::sync::Arc::clone(&started), std::sync::Arc::clone(&go_on));
                async move {
                    started.notify_one();
                    go_on.notified().await;
                }
            })
            .unwrap()
    };
    let server = worker(&workers, router, &["default"]).start().await.unwrap();
    enqueue(&client, "good", task("it")).await;
    started.notified().await;
    forbid(&redis, "hget").await;
    go_on.notify_one();
    redis.until_denied(2).await;
    let active: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:active", "0", "-1"]).await;
    assert_eq!(active, ["it"]);
    allow(&redis, "hget").await;
    redis
        .until::<Option<i64>>(&["GET", "asynq:{default}:processed"], |processed| *processed == Some(1))
        .await;
    server.shutdown().await;
    assert!(redis.command::<Vec<String>>(&["KEYS", "asynq:{default}:t:*"]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_stays_scheduled_while_it_cannot_be_read() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let workers = user(&redis, "asynq-worker").await;
    forbid(&redis, "hmget").await;
    enqueue(&client, "good", task("due").process_in(Duration::from_secs(1))).await;
    let scheduled = ["ZRANGE", "asynq:{default}:scheduled", "0", "-1", "WITHSCORES"];
    let due: i64 = redis.command::<Vec<(String, i64)>>(&scheduled).await[0].1;
    redis.until::<(i64, i64)>(&["TIME"], |(now, _)| *now > due).await;
    let (router, mut told) = doing(&["good"], |_| Ok(()));
    let server = worker(&workers, router, &["default"]).start().await.unwrap();
    redis.until_denied(2).await;
    assert_eq!(redis.command::<Vec<(String, i64)>>(&scheduled).await, [("due".to_owned(), due)]);
    allow(&redis, "hmget").await;
    assert_eq!(told.recv().await.unwrap().task_id(), "due");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_active_stays_while_another_worker_cannot_read_it() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    enqueue(&client, "held", task("active")).await;
    // By no server: of those of a queue, only one searches.
    lease(&client, "default").await;
    let workers = user(&redis, "asynq-worker").await;
    forbid(&redis, "hmget").await;
    let (router, mut told) = doing(&["held"], |_| Ok(()));
    let server = worker(&workers, router, &["default"]).start().await.unwrap();
    // Its search for active IDs without a task.
    redis.until_denied(2).await;
    let active: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:active", "0", "-1"]).await;
    assert_eq!(active, ["active"]);
    assert_eq!(redis.command::<i64>(&["ZCARD", "asynq:{default}:lease"]).await, 1);
    server.shutdown().await;
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn what_is_denied_is_named_and_the_password_never() {
    let redis = RedisServer::start().await;
    redis.command::<()>(&["ACL", "SETUSER", "u", "on", ">hunter2", "~*", "+ping"]).await;
    let url = |login: &str| format!("redis://{login}@127.0.0.1:{}", redis.port());
    let client = Client::connect(&url("u:hunter2")).await.unwrap();
    let error = client.enqueue(Task::new("t", "").unwrap()).await.unwrap_err();
    let Error::Broker(broker) = &error else { panic!("{error}") };
    assert_eq!(broker.kind(), BrokerErrorKind::Denied);
    let text = chain(&error);
    assert!(text.contains("evalsha") && !text.contains("hunter2"), "{text}");
    for login in ["u:hunter3", "nobody:hunter3", ":hunter3"] {
        let error = Client::connect(&url(login)).await.unwrap_err();
        let text = format!("{} {error:?}", chain(&error));
        assert!(text.contains("denied") && !text.contains("hunter3"), "{login}: {text}");
        assert!(text.contains("user name or password is wrong"), "{login}: {text}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_refused_is_named_too() {
    let redis = RedisServer::start().await;
    enqueue(&Client::connect(&redis.url()).await.unwrap(), "good", task("it")).await;
    let inspector = user(&redis, "asynq-inspector").await;
    redis.command::<()>(&["ACL", "SETUSER", "asynq-inspector", "-multi"]).await;
    let inspect = Inspector::new(&inspector);
    let error = inspect.task(&QueueName::new("default").unwrap(), "it").await.unwrap_err();
    let text = chain(&error);
    assert!(text.contains("denied") && text.contains("'multi' command"), "{text}");
    inspect.servers().await.expect("the connection lives");
}

#[tokio::test]
async fn an_inspector_may_manage_schedules_and_a_worker_run_them() {
    let redis = RedisServer::start().await;
    let (inspector, worker) = (user(&redis, "asynq-inspector").await, user(&redis, "asynq-worker").await);
    let schedules = StoredSchedules::new(&inspector);
    let tick = PeriodicTask::new("@every 1s", Task::new("tick", "").unwrap()).name("a");
    schedules.create(tick).await.unwrap();
    let builder = Scheduler::builder(&worker).heartbeat(Duration::from_secs(1));
    let scheduler = builder.stored_schedules(true).build().unwrap();
    scheduler.start().unwrap();
    let entry = schedules.get("a").await.unwrap().entry_id();
    eventually("it is run", async || {
        let events = Inspector::new(&inspector).enqueue_events(&entry, Page::first()).await.unwrap();
        (!events.is_empty()).then_some(())
    })
    .await;
    assert!(schedules.pause("a").await.unwrap() && schedules.resume("a").await.unwrap());
    schedules.delete("a").await.unwrap();
    scheduler.shutdown().await;
}
