//! The pieces that pages are made of: numbers, times, states, tables of facts.

use std::time::Duration;

use asynq_core::inspector::{QueueInfo, human};
use asynq_core::task::TaskState;
use jiff::Timestamp;
use maud::{Markup, Render, html};

use crate::preferences::Times;
use crate::visit::Visit;

/// The order in which states are shown: the way of a task.
pub(super) const STATES: [TaskState; 7] = [
    TaskState::Active,
    TaskState::Pending,
    TaskState::Scheduled,
    TaskState::Retry,
    TaskState::Aggregating,
    TaskState::Completed,
    TaskState::Archived,
];

/// A number with its thousands set apart: `12,345`.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number in a table: nothing is pale.
pub(super) fn number(number: usize) -> Markup {
    html! { @if number == 0 { span.zero { "0" } } @else { (count(number)) } }
}

/// A moment, as the visitor wants it; the other form shows on touch.
pub(super) fn time(visit: &Visit, at: impl Into<Option<Timestamp>>) -> Markup {
    let Some(at) = at.into() else { return none() };
    let utc = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let relative = human::relative(at, visit.now());
    let (shown, title) = match visit.preferences.times {
        Times::Relative => (relative, utc),
        Times::Utc | Times::Local => (utc, relative),
    };
    html! { time datetime=(at) title=(title) { (shown) } }
}

/// A length of time; none where it is zero.
pub(super) fn length(length: Duration) -> Markup {
    if length.is_zero() {
        none()
    } else {
        html! { (human::length(length)) }
    }
}

/// Where there is nothing.
pub(super) fn none() -> Markup {
    html! { span.zero { "–" } }
}

/// A text, or nothing.
pub(super) fn text_or_none(text: &str) -> Markup {
    if text.is_empty() {
        none()
    } else {
        html! { (text) }
    }
}

/// A state, in its color.
pub(super) fn state(state: TaskState) -> Markup {
    html! { span class={"state " (state.as_str())} { (state.as_str()) } }
}

/// What share failed.
pub(super) fn error_rate(failed: u64, processed: u64) -> Markup {
    match human::error_rate(failed, processed) {
        None => none(),
        Some(rate) if rate > 0.0 => html! { span.bad { (format!("{rate:.2}")) "%" } },
        Some(_) => html! { "0%" },
    }
}

/// How the tasks of a queue are spread over the states: a bar, its width in proportion to `most`.
pub(super) fn distribution(queue: &QueueInfo, most: usize) -> Markup {
    let words: Vec<String> = STATES
        .into_iter()
        .filter(|state| queue.count(*state) > 0)
        .map(|state| format!("{} {state}", count(queue.count(state))))
        .collect();
    let label = if words.is_empty() { "empty".to_owned() } else { words.join(", ") };
    #[expect(clippy::cast_precision_loss, reason = "the width of a bar")]
    let share = |tasks: usize| if most == 0 { 0.0 } else { tasks as f64 * 1_000.0 / most as f64 };
    let mut x = 0.0;
    let mut parts = Vec::new();
    for state in STATES {
        let width = share(queue.count(state));
        if width > 0.0 {
            // What is there can be seen.
            let width = width.max(6.0);
            parts.push((state, x, width));
            x += width;
        }
    }
    html! {
        svg.spread viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=(label) {
            title { (label) }
            @for (state, x, width) in parts {
                rect class=(state.as_str()) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="10" {}
            }
        }
    }
}

/// A list of facts: names with values.
pub(super) fn facts<const N: usize>(facts: [(&str, Markup); N]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in facts { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// Large numbers in a row.
pub(super) fn figures(figures: impl IntoIterator<Item = (&'static str, Markup)>) -> Markup {
    html! {
        dl.figures {
            @for (name, value) in figures { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// Where there is nothing to show: why, and what can be done.
pub(super) fn empty(title: &str, hint: impl Render) -> Markup {
    html! { div.empty { p.title { (title) } p { (hint) } } }
}

/// A field of a form that goes along unseen.
pub(super) fn hidden(name: &str, value: impl Render) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A field of a form, if there is a value.
pub(super) fn hidden_if(name: &str, value: Option<impl Render>) -> Markup {
    html! { @if let Some(value) = value { (hidden(name, value)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let shown = [0_u64, 7, 999, 1_000, 12_345, 1_234_567].map(count);
        assert_eq!(shown, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(count(usize::MAX), "18,446,744,073,709,551,615");
    }
}
