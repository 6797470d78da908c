//! The charts of asynqmon, from a Prometheus that scrapes an exporter.

use std::time::Duration;

use asynq_core::inspector::human;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Response;
use futures_util::future::join_all;
use jiff::Timestamp;
use maud::{Markup, html};

use super::chart::{Chart, Form, Line};
use super::layout::{Page, Section};
use super::parts::empty;
use crate::fields::Fields;
use crate::history::Span;
use crate::problem::Problem;
use crate::prometheus::{QUERIES, Query as Asked, Series};
use crate::rights::Right;
use crate::visit::Visit;

/// How far back can be looked, with the name of it.
const RANGES: [(&str, u64); 6] =
    [("1h", 3_600), ("6h", 21_600), ("1d", 86_400), ("8d", 691_200), ("30d", 2_592_000), ("90d", 7_776_000)];

/// In so many steps, but none of less than this.
const STEPS: u64 = 180;
const SHORTEST: u64 = 10;

/// How many queues a chart shows.
const QUEUES: usize = 8;

/// How many queues are named in a query.
const NAMED: usize = 200;

/// Their colors.
const CLASSES: [&str; QUEUES] = ["q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7"];

/// The way from the other charts to these, where there are any.
pub(super) fn link(visit: &Visit) -> Markup {
    html! {
        @if visit.shared.prometheus.is_some() {
            div.buttons { a.button.quiet href=(visit.link().to("charts").to("prometheus")) { "From Prometheus" } }
        }
    }
}

/// What is asked for.
struct Wanted {
    range: &'static str,
    length: u64,
    end: Option<Timestamp>,
    queues: Vec<String>,
}

impl Wanted {
    fn read(fields: &Fields) -> Result<Self, Problem> {
        let name = fields.text("range").unwrap_or("1h");
        let Some((range, length)) = RANGES.into_iter().find(|(range, _)| *range == name) else {
            let known = RANGES.map(|(name, _)| name).join(", ");
            return Err(Problem::invalid(format!("range: `{name}` must be one of {known}")));
        };
        let queues = fields.all("queue").filter(|queue| !queue.is_empty()).map(str::to_owned).collect();
        Ok(Self { range, length, end: fields.parsed::<Timestamp>("end")?, queues })
    }

    fn place(&self, visit: &Visit, range: &str, end: Option<Timestamp>) -> crate::links::Link {
        let link = visit.link().to("charts").to("prometheus").with("range", range).with_some("end", end);
        self.queues.iter().fold(link, |link, queue| link.with("queue", queue))
    }
}

/// The nine charts.
pub(crate) async fn prometheus(
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Response<Body>, Problem> {
    visit.inspector_of_all(Right::View)?;
    let Some(prometheus) = &visit.shared.prometheus else {
        return Err(Problem::new("not_found", "no Prometheus is known here: it is given by `--prometheus`"));
    };
    let wanted = Wanted::read(&fields)?;
    let queues = queues(&visit, &wanted).await?;
    let step = (wanted.length / STEPS).max(SHORTEST);
    let end = wanted.end.unwrap_or_else(|| visit.now());
    let span = Span::last(Duration::from_secs(wanted.length), Duration::from_secs(step), end);
    let last = span.from + span.step * i64::try_from(span.steps).unwrap_or(i64::MAX) - span.step;
    let asked = QUERIES.iter().map(async |query| {
        (query, prometheus.range(&query.of(queues.as_deref()), span.from, last, span.step).await)
    });
    let answers = join_all(asked).await;
    let ends = ends(&wanted, span);
    let body = html! {
        div.head { h1 { a.up href=(visit.link().to("charts")) { "Charts" } span.path { "/" } "Prometheus" } }
        (pickers(&visit, &wanted, end))
        section.charts {
            @for (query, answer) in &answers {
                @match answer {
                    Ok(series) => (chart(query, series, span, &ends)),
                    Err(reason) => figure.chart data-key={"chart-" (query.name)} {
                        figcaption { h2 { (query.title) } }
                        p.bad role="alert" { (human::printable(reason)) }
                    },
                }
            }
        }
        @if answers.iter().all(|(_, answer)| answer.as_ref().is_ok_and(Vec::is_empty)) {
            (empty("Prometheus knows nothing of these queues", html! { "It must scrape " code { "asynq exporter" } "." }))
        }
    };
    Ok(match wanted.end {
        None => Page::live(Section::Charts, "Prometheus", body),
        Some(_) => Page::new(Section::Charts, "Prometheus", body),
    }
    .show(&visit))
}

/// The queues that are asked for; `None` for all. Who may not see all asks for those that they may see.
async fn queues(visit: &Visit, wanted: &Wanted) -> Result<Option<Vec<String>>, Problem> {
    for queue in &wanted.queues {
        visit.inspector(Right::View, queue)?;
    }
    if !wanted.queues.is_empty() {
        return Ok(Some(wanted.queues.iter().take(NAMED).cloned().collect()));
    }
    if !visit.rights().are_limited() {
        return Ok(None);
    }
    let visible = visit.queues(Right::View).await?;
    Ok(Some(visible.iter().take(NAMED).map(ToString::to_string).collect()))
}

fn pickers(visit: &Visit, wanted: &Wanted, end: Timestamp) -> Markup {
    let shifted = |by: i64| {
        let half = i64::try_from(wanted.length / 2).unwrap_or(0) * by;
        let end = end.as_second().saturating_add(half).min(visit.now().as_second());
        Timestamp::from_second(end).ok()
    };
    html! {
        nav.chips aria-label="How far back" {
            @for (name, _) in RANGES {
                a href=(wanted.place(visit, name, wanted.end)) aria-current=[(wanted.range == name).then_some("page")] { (name) }
            }
            a href=(wanted.place(visit, wanted.range, shifted(-1))) { "← earlier" }
            @if wanted.end.is_some() {
                a href=(wanted.place(visit, wanted.range, shifted(1))) { "later →" }
                a href=(wanted.place(visit, wanted.range, None)) { "now" }
            }
        }
        form.filter action=(visit.link().to("charts").to("prometheus")) role="search" aria-label="Queues" {
            (super::parts::hidden("range", wanted.range))
            label.hidden for="queue" { "Queue" }
            input #queue type="search" name="queue" value=(wanted.queues.first().map_or("", String::as_str))
                placeholder="All queues" autocomplete="off" spellcheck="false";
            button { "Show" }
        }
    }
}

fn ends(wanted: &Wanted, span: Span) -> [String; 3] {
    if wanted.end.is_none() {
        let ago = |seconds| format!("−{}", human::length(Duration::from_secs(seconds)));
        return [ago(wanted.length), ago(wanted.length / 2), "now".to_owned()];
    }
    let steps = i64::try_from(span.steps).unwrap_or(0);
    [0, steps / 2, steps].map(|step| {
        let at = Timestamp::from_millisecond(span.from + step * span.step).unwrap_or(Timestamp::UNIX_EPOCH);
        at.strftime("%m-%d %H:%M UTC").to_string()
    })
}

fn chart(query: &Asked, series: &[Series], span: Span, ends: &[String; 3]) -> Markup {
    let mut lines: Vec<(f64, String, Vec<Option<f64>>)> = series
        .iter()
        .map(|series| {
            let name =
                series.labels.get("queue").map_or_else(|| "all".to_owned(), |queue| human::printable(queue));
            (series.values.last().map_or(0.0, |(_, value)| *value), name, series.steps(span))
        })
        .collect();
    lines.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let found = lines.len();
    let lines =
        lines.into_iter().zip(CLASSES).map(|((_, name, values), class)| Line::new(name, class, values));
    let chart = Chart {
        key: query.name,
        title: query.title,
        about: format!("{} of each queue, from Prometheus.", query.title),
        measure: query.measure,
        form: Form::Lines,
        times: span.times().collect(),
        ends: ends.clone(),
        lines: lines.collect(),
    };
    html! {
        (chart.show())
        @if found > QUEUES { p.muted { (query.title) ": the " (QUEUES) " highest of " (found) " queues." } }
    }
}
