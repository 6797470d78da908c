//! [`SentinelSet`]: a master, two replicas and three sentinels of a test's own.

use std::time::Duration;

use futures_util::future::join_all;

use crate::eventually_within;
use crate::redis::RedisServer;

/// The name under which the sentinels watch the master.
const MASTER: &str = "mymaster";

/// One master, two replicas and three sentinels, who replace a master that is away for a second.
#[derive(Debug)]
pub struct SentinelSet {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

impl SentinelSet {
    /// Starts one, and waits until the sentinels know each other and the replicas.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts one whose servers want this password, and whose sentinels want none.
    pub async fn start_with(password: &str) -> Self {
        let base = ["--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        let locked = ["--requirepass", password, "--masterauth", password];
        let args: Vec<&str> =
            base.into_iter().chain(locked.into_iter().filter(|_| !password.is_empty())).collect();
        let master = RedisServer::start_with(&args).await;
        let port = master.port().to_string();
        let replica = [args.as_slice(), &["--replicaof", "127.0.0.1", &port]].concat();
        let replicas = join_all([RedisServer::start_with(&replica), RedisServer::start_with(&replica)]).await;
        let servers: Vec<RedisServer> = std::iter::once(master).chain(replicas).collect();
        let sentinels = join_all((0..3).map(|_| RedisServer::start_sentinel())).await;
        for sentinel in &sentinels {
            sentinel.command::<()>(&["SENTINEL", "MONITOR", MASTER, "127.0.0.1", &port, "2"]).await;
            let mut settings = vec![
                ["down-after-milliseconds", "1000"],
                ["failover-timeout", "10000"],
                ["parallel-syncs", "2"],
            ];
            if !password.is_empty() {
                settings.push(["auth-pass", password]);
            }
            for [name, value] in settings {
                sentinel.command::<()>(&["SENTINEL", "SET", MASTER, name, value]).await;
            }
        }
        for sentinel in &sentinels {
            eventually_within(Duration::from_secs(60), "a sentinel knows all others", async || {
                let info: String = sentinel.command(&["INFO", "sentinel"]).await;
                info.contains("status=ok").then_some(())?;
                (info.contains("slaves=2") && info.contains("sentinels=3")).then_some(())
            })
            .await;
        }
        Self { servers, sentinels }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let hosts: Vec<String> =
            self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port())).collect();
        format!("redis-sentinel://{}?master={MASTER}", hosts.join(","))
    }

    /// The master that the first sentinel names, by its place among the servers.
    pub async fn master(&self) -> usize {
        let (_, port): (String, u16) =
            self.sentinels[0].command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]).await;
        self.servers.iter().position(|server| server.port() == port).unwrap()
    }

    /// What all servers and sentinels wrote about themselves.
    pub fn log(&self) -> String {
        self.servers.iter().chain(&self.sentinels).map(RedisServer::log).collect()
    }

    /// How often a sentinel made a replica the master: once for a fail-over, unless two sentinels won an election each,
    /// or the new master was silent, too.
    pub fn promotions(&self) -> usize {
        self.log().matches("+promoted-slave").count()
    }

    /// A server.
    pub fn server(&self, at: usize) -> &RedisServer {
        &self.servers[at]
    }

    /// Kills a server, as a crash would.
    pub async fn kill(&mut self, at: usize) {
        self.servers[at].kill().await;
    }

    /// Kills a sentinel.
    pub async fn kill_sentinel(&mut self, at: usize) {
        self.sentinels[at].kill().await;
    }
}
