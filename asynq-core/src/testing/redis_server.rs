//! [`RedisServer`]: a throw-away Redis, for tests of what only Redis has.
#![expect(clippy::panic, reason = "a test that cannot be run fails")]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;

/// How long a server may take to answer.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A Redis server of a test's own, on a free port of this machine, that keeps nothing on disk; ended when dropped.
///
/// It needs the program `redis-server`, or another one that is [named](Self::start_program). Most tests need a [`Rig`](super::Rig) only, which has the same rules.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// use asynq_core::testing::RedisServer;
///
/// let redis = RedisServer::start().await;
/// let client = redis.client().await; // or Client::connect(redis.url()).await?
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    url: String,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or does not answer in 20 seconds.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the server.
    pub async fn start() -> Self {
        Self::start_program("redis-server").await
    }

    /// As [`start`](Self::start), with another program that takes the same arguments, such as `valkey-server`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the server.
    pub async fn start_program(program: &str) -> Self {
        // The kernel gives a port that nobody uses; between its release and the server's start somebody might take it,
        // and then the next try gets another one.
        for _ in 0..20 {
            if let Some(server) = Self::try_start(program).await {
                return server;
            }
        }
        panic!("`{program}` ends as soon as it is started; try `{program} --save '' --port 7000`");
    }

    /// `None` when it ended at once.
    async fn try_start(program: &str) -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0");
        let port = match listener.and_then(|listener| listener.local_addr()) {
            Ok(address) => address.port(),
            Err(error) => panic!("no port is free on 127.0.0.1: {error}"),
        };
        let started = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match started {
            Ok(process) => process,
            Err(error) => panic!("cannot start `{program}`, which is to be installed: {error}"),
        };
        let mut server = Self { process, url: format!("redis://127.0.0.1:{port}") };
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            if !matches!(server.process.try_wait(), Ok(None)) {
                return None;
            }
            if Client::connect(&server.url).await.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("`{program}` was started, but does not answer at {}", server.url);
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client that is connected to it.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn client(&self) -> Client {
        Client::connect(&self.url).await.unwrap_or_else(|error| panic!("redis does not answer: {error:?}"))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended by itself: nothing is left to do then.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
