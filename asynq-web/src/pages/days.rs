//! Days of history: what the daily counters of the store say.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::chart::{Chart, Form, Line};
use super::parts::count;
use crate::history::DailySum;
use crate::measure::Measure;
use crate::problem::Problem;
use crate::visit::Visit;

/// How many days can be looked at at once; counters last 90.
pub(super) const RANGES: [(&str, usize); 3] = [("7d", 7), ("30d", 30), ("90d", 90)];

/// What was processed on each of the last days, in two charts.
pub(super) async fn days(visit: &Visit, queue: Option<&str>, days: usize) -> Result<Markup, Problem> {
    let DailySum { days, counted, queues } = visit.days(queue, days).await?;
    // Charts go from left to right.
    let days: Vec<_> = days.into_iter().rev().collect();
    let name = |place: usize| days.get(place).map_or_else(String::new, |day| day.date.to_string());
    let chart = |key, title, about: &str, measure, form| Chart {
        key,
        title,
        about: about.to_owned(),
        measure,
        form,
        times: days.iter().filter_map(|day| midnight(day.date)).collect(),
        ends: [name(0), name(days.len() / 2), name(days.len().saturating_sub(1))],
        lines: Vec::new(),
    };
    #[expect(clippy::cast_precision_loss, reason = "a bar")]
    let number = |number: u64| Some(number as f64);
    let processed = Chart {
        lines: vec![
            Line::new("failed", "failed", days.iter().map(|day| number(day.failed))),
            Line::new(
                "succeeded",
                "processed",
                days.iter().map(|day| number(day.processed.saturating_sub(day.failed))),
            ),
        ],
        ..chart(
            "days",
            "Processed by day",
            "How many runs succeeded and failed on each day.",
            Measure::Tasks,
            Form::Bars,
        )
    };
    let rate = Chart {
        lines: vec![Line::new(
            "failed",
            "failed",
            days.iter().map(|day| asynq_core::inspector::human::error_rate(day.failed, day.processed)),
        )],
        ..chart(
            "days-rate",
            "Error rate by day",
            "What share of the runs failed on each day.",
            Measure::Percent,
            Form::Bars,
        )
    };
    let total =
        |of: fn(&asynq_core::inspector::DailyStats) -> u64| days.iter().map(of).fold(0, u64::saturating_add);
    Ok(html! {
        p.muted {
            (count(total(|day| day.processed))) " processed, " (count(total(|day| day.failed))) " failed. Days begin at midnight UTC."
            @if counted < queues { " These are the sums of " (count(counted)) " of " (count(queues)) " queues." }
        }
        (processed.show())
        (rate.show())
    })
}

fn midnight(date: Date) -> Option<jiff::Timestamp> {
    date.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp())
}
