//! Asks every question of all who can answer it, in turns, in one go.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::machine::{self, Machine};
use crate::options::Options;
use crate::plots::PLOTS;
use crate::process::Programs;
use crate::questions::{self, Lab, Question};
use crate::redis::Redis;
use crate::report::Report;
use crate::system::System;

/// How often others than Go's and ours are measured: there are many, and slow ones among them.
const ROUNDS_OF_OTHERS: usize = 2;

/// Measures, prints, and writes the results.
pub(crate) fn run(options: &Options) -> Result<()> {
    let redis = Redis::start(&[])?;
    let programs = Programs { commands: commands(options), redis: redis.address().to_owned() };
    let mut lab = Lab { programs, redis };
    let mut questions = questions::all(options.quick);
    questions.retain(|question| question.rows().iter().any(|row| options.is_asked(&row.name)));
    ensure!(
        !questions.is_empty(),
        "no row has `{}` in its name",
        options.only.as_deref().unwrap_or_default()
    );

    let mut report = Report::new(Machine::look(&lab.programs, &mut lab.redis)?, options.rounds);
    let mut failures = 0;
    let begun = Instant::now();
    for round in 0..options.rounds {
        for (question, system) in turns(&questions, &lab.programs, round) {
            let is_late = options.limit.is_some_and(|limit| begun.elapsed() >= limit);
            if is_late || (options.quick && !question.is_quick(system)) {
                continue;
            }
            report.note_load(machine::load()?);
            let said = match question.measure(&mut lab, system) {
                Ok(values) => report.add(question, system, &values),
                Err(error) => {
                    failures += 1;
                    format!("FAILED: {error:#}")
                }
            };
            let mode = question.mode(system).to_string();
            eprintln!("round {}/{}  {:<13}  {mode:<36}  {said}", round + 1, options.rounds, system.name());
        }
    }
    report.sort(&questions);
    println!("{}", report.markdown());
    if options.write {
        write("RESULTS.md", &report.markdown())?;
        write("results.json", &report.json()?)?;
        for plot in PLOTS {
            if let Some(svg) = plot.draw(&report)? {
                write(&format!("plots/{}.svg", plot.file), &svg)?;
            }
        }
    }
    ensure!(failures == 0, "{failures} measurements failed");
    Ok(())
}

/// How to call those who are here and wanted.
fn commands(options: &Options) -> BTreeMap<System, Vec<std::ffi::OsString>> {
    let mut commands = BTreeMap::new();
    for system in System::ALL {
        // Go's program also fills queues for us.
        let is_wanted = System::BOTH.contains(&system) || !options.only_both;
        let command = match &options.ours {
            Some(other) if system == System::Ours => Some(vec![other.into(), "child".into()]),
            _ => system.command(),
        };
        if let Some(command) = command.filter(|_| is_wanted) {
            commands.insert(system, command);
        }
    }
    commands
}

/// Who is asked what in a round. The machine's state drifts: what came last in one round comes first in the next.
fn turns<'a>(
    questions: &'a [Box<dyn Question>],
    programs: &Programs,
    round: usize,
) -> Vec<(&'a dyn Question, System)> {
    let mut turns = Vec::new();
    for question in questions.iter().filter(|question| round < question.rounds()) {
        let is_asked = |system: &&System| {
            programs.commands.contains_key(system)
                && (System::BOTH.contains(system) || round < ROUNDS_OF_OTHERS)
        };
        let asked = question.systems().iter().rev().filter(is_asked);
        turns.extend(asked.map(|system| (question.as_ref(), *system)));
    }
    if round % 2 == 1 {
        turns.reverse();
    }
    turns
}

/// Writes a file beside this package's manifest.
fn write(name: &str, text: &str) -> Result<()> {
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    if let Some((folder, _)) = path.rsplit_once('/') {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write bench/{name}"))?;
    eprintln!("wrote bench/{name}");
    Ok(())
}
