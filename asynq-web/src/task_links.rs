//! [`TaskLinks`]: where else something is known of a task, such as logs and traces.

use std::fmt;
use std::str::FromStr;

use asynq_core::task::TaskInfo;

use crate::links::encoded;

/// The header in which traces travel (W3C Trace Context): version, trace, span and flags.
const TRACE_HEADER: &str = "traceparent";

/// What may stand in braces.
const PLACEHOLDERS: [(&str, Placeholder); 4] = [
    ("id", Placeholder::Id),
    ("type", Placeholder::Type),
    ("queue", Placeholder::Queue),
    ("trace", Placeholder::Trace),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Id,
    Type,
    Queue,
    /// The trace in which it was enqueued.
    Trace,
}

/// Links that the page of each task has.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskLinks(Vec<TaskLink>);

#[derive(Clone, Debug)]
struct TaskLink {
    label: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

impl TaskLinks {
    pub(crate) fn add(&mut self, label: &str, template: &str) -> Result<(), InvalidTaskLink> {
        let label = label.trim();
        if label.is_empty() {
            return Err(InvalidTaskLink::new(template, "it has no label"));
        }
        self.0.push(TaskLink { label: label.to_owned(), parts: template.parse::<Template>()?.0 });
        Ok(())
    }

    /// Each label with its address, of those that can be made for a task: without a trace, none that needs it.
    pub(crate) fn of(&self, task: &TaskInfo) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|link| Some((link.label.as_str(), link.address(task)?)))
    }
}

impl TaskLink {
    fn address(&self, task: &TaskInfo) -> Option<String> {
        let mut address = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => address.push_str(text),
                Part::Placeholder(placeholder) => address.push_str(&encoded(placeholder.value(task)?)),
            }
        }
        Some(address)
    }
}

impl Placeholder {
    fn value(self, task: &TaskInfo) -> Option<&str> {
        match self {
            Self::Id => Some(task.id.as_str()),
            Self::Type => Some(task.task_type.as_str()),
            Self::Queue => Some(task.queue.as_str()),
            Self::Trace => task.headers.get(TRACE_HEADER).and_then(|parent| trace(parent)),
        }
    }
}

/// The trace that a header names.
fn trace(parent: &str) -> Option<&str> {
    let id = parent.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_id && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

/// An address with placeholders.
struct Template(Vec<Part>);

impl FromStr for Template {
    type Err = InvalidTaskLink;

    fn from_str(text: &str) -> Result<Self, InvalidTaskLink> {
        let wrong = |reason: &str| Err(InvalidTaskLink::new(text, reason));
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if host.is_none_or(|host| host.starts_with(['/', '{']) || host.is_empty()) {
            return wrong("it must begin with https:// or http:// and the name of a host");
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return wrong("it has blanks in it");
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((name, after)) = behind.split_once('}') else { return wrong("a `{` is not closed") };
            let Some((_, placeholder)) = PLACEHOLDERS.iter().find(|(known, _)| *known == name) else {
                return wrong(&format!("there is no `{{{name}}}`"));
            };
            parts.extend([Part::Text(before.to_owned()), Part::Placeholder(*placeholder)]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }
}

/// Not a link of which the page of a task can have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTaskLink {
    template: String,
    reason: String,
}

impl InvalidTaskLink {
    fn new(template: &str, reason: &str) -> Self {
        Self { template: template.to_owned(), reason: reason.to_owned() }
    }
}

impl fmt::Display for InvalidTaskLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, reason } = self;
        let names = PLACEHOLDERS.map(|(name, _)| format!("{{{name}}}")).join(", ");
        write!(f, "`{template}` is no link of tasks: {reason}; in it may stand {names}")
    }
}

impl std::error::Error for InvalidTaskLink {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_templates_say_what_may_stand_in_them() {
        for (label, template, reason) in [
            ("Logs", "https://x/{job}", "there is no `{job}`"),
            ("Logs", "https://x/{id", "a `{` is not closed"),
            ("Logs", "javascript:alert(1)", "must begin with https://"),
            ("Logs", "https://", "must begin with https://"),
            ("Logs", "https://{id}/", "must begin with https://"),
            ("Logs", "/logs/{id}", "must begin with https://"),
            ("Logs", "https://x/ {id}", "blanks"),
            (" ", "https://x/{id}", "it has no label"),
        ] {
            let error = TaskLinks::default().add(label, template).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
            assert!(error.ends_with("in it may stand {id}, {type}, {queue}, {trace}"), "{error}");
        }
    }

    #[test]
    fn traces_are_taken_from_their_header() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id));
        for parent in ["", "00", "•••••", "00-4bf9-00f0-01", &format!("00-{}-00f0-01", "0".repeat(32))]
        {
            assert_eq!(trace(parent), None, "{parent}");
        }
    }
}
