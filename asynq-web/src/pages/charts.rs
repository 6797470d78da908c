//! Charts of queues and types: the last two days by samples, the last ninety by counters.

use asynq_core::inspector::human;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use maud::{Markup, html};

use super::days;
use super::layout::{Page, Section};
use super::parts::{count, error_rate, none};
use super::past::{HOUR, Past, RANGES, Range, nothing_yet, run_charts, whose_sums};
use crate::fields::Fields;
use crate::history::RunsOf;
use crate::links::Link;
use crate::measure::Measure;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// How many rows the table of types has.
const ROWS: usize = 50;

/// What is asked for.
struct Wanted<'a> {
    queue: Option<&'a str>,
    task_type: Option<&'a str>,
    range: Choice,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Samples(Range),
    Days(usize),
}

impl Choice {
    fn read(fields: &Fields) -> Result<Self, Problem> {
        let Some(name) = fields.text("range") else { return Ok(Self::Samples(HOUR)) };
        let samples = RANGES.into_iter().find(|range| range.name == name).map(Self::Samples);
        let days =
            days::RANGES.into_iter().find(|(range, _)| *range == name).map(|(_, days)| Self::Days(days));
        samples.or(days).ok_or_else(|| {
            let known: Vec<&str> = names().collect();
            Problem::invalid(format!("range: `{name}` must be one of {}", known.join(", ")))
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Samples(range) => range.name,
            Self::Days(days) => {
                days::RANGES.into_iter().find(|(_, known)| *known == days).map_or("", |(name, _)| name)
            }
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    RANGES.into_iter().map(|range| range.name).chain(days::RANGES.into_iter().map(|(name, _)| name))
}

/// The charts.
pub(crate) async fn charts(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    let wanted =
        Wanted { queue: fields.text("queue"), task_type: fields.text("type"), range: Choice::read(&fields)? };
    if let Some(queue) = wanted.queue {
        // One that does not exist has no charts; that is a page of its own.
        visit.inspector(Right::View, queue)?.history(queue, 1).await?;
    }
    let shown = match wanted.range {
        Choice::Samples(range) => samples(&visit, &wanted, range)?,
        Choice::Days(days) => html! { section.charts { (days::days(&visit, wanted.queue, days).await?) } },
    };
    let body = html! {
        div.head {
            h1 { "Charts" @if let Some(queue) = wanted.queue { span.path { "/" } (human::printable(queue)) } }
            (super::prometheus::link(&visit))
        }
        (pickers(&visit, &wanted).await?)
        (whose_sums(&visit, wanted.queue, matches!(wanted.range, Choice::Samples(_))))
        (shown)
    };
    Ok(match wanted.range {
        Choice::Samples(_) => Page::live(Section::Charts, "Charts", body),
        Choice::Days(_) => Page::new(Section::Charts, "Charts", body),
    }
    .show(&visit))
}

fn place(visit: &Visit, wanted: &Wanted<'_>) -> Link {
    visit.link().to("charts").with_some("queue", wanted.queue).with_some("type", wanted.task_type)
}

async fn pickers(visit: &Visit, wanted: &Wanted<'_>) -> Result<Markup, Problem> {
    let queues = visit.queues(Right::View).await?;
    Ok(html! {
        nav.chips aria-label="How far back" {
            @for name in names() {
                a href=(place(visit, wanted).with("range", name)) aria-current=[(wanted.range.name() == name).then_some("page")] { (name) }
            }
        }
        form.filter action=(visit.link().to("charts")) role="search" aria-label="One queue" {
            (super::parts::hidden("range", wanted.range.name()))
            label.hidden for="queue" { "Queue" }
            input #queue type="search" name="queue" value=(wanted.queue.unwrap_or_default()) list="queues"
                placeholder="All queues" autocomplete="off" spellcheck="false";
            datalist #queues { @for name in queues.iter().take(1_000) { option value=(name) {} } }
            label.hidden for="type" { "Type, of run and wait times" }
            input #type type="search" name="type" value=(wanted.task_type.unwrap_or_default())
                placeholder="All types" autocomplete="off" spellcheck="false";
            button { "Show" }
        }
    })
}

fn samples(visit: &Visit, wanted: &Wanted<'_>, range: Range) -> Result<Markup, Problem> {
    let past = Past::read(visit, wanted.queue, range)?;
    let span = range.run_span(visit);
    let runs = visit.runs(wanted.queue, wanted.task_type, span)?;
    let table = visit.run_table(wanted.queue, wanted.task_type, span)?;
    Ok(html! {
        @if past.is_empty() {
            (super::parts::empty("No samples yet", nothing_yet(visit, wanted.queue)))
        } @else {
            section.charts aria-label="Queues" {
                @for chart in [past.throughput(), past.error_rate(), past.sizes(), past.latency()] { (chart.show()) }
            }
        }
        section aria-label="Run and wait times" {
            @if table.is_empty() {
                h2 { "Run and wait times" }
                p.muted {
                    "No server has told how long its runs took. Servers of ours do when " code { "run_times" } " is set ("
                    code { "ASYNQ_RUN_TIMES=true" } "); Go's do not."
                }
            } @else {
                div.charts { @for chart in run_charts(range, span, &runs) { (chart.show()) } }
                section { (types(visit, wanted, table)) }
            }
        }
    })
}

fn types(visit: &Visit, wanted: &Wanted<'_>, mut rows: Vec<RunsOf>) -> Markup {
    rows.sort_by(|a, b| {
        b.runs
            .finished
            .cmp(&a.runs.finished)
            .then_with(|| (&a.queue, &a.task_type).cmp(&(&b.queue, &b.task_type)))
    });
    let cell = |length: Option<std::time::Duration>| match length {
        Some(length) => html! { (Measure::Seconds.text(length.as_secs_f64())) },
        None => none(),
    };
    html! {
        h2 { "By type" }
        p.muted { "As servers tell that are of ours and have " code { "run_times" } " set. Times are exact to a factor of 1.4." }
        div.scroll role="region" aria-label="By type" tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { "Queue" } th scope="col" { "Type" }
                    @for heading in ["Runs", "Failed", "Error rate", "Run p50", "p95", "p99", "Wait p50", "p95", "p99"] {
                        th.right scope="col" { (heading) }
                    }
                } }
                tbody {
                    @for RunsOf { queue, task_type, runs } in rows.iter().take(ROWS) {
                        tr data-key={(queue.len()) "." (queue) (task_type)} {
                            td { (human::printable(queue)) }
                            th.wide scope="row" {
                                a href=(visit.link().to("charts").with("queue", queue).with("type", task_type).with("range", wanted.range.name())) {
                                    (human::printable(task_type))
                                }
                            }
                            td.right { (count(runs.finished)) }
                            td.right { @if runs.failed > 0 { span.bad { (count(runs.failed)) } } @else { span.zero { "0" } } }
                            td.right { (error_rate(runs.failed, runs.finished)) }
                            @for times in [&runs.ran, &runs.waited] {
                                @for share in [0.5, 0.95, 0.99] { td.right { (cell(times.quantile(share))) } }
                            }
                        }
                    }
                }
            }
        }
        @if rows.len() > ROWS { p.muted { "The " (ROWS) " that ran most, of " (count(rows.len())) "." } }
    }
}
