//! What the samples of the last two days look like: the charts that several pages have.

use std::time::Duration;

use asynq_core::inspector::human;
use asynq_core::task::TaskState;
use jiff::Timestamp;
use maud::{Markup, html};

use super::chart::{Chart, Form, Line, sparkline};
use super::parts::STATES;
use crate::history::{Point, Runs, Span, TRACKED};
use crate::measure::Measure;
use crate::problem::Problem;
use crate::visit::Visit;

/// A part of the past that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Its name in addresses, and on the page.
    pub(super) name: &'static str,
    length: u64,
    /// In seconds.
    step: u64,
    /// Of run times, which are kept less exactly.
    run_step: u64,
}

/// Those that samples reach back for.
pub(super) const RANGES: [Range; 4] = [
    Range { name: "15m", length: 900, step: 10, run_step: 60 },
    Range { name: "1h", length: 3_600, step: 30, run_step: 60 },
    Range { name: "6h", length: 21_600, step: 180, run_step: 180 },
    Range { name: "48h", length: 172_800, step: 1_800, run_step: 1_800 },
];

/// What is shown unless told otherwise.
pub(super) const HOUR: Range = RANGES[1];

impl Range {
    pub(super) fn span(self, visit: &Visit) -> Span {
        Span::last(Duration::from_secs(self.length), Duration::from_secs(self.step), until(visit))
    }

    pub(super) fn run_span(self, visit: &Visit) -> Span {
        Span::last(Duration::from_secs(self.length), Duration::from_secs(self.run_step), until(visit))
    }

    fn ends(self) -> [String; 3] {
        let ago = |seconds| format!("−{}", human::length(Duration::from_secs(seconds)));
        [ago(self.length), ago(self.length / 2), "now".to_owned()]
    }
}

/// Charts end at the last sample, so that a page stays the same until there is another.
fn until(visit: &Visit) -> Timestamp {
    visit.shared.history.last().unwrap_or_else(|| visit.now())
}

/// What queues did, as charts are made of it.
pub(super) struct Past {
    range: Range,
    span: Span,
    points: Vec<Option<Point>>,
}

impl Past {
    /// That of a queue, or of all that the visitor may see.
    pub(super) fn read(visit: &Visit, queue: Option<&str>, range: Range) -> Result<Self, Problem> {
        let span = range.span(visit);
        Ok(Self { range, span, points: visit.points(queue, span)? })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points.iter().all(Option::is_none)
    }

    fn chart(&self, key: &'static str, title: &'static str, about: &str, measure: Measure) -> Chart {
        Chart {
            key,
            title,
            about: about.to_owned(),
            measure,
            form: Form::Lines,
            times: self.span.times().collect(),
            ends: self.range.ends(),
            lines: Vec::new(),
        }
    }

    fn values<'a>(
        &'a self,
        of: impl Fn(&Point) -> Option<f64> + 'a,
    ) -> impl Iterator<Item = Option<f64>> + 'a {
        self.points.iter().map(move |point| of(point.as_ref()?))
    }

    pub(super) fn throughput(&self) -> Chart {
        let lines = vec![
            Line::new("processed", "processed", self.values(Point::processed_rate)),
            Line::new("failed", "failed", self.values(Point::failed_rate)),
        ];
        let about = "How many runs ended each second, and how many of them failed.";
        Chart { lines, ..self.chart("throughput", "Throughput", about, Measure::PerSecond) }
    }

    pub(super) fn error_rate(&self) -> Chart {
        let lines = vec![Line::new("failed", "failed", self.values(Point::error_rate))];
        Chart {
            lines,
            ..self.chart("error-rate", "Error rate", "What share of the runs failed.", Measure::Percent)
        }
    }

    pub(super) fn sizes(&self) -> Chart {
        let line = |state: TaskState| {
            Line::new(
                state.as_str(),
                state.as_str(),
                self.values(move |point| Some(f64::from(point.count(state)))),
            )
        };
        let lines = STATES.into_iter().map(line).collect();
        let about = "How many tasks were stored, by state.";
        Chart { lines, form: Form::Stacked, ..self.chart("size", "Tasks by state", about, Measure::Tasks) }
    }

    pub(super) fn latency(&self) -> Chart {
        let lines =
            vec![Line::new("oldest pending task", "waited", self.values(|point| Some(point.latency())))];
        let about = "How long the oldest pending task had been waiting.";
        Chart { lines, ..self.chart("latency", "Latency", about, Measure::Seconds) }
    }
}

/// How long runs took and waited, as two charts.
pub(super) fn run_charts(range: Range, span: Span, runs: &[Option<Runs>]) -> [Chart; 2] {
    let chart = |key, title, about: &str, times: fn(&Runs) -> &asynq_core::telemetry::Durations| {
        let line = |name: &str, class, share| {
            let of = |runs: &Option<Runs>| Some(times(runs.as_ref()?).quantile(share)?.as_secs_f64());
            Line::new(name, class, runs.iter().map(of))
        };
        Chart {
            key,
            title,
            about: about.to_owned(),
            measure: Measure::Seconds,
            form: Form::Lines,
            times: span.times().collect(),
            ends: range.ends(),
            lines: vec![line("p50", "p50", 0.5), line("p95", "p95", 0.95), line("p99", "p99", 0.99)],
        }
    };
    [
        chart("run", "Run time", "How long half, 95% and 99% of the runs took at most.", |runs| &runs.ran),
        chart("wait", "Wait time", "How long half, 95% and 99% of the tasks were pending at most.", |runs| {
            &runs.waited
        }),
    ]
}

/// The last hour of a queue or of all, in two charts.
pub(super) fn strip(visit: &Visit, queue: Option<&str>) -> Result<Markup, Problem> {
    let past = Past::read(visit, queue, HOUR)?;
    let link = visit.link().to("charts").with_some("queue", queue);
    Ok(html! {
        section.charts.pair aria-label="The last hour" {
            @if past.is_empty() {
                p.muted { (nothing_yet(visit, queue)) }
            } @else {
                (past.throughput().show())
                (past.sizes().show())
                (whose_sums(visit, queue, true))
            }
            p.more { a href=(link) { "More charts" } }
        }
    })
}

/// Says of which queues charts of all are the sums, to somebody who may not see all of them.
pub(super) fn whose_sums(visit: &Visit, queue: Option<&str>, are_samples: bool) -> Markup {
    html! {
        @if queue.is_none() && visit.rights().are_limited() {
            p.muted {
                "Sums are of the queues that you may see, not of all."
                @if are_samples { " They are known of the " (TRACKED) " queues that have most to do." }
            }
        }
    }
}

/// Why there is nothing to see.
pub(super) fn nothing_yet(visit: &Visit, queue: Option<&str>) -> Markup {
    let history = &visit.shared.history;
    html! {
        @match queue {
            Some(queue) if history.last().is_some() && !history.tracks(queue) => {
                "Charts are kept of the " (TRACKED) " queues that have most to do, and this is none of them now."
            }
            _ if history.is_always() => { "A chart begins with the second sample, ten seconds after the first." }
            _ => { "A chart begins when somebody looks at it: this one does now." }
        }
    }
}

/// What a queue processed in the last hour, in a row of a table.
pub(super) fn spark(visit: &Visit, queue: &str) -> Result<Markup, Problem> {
    let hour = Duration::from_secs(HOUR.length);
    let points = visit.points(Some(queue), Span::last(hour, Duration::from_secs(120), until(visit)))?;
    let values: Vec<Option<f64>> = points.iter().map(|point| point.as_ref()?.processed_rate()).collect();
    let last = values.iter().rev().flatten().next().copied();
    let label = last.map(|last| format!("processed in the last hour; now {}", Measure::PerSecond.text(last)));
    Ok(sparkline(&values, &label.unwrap_or_default()))
}
