//! Many tasks at once, faster than anybody could enqueue them.

use asynq_core::wire::TaskMessage;
use redis::Script;

use crate::RedisServer;

/// How many tasks one call makes.
const CHUNK: usize = 1_000;

/// The first of their IDs.
const ID: &str = "t00000000";

impl RedisServer {
    /// Stores `count` archived tasks in `queue`, with the IDs `t00000000`, `t00000001`, …, the first the oldest; the last
    /// was archived at this Unix second.
    pub async fn fill_archive(&self, queue: &str, count: usize, last: i64) {
        let message = TaskMessage { error_msg: "the mail server is busy".to_owned(), ..message(queue, ID) };
        let at = |first: usize| last - i64::try_from((count - first) / CHUNK).unwrap();
        self.fill("archived", &message, count, at).await;
    }

    /// Stores `count` pending tasks in `queue`, with the IDs `t00000000`, `t00000001`, …
    pub async fn fill_pending(&self, queue: &str, count: usize) {
        self.fill("pending", &message(queue, ID), count, |_| 0).await;
    }

    /// Stores one task in each of `count` groups of `queue`: `t00000000` in `group-t00000000`, and so on.
    pub async fn fill_groups(&self, queue: &str, count: usize) {
        self.fill("groups", &message(queue, ID), count, |_| 0).await;
    }

    /// Makes `count` queues, `queue-00000`, `queue-00001`, …, each with one pending task.
    pub async fn fill_queues(&self, count: usize) {
        let mut pipe = redis::pipe();
        for n in 0..count {
            let queue = format!("queue-{n:05}");
            let message = message(&queue, "t").encode();
            let key = format!("asynq:{{{queue}}}:t:t");
            pipe.cmd("HSET").arg(key).arg("msg").arg(message.as_slice()).arg("state").arg("pending");
            pipe.cmd("RPUSH").arg(format!("asynq:{{{queue}}}:pending")).arg("t");
            pipe.cmd("SADD").arg("asynq:queues").arg(queue);
        }
        pipe.query_async::<redis::Value>(&mut self.connection().await).await.unwrap();
    }

    /// Stores tasks such as this one, a chunk at a time; `at` is when those of a chunk that begins with this number were
    /// archived.
    async fn fill(&self, what: &str, message: &TaskMessage, count: usize, at: impl Fn(usize) -> i64) {
        let (queue, bytes) = (&message.queue, message.encode());
        let place = bytes.windows(ID.len()).position(|part| part == ID.as_bytes()).unwrap();
        let script = Script::new(include_str!("scripts/fill.lua"));
        let mut redis = self.connection().await;
        for first in (0..count).step_by(CHUNK) {
            script
                .key(format!("asynq:{{{queue}}}:{what}"))
                .key("asynq:queues")
                .arg(queue)
                .arg(first)
                .arg(CHUNK.min(count - first))
                .arg(&bytes[..place])
                .arg(&bytes[place + ID.len()..])
                .arg(at(first))
                .invoke_async::<()>(&mut redis)
                .await
                .unwrap();
        }
    }
}

/// A task as it is stored.
fn message(queue: &str, id: &str) -> TaskMessage {
    TaskMessage {
        task_type: "email:send".to_owned(),
        payload: r#"{"to":"ann@example.com","template":"welcome"}"#.into(),
        id: id.to_owned(),
        queue: queue.to_owned(),
        retry: 25,
        timeout: 1_800,
        ..TaskMessage::default()
    }
}
