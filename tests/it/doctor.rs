//! The doctor: each fault made in a real Redis, told, put right, and its task run to the end; and a busy, healthy system
//! in which there is none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asynq::inspector::{Class, Diagnosis, Inspector};
use asynq::wire::ServerInfo;
use asynq::{Client, Ctx, Error, GroupSettings, Task, TaskOptions, TaskState};
use asynq_testkit::{GoPeer, RedisServer};
use serde_json::json;

use crate::support::{doing, in_state, lease, redis, telling, worker};

#[test]
fn the_document_tells_of_every_class() {
    let document = include_str!("../../docs/operations.md");
    for class in Class::ALL {
        let remedy = class.remedy().unwrap_or("cannot");
        let row = format!("| `{class}` | {} | {} | {remedy} |", class.severity(), class.explanation());
        assert!(document.contains(&row), "docs/operations.md lacks: {row}");
    }
}

/// A Redis with one queue, `q`, that a server seems to serve.
struct Clinic {
    redis: RedisServer,
    client: Client,
    inspector: Inspector,
}

impl Clinic {
    async fn open() -> Self {
        let (redis, client) = redis().await;
        let clinic = Self { redis, inspector: Inspector::new(&client), client };
        clinic.serve("q").await;
        clinic
    }

    /// Makes it look as if a server served this queue.
    async fn serve(&self, queue: &str) {
        let info = ServerInfo {
            server_id: "s".to_owned(),
            queues: BTreeMap::from([(queue.to_owned(), 1)]),
            ..ServerInfo::default()
        };
        self.client.broker().write_server_state(&info, &[], Duration::from_secs(3600)).await.unwrap();
    }

    /// Tasks that are kept when they are done.
    async fn enqueue(&self, id: &str, set: impl FnOnce(TaskOptions) -> TaskOptions) {
        let options = TaskOptions::new().queue("q").task_id(id).retention(Duration::from_secs(600));
        self.client.enqueue(Task::new("t", id.to_owned()).unwrap().options(set(options))).await.unwrap();
    }

    async fn command(&self, line: &str) {
        self.redis.command::<()>(&line.split(' ').collect::<Vec<_>>()).await;
    }

    async fn examine(&self) -> Diagnosis {
        self.inspector.examine().await.unwrap()
    }

    /// Exactly this is wrong, with these; it is put right; then nothing is wrong.
    async fn heals(&self, class: Class, subjects: &[&str]) {
        self.has_only(class, subjects).await;
        let repaired = self.inspector.repair(class).await.unwrap();
        assert_eq!((repaired.mended, repaired.left), (subjects.len(), 0), "{class}");
        assert_eq!(self.examine().await.findings, [], "after the repair of {class}");
    }

    async fn has_only(&self, class: Class, subjects: &[&str]) {
        let diagnosis = self.examine().await;
        let [finding] = diagnosis.findings.as_slice() else { panic!("{class}: {diagnosis:#?}") };
        assert_eq!((finding.class, finding.count), (class, subjects.len()), "{finding:?}");
        let mut sample = finding.sample.clone();
        sample.sort();
        assert_eq!(sample, subjects, "{finding:?}");
    }

    /// A worker runs these tasks to their ends.
    async fn runs(&self, ids: &[&str]) {
        let (router, _told) = telling(&["t"]);
        let server = worker(&self.client, router, &["q"])
            .groups(GroupSettings::new().grace(Duration::from_secs(1)))
            .aggregator(|_: String, tasks: Vec<Task>| async move {
                let id = String::from_utf8(tasks[0].payload().unwrap().to_vec()).unwrap();
                let options =
                    TaskOptions::new().task_id(format!("all-{id}")).retention(Duration::from_secs(600));
                Task::new("t", "").map(|task| task.options(options))
            })
            .start()
            .await
            .unwrap();
        for id in ids {
            in_state(&self.client, "q", id, TaskState::Completed).await;
        }
        server.shutdown().await;
        self.serve("q").await;
        assert_eq!(self.examine().await.findings, []);
    }
}

#[tokio::test]
async fn a_task_in_no_list_goes_where_its_state_says() {
    let clinic = Clinic::open().await;
    clinic.enqueue("pending", |options| options).await;
    clinic.enqueue("active", |options| options).await;
    lease(&clinic.client, "q").await;
    lease(&clinic.client, "q").await;
    clinic.command("HSET asynq:{q}:t:pending state pending").await;
    clinic.command("DEL asynq:{q}:active asynq:{q}:lease").await;
    clinic.enqueue("due", |options| options.process_in(Duration::from_secs(900))).await;
    clinic.command("DEL asynq:{q}:scheduled").await;
    clinic.enqueue("grouped", |options| options.group("g")).await;
    clinic.command("DEL asynq:{q}:g:g asynq:{q}:groups").await;
    clinic.heals(Class::Lost, &["active", "due", "grouped", "pending"]).await;
    clinic.runs(&["active", "due", "pending", "all-grouped"]).await;
}

#[tokio::test]
async fn fields_that_are_left_of_a_run_or_a_group_are_removed() {
    let clinic = Clinic::open().await;
    for id in ["kept", "runs", "went"] {
        clinic.enqueue(id, |options| options).await;
    }
    lease(&clinic.client, "q").await;
    clinic.enqueue("later", |options| options.process_in(Duration::from_secs(900)).group("g")).await;
    assert_eq!(clinic.examine().await.findings, [], "one that is to join a group says so");
    // As Go leaves them: `runs` was taken over from a server of ours, `went` was made due ahead of its time.
    clinic.command("HSET asynq:{q}:t:runs x_run r x_own s").await;
    clinic.command("HSET asynq:{q}:t:went x_group g").await;
    clinic.heals(Class::StaleFields, &["runs", "went"]).await;
    let detail = clinic.inspector.task("q", "later").await.unwrap();
    assert_eq!(detail.own_fields.keys().collect::<Vec<_>>(), ["x_group"], "that is left");
}

/// The list is longer than one call reads: it is searched in parts.
#[tokio::test]
async fn what_is_wrong_in_a_long_list_is_found() {
    let clinic = Clinic::open().await;
    let task =
        |n| Task::new("t", "").unwrap().options(TaskOptions::new().queue("q").task_id(format!("p{n}")));
    for sent in clinic.client.enqueue_all((0..12_000).map(task)).await {
        sent.unwrap();
    }
    assert_eq!(clinic.examine().await.findings, []);
    // In the middle of the list: one that is also to be retried, and an ID without a task.
    clinic.command("ZADD asynq:{q}:retry 5 p6000").await;
    clinic.has_only(Class::Doubled, &["p6000"]).await;
    assert_eq!(clinic.inspector.repair(Class::Doubled).await.unwrap().mended, 1);
    clinic.command("LINSERT asynq:{q}:pending BEFORE p7000 ghost").await;
    clinic.heals(Class::Ghost, &["ghost"]).await;
    clinic.command("LINSERT asynq:{q}:pending BEFORE p2000 p9000").await;
    clinic.heals(Class::Doubled, &["p9000"]).await;
    // Taken out of the middle; and in front of it others leave meanwhile, which is none of our business.
    clinic.command("LREM asynq:{q}:pending 1 p5000").await;
    clinic.heals(Class::Lost, &["p5000"]).await;
    assert_eq!(clinic.inspector.queue_info("q").await.unwrap().pending, 12_000);
}

#[tokio::test]
async fn an_id_without_a_task_is_removed() {
    let clinic = Clinic::open().await;
    clinic.enqueue("kept", |options| options).await;
    for line in [
        "RPUSH asynq:{q}:pending a",
        "LPUSH asynq:{q}:active b",
        "ZADD asynq:{q}:lease 1000 b",
        "HSET asynq:{q}:t:b state active",
        "ZADD asynq:{q}:retry 5 c",
        "ZADD asynq:{q}:g:g 5 d",
        "SADD asynq:{q}:groups g",
        "HSET asynq:{q}:t:e result x",
        "ZADD asynq:{q}:lease 5 f",
    ] {
        clinic.command(line).await;
    }
    clinic.heals(Class::Ghost, &["a", "b", "c", "d", "e", "f"]).await;
    clinic.runs(&["kept"]).await;
    assert_eq!(clinic.redis.command::<usize>(&["EXISTS", "asynq:{q}:groups", "asynq:{q}:t:e"]).await, 0);
}

#[tokio::test]
async fn a_task_in_two_places_keeps_one() {
    let clinic = Clinic::open().await;
    clinic.enqueue("twice", |options| options).await;
    clinic.command("LPUSH asynq:{q}:pending twice").await;
    clinic.enqueue("archived", |options| options).await;
    clinic.command("ZADD asynq:{q}:archived 2000000000 archived").await;
    clinic.enqueue("retried", |options| options.process_in(Duration::from_secs(1))).await;
    clinic.command("ZADD asynq:{q}:retry 2000000000 retried").await;
    clinic.heals(Class::Doubled, &["archived", "retried", "twice"]).await;
    assert_eq!(clinic.redis.command::<usize>(&["LLEN", "asynq:{q}:pending"]).await, 2);
    clinic.runs(&["archived", "retried", "twice"]).await;
}

#[tokio::test]
async fn a_state_that_is_not_the_places_is_set() {
    let clinic = Clinic::open().await;
    clinic.enqueue("odd", |options| options).await;
    clinic.command("HSET asynq:{q}:t:odd state lurking").await;
    clinic.enqueue("none", |options| options).await;
    clinic.command("HDEL asynq:{q}:t:none state").await;
    // Go leaves such behind where trimming the archive fails half-way.
    clinic.enqueue("trimmed", |options| options).await;
    clinic.inspector.archive("q", "trimmed").await.unwrap();
    clinic.command("HSET asynq:{q}:t:trimmed state active").await;
    clinic.enqueue("moved", |options| options.group("g")).await;
    clinic.command("HSET asynq:{q}:t:moved group elsewhere").await;
    clinic.heals(Class::Misplaced, &["moved", "none", "odd", "trimmed"]).await;
    clinic.inspector.run("q", "trimmed").await.unwrap();
    clinic.runs(&["none", "odd", "trimmed", "all-moved"]).await;
}

#[tokio::test]
async fn an_active_task_gets_a_lease() {
    let clinic = Clinic::open().await;
    clinic.enqueue("active", |options| options).await;
    lease(&clinic.client, "q").await;
    clinic.command("DEL asynq:{q}:lease").await;
    clinic.heals(Class::Unleased, &["active"]).await;
    clinic.runs(&["active"]).await;
}

#[tokio::test]
async fn a_lease_of_a_task_that_is_not_active_is_removed() {
    let clinic = Clinic::open().await;
    clinic.enqueue("waiting", |options| options).await;
    clinic.command("ZADD asynq:{q}:lease 1000 waiting").await;
    clinic.heals(Class::StrayLease, &["waiting"]).await;
    clinic.runs(&["waiting"]).await;
}

#[tokio::test]
async fn what_nobody_serves_is_told_and_orphans_become_pending() {
    let clinic = Clinic::open().await;
    clinic.enqueue("orphan", |options| options).await;
    lease(&clinic.client, "q").await;
    clinic.command("ZADD asynq:{q}:lease 1000 orphan").await;
    assert_eq!(clinic.examine().await.findings, [], "a server recovers it");
    clinic.serve("other").await;
    clinic.has_only(Class::Orphaned, &["orphan"]).await;
    assert_eq!(clinic.inspector.repair(Class::Orphaned).await.unwrap().mended, 1);
    clinic.has_only(Class::Unserved, &["q"]).await;
    let refused = clinic.inspector.repair(Class::Unserved).await.unwrap_err();
    assert!(refused.to_string().contains("Start a server"), "{refused}");
    clinic.runs(&["orphan"]).await;
}

#[tokio::test]
async fn an_unreadable_task_is_archived() {
    let clinic = Clinic::open().await;
    clinic.enqueue("bad", |options| options).await;
    clinic.command("HSET asynq:{q}:t:bad msg garbage").await;
    clinic.enqueue("good", |options| options).await;
    clinic.heals(Class::Unreadable, &["bad"]).await;
    clinic.runs(&["good"]).await;
    assert!(clinic.redis.command::<Option<String>>(&["ZSCORE", "asynq:{q}:archived", "bad"]).await.is_some());
}

#[tokio::test]
async fn a_queue_that_is_not_listed_is_listed_again() {
    let clinic = Clinic::open().await;
    clinic.enqueue("waiting", |options| options).await;
    clinic.command("SREM asynq:queues q").await;
    clinic.heals(Class::UnlistedQueue, &["q"]).await;
    clinic.runs(&["waiting"]).await;
}

#[tokio::test]
async fn groups_are_listed_while_they_hold_tasks() {
    let clinic = Clinic::open().await;
    clinic.enqueue("first", |options| options.group("a:b")).await;
    clinic.command("SADD asynq:{q}:groups empty").await;
    clinic.heals(Class::EmptyGroup, &["empty"]).await;
    clinic.command("SREM asynq:{q}:groups a:b").await;
    clinic.heals(Class::UnlistedGroup, &["a:b"]).await;
    clinic.runs(&["all-first"]).await;

    clinic.enqueue("second", |options| options.group("a:b")).await;
    clinic.command("RENAME asynq:{q}:g:a:b asynq:{q}:g:a:b:some-id").await;
    clinic.command("SREM asynq:{q}:groups a:b").await;
    clinic.heals(Class::StraySet, &["a:b:some-id"]).await;
    clinic.runs(&["all-second"]).await;
}

#[tokio::test]
async fn locks_whose_tasks_are_gone_or_given_up_are_told() {
    let clinic = Clinic::open().await;
    let unique = |options: TaskOptions| options.unique(Duration::from_secs(600));
    clinic.enqueue("gone", unique).await;
    clinic.command("DEL asynq:{q}:t:gone asynq:{q}:pending").await;
    clinic.heals(Class::StaleLock, &["asynq:{q}:unique:t:50c1f58be7f5e47e0f53d64c094783c2"]).await;
    clinic.enqueue("given-up", unique).await;
    clinic.inspector.archive("q", "given-up").await.unwrap();
    clinic.heals(Class::ArchivedLock, &["asynq:{q}:unique:t:9e7ac6b35441a8c9b46d9c4960138068"]).await;
    // One that is kept for its whole time is as it should be.
    clinic
        .enqueue("kept", |options| {
            options.unique(Duration::from_secs(600)).unique_until(asynq::UniqueUntil::Ttl)
        })
        .await;
    clinic.runs(&["kept"]).await;
}

#[tokio::test]
async fn what_the_dead_have_left_is_cleared_away() {
    let clinic = Clinic::open().await;
    clinic.enqueue("kept", |options| options).await;
    for set in ["servers", "workers", "schedulers"] {
        clinic.command(&format!("ZADD asynq:{set} 1000 asynq:{set}:{{h:1:x}}")).await;
    }
    let dead = ["schedulers", "servers", "workers"].map(|set| format!("asynq:{set}:{{h:1:x}}"));
    clinic.has_only(Class::DeadProcess, &dead.each_ref().map(String::as_str)).await;
    assert!(clinic.inspector.repair(Class::DeadProcess).await.unwrap().mended > 0);
    assert_eq!(clinic.examine().await.findings, []);
    clinic.command("ZADD asynq:{q}:x:owners 1000 long-dead").await;
    clinic.heals(Class::Leftover, &["long-dead"]).await;
    clinic.command("SET asynq:{deleted}:processed 5").await;
    clinic.command("ZADD asynq:{deleted}:x:owners 1000 s2").await;
    let leftovers = clinic.examine().await;
    assert_eq!(leftovers.findings.iter().map(|finding| finding.class).collect::<Vec<_>>(), [Class::Leftover]);
    clinic.inspector.repair(Class::Leftover).await.unwrap();
    assert_eq!(clinic.examine().await.findings, []);
    assert_eq!(clinic.redis.command::<usize>(&["EXISTS", "asynq:{deleted}:processed"]).await, 0);
    assert_eq!(clinic.inspector.queues().await.unwrap().len(), 1);
    clinic.runs(&["kept"]).await;
}

#[tokio::test]
async fn a_forgotten_pause_an_endless_counter_and_a_full_archive_are_told() {
    let clinic = Clinic::open().await;
    clinic.enqueue("kept", |options| options).await;
    clinic.inspector.pause("q").await.unwrap();
    assert_eq!(clinic.examine().await.findings, [], "it holds a task");
    clinic.inspector.archive("q", "kept").await.unwrap();
    clinic.heals(Class::PausedEmpty, &["q"]).await;
    clinic.command("SET asynq:{q}:processed:2026-01-01 5").await;
    clinic.heals(Class::EndlessCounter, &["asynq:{q}:processed:2026-01-01"]).await;
    clinic.command("ZADD asynq:{q}:archived 1000 kept").await;
    clinic.has_only(Class::FullArchive, &["q"]).await;
    clinic.inspector.run("q", "kept").await.unwrap();
    clinic.runs(&["kept"]).await;
}

#[tokio::test]
async fn keys_of_the_wrong_kind_are_put_aside() {
    let clinic = Clinic::open().await;
    clinic.enqueue("kept", |options| options).await;
    clinic.command("SET asynq:{q}:retry x").await;
    clinic.command("SET asynq:{q}:groups x").await;
    clinic.command("SET asynq:{q}:t:no-task x").await;
    clinic.command("LPUSH asynq:{q}:unique:t:x x").await;
    clinic
        .has_only(
            Class::WrongType,
            &["asynq:{q}:groups", "asynq:{q}:retry", "asynq:{q}:unique:t:x", "no-task"],
        )
        .await;
    assert_eq!(clinic.inspector.repair(Class::WrongType).await.unwrap().mended, 4);
    assert_eq!(clinic.examine().await.findings, []);
    assert_eq!(clinic.redis.command::<String>(&["GET", "asynq:{q}:x:aside:retry"]).await, "x");
    clinic.command("RENAME asynq:queues asynq:saved").await;
    clinic.command("SET asynq:queues x").await;
    assert_eq!(clinic.inspector.repair(Class::WrongType).await.unwrap().mended, 1);
    clinic.heals(Class::UnlistedQueue, &["q"]).await;
    clinic.runs(&["kept"]).await;
}

#[tokio::test]
async fn a_store_that_evicts_is_told() {
    let clinic = Clinic::open().await;
    clinic.command("CONFIG SET maxmemory-policy allkeys-lru").await;
    assert_eq!(clinic.examine().await.findings, [], "it may use as much memory as it likes");
    clinic.command("CONFIG SET maxmemory 1gb").await;
    clinic.has_only(Class::Evicting, &["maxmemory-policy is allkeys-lru"]).await;
    let of_queue = clinic.inspector.examine().queue("q").await;
    assert!(matches!(of_queue, Err(Error::QueueNotFound { .. })), "{of_queue:?}");
    clinic.enqueue("kept", |options| options).await;
    assert_eq!(clinic.inspector.examine().queue("q").await.unwrap().findings, [], "that is the store's");
}

#[tokio::test]
async fn a_store_that_does_not_save_is_told() {
    let clinic = Clinic::open().await;
    let folder: Vec<String> = clinic.redis.command(&["CONFIG", "GET", "dir"]).await;
    // What cannot be replaced by a file.
    std::fs::create_dir(std::path::Path::new(&folder[1]).join("dump.rdb")).unwrap();
    clinic.command("BGSAVE").await;
    let info = |info: &String| info.contains("rdb_last_bgsave_status:err");
    clinic.redis.until(&["INFO", "persistence"], info).await;
    let detail = "the last snapshot failed, and the append-only file is off";
    clinic.has_only(Class::Unsaved, &[detail]).await;
}

#[tokio::test]
async fn clocks_that_differ_are_told() {
    let redis = RedisServer::start().await;
    let now = asynq::clock::Clock::system().now();
    let ahead = asynq::clock::Clock::manual(now + Duration::from_secs(40));
    let broker = asynq::broker::redis::RedisBroker::connect(&redis.url(), ahead).await.unwrap();
    let diagnosis = Inspector::new(&Client::new(Arc::new(broker))).examine().await.unwrap();
    assert_eq!(diagnosis.findings.len(), 1, "{diagnosis:?}");
    assert_eq!(diagnosis.findings[0].class, Class::ClockSkew);
    assert!(diagnosis.findings[0].detail.contains("behind"), "{diagnosis:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_healthy_system_has_no_findings() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let theirs = go.serve(&["--queues", "go=1", "--concurrency", "4"]).await;
    let (router, _told) = doing(&["t", "all"], |ctx: &Ctx| {
        if ctx.retried() == 0 && ctx.payload().first() == Some(&b'7') { Err("again".into()) } else { Ok(()) }
    });
    let server = worker(&client, router, &["q", "r"])
        .groups(GroupSettings::new().grace(Duration::from_secs(1)).max_size(20))
        .aggregator(|_: String, _: Vec<Task>| async move { Task::new("all", "") })
        .start()
        .await
        .unwrap();
    let inspector = Inspector::new(&client);
    asynq_testkit::eventually("both servers are seen", async || {
        (inspector.servers().await.unwrap().len() == 2).then_some(())
    })
    .await;
    let is_over = Arc::new(AtomicBool::new(false));
    let produce = async {
        for round in 0..60 {
            let task = |n: usize| {
                let options = TaskOptions::new().queue(if n.is_multiple_of(2) { "q" } else { "r" });
                let options = match n % 6 {
                    0 => options.unique(Duration::from_secs(60)).retention(Duration::from_secs(2)),
                    1 => options.process_in(Duration::from_secs(1)),
                    2 => options.group("g"),
                    _ => options,
                };
                Task::new("t", format!("{n}-{round}")).unwrap().options(options)
            };
            for result in client.enqueue_all((0..60).map(task)).await {
                result.unwrap();
            }
            if round % 20 == 0 {
                let task = |n: usize| {
                    let options = match n % 4 {
                        0 => json!({"queue": "go", "unique_ms": 60_000}),
                        1 => json!({"queue": "go", "process_in_ms": 1_000}),
                        2 => json!({"queue": "go", "group": "g"}),
                        _ => json!({"queue": "go", "retention_ms": 600_000}),
                    };
                    json!({"type": "t", "payload": {"n": n, "round": round}, "opts": options})
                };
                go.enqueue_all((0..40).map(task)).await;
            }
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let examine = async {
        let mut times = 0;
        while !is_over.load(Ordering::Relaxed) || times < 5 {
            let diagnosis = inspector.examine().await.unwrap();
            assert_eq!(diagnosis.findings, [], "after {times} examinations");
            times += 1;
        }
    };
    tokio::join!(produce, examine);
    server.shutdown().await;
    drop(theirs);
}
