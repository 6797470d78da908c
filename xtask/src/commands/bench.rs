//! `cargo xtask bench`: our worker, Go's and others', in turns, on one Redis.

use anyhow::Result;

use super::Command;
use crate::contenders::Build;
use crate::packages::{self, GO, NODE, NPM, REDIS};
use crate::process::{Process, cargo};
use crate::{contenders, go, places};

/// See [`HELP`].
pub(crate) const BENCH: Command = Command { help: HELP, run };

const HELP: &str = "\
Measures asynq for Rust, Go's asynq and other libraries in turns on one Redis of its own.

Usage: cargo xtask bench [--quick] [--only QUESTION] [--go] [--rounds N] [--minutes N]
                         [--write] [--ours PROGRAM]

  --quick          One round with a tenth of the tasks, of programs that are built without link-time
                   optimization; prints, and writes nothing
  --only QUESTION  The rows with this text in their names, such as `drain` or `drain c=50 calls`; several between
                   commas
  --go             Nobody but Go's asynq beside ours
  --rounds N       How often everything is measured (5); curves, and others than Go's, twice at most
  --minutes N      Begin no measurement after so long
  --write          Write the results of such a run too
  --ours PROGRAM   Measure another build of asynq-bench-ours in our place

Writes bench/RESULTS.md, bench/results.json and bench/plots. bench/README.md says what is measured and how.
Contenders that cannot be built here are left out, and told.
";

fn run(arguments: &[String]) -> Result<()> {
    packages::ensure(&[&REDIS, &GO])?;
    let is_asked = |option: &str| arguments.iter().any(|argument| argument == option);
    let build = if is_asked("--quick") { Build::Release } else { Build::Production };
    cargo(["build", "--release", "--locked", "--package", "asynq-bench"]).run()?;
    let mut bench = Process::new(places::target().join("release").join("asynq-bench"))
        .args(arguments)
        .env("ASYNQ_BENCH_BUILD", build.described())
        .env("ASYNQ_BENCH_GO", places::display(&go::BENCH.build()?));
    if !is_asked("--ours") {
        bench = bench.env("ASYNQ_BENCH_OURS", places::display(&build.ours()?));
    }
    if !is_asked("--go") {
        for (name, variable) in contenders::ALL {
            match build.other(name) {
                Ok(program) => bench = bench.env(variable, places::display(&program)),
                Err(error) => eprintln!("left out: {name} cannot be built here: {error:#}"),
            }
        }
        match packages::ensure(&[&NODE, &NPM]).and_then(|()| contenders::bullmq()) {
            Ok(script) => bench = bench.env("ASYNQ_BENCH_BULLMQ", places::display(&script)),
            Err(error) => eprintln!("left out: BullMQ cannot be had here: {error:#}"),
        }
    }
    bench.run()
}
