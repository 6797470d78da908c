//! `asynq web`: the Web UI, served.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

use asynq_testkit::{RedisServer, eventually};

use crate::{program, run, seeded};

/// The program, which is killed with the test that started it.
struct Web {
    child: Child,
    /// The first line that it says.
    line: String,
    errors: BufReader<ChildStderr>,
}

impl Web {
    fn start(redis: &RedisServer, words: &[&str]) -> Self {
        let mut command = program(&[&["web", "--bind", "127.0.0.1:0"], words].concat());
        let mut child = command.env("ASYNQ_REDIS_URL", redis.url()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        Self { child, line, errors }
    }

    fn get(&self, path: &str) -> String {
        let address = self.line.split("http://").nth(1).unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_ui_is_served_on_this_machine() {
    let (redis, _client) = seeded().await;
    let web = Web::start(&redis, &["--prefix", "/jobs", "--title", "staging"]);
    assert!(web.line.contains("/jobs/;"), "{}", web.line);
    let answer = web.get("/jobs/");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("staging"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_while_redis_is_away_and_goes_on_when_it_is_there() {
    let mut redis = RedisServer::start().await;
    redis.kill().await;
    let mut web = Web::start(&redis, &[]);
    let mut line = String::new();
    web.errors.read_line(&mut line).unwrap();
    assert!(line.starts_with("error: ") && line.contains("as soon as Redis answers"), "{line}");
    let answer = web.get("/");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Redis is away"), "{answer}");
    redis.restart().await;
    eventually("Redis is there", async || web.get("/").starts_with("HTTP/1.1 200").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_are_let_in_only_when_that_is_said() {
    let (redis, _client) = seeded().await;
    let refused = run(&redis, &["web", "--bind", "0.0.0.0:0"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("say --allow-unauthenticated"), "{refused:?}");
}
