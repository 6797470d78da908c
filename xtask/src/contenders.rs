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
    ("bullmq-official", "ASYNQ_BENCH_BULLMQ_OFFICIAL"),
    ("sidekiq", "ASYNQ_BENCH_SIDEKIQ"),
];

/// How all of them are built, each way in a folder of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Build {
    /// As cargo does it: for what is to be seen soon.
    Release,
    /// As programs are for production: with link-time optimization, which takes minutes.
    Production,
}

impl Build {
    /// What it is, for readers of the results.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Production => "release with lto = \"fat\" and codegen-units = 1",
        }
    }

    /// Builds ours: where its program is.
    pub(crate) fn ours(self) -> Result<PathBuf> {
        self.cargo().args(["--package", "asynq-bench-ours"]).run()?;
        Ok(self.programs().join("asynq-bench-ours"))
    }

    /// Builds one of the others: where its program is.
    pub(crate) fn other(self, name: &str) -> Result<PathBuf> {
        self.cargo().arg("--manifest-path").arg(source(name).join("Cargo.toml")).run()?;
        Ok(self.programs().join(format!("contender-{name}")))
    }

    /// Where the programs are.
    pub(crate) fn programs(self) -> PathBuf {
        self.folder().join("release")
    }

    fn cargo(self) -> Process {
        let build = cargo(["build", "--release", "--locked", "--target-dir"]).arg(self.folder());
        match self {
            Self::Release => build,
            Self::Production => {
                build.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
            }
        }
    }

    fn folder(self) -> PathBuf {
        places::target().join(match self {
            Self::Release => "contenders",
            Self::Production => "production",
        })
    }
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

fn source(name: &str) -> PathBuf {
    places::root().join("bench/contenders").join(name)
}
