//! [`Rights`] and [`Visitor`]: who asks, and what they may do.

use std::sync::Arc;

/// Something that a visitor may do, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Right {
    /// See queues, tasks, servers and schedules.
    View,
    /// See what tasks carry: payloads, results and headers.
    ViewPayload,
    /// See what is [masked](crate::WebUi::mask), too.
    ViewSecrets,
    /// Make tasks run now.
    Run,
    /// Archive tasks.
    Archive,
    /// Delete tasks.
    Delete,
    /// Ask workers to cancel tasks.
    Cancel,
    /// Enqueue new tasks.
    Enqueue,
    /// Change tasks that are stored, and move them to other queues.
    Edit,
    /// Pause and resume queues.
    Pause,
    /// Delete queues.
    DeleteQueue,
    /// Have schedules enqueue what they would, now.
    RunSchedule,
    /// Create, change, pause and delete the schedules that are stored.
    EditSchedule,
    /// See who changed what.
    Audit,
    /// Put right what the doctor finds.
    Repair,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 15] = [
        Self::View,
        Self::ViewPayload,
        Self::ViewSecrets,
        Self::Run,
        Self::Archive,
        Self::Delete,
        Self::Cancel,
        Self::Enqueue,
        Self::Edit,
        Self::Pause,
        Self::DeleteQueue,
        Self::RunSchedule,
        Self::EditSchedule,
        Self::Audit,
        Self::Repair,
    ];

    /// Those that change nothing.
    const READING: [Self; 4] = [Self::View, Self::ViewPayload, Self::ViewSecrets, Self::Audit];

    /// Its name in the API: `view_payload`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::ViewPayload => "view_payload",
            Self::ViewSecrets => "view_secrets",
            Self::Run => "run",
            Self::Archive => "archive",
            Self::Delete => "delete",
            Self::Cancel => "cancel",
            Self::Enqueue => "enqueue",
            Self::Edit => "edit",
            Self::Pause => "pause",
            Self::DeleteQueue => "delete_queue",
            Self::RunSchedule => "run_schedule",
            Self::EditSchedule => "edit_schedule",
            Self::Audit => "audit",
            Self::Repair => "repair",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What somebody may do, and in which queues of which instances.
///
/// # Examples
///
/// ```
/// use asynq_web::{Right, Rights};
///
/// let rights = Rights::operator().without(Right::Delete).in_queues(["mail-*", "default"]);
/// assert!(rights.allow(Right::Run, "mail-eu"));
/// assert!(!rights.allow(Right::Delete, "mail-eu"));
/// assert!(!rights.allow(Right::View, "billing"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Rights {
    bits: u16,
    /// Patterns of names; of all queues when there is no list.
    queues: Option<Arc<[String]>>,
    /// Likewise of instances.
    instances: Option<Arc<[String]>>,
}

impl Rights {
    /// None at all.
    pub fn none() -> Self {
        Self { bits: 0, queues: None, instances: None }
    }

    /// To see everything but what is masked and who changed what, and to change nothing.
    pub fn viewer() -> Self {
        Self::none().with(Right::View).with(Right::ViewPayload)
    }

    /// To do all with tasks, queues and schedules but to delete queues and to repair what the doctor finds, and to see what
    /// a viewer sees.
    pub fn operator() -> Self {
        Self::admin()
            .without(Right::DeleteQueue)
            .without(Right::Repair)
            .without(Right::ViewSecrets)
            .without(Right::Audit)
    }

    /// All of them.
    pub fn admin() -> Self {
        Right::ALL.into_iter().fold(Self::none(), Self::with)
    }

    /// The same, and this one.
    pub fn with(self, right: Right) -> Self {
        Self { bits: self.bits | right.bit(), ..self }
    }

    /// The same, but for this one.
    pub fn without(self, right: Right) -> Self {
        Self { bits: self.bits & !right.bit(), ..self }
    }

    /// Only in queues whose names fit one of these patterns, in which `*` stands for anything.
    pub fn in_queues(self, patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { queues: Some(patterns.into_iter().map(Into::into).collect()), ..self }
    }

    /// Only in [instances](crate::WebUi::instance) whose names fit one of these patterns, in which `*` stands for anything. A
    /// store that is the only one and has [no name](crate::WebUi::named) is called by the empty name.
    pub fn in_instances(self, patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { instances: Some(patterns.into_iter().map(Into::into).collect()), ..self }
    }

    /// Whether they are of use in an instance.
    pub fn reach(&self, instance: &str) -> bool {
        self.instances.as_ref().is_none_or(|patterns| any_fits(patterns, instance))
    }

    /// What is left of them in this instance.
    pub(crate) fn at(self, instance: &str) -> Self {
        if self.reach(instance) { self } else { Self { bits: 0, ..self } }
    }

    /// The same, as far as they change nothing.
    pub(crate) fn reading(self) -> Self {
        let reading = Right::READING.into_iter().fold(0, |bits, right| bits | right.bit());
        Self { bits: self.bits & reading, ..self }
    }

    /// Whether they have this right, in one queue at least.
    pub fn have(&self, right: Right) -> bool {
        self.bits & right.bit() != 0
    }

    /// Whether they allow this in a queue.
    pub fn allow(&self, right: Right, queue: &str) -> bool {
        self.have(right) && self.queues.as_ref().is_none_or(|patterns| any_fits(patterns, queue))
    }

    /// Whether they change nothing.
    pub(crate) fn only_look(&self) -> bool {
        self.bits & !Self::viewer().bits == 0
    }

    /// Whether they are limited to some queues.
    pub(crate) fn are_limited(&self) -> bool {
        self.queues.is_some()
    }
}

/// Who asks. An application that has a login of its own puts one into the extensions of each request that it passes on.
///
/// # Examples
///
/// ```
/// use asynq_web::{Rights, Visitor};
///
/// let mut request = axum::http::Request::new(());
/// request.extensions_mut().insert(Visitor::new("ann", Rights::operator()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Visitor {
    name: Arc<str>,
    rights: Rights,
}

impl Visitor {
    /// Somebody of this name, with these rights. The name is shown to them, and logged with what they change.
    pub fn new(name: impl Into<Arc<str>>, rights: Rights) -> Self {
        Self { name: name.into(), rights }
    }

    /// The same person with other rights.
    pub(crate) fn with_rights(&self, rights: Rights) -> Self {
        Self { name: Arc::clone(&self.name), rights }
    }

    /// Their name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What they may do.
    pub fn rights(&self) -> &Rights {
        &self.rights
    }
}

fn any_fits(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, name))
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.split_once(part) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("mail-*", "mail-eu", true),
            ("mail-*", "email-eu", false),
            ("*-eu", "mail-eu", true),
            ("*-eu", "mail-eu-1", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn roles_differ_by_what_they_may() {
        let count = |rights: &Rights| Right::ALL.into_iter().filter(|right| rights.have(*right)).count();
        assert_eq!(
            [Rights::none(), Rights::viewer(), Rights::operator(), Rights::admin()].map(|r| count(&r)),
            [0, 2, 11, 15]
        );
        assert_eq!(count(&Rights::admin().reading()), 4);
        let there = Rights::admin().in_instances(["staging-*", "test"]);
        for (instance, rights) in [("staging-eu", 15), ("test", 15), ("production", 0), ("", 0)] {
            assert_eq!(
                (there.reach(instance), count(&there.clone().at(instance))),
                (rights > 0, rights),
                "{instance}"
            );
        }
        let limited = Rights::admin().in_queues(["a"]);
        assert!(
            limited.have(Right::Run) && limited.allow(Right::Run, "a") && !limited.allow(Right::Run, "b")
        );
    }
}
