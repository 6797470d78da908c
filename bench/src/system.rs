//! [`System`]: who is measured.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    /// This workspace's.
    Ours,
    /// Go's asynq.
    Go,
    BullMq,
    BullMqOfficial,
    Apalis,
    Sidekiq,
    /// The crate that has our name.
    Asynq,
}

impl System {
    pub(crate) const ALL: [Self; 7] =
        [Self::Ours, Self::Go, Self::BullMq, Self::BullMqOfficial, Self::Apalis, Self::Sidekiq, Self::Asynq];

    /// Ours, and what we are compared with.
    pub(crate) const BOTH: [Self; 2] = [Self::Ours, Self::Go];

    /// Its name in results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Go => "go",
            Self::BullMq => "bullmq",
            Self::BullMqOfficial => "bullmq-official",
            Self::Apalis => "apalis",
            Self::Sidekiq => "rusty-sidekiq",
            Self::Asynq => "asynq-0.1.8",
        }
    }

    /// What it is, with its version where that is pinned here.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Ours => "asynq for Rust",
            Self::Go => "hibiken/asynq",
            Self::BullMq => "bullmq 6.7.0, ioredis 6",
            Self::BullMqOfficial => "bullmq-official 1.4.4",
            Self::Apalis => "apalis 1.0.0, apalis-redis 1.0.0",
            Self::Sidekiq => "rusty-sidekiq 0.15.2",
            Self::Asynq => "the crate asynq 0.1.8",
        }
    }

    /// The program that `cargo xtask bench` has built for it, where it could; a script is run by its own runtime.
    pub(crate) fn command(self) -> Option<Vec<OsString>> {
        let name = match self {
            Self::Ours => "OURS",
            Self::Go => "GO",
            Self::BullMq => "BULLMQ",
            Self::BullMqOfficial => "BULLMQ_OFFICIAL",
            Self::Apalis => "APALIS",
            Self::Sidekiq => "SIDEKIQ",
            Self::Asynq => "ASYNQ",
        };
        let program = PathBuf::from(env::var_os(format!("ASYNQ_BENCH_{name}"))?);
        let is_script = program.extension().is_some_and(|extension| extension == "js" || extension == "mjs");
        let runtime = is_script.then(|| OsString::from("node"));
        // Programs in Rust have other uses beside.
        let child = (!is_script && self != Self::Go).then(|| OsString::from("child"));
        Some(runtime.into_iter().chain([program.into_os_string()]).chain(child).collect())
    }

    /// How many of so many tasks it is given: who finishes few in a second, or holds many badly, gets fewer.
    pub(crate) fn given(self, tasks: usize) -> usize {
        match self {
            // Its script to fetch tasks fails where more wait: "too many results to unpack".
            Self::Apalis => tasks.min(7_500),
            Self::Asynq => tasks.min(10_000),
            _ => tasks,
        }
    }
}
