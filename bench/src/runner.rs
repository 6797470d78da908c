//! Asks every question of both sides, in turns, in one go.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::machine::{self, Machine};
use crate::options::Options;
use crate::process::{Programs, System};
use crate::questions::Question;
use crate::redis::Redis;
use crate::report::Report;

const ROUNDS: usize = 5;

/// Measures, prints, and writes the results.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut redis = Redis::start()?;
    let programs =
        Programs { ours: options.ours.clone(), go: options.go.clone(), redis: redis.address().to_owned() };
    let is_asked = |name: &str| options.only.as_ref().is_none_or(|only| name.contains(only));
    let mut questions = Question::all(options.quick);
    questions.retain(|question| question.rows().iter().any(|row| is_asked(&row.name)));
    ensure!(
        !questions.is_empty(),
        "no row has `{}` in its name",
        options.only.as_deref().unwrap_or_default()
    );

    let rounds = if options.quick { 1 } else { ROUNDS };
    let mut report = Report::new(Machine::look(&programs, &mut redis)?, rounds, &questions, is_asked);
    let mut failures = 0;
    for round in 0..rounds {
        // The machine's state drifts: what came last in one round comes first in the next.
        let mut turns: Vec<(Question, System)> = questions
            .iter()
            .flat_map(|question| [System::Go, System::Ours].map(|system| (*question, system)))
            .collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (question, system) in turns {
            report.note_load(machine::load()?);
            let said = match question.measure(&programs, &mut redis, system) {
                Ok(values) => report.add(question, system, &values),
                Err(error) => {
                    failures += 1;
                    format!("FAILED: {error:#}")
                }
            };
            let mode = question.mode(system).join(" ");
            eprintln!("round {}/{rounds}  {:<4}  {mode:<22}  {said}", round + 1, system.name());
        }
    }
    println!("{}", report.markdown());
    if options.write {
        write("RESULTS.md", &report.markdown())?;
        write("results.json", &report.json()?)?;
    }
    ensure!(failures == 0, "{failures} measurements failed");
    Ok(())
}

/// Writes a file beside this package's manifest.
fn write(name: &str, text: &str) -> Result<()> {
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::write(&path, text).with_context(|| format!("cannot write bench/{name}"))?;
    eprintln!("wrote bench/{name}");
    Ok(())
}
