//! [`Term`]: what one word of a filter asks of a task.

use std::cell::OnceCell;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde_json::Value;

use super::FilterError;
use super::pattern::{Comparison, Pattern};
use super::syntax::{Part, Word};
use crate::inspector::ErrorKind;
use crate::task::{TaskInfo, TaskState};

/// A task, and what is worked out of it once for all terms.
pub(super) struct Subject<'a> {
    task: &'a TaskInfo,
    now: Timestamp,
    payload: OnceCell<Option<Value>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(task: &'a TaskInfo, now: Timestamp) -> Self {
        Self { task, now, payload: OnceCell::new() }
    }

    /// The value at a path into the payload: names of fields, or positions in a list.
    fn payload_at(&self, path: &[String]) -> Option<&Value> {
        let whole = self.payload.get_or_init(|| serde_json::from_slice(&self.task.payload).ok());
        path.iter().try_fold(whole.as_ref()?, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            value => value.get(step),
        })
    }
}

/// What one word asks: one of its tests must hold, or none when it is negated.
#[derive(Clone, Debug)]
pub(super) struct Term {
    negated: bool,
    tests: Vec<Test>,
}

#[derive(Clone, Debug)]
enum Test {
    /// The text is in the ID, type, payload or last error.
    Text(Pattern),
    Id(Pattern),
    Type(Pattern),
    Queue(Pattern),
    Group(Pattern),
    State(TaskState),
    Error(Pattern),
    ErrorKind(ErrorKind),
    Payload(Pattern),
    PayloadAt(Vec<String>, Scalar),
    Result(Pattern),
    Header(String, Pattern),
    Retried(Comparison, i64),
    MaxRetry(Comparison, i64),
    /// How long ago it last failed, or was done.
    Age(Comparison, SignedDuration),
    /// How long until it is due.
    Due(Comparison, SignedDuration),
    Has(Thing),
    Orphaned,
}

/// What a value within a payload must be.
#[derive(Clone, Debug)]
enum Scalar {
    Text(Pattern),
    Number(Comparison, f64),
}

/// What a task may have or lack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thing {
    Payload,
    Result,
    Error,
    Group,
    Headers,
    Deadline,
    Retention,
}

/// Every name that a term may have, as it is shown to who misspells one.
pub(super) const NAMES: [&str; 16] = [
    "type",
    "state",
    "queue",
    "id",
    "group",
    "error",
    "error_kind",
    "payload",
    "payload.PATH",
    "result",
    "header.NAME",
    "retried",
    "max_retry",
    "age",
    "due",
    "has",
];

pub(super) const THINGS: [(&str, Thing); 7] = [
    ("payload", Thing::Payload),
    ("result", Thing::Result),
    ("error", Thing::Error),
    ("group", Thing::Group),
    ("headers", Thing::Headers),
    ("deadline", Thing::Deadline),
    ("retention", Thing::Retention),
];

impl Term {
    pub(super) fn new(word: &Word, text: &str) -> Result<Self, FilterError> {
        let tests = word.values.iter().map(|value| Test::new(word, value, text)).collect::<Result<_, _>>()?;
        Ok(Self { negated: word.negated, tests })
    }

    pub(super) fn holds(&self, subject: &Subject<'_>) -> bool {
        self.tests.iter().any(|test| test.holds(subject)) != self.negated
    }

    /// Whether a task in this state may fit.
    pub(super) fn allows(&self, state: TaskState) -> bool {
        self.may_hold(|test| match test {
            Test::State(wanted) => Some(*wanted == state),
            _ => None,
        })
    }

    /// Whether a task in this queue may fit.
    pub(super) fn allows_queue(&self, queue: &str) -> bool {
        self.may_hold(|test| match test {
            Test::Queue(pattern) => Some(pattern.fits(queue)),
            _ => None,
        })
    }

    /// Whether it may hold, as far as `known` tells of its tests, which are all of one kind.
    fn may_hold(&self, known: impl Fn(&Test) -> Option<bool>) -> bool {
        let told: Vec<bool> = self.tests.iter().filter_map(known).collect();
        told.is_empty() || told.contains(&true) != self.negated
    }
}

impl Test {
    fn new(word: &Word, value: &Part, text: &str) -> Result<Self, FilterError> {
        let Some(name) = &word.name else {
            return Ok(Self::Text(Pattern::within(value)));
        };
        let wrong = |reason: String| FilterError::new(reason, text, value.place.clone());
        if let Some(path) = name.text.strip_prefix("payload.") {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            return Ok(Self::PayloadAt(path, Scalar::new(value).map_err(wrong)?));
        }
        if let Some(header) = name.text.strip_prefix("header.") {
            return Ok(Self::Header(header.to_owned(), Pattern::whole(value)));
        }
        Ok(match name.text.as_str() {
            "type" => Self::Type(Pattern::whole(value)),
            "id" => Self::Id(Pattern::whole(value)),
            "queue" => Self::Queue(Pattern::whole(value)),
            "group" => Self::Group(Pattern::whole(value)),
            "error" => Self::Error(Pattern::within(value)),
            "error_kind" => Self::ErrorKind(ErrorKind::of(&value.text)),
            "payload" => Self::Payload(Pattern::within(value)),
            "result" => Self::Result(Pattern::within(value)),
            "state" => Self::State(state(&value.text).map_err(wrong)?),
            "retried" => {
                let (comparison, count) = count(&value.text).map_err(wrong)?;
                Self::Retried(comparison, count)
            }
            "max_retry" => {
                let (comparison, count) = count(&value.text).map_err(wrong)?;
                Self::MaxRetry(comparison, count)
            }
            "age" => {
                let (comparison, duration) = duration(&value.text).map_err(wrong)?;
                Self::Age(comparison, duration)
            }
            "due" => {
                let (comparison, duration) = duration(&value.text).map_err(wrong)?;
                Self::Due(comparison, duration)
            }
            "has" => Self::Has(thing(&value.text).map_err(wrong)?),
            "is" if value.text == "orphaned" => Self::Orphaned,
            "is" => return Err(wrong(format!("`is:{}` says nothing; allowed is `is:orphaned`", value.text))),
            unknown => return Err(FilterError::new(unknown_name(unknown, word), text, name.place.clone())),
        })
    }

    fn holds(&self, subject: &Subject<'_>) -> bool {
        let task = subject.task;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Self::Text(pattern) => {
                pattern.fits(task.id.as_str())
                    || pattern.fits(task.task_type.as_str())
                    || pattern.fits(&task.last_error)
                    || pattern.fits(&text(&task.payload))
            }
            Self::Id(pattern) => pattern.fits(task.id.as_str()),
            Self::Type(pattern) => pattern.fits(task.task_type.as_str()),
            Self::Queue(pattern) => pattern.fits(task.queue.as_str()),
            Self::Group(pattern) => pattern.fits(&task.group),
            Self::State(state) => task.state == *state,
            Self::Error(pattern) => !task.last_error.is_empty() && pattern.fits(&task.last_error),
            Self::ErrorKind(kind) => !task.last_error.is_empty() && ErrorKind::of(&task.last_error) == *kind,
            Self::Payload(pattern) => pattern.fits(&text(&task.payload)),
            Self::PayloadAt(path, wanted) => subject.payload_at(path).is_some_and(|found| wanted.fits(found)),
            Self::Result(pattern) => task.result.as_ref().is_some_and(|result| pattern.fits(&text(result))),
            Self::Header(name, pattern) => task.headers.get(name).is_some_and(|value| pattern.fits(value)),
            Self::Retried(comparison, count) => comparison.holds(i64::from(task.retried).cmp(count)),
            Self::MaxRetry(comparison, count) => comparison.holds(i64::from(task.max_retry).cmp(count)),
            Self::Age(comparison, limit) => task
                .completed_at
                .max(task.last_failed_at)
                .is_some_and(|since| comparison.holds(subject.now.duration_since(since).cmp(limit))),
            Self::Due(comparison, limit) => task
                .next_process_at
                .is_some_and(|due| comparison.holds(due.duration_since(subject.now).cmp(limit))),
            Self::Has(thing) => thing.is_in(task),
            Self::Orphaned => task.is_orphaned,
        }
    }
}

impl Scalar {
    fn new(value: &Part) -> Result<Self, String> {
        if value.quoted {
            return Ok(Self::Text(Pattern::whole(value)));
        }
        match Comparison::split(&value.text) {
            (None, _) => Ok(Self::Text(Pattern::whole(value))),
            (Some(comparison), number) => match number.parse::<f64>() {
                Ok(number) => Ok(Self::Number(comparison, number)),
                Err(_) => Err(format!("`{number}` must be a number, as in `payload.amount:>100`")),
            },
        }
    }

    fn fits(&self, found: &Value) -> bool {
        match self {
            Self::Text(pattern) => match found {
                Value::String(text) => pattern.fits(text),
                other => pattern.fits(&other.to_string()),
            },
            Self::Number(comparison, wanted) => found
                .as_f64()
                .and_then(|number| number.partial_cmp(wanted))
                .is_some_and(|ordering| comparison.holds(ordering)),
        }
    }
}

impl Thing {
    fn is_in(self, task: &TaskInfo) -> bool {
        match self {
            Self::Payload => !task.payload.is_empty(),
            Self::Result => task.result.is_some(),
            Self::Error => !task.last_error.is_empty(),
            Self::Group => !task.group.is_empty(),
            Self::Headers => !task.headers.is_empty(),
            Self::Deadline => task.deadline.is_some(),
            Self::Retention => !task.retention.is_zero(),
        }
    }
}

fn state(text: &str) -> Result<TaskState, String> {
    text.parse::<TaskState>().map_err(|unknown| unknown.to_string())
}

fn thing(text: &str) -> Result<Thing, String> {
    let known = THINGS.map(|(name, _)| name).join(", ");
    THINGS
        .into_iter()
        .find_map(|(name, thing)| (name == text).then_some(thing))
        .ok_or_else(|| format!("`has:{text}` says nothing; a task may have: {known}"))
}

fn count(text: &str) -> Result<(Comparison, i64), String> {
    let (comparison, number) = Comparison::split(text);
    let number =
        number.parse().map_err(|_error| format!("`{number}` must be a whole number, as in `retried:>3`"))?;
    Ok((comparison.unwrap_or(Comparison::Equal), number))
}

fn duration(text: &str) -> Result<(Comparison, SignedDuration), String> {
    let (comparison, length) = Comparison::split(text);
    let comparison =
        comparison.ok_or("a length of time needs `<` or `>` before it, as in `age:>2h` or `due:<10m`")?;
    let length = length
        .parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .map_err(|_error| format!("`{length}` must be a length of time, as in `90s`, `10m`, `2h` or `3d`"))?;
    Ok((comparison, length))
}

fn unknown_name(name: &str, word: &Word) -> String {
    let known = NAMES.join(", ");
    if word.values.len() == 1 && !name.is_empty() && word.values.iter().all(|value| !value.quoted) {
        let value = word.values.first().map(|value| value.text.as_str()).unwrap_or_default();
        return format!(
            "`{name}:` is no part of a filter; known are {known}. To look for the text itself, quote it: \
             \"{name}:{value}\""
        );
    }
    format!("`{name}:` is no part of a filter; known are {known}")
}
