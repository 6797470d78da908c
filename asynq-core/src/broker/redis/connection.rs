//! [`Connection`]: one multiplexed connection, made when first needed and again after it broke.

use std::sync::Mutex;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisError, RedisResult, ServerErrorKind};

use super::address::{Address, Endpoint};
use crate::broker::{BrokerError, BrokerErrorKind};
use crate::error::Error;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take. Then the connection counts as broken: a half-open one never answers.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// One connection to Redis that many tasks share: what they send at the same time travels together.
pub(super) struct Connection {
    client: redis::Client,
    config: AsyncConnectionConfig,
    current: Mutex<Current>,
    /// Held while connecting: many that need a connection wait for one, instead of making one each.
    connecting: tokio::sync::Mutex<()>,
}

/// The connection in use, and how many there were before it.
#[derive(Default)]
struct Current {
    server: Option<MultiplexedConnection>,
    generation: u64,
}

impl Connection {
    pub(super) fn new(client: redis::Client) -> Self {
        Self::with_response_timeout(client, RESPONSE_TIMEOUT)
    }

    /// A connection for commands that block on the server for up to `block`.
    pub(super) fn blocking(client: redis::Client, block: Duration) -> Self {
        Self::with_response_timeout(client, block + RESPONSE_TIMEOUT)
    }

    fn with_response_timeout(client: redis::Client, response: Duration) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(response));
        Self { client, config, current: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// Runs commands on the connection. An error that leaves it in doubt drops it, so that the next use connects
    /// anew; nothing is sent twice.
    pub(super) async fn run<T>(
        &self,
        doing: &'static str,
        commands: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, BrokerError> {
        let (server, generation) = self.get().await.map_err(|error| broker_error(doing, error))?;
        commands(server).await.map_err(|error| {
            if in_doubt(&error) {
                self.drop_connection(generation);
            }
            broker_error(doing, error)
        })
    }

    async fn get(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let server = self.client.get_multiplexed_async_connection_with_config(&self.config).await?;
        let mut current = self.lock();
        current.server = Some(server.clone());
        current.generation += 1;
        Ok((server, current.generation))
    }

    fn current(&self) -> Option<(MultiplexedConnection, u64)> {
        let current = self.lock();
        Some((current.server.clone()?, current.generation))
    }

    /// Drops the connection, unless somebody has replaced it already.
    fn drop_connection(&self, generation: u64) {
        let mut current = self.lock();
        if current.generation == generation {
            current.server = None;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether the connection must not be used again.
fn in_doubt(error: &RedisError) -> bool {
    error.is_io_error() || error.is_timeout() || error.is_connection_dropped() || error.is_unrecoverable_error()
        // A server that was made a replica, or is going away, answers nothing useful on this connection.
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// A redis error in our terms.
pub(super) fn broker_error(doing: &'static str, error: RedisError) -> BrokerError {
    let kind = match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
            BrokerErrorKind::Denied
        }
        _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => BrokerErrorKind::Denied,
        _ if in_doubt(&error) || error.is_connection_refusal() => BrokerErrorKind::Unavailable,
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => BrokerErrorKind::Protocol,
        _ => BrokerErrorKind::Refused,
    };
    BrokerError::new(kind, doing, error)
}

/// What redis needs to know to connect.
pub(super) fn connection_info(address: &Address) -> Result<redis::ConnectionInfo, Error> {
    let unsupported = |what: &str| Error::InvalidUrl {
        reason: format!("{what} cannot be connected to by this version; use redis:// or redis-socket://"),
    };
    let server = match &address.endpoint {
        _ if address.tls => return Err(unsupported("an encrypted server (rediss)")),
        Endpoint::Server(host) => redis::ConnectionAddr::Tcp(host.name.clone(), host.port),
        Endpoint::Socket(path) => redis::ConnectionAddr::Unix(path.into()),
        Endpoint::Sentinel { .. } => return Err(unsupported("a master behind sentinels")),
        Endpoint::Cluster(_) => return Err(unsupported("a cluster")),
    };
    let mut login = redis::RedisConnectionInfo::default().set_db(address.db).set_skip_set_lib_name();
    if let Some(name) = &address.username {
        login = login.set_username(name);
    }
    if let Some(password) = &address.password {
        login = login.set_password(password.reveal());
    }
    let info = redis::IntoConnectionInfo::into_connection_info(server).map_err(unusable)?;
    Ok(info.set_redis_settings(login))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(super) fn unusable(error: RedisError) -> Error {
    Error::InvalidUrl { reason: error.to_string() }
}
