//! `asynq exporter`, asked over HTTP as Prometheus does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use asynq_testkit::{RedisServer, eventually};

use super::{ended, program, seeded};

/// The program, which is killed with the test that started it.
#[derive(Debug)]
struct Exporter {
    child: Child,
    address: SocketAddr,
    errors: BufReader<std::process::ChildStderr>,
}

impl Exporter {
    /// Starts it on a free port and reads where it is.
    fn start(words: &[&str]) -> Self {
        let mut child =
            program(&[&["exporter", "--port", "0"], words].concat()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("metrics are at http://").unwrap_or_else(|| panic!("{line}"));
        Self { child, address: address.strip_suffix("/metrics").unwrap().parse().unwrap(), errors }
    }

    /// Status line, headers and body.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: exporter\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_is_answered() {
    let (redis, _client) = seeded().await;
    // As a unit file for Go's exporter has it.
    let address = format!("127.0.0.1:{}", redis.port());
    let exporter = Exporter::start(&["--redis-addr", &address, "--redis-db", "0", "--memory", "--entries"]);
    let (head, body) = exporter.get("/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    for line in [
        "asynq_x_up 1",
        "asynq_queue_size{queue=\"mail\"} 4",
        "asynq_tasks_enqueued_total{queue=\"low\",state=\"aggregating\"} 1",
        "# TYPE asynq_tasks_enqueued_total gauge",
        "# TYPE asynq_queue_memory_usage_approx_bytes gauge",
    ] {
        assert!(body.lines().any(|found| found == line), "no `{line}` in {body}");
    }
    assert!(exporter.get("/").1.contains("href=\"metrics\""));
    assert!(exporter.get("/healthz").0.starts_with("HTTP/1.1 200"));
    assert!(exporter.get("/other").0.starts_with("HTTP/1.1 404"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_without_a_redis_says_why_and_ends_when_told() {
    let mut redis = RedisServer::start().await;
    let url = redis.url().replace("redis://", "redis://:hunter2@");
    redis.kill().await;
    let mut exporter = Exporter::start(&["--redis-url", &url]);
    assert!(exporter.get("/metrics").1.contains("asynq_x_up 0\n"));
    let mut line = String::new();
    exporter.errors.read_line(&mut line).unwrap();
    assert!(line.starts_with("error: ") && line.contains("127.0.0.1") && !line.contains("hunter2"), "{line}");
    let pid = exporter.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let status = eventually("it ends", async || exporter.child.try_wait().unwrap()).await;
    assert_eq!(status.code(), Some(0));
}

#[test]
fn what_cannot_be_listened_on_is_said() {
    let ran = ended(&mut program(&["exporter", "--bind", "192.0.2.1"]));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("cannot listen on 192.0.2.1, port 9876"), "{ran:?}");
    let ran = ended(&mut program(&["exporter", "--max-age", "soon"]));
    assert_eq!(ran.code, 2, "{ran:?}");
}
