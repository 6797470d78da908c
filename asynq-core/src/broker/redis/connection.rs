//! [`Connection`]: one multiplexed connection, made when first needed and again after it broke.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};

use super::dial::{Answers, Session};
use super::places::Places;
use super::single_flight::SingleFlight;
use super::upstream::Upstream;
use crate::broker::{BrokerError, BrokerErrorKind};

/// How long an answer may take unless options say otherwise. Then the connection counts as broken: a half-open one
/// never answers.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// One connection to Redis that many tasks share: what they send at the same time travels together.
pub(super) struct Connection {
    upstream: Upstream,
    answers: Answers,
    places: Places,
    current: Mutex<Current>,
    /// Many that need a connection make one together.
    connecting: SingleFlight<RedisResult<Session>>,
}

/// The connection in use, and how many there were before it.
#[derive(Default)]
struct Current {
    session: Option<Session>,
    generation: u64,
}

impl Connection {
    /// A connection on which answers are waited for so, and by so many calls at most.
    pub(super) fn new(upstream: Upstream, answers: Answers, max_waiting: usize) -> Self {
        let places = Places::new(max_waiting);
        Self { upstream, answers, places, current: Mutex::default(), connecting: SingleFlight::default() }
    }

    /// Begins with a connection that somebody else has made. Once that one breaks, we make our own.
    pub(super) fn begin_with(&self, server: MultiplexedConnection) {
        self.lock().session = Some(Session::of_another(server));
    }

    /// Runs commands on the connection. An error that leaves it in doubt drops it, so that the next use connects
    /// anew; nothing is sent twice.
    pub(super) async fn run<T>(
        &self,
        doing: &'static str,
        commands: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, BrokerError> {
        let _place = self.places.take(doing)?;
        let (session, generation) = self.get().await.map_err(|error| broker_error(doing, error))?;
        commands(session.server.clone()).await.map_err(|error| {
            self.failed(generation, &error);
            broker_error(doing, error)
        })
    }

    /// The connection, made if need be, and its number.
    pub(super) async fn get(&self) -> RedisResult<(Session, u64)> {
        loop {
            let generation = {
                let current = self.lock();
                if let Some(session) = &current.session {
                    return Ok((session.clone(), current.generation));
                }
                current.generation
            };
            let begin = || self.upstream.clone().session(self.answers);
            let made = self.connecting.join(begin).await?;
            let mut current = self.lock();
            // Unless others have begun to use it, and perhaps lost it again.
            if current.generation == generation {
                current.session = Some(made);
                current.generation += 1;
            }
        }
    }

    /// Drops the connection of this number if the error leaves it in doubt, unless somebody has replaced it already.
    pub(super) fn failed(&self, generation: u64, error: &RedisError) {
        let mut current = self.lock();
        if in_doubt(error) && current.generation == generation {
            current.session = None;
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
        ErrorKind::AuthenticationFailed => {
            // The server does not tell which, and its library's words leave out the user.
            let wrong = "user name or password is wrong, or the user is disabled";
            return BrokerError::new(BrokerErrorKind::Denied, doing, wrong);
        }
        ErrorKind::Server(ServerErrorKind::NoPerm) => BrokerErrorKind::Denied,
        _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => BrokerErrorKind::Denied,
        _ if is_distrust(&error) => BrokerErrorKind::Denied,
        _ if in_doubt(&error) || error.is_connection_refusal() || is_temporary(&error) => {
            BrokerErrorKind::Unavailable
        }
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => BrokerErrorKind::Protocol,
        _ => BrokerErrorKind::Refused,
    };
    BrokerError::new(kind, doing, error)
}

/// Whether one side does not accept the other's certificate.
fn is_distrust(error: &RedisError) -> bool {
    // The library hands out the pointer to the cause as the cause.
    let cause = error.source().and_then(|source| source.downcast_ref::<Arc<dyn StdError + Send + Sync>>());
    cause
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .is_some_and(|io| io.kind() == io::ErrorKind::InvalidData)
}

/// Whether the servers are changing, and will do better.
fn is_temporary(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        // Of ours: too few replicas.
        ErrorKind::Client
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::Server(
                ServerErrorKind::TryAgain
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::BusyLoading
            )
    )
}
