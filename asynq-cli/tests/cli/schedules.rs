//! Stored schedules: made, changed, paused, deleted, run.

use std::time::Duration;

use asynq_core::broker::TimetableChange;
use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::scheduler::{Scheduler, StoredSchedules};
use asynq_testkit::{RedisServer, eventually};
use serde_json::{Value, json};

use super::{done, run, with_input};

const NEW: [&str; 14] = [
    "cron",
    "create",
    "bill 7",
    "--spec",
    "0 6 1 * *",
    "-t",
    "bill",
    "-l",
    r#"{"tenant":7}"#,
    "--time-zone",
    "Europe/Rome",
    "-q",
    "billing",
    "--max-retry=3",
];

fn shown(redis: &RedisServer, name: &str) -> Value {
    done(redis, &["cron", "show", name, "-o", "json"]).json()[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_made_changed_and_deleted() {
    let redis = RedisServer::start().await;
    let dry: Vec<&str> = NEW.into_iter().chain(["--dry-run"]).collect();
    let ran = done(&redis, &dry);
    assert!(ran.out.starts_with("schedule bill 7: would be created; fires next 20"), "{ran:?}");
    assert_eq!(run(&redis, &["cron", "show", "bill 7"]).code, 3, "it was not");

    let ran = done(&redis, &NEW);
    assert!(ran.out.starts_with("schedule bill 7: created; fires next 20"), "{ran:?}");
    let ran = run(&redis, &NEW);
    assert!(ran.code == 4 && ran.err.contains("already exists"), "{ran:?}");
    let schedule = shown(&redis, "bill 7");
    assert_eq!(
        (
            &schedule["spec"],
            &schedule["time_zone"],
            &schedule["type"],
            &schedule["queue"],
            &schedule["state"]
        ),
        (&json!("0 6 1 * *"), &json!("Europe/Rome"), &json!("bill"), &json!("billing"), &json!("idle"))
    );
    assert_eq!(schedule["options"], json!(["Queue(\"billing\")", "MaxRetry(3)"]));
    assert_eq!(
        (&schedule["payload"], schedule["next"].as_array().unwrap().len()),
        (&json!(r#"{"tenant":7}"#), 5)
    );
    assert!(schedule["when"].as_str().unwrap().contains("06:00"), "{schedule}");
    // By its ID it is the same.
    assert_eq!(shown(&redis, schedule["id"].as_str().unwrap()), schedule);

    let edit = [
        "cron",
        "edit",
        "bill 7",
        "--spec",
        "@daily",
        "--retry",
        "9",
        "--header",
        "a=b",
        "--catch-up",
        "last",
    ];
    let dry: Vec<&str> = edit.into_iter().chain(["--dry-run", "-o", "json"]).collect();
    assert_eq!(done(&redis, &dry).json()["spec"], "@daily");
    assert_eq!(shown(&redis, "bill 7"), schedule, "nothing was changed");
    assert!(done(&redis, &edit).out.starts_with("schedule bill 7: changed; fires next "));
    let changed = shown(&redis, "bill 7");
    assert_eq!((&changed["spec"], &changed["catch_up"]), (&json!("@daily"), &json!("last")));
    assert_eq!(
        (&changed["options"], &changed["headers"]),
        (&json!(["Queue(\"billing\")", "MaxRetry(9)"]), &json!({"a": "b"}))
    );
    assert_eq!((&changed["payload"], &changed["time_zone"]), (&schedule["payload"], &schedule["time_zone"]));
    assert_ne!(changed["revision"], schedule["revision"]);
    let ran = run(&redis, &["cron", "edit", "bill 7", "--unset", "retries"]);
    assert!(ran.code == 2 && ran.err.contains("`retries` is no option"), "{ran:?}");
    done(&redis, &["cron", "edit", "bill 7", "--unset", "max_retry"]);
    assert_eq!(shown(&redis, "bill 7")["options"], json!(["Queue(\"billing\")"]));
    let ran = with_input(&redis, &["cron", "edit", "bill 7", "-l", "-"], "new");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(shown(&redis, "bill 7")["payload"], "new");

    let ran = run(&redis, &["cron", "delete", "bill 7"]);
    assert!(ran.code == 6 && ran.err.contains("add --yes"), "{ran:?}");
    assert_eq!(
        done(&redis, &["cron", "rm", "bill 7", "--dry-run"]).out,
        "schedule bill 7: would be deleted\n"
    );
    assert_eq!(done(&redis, &["cron", "rm", "bill 7", "-y"]).out, "schedule bill 7: deleted\n");
    assert_eq!(done(&redis, &["cron", "list", "-o", "json"]).json(), json!([]));
    assert_eq!(run(&redis, &["cron", "rm", "bill 7", "-y"]).code, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_and_changes_nothing() {
    let redis = RedisServer::start().await;
    done(&redis, &NEW);
    let before = shown(&redis, "bill 7");
    for (words, code, text) in [
        (&["create", "x", "--spec", "0 6 * *", "-t", "t"][..], 2, "invalid schedule `0 6 * *`"),
        (&["create", "x", "--spec", "@daily", "-t", "t", "--time-zone", "Rome"], 2, "time zone `Rome`"),
        (&["create", "x", "--spec", "@daily", "-t", " "], 2, "task type must contain"),
        (&["create", " ", "--spec", "@daily", "-t", "t"], 2, "its name must not be blank"),
        (&["create", "x", "--spec", "@daily", "-t", "t", "--catch-up", "0"], 2, "must be `none`, `last`"),
        (&["create", "x", "--spec", "@daily", "-t", "t", "--unique", "10ms"], 2, "minimum of one second"),
        (&["edit", "bill 7"], 2, "nothing to change"),
        (&["edit", "bill 7", "--spec", "* *"], 2, "invalid schedule `* *`"),
        (&["edit", "nope", "--spec", "@daily"], 3, "schedule not found"),
        (&["pause", "nope"], 3, "schedule not found"),
        (&["show", "nope"], 3, "neither stored nor an entry"),
        (&["run", "nope"], 3, "neither stored nor an entry"),
        (&["delete", "bill 7", "--watch"], 2, "--watch"),
    ] {
        let words: Vec<&str> = ["cron"].into_iter().chain(words.iter().copied()).collect();
        let ran = run(&redis, &words);
        assert!(ran.code == code && ran.err.contains(text) && ran.out.is_empty(), "{words:?}: {ran:?}");
    }
    assert_eq!(shown(&redis, "bill 7"), before);
    assert_eq!(done(&redis, &["cron", "list", "--ids"]).out.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_are_paused_resumed_and_run_now() {
    let redis = RedisServer::start().await;
    done(&redis, &NEW);
    let client = Client::connect(&redis.url()).await.unwrap();
    let builder = Scheduler::builder(&client).heartbeat(Duration::from_millis(500)).stored_schedules(true);
    let scheduler = builder.build().unwrap();
    scheduler.start().unwrap();
    let state = async |expected: &str| {
        eventually(expected, async || {
            let listed = done(&redis, &["cron", "list", "-o", "json"]).json();
            (listed[0]["state"] == expected && listed[0]["name"] == "bill 7").then_some(())
        })
        .await;
    };
    state("live").await;
    assert_eq!(
        done(&redis, &["cron", "pause", "bill 7", "--dry-run"]).out,
        "schedule bill 7: would be paused\n"
    );
    assert_eq!(done(&redis, &["cron", "pause", "bill 7"]).out, "schedule bill 7: paused\n");
    assert_eq!(done(&redis, &["cron", "pause", "bill 7"]).out, "schedule bill 7: already paused\n");
    state("paused").await;
    assert_eq!(shown(&redis, "bill 7")["next"], json!([]));
    // It can be run all the same.
    let ran = done(&redis, &["cron", "run", "bill 7", "-o", "json"]).json();
    let task = ["task", "inspect", "-q", "billing", "-i", ran[0]["task_id"].as_str().unwrap(), "-o", "json"];
    let task = done(&redis, &task).json();
    assert_eq!(
        (&task["type"], &task["payload"], &task["max_retry"]),
        (&json!("bill"), &json!(r#"{"tenant":7}"#), &json!(3))
    );
    let resumed = done(&redis, &["cron", "unpause", "bill 7", "-o", "json"]).json();
    assert_eq!(resumed, json!([{"name": "bill 7", "outcome": "resumed"}]));
    assert_eq!(done(&redis, &["cron", "resume", "bill 7"]).out, "schedule bill 7: not paused\n");
    state("live").await;
    // Entries of programs are run, too, and by either name have a history.
    let id = Inspector::new(&client).scheduler_entries().await.unwrap().remove(0).id;
    assert!(done(&redis, &["cron", "run", &id]).out.contains("enqueued"));
    assert_eq!(done(&redis, &["cron", "history", "bill 7", "-o", "json"]).json(), json!([]));
    scheduler.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_told_and_can_be_deleted() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let odd = r#"{"version":9}"#.into();
    let changed = client.broker().change_timetable("odd", None, Some(&odd)).await.unwrap();
    assert_eq!(changed, TimetableChange::Applied);
    done(&redis, &NEW);
    let ran = done(&redis, &["cron", "list", "-o", "json"]);
    assert_eq!(ran.json().as_array().unwrap().len(), 1);
    assert!(ran.err.starts_with("warning: the stored schedule odd cannot be read: version: "), "{ran:?}");
    for words in
        [&["cron", "show", "odd"][..], &["cron", "pause", "odd"], &["cron", "edit", "odd", "--retry", "1"]]
    {
        let ran = run(&redis, words);
        assert!(ran.code == 4 && ran.err.contains("this program reads 1, and 9 is stored"), "{ran:?}");
    }
    assert_eq!(done(&redis, &["cron", "delete", "odd", "--yes"]).out, "schedule odd: deleted\n");
    assert!(StoredSchedules::new(&client).list().await.unwrap().unreadable.is_empty());
}
