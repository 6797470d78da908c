//! Doctor, export and import, leases and locks.

use std::process::Stdio;
use std::time::Duration;

use asynq_core::broker::{Demand, QueueShare};
use asynq_core::client::Client;
use asynq_core::task::{QueueName, Task, TaskOptions};
use asynq_testkit::RedisServer;

use super::{done, program, run, seeded, with_input};

async fn enqueue(client: &Client, id: &str, set: impl FnOnce(TaskOptions) -> TaskOptions) {
    let options = set(TaskOptions::new().queue("mail").task_id(id));
    client.enqueue(Task::new("email:send", id.to_owned()).unwrap().options(options)).await.unwrap();
}

/// Leases the next task of `mail`.
async fn lease(client: &Client) {
    let queues = vec![QueueShare::new(QueueName::new("mail").unwrap(), 1)];
    let demand = Demand {
        server_id: "s1".to_owned(),
        slots: 1,
        queues,
        types: Vec::new(),
        strict: true,
        pending_since: false,
    };
    assert_eq!(client.broker().exchange(&[], &demand).await.unwrap().leased.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_tells_explains_and_repairs() {
    let (redis, _client) = seeded().await;
    redis.command::<()>(&["LPUSH", "asynq:{mail}:pending", "ghost"]).await;
    redis.command::<()>(&["SADD", "asynq:{low}:groups", "empty"]).await;
    let ran = run(&redis, &["doctor"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("2 of 3 findings are more than notices"), "{ran:?}");
    for part in
        ["unserved", "ghost", "empty-group", "`asynq doctor --fix ghost` removes the ID", "Start a server"]
    {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let json = run(&redis, &["doctor", "-o", "json"]);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!((json.code, &error["error"]["kind"]), (1, &"failed".into()));
    let findings = json.json();
    let told: Vec<(&str, &str, u64)> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (
                finding["class"].as_str().unwrap(),
                finding["queue"].as_str().unwrap(),
                finding["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("unserved", "mail", 1), ("ghost", "mail", 1), ("empty-group", "low", 1)]);
    assert_eq!(findings[1]["sample"], serde_json::json!(["ghost"]));

    let fix = ["doctor", "--fix", "all", "--fix", "empty-group"];
    let dry = done(&redis, &[&fix[..], &["--dry-run", "-o", "jsonl"]].concat());
    assert_eq!(dry.out.lines().count(), 2, "{dry:?}");
    let refused = run(&redis, &fix);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("ghost, 1 found: removes the ID"), "{refused:?}");
    let fixed = done(&redis, &[&fix[..], &["--yes", "-o", "json"]].concat()).json();
    assert_eq!(fixed[0], serde_json::json!({"class": "ghost", "mended": 1, "left": 0}));
    assert_eq!(fixed[1]["class"], "empty-group");
    assert_eq!(done(&redis, &[&fix[..], &["--yes"]].concat()).err, "nothing of that is wrong\n");
    let clean = done(&redis, &["doctor", "--queue", "low"]);
    assert_eq!((clean.out.as_str(), clean.err.as_str()), ("", "nothing is wrong with 2 tasks in 1 queues\n"));

    for (words, code, part) in [
        (&["doctor", "--fix", "gost"][..], 2, "known are wrong-type, unlisted-queue, ghost"),
        (&["doctor", "--fix", "unserved"], 2, "cannot be repaired from here. Start a server"),
        (&["doctor", "--queue", "nope"], 3, "queue not found: `nope`"),
    ] {
        let ran = run(&redis, words);
        assert_eq!(ran.code, code, "{words:?}: {ran:?}");
        assert!(ran.err.contains(part) && ran.out.is_empty(), "{words:?}: {ran:?}");
    }
    assert!(done(&redis, &["doctor", "--classes", "-o", "csv"]).out.lines().count() > 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_imported_elsewhere() {
    let (here, _client) = seeded().await;
    let there = RedisServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tasks.jsonl");
    let path = file.to_str().unwrap();
    let told = done(&here, &["export", "--file", path]);
    assert_eq!((told.out.as_str(), told.err.as_str()), ("", "6 tasks exported\n"));
    assert_eq!(run(&here, &["export", "--file", path]).code, 2, "what is there stays");
    let lines = done(&here, &["export"]).out;
    assert_eq!(lines.lines().count(), 8);
    assert_eq!(
        lines.lines().skip(1).collect::<Vec<_>>(),
        std::fs::read_to_string(path).unwrap().lines().skip(1).collect::<Vec<_>>()
    );
    assert!(lines.contains("\"payload\":{\"base64\":\"/wA=\"}"), "{lines}");

    let told = done(&there, &["import", path, "--dry-run", "-o", "json"]).json();
    assert_eq!(told, serde_json::json!({"dry_run": true, "imported": 6, "skipped": 0}));
    assert_eq!(done(&there, &["import", path]).out, "6 tasks imported, 0 skipped\n");
    there.dump().await.assert_same(&here.dump().await, "imported");
    let refused = run(&there, &["import", path]);
    assert_eq!((refused.code, refused.out.as_str()), (4, "0 tasks imported, 0 skipped\n"), "{refused:?}");
    assert!(refused.err.contains(&format!("{path}: line 2: task ID conflicts")), "{refused:?}");
    let skipped = with_input(&there, &["import", "-", "--on-conflict", "skip"], &lines);
    assert_eq!(skipped.out, "0 tasks imported, 6 skipped\n", "{skipped:?}");
    done(&there, &["import", path, "--on-conflict", "replace"]);
    there.dump().await.assert_same(&here.dump().await, "replaced");
    done(&there, &["import", path, "--to", "all"]);
    assert_eq!(done(&there, &["queue", "inspect", "all", "-o", "json"]).json()[0]["size"], 6);

    let cut: String = lines.lines().take(3).collect::<Vec<_>>().join("\n");
    let (cut, _) = cut.split_at(cut.len() - 10);
    let fresh = RedisServer::start().await;
    let ran = with_input(&fresh, &["import", "-"], cut);
    assert_eq!((ran.code, ran.out.as_str()), (1, "1 tasks imported, 0 skipped\n"), "{ran:?}");
    assert!(ran.err.starts_with("error: stdin: line 3, column "), "{ran:?}");
    let ran = with_input(&fresh, &["import", "-"], "hello\n");
    assert!(ran.err.contains("stdin: line 1, column 1: this is no export of asynq"), "{ran:?}");
    let absent = run(&fresh, &["import", path, "/none"]);
    assert_eq!((absent.code, absent.out.as_str()), (2, ""), "nothing is begun: {absent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_waits_for_its_input_can_be_stopped() {
    let (redis, _client) = seeded().await;
    let lines = done(&redis, &["export"]).out;
    let there = RedisServer::start().await;
    let mut command = program(&["import", "-"]);
    command
        .env("ASYNQ_REDIS_URL", there.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in lines.lines().take(3) {
        std::io::Write::write_all(&mut input, format!("{line}\n").as_bytes()).unwrap();
    }
    there.until(&["SCARD", "asynq:queues"], |queues: &u32| *queues > 0).await;
    let sent =
        std::process::Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ended = super::read(child.wait_with_output().unwrap());
    drop(input);
    assert_eq!(ended.code, 130, "{ended:?}");
    assert!(ended.out.contains("tasks imported") && ended.err.contains("--on-conflict skip"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_and_locks_are_listed_and_released() {
    let (redis, client) = seeded().await;
    for _ in 0..2 {
        lease(&client).await;
    }
    redis.command::<()>(&["ZADD", "asynq:{mail}:lease", "1000", "p2"]).await;
    assert_eq!(done(&redis, &["lease", "list", "--ids"]).out, "p1\np2\n");
    let orphans = done(&redis, &["lease", "list", "--orphans", "-o", "json"]).json();
    assert_eq!(orphans.as_array().unwrap().len(), 1);
    assert_eq!(
        (&orphans[0]["id"], &orphans[0]["server_id"], &orphans[0]["orphaned"]),
        (&"p2".into(), &"s1".into(), &true.into())
    );

    let unique = |options: TaskOptions| options.unique(Duration::from_secs(600));
    enqueue(&client, "waits", unique).await;
    enqueue(&client, "gone", unique).await;
    redis.command::<()>(&["DEL", "asynq:{mail}:t:gone"]).await;
    assert_eq!(done(&redis, &["unique", "list", "--ids"]).out.lines().count(), 2);
    let stale = done(&redis, &["unique", "list", "--stale", "-o", "json"]).json();
    assert_eq!((&stale[0]["task_id"], &stale[0]["task_state"]), (&"gone".into(), &"gone".into()));
    let of_gone = stale[0]["key"].as_str().unwrap();
    let all = done(&redis, &["unique", "list", "--ids", "-q", "mail"]).out;
    let of_waiting = all.lines().find(|key| *key != of_gone).unwrap();
    let ran = run(&redis, &["unique", "release", "-q", "mail", of_gone, of_waiting]);
    assert_eq!((ran.code, ran.out.as_str()), (4, format!("{of_gone}: released\n").as_str()), "{ran:?}");
    assert!(ran.err.contains("its task waits is pending; `--force`"), "{ran:?}");
    done(&redis, &["unique", "release", "-q", "mail", "--force", of_waiting]);
    assert_eq!(run(&redis, &["unique", "release", "-q", "mail", of_gone]).code, 3);
    assert_eq!(
        run(&redis, &["unique", "release", "-q", "mail", "asynq:{mail}:pending"]).code,
        2,
        "that is no lock"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_queue_has_nothing_left_to_do() {
    let (redis, client) = seeded().await;
    lease(&client).await;
    let ran = run(&redis, &["queue", "drain", "mail", "-o", "json"]);
    assert_eq!((ran.code, &ran.json()[0]["left"]), (1, &3.into()), "{ran:?}");
    let ran = run(&redis, &["queue", "drain", "mail", "--wait", "--within", "10ms"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    // Of a paused queue only what was begun counts.
    assert_eq!(run(&redis, &["queue", "drain", "mail", "--pause", "-o", "json"]).json()[0]["left"], 1);
    let mut command = program(&["queue", "drain", "mail", "--wait"]);
    let mut waiting = command.env("ASYNQ_REDIS_URL", redis.url()).stdout(Stdio::null()).spawn().unwrap();
    redis.command::<()>(&["DEL", "asynq:{mail}:active", "asynq:{mail}:lease"]).await;
    assert!(waiting.wait().unwrap().success());
    assert_eq!(run(&redis, &["queue", "drain", "nope"]).code, 3);
}
