//! [`Programs`] and [`Child`]: those who are measured, as processes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::questions::Mode;
use crate::system::System;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// Where the programs are, and the Redis that they use.
#[derive(Debug)]
pub(crate) struct Programs {
    /// How to call each, without its mode.
    pub(crate) commands: BTreeMap<System, Vec<OsString>>,
    /// Host and port of Redis, or a URL.
    pub(crate) redis: String,
}

/// A process of one side.
#[derive(Debug)]
pub(crate) struct Child {
    what: String,
    process: std::process::Child,
    lines: Receiver<String>,
}

/// A worker that has started.
#[derive(Debug, Deserialize)]
struct Ready {
    ready: bool,
}

impl Programs {
    /// The same, on another Redis.
    pub(crate) fn on(&self, redis: &str) -> Self {
        Self { commands: self.commands.clone(), redis: redis.to_owned() }
    }

    /// Starts one mode.
    pub(crate) fn start(&self, system: System, mode: &Mode) -> Result<Child> {
        let [program, first @ ..] = self.commands.get(&system).map_or(&[][..], Vec::as_slice) else {
            bail!("there is no program of {}", system.name());
        };
        let mut command = Command::new(program);
        command.args(first);
        command.args(mode.to_string().split(' ')).env("ASYNQ_BENCH_REDIS", &self.redis);
        let what = format!("{} {}", system.name(), mode);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{what}`"))?;
        let output = process.stdout.take().context("standard output is piped")?;
        let (sender, lines) = sync_channel(16);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Child { what, process, lines })
    }

    /// Starts a worker and waits until it takes tasks.
    pub(crate) fn start_worker(&self, system: System, mode: &Mode) -> Result<Child> {
        let child = self.start(system, mode)?;
        let Ready { ready } = child.line()?;
        ensure!(ready, "`{}` did not start", child.what);
        Ok(child)
    }

    /// Runs one mode to its end and gives the line that it writes.
    pub(crate) fn run<T: DeserializeOwned>(&self, system: System, mode: &Mode) -> Result<T> {
        let child = self.start(system, mode)?;
        let line = child.line()?;
        child.stop()?;
        Ok(line)
    }
}

impl Child {
    /// The next line that it writes.
    pub(crate) fn line<T: DeserializeOwned>(&self) -> Result<T> {
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => bail!("`{}` takes too long", self.what),
            Err(RecvTimeoutError::Disconnected) => bail!("`{}` ended without a result", self.what),
        };
        serde_json::from_str(&line).with_context(|| format!("`{}` says `{line}`", self.what))
    }

    /// The processor time that its threads have used.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id()))?;
        let mut nanos = 0;
        for thread in threads {
            // Time on a processor, time waiting for one, turns. A thread may have ended since it was listed.
            let Ok(times) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            let first = times.split_whitespace().next().context("no time in schedstat")?;
            nanos += first.parse::<u64>().with_context(|| format!("`{first}` in schedstat"))?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Its resident memory, in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .context("no VmRSS in the status of a process")?;
        Ok(kib.parse::<f64>()? / 1024.0)
    }

    /// Ends its input, and waits until it has ended by itself.
    pub(crate) fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => bail!("`{}` does not stop", self.what),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.process.wait()?;
        ensure!(status.success(), "`{}` failed: {status}", self.what);
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail once it has ended, which is as well.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Gives the machine time to come to rest.
#[expect(clippy::disallowed_methods, reason = "a measurement waits for time, not for a condition")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
