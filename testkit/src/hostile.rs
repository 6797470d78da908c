//! Stores that somebody has spoiled: what stands under the keys of asynq is nothing that any program of it has written.

use fastrand::Rng;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue};

use crate::RedisServer;

/// What is done to keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// Each keeps its type, and gets wrong values, members, scores and fields.
    Contents,
    /// Each becomes one of another type.
    Types,
}

impl RedisServer {
    /// Spoils about half of the keys whose name holds one of `parts`: which, and how, the seed says. Gives their names.
    pub async fn spoil(&self, spoil: Spoil, parts: &[&str], seed: u64) -> Vec<Vec<u8>> {
        let mut redis = self.connection().await;
        let mut rng = Rng::with_seed(seed);
        let mut keys: Vec<Vec<u8>> = run(&mut redis, redis::cmd("KEYS").arg("asynq:*")).await;
        keys.sort();
        keys.retain(|key| parts.iter().any(|part| String::from_utf8_lossy(key).contains(part)));
        keys.retain(|_| rng.bool());
        for key in &keys {
            match spoil {
                Spoil::Contents => spoil_contents(&mut redis, key, &mut rng).await,
                Spoil::Types => spoil_type(&mut redis, key, &mut rng).await,
            }
        }
        keys
    }

    /// Deletes these keys.
    pub async fn delete_keys(&self, keys: &[Vec<u8>]) {
        let mut redis = self.connection().await;
        for key in keys {
            run::<()>(&mut redis, redis::cmd("DEL").arg(key)).await;
        }
    }
}

async fn run<T: FromRedisValue>(redis: &mut MultiplexedConnection, command: &Cmd) -> T {
    command.query_async(redis).await.unwrap()
}

async fn spoil_contents(redis: &mut MultiplexedConnection, key: &[u8], rng: &mut Rng) {
    let kind: String = run(redis, redis::cmd("TYPE").arg(key)).await;
    match kind.as_str() {
        "string" => {
            let value: Vec<u8> = run(redis, redis::cmd("GET").arg(key)).await;
            run::<()>(redis, redis::cmd("SET").arg(key).arg(spoiled(&value, rng)).arg("KEEPTTL")).await;
        }
        "list" => {
            for _ in 0..3 {
                let end = if rng.bool() { "LPUSH" } else { "RPUSH" };
                run::<()>(redis, redis::cmd(end).arg(key).arg(word(rng))).await;
            }
            let members: Vec<Vec<u8>> = run(redis, redis::cmd("LRANGE").arg(key).arg(0).arg(-1)).await;
            let member = &members[rng.usize(..members.len())];
            run::<()>(redis, redis::cmd("RPUSH").arg(key).arg(spoiled(member, rng)).arg(member)).await;
        }
        "set" => {
            for _ in 0..3 {
                run::<()>(redis, redis::cmd("SADD").arg(key).arg(word(rng))).await;
            }
        }
        "zset" => {
            for _ in 0..3 {
                let score = *rng.choice(&SCORES).unwrap();
                run::<()>(redis, redis::cmd("ZADD").arg(key).arg(score).arg(word(rng))).await;
            }
            let members: Vec<Vec<u8>> = run(redis, redis::cmd("ZRANGE").arg(key).arg(0).arg(-1)).await;
            let member = &members[rng.usize(..members.len())];
            let score = *rng.choice(&SCORES).unwrap();
            run::<()>(redis, redis::cmd("ZADD").arg(key).arg(score).arg(member)).await;
        }
        "hash" => {
            let fields: Vec<Vec<u8>> = run(redis, redis::cmd("HKEYS").arg(key)).await;
            for field in fields {
                match rng.u8(..4) {
                    0 => run::<()>(redis, redis::cmd("HDEL").arg(key).arg(field)).await,
                    1 => {}
                    _ => {
                        let value: Vec<u8> = run(redis, redis::cmd("HGET").arg(key).arg(&field)).await;
                        let value = spoiled(&value, rng);
                        run::<()>(redis, redis::cmd("HSET").arg(key).arg(field).arg(value)).await;
                    }
                }
            }
            for field in ["x_run", "x_own", "x_crash", "x_miss", "x_until", "group", "result", "state"] {
                if rng.u8(..3) == 0 {
                    run::<()>(redis, redis::cmd("HSET").arg(key).arg(field).arg(word(rng))).await;
                }
            }
        }
        // It expired meanwhile.
        _ => {}
    }
}

async fn spoil_type(redis: &mut MultiplexedConnection, key: &[u8], rng: &mut Rng) {
    let kind: String = run(redis, redis::cmd("TYPE").arg(key)).await;
    run::<()>(redis, redis::cmd("DEL").arg(key)).await;
    let mut others = ["string", "list", "set", "zset", "hash"].to_vec();
    others.retain(|other| *other != kind);
    let (name, has_score) = match *rng.choice(&others).unwrap() {
        "string" => ("SET", false),
        "list" => ("LPUSH", false),
        "set" => ("SADD", false),
        "zset" => ("ZADD", true),
        _ => ("HSET", true),
    };
    let mut command = redis::cmd(name);
    command.arg(key);
    if has_score {
        // Or a field.
        command.arg(rng.i32(..));
    }
    command.arg(word(rng));
    run::<()>(redis, &command).await;
}

/// Times as they may be written by whoever knows nothing of them.
const SCORES: [&str; 9] =
    ["-inf", "inf", "-1", "0", "1e300", "9223372036854775807", "1700000000.5", "-1e18", "253402300800"];

/// Something: text, numbers, bytes, all of it short or long.
fn word(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..8) {
        0 => Vec::new(),
        1 => b"}{".to_vec(),
        2 => i64::MAX.to_string().into(),
        3 => b"-1".to_vec(),
        4 => b"\xff\xfe\0\r\n".to_vec(),
        5 => vec![b'a'; 10_000],
        6 => "ü: nan*?[^]".into(),
        _ => (0..rng.usize(..64)).map(|_| rng.u8(..)).collect(),
    }
}

/// Other bytes in its place, or the same with some changed.
fn spoiled(value: &[u8], rng: &mut Rng) -> Vec<u8> {
    if value.is_empty() || rng.bool() {
        return word(rng);
    }
    let mut value = value.to_vec();
    for _ in 0..=rng.usize(..4) {
        let at = rng.usize(..value.len());
        match rng.u8(..3) {
            0 => value[at] = rng.u8(..),
            1 => value.insert(at, rng.u8(..)),
            _ => value.truncate(at.max(1)),
        }
    }
    value
}
