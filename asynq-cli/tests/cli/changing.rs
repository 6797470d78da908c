//! Making tasks, copying and editing them: one, many, in an editor.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use asynq_testkit::RedisServer;

use super::{Ran, done, ended, program, run, seeded, with_input};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_enqueued_whole_or_not_at_all() {
    let (redis, _client) = seeded().await;
    let lines = concat!(
        r#"{"type":"t","id":"b1","queue":"batch","payload":{"n": 1.50},"retry":3,"timeout":"5m","headers":{"a":"b"}}"#,
        "\n\n",
        r#"{"type":"t","id":"b2","queue":"batch","payload":"text","in":"15m"}"#,
        "\n",
        r#"{"type":"t","id":"b3","queue":"batch","payload_base64":"/wA=","at":"2126-01-01T00:00:00Z"}"#,
    );
    let wrong = lines.replace("\"payload\":\"text\"", "\"paylaod\":\"text\"");
    let ran = with_input(&redis, &["task", "enqueue", "--batch", "-"], &wrong);
    assert_eq!(ran.code, 2);
    let place = ran.err.contains("-:3:47: unknown field `paylaod`");
    assert!(place && ran.err.contains("nothing was enqueued"), "{ran:?}");
    assert_eq!(run(&redis, &["queue", "inspect", "batch"]).code, 3);

    let ran = with_input(&redis, &["task", "enqueue", "--batch", "-"], lines);
    assert_eq!((ran.code, ran.out.as_str()), (0, "3 tasks enqueued, 0 failed\n"), "{ran:?}");
    let task = |id: &str| done(&redis, &["task", "inspect", "-q", "batch", "-i", id, "-o", "json"]).json();
    let first = task("b1");
    assert_eq!(first["payload"], r#"{"n": 1.50}"#, "JSON as it was written");
    assert_eq!((&first["max_retry"], &first["timeout_ms"]), (&3.into(), &300_000.into()));
    assert_eq!((&task("b2")["payload"], &task("b2")["state"]), (&"text".into(), &"scheduled".into()));
    assert_eq!(task("b3")["process_at"], "2126-01-01T00:00:00Z");

    // Again: the IDs are taken, and each line is told.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tasks.jsonl");
    std::fs::write(&file, format!("{lines}\n{{\"type\":\"t\"}}\n")).unwrap();
    let ran = run(&redis, &["task", "enqueue", "--batch", file.to_str().unwrap(), "-o", "json"]);
    assert_eq!((ran.code, &ran.json()["enqueued"], &ran.json()["failed"]), (1, &1.into(), &3.into()));
    assert!(ran.err.contains("tasks.jsonl:4: task ID conflicts"), "{ran:?}");
    assert_eq!(run(&redis, &["task", "enqueue", "--batch", "x", "-t", "t"]).code, 2);
    assert_eq!(run(&redis, &["task", "enqueue", "-t", "t"]).code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_are_the_same_work_anew() {
    let (redis, _client) = seeded().await;
    done(&redis, &["task", "copy", "-q", "mail", "p1", "--to", "other"]);
    let copies = done(&redis, &["task", "list", "-q", "other", "-s", "pending", "-o", "json"]).json();
    assert_eq!((&copies[0]["payload"], copies[1].is_null()), (&r#"{"to":"ann","n":1}"#.into(), true));
    assert_ne!(copies[0]["id"], "p1");
    assert_eq!(
        done(&redis, &["task", "copy", "--filter", "queue:mail", "--dry-run"]).out,
        "4 tasks would be copied\n"
    );
    let ran = done(&redis, &["task", "cp", "--filter", "queue:mail", "--yes"]);
    assert_eq!(ran.out, "4 tasks copied, 0 failed\n");
    assert_eq!(done(&redis, &["queue", "inspect", "mail", "-o", "json"]).json()[0]["pending"], 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_is_changed_in_an_editor_unless_somebody_else_was_faster() {
    let (redis, _client) = seeded().await;
    let folder = tempfile::tempdir().unwrap();
    let edit = |id: &str, script: &str| edited(&redis, folder.path(), id, script);
    let raw = |id: &str| done(&redis, &["task", "inspect", "-q", "mail", "-i", id, "--raw"]).out;

    assert_eq!(edit("p1", "sed -i s/ann/eve/ \"$1\"").out, "p1: changed\n");
    assert_eq!(raw("p1"), r#"{"to":"eve","n":1}"#, "and nothing else");
    assert_eq!(edit("p1", ":").out, "p1: not changed\n");

    let broken = edit("p1", "sed -i s/}// \"$1\"");
    assert_eq!(broken.code, 2);
    assert!(broken.err.contains("was JSON and is none any more"), "{broken:?}");
    let kept = broken.err.trim().rsplit(' ').next().unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), r#"{"to":"eve","n":1"#, "the text is not lost");
    std::fs::remove_file(kept).unwrap();

    let asynq = env!("CARGO_BIN_EXE_asynq");
    let meanwhile = format!("sed -i s/bob/eve/ \"$1\"; {asynq} task edit -q mail -i p2 -l mine >&2");
    let late = edit("p2", &meanwhile);
    assert_eq!((late.code, raw("p2").as_str()), (4, "mine"), "{late:?}");
    let kept = late.err.trim().rsplit(' ').next().unwrap();
    std::fs::remove_file(kept).unwrap();

    assert_eq!(edit("p3", "false").code, 6, "the editor gave up");
    let ran = edit("a1", ":");
    assert!(ran.code == 2 && ran.err.contains("no text"), "{ran:?}");
    let ran = run(&redis, &["task", "edit", "-q", "mail", "p3"]);
    assert!(ran.code == 2 && ran.err.contains("set EDITOR"), "{ran:?}");
    // Options have flags, and `--timeout` is the task's.
    done(
        &redis,
        &["task", "edit", "-q", "mail", "p3", "--max-retry", "2", "--timeout", "5s", "--at", "2126-01-01"],
    );
    let task = done(&redis, &["task", "inspect", "-q", "mail", "-i", "p3", "-o", "json"]).json();
    assert_eq!(
        (&task["max_retry"], &task["timeout_ms"], &task["state"]),
        (&2.into(), &5000.into(), &"scheduled".into())
    );
}

/// Edits a task of `mail`, with a shell script as the editor.
fn edited(redis: &RedisServer, folder: &Path, id: &str, script: &str) -> Ran {
    let editor = folder.join("editor");
    std::fs::write(&editor, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = program(&["task", "edit", "-q", "mail", id]);
    ended(command.env("ASYNQ_REDIS_URL", redis.url()).env("EDITOR", &editor).env("PATH", "/usr/bin:/bin"))
}
