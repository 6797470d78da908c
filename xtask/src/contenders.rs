//! The programs that the benchmarks compare: ours, and those of other libraries in `bench/contenders`, which have lock
//! files of their own.

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

/// Builds ours: where its program is.
pub(crate) fn ours() -> Result<PathBuf> {
    production().args(["--package", "asynq-bench-ours"]).run()?;
    Ok(programs().join("asynq-bench-ours"))
}

/// Builds one of the others: where its program is.
pub(crate) fn build(name: &str) -> Result<PathBuf> {
    production().arg("--manifest-path").arg(source(name).join("Cargo.toml")).run()?;
    Ok(programs().join(format!("contender-{name}")))
}

/// All are built alike, as programs are for production. In a folder of their own, for nothing else is built so.
fn production() -> Process {
    cargo(["build", "--release", "--locked", "--target-dir"])
        .arg(folder())
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
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
