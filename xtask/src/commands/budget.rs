//! `cargo xtask budget`: how many instructions and allocations a task costs its client and its worker.
//!
//! valgrind counts them, so it does not matter what else the machine does. Each step is run twice, once for three times
//! as many tasks: what that adds is what the tasks cost, and starting the program falls out.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::Command;
use crate::packages::{self, VALGRIND};
use crate::places;
use crate::process::{Process, cargo};

/// See [`HELP`].
pub(crate) const BUDGET: Command = Command { help: HELP, run };

const HELP: &str = "\
Counts the instructions and the allocations of a task's way through the library, without Redis.

Usage: cargo xtask budget [--check]

  --check  Compares with bench/BUDGET.md instead of writing it: fails where a step has become dearer

Builds bench/hot_path with optimizations and runs it under valgrind, which is installed if it is missing.
";

/// What the program does; see its source.
const STEPS: [(&str, &str); 5] = [
    ("encode", "a job becomes a call that stores it"),
    ("encode-many", "of a call that stores 100"),
    ("exchange", "of a call that asks for 100, and its answer"),
    ("dispatch", "its payload is decoded and its handler runs"),
    ("settle", "of a call that hands 100 back, and its answer"),
];

const FEW: u64 = 1_000;
const MORE: u64 = 3 * FEW;

/// How much dearer a step may be than the file says, in percent: another compiler, another processor.
const TOLERANCE: u64 = 10;

/// What a task costs in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cost {
    step: String,
    instructions: u64,
    /// In hundredths.
    allocations: u64,
}

fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => write(&measure()?),
        [flag] if flag == "--check" => check_budget(),
        _ => bail!("unexpected arguments; see `cargo xtask budget --help`"),
    }
}

/// Fails where a step has become dearer than bench/BUDGET.md allows.
pub(crate) fn check_budget() -> Result<()> {
    let file = file();
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let budget = read(&text);
    let costs = measure()?;
    ensure!(
        budget.iter().map(|cost| &cost.step).eq(costs.iter().map(|cost| &cost.step)),
        "bench/BUDGET.md names other steps than there are; `cargo xtask budget` writes it anew"
    );
    let dearer = dearer(&budget, &costs);
    ensure!(
        dearer.is_empty(),
        "{}\nif that is what it must cost, `cargo xtask budget` writes bench/BUDGET.md anew",
        dearer.join("\n")
    );
    Ok(())
}

/// What is over budget.
fn dearer(budget: &[Cost], costs: &[Cost]) -> Vec<String> {
    let mut dearer = Vec::new();
    for (allowed, cost) in budget.iter().zip(costs) {
        let step = &cost.step;
        if cost.instructions * 100 > allowed.instructions * (100 + TOLERANCE) {
            let (now, before) = (cost.instructions, allowed.instructions);
            dearer.push(format!("{step}: {now} instructions for each task, and {before} are allowed"));
        }
        if cost.allocations > allowed.allocations {
            let (now, before) = (hundredths(cost.allocations), hundredths(allowed.allocations));
            dearer.push(format!("{step}: {now} allocations for each task, and {before} are allowed"));
        }
    }
    dearer
}

fn measure() -> Result<Vec<Cost>> {
    packages::ensure(&[&VALGRIND])?;
    cargo(["build", "--locked", "--release", "--package", "asynq-bench-hot-path"]).run()?;
    let program = places::target().join("release").join("asynq-bench-hot-path");
    STEPS
        .iter()
        .map(|(step, _)| {
            // Named to the tool, which would write a file beside.
            let instructions = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
            let allocations = ["--tool=dhat", "--dhat-out-file=/dev/null"];
            let cost = Cost {
                step: (*step).to_owned(),
                instructions: added(&program, step, &instructions, read_instructions)? / (MORE - FEW),
                allocations: added(&program, step, &allocations, read_allocations)? * 100 / (MORE - FEW),
            };
            eprintln!(
                "{step:<12} {:>7} instructions {:>7} allocations",
                cost.instructions,
                hundredths(cost.allocations)
            );
            Ok(cost)
        })
        .collect()
}

/// What more tasks add to a count.
fn added(program: &Path, step: &str, tool: &[&str], read: fn(&str) -> Option<u64>) -> Result<u64> {
    let count = |tasks: u64| {
        let told = Process::new("valgrind")
            .arg("--log-fd=1")
            .args(tool)
            .args([places::display(program), step.to_owned(), tasks.to_string()])
            .read()?;
        read(&told).with_context(|| format!("valgrind says nothing of what was counted:\n{told}"))
    };
    let (few, more) = (count(FEW)?, count(MORE)?);
    more.checked_sub(few).with_context(|| format!("{step}: more tasks cost less"))
}

/// From `==1== Collected : 123`.
fn read_instructions(told: &str) -> Option<u64> {
    let (_, rest) = told.split_once("Collected :")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// From `==1== Total:     1,234 bytes in 56 blocks`.
fn read_allocations(told: &str) -> Option<u64> {
    let (_, rest) = told.split_once("Total:")?;
    let (_, blocks) = rest.lines().next()?.split_once(" bytes in ")?;
    blocks.split_whitespace().next()?.replace(',', "").parse().ok()
}

fn file() -> PathBuf {
    places::root().join("bench").join("BUDGET.md")
}

fn write(costs: &[Cost]) -> Result<()> {
    let mut text = format!(
        "# What a task costs its client and its worker\n\n\
         Instructions and allocations of the library for each task, without Redis and without the system: `bench/hot_path` \
         under valgrind. `cargo xtask budget` writes this file; `cargo xtask budget --check`, a step of CI, fails where a \
         step needs {TOLERANCE} % more instructions than it says here, or any allocation more.\n\n\
         | step | instructions | allocations | for each task |\n|---|---|---|---|\n"
    );
    for (cost, (_, what)) in costs.iter().zip(STEPS) {
        let Cost { step, instructions, allocations } = cost;
        writeln!(text, "| {step} | {instructions} | {} | {what} |", hundredths(*allocations))?;
    }
    let file = file();
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The rows of the file.
fn read(text: &str) -> Vec<Cost> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let (step, instructions, allocations) = (cells.next()?, cells.next()?, cells.next()?);
        let (whole, part) = allocations.split_once('.')?;
        Some(Cost {
            step: step.to_owned(),
            instructions: instructions.parse().ok()?,
            allocations: whole.parse::<u64>().ok()? * 100 + part.parse::<u64>().ok()?,
        })
    };
    text.lines().filter_map(row).collect()
}

fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(instructions: u64, allocations: u64) -> Cost {
        Cost { step: "encode".to_owned(), instructions, allocations }
    }

    #[test]
    fn reads_what_valgrind_tells() {
        let told = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(read_instructions(told), Some(123_456));
        let told =
            "==7== Total:     1,217,536 bytes in 12,345 blocks\n==7== At t-gmax: 1 bytes in 2 blocks\n";
        assert_eq!(read_allocations(told), Some(12_345));
        assert_eq!(read_instructions("==7== killed"), None);
    }

    #[test]
    fn reads_what_it_writes() {
        let text = "| step | instructions | allocations | for each task |\n|---|---|---|---|\n| encode | 5120 | 12.05 | a |\n";
        assert_eq!(read(text), [cost(5_120, 1_205)]);
    }

    #[test]
    fn a_little_more_is_allowed_of_instructions_and_nothing_of_allocations() {
        let over =
            |instructions, allocations| dearer(&[cost(1_000, 200)], &[cost(instructions, allocations)]).len();
        assert_eq!([over(900, 100), over(1_100, 200), over(1_101, 200), over(1_101, 201)], [0, 0, 1, 2]);
    }
}
