//! [`Query`]: the nine charts that asynqmon has.

use crate::measure::Measure;

/// One chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: Measure,
    /// In `PromQL`; `%` stands for what the labels must be.
    text: &'static str,
}

/// The nine charts that asynqmon has.
pub(crate) const QUERIES: [Query; 9] = [
    query("processed", "Processed", Measure::PerSecond, "rate(asynq_tasks_processed_total{%}[5m])"),
    query("failed", "Failed", Measure::PerSecond, "rate(asynq_tasks_failed_total{%}[5m])"),
    query(
        "error-rate",
        "Error rate",
        Measure::Percent,
        "100 * rate(asynq_tasks_failed_total{%}[5m]) / rate(asynq_tasks_processed_total{%}[5m])",
    ),
    query("size", "Size", Measure::Tasks, "asynq_queue_size{%}"),
    query("latency", "Latency", Measure::Seconds, "asynq_queue_latency_seconds{%}"),
    query("memory", "Memory", Measure::Bytes, "asynq_queue_memory_usage_approx_bytes{%}"),
    query("pending", "Pending", Measure::Tasks, "asynq_tasks_enqueued_total{state=\"pending\",%}"),
    query("retry", "Retry", Measure::Tasks, "asynq_tasks_enqueued_total{state=\"retry\",%}"),
    query("archived", "Archived", Measure::Tasks, "asynq_tasks_enqueued_total{state=\"archived\",%}"),
];

const fn query(name: &'static str, title: &'static str, measure: Measure, text: &'static str) -> Query {
    Query { name, title, measure, text }
}

impl Query {
    /// Of these queues; of all when there is no list.
    pub(crate) fn of(&self, queues: Option<&[String]>) -> String {
        self.text.replace('%', &of_queues(queues))
    }
}

/// What `/api/v1/series` tells of a metric, added up over these queues or all; rates and run times of each step, but never
/// of less than five minutes, so that several scrapes are in it.
pub(crate) fn sum_of(
    metric: &str,
    queues: Option<&[String]>,
    task_type: Option<&str>,
    quantile: f64,
    step: i64,
) -> String {
    let window = format!("{}s", step.max(300));
    let mut labels = of_queues(queues);
    if let Some(task_type) = task_type {
        let comma = if labels.is_empty() { "" } else { "," };
        labels = format!("{labels}{comma}type=~\"{}\"", escaped(task_type));
    }
    let rate = |name: &str| format!("sum(rate(asynq_tasks_{name}_total{{{labels}}}[{window}]))");
    match metric {
        "processed" | "failed" => rate(metric),
        "error_rate" => format!("100 * {} / {}", rate("failed"), rate("processed")),
        "size" => format!("sum(asynq_queue_size{{{labels}}})"),
        "latency" => format!("max(asynq_queue_latency_seconds{{{labels}}})"),
        "run" | "wait" => {
            let rate = format!("rate(asynq_x_task_{metric}_seconds_bucket{{{labels}}}[{window}])");
            format!("histogram_quantile({quantile}, sum by (le) ({rate}))")
        }
        state => format!("sum(asynq_tasks_enqueued_total{{state=\"{state}\",{labels}}})"),
    }
}

/// What the label of a queue must be.
fn of_queues(queues: Option<&[String]>) -> String {
    let labels = queues.map(|queues| {
        let names: Vec<String> = queues.iter().map(|name| escaped(name)).collect();
        format!("queue=~\"{}\"", names.join("|"))
    });
    labels.unwrap_or_default()
}

/// A name in a pattern in a text of `PromQL`: what means something there means itself.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\\' => text.push_str(r"\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                text.push_str(r"\\");
                text.push(c);
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_themselves() {
        let size = QUERIES[3];
        assert_eq!(size.of(None), "asynq_queue_size{}");
        let names = ["mail".to_owned(), r#"a.b|c"\{"#.to_owned(), "x\ny".to_owned()];
        assert_eq!(size.of(Some(&names)), r#"asynq_queue_size{queue=~"mail|a\\.b\\|c\"\\\\\\{|x\ny"}"#);
        assert_eq!(QUERIES[6].of(None), "asynq_tasks_enqueued_total{state=\"pending\",}");
        assert_eq!(size.of(Some(&[])), r#"asynq_queue_size{queue=~""}"#, "of none");
    }
}
