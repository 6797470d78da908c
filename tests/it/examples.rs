//! Every example runs, as its page says.

use std::path::PathBuf;

use asynq_testkit::{Child, RedisServer};
use tokio::process::Command;

/// The built example; `cargo test --all-targets` has built it.
pub(crate) fn example(name: &str) -> Command {
    let folder =
        std::env::current_exe().unwrap().parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program: PathBuf = folder.join(name);
    if !program.exists() {
        let built = std::process::Command::new(env!("CARGO")).args(["build", "--examples"]).status().unwrap();
        assert!(built.success(), "the examples do not build");
    }
    Command::new(program)
}

#[tokio::test]
async fn quickstart_tells_the_whole_story_and_ends() {
    let mut quickstart = Child::spawn(&mut example("quickstart"));
    assert!(quickstart.ended().await);
    let last = quickstart.line("the last line", |line| line == "all sent").await;
    let lines = quickstart.lines();
    assert_eq!(lines.last(), Some(&last));
    for part in
        ["as pending", "as scheduled", "attempt 1: failed", "attempt 2: sending", "sent to eve@example.com"]
    {
        assert!(lines.iter().any(|line| line.contains(part)), "no line with {part:?}: {lines:#?}");
    }
}

#[tokio::test]
async fn producer_and_worker_share_a_redis() {
    let redis = RedisServer::start().await;
    let mut worker = Child::spawn(example("worker").env("ASYNQ_REDIS_URL", redis.url()));
    let mut producer = Child::spawn(example("producer").arg("3").env("ASYNQ_REDIS_URL", redis.url()));
    assert!(producer.ended().await);
    for number in 1..=3 {
        let sent = format!("sent \"Welcome\" to user{number}@example.com");
        worker.line(&sent, |line| line.starts_with(&sent)).await;
    }
    worker.signal("TERM");
    assert!(worker.ended().await, "it shuts down in good order");
    let left: Vec<String> = redis.command(&["KEYS", "asynq:{mail}:t:*"]).await;
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn a_worker_without_redis_says_so_in_one_line() {
    let mut worker = Child::spawn(example("worker").env("ASYNQ_REDIS_URL", "redis://:secret@127.0.0.1:1"));
    assert!(!worker.ended().await);
}

#[tokio::test]
async fn untyped_handles_what_has_no_type_here() {
    let mut untyped = Child::spawn(&mut example("untyped"));
    assert!(untyped.ended().await);
    untyped.line("the task is handled", |line| line.starts_with("handled image:resize")).await;
}

#[tokio::test]
async fn groups_makes_few_mails_of_many_notices() {
    let mut groups = Child::spawn(&mut example("groups"));
    assert!(groups.ended().await);
    groups.line("the last line", |line| line == "8 notices sent").await;
    let lines = groups.lines();
    let count = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
    assert_eq!((count(" is aggregating"), count("a single notice")), (8, 0), "{lines:#?}");
    assert!((2..8).contains(&count("to ann: ")) && (2..8).contains(&count("to bob: ")), "{lines:#?}");
}

#[tokio::test]
async fn periodic_shows_that_each_tick_runs_once() {
    let mut periodic = Child::spawn(&mut example("periodic"));
    assert!(periodic.ended().await);
    let last = periodic.line("the last line", |line| line == "three ticks, each once").await;
    let lines = periodic.lines();
    assert_eq!(lines.last(), Some(&last));
    let mut ticks: Vec<&String> = lines.iter().filter(|line| line.starts_with("metrics for Some")).collect();
    let count = ticks.len();
    ticks.dedup();
    assert!(count >= 3 && ticks.len() == count, "{lines:#?}");
    assert!(lines.iter().any(|line| line == "greetings to acme"), "{lines:#?}");
}

#[tokio::test]
async fn inspector_looks_mends_and_clears_away() {
    let mut inspector = Child::spawn(&mut example("inspector"));
    assert!(inspector.ended().await);
    inspector.line("the last line", |line| line == "queues left: [\"newsletter\"]").await;
    let lines = inspector.lines();
    for part in [
        "queue mail: 3 tasks, 3 pending",
        "task b is scheduled and goes to bob@example.com",
        "task c is in queue newsletter",
        "first page: [\"a\", \"b\"]",
        "archived 2 tasks",
        "refused: queue is not empty",
    ] {
        assert!(lines.iter().any(|line| line.contains(part)), "no line with {part:?}: {lines:#?}");
    }
}

#[tokio::test]
async fn testing_shows_how_a_job_is_tested() {
    let mut testing = Child::spawn(&mut example("testing"));
    assert!(testing.ended().await);
    testing.line("the last line", |line| line == "all tests passed").await;
}

#[tokio::test]
async fn middleware_surrounds_all_jobs_and_one() {
    let mut middleware = Child::spawn(&mut example("middleware"));
    assert!(middleware.ended().await);
    middleware.line("the last line", |line| line == "that is all").await;
    let lines = middleware.lines();
    for part in [
        "paying_only: refused freeloader",
        "timing: render freeloader failed",
        "rendered for ann",
        "timing: render bob done",
    ] {
        assert!(lines.iter().any(|line| line.contains(part)), "no line with {part:?}: {lines:#?}");
    }
}

#[tokio::test]
async fn rate_limit_lets_everybody_through_in_time() {
    let mut rate_limit = Child::spawn(&mut example("rate_limit"));
    assert!(rate_limit.ended().await);
    rate_limit
        .line("the last line", |line| line == "nobody was let in too early, and nobody has failed")
        .await;
    let lines = rate_limit.lines();
    for (part, times) in
        [("sent to", 5), ("called for red", 2), ("called for blue", 1), ("rendered page-", 2)]
    {
        let found = lines.iter().filter(|line| line.contains(part)).count();
        assert_eq!(found, times, "{part:?}: {lines:#?}");
    }
}

#[tokio::test]
async fn results_waits_for_what_jobs_return() {
    let mut results = Child::spawn(&mut example("results"));
    assert!(results.ended().await);
    results.line("the last line", |line| line == "all results are in").await;
    let lines = results.lines();
    for part in [
        "tea for 450 cents",
        "a cart for 500 cents",
        "3 bytes of label",
        "not yet: the order is in state retry",
        "task `…` in queue `orders` failed after 0 retries: water has no price",
    ] {
        assert!(lines.iter().any(|line| line == part), "no line with {part:?}: {lines:#?}");
    }
}

#[tokio::test]
async fn retries_tells_of_every_failure_and_end() {
    let mut retries = Child::spawn(&mut example("retries"));
    assert!(retries.ended().await);
    let lines = retries.lines();
    for line in
        ["good is done", "stolen is given up", "busy is given up", "broken is given up", "hook is given up"]
    {
        assert!(lines.iter().any(|told| told == line), "no line {line:?}: {lines:#?}");
    }
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("broken failed: no answer"), 3, "{lines:#?}");
    assert_eq!(count("hook failed: https://example.com/hook answers 503"), 2, "{lines:#?}");
}

#[tokio::test]
async fn shutdown_loses_nothing() {
    let mut shutdown = Child::spawn(&mut example("shutdown"));
    assert!(shutdown.ended().await);
    let lines = shutdown.lines();
    let at = |text: &str| lines.iter().position(|line| line == text);
    let restart = at("2 tasks wait for another worker, 0 are lost");
    assert!(at("short is done") < restart && restart < at("long is done"), "{lines:#?}");
    assert!(restart.is_some() && at("next is done").is_some(), "{lines:#?}");
}

#[tokio::test]
async fn unique_does_everything_once() {
    let mut unique = Child::spawn(&mut example("unique"));
    assert!(unique.ended().await);
    unique.line("the last line", |line| line == "everything once").await;
    let lines = unique.lines();
    for (part, times) in [
        ("refused: the first one still waits", 1),
        ("there already", 3),
        ("sent welcome to ann, as request 1 wanted", 1),
        ("sent welcome to bob", 1),
        ("sent receipt to eve, as request 4 wanted", 1),
        ("building books", 2),
        ("digest for ann", 1),
        ("another digest: not today", 1),
    ] {
        let found = lines.iter().filter(|line| line.contains(part)).count();
        assert_eq!(found, times, "{part:?}: {lines:#?}");
    }
}
