//! On a terminal, one made by `script`: what is asked there, and what is redrawn.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use asynq_testkit::RedisServer;

use super::{done, seeded};

/// The program on a terminal.
fn on_terminal(redis: &RedisServer, words: &str) -> Child {
    Command::new("script")
        .args([
            "-qec",
            &format!("stty rows 10 cols 80; exec {} {words}", env!("CARGO_BIN_EXE_asynq")),
            "/dev/null",
        ])
        .env("ASYNQ_REDIS_URL", redis.url())
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What it wrote until this appeared.
fn until(child: &mut Child, part: &str) -> String {
    let out = child.stdout.as_mut().unwrap();
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.contains(part) {
        assert_eq!(out.read(&mut byte).unwrap(), 1, "no {part:?} in {text:?}");
        text.push(char::from(byte[0]));
    }
    text
}

/// Types this, and gives what is written until the end, and the exit code.
fn typed(mut child: Child, keys: &str) -> (String, Option<i32>) {
    child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    let mut rest = Vec::new();
    child.stdout.as_mut().unwrap().read_to_end(&mut rest).unwrap();
    (String::from_utf8_lossy(&rest).into_owned(), child.wait().unwrap().code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_is_redrawn_and_given_back() {
    let (redis, _client) = seeded().await;
    let mut child = on_terminal(&redis, "task list -q mail -s pending --watch=100ms");
    let drawn = until(&mut child, "p3");
    assert!(drawn.contains("\x1b[?1049h") && drawn.contains("\x1b[?25l"), "{drawn:?}");
    assert!(drawn.contains("every 100ms"), "{drawn:?}");
    until(&mut child, "p3");
    let (rest, code) = typed(child, "\x03");
    assert!(rest.contains("\x1b[?25h\x1b[?1049l"), "the cursor is back: {rest:?}");
    assert_eq!(code, Some(130));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_undone_is_asked() {
    let (redis, _client) = seeded().await;
    let mut child = on_terminal(&redis, "queue remove mail --force");
    until(&mut child, "its 4 tasks? Type its name:");
    assert_eq!(typed(child, "mial\n").1, Some(6));
    let mut child = on_terminal(&redis, "task delete --filter queue:mail -i p1");
    until(&mut child, "cannot be used with");
    assert_eq!(typed(child, "").1, Some(2));
    let mut child = on_terminal(&redis, "task archive --filter id:p1");
    until(&mut child, "archive 1 tasks? [y/N]");
    let (told, code) = typed(child, "y\n");
    assert!(told.contains("1 tasks archived, 0 failed"), "{told:?}");
    assert_eq!(code, Some(0));
    let mut child = on_terminal(&redis, "queue remove mail --force");
    until(&mut child, "Type its name:");
    assert_eq!(typed(child, "mail\n").1, Some(0));
    assert_eq!(done(&redis, &["queue", "list"]).out, "low\n");
}
