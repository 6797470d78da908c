//! Numbers over time: from the samples of the last two days or a Prometheus, and from the daily counters.

use std::time::Duration;

use asynq_core::task::TaskState;
use axum::Json;
use axum::extract::Query;
use jiff::Timestamp;
use serde::Serialize;

use super::from_prometheus;
use super::shapes::Day;
use crate::fields::Fields;
use crate::history::{Point, Runs, Span};
use crate::problem::Problem;
use crate::visit::Visit;

/// How many days of history there are unless told otherwise.
const DAYS: usize = 30;

/// The most points that one answer has.
const MOST: u64 = 3_000;

/// How far back a series goes unless told otherwise.
const HOUR: Duration = Duration::from_secs(3_600);

/// The shortest steps there are, in seconds: of queues, and of run times.
const SHORTEST: u64 = 10;
const SHORTEST_OF_RUNS: u64 = 60;

/// What can be asked for, beside the states.
const METRICS: [&str; 7] = ["processed", "failed", "error_rate", "size", "latency", "run", "wait"];

/// Numbers over time.
#[derive(Serialize)]
pub(crate) struct Answer {
    metric: String,
    unit: &'static str,
    queue: Option<String>,
    #[serde(rename = "type")]
    task_type: Option<String>,
    step_ms: i64,
    /// Whether this is of the queues alone that the caller may see.
    limited: bool,
    items: Vec<Value>,
}

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) metric: &'a str,
    pub(super) queue: Option<&'a str>,
    pub(super) task_type: Option<&'a str>,
    pub(super) quantile: f64,
}

#[derive(Serialize)]
struct Value {
    at: String,
    /// `null` where nothing is known.
    value: Option<f64>,
}

/// What queues did, how they stood, or how long their runs took.
pub(crate) async fn series(visit: Visit, Query(fields): Query<Fields>) -> Result<Json<Answer>, Problem> {
    fields.only(&["metric", "queue", "type", "quantile", "from", "to", "step", "source"])?;
    let metric = fields.text("metric").ok_or_else(|| Problem::invalid("metric: it is missing"))?;
    let state = metric.parse::<TaskState>().ok();
    if state.is_none() && !METRICS.contains(&metric) {
        let known = METRICS.join(", ");
        return Err(Problem::invalid(format!("metric: `{metric}` must be a state, or one of {known}")));
    }
    let is_of_runs = matches!(metric, "run" | "wait");
    let (queue, task_type) = (fields.text("queue"), fields.text("type"));
    let quantile = fields.parsed::<f64>("quantile")?;
    if !is_of_runs && (task_type.is_some() || quantile.is_some()) {
        return Err(Problem::invalid("type and quantile: only the metrics run and wait have them"));
    }
    let quantile = quantile.unwrap_or(0.95);
    if !(0.0..=1.0).contains(&quantile) {
        return Err(Problem::invalid(format!("quantile: it must be from 0 to 1, got {quantile}")));
    }
    let is_from_prometheus = match fields.text("source") {
        None | Some("samples") => false,
        Some("prometheus") => true,
        Some(other) => {
            return Err(Problem::invalid(format!("source: `{other}` must be samples or prometheus")));
        }
    };
    let span = span(&visit, &fields, if is_of_runs { SHORTEST_OF_RUNS } else { SHORTEST })?;
    let values: Vec<Option<f64>> = if is_from_prometheus {
        let asked = Asked { metric, queue, task_type, quantile };
        from_prometheus::values(&visit, &asked, span).await?
    } else if is_of_runs {
        let runs = visit.runs(queue, task_type, span)?;
        let of = |runs: &Runs| {
            if metric == "run" { runs.ran.quantile(quantile) } else { runs.waited.quantile(quantile) }
        };
        runs.iter().map(|runs| Some(of(runs.as_ref()?)?.as_secs_f64())).collect()
    } else {
        let of = |point: &Point| match (state, metric) {
            (Some(state), _) => Some(f64::from(point.count(state))),
            (None, "processed") => point.processed_rate(),
            (None, "failed") => point.failed_rate(),
            (None, "error_rate") => point.error_rate(),
            (None, "size") => Some(f64::from(point.size())),
            _ => Some(point.latency()),
        };
        visit.points(queue, span)?.iter().map(|point| of(point.as_ref()?)).collect()
    };
    let unit = match metric {
        "processed" | "failed" => "1/s",
        "error_rate" => "percent",
        "latency" | "run" | "wait" => "s",
        _ => "tasks",
    };
    let items = span.times().zip(values).map(|(at, value)| Value { at: at.to_string(), value });
    Ok(Json(Answer {
        metric: metric.to_owned(),
        unit,
        queue: queue.map(str::to_owned),
        task_type: task_type.map(str::to_owned),
        step_ms: span.step,
        limited: queue.is_none() && visit.rights().are_limited(),
        items: items.collect(),
    }))
}

fn span(visit: &Visit, fields: &Fields, shortest: u64) -> Result<Span, Problem> {
    let to = fields.parsed::<Timestamp>("to")?.unwrap_or_else(|| visit.now());
    let length = match fields.parsed::<Timestamp>("from")? {
        None => HOUR,
        Some(from) => match Duration::try_from(to.duration_since(from)) {
            Ok(length) if !length.is_zero() => length,
            _ => return Err(Problem::invalid(format!("from: it must be before {to}, got {from}"))),
        },
    };
    // About as many points as a chart shows.
    let usual = (length.as_secs() / 120).div_ceil(shortest).max(1) * shortest;
    let step = fields.parsed::<u64>("step")?.unwrap_or(usual);
    if step == 0 || step % shortest != 0 {
        return Err(Problem::invalid(format!(
            "step: it must be a multiple of {shortest} seconds, got {step}"
        )));
    }
    if length.as_secs() / step > MOST {
        return Err(Problem::invalid(format!("step: these are more than {MOST} points; take longer steps")));
    }
    Ok(Span::last(length, Duration::from_secs(step), to))
}

/// What was processed on each of some days.
#[derive(Serialize)]
pub(crate) struct Sum {
    /// Today first.
    items: Vec<Day>,
    /// Of how many queues this is the sum.
    counted: usize,
    /// How many there are.
    queues: usize,
    /// Whether these are the queues alone that the caller may see.
    limited: bool,
}

/// What all queues processed on each of the last days.
pub(crate) async fn history(visit: Visit, Query(fields): Query<Fields>) -> Result<Json<Sum>, Problem> {
    fields.only(&["days"])?;
    let days = visit.days(None, fields.parsed("days")?.unwrap_or(DAYS)).await?;
    let items = days.days.iter().map(Day::new).collect();
    let limited = visit.rights().are_limited();
    Ok(Json(Sum { items, counted: days.counted, queues: days.queues, limited }))
}
