//! A store that somebody has spoiled: whatever stands under any key, each program answers with an error or passes over
//! it; none dies, none hangs, none turns in circles, and what is whole goes on.

use std::panic::Location;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asynq::broker::{NewTask, Placement};
use asynq::inspector::{Collection, Inspector, Page, TaskEdit};
use asynq::wire::TaskMessage;
use asynq::{
    Client, Ctx, GroupSettings, PeriodicTask, Router, Scheduler, ServerBuilder, Task, TaskOptions, TaskState,
    UniqueUntil,
};
use asynq_testkit::{RedisServer, Spoil, eventually};

use crate::support::{in_state, info, redis, worker};

const COLLECTIONS: [Collection; 6] = [
    Collection::Pending,
    Collection::Active,
    Collection::Scheduled,
    Collection::Retry,
    Collection::Archived,
    Collection::Completed,
];

/// Panics in the library, which its loops would otherwise survive unseen.
fn panics() -> usize {
    static WATCH: Once = Once::new();
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    WATCH.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let file = panic.location().map_or("", Location::file);
            if file.contains("asynq-core/src") && !file.contains("conformance") {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            before(panic);
        }));
    });
    PANICS.load(Ordering::Relaxed)
}

fn server(client: &Client) -> ServerBuilder {
    let router = Router::new().route("good", async |_: Ctx| ()).unwrap();
    let router = router.route("bad", async |_: Ctx| Err::<(), _>("fails")).unwrap();
    worker(client, router, &["spoiled", "whole"])
        .groups(GroupSettings::new().grace(Duration::from_secs(1)))
        .janitor_interval(Duration::from_millis(100))
        .aggregator(|_: String, tasks: Vec<Task>| async move { Task::new("good", tasks.len().to_string()) })
}

/// Something of everything in a queue.
async fn fill(client: &Client) {
    let later = Duration::from_secs(600);
    for number in 0..4 {
        for (kind, task_type, options) in [
            ("done", "good", TaskOptions::new().retention(later)),
            ("unique", "good", TaskOptions::new().unique(later).unique_key(format!("k{number}"))),
            ("retry", "bad", TaskOptions::new()),
            ("archived", "bad", TaskOptions::new().max_retry(0)),
            ("later", "good", TaskOptions::new().process_in(later)),
            ("soon", "good", TaskOptions::new().process_in(Duration::from_secs(2))),
            ("group", "good", TaskOptions::new().group("g")),
        ] {
            let options = options.queue("spoiled").task_id(format!("{kind}{number}"));
            client.enqueue(Task::new(task_type, "{}").unwrap().options(options)).await.unwrap();
        }
    }
}

/// A store in which everything is that asynq stores.
async fn stored() -> (RedisServer, Client) {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    fill(&client).await;
    let scheduler = scheduler(&client);
    scheduler.start().unwrap();
    let server = server(&client).start().await.unwrap();
    in_state(&client, "spoiled", "done3", TaskState::Completed).await;
    in_state(&client, "spoiled", "archived3", TaskState::Archived).await;
    redis.until(&["EXISTS", "asynq:schedulers"], |found: &u32| *found == 1).await;
    // As a crash: what it holds and tells of itself stays.
    drop(server);
    drop(scheduler);
    (redis, client)
}

fn scheduler(client: &Client) -> Scheduler {
    let scheduler = Scheduler::builder(client).heartbeat(Duration::from_millis(100)).build().unwrap();
    let task = Task::new("good", "").unwrap().options(TaskOptions::new().queue("spoiled"));
    scheduler.register(PeriodicTask::new("@every 1s", task).name("every second")).unwrap();
    scheduler
}

/// Asks all that can be asked, and does all that can be done; what it answers does not matter, only that it does.
async fn ask_everything(client: &Client) {
    let asked = async {
        let inspector = Inspector::new(client);
        drop(inspector.queues().await);
        drop(inspector.servers().await);
        drop(inspector.scheduler_entries().await);
        drop(inspector.enqueue_events("every second", Page::first()).await);
        for queue in ["spoiled", "whole"] {
            drop(inspector.queue_info(queue).await);
            drop(inspector.history(queue, 90).await);
            drop(inspector.groups(queue).await);
            for collection in COLLECTIONS.into_iter().chain([Collection::Group("g".to_owned())]) {
                drop(inspector.list(queue, collection.clone(), Page::first()).await);
                if let Ok(mut tasks) = inspector.tasks(queue, collection).await {
                    while let Some(Ok(_)) = tasks.next().await {}
                }
            }
        }
        for kind in ["done", "unique", "retry", "archived", "later", "soon", "group"] {
            let id = |number: usize| format!("{kind}{number}");
            drop(inspector.task("spoiled", id(0)).await);
            drop(client.wait::<Task>("spoiled", id(0)).timeout(Duration::from_millis(10)).await);
            drop(inspector.edit("spoiled", id(0), TaskEdit::new().payload("new").max_retry(1)).await);
            drop(inspector.run("spoiled", id(0)).await);
            drop(inspector.archive("spoiled", id(1)).await);
            drop(inspector.move_task("spoiled", id(2), "whole").await);
            drop(inspector.delete("spoiled", id(3)).await);
            drop(inspector.cancel(id(3)).await);
        }
        drop(inspector.pause("spoiled").await);
        drop(inspector.resume("spoiled").await);
        drop(inspector.remove_stale_processes().await);
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("every question is answered");
}

/// A task of a queue that nobody has spoiled is run.
async fn whole_queue_works(client: &Client) {
    let options = TaskOptions::new().queue("whole").retention(Duration::from_secs(600));
    let sent = client.enqueue(Task::new("good", "").unwrap().options(options)).await.unwrap();
    in_state(client, "whole", &sent.id, TaskState::Completed).await;
}

/// How many commands a second the server is sent.
async fn commands(redis: &RedisServer) -> u64 {
    let processed = async || {
        let info: String = redis.command(&["INFO", "stats"]).await;
        let line = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let before = processed().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    processed().await - before
}

async fn survives(spoil: Spoil, parts: &[&str], seed: u64) {
    println!("{spoil:?} {parts:?}, seed {seed}");
    let before = panics();
    let (redis, client) = stored().await;
    let spoiled = redis.spoil(spoil, parts, seed).await;
    let scheduler = scheduler(&client);
    scheduler.start().unwrap();
    let server = server(&client).start().await.unwrap();
    if spoil == Spoil::Contents {
        whole_queue_works(&client).await;
    }
    ask_everything(&client).await;
    let rate = commands(&redis).await;
    assert!(rate < 2_000, "{rate} commands a second, seed {seed}");
    if spoil == Spoil::Types {
        // Who mends the store finds everybody at work.
        redis.delete_keys(&spoiled).await;
    }
    whole_queue_works(&client).await;
    tokio::time::timeout(Duration::from_secs(30), async {
        scheduler.shutdown().await;
        server.shutdown().await;
    })
    .await
    .expect("everything ends");
    ask_everything(&client).await;
    drop(Inspector::new(&client).force_delete_queue("spoiled").await);
    assert_eq!(panics(), before, "the library panicked, seed {seed}");
}

/// So many, or those that `ASYNQ_HOSTILE` names: `ASYNQ_HOSTILE=100..200`.
fn seeds(number: u64) -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let named = std::env::var("ASYNQ_HOSTILE").ok();
    let Some((first, end)) = named.as_deref().and_then(|seeds| seeds.split_once("..")) else {
        return 0..number;
    };
    first.parse().unwrap()..end.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contents_that_nobody_wrote_stop_nothing() {
    for seed in seeds(4) {
        survives(Spoil::Contents, &["{spoiled}"], seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_all_queues_share_may_be_spoiled_too() {
    for seed in seeds(3) {
        survives(
            Spoil::Contents,
            &["{spoiled}", "asynq:queues", "asynq:servers", "asynq:workers", "asynq:sched"],
            seed,
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_other_types_are_errors_until_they_are_gone() {
    for seed in seeds(4) {
        survives(Spoil::Types, &["asynq:"], seed).await;
    }
}

/// Go stores whatever number it is given, and so does anybody else.
#[tokio::test]
async fn numbers_of_any_size_are_run_and_settled() {
    // Spans are made only where somebody listens.
    let listening = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
    let _listening = tracing::subscriber::set_default(listening);
    let before = panics();
    let (redis, client) = redis().await;
    for client in [client, Client::in_memory()] {
        let mut news = Vec::new();
        for (number, extreme) in
            [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX].into_iter().enumerate()
        {
            let small = i32::try_from(extreme).unwrap_or(if extreme < 0 { i32::MIN } else { i32::MAX });
            for (field, task_type) in (0..5).flat_map(|field| [(field, "good"), (field, "bad")]) {
                let mut message = TaskMessage {
                    task_type: task_type.to_owned(),
                    id: format!("{number}-{field}-{task_type}"),
                    queue: "spoiled".to_owned(),
                    timeout: 60,
                    ..TaskMessage::default()
                };
                match field {
                    0 => message.retried = small,
                    1 => message.retry = small,
                    2 => message.timeout = extreme,
                    3 => message.deadline = extreme,
                    _ => message.retention = extreme,
                }
                let placement = Placement::Pending;
                let unique_until = UniqueUntil::default();
                news.push(NewTask { message, placement, unique_ttl: 0, unique_until });
            }
        }
        assert!(client.broker().enqueue(&news).await.iter().all(Result::is_ok));
        let server = server(&client).start().await.unwrap();
        let inspector = Inspector::new(&client);
        eventually("all are settled", async || {
            let info = inspector.queue_info("spoiled").await.unwrap();
            (info.pending + info.active == 0).then_some(())
        })
        .await;
        whole_queue_works(&client).await;
        ask_everything(&client).await;
        server.shutdown().await;
    }
    drop(redis);
    assert_eq!(panics(), before, "the library panicked");
}

/// In one call: a task whose place holds something else is refused, and leaves none of the others stored in no place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_cannot_be_placed_leaves_no_other_without_a_place() {
    for (spoiled, key) in [("group", "asynq:{whole}:g:bad"), ("groups", "asynq:{whole}:groups")] {
        let (redis, client) = redis().await;
        redis.command::<()>(&["SET", key, "spoiled"]).await;
        let task = |id: &str, group: Option<&str>| {
            let options = TaskOptions::new().queue("whole").task_id(id);
            let options = if let Some(group) = group { options.group(group) } else { options };
            Task::new("good", "").unwrap().options(options)
        };
        let tasks = [task("1", None), task("2", Some("fine")), task("3", Some("bad")), task("4", None)];
        let results = client.enqueue_all(tasks).await;
        assert!(results.iter().any(Result::is_err), "{spoiled}: {results:?}");
        for id in ["1", "2", "3", "4"] {
            let Some(stored) = info(&client, "whole", id).await else { continue };
            let id: String = id.to_owned();
            let place: Vec<String> = match stored.state {
                TaskState::Pending => redis.command(&["LRANGE", "asynq:{whole}:pending", "0", "-1"]).await,
                TaskState::Aggregating => {
                    let known: Vec<String> = redis.command(&["SMEMBERS", "asynq:{whole}:groups"]).await;
                    assert!(known.contains(&stored.group), "{spoiled}: the group of {id} is not known");
                    redis.command(&["ZRANGE", "asynq:{whole}:g:fine", "0", "-1"]).await
                }
                other => panic!("{spoiled}: task {id} is {other}"),
            };
            assert!(place.contains(&id), "{spoiled}: task {id} is stored, and in no place");
        }
    }
}
