//! The table of scripts, and how one is run: by its hash, and sent whole where the server does not know it.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, ErrorKind, RedisResult, Script, ServerErrorKind, ToRedisArgs, Value};

use super::link::{Link, ask, slot};
use crate::broker::BrokerError;

/// The longest time to live that is asked for, in seconds: Redis counts it in milliseconds from 1970, and refuses
/// what it cannot count.
pub(super) const LONGEST_TTL: i64 = 9_000_000_000_000_000;

macro_rules! scripts {
    ($($name:ident $([$($first:ident)*])?)*) => {
        /// Every script, by its file's name. `[x y]` is what one begins with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(non_camel_case_types, reason = "a script is named as its file")]
        pub(super) enum Name { $($name),* }

        const SOURCES: &[&str] =
            &[$(concat!(
                $($(include_str!(concat!("scripts/", stringify!($first), ".lua")),)*)?
                include_str!(concat!("scripts/", stringify!($name), ".lua"))
            )),*];
    };
}

scripts! {
    acquire_token
    adopt [fields lock]
    archive_members [fields]
    change [fields]
    change_timetable
    close_queue
    copies [score]
    count_groups
    delete_expired
    edit [fields]
    enqueue [columns fields lock insert]
    exchange
    expire_set
    extend [fields]
    finish_members [fields lock insert]
    forget_group
    forward [fields]
    free_lock [fields]
    group_standings [fields]
    lock_standings [fields]
    mend [fields]
    mend_groups
    peek_groups
    put_aside
    put_right [score standing]
    queue_info
    read_members [fields]
    reclaim_sets
    record_enqueue_event
    release
    scan
    stage_group
    standings [score standing]
    sweep [fields]
    take_turn
    task_info [read_task]
    watch [read_task]
    write_result
    write_scheduler_entries
}

/// The SHA-1 of each script, in the order of [`Name`].
static HASHES: LazyLock<Vec<String>> =
    LazyLock::new(|| SOURCES.iter().map(|source| Script::new(source).get_hash().to_owned()).collect());

impl Name {
    // Both tables have an entry for each name, by construction.
    fn source(self) -> &'static str {
        SOURCES.get(self as usize).copied().unwrap_or_default()
    }

    fn sha(self) -> &'static str {
        HASHES.get(self as usize).map_or("", String::as_str)
    }
}

/// A call of a script: keys first, then arguments.
pub(super) struct Call {
    name: Name,
    command: Cmd,
    replicas: Option<Replicas>,
}

/// How many replicas must have what was written, and how long that may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas {
    pub(super) count: u32,
    pub(super) within: Duration,
}

impl Call {
    /// A call with these keys.
    pub(super) fn new(
        name: Name,
        keys: impl IntoIterator<Item = String, IntoIter: ExactSizeIterator>,
    ) -> Self {
        Self::with_keys(name, keys)
    }

    /// A call with these keys, which may be any bytes.
    pub(super) fn with_keys(
        name: Name,
        keys: impl IntoIterator<Item: ToRedisArgs, IntoIter: ExactSizeIterator>,
    ) -> Self {
        let keys = keys.into_iter();
        // Room for what most calls carry, instead of growing to it piece by piece.
        let mut command = Cmd::with_capacity(64, 2_048);
        command.arg("EVALSHA").arg(name.sha()).arg(keys.len());
        for key in keys {
            command.arg(key);
        }
        Self { name, command, replicas: None }
    }

    pub(super) fn arg(&mut self, arg: impl ToRedisArgs) -> &mut Self {
        self.command.arg(arg);
        self
    }

    /// As it travels.
    #[cfg(feature = "__hot_path")]
    pub(super) fn packed(&self) -> Vec<u8> {
        self.command.get_packed_command()
    }

    /// The same call, which has failed unless so many replicas have what it wrote.
    pub(super) fn replicated_to(mut self, replicas: Replicas) -> Self {
        self.replicas = Some(replicas);
        self
    }

    /// Runs the script.
    pub(super) async fn run(&self, link: &Link, doing: &'static str) -> Result<Value, BrokerError> {
        link.evaluate(doing, self).await
    }

    /// The slot of its keys.
    pub(super) fn slot(&self) -> Option<u16> {
        slot(&self.command)
    }

    /// The same call with one key more, which never exists, in the slot of the others.
    ///
    /// A script uses keys that it does not declare, such as those of tasks. While a slot moves to another node, some
    /// are here and some are there, and a script that meets one which has gone fails half-way. A node runs no call
    /// that names a key which is not here while others are, or while the slot moves: so such a call waits, whole.
    pub(super) fn guarded(&self) -> Self {
        let words =
            || self.command.args_iter().map(|word| if let Arg::Simple(word) = word { word } else { b"" });
        let count =
            words().nth(2).and_then(|count| std::str::from_utf8(count).ok()?.parse().ok()).unwrap_or(0);
        let tagged = words().nth(3).and_then(|key| {
            let close = key.iter().position(|&byte| byte == b'}')?;
            key.get(..=close)
        });
        let none = tagged.map(|tagged| [tagged, b":x:none"].concat());
        let keys: Vec<&[u8]> = words().skip(3).take(count).chain(none.as_deref()).collect();
        let mut call = Self::with_keys(self.name, keys);
        for arg in words().skip(3 + count) {
            call.arg(arg);
        }
        Self { replicas: self.replicas, ..call }
    }

    /// Sends it on a connection; with `asking` also to a node to which its slot is still moving.
    pub(super) async fn send(&self, server: &mut MultiplexedConnection, asking: bool) -> RedisResult<Value> {
        let answer = self.send_script(server, asking).await?;
        if let Some(Replicas { count, within }) = self.replicas {
            // None is no limit to Redis.
            let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).max(1);
            let written: u32 = redis::cmd("WAIT").arg(count).arg(millis).query_async(server).await?;
            if written < count {
                let detail = format!("{written} of {count} after {within:?}");
                return Err((ErrorKind::Client, "stored, but too few replicas have it", detail).into());
            }
        }
        Ok(answer)
    }

    async fn send_script(&self, server: &mut MultiplexedConnection, asking: bool) -> RedisResult<Value> {
        match ask(server, &self.command, asking).await {
            // The server was restarted, or told to forget its scripts. Nothing has run.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let source = self.name.source();
                redis::cmd("SCRIPT").arg("LOAD").arg(source).query_async::<Value>(server).await?;
                ask(server, &self.command, asking).await
            }
            answer => answer,
        }
    }
}
