//! Which part of the tasks a list shows, and in which order.

use asynq_core::task::{TaskInfo, TaskState};
use clap::{Args, ValueEnum};
use jiff::{Timestamp, Zoned};

use crate::human;

/// Which part of the tasks, and in which order.
#[derive(Args, Clone, Debug)]
pub(super) struct Window {
    /// Only those with a time from this on: of the last failure or success, and of scheduled tasks when they are due.
    /// `2h` is two hours ago.
    #[arg(long, value_name = "TIME", value_parser = past)]
    since: Option<Timestamp>,
    /// Only those with such a time before this.
    #[arg(long, value_name = "TIME", value_parser = past)]
    until: Option<Timestamp>,
    /// In this order, in place of that of their queues.
    #[arg(long, value_enum, value_name = "BY")]
    sort: Option<Sort>,
    /// With `--sort`: the other way round.
    #[arg(long, requires = "sort")]
    reverse: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// The time that `--since` means, the earliest first; last those that have none.
    Time,
    Id,
    Type,
    Queue,
    State,
    /// How often they were retried, the least first.
    Retried,
    /// The size of the payload, the smallest first.
    Size,
}

impl Window {
    /// Whether it asks for anything.
    pub(super) fn is_given(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.sort.is_some()
    }

    /// Whether all must be read before the first can be shown.
    pub(super) fn is_sorted(&self) -> bool {
        self.sort.is_some()
    }

    pub(super) fn holds(&self, task: &TaskInfo) -> bool {
        let at = time(task);
        self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }

    pub(super) fn sort(&self, tasks: &mut [TaskInfo]) {
        match self.sort {
            None => return,
            Some(Sort::Time) => tasks.sort_by_key(|task| (time(task).is_none(), time(task))),
            Some(Sort::Id) => tasks.sort_by(|a, b| a.id.cmp(&b.id)),
            Some(Sort::Type) => tasks.sort_by(|a, b| a.task_type.cmp(&b.task_type)),
            Some(Sort::Queue) => tasks.sort_by(|a, b| a.queue.cmp(&b.queue)),
            Some(Sort::State) => tasks.sort_by_key(|task| task.state.as_str()),
            Some(Sort::Retried) => tasks.sort_by_key(|task| task.retried),
            Some(Sort::Size) => tasks.sort_by_key(|task| task.payload.len()),
        }
        if self.reverse {
            tasks.reverse();
        }
    }
}

/// When something happened to it, or will.
fn time(task: &TaskInfo) -> Option<Timestamp> {
    match task.state {
        TaskState::Scheduled => task.next_process_at,
        _ => task.completed_at.or(task.last_failed_at),
    }
}

/// A moment; a length of time is one that has passed since.
fn past(text: &str) -> Result<Timestamp, String> {
    past_before(text, &Zoned::now())
}

fn past_before(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    match human::duration(text) {
        Ok(length) => now
            .timestamp()
            .checked_sub(length)
            .map_err(|_error| format!("`{text}` is longer ago than there is time")),
        Err(_) => human::moment(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_one_that_has_passed() {
        let now: Zoned = "2026-11-29T12:00:00+01:00[Europe/Rome]".parse().unwrap();
        let at = |text| past_before(text, &now).map(human::rfc3339);
        assert_eq!(at("2h").as_deref(), Ok("2026-11-29T09:00:00Z"));
        assert_eq!(at("2026-11-01T00:00:00Z").as_deref(), Ok("2026-11-01T00:00:00Z"));
        assert!(at("long ago").unwrap_err().contains("is no time"));
    }
}
