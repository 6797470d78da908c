//! The table of scripts, and how one is run: by its hash, and sent whole where the server does not know it.

use std::sync::LazyLock;

use redis::{ErrorKind, RedisResult, Script, ServerErrorKind, ToRedisArgs, Value};

use super::connection::Connection;
use crate::broker::BrokerError;

/// The longest time to live that is asked for, in seconds: Redis counts it in milliseconds from 1970, and refuses
/// what it cannot count.
pub(super) const LONGEST_TTL: i64 = 9_000_000_000_000_000;

macro_rules! scripts {
    ($($name:ident $([$first:ident])?)*) => {
        /// Every script, by its file's name. `[x]` is what one begins with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(non_camel_case_types, reason = "a script is named as its file")]
        pub(super) enum Name { $($name),* }

        const SOURCES: &[&str] =
            &[$(concat!(
                $(include_str!(concat!("scripts/", stringify!($first), ".lua")),)?
                include_str!(concat!("scripts/", stringify!($name), ".lua"))
            )),*];
    };
}

scripts! {
    acquire_token
    adopt
    archive_members
    change
    close_queue
    delete_expired
    edit
    enqueue [insert]
    exchange
    extend
    finish_members [insert]
    forward
    mend
    mend_groups
    peek_groups
    queue_info
    read_set
    reclaim_sets
    record_enqueue_event
    release
    scan
    stage_group
    sweep
    take_turn
    task_info [read_task]
    watch [read_task]
    write_result
    write_scheduler_entries
    write_server_state
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
    command: redis::Cmd,
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
        let mut command = redis::cmd("EVALSHA");
        command.arg(name.sha()).arg(keys.len());
        for key in keys {
            command.arg(key);
        }
        Self { name, command }
    }

    pub(super) fn arg(&mut self, arg: impl ToRedisArgs) -> &mut Self {
        self.command.arg(arg);
        self
    }

    /// Runs the script.
    pub(super) async fn run(
        &self,
        connection: &Connection,
        doing: &'static str,
    ) -> Result<Value, BrokerError> {
        connection.run(doing, async |mut server| self.send(&mut server).await).await
    }

    async fn send(&self, server: &mut redis::aio::MultiplexedConnection) -> RedisResult<Value> {
        match self.command.query_async(server).await {
            // The server was restarted, or told to forget its scripts. Nothing has run.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let source = self.name.source();
                redis::cmd("SCRIPT").arg("LOAD").arg(source).query_async::<Value>(server).await?;
                self.command.query_async(server).await
            }
            answer => answer,
        }
    }
}
