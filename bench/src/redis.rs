//! [`Redis`]: a server of our own, and what it tells about its work.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use redis::{Connection, FromRedisValue};

use crate::process::pause;

/// The queue where nothing else is said.
const QUEUE: &str = "default";

/// A Redis server on a free port, without persistence, in a folder that goes with it.
pub(crate) struct Redis {
    process: Child,
    folder: PathBuf,
    address: String,
    connection: Connection,
}

/// Commands that were run, those inside scripts included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    /// All of them.
    pub(crate) all: u64,
    /// Calls of scripts.
    pub(crate) scripts: u64,
}

impl Redis {
    /// Starts a server, with these settings too.
    pub(crate) fn start(settings: &[&str]) -> Result<Self> {
        // Between finding a free port and using it, somebody else may have taken it.
        for _ in 0..5 {
            if let Some(server) = Self::try_start(settings)? {
                return Ok(server);
            }
        }
        bail!("redis-server did not start on any of five free ports");
    }

    fn try_start(settings: &[&str]) -> Result<Option<Self>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("asynq-bench-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&folder)
            .args(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start redis-server")?;
        let address = format!("127.0.0.1:{port}");
        let client = redis::Client::open(format!("redis://{address}"))?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while process.try_wait()?.is_none() && Instant::now() < deadline {
            if let Ok(connection) = client.get_connection() {
                let mut server = Self { process, folder, address, connection };
                // Whoever answers on this port must be the one that we started.
                let id: u32 = server.info_field("server", "process_id")?;
                return Ok((id == server.process.id()).then_some(server));
            }
            pause(Duration::from_millis(20));
        }
        drop(process.kill());
        drop(process.wait());
        drop(fs::remove_dir_all(&folder));
        Ok(None)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The server's version.
    pub(crate) fn version(&mut self) -> Result<String> {
        self.info_field("server", "redis_version")
    }

    /// Removes everything.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.query(&["FLUSHALL", "SYNC"])
    }

    /// Processor time of the thread that runs commands, in seconds.
    pub(crate) fn processor_seconds(&mut self) -> Result<f64> {
        let user: f64 = self.info_field("cpu", "used_cpu_user_main_thread")?;
        let system: f64 = self.info_field("cpu", "used_cpu_sys_main_thread")?;
        Ok(user + system)
    }

    /// Commands run since the server started, but for `INFO`, which only this program sends.
    pub(crate) fn calls(&mut self) -> Result<Calls> {
        let mut calls = Calls { all: 0, scripts: 0 };
        for (name, value) in self.info("commandstats")? {
            let count = value.split(',').find_map(|field| field.strip_prefix("calls="));
            let count: u64 = count.context("no calls in commandstats")?.parse()?;
            match name.trim_start_matches("cmdstat_") {
                "info" => continue,
                "eval" | "evalsha" | "eval_ro" | "evalsha_ro" | "fcall" | "fcall_ro" => {
                    calls.scripts += count;
                }
                _ => {}
            }
            calls.all += count;
        }
        Ok(calls)
    }

    /// An error unless this many tasks are waiting to be run in the queue `default`, as in all that follow.
    pub(crate) fn expect_pending(&mut self, tasks: usize) -> Result<()> {
        let pending: usize = self.query(&["LLEN", &key(QUEUE, "pending")])?;
        ensure!(pending == tasks, "{pending} tasks are pending, and not {tasks}");
        Ok(())
    }

    /// An error unless this many tasks were run and acknowledged, and nothing is left of them.
    pub(crate) fn expect_acknowledged(&mut self, tasks: usize) -> Result<()> {
        self.expect_run(tasks, 0)
    }

    /// An error unless this many tasks were run and are kept.
    pub(crate) fn expect_completed(&mut self, tasks: usize) -> Result<()> {
        self.expect_run(tasks, tasks)
    }

    fn expect_run(&mut self, tasks: usize, kept: usize) -> Result<()> {
        for (command, name) in [
            ("LLEN", "pending"),
            ("LLEN", "active"),
            ("ZCARD", "lease"),
            ("ZCARD", "scheduled"),
            ("ZCARD", "retry"),
            ("ZCARD", "archived"),
        ] {
            let left: usize = self.query(&[command, &key(QUEUE, name)])?;
            ensure!(left == 0, "{left} tasks are left in `{name}`");
        }
        let completed: usize = self.query(&["ZCARD", &key(QUEUE, "completed")])?;
        let hashes = self.query::<Vec<String>>(&["KEYS", &key(QUEUE, "t:*")])?.len();
        ensure!(
            completed == kept && hashes == kept,
            "{completed} tasks are kept, of {hashes} something is left"
        );
        let processed = self.processed(&[QUEUE.to_owned()])?;
        ensure!(processed == tasks, "{processed} tasks are counted as processed, and not {tasks}");
        Ok(())
    }

    /// How many tasks were processed in these queues.
    pub(crate) fn processed(&mut self, queues: &[String]) -> Result<usize> {
        let mut processed = 0;
        for queue in queues {
            processed += self.query::<Option<usize>>(&["GET", &key(queue, "processed")])?.unwrap_or(0);
        }
        Ok(processed)
    }

    /// Waits until so many tasks are active.
    pub(crate) fn wait_for_active(&mut self, tasks: usize) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.query::<usize>(&["LLEN", &key(QUEUE, "active")])? < tasks {
            ensure!(Instant::now() < deadline, "{tasks} tasks do not become active");
            pause(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Puts pending tasks where no worker sees them.
    pub(crate) fn hide_pending(&mut self) -> Result<()> {
        self.query(&["RENAME", &key(QUEUE, "pending"), &key(QUEUE, "bench")])
    }

    /// Puts them back.
    pub(crate) fn show_pending(&mut self) -> Result<()> {
        self.query(&["RENAME", &key(QUEUE, "bench"), &key(QUEUE, "pending")])
    }

    /// From the first task that is processed to so many.
    pub(crate) fn time_of_processing(&mut self, tasks: usize) -> Result<Duration> {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut start = None;
        loop {
            let processed = self.processed(&[QUEUE.to_owned()])?;
            if processed > 0 && start.is_none() {
                start = Some(Instant::now());
            }
            if let Some(start) = start
                && processed >= tasks
            {
                return Ok(start.elapsed());
            }
            ensure!(Instant::now() < deadline, "{processed} tasks of {tasks} are processed");
            pause(Duration::from_millis(2));
        }
    }

    fn info_field<T: FromStr<Err: Error + Send + Sync + 'static>>(
        &mut self,
        section: &str,
        field: &str,
    ) -> Result<T> {
        let fields = self.info(section)?;
        let value = fields.get(field).with_context(|| format!("no {field} in INFO {section}"))?;
        value.parse().with_context(|| format!("{field} is `{value}`"))
    }

    fn info(&mut self, section: &str) -> Result<HashMap<String, String>> {
        let text: String = self.query(&["INFO", section])?;
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        Ok(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(crate) fn query<T: FromRedisValue>(&mut self, command: &[&str]) -> Result<T> {
        let mut query = redis::Cmd::new();
        for word in command {
            query.arg(word);
        }
        query.query(&mut self.connection).with_context(|| format!("Redis refuses `{}`", command.join(" ")))
    }
}

fn key(queue: &str, name: &str) -> String {
    format!("asynq:{{{queue}}}:{name}")
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Nothing here is worth keeping, and there is nobody to tell.
        drop(self.process.kill());
        drop(self.process.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}
