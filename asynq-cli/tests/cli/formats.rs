//! Every command that prints data, in every format; and what the exit codes say.

use std::collections::BTreeSet;

use asynq_core::task::{Task, TaskOptions};
use serde_json::Value;

use super::{done, ended, program, run, seeded};

/// Commands that print rows or records.
const READERS: [&[&str]; 15] = [
    &["queue", "list"],
    &["queue", "inspect", "mail", "low"],
    &["queue", "history", "mail", "--days", "2"],
    &["task", "list", "--queue", "mail", "--state", "pending"],
    &["task", "list", "-q", "low", "-s", "aggregating", "-g", "users"],
    &["task", "list", "--filter", "type:email:*"],
    &["task", "find", "p1"],
    &["task", "types"],
    &["task", "inspect", "-q", "mail", "-i", "a1"],
    &["group", "list", "-q", "low"],
    &["server", "list"],
    &["cron", "list"],
    &["redis", "info"],
    &["lease", "list"],
    &["unique", "list"],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_tells_the_same() {
    let (redis, _client) = seeded().await;
    for words in READERS {
        let print = |format: &str| done(&redis, &[words, &["-o", format]].concat()).out;
        let json: Value = serde_json::from_str(&print("json")).unwrap();
        let rows = json.as_array().cloned().unwrap_or_else(|| vec![json.clone()]);
        let csv = print("csv");
        let mut csv = csv::Reader::from_reader(csv.as_bytes());
        let headings: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(csv.records().map(Result::unwrap).count(), rows.len(), "{words:?}");

        // What changes by itself, such as a latency, is not compared: the names and the first value of each row are.
        let first = |row: &Value| row[&headings[0]].clone();
        let names = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        for row in &rows {
            assert_eq!(names(row), headings.iter().cloned().collect(), "{words:?}");
        }

        let lines: Vec<Value> =
            print("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.iter().map(first).collect::<Vec<_>>(), rows.iter().map(first).collect::<Vec<_>>());

        let yaml: Value = serde_norway::from_str(&print("yaml")).unwrap();
        let yaml = yaml.as_array().cloned().unwrap_or_else(|| vec![yaml.clone()]);
        assert_eq!(yaml.iter().map(names).collect::<Vec<_>>(), rows.iter().map(names).collect::<Vec<_>>());

        for format in ["table", "wide"] {
            let text = print(format);
            for row in &rows {
                let Value::String(id) = first(row) else { panic!("{row}") };
                assert!(text.contains(&id), "{words:?} as {format}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_chosen_and_cut_as_asked() {
    let (redis, _client) = seeded().await;
    let list = ["task", "list", "-q", "mail", "-s", "pending"];
    let print = |more: &[&str]| done(&redis, &[&list, more].concat()).out;
    assert_eq!(print(&["--ids"]), "p1\np2\np3\n");
    assert_eq!(
        print(&["--columns", "payload,id", "-o", "csv", "--no-headers"]).lines().next(),
        Some("\"{\"\"to\"\":\"\"ann\"\",\"\"n\"\":1}\",p1")
    );
    // A line break in a payload does not break the table, nor does it leave it.
    assert!(print(&[]).contains("two\\nlines, \"quoted\""));
    assert!(
        !print(&["--color", "never"]).contains('\u{1b}') && print(&["--color", "always"]).contains('\u{1b}')
    );
    let ran = run(&redis, &[&list[..], &["--columns", "idd"]].concat());
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no column `idd`") && ran.err.contains("id, type, payload"), "{ran:?}");
    assert_eq!(ran.out, "");
    let raw = done(&redis, &["task", "inspect", "-q", "mail", "-i", "p3", "--raw"]);
    assert_eq!(raw.out, "two\nlines, \"quoted\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_that_a_codec_has_marked_is_shown_as_json() {
    let (redis, client) = seeded().await;
    let packed = b"\x81\xa2to\xa3ann";
    for (id, mark) in [("packed", "msgpack"), ("wrong", "cbor")] {
        let options = TaskOptions::new().queue("mail").task_id(id).header("asynq-codec", mark);
        client.enqueue(Task::new("t", &packed[..]).unwrap().options(options)).await.unwrap();
    }
    let inspect = |id: &str| done(&redis, &["task", "inspect", "-q", "mail", "-i", id]).out;
    assert!(inspect("packed").contains("\"to\": \"ann\""), "{}", inspect("packed"));
    assert!(inspect("wrong").contains("81 a2 74 6f"), "{}", inspect("wrong"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_say_what_was_wrong() {
    let (redis, _client) = seeded().await;
    for (words, code, part) in [
        (&["task", "inspect", "-q", "nope", "-i", "x"][..], 3, "queue not found: `nope`"),
        (&["task", "inspect", "-q", "mail", "-i", "x"], 3, "task not found"),
        (&["task", "run", "-q", "mail", "-i", "p1"], 4, "is pending"),
        (&["queue", "remove", "mail"], 4, "`--force` does that"),
        (&["queue", "pause", "mial"], 3, "queue not found: `mial`; did you mean `mail`?"),
        (&["task", "enqueue", "-t", "t", "-l", "", "-q", "mail", "--id", "p1"], 4, "conflicts"),
        (&["task", "enqueue", "-t", "t", "-l", "{", "--payload-format", "json"], 2, "no JSON"),
        (&["task", "enqueue", "-t", "t", "-l", "x", "--in", "soon"], 2, "no length of time"),
        (&["task", "list", "--filter", "tipe:x"], 2, "  tipe:x\n  ^^^^"),
        (&["task", "list", "-q", "mail", "-s", "pendin"], 2, "known are active, pending"),
        (&["task", "list", "-q", "mail", "-s", "aggregating"], 2, "--group"),
        (&["task", "delete", "--filter", "type:email:*"], 6, "--yes"),
        (&["tsak"], 2, "'task'"),
        (&["help", "tsak"], 2, "did you mean `task`?"),
        (&["server", "inspect", "none"], 3, "no server"),
        (&["queue", "remove", "mail", "--force"], 6, "Type its name"),
        (&["task", "copy", "-q", "mail", "nope"], 3, "task not found"),
        (&["task", "edit", "-q", "mail", "a1", "p1"], 2, "or one task"),
        (&["task", "enqueue", "--batch", "/none/of/these"], 2, "/none/of/these: "),
        (&["task", "enqueue", "-t", "t", "-l", "@/none/of/these"], 2, "/none/of/these: "),
        (&["wait", "--task", "nope"], 3, "no queue has a task"),
        (&["task", "find", "nothing-like-it"], 3, "no task fits"),
    ] {
        let ran = run(&redis, words);
        assert_eq!(ran.code, code, "{words:?}: {ran:?}");
        assert!(ran.err.contains(part), "{words:?}: {ran:?}");
        assert_eq!(ran.out, "", "{words:?}");
    }
    let ran = run(&redis, &["task", "inspect", "-q", "mail", "-i", "x", "-o", "json"]);
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&error["error"]["kind"], &error["error"]["code"]), (&"not_found".into(), &3.into()));
    for words in [&["-o", "json", "tsak"][..], &["tsak", "--output=jsonl"], &["tsak", "-ojson"]] {
        let ran = run(&redis, words);
        let error: Value = serde_json::from_str(&ran.err).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        assert_eq!((ran.code, &error["error"]["kind"]), (2, &"usage".into()), "{ran:?}");
        assert!(error["error"]["message"].as_str().unwrap().contains("'task'"), "{ran:?}");
    }
    let ran = ended(program(&["stats"]).env("ASYNQ_REDIS_URL", "redis://:hunter2@127.0.0.1:1"));
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err.contains("127.0.0.1:1") && !ran.err.contains("hunter2") && ran.err.lines().count() == 1,
        "{ran:?}"
    );
    // Of several, each is told, and those that can be done are done.
    let ran = run(&redis, &["queue", "pause", "nope", "mail", "neither"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, "queue mail: paused\n"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_look_is_told_so_and_who_reads_no_more_is_left_alone() {
    let (redis, _client) = seeded().await;
    redis.command::<()>(&["ACL", "SETUSER", "eve", "on", ">x", "~other:*", "+ping"]).await;
    for words in
        [&["stats"][..], &["task", "list", "-q", "mail", "-s", "pending"], &["queue", "pause", "mail"]]
    {
        let ran = run(&redis, &[words, &["-U", "eve", "-p", "x"]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{words:?}: {ran:?}");
        assert!(ran.err.contains("permission") && ran.err.lines().count() == 1, "{words:?}: {ran:?}");
    }
    for format in ["table", "json", "csv"] {
        let mut child = program(&["task", "list", "-q", "mail", "-s", "pending", "-o", format])
            .env("ASYNQ_REDIS_URL", redis.url())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ran = super::read(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_form_of_the_statistics_is_printed_whatever_the_format() {
    let (redis, _client) = seeded().await;
    for words in [&["stats", "--json"][..], &["stats", "--json", "-o", "json"]] {
        let told = done(&redis, words).json();
        assert_eq!((&told["aggregate"]["pending"], &told["aggregate"]["archived"]), (&3.into(), &1.into()));
        assert_eq!((&told["queues"][1]["Queue"], &told["queues"][1]["Size"]), (&"mail".into(), &4.into()));
    }
    let ours = done(&redis, &["stats", "-o", "json"]).json();
    assert_eq!((&ours["scheduled"], &ours["queues"][0]["queue"]), (&1.into(), &"low".into()));
}
