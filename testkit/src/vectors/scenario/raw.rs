//! Steps that prepare or query the database themselves.

use std::sync::Arc;
use std::time::Duration;

use asynq_core::broker::Broker;
use asynq_core::task::TaskId;
use redis::aio::MultiplexedConnection;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::decoded::bin;
use crate::encoding::unhex;
use crate::vectors::file::parse;

/// `redis`: any command.
pub(super) async fn command(redis: &mut MultiplexedConnection, arguments: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Arguments {
        cmd: Vec<Value>,
    }
    let Arguments { cmd } = parse(arguments);
    let mut command = redis::Cmd::new();
    for word in &cmd {
        match word {
            Value::String(text) => command.arg(text),
            Value::Object(bytes) => command.arg(unhex(bytes["hex"].as_str().unwrap())),
            number => command.arg(number.to_string()),
        };
    }
    let reply: redis::Value = command.query_async(redis).await.unwrap();
    let is_map = cmd[0].as_str().is_some_and(|name| name.eq_ignore_ascii_case("HGETALL"));
    json!({"reply": if is_map { pairs(reply) } else { plain(reply) }})
}

fn plain(reply: redis::Value) -> Value {
    match reply {
        redis::Value::Nil => Value::Null,
        redis::Value::Int(number) => number.into(),
        redis::Value::Okay => "OK".into(),
        redis::Value::SimpleString(text) => text.into(),
        redis::Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into(),
        redis::Value::Array(values) => values.into_iter().map(plain).collect(),
        other => panic!("unexpected reply {other:?}"),
    }
}

/// The reply of `HGETALL`, in which a field that is our own does not count.
fn pairs(reply: redis::Value) -> Value {
    let Value::Array(flat) = plain(reply) else { panic!("a hash is a list of pairs") };
    let pairs: Map<String, Value> = flat
        .chunks_exact(2)
        .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone()))
        .filter(|(field, _)| !field.starts_with("x_"))
        .collect();
    Value::Object(pairs)
}

/// Makes a task that we took look as if a Go worker had taken it: ours are recovered by another rule.
pub(super) async fn disown(redis: &mut MultiplexedConnection, message: &Value) {
    if let (Some(queue), Some(id)) = (message["queue"].as_str(), message["id"].as_str()) {
        let key = format!("asynq:{{{queue}}}:t:{id}");
        redis::cmd("HDEL").arg(key).arg("x_own").arg("x_run").query_async::<()>(redis).await.unwrap();
    }
}

/// `redis.bulk_zadd`: many members.
pub(super) async fn bulk_zadd(redis: &mut MultiplexedConnection, arguments: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Arguments {
        key: String,
        prefix: String,
        count: i64,
        score: i64,
        step: i64,
    }
    let Arguments { key, prefix, count, score, step } = parse(arguments);
    let mut pipe = redis::pipe();
    for number in 0..count {
        pipe.cmd("ZADD").arg(&key).arg(score + number * step).arg(format!("{prefix}{number:05}")).ignore();
    }
    pipe.query_async::<()>(redis).await.unwrap();
    json!({"ok": true})
}

/// `cancel`: what is published.
pub(super) async fn cancel(url: &str, broker: &Arc<dyn Broker>, arguments: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Arguments {
        id: String,
    }
    let Arguments { id } = parse(arguments);
    let mut listener = redis::Client::open(url).unwrap().get_async_pubsub().await.unwrap();
    listener.psubscribe("*").await.unwrap();
    broker.publish_cancellation(&TaskId::new(id).unwrap()).await.unwrap();
    let mut messages = listener.into_on_message();
    let message = std::future::poll_fn(|context| {
        futures_util::Stream::poll_next(std::pin::Pin::new(&mut messages), context)
    });
    let message = message.await.unwrap();
    json!({"published": {"channel": message.get_channel_name(), "payload": bin(message.get_payload_bytes())}})
}

/// `sleep`: the wall clock goes on.
pub(super) async fn sleep(arguments: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Arguments {
        ms: u64,
    }
    let Arguments { ms } = parse(arguments);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    json!({})
}
