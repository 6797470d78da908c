//! The table of scripts, and how one is run: `EVALSHA`, and `EVAL` where the server does not know it.

use std::sync::LazyLock;

use redis::{ErrorKind, RedisResult, Script, ServerErrorKind, ToRedisArgs, Value};

use super::connection::Connection;
use crate::broker::BrokerError;

macro_rules! scripts {
    ($($name:ident)*) => {
        /// Every script, by its file's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(non_camel_case_types, reason = "a script is named as its file")]
        pub(super) enum Name { $($name),* }

        const SOURCES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("scripts/", stringify!($name), ".lua")))),*];
    };
}

scripts! {
    delete_expired_completed
    enqueue
    exchange
    extend
    forward
    mend
    task_info
    write_result
    write_server_state
}

/// Source and SHA-1 of each script, in the order of [`Name`].
static TABLE: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    SOURCES.iter().map(|(_, source)| (*source, Script::new(source).get_hash().to_owned())).collect()
});

/// A call of a script: keys first, then arguments.
pub(super) struct Call {
    name: Name,
    keys: Vec<Vec<u8>>,
    args: Vec<Vec<u8>>,
}

impl Call {
    pub(super) fn new(name: Name) -> Self {
        Self { name, keys: Vec::new(), args: Vec::new() }
    }

    pub(super) fn key(&mut self, key: impl Into<String>) -> &mut Self {
        self.keys.push(key.into().into_bytes());
        self
    }

    pub(super) fn arg(&mut self, arg: impl ToRedisArgs) -> &mut Self {
        arg.write_redis_args(&mut self.args);
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
        // The table has an entry for each name, by construction of both.
        let Some((source, sha)) = TABLE.get(self.name as usize) else { return Ok(Value::Nil) };
        match self.command("EVALSHA", sha).query_async(server).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.command("EVAL", source).query_async(server).await
            }
            answer => answer,
        }
    }

    fn command(&self, verb: &str, script: &str) -> redis::Cmd {
        let mut command = redis::cmd(verb);
        command.arg(script).arg(self.keys.len());
        for part in self.keys.iter().chain(&self.args) {
            command.arg(part.as_slice());
        }
        command
    }
}
