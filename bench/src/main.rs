//! Measures our worker, Go's and others' in turns, on one Redis of its own: `cargo xtask bench`.
//!
//! The same program is both sides of the measurement: the runner, and our side of it as a process of its own
//! (`asynq-bench child MODE …`), so that memory and processor time are the worker's alone. [`ours`] is all that
//! knows our API; Go's side is the program in `bench/go`, the others' are in `bench/contenders`.

mod cluster;
mod distance;
mod machine;
mod options;
mod ours;
mod plots;
mod process;
mod questions;
mod redis;
mod report;
mod runner;
mod system;

use std::process::ExitCode;

fn main() -> ExitCode {
    asynq_bench_modes::main_or::<ours::Ours, _>(|arguments| runner::run(&options::Options::parse(arguments)?))
}
