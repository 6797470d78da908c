//! On what was measured: the machine, the versions, its load.

use std::collections::HashMap;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::Programs;
use crate::questions::Mode;
use crate::redis::Redis;
use crate::system::System;

/// The machine and the versions of everything.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Name and value, for people to read.
    pub(crate) facts: Vec<(&'static str, String)>,
}

/// What Go's program says about itself.
#[derive(Debug, Deserialize)]
struct GoVersion {
    go: String,
    asynq: String,
}

impl Machine {
    /// Looks around.
    pub(crate) fn look(programs: &Programs, redis: &mut Redis) -> Result<Self> {
        let GoVersion { go, asynq } = programs.run(System::Go, &Mode::VERSION)?;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let mut facts = vec![
            ("CPU", format!("{} × {}", cores, processor()?)),
            ("Memory", memory()?),
            ("Kernel", format!("Linux {}", read("/proc/sys/kernel/osrelease")?.trim())),
            ("Redis", format!("{}, no persistence, TCP on the loopback interface", redis.version()?)),
            ("ours", format!("asynq for Rust {} ({})", env!("CARGO_PKG_VERSION"), commit())),
            ("Rust", format!("{}; {}", rustc(), build())),
            ("go", format!("hibiken/asynq {asynq}, {go}")),
            ("Date", said("date", &["-u", "+%F"]).unwrap_or_else(|| "unknown".to_owned())),
        ];
        for system in programs.commands.keys().filter(|system| !System::BOTH.contains(system)) {
            facts.push((system.name(), system.described().to_owned()));
        }
        Ok(Self { facts })
    }
}

/// How many processes wanted to run, on average over the last minute.
pub(crate) fn load() -> Result<f64> {
    let load = read("/proc/loadavg")?;
    let first = load.split_whitespace().next().context("an empty load average")?;
    Ok(first.parse()?)
}

fn processor() -> Result<String> {
    Ok(colon_fields(&read("/proc/cpuinfo")?).remove("model name").unwrap_or_else(|| "unknown CPU".to_owned()))
}

fn memory() -> Result<String> {
    let fields = colon_fields(&read("/proc/meminfo")?);
    let total = fields.get("MemTotal").and_then(|total| total.split_whitespace().next());
    let kib: u64 = total.context("no MemTotal")?.parse()?;
    Ok(format!("{} MiB", kib / 1024))
}

/// `name : value` on each line; the first of a name counts.
fn colon_fields(text: &str) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        fields.entry(name.trim().to_owned()).or_insert_with(|| value.trim().to_owned());
    }
    fields
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

fn commit() -> String {
    let Some(commit) = said("git", &["rev-parse", "--short", "HEAD"]) else {
        return "no repository".to_owned();
    };
    // Results of an earlier run are no change of the program.
    let changes =
        said("git", &["status", "--porcelain", "--", ".", ":!RESULTS.md", ":!results.json", ":!plots"]);
    let changed = if changes.is_some() { " and changes" } else { "" };
    format!("commit {commit}{changed}")
}

/// How `cargo xtask bench` says that it built the programs in Rust.
fn build() -> String {
    env::var_os("ASYNQ_BENCH_BUILD")
        .map_or_else(|| "an unknown build".to_owned(), |said| said.to_string_lossy().into_owned())
}

fn rustc() -> String {
    said("rustc", &["--version"]).unwrap_or_else(|| "unknown rustc".to_owned())
}

/// What a program prints, if it succeeds and prints something.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
