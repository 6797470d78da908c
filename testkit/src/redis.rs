//! Throw-away Redis servers.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::eventually;

/// A Redis server of a test's own, on a free port, with its files in a temporary folder. Killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Child>,
    port: u16,
    folder: TempDir,
    args: Vec<String>,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk.
    pub async fn start() -> Self {
        Self::start_with(&["--appendonly", "no"]).await
    }

    /// Starts a server that writes each change to disk before it answers.
    pub async fn start_durable() -> Self {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "always"]).await
    }

    /// Starts a server with these arguments.
    pub async fn start_with(args: &[&str]) -> Self {
        // The kernel gives a port that nobody uses; between its release and the server's start somebody might take
        // it, and then the next try gets another one.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = Self {
                process: None,
                port,
                folder: tempfile::tempdir().unwrap(),
                args: args.iter().map(|&arg| arg.to_owned()).collect(),
            };
            if server.try_launch().await {
                return server;
            }
        }
        panic!("redis-server does not start; is it installed?");
    }

    async fn try_launch(&mut self) -> bool {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--dir".as_ref(), self.folder.path().as_os_str()])
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("cannot start redis-server; `cargo xtask test` installs it");
        self.process = Some(process);
        eventually("redis answers or ends", async || {
            if self.process.as_mut().unwrap().try_wait().unwrap().is_some() {
                return Some(false);
            }
            // A server with a password refuses this one, but it is up.
            let answer: redis::RedisResult<String> =
                async { redis::cmd("PING").query_async(&mut self.try_connection().await?).await }.await;
            match answer {
                Ok(_) => Some(true),
                Err(error) => (error.code() == Some("NOAUTH")).then_some(true),
            }
        })
        .await
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection to it.
    pub async fn connection(&self) -> MultiplexedConnection {
        self.try_connection().await.expect("redis does not answer")
    }

    async fn try_connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        // A machine that builds and tests at the same time is slow to answer, and that is no failure.
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(30)));
        redis::Client::open(self.url())?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Runs one command.
    pub async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command
            .query_async(&mut self.connection().await)
            .await
            .unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Kills it, as a crash would.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await.unwrap();
        }
    }

    /// Starts it again on the same port with the same files.
    pub async fn restart(&mut self) {
        eventually("redis starts on its old port", async || self.try_launch().await.then_some(())).await;
    }

    /// Stops it from running, without its connections noticing, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it run again.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.process.as_ref().and_then(Child::id).expect("redis does not run").to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success(), "kill -s {name} {pid}");
    }

    /// Waits until a command's answer is accepted by `wanted`.
    pub async fn until<T: redis::FromRedisValue>(&self, words: &[&str], wanted: impl Fn(&T) -> bool) -> T {
        crate::eventually_within(Duration::from_secs(60), &words.join(" "), async || {
            Some(self.command::<T>(words).await).filter(&wanted)
        })
        .await
    }
}
