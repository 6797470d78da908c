//! [`Dialer`]: makes connections: a stream to a server, encrypted or not, on which we have logged in.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, RedisResult};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::address::Host;
use super::eager::{Eager, Look};
#[cfg(feature = "rustls")]
use super::tls::Encryption;

/// There is none in this build.
#[cfg(not(feature = "rustls"))]
pub(super) enum Encryption {}

#[cfg(not(feature = "rustls"))]
impl Encryption {
    fn login_failed(&self, _error: redis::RedisError) -> redis::RedisError {
        match *self {}
    }
}

/// How long connecting may take unless options say otherwise: finding the host, the handshakes and the login.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where one server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    Host(Host),
    Socket(PathBuf),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// How to connect and log in.
pub(super) struct Dialer {
    pub(super) login: RedisConnectionInfo,
    pub(super) encryption: Option<Arc<Encryption>>,
    pub(super) timeout: Duration,
}

/// How answers are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers {
    /// How long one may take.
    pub(super) within: Duration,
    /// Who looks for it first.
    pub(super) look: Look,
}

impl Answers {
    /// Looked for by who asks alone.
    pub(super) const fn within(within: Duration) -> Self {
        Self { within, look: Look::Alone }
    }
}

/// A connection that many tasks can share, and what drives it as long as anybody has it.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) server: MultiplexedConnection,
    /// None where the connection is not ours.
    _driver: Option<Arc<JoinSet<()>>>,
}

impl Session {
    /// A connection that somebody else drives.
    pub(super) fn of_another(server: MultiplexedConnection) -> Self {
        Self { server, _driver: None }
    }
}

/// What connections are made of.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

fn boxed<S: Stream + 'static>(socket: S, look: Option<Look>) -> Box<dyn Stream>
where
    for<'a> SockRef<'a>: From<&'a S>,
{
    match look {
        Some(look) => Box::new(Eager::new(socket, look)),
        None => Box::new(socket),
    }
}

/// Connecting as a whole has a limit of its own.
fn config(response: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(Some(response))
}

impl Dialer {
    /// A connection on which answers are [looked for](Eager).
    pub(super) async fn session(&self, peer: &Peer, answers: Answers) -> RedisResult<Session> {
        let stream = self.stream(peer, Some(answers.look));
        let config = config(answers.within);
        self.in_time(peer, async { self.begun(stream.await?, &self.login, config).await }).await
    }

    /// A connection on which the server may also tell what it was not asked: it speaks RESP3 (Redis 6 or newer).
    pub(super) async fn tracking(
        &self,
        peer: &Peer,
        response: Duration,
        on_push: impl AsyncPushSender,
    ) -> RedisResult<Session> {
        let login = self.login.clone().set_protocol(ProtocolVersion::RESP3);
        let (stream, config) = (self.stream(peer, None), config(response).set_push_sender(on_push));
        self.in_time(peer, async { self.begun(stream.await?, &login, config).await }).await
    }

    /// Logs in on a stream.
    async fn begun(
        &self,
        stream: Box<dyn Stream>,
        login: &RedisConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> RedisResult<Session> {
        self.try_begin(stream, login, config).await.map_err(|error| match &self.encryption {
            Some(encryption) => encryption.login_failed(error),
            None => error,
        })
    }

    async fn try_begin(
        &self,
        stream: Box<dyn Stream>,
        login: &RedisConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> RedisResult<Session> {
        let (mut server, driver) = MultiplexedConnection::new_with_config(login, stream, config).await?;
        let mut drivers = JoinSet::new();
        drivers.spawn(driver);
        if self.encryption.is_some() {
            // In TLS 1.3 a server looks at our certificate after our handshake has ended: what it thinks of it shows
            // in the first answer. An answer of any kind will do.
            let answer: RedisResult<()> = redis::cmd("PING").query_async(&mut server).await;
            if let Err(error) = answer
                && error.is_io_error()
            {
                return Err(error);
            }
        }
        Ok(Session { server, _driver: Some(Arc::new(drivers)) })
    }

    /// A connection to subscribe on.
    pub(super) async fn pubsub(&self, peer: &Peer) -> RedisResult<PubSub> {
        self.in_time(peer, async { PubSub::new(&self.login, self.stream(peer, None).await?).await }).await
    }

    async fn in_time<T>(&self, peer: &Peer, dial: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        timeout(self.timeout, dial).await.unwrap_or_else(|_elapsed| {
            let what = if self.encryption.is_some() { "; does it speak TLS there?" } else { "" };
            let late = format!("{peer} does not answer within {:?}{what}", self.timeout);
            Err(io::Error::new(io::ErrorKind::TimedOut, late).into())
        })
    }

    async fn stream(&self, peer: &Peer, look: Option<Look>) -> io::Result<Box<dyn Stream>> {
        match peer {
            Peer::Host(host) => {
                let stream = TcpStream::connect((host.name.as_str(), host.port)).await?;
                // Calls are small, and each is waited for.
                stream.set_nodelay(true)?;
                #[cfg(feature = "rustls")]
                if let Some(encryption) = &self.encryption {
                    let stream = boxed(stream, look);
                    return Ok(Box::new(encryption.encrypt(&host.name, stream).await?));
                }
                Ok(boxed(stream, look))
            }
            #[cfg(unix)]
            Peer::Socket(path) => Ok(boxed(tokio::net::UnixStream::connect(path).await?, look)),
            #[cfg(not(unix))]
            Peer::Socket(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "no Unix sockets here")),
        }
    }
}
