//! Other libraries' programs in `bench/contenders`, built with lock files of their own.

use std::path::PathBuf;

use anyhow::Result;

use crate::places;
use crate::process::{Process, cargo};

/// Those in Rust, and how the benchmarks are told where the program of each is.
pub(crate) const ALL: [(&str, &str); 4] = [
    ("apalis", "ASYNQ_BENCH_APALIS"),
    ("asynq", "ASYNQ_BENCH_ASYNQ"),
    ("bullmq-rs", "ASYNQ_BENCH_BULLMQ_RS"),
    ("sidekiq", "ASYNQ_BENCH_SIDEKIQ"),
];

/// Builds one: where its program is.
pub(crate) fn build(name: &str) -> Result<PathBuf> {
    cargo(["build", "--release", "--locked", "--manifest-path"])
        .arg(source(name).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder())
        .run()?;
    Ok(programs().join(format!("contender-{name}")))
}

/// Fetches BullMQ: where its script is.
pub(crate) fn bullmq() -> Result<PathBuf> {
    let folder = source("bullmq");
    Process::new("npm")
        .args(["ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"])
        .directory(&folder)
        .run()?;
    Ok(folder.join("bench.mjs"))
}

/// Where the programs of those in Rust are.
pub(crate) fn programs() -> PathBuf {
    folder().join("release")
}

fn folder() -> PathBuf {
    places::target().join("contenders")
}

fn source(name: &str) -> PathBuf {
    places::root().join("bench/contenders").join(name)
}
