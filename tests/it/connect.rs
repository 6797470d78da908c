//! What `ConnectOptions` say beyond a URL.

use std::sync::Arc;
use std::time::{Duration, Instant};

use asynq::broker::redis::RedisBroker;
use asynq::clock::Clock;
use asynq::{Client, ConnectOptions, Error, Task};
use asynq_testkit::RedisServer;

use crate::support::{chain, telling, worker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_prefix_shares_nothing_with_the_usual_one() {
    let redis = RedisServer::start().await;
    let options = ConnectOptions::new(&redis.url()).unwrap().key_prefix("staging").unwrap();
    let client = Client::connect_with(options).await.unwrap();
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
    told.recv().await.unwrap();
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert!(!keys.is_empty() && keys.iter().all(|key| key.starts_with("staging:")), "{keys:?}");
    server.shutdown().await;
    for wrong in ["", "a{b", "}"] {
        let error = ConnectOptions::new(&redis.url()).unwrap().key_prefix(wrong).unwrap_err();
        assert!(matches!(error, Error::InvalidSetting { name: "key_prefix", .. }), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_the_program_has_is_shared_until_it_breaks() {
    let redis = RedisServer::start().await;
    let own = redis.connection().await;
    let options = ConnectOptions::new(&redis.url()).unwrap();
    let broker = RedisBroker::connect_sharing(own, options, Clock::system()).await.unwrap();
    let client = Client::new(Arc::new(broker));
    client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
    let connections: String = redis.command(&["CLIENT", "LIST", "TYPE", "normal"]).await;
    // The program's, and that of this very command.
    assert_eq!(connections.lines().count(), 2, "{connections}");
    redis.command::<i64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    asynq_testkit::eventually("a connection of its own works", async || {
        client.enqueue(Task::new("t", "").unwrap()).await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let redis = RedisServer::start().await;
    redis.freeze();
    let limit = Duration::from_millis(200);
    let options = ConnectOptions::new(&redis.url()).unwrap().connect_timeout(limit).response_timeout(limit);
    let begun = Instant::now();
    let error = Client::connect_with(options).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(4), "{}", chain(&error));
    redis.thaw();
}

#[tokio::test]
async fn a_sentinel_url_names_the_master() {
    let error = Client::connect("redis-sentinel://localhost").await.unwrap_err();
    assert!(error.to_string().contains("name of the master is missing"), "{error}");
}
