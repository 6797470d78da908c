//! [`Report`]: what was measured, for people and for programs.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::machine::Machine;
use crate::questions::{Question, Row};
use crate::system::System;

const HEAD: &str = "\
# Benchmark results

Written by `cargo xtask bench`; README.md in this folder says what is measured and how.
Numbers are min / **median** / max over the rounds, in which all take turns.
";

/// Results as they come in.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    rounds: usize,
    loads: Vec<f64>,
    lines: Vec<Line>,
}

/// One row: the samples of all who were asked.
#[derive(Debug)]
struct Line {
    row: Row,
    commands: Vec<(System, String)>,
    samples: BTreeMap<System, Vec<f64>>,
}

/// Min, median and max of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Summary {
    min: f64,
    median: f64,
    max: f64,
}

/// A row of `results.json`.
#[derive(Debug, Serialize)]
struct JsonRow<'a> {
    question: &'a str,
    system: &'static str,
    unit: &'static str,
    min: f64,
    median: f64,
    max: f64,
    /// This median by Go's; none where Go has no result.
    ratio: Option<f64>,
}

impl Report {
    /// Nothing measured yet.
    pub(crate) fn new(machine: Machine, rounds: usize) -> Self {
        Self { machine, rounds, loads: Vec::new(), lines: Vec::new() }
    }

    /// The load before a measurement.
    pub(crate) fn note_load(&mut self, load: f64) {
        self.loads.push(load);
    }

    /// Takes what a measurement gave, and tells it in short.
    pub(crate) fn add(&mut self, question: &dyn Question, system: System, values: &[f64]) -> String {
        let mut said = Vec::new();
        for (row, value) in question.rows().into_iter().zip(values) {
            said.push(format!("{} {}", shown(*value), row.unit));
            let place = self.lines.iter().position(|line| line.row.name == row.name).unwrap_or_else(|| {
                let command = |system: &System| (*system, question.mode(*system).to_string());
                let commands = question.systems().iter().map(command).collect();
                self.lines.push(Line { row, commands, samples: BTreeMap::new() });
                self.lines.len() - 1
            });
            if let Some(line) = self.lines.get_mut(place) {
                line.samples.entry(system).or_default().push(*value);
            }
        }
        said.join(", ")
    }

    /// Puts rows into the order of the questions, whichever was asked first.
    pub(crate) fn sort(&mut self, questions: &[Box<dyn Question>]) {
        let names: Vec<String> =
            questions.iter().flat_map(|question| question.rows()).map(|row| row.name).collect();
        self.lines.sort_by_key(|line| names.iter().position(|name| *name == line.row.name));
    }

    /// The medians of rows whose name is `before`, a number, `after`: by who was asked, and that number.
    pub(crate) fn curve(&self, before: &str, after: &str) -> BTreeMap<System, Vec<(f64, f64)>> {
        let mut curves: BTreeMap<System, Vec<(f64, f64)>> = BTreeMap::new();
        for line in &self.lines {
            let number =
                line.row.name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)?.parse().ok());
            let Some(number) = number else { continue };
            for (system, samples) in &line.samples {
                if let Some(summary) = Summary::of(samples) {
                    curves.entry(*system).or_default().push((number, summary.median));
                }
            }
        }
        curves
    }

    /// The results for people.
    pub(crate) fn markdown(&self) -> String {
        let mut lines = vec![HEAD.to_owned(), cells(&["", ""]), "|---|---|".to_owned()];
        lines.extend(self.machine.facts.iter().map(|(name, value)| cells(&[name, value])));
        lines.push(cells(&["Rounds, at most", &self.rounds.to_string()]));
        let load = or_none(Summary::of(&self.loads).map(Summary::shown));
        lines.push(cells(&["Load average before each measurement, our own load included", &load]));

        lines.push("\n## Beside Go\n".to_owned());
        lines.push(cells(&["question", "unit", "ours", "go", "ours ÷ go", "better", "rounds"]));
        lines.push("|---|---|---|---|---|---|---|".to_owned());
        for line in &self.lines {
            let (ours, go) = (line.summary(System::Ours), line.summary(System::Go));
            let ratio = or_none(ratio(ours, go).map(|ratio| format!("{}×", shown(ratio))));
            let (ours, go) = (or_none(ours.map(Summary::shown)), or_none(go.map(Summary::shown)));
            let better = if line.row.more_is_better { "more" } else { "less" };
            let rounds = line.samples.values().map(Vec::len).max().unwrap_or(0).to_string();
            lines.push(cells(&[&line.row.name, line.row.unit, &ours, &go, &ratio, better, &rounds]));
        }
        lines.extend(self.others());

        lines.push(
            "\n## Commands\n\nOf ours; `gobench` and the others are asked the same.\n\n```text".to_owned(),
        );
        let mut commands: Vec<String> = Vec::new();
        for line in &self.lines {
            for (system, command) in &line.commands {
                if *system == System::Ours {
                    commands.push(format!("asynq-bench-ours child {command}"));
                }
            }
        }
        commands.dedup();
        lines.extend(commands);
        lines.push("```\n".to_owned());
        lines.join("\n")
    }

    /// What all others reach, and how many times that ours does.
    fn others(&self) -> Vec<String> {
        let asked = |system: &System| self.lines.iter().any(|line| line.samples.contains_key(system));
        let others: Vec<System> = System::ALL
            .into_iter()
            .filter(|system| !System::BOTH.contains(system) && asked(system))
            .collect();
        if others.is_empty() {
            return Vec::new();
        }
        let mut lines = vec!["\n## Beside the others\n\nMedians, and ours ÷ theirs.\n".to_owned()];
        let names: Vec<&str> = others.iter().map(|system| system.name()).collect();
        lines.push(cells(&[&["question", "unit", "ours"], names.as_slice()].concat()));
        lines.push(format!("|---|---|---|{}", "---|".repeat(others.len())));
        for line in &self.lines {
            if !others.iter().any(|system| line.samples.contains_key(system)) {
                continue;
            }
            let ours = line.summary(System::Ours);
            let theirs: Vec<String> = others
                .iter()
                .map(|system| {
                    let theirs = line.summary(*system);
                    let ratio = ratio(ours, theirs).map(|ratio| format!(" ({}×)", shown(ratio)));
                    or_none(theirs.map(|them| shown(them.median) + &ratio.unwrap_or_default()))
                })
                .collect();
            let own = or_none(ours.map(|ours| shown(ours.median)));
            let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
            lines.push(cells(&[&[line.row.name.as_str(), line.row.unit, &own], theirs.as_slice()].concat()));
        }
        lines
    }

    /// The results for programs: one object for each row and who was asked.
    pub(crate) fn json(&self) -> Result<String> {
        let mut rows = Vec::new();
        for line in &self.lines {
            let go = line.summary(System::Go);
            for system in line.samples.keys() {
                let summary = line.summary(*system);
                let Some(Summary { min, median, max }) = summary.map(Summary::rounded) else { continue };
                rows.push(serde_json::to_string(&JsonRow {
                    question: &line.row.name,
                    system: system.name(),
                    unit: line.row.unit,
                    min,
                    median,
                    max,
                    ratio: ratio(summary, go).map(rounded),
                })?);
            }
        }
        Ok(format!("[\n  {}\n]\n", rows.join(",\n  ")))
    }
}

impl Line {
    fn summary(&self, system: System) -> Option<Summary> {
        Summary::of(self.samples.get(&system)?)
    }
}

impl Summary {
    fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (low, high) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some(Self { min, median: f64::midpoint(*low, *high), max })
    }

    fn shown(self) -> String {
        format!("{} / **{}** / {}", shown(self.min), shown(self.median), shown(self.max))
    }

    fn rounded(self) -> Self {
        Self { min: rounded(self.min), median: rounded(self.median), max: rounded(self.max) }
    }
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

fn ratio(of: Option<Summary>, to: Option<Summary>) -> Option<f64> {
    let (of, to) = (of?.median, to?.median);
    (to > 0.0).then(|| of / to)
}

/// With four significant digits: more would be noise.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn shown(value: f64) -> String {
    let value = rounded(value);
    if value >= 10_000.0 { format!("{:.1}k", value / 1000.0) } else { value.to_string() }
}

/// A line of a table.
fn cells(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::questions;

    fn report() -> Report {
        let machine = Machine { facts: vec![("CPU", "one".to_owned())] };
        let questions = questions::all(false);
        let named = |name: &str| {
            questions.iter().find(|question| question.rows().iter().any(|row| row.name == name)).unwrap()
        };
        let (enqueue, drain) = (named("enqueue p=1"), named("drain c=10"));
        let mut report = Report::new(machine, 3);
        for value in [30.0, 10.0, 20.0] {
            report.add(drain.as_ref(), System::Ours, &[value * 1000.0]);
            report.add(drain.as_ref(), System::Go, &[value * 123.0]);
            report.add(drain.as_ref(), System::Apalis, &[value * 100.0]);
        }
        report.add(enqueue.as_ref(), System::Ours, &[1234.6]);
        report.sort(&questions);
        report
    }

    #[test]
    fn people_see_tables() {
        let text = report().markdown();
        for line in [
            "| CPU | one |",
            "| Rounds, at most | 3 |",
            "| drain c=10 | tasks/s | 10.0k / **20.0k** / 30.0k | 1230 / **2460** / 3690 | 8.13× | more | 3 |",
            "| enqueue p=1 | tasks/s | 1235 / **1235** / 1235 | – | – | more | 1 |",
            "| question | unit | ours | apalis |",
            "| drain c=10 | tasks/s | 20.0k | 2000 (10×) |",
            "asynq-bench-ours child drain tasks=100000 slots=10",
        ] {
            assert!(text.lines().any(|other| other == line), "no line `{line}` in:\n{text}");
        }
    }

    #[test]
    fn programs_see_an_object_for_each_row_and_who_was_asked() {
        let rows: Vec<serde_json::Value> = serde_json::from_str(&report().json().unwrap()).unwrap();
        let row = |question: &str, system: &str, min: f64, median: f64, max: f64, ratio: Option<f64>| {
            serde_json::json!({"question": question, "system": system, "unit": "tasks/s",
                               "min": min, "median": median, "max": max, "ratio": ratio})
        };
        let expected = [
            row("enqueue p=1", "ours", 1235.0, 1235.0, 1235.0, None),
            row("drain c=10", "ours", 10_000.0, 20_000.0, 30_000.0, Some(8.13)),
            row("drain c=10", "go", 1230.0, 2460.0, 3690.0, Some(1.0)),
            row("drain c=10", "apalis", 1000.0, 2000.0, 3000.0, Some(0.813)),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn rows_with_a_number_in_their_name_are_a_curve() {
        let curves = report().curve("drain c=", "");
        assert_eq!(curves[&System::Ours], [(10.0, 20_000.0)]);
        assert_eq!(curves.len(), 3);
        assert!(report().curve("drain c=", " redis_us").is_empty());
    }

    #[test]
    fn the_median_of_two_lies_between() {
        assert_eq!(Summary::of(&[4.0, 1.0]), Some(Summary { min: 1.0, median: 2.5, max: 4.0 }));
        assert_eq!(Summary::of(&[]), None);
    }
}
