//! `asynq web`: the Web UI, served.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::{program, run, seeded};

#[tokio::test(flavor = "multi_thread")]
async fn the_web_ui_is_served_on_this_machine() {
    let (redis, _client) = seeded().await;
    let mut command = program(&["web", "--bind", "127.0.0.1:0", "--prefix", "/jobs", "--title", "staging"]);
    let mut child = command.env("ASYNQ_REDIS_URL", redis.url()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    assert!(line.contains("/jobs/;"), "{line}");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /jobs/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("staging"), "{answer}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_are_let_in_only_when_that_is_said() {
    let (redis, _client) = seeded().await;
    let refused = run(&redis, &["web", "--bind", "0.0.0.0:0"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("say --allow-unauthenticated"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_of_a_prometheus_is_refused() {
    let (redis, _client) = seeded().await;
    let refused = run(&redis, &["web", "--bind", "127.0.0.1:0", "--prometheus", "localhost:9090"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("must begin with http:// or https://"), "{refused:?}");
}
