//! Measures our worker, Go's and others' in turns, on one Redis of its own: `cargo xtask bench`.
//!
//! Each side is a program of its own, so that memory and processor time are its alone: ours is in `bench/ours`, Go's in
//! `bench/go`, the others' are in `bench/contenders`.

mod cluster;
mod distance;
mod machine;
mod options;
mod plots;
mod process;
mod questions;
mod redis;
mod report;
mod runner;
mod system;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    asynq_bench_modes::exit_code(
        options::Options::parse(&arguments).and_then(|options| runner::run(&options)),
    )
}
