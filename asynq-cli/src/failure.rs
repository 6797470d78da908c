//! [`Failure`]: why a command did not do what it was asked, and the exit code that says so.

use std::fmt::Display;
use std::io;

use asynq_core::Error;
use asynq_core::broker::BrokerErrorKind;
use asynq_core::client::WaitError;
use asynq_core::task::QueueName;
use serde_json::json;

use crate::suggest;

/// Exit code of a wrong command line or configuration.
pub(crate) const USAGE: u8 = 2;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    /// The name of a queue that does not exist.
    unknown_queue: Option<QueueName>,
}

/// What went wrong, in a word; each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It failed, or some of it did.
    Failed,
    /// A wrong command line or configuration.
    Usage,
    /// There is no such queue, task, group or entry.
    NotFound,
    /// What is there does not allow it.
    Conflict,
    /// Redis cannot be reached.
    Unreachable,
    /// Nobody confirmed it.
    Refused,
    /// Stopped by Ctrl-C.
    Interrupted,
    /// Who reads our output has closed it: no failure to speak of.
    Closed,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), unknown_queue: None }
    }

    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn not_found(message: impl Display) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Says which of these queues was meant, if it is a queue that does not exist.
    pub(crate) fn with_queues(mut self, queues: &[QueueName]) -> Self {
        let near = self
            .unknown_queue
            .as_ref()
            .and_then(|unknown| suggest::nearest(unknown.as_str(), queues.iter().map(QueueName::as_str)));
        if let Some(near) = near {
            self.message = format!("{}; did you mean `{near}`?", self.message);
        }
        self
    }

    pub(crate) fn names_unknown_queue(&self) -> bool {
        self.unknown_queue.is_some()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn code(&self) -> u8 {
        match self.kind {
            Kind::Closed => 0,
            Kind::Failed => 1,
            Kind::Usage => USAGE,
            Kind::NotFound => 3,
            Kind::Conflict => 4,
            Kind::Unreachable => 5,
            Kind::Refused => 6,
            Kind::Interrupted => 130,
        }
    }

    fn word(&self) -> &'static str {
        match self.kind {
            Kind::Closed => "closed",
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::NotFound => "not_found",
            Kind::Conflict => "conflict",
            Kind::Unreachable => "unreachable",
            Kind::Refused => "refused",
            Kind::Interrupted => "interrupted",
        }
    }

    /// Says it on stderr: a line, or an object for programs.
    pub(crate) fn report(&self, as_json: bool) {
        match self.kind {
            Kind::Closed => {}
            _ if as_json => {
                let error =
                    json!({"error": {"kind": self.word(), "code": self.code(), "message": self.message}});
                eprintln!("{error}");
            }
            _ => eprintln!("error: {}", self.message),
        }
    }

    /// The message alone, for a report on one of many.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::QueueNotFound { .. }
            | Error::TaskNotFound { .. }
            | Error::EntryNotFound { .. }
            | Error::ScheduleNotFound { .. } => Kind::NotFound,
            Error::QueueNotEmpty { .. }
            | Error::QueueBusy { .. }
            | Error::WrongState { .. }
            | Error::TaskStaged { .. }
            | Error::TaskChanged { .. }
            | Error::TaskIdConflict { .. }
            | Error::ScheduleExists { .. }
            | Error::ScheduleChanged { .. }
            | Error::UnreadableSchedule { .. }
            | Error::TooManySchedules { .. }
            | Error::DuplicateTask { .. } => Kind::Conflict,
            Error::Connect { .. } => Kind::Unreachable,
            Error::Broker(broker) if broker.kind() == BrokerErrorKind::Unavailable => Kind::Unreachable,
            Error::InvalidOption(_)
            | Error::InvalidSchedule(_)
            | Error::InvalidUrl { .. }
            | Error::InvalidSetting { .. } => Kind::Usage,
            _ => Kind::Failed,
        };
        // The debug form is the text with all causes, in one line.
        let message = format!("{error:?}");
        let unknown_queue = if let Error::QueueNotFound { queue } = error { Some(queue) } else { None };
        Self { kind, message, unknown_queue }
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Broker(broker) => Error::from(broker).into(),
            gone @ WaitError::Gone { .. } => Self::not_found(gone),
            other => Self::new(Kind::Failed, format!("{other:?}")),
        }
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        // What is wrong, and what may have been meant; not how the command is used.
        let text = error.to_string();
        let parts = text
            .split("\n\n")
            .filter(|part| !["Usage:", "For more"].iter().any(|head| part.starts_with(head)));
        let words = parts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        Self::usage(words.strip_prefix("error: ").unwrap_or(&words))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let kind = if error.kind() == io::ErrorKind::BrokenPipe { Kind::Closed } else { Kind::Failed };
        Self::new(kind, error)
    }
}
