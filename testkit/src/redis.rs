//! Throw-away Redis servers.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::certificates::{Authority, Identity};
use crate::eventually;

/// What is started for `redis-server`: another version, or another server, where `ASYNQ_REDIS_SERVER` names one.
fn program() -> String {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    std::env::var("ASYNQ_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// Where a server writes what it does, in its folder.
const LOG: &str = "log";

/// Major and minor.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').take(2).map(|number| number.parse().unwrap()).collect()
}

/// A port that nobody uses at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Redis server of a test's own, on a free port, with its files in a temporary folder. Killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Child>,
    port: u16,
    tls_port: Option<u16>,
    bus_port: Option<u16>,
    is_sentinel: bool,
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
        Self::start_each(args, || None).await
    }

    /// Starts a node of a cluster with these arguments, on a bus port of its own.
    pub(crate) async fn start_node(args: &[&str]) -> Self {
        Self::start_each(args, || Some(free_port())).await
    }

    async fn start_each(args: &[&str], bus_port: impl Fn() -> Option<u16>) -> Self {
        // The kernel gives ports that nobody uses; between their release and the server's start somebody might take
        // one, and then the next try gets others.
        for _ in 0..20 {
            let (port, bus_port) = (free_port(), bus_port());
            let mut args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
            if let Some(bus_port) = bus_port {
                args.extend(["--cluster-port".to_owned(), bus_port.to_string()]);
            }
            let mut server = Self {
                process: None,
                port,
                tls_port: None,
                bus_port,
                is_sentinel: false,
                folder: tempfile::tempdir().unwrap(),
                args,
            };
            if server.try_launch().await {
                return server;
            }
        }
        panic!("redis-server does not start; is it installed?");
    }

    /// Starts a server without the commands that came after this version of Redis, and before 6.2 without `RPOP`, which
    /// only from then on is told how many to take, as we do. What newer servers have added to other commands stays: only a
    /// server of that age shows that nobody uses it.
    pub async fn start_as_of(version: &str) -> Self {
        let server = Self::start().await;
        // Before 7.0 no server can tell: it is taken as it is.
        let Ok(documents) = server.try_command::<HashMap<String, redis::Value>>(&["COMMAND", "DOCS"]).await
        else {
            return server;
        };
        let mut args = Vec::new();
        for (command, document) in &documents {
            let document: HashMap<String, redis::Value> = redis::from_redis_value_ref(document).unwrap();
            // Commands of modules need not say it.
            let Some(since) = document.get("since") else { continue };
            let since: String = redis::from_redis_value_ref(since).unwrap();
            if numbers(&since) > numbers(version) {
                args.extend(["--rename-command", command, ""]);
            }
        }
        assert!(args.contains(&"blmove"), "COMMAND DOCS does not tell which commands are new");
        if numbers(version) < numbers("6.2") {
            args.extend(["--rename-command", "rpop", ""]);
        }
        Self::start_with(&args).await
    }

    /// Starts a server that also speaks TLS, on another port, and shows `identity`. Clients may show a certificate that
    /// `authority` has signed; with `ask` they must.
    pub async fn start_encrypted(authority: &Authority, identity: &Identity, ask: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (ca, certificate, key) = (
            file("ca.pem", &authority.pem()),
            file("server.pem", &identity.certificate),
            file("server.key", &identity.key),
        );
        for _ in 0..20 {
            let tls_port = free_port();
            let mut server = Self {
                process: None,
                port: free_port(),
                tls_port: Some(tls_port),
                bus_port: None,
                is_sentinel: false,
                folder: tempfile::tempdir().unwrap(),
                args: [
                    ["--tls-port", &tls_port.to_string()],
                    ["--tls-ca-cert-file", &ca],
                    ["--tls-cert-file", &certificate],
                    ["--tls-key-file", &key],
                    ["--tls-auth-clients", if ask { "yes" } else { "optional" }],
                ]
                .as_flattened()
                .iter()
                .map(|&arg| arg.to_owned())
                .collect(),
            };
            if server.try_launch().await {
                return server;
            }
        }
        panic!("redis-server does not start with TLS; is it built with it?");
    }

    /// Starts a sentinel, which watches nobody yet.
    pub(crate) async fn start_sentinel() -> Self {
        for _ in 0..20 {
            let mut server = Self {
                process: None,
                port: free_port(),
                tls_port: None,
                bus_port: None,
                is_sentinel: true,
                folder: tempfile::tempdir().unwrap(),
                args: Vec::new(),
            };
            if server.try_launch().await {
                return server;
            }
        }
        panic!("redis-server does not start as a sentinel");
    }

    /// Where the other nodes of a cluster reach it.
    pub(crate) fn bus_port(&self) -> u16 {
        self.bus_port.expect("a node of a cluster")
    }

    /// Whether it was not killed.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    async fn try_launch(&mut self) -> bool {
        // The server makes this one when it has all its ports. Who answers at the port may be the server of another
        // test that was given the same one, while ours is about to end.
        let socket = self.socket();
        drop(std::fs::remove_file(&socket));
        let mut command = Command::new(program());
        if self.is_sentinel {
            // It keeps its state in its configuration.
            let file = self.folder.path().join("sentinel.conf");
            std::fs::write(&file, "").unwrap();
            command.arg(file).arg("--sentinel");
        } else {
            command.args(["--save", ""]);
        }
        let process = command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--dir".as_ref(), self.folder.path().as_os_str()])
            .args(["--unixsocket".as_ref(), socket.as_os_str()])
            .args(&self.args)
            .args(["--logfile".as_ref(), self.folder.path().join(LOG).as_os_str()])
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
            if !socket.exists() {
                return None;
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

    /// The socket in the file system where it listens too.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it speaks TLS, under the name `localhost`.
    pub fn encrypted_url(&self) -> String {
        format!("rediss://localhost:{}", self.tls_port.expect("started with TLS"))
    }

    /// What it wrote about itself since it was first started.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// A connection to it.
    pub async fn connection(&self) -> MultiplexedConnection {
        self.try_connection().await.expect("redis does not answer")
    }

    async fn try_connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        // A machine that builds and tests at the same time is slow to answer, and that is no failure.
        let patience = Some(Duration::from_secs(30));
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(patience)
            .set_response_timeout(patience);
        redis::Client::open(self.url())?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Runs one command.
    pub async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_command(words).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// How often this command ran since the last `CONFIG RESETSTAT`.
    pub async fn calls(&self, command: &str) -> usize {
        let stats: String = self.command(&["INFO", "commandstats"]).await;
        let prefix = format!("cmdstat_{command}:calls=");
        let calls =
            stats.lines().find_map(|line| line.strip_prefix(&prefix)?.split(',').next()?.parse().ok());
        calls.unwrap_or(0)
    }

    /// From now on notes every command that takes longer than this.
    pub async fn note_slow_commands(&self, limit: Duration) {
        let micros = limit.as_micros().to_string();
        self.command::<()>(&["CONFIG", "SET", "slowlog-log-slower-than", &micros]).await;
        self.command::<()>(&["SLOWLOG", "RESET"]).await;
    }

    /// The commands that took longer than they should, as Redis tells of them.
    pub async fn slow_commands(&self) -> Vec<String> {
        let entries: Vec<redis::Value> = self.command(&["SLOWLOG", "GET", "20"]).await;
        entries.iter().map(|entry| format!("{entry:?}")).collect()
    }

    /// Runs one command, which may fail.
    ///
    /// # Errors
    ///
    /// What the server says, or that it cannot be reached.
    pub async fn try_command<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut self.try_connection().await?).await
    }

    /// Every key that is left, with the seconds until it goes away by itself, if it does.
    pub async fn keys(&self) -> Vec<(String, Option<i64>)> {
        let mut keys = Vec::new();
        for key in self.command::<Vec<String>>(&["KEYS", "*"]).await {
            let seconds: i64 = self.command(&["TTL", &key]).await;
            keys.push((key, (seconds >= 0).then_some(seconds)));
        }
        keys.sort();
        keys
    }

    /// Every text that it holds: members of lists and sets, values of hashes, strings.
    pub async fn every_value(&self) -> Vec<String> {
        let mut all = Vec::new();
        for key in self.command::<Vec<String>>(&["KEYS", "*"]).await {
            let kind: String = self.command(&["TYPE", &key]).await;
            let values: Vec<Vec<u8>> = match kind.as_str() {
                "list" => self.command(&["LRANGE", &key, "0", "-1"]).await,
                "set" => self.command(&["SMEMBERS", &key]).await,
                "zset" => self.command(&["ZRANGE", &key, "0", "-1"]).await,
                "hash" => self.command(&["HVALS", &key]).await,
                "string" => vec![self.command(&["GET", &key]).await],
                _ => Vec::new(),
            };
            all.extend(values.iter().map(|value| String::from_utf8_lossy(value).into_owned()));
        }
        all
    }

    /// What its users were denied: who and what. A script may go on after that, so errors do not tell all.
    pub async fn denied(&self) -> Vec<String> {
        let log: Vec<HashMap<String, redis::Value>> = self.command(&["ACL", "LOG"]).await;
        log.iter().map(|entry| format!("{:?} {:?}", entry["username"], entry["object"])).collect()
    }

    /// Waits until its users were denied something so many times since its log was last reset.
    pub async fn until_denied(&self, times: i64) {
        eventually("redis denies something", async || {
            let log: Vec<HashMap<String, redis::Value>> = self.command(&["ACL", "LOG"]).await;
            // What is the same within a minute is one entry with a count.
            let count = |entry: &HashMap<String, redis::Value>| match entry.get("count") {
                Some(redis::Value::Int(count)) => *count,
                _ => 0,
            };
            (log.iter().map(count).sum::<i64>() >= times).then_some(())
        })
        .await;
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
