//! Passwords, keys and payloads are in no text that this library makes: not in what it logs, at any level, nor in errors,
//! nor in the debug form of anything. A program of its own, for it hears all that is logged.
#![cfg(all(feature = "rustls", feature = "encryption", feature = "macros"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::broker::redis::Address;
use asynq::payload::{Key, Keyring, Payloads};
use asynq::{
    Client, ConnectOptions, Ctx, Error, GroupSettings, Inspector, PeriodicTask, Router, Scheduler, Server,
    Task, TaskOptions, TlsOptions, job,
};
use asynq_testkit::certificates::Authority;
use asynq_testkit::{RedisServer, eventually};

const PASSWORD: &str = "s3cret-password";
const SENTINEL_PASSWORD: &str = "s3cret-sentinel";
const PAYLOAD: &str = "s3cret-payload";
/// The base64 of what the second is.
const KEY: (&str, &str) =
    ("czNjcmV0LWtleS1zM2NyZXQta2V5LXMzY3JldC1rZXk=", "s3cret-key-s3cret-key-s3cret-key");

/// All that was logged or told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Told {
    fn debug(&self, thing: &impl Debug) {
        writeln!(self.0.lock().unwrap(), "{thing:?} {thing:#?}").unwrap();
    }

    fn error(&self, error: &Error) {
        self.debug(error);
        let mut next: Option<&dyn std::error::Error> = Some(error);
        while let Some(cause) = next {
            writeln!(self.0.lock().unwrap(), "{cause} {cause:?}").unwrap();
            next = cause.source();
        }
    }

    /// Fails if it holds one of the secrets.
    fn holds_no_secret(&self) {
        let told = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        let of_key = format!("{:?}", &KEY.1.as_bytes()[..8]);
        for secret in ["s3cret", "czNjcmV0", "PRIVATE KEY", of_key.trim_matches(['[', ']'])] {
            let found = told.lines().find(|line| line.contains(secret));
            assert_eq!(found, None, "this tells `{secret}`");
        }
    }
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[job(name = "typed", unregistered)]
async fn typed(number: u32) {
    println!("{number}");
}

/// Addresses and options, whole and broken ones.
async fn tell_of_connections(told: &Told) {
    for url in [
        "redis://user:P@host:6379/3",
        "redis://:P@host",
        "redis-socket://u:P@/run/redis.sock",
        "redis-cluster://u:P@a,b",
        "redis-sentinel://u:S@a,b/0?master=m&username=x&password=P",
        // What is wrong with each is told without the rest of it.
        "redis://user:P@host:port/3",
        "redis://user:P@host:99999/3",
        "redis://user:P@host/three",
        "redis://user:P %zz@host",
        "redis://user:%zzP@host",
        "redis://user:P\n@host",
        "redis//user:P@host",
        "http://user:P@host",
        "redis-sentinel://:S@a:b?master=m&password=P",
        "redis-sentinel://:S@a?master=m&password=%zzP",
        "redis-cluster://u:P@a/1",
        "rediss+unix://u:P@a",
        "P",
    ] {
        let url = url.replace('P', PASSWORD).replace('S', SENTINEL_PASSWORD);
        match url.parse::<Address>() {
            Ok(address) => {
                told.debug(&address);
                told.debug(&address.to_string());
            }
            Err(error) => told.error(&error),
        }
        match ConnectOptions::new(&url) {
            Ok(options) => told.debug(&options),
            Err(error) => told.error(&error),
        }
    }
    let identity = Authority::new().sign("a client");
    let tls = TlsOptions::new().identity(identity.certificate, identity.key);
    told.debug(&tls);
    let options = ConnectOptions::new("redis-sentinel://127.0.0.1:1?master=m").unwrap();
    let options = options.login("user", PASSWORD).sentinel_login("user", SENTINEL_PASSWORD).tls(tls);
    told.debug(&options);
    told.error(&Client::connect_with(options.connect_timeout(Duration::from_millis(500))).await.unwrap_err());
    let nowhere = format!("redis://user:{PASSWORD}@127.0.0.1:1");
    told.error(&Client::connect(&nowhere).await.unwrap_err());
    told.debug(&Client::connect(&nowhere).await);
}

/// A server on a Redis with a password, with tasks that cannot be read, fail, and are encrypted.
async fn tell_of_work(told: &Told) {
    let redis = RedisServer::start_with(&["--requirepass", PASSWORD]).await;
    let wrong = format!("redis://:{PASSWORD}-not@127.0.0.1:{}", redis.port());
    told.error(&Client::connect(&wrong).await.unwrap_err());
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", redis.port());
    let plain = Client::connect(&url).await.unwrap();
    let keys = Keyring::new("k1", Key::from_base64(KEY.0).unwrap()).unwrap();
    told.error(&Key::from_base64(KEY.0.trim_end_matches('=')).unwrap_err());
    told.debug(&keys);
    let payloads = Payloads::new().keys(keys).encrypt_all();
    told.debug(&payloads);
    let client = plain.clone().payloads(payloads.clone());
    told.debug(&client);

    let router = Router::jobs(asynq::jobs![Typed]).unwrap();
    let seen = told.clone();
    let router = router
        .route("untyped", move |ctx: Ctx| {
            seen.debug(&ctx);
            async move {
                // Heard with all that the span of the run tells.
                tracing::info!("runs");
                if ctx.retried() == 0 { Err("fails") } else { Ok(()) }
            }
        })
        .unwrap();
    let builder = Server::builder(&client)
        .router(router)
        .retry_policy(asynq::RetryPolicy::Fixed(Duration::ZERO))
        .groups(GroupSettings::new().grace(Duration::from_secs(1)))
        .aggregator(|_: String, _: Vec<Task>| async { Err::<(), _>("fails") });
    told.debug(&builder);
    let server = builder.start().await.unwrap();
    told.debug(&server);
    let scheduler = Scheduler::builder(&client).build().unwrap();
    let periodic = PeriodicTask::new("@every 1s", Task::new("untyped", PAYLOAD).unwrap());
    scheduler.register(periodic).unwrap();
    scheduler.start().unwrap();
    told.debug(&scheduler);
    let inspector = Inspector::new(&client);
    told.debug(&inspector);

    let json = |payload: &str| format!(r#"{{"number":"{payload}"}}"#);
    let task = |task_type: &str, id: &str| {
        Task::new(task_type, json(PAYLOAD)).unwrap().options(TaskOptions::new().task_id(id).max_retry(1))
    };
    let other = Keyring::new("k1", Key::new([1; 32])).unwrap();
    let forged = plain.clone().payloads(Payloads::new().keys(other).encrypt_all());
    for (client, task) in [
        (&plain, task("typed", "plain")),
        (&client, task("typed", "encrypted")),
        (&forged, task("typed", "forged")),
        (&client, task("untyped", "fails")),
        (&client, task("unknown", "unknown")),
        (&client, task("typed", "group").options(TaskOptions::new().group("g"))),
    ] {
        client.enqueue(task).await.unwrap();
    }
    let small = plain.clone().payloads(Payloads::new().max_size(1));
    told.error(&small.enqueue(task("typed", "large")).await.unwrap_err());
    told.error(&client.enqueue(task("typed", "plain")).await.unwrap_err());
    for id in ["plain", "encrypted", "forged", "unknown"] {
        let archived = eventually(&format!("{id} is given up"), async || {
            let found = inspector.task("default", id).await.unwrap().info;
            (found.state == asynq::TaskState::Archived).then_some(found)
        })
        .await;
        told.debug(&archived.last_error);
    }
    eventually("the other one is run", async || {
        inspector.task("default", "fails").await.is_err().then_some(())
    })
    .await;
    let options = TaskOptions::new().group("g").task_id("again");
    client.enqueue(Task::new("untyped", PAYLOAD).unwrap().options(options)).await.unwrap();
    eventually("an aggregator has failed", async || {
        let log = told.0.lock().unwrap();
        String::from_utf8_lossy(&log).contains("aggregator failed").then_some(())
    })
    .await;
    scheduler.shutdown().await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_text_tells_a_secret() {
    let told = Told::default();
    let log = told.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || log.clone())
        .init();
    tell_of_connections(&told).await;
    tell_of_work(&told).await;
    let text = String::from_utf8_lossy(&told.0.lock().unwrap()).into_owned();
    for heard in ["server starts", "server has ended", "task{id=", "cannot be decoded"] {
        assert!(text.contains(heard), "nothing was heard of `{heard}`");
    }
    told.holds_no_secret();
}
