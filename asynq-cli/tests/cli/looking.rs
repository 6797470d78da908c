//! Looking again and again: `--watch`, `tail` and `wait`; and parts of lists.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use asynq_core::inspector::Inspector;
use asynq_core::task::{Task, TaskOptions};

use super::world::lively;
use super::{done, program, run, seeded};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_document_follows_the_other_until_it_is_interrupted() {
    let (redis, client) = seeded().await;
    let words = ["queue", "list", "--watch=100ms", "-o", "jsonl", "--columns", "queue,pending"];
    let mut child = program(&words)
        .env("ASYNQ_REDIS_URL", redis.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let low = r#"{"queue":"low","pending":0}"#;
    assert_eq!(lines.next().unwrap(), low);
    assert_eq!(lines.next().unwrap(), r#"{"queue":"mail","pending":3}"#);
    assert_eq!(lines.next().unwrap(), low, "once more");
    client.enqueue(Task::new("t", "").unwrap().options(TaskOptions::new().queue("mail"))).await.unwrap();
    assert!(lines.by_ref().any(|line| line == r#"{"queue":"mail","pending":4}"#));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let wrong = run(&redis, &["queue", "pause", "mail", "--watch"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("only look"), "{wrong:?}");
    assert_eq!(run(&redis, &["stats", "--watch=1ms"]).code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_told_as_lines() {
    let (redis, client) = seeded().await;
    let words = ["tail", "-o", "jsonl", "--interval", "100ms", "--type", "email:*", "--limit", "2"];
    let mut child = program(&words)
        .env("ASYNQ_REDIS_URL", redis.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says when it has looked for the first time.
    let mut remarks = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(remarks.next().unwrap().contains("watching"));
    let inspector = Inspector::new(&client);
    inspector.run("low", "s1").await.unwrap();
    inspector.archive("mail", "p1").await.unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut change = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap()).unwrap();
    let first = change();
    assert_eq!(
        (&first["id"], &first["from"], &first["to"]),
        (&"p1".into(), &"pending".into(), &"archived".into())
    );
    inspector.delete("mail", "p2").await.unwrap();
    let second = change();
    assert_eq!((&second["id"], &second["to"].is_null()), (&"p2".into(), &true));
    assert_eq!(child.wait().unwrap().code(), Some(0), "after the second change it ends");
    assert_eq!(run(&redis, &["tail", "-q", "mial"]).code, 3);
    assert_eq!(run(&redis, &["tail", "-o", "csv"]).code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_wait_for_a_state() {
    let world = lively().await;
    let wait = |words: &[&str]| run(&world.redis, &[&["wait", "--task"], words].concat());
    let completed = wait(&["w3", "-o", "json"]).json();
    assert_eq!((&completed["state"], &completed["result"]), (&"completed".into(), &"42".into()));
    assert_eq!(wait(&["p1", "-q", "mail", "--state", "pending,active"]).code, 0);
    for (words, code, part) in [
        (&["a1"][..], 4, "is archived"),
        (&["nope"], 3, "no queue has a task `nope`"),
        (&["w1", "--timeout", "300ms"], 1, "is active after 300ms"),
        (&["s1", "-s", "retry", "--timeout", "300ms"], 1, "is scheduled"),
        (&["w1", "--state", "complete"], 2, "known are"),
    ] {
        let ran = wait(words);
        assert_eq!(ran.code, code, "{words:?}: {ran:?}");
        assert!(ran.err.contains(part) && ran.out.is_empty(), "{words:?}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_has_an_order_and_a_part_of_time() {
    let world = lively().await;
    let ids = |words: &[&str]| {
        let out = done(&world.redis, &[&["task", "list", "--ids"], words].concat()).out;
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["-q", "mail", "-s", "pending", "--sort", "id", "--reverse"]), ["p3", "p2", "p1"]);
    assert_eq!(ids(&["-q", "mail", "-s", "pending", "--sort", "size", "--size", "1"]), ["p1"]);
    // What failed or is done within this hour; what is scheduled, when it is due.
    assert_eq!(
        ids(&["--filter", "-is:orphaned", "--since", "1h", "--until", "now", "--sort", "id"]),
        ["w2", "w3"]
    );
    assert_eq!(ids(&["--filter", "queue:low,work", "--since", "now", "--sort", "time"])[0], "s1");
    assert_eq!(ids(&["-q", "work", "-s", "completed", "--until", "1h"]), [""; 0]);
    assert_eq!(ids(&["-q", "mail", "-s", "pending", "--all"]).len(), 3);
    let wrong = run(&world.redis, &["task", "list", "-q", "mail", "-s", "pending", "--since", "long ago"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("`long ago` is no time"), "{wrong:?}");
}

/// Ctrl-C.
pub(super) fn interrupt(child: &std::process::Child) {
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
}
