//! [`Report`]: what was measured, for people and for programs.

use anyhow::Result;
use serde::Serialize;

use crate::machine::Machine;
use crate::process::System;
use crate::questions::{Question, Row};

const HEAD: &str = "\
# Benchmark results

Written by `cargo xtask bench`; README.md in this folder says what is measured and how.
Numbers are min / **median** / max over the rounds, in which both sides take turns.
";

/// Results as they come in.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    rounds: usize,
    loads: Vec<f64>,
    lines: Vec<Line>,
}

/// One row: the samples of both sides.
#[derive(Debug)]
struct Line {
    row: Row,
    /// The commands that are measured.
    commands: [String; 2],
    ours: Vec<f64>,
    go: Vec<f64>,
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
    pub(crate) fn new(
        machine: Machine,
        rounds: usize,
        questions: &[Question],
        is_asked: impl Fn(&str) -> bool,
    ) -> Self {
        let mut lines = Vec::new();
        for question in questions {
            let command = |program, system| format!("{program} {}", question.mode(system).join(" "));
            for row in question.rows().into_iter().filter(|row| is_asked(&row.name)) {
                let commands = [command("asynq-bench child", System::Ours), command("gobench", System::Go)];
                lines.push(Line { row, commands, ours: Vec::new(), go: Vec::new() });
            }
        }
        Self { machine, rounds, loads: Vec::new(), lines }
    }

    /// The load before a measurement.
    pub(crate) fn note_load(&mut self, load: f64) {
        self.loads.push(load);
    }

    /// Takes what a measurement gave, and tells it in short.
    pub(crate) fn add(&mut self, question: Question, system: System, values: &[f64]) -> String {
        let mut said = Vec::new();
        for (row, value) in question.rows().iter().zip(values) {
            let Some(line) = self.lines.iter_mut().find(|line| line.row.name == row.name) else { continue };
            match system {
                System::Ours => line.ours.push(*value),
                System::Go => line.go.push(*value),
            }
            said.push(format!("{} {}", shown(*value), row.unit));
        }
        said.join(", ")
    }

    /// The results for people.
    pub(crate) fn markdown(&self) -> String {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let mut lines = vec![HEAD.to_owned(), cells(&["", ""]), "|---|---|".to_owned()];
        lines.extend(self.machine.facts.iter().map(|(name, value)| cells(&[name, value])));
        lines.push(cells(&["Rounds", &self.rounds.to_string()]));
        let load = or_none(Summary::of(&self.loads).map(Summary::shown));
        lines.push(cells(&["Load average before each measurement, our own load included", &load]));

        lines.push(String::new());
        lines.push(cells(&["question", "unit", "ours", "go", "ours ÷ go", "better"]));
        lines.push("|---|---|---|---|---|---|".to_owned());
        for Line { row, ours, go, .. } in &self.lines {
            let (ours, go) = (Summary::of(ours), Summary::of(go));
            let ratio = or_none(ratio(ours, go).map(|ratio| format!("{}×", shown(ratio))));
            let (ours, go) = (or_none(ours.map(Summary::shown)), or_none(go.map(Summary::shown)));
            let better = if row.more_is_better { "more" } else { "less" };
            lines.push(cells(&[&row.name, row.unit, &ours, &go, &ratio, better]));
        }

        lines.push("\n## Commands\n\n```text".to_owned());
        let mut commands: Vec<String> =
            self.lines.iter().map(|Line { commands: [ours, go], .. }| format!("{ours:<42}{go}")).collect();
        commands.dedup();
        lines.extend(commands);
        lines.push("```\n".to_owned());
        lines.join("\n")
    }

    /// The results for programs: one object for each row and side.
    pub(crate) fn json(&self) -> Result<String> {
        let mut rows = Vec::new();
        for line in &self.lines {
            let (ours, go) = (Summary::of(&line.ours), Summary::of(&line.go));
            for (system, summary) in [(System::Ours, ours), (System::Go, go)] {
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

    fn report() -> Report {
        let machine = Machine { facts: vec![("CPU", "one".to_owned())] };
        let questions =
            [Question::Drain { tasks: 500, concurrency: 10 }, Question::Enqueue { tasks: 20, callers: 1 }];
        let mut report = Report::new(machine, 3, &questions, |_| true);
        let [drain, enqueue] = questions;
        for value in [30.0, 10.0, 20.0] {
            report.add(drain, System::Ours, &[value * 1000.0]);
            report.add(drain, System::Go, &[value * 123.0]);
        }
        report.add(enqueue, System::Ours, &[1234.6]);
        report
    }

    #[test]
    fn people_see_a_table() {
        let text = report().markdown();
        for line in [
            "| CPU | one |",
            "| Rounds | 3 |",
            "| drain c=10 | tasks/s | 10.0k / **20.0k** / 30.0k | 1230 / **2460** / 3690 | 8.13× | more |",
            "| enqueue p=1 | tasks/s | 1235 / **1235** / 1235 | – | – | more |",
            "asynq-bench child drain 500 10            gobench drain 500 10",
        ] {
            assert!(text.lines().any(|other| other == line), "no line `{line}` in:\n{text}");
        }
    }

    #[test]
    fn programs_see_an_object_for_each_row_and_side() {
        let rows: Vec<serde_json::Value> = serde_json::from_str(&report().json().unwrap()).unwrap();
        let expected = serde_json::json!([
            {"question": "drain c=10", "system": "ours", "unit": "tasks/s",
             "min": 10_000.0, "median": 20_000.0, "max": 30_000.0, "ratio": 8.13},
            {"question": "drain c=10", "system": "go", "unit": "tasks/s",
             "min": 1230.0, "median": 2460.0, "max": 3690.0, "ratio": 1.0},
            {"question": "enqueue p=1", "system": "ours", "unit": "tasks/s",
             "min": 1235.0, "median": 1235.0, "max": 1235.0, "ratio": null},
        ]);
        assert_eq!(serde_json::Value::from(rows), expected);
    }

    #[test]
    fn the_median_of_two_lies_between() {
        assert_eq!(Summary::of(&[4.0, 1.0]), Some(Summary { min: 1.0, median: 2.5, max: 4.0 }));
        assert_eq!(Summary::of(&[]), None);
    }
}
