//! Payloads that are compressed and encrypted, from the client to the handler and everywhere on the way: on the memory
//! broker and on Redis.

use std::time::Duration;

use asynq::inspector::{Inspector, TaskEdit};
use asynq::payload::{Compression, Key, Keyring, Payloads};
use asynq::server::BadPayloads;
use asynq::testing::Rig;
use asynq::{
    Client, Compressed, Encrypted, Error, Job, Json, PeriodicTask, Router, Scheduler, Server, State, Task,
    TaskOptions, TaskState, job,
};
use asynq_testkit::eventually;
use tokio::sync::mpsc;

use crate::support::{doing, in_state, info, redis, telling, worker};

const SECRET: &str = "4111-1111-1111-1111";

fn key(byte: u8) -> Key {
    Key::new([byte; 32])
}

fn keys() -> Keyring {
    Keyring::new("k1", key(1)).unwrap()
}

#[job(name = "payloads:charge", codec = Encrypted<Compressed<Json>>, unregistered)]
async fn charge(card: &str, State(charged): State<mpsc::Sender<String>>) -> anyhow::Result<()> {
    charged.send(card.to_owned()).await?;
    Ok(())
}

#[job(name = "payloads:render", codec = Compressed<Json>, unregistered)]
async fn render(text: &str, State(rendered): State<mpsc::Sender<String>>) -> anyhow::Result<()> {
    rendered.send(text.to_owned()).await?;
    Ok(())
}

/// Runs a test on either broker.
async fn on_both(test: impl AsyncFn(Client)) {
    test(Client::in_memory()).await;
    let (_redis, client) = redis().await;
    test(client).await;
}

async fn server(client: &Client) -> (Server, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel(100);
    let jobs = asynq::jobs![Charge, Render];
    (Server::builder(client).jobs(jobs).state(tell).start().await.unwrap(), told)
}

#[tokio::test]
async fn a_job_is_stored_encrypted_and_run_as_it_was() {
    on_both(async |client| {
        let client = client.payloads(Payloads::new().keys(keys()));
        let (server, mut told) = server(&client).await;
        let options = |options: TaskOptions| options.retention(Duration::from_secs(600)).task_id("c");
        Charge::new(SECRET).enqueue(&client).options(options).await.unwrap();
        assert_eq!(told.recv().await.unwrap(), SECRET);
        let stored = in_state(&client, "default", "c", TaskState::Completed).await;
        assert_eq!(stored.headers["asynq-layers"], "aes-256-gcm;k1");
        assert!(!String::from_utf8_lossy(&stored.payload).contains("4111"));
        assert_eq!(client.open(&stored).unwrap(), format!(r#"{{"card":"{SECRET}"}}"#));

        let long = "text ".repeat(10_000);
        let sent = Render::new(long.as_str()).enqueue(&client).await.unwrap();
        assert_eq!(sent.headers["asynq-layers"], "zstd");
        assert!(sent.payload.len() < 200);
        assert_eq!(told.recv().await.unwrap(), long);
        // What was enqueued as it is, by Go or before the job changed, is run, too.
        let plain = Task::new("payloads:charge", r#"{"card":"plain"}"#).unwrap();
        client.enqueue(plain).await.unwrap();
        assert_eq!(told.recv().await.unwrap(), "plain");
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn every_task_is_encrypted_where_the_client_does_so_to_all() {
    on_both(async |client| {
        let client = client.payloads(Payloads::new().keys(keys()).encrypt_all().compress_all());
        let (router, mut told) =
            doing(&["t"], |ctx| if ctx.retried() < 2 { Err("again".into()) } else { Ok(()) });
        let server = worker(&client, router, &["default"])
            .retry_policy(asynq::RetryPolicy::Fixed(Duration::ZERO))
            .start()
            .await
            .unwrap();
        let secret = SECRET.repeat(1_000);
        client.enqueue(Task::new("t", secret.clone()).unwrap().header("tenant", "42")).await.unwrap();
        for retried in 0..3 {
            let ctx = told.recv().await.unwrap();
            assert_eq!((ctx.payload().as_ref(), ctx.retried()), (secret.as_bytes(), retried));
            assert_eq!(ctx.headers().keys().collect::<Vec<_>>(), ["tenant"]);
        }
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_missing_is_named_and_the_task_waits_for_who_has_it() {
    on_both(async |client| {
        let old = client.clone().payloads(Payloads::new().keys(keys()));
        let new = client.payloads(Payloads::new().keys(Keyring::new("k2", key(2)).unwrap()));
        let sent = Charge::new(SECRET).enqueue(&old).options(|options| options.task_id("c")).await.unwrap();
        let (server, _told) = server(&new).await;
        let archived = in_state(&new, "default", "c", TaskState::Archived).await;
        let missing = "it is encrypted with key `k1`, and this program has `k2`";
        assert!(archived.last_error.contains(missing), "{}", archived.last_error);
        server.shutdown().await;
        assert_eq!(archived.payload, sent.payload);

        let (router, _told) = telling(&["payloads:"]);
        let patient =
            worker(&new, router, &["default"]).bad_payloads(BadPayloads::put_back()).start().await.unwrap();
        Inspector::new(&new).run("default", "c").await.unwrap();
        in_state(&new, "default", "c", TaskState::Retry).await;
        patient.shutdown().await;
        let both = Keyring::new("k2", key(2)).unwrap().and("k1", key(1)).unwrap();
        let rotated = new.payloads(Payloads::new().keys(both));
        let (router, mut told) = telling(&["payloads:"]);
        let server = worker(&rotated, router, &["default"]).start().await.unwrap();
        Inspector::new(&rotated).run("default", "c").await.unwrap();
        assert!(String::from_utf8_lossy(told.recv().await.unwrap().payload()).contains(SECRET));
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn locks_are_of_what_was_written_so_equal_jobs_stay_equal() {
    on_both(async |client| {
        let client = client.payloads(Payloads::new().keys(keys()));
        let send = || Charge::new(SECRET).enqueue(&client).unique_for(Duration::from_secs(60));
        send().await.unwrap();
        assert!(matches!(send().await, Err(Error::DuplicateTask { .. })));
        let other = Charge::new("other").enqueue(&client).unique_for(Duration::from_secs(60));
        other.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn operators_move_and_edit_what_they_cannot_read() {
    on_both(async |client| {
        let keyed = client.clone().payloads(Payloads::new().keys(keys()).max_size(100));
        let delayed = |options: TaskOptions| options.task_id("c").process_in(Duration::from_secs(600));
        Charge::new(SECRET).enqueue(&keyed).options(delayed).await.unwrap();
        let blind = Inspector::new(&client);
        let moved = blind.move_task("default", "c", "other").await.unwrap();
        assert_eq!(keyed.open(&moved).unwrap(), format!(r#"{{"card":"{SECRET}"}}"#));

        let edit = || TaskEdit::new().payload(r#"{"card":"new"}"#);
        let error = blind.edit("other", "c", edit()).await.unwrap_err();
        assert!(matches!(error, Error::PayloadNotStored { .. }), "{error}");
        let edited = Inspector::new(&keyed).edit("other", "c", edit()).await.unwrap();
        assert_eq!(edited.headers["asynq-layers"], "aes-256-gcm;k1");
        assert_eq!(keyed.open(&edited).unwrap(), r#"{"card":"new"}"#);
        let error = Inspector::new(&keyed).update_payload("other", "c", vec![b'a'; 101]).await.unwrap_err();
        assert!(matches!(error, Error::PayloadTooLarge { limit: 100, .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn groups_are_aggregated_from_what_was_written() {
    on_both(async |client| {
        let client = client.payloads(Payloads::new().keys(keys()).encrypt_all());
        let sealed =
            client.clone().payloads(Payloads::new().keys(Keyring::new("k2", key(2)).unwrap()).encrypt_all());
        let member = |payload: &'static str, id: &str| {
            Task::new("line", payload).unwrap().options(TaskOptions::new().group("g").task_id(id))
        };
        client.enqueue(member("a", "1")).await.unwrap();
        sealed.enqueue(member("b", "2")).await.unwrap();
        client.enqueue(member("c", "3")).await.unwrap();
        let (router, mut told) = telling(&["lines"]);
        let settings = asynq::GroupSettings::new().grace(Duration::from_secs(1));
        let server = worker(&client, router, &["default"])
            .groups(settings)
            .aggregator(|_: String, tasks: Vec<Task>| async move {
                let lines: Vec<&[u8]> = tasks.iter().map(|task| task.payload().unwrap().as_ref()).collect();
                Task::new("lines", lines.concat())
            })
            .start()
            .await
            .unwrap();
        assert_eq!(told.recv().await.unwrap().payload(), "ac");
        let left = in_state(&client, "default", "2", TaskState::Archived).await;
        assert!(left.last_error.contains("key `k2`"), "{}", left.last_error);
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_scheduler_shows_no_payload_that_it_encrypts() {
    on_both(async |client| {
        let client = client.payloads(Payloads::new().keys(keys()).encrypt_all());
        let scheduler = Scheduler::builder(&client).heartbeat(Duration::from_millis(50)).build().unwrap();
        scheduler.register(PeriodicTask::new("@every 1s", Task::new("t", SECRET).unwrap())).unwrap();
        scheduler.start().unwrap();
        let entries = eventually("the entry is shown", async || {
            Some(client.broker().scheduler_entries().await.unwrap()).filter(|entries| !entries.is_empty())
        })
        .await;
        assert_eq!(entries[0].task_payload, "");
        let (router, mut told) = telling(&["t"]);
        let server = worker(&client, router, &["default"]).start().await.unwrap();
        assert_eq!(told.recv().await.unwrap().payload(), SECRET);
        scheduler.shutdown().await;
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_worker_may_take_nothing_that_is_not_encrypted() {
    on_both(async |client| {
        let strict = Payloads::new().keys(keys()).only_encrypted();
        let (router, mut told) = telling(&["t"]);
        let server = worker(&client, router, &["default"]).payloads(strict).start().await.unwrap();
        let plain = Task::new("t", SECRET).unwrap().options(TaskOptions::new().task_id("p"));
        client.enqueue(plain).await.unwrap();
        let archived = in_state(&client, "default", "p", TaskState::Archived).await;
        assert!(archived.last_error.contains("not encrypted") && !archived.last_error.contains("4111"));
        let keyed = client.payloads(Payloads::new().keys(keys()).encrypt_all());
        keyed.enqueue(Task::new("t", SECRET).unwrap()).await.unwrap();
        assert_eq!(told.recv().await.unwrap().payload(), SECRET);
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_or_cannot_be_encrypted_is_not_enqueued() {
    on_both(async |client| {
        let limited = client.clone().payloads(Payloads::new().max_size(10));
        let large = || Task::new("t", "a".repeat(11)).unwrap();
        let results = limited.enqueue_all([large(), Task::new("t", "small").unwrap()]).await;
        assert!(matches!(results[0], Err(Error::PayloadTooLarge { size: 11, limit: 10, .. })));
        assert!(results[1].is_ok());
        // Jobs enqueue by the client of their worker.
        let router = Router::new().route("t", async |ctx: asynq::Ctx| {
            let error = ctx.client().enqueue(Task::new("u", "a".repeat(11)).unwrap()).await.unwrap_err();
            Err::<(), _>(error.to_string())
        });
        let server = worker(&client, router.unwrap(), &["default"]).payloads(Payloads::new().max_size(10));
        let server = server.start().await.unwrap();
        let options = TaskOptions::new().max_retry(0).task_id("t");
        client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
        let failed = in_state(&client, "default", "t", TaskState::Archived).await;
        assert_eq!(
            failed.last_error,
            "payload of job `u` is too large: 11 bytes, and at most 10 are allowed"
        );
        server.shutdown().await;

        let error = Charge::new(SECRET).enqueue(&client).await.unwrap_err();
        assert!(error.to_string().contains("this client has no keys"), "{error}");
        let marked = Task::new("t", "").unwrap().header("asynq-layers", "zstd");
        assert!(matches!(client.enqueue(marked).await, Err(Error::InvalidOption(_))));
        assert!(info(&client, "default", "none").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_rig_runs_and_shows_what_is_encrypted() {
    let (tell, mut told) = mpsc::channel::<String>(10);
    let payloads = Payloads::new().keys(keys()).compression(Compression::new().above(0));
    let rig = Rig::new().payloads(payloads).server(|server| server.jobs(asynq::jobs![Charge])).state(tell);
    Charge::new(SECRET).enqueue(rig.client()).await.unwrap();
    let stored = rig.assert_enqueued::<Charge>(|charge| charge.card == SECRET);
    assert_ne!(stored.info.payload, stored.job.encode().unwrap());
    rig.drain().await.assert_success();
    assert_eq!(told.recv().await.unwrap(), SECRET);
    rig.perform(Charge::new("other")).await.unwrap();
    assert_eq!(told.recv().await.unwrap(), "other");
}
