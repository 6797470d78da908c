//! Export and import between two Redis servers: what arrives is what was sent.

use std::time::Duration;

use asynq::broker::conformance::Value;
use asynq::inspector::{Class, Imported, Inspector, OnConflict, Selection};
use asynq::{Client, Task, TaskOptions, TaskState, UniqueUntil};
use asynq_testkit::{GoPeer, RedisServer};
use serde_json::json;

use crate::support::{in_state, redis, telling, worker};

async fn lines(inspector: &Inspector, selection: Selection) -> Vec<String> {
    let mut export = inspector.export(selection).await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = export.next().await {
        lines.push(line.unwrap());
    }
    assert_eq!((export.tasks(), export.unreadable()), (lines.len() - 2, 0));
    lines
}

async fn import(inspector: &Inspector, lines: &[String], on_conflict: OnConflict) -> usize {
    let mut import = inspector.import(on_conflict);
    let mut stored = 0;
    for line in lines {
        stored += usize::from(import.line(line.as_bytes()).await.unwrap() == Imported::Stored);
    }
    import.end().unwrap();
    stored
}

/// Random, but always the same for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.below(40);
        let text = self.below(2) == 0;
        let byte = |random: &mut Self| {
            if text {
                b' ' + u8::try_from(random.below(95)).unwrap()
            } else {
                u8::try_from(random.below(256)).unwrap()
            }
        };
        (0..length).map(|_| byte(self)).collect()
    }
}

/// Tasks of every state but active, with everything that a task can have.
async fn seed(redis: &RedisServer, client: &Client, random: &mut Random) {
    let inspector = Inspector::new(client);
    for number in 0..60 {
        let id = format!("{number}-\u{fc}\n\"{}", random.below(1000));
        let queue = ["q", "other:queue", "{odd}"][usize::try_from(random.below(3)).unwrap()];
        let mut options = TaskOptions::new().queue(queue).task_id(&id);
        if random.below(2) == 0 {
            options = options
                .max_retry(u32::try_from(random.below(50)).unwrap())
                .timeout(Duration::from_secs(random.below(5000) + 1));
        }
        if random.below(3) == 0 {
            options = options
                .header("name", "value \u{1F600}")
                .header("", "")
                .retention(Duration::from_secs(random.below(900)));
        }
        if random.below(3) == 0 {
            let until = [UniqueUntil::Success, UniqueUntil::Start, UniqueUntil::Ttl]
                [usize::try_from(random.below(3)).unwrap()];
            options = options.unique(Duration::from_secs(5000 + random.below(9000))).unique_until(until);
            options = options.unique_key(format!("key {number}"));
        }
        let place = random.below(5);
        options = match place {
            0 => options.process_in(Duration::from_secs(600 + random.below(600))),
            1 => options.group(format!("g:{}", random.below(3))),
            2 => options.process_in(Duration::from_secs(600)).group("later"),
            _ => options,
        };
        let mut payload = random.bytes();
        payload.extend(number.to_string().bytes());
        client.enqueue(Task::new("t:x", payload).unwrap().options(options)).await.unwrap();
        let key = format!("asynq:{{{queue}}}:t:{id}");
        if random.below(4) == 0 {
            redis.command::<()>(&["HSET", &key, "x_odd", "of a later version", "result", "done"]).await;
        }
        if place > 2 && random.below(2) == 0 {
            inspector.archive(queue, &id).await.unwrap();
            if random.below(2) == 0 {
                redis.command::<()>(&["HSET", &key, "state", "retry"]).await;
                redis.command::<()>(&["ZREM", &format!("asynq:{{{queue}}}:archived"), &id]).await;
                let at = (2_000_000_000 + random.below(1000)).to_string();
                redis.command::<()>(&["ZADD", &format!("asynq:{{{queue}}}:retry"), &at, &id]).await;
            }
        }
    }
}

#[tokio::test]
async fn what_is_imported_is_what_was_exported() {
    for number in 1..=8 {
        let (here, there) = (redis().await, redis().await);
        seed(&here.0, &here.1, &mut Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(number))).await;
        let sent = lines(&Inspector::new(&here.1), Selection::new()).await;
        let inspector = Inspector::new(&there.1);
        assert_eq!(import(&inspector, &sent, OnConflict::Fail).await, 60);
        there.0.dump().await.assert_same(&here.0.dump().await, &format!("seed {number}"));

        // Again: nothing changes, whether they are skipped or replaced; but pending tasks go to the end of their queue.
        assert_eq!(import(&inspector, &sent, OnConflict::Skip).await, 0);
        there.0.dump().await.assert_same(&here.0.dump().await, "skipped");
        assert_eq!(import(&inspector, &sent, OnConflict::Replace).await, 60);
        there.0.dump().await.assert_same(&here.0.dump().await, "replaced");
        let findings = inspector.examine().await.unwrap().findings;
        let expected = [Class::Unserved, Class::ArchivedLock];
        assert!(findings.iter().all(|finding| expected.contains(&finding.class)), "{findings:#?}");
    }
}

#[tokio::test]
async fn one_state_of_one_queue_that_fits_a_filter() {
    let (redis, client) = redis().await;
    seed(&redis, &client, &mut Random(5)).await;
    let inspector = Inspector::new(&client);
    let scheduled = || Selection::new().queue("q").state(TaskState::Scheduled);
    let all = lines(&inspector, scheduled()).await;
    let few = lines(&inspector, scheduled().filter("has:group".parse().unwrap())).await;
    assert!(all.len() > few.len() && few.len() > 2, "{} {}", all.len(), few.len());
    assert!(
        few[1..few.len() - 1].iter().all(|line| line.contains("\"queue\":\"q\",\"state\":\"scheduled\""))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_go_go_along_and_run_where_they_arrive() {
    let (here, there) = (redis().await, redis().await);
    let go = GoPeer::new(&here.0.url());
    let task = |id: &str, more: serde_json::Value| {
        let mut options = json!({"queue": "q", "task_id": id, "retention_ms": 600_000});
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": "t", "payload": {"id": id}, "opts": options, "headers": {"a": "1", "b": "2", "c": "3"}})
    };
    let tasks = [
        task("now", json!({})),
        task("locked", json!({"unique_ms": 60_000})),
        task("later", json!({"process_in_ms": 1_000})),
    ];
    for answer in go.enqueue_all(tasks).await {
        assert_eq!(answer["error"], serde_json::Value::Null, "{answer}");
    }
    go.enqueue(task("grouped", json!({"group": "g", "unique_ms": 60_000}))).await;
    let sent = lines(&Inspector::new(&here.1), Selection::new()).await;
    assert_eq!(import(&Inspector::new(&there.1), &sent, OnConflict::Fail).await, 4);
    let (mut one, mut two) = (here.0.dump().await, there.0.dump().await);
    // Go orders headers at random; and it notes the lock of a grouped task in its message alone.
    for dump in [&mut one, &mut two] {
        for entry in dump.entries.values_mut() {
            if let Value::Hash(fields) = &mut entry.value {
                let message = fields.remove("msg").unwrap();
                let message = asynq::wire::TaskMessage::decode(message).unwrap();
                fields.insert("msg".to_owned(), format!("{message:?}").into());
                if fields.contains_key("group") {
                    fields.remove("unique_key");
                }
            }
        }
    }
    two.assert_same(&one, "tasks of Go");
    let (router, _told) = telling(&["t"]);
    let server = worker(&there.1, router, &["q"]).start().await.unwrap();
    for id in ["now", "locked", "later"] {
        in_state(&there.1, "q", id, TaskState::Completed).await;
    }
    server.shutdown().await;
}
