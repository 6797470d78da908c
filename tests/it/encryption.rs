//! Encrypted connections, to real servers with certificates made for the test.

use std::time::Duration;

use asynq::{Client, ConnectOptions, Result, Task, TlsOptions};
use asynq_testkit::RedisServer;
use asynq_testkit::certificates::Authority;

use crate::support::{chain, telling, worker};

async fn connect(url: &str, tls: TlsOptions) -> Result<Client> {
    Client::connect_with(ConnectOptions::new(url)?.tls(tls)).await
}

/// The error of connecting, whole.
async fn refusal(url: &str, tls: TlsOptions) -> String {
    chain(&connect(url, tls).await.unwrap_err())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_travel_encrypted() {
    let authority = Authority::new();
    let redis = RedisServer::start_encrypted(&authority, &authority.sign("localhost"), false).await;
    let trusting = TlsOptions::new().authorities(authority.pem());
    let client = connect(&redis.encrypted_url(), trusting).await.unwrap();
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let sent = client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
    assert_eq!(told.recv().await.unwrap().task_id(), sent.id.as_str());
    server.shutdown().await;
}

#[tokio::test]
async fn a_certificate_that_is_not_right_names_itself() {
    let (authority, other) = (Authority::new(), Authority::new());
    let redis = RedisServer::start_encrypted(&authority, &authority.sign("localhost"), false).await;
    let url = redis.encrypted_url();
    let text = refusal(&url, TlsOptions::new().authorities(other.pem())).await;
    assert!(text.contains("the certificate's authority is not trusted here"), "{text}");
    assert!(text.contains("denied"), "{text}");
    let other_name = url.replace("localhost", "127.0.0.1");
    let text = refusal(&other_name, TlsOptions::new().authorities(authority.pem())).await;
    assert!(text.contains("the certificate is for another host name"), "{text}");

    let expired = RedisServer::start_encrypted(&authority, &authority.sign_expired("localhost"), false).await;
    let text = refusal(&expired.encrypted_url(), TlsOptions::new().authorities(authority.pem())).await;
    assert!(text.contains("the certificate has expired"), "{text}");
}

#[tokio::test]
async fn the_name_in_the_certificate_may_differ_from_the_host() {
    let authority = Authority::new();
    let redis = RedisServer::start_encrypted(&authority, &authority.sign("redis.example"), false).await;
    let named = TlsOptions::new().authorities(authority.pem()).server_name("redis.example");
    connect(&redis.encrypted_url(), named).await.unwrap();
}

#[tokio::test]
async fn a_server_that_asks_for_our_certificate_gets_it() {
    let authority = Authority::new();
    let redis = RedisServer::start_encrypted(&authority, &authority.sign("localhost"), true).await;
    let url = redis.encrypted_url();
    let trusting = TlsOptions::new().authorities(authority.pem());
    let ours = authority.sign("a client");
    let client = connect(&url, trusting.clone().identity(ours.certificate, ours.key)).await.unwrap();
    client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
    let text = refusal(&url, trusting).await;
    assert!(text.contains("does the server ask for a certificate of ours?"), "{text}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_with_a_wrong_certificate() {
    let redis = RedisServer::start().await;
    let url = format!("rediss://localhost:{}", redis.port());
    let tls = TlsOptions::new().authorities(Authority::new().pem());
    let options = ConnectOptions::new(&url).unwrap().tls(tls).connect_timeout(Duration::from_millis(500));
    let text = chain(&Client::connect_with(options).await.unwrap_err());
    assert!(text.contains("does not answer within 500ms; does it speak TLS there?"), "{text}");
}

#[tokio::test]
async fn options_that_can_never_be_right_are_refused_before_connecting() {
    let text = refusal("rediss://localhost:1", TlsOptions::new().authorities("no PEM")).await;
    assert_eq!(text, "invalid setting `tls`: certificate authorities: there is no certificate in the PEM");
    let text = refusal("unix:///run/redis.sock", TlsOptions::new()).await;
    assert_eq!(text, "invalid setting `tls`: a Unix socket is not encrypted; leave it out");
}
