//! `cargo xtask ci`: everything a change must pass, cheapest first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Command;
use super::budget::check_budget;
use super::cli_docs::check_cli_docs;
use super::command::no_arguments;
use super::test::run_tests;
use super::tidy::run_tidy;
use crate::process::cargo;

/// See [`HELP`].
pub(crate) const CI: Command = Command { help: HELP, run };

const HELP: &str = "\
Everything a change must pass; stops at the first failure.

Usage: cargo xtask ci

Steps: cargo fmt --check, clippy and rustdoc without warnings, `cargo xtask tidy`, `cargo xtask cli-docs
--check`, `cargo xtask test`, `cargo xtask budget --check`.
A fresh Debian machine needs git, a C linker and Rust with rustfmt and clippy; the tests install the rest.
";

type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 7] = [
    ("format", format),
    ("lints", lints),
    ("docs", docs),
    ("tidy", run_tidy),
    ("cli-docs", check_cli_docs),
    ("tests", || run_tests(&[])),
    ("budget", check_budget),
];

fn run(arguments: &[String]) -> Result<()> {
    no_arguments(arguments)?;
    let mut times = Vec::new();
    for (index, (name, step)) in STEPS.iter().enumerate() {
        eprintln!("\n== {}/{} {name}", index + 1, STEPS.len());
        let start = Instant::now();
        let result = step();
        let took = start.elapsed();
        eprintln!("== {name}: {} in {}", if result.is_ok() { "ok" } else { "FAILED" }, seconds(took));
        result.with_context(|| format!("step `{name}`"))?;
        times.push((name, took));
    }
    eprintln!();
    for (name, took) in &times {
        eprintln!("{name:<10} {:>9}", seconds(*took));
    }
    eprintln!("{:<10} {:>9}", "in all", seconds(times.iter().map(|(_, took)| *took).sum()));
    Ok(())
}

fn format() -> Result<()> {
    cargo(["fmt", "--all", "--check"]).run()
}

fn lints() -> Result<()> {
    cargo(["clippy", "--locked", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
        .run()
}

fn docs() -> Result<()> {
    cargo(["doc", "--locked", "--workspace", "--all-features", "--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
