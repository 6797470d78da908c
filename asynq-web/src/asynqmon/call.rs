//! [`Call`]: what a method and an address ask for. Pure.

use asynq_core::inspector::Collection;
use asynq_core::task::TaskState;
use axum::http::Method;

use crate::actions::Verb;
use crate::links::decoded;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Queues,
    Queue(String),
    DeleteQueue(String),
    /// Pauses; `false` resumes.
    Pause(String, bool),
    Stats,
    Groups(String),
    Tasks(String, Collection),
    Task(String, String),
    /// Does it to one task, wherever that stands.
    One(String, String, Verb),
    /// Does it to the tasks that the body names.
    Batch(String, Verb),
    /// Does it to all tasks of a collection.
    All(String, Collection, Verb),
    Servers,
    Entries,
    Events(String),
    Redis,
    Metrics,
}

impl Call {
    /// What is asked for at an address behind `/api/`, as it was sent; `None` where asynqmon has nothing.
    pub(super) fn read(method: &Method, path: &str) -> Option<Self> {
        let names: Vec<String> = path.split('/').map(decoded).collect::<Option<_>>()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.iter().any(|name| name.is_empty()) {
            return None;
        }
        Some(match (method, names.as_slice()) {
            (&Method::GET, ["queues"]) => Self::Queues,
            (&Method::GET, ["queue_stats"]) => Self::Stats,
            (&Method::GET, ["servers"]) => Self::Servers,
            (&Method::GET, ["scheduler_entries"]) => Self::Entries,
            (&Method::GET, ["scheduler_entries", entry, "enqueue_events"]) => {
                Self::Events((*entry).to_owned())
            }
            (&Method::GET, ["redis_info"]) => Self::Redis,
            (&Method::GET, ["metrics"]) => Self::Metrics,
            (_, ["queues", queue, rest @ ..]) => Self::of_queue(method, queue, rest)?,
            _ => return None,
        })
    }

    fn of_queue(method: &Method, queue: &str, rest: &[&str]) -> Option<Self> {
        let name = || queue.to_owned();
        Some(match (method, rest) {
            (&Method::GET, []) => Self::Queue(name()),
            (&Method::DELETE, []) => Self::DeleteQueue(name()),
            (&Method::POST, []) => match queue.rsplit_once(':')? {
                (queue, "pause") => Self::Pause(queue.to_owned(), true),
                (queue, "resume") => Self::Pause(queue.to_owned(), false),
                _ => return None,
            },
            (&Method::GET, ["groups"]) => Self::Groups(name()),
            (&Method::GET, ["tasks", id]) => Self::Task(name(), (*id).to_owned()),
            (_, ["groups", group, rest @ ..]) => Self::of_tasks(method, queue, Some(group), rest)?,
            (_, rest) => Self::of_tasks(method, queue, None, rest)?,
        })
    }

    fn of_tasks(method: &Method, queue: &str, group: Option<&str>, rest: &[&str]) -> Option<Self> {
        let (first, id) = match rest {
            [first] => (*first, None),
            [first, id] => (*first, Some(*id)),
            _ => return None,
        };
        let (place, action) = match first.split_once(':') {
            Some((place, action)) => (place, Some(action)),
            None => (first, None),
        };
        let collection = collection(place, group)?;
        let queue = queue.to_owned();
        let allowed = |verb: &str| {
            let verb: Verb = verb.parse().ok()?;
            allows(&verb, collection.state()).then_some(verb)
        };
        Some(match (method, id, action) {
            (&Method::GET, None, None) => Self::Tasks(queue, collection),
            (&Method::DELETE, Some(id), None) => Self::One(queue, id.to_owned(), allowed("delete")?),
            (&Method::POST, Some(id), None) => {
                let (id, verb) = id.rsplit_once(':').filter(|(_, verb)| *verb != "delete")?;
                Self::One(queue, id.to_owned(), allowed(verb)?)
            }
            (&Method::DELETE, None, Some("delete_all")) => {
                Self::All(queue, collection.clone(), allowed("delete")?)
            }
            (&Method::POST, None, Some(action)) => {
                match (action.strip_prefix("batch_"), action.strip_suffix("_all")) {
                    (Some(verb), _) => Self::Batch(queue, allowed(verb)?),
                    (None, Some(verb)) if verb != "delete" => {
                        Self::All(queue, collection.clone(), allowed(verb)?)
                    }
                    _ => return None,
                }
            }
            _ => return None,
        })
    }
}

/// The collection that `archived_tasks` names.
fn collection(place: &str, group: Option<&str>) -> Option<Collection> {
    Some(match (place, group) {
        ("active_tasks", None) => Collection::Active,
        ("pending_tasks", None) => Collection::Pending,
        ("scheduled_tasks", None) => Collection::Scheduled,
        ("retry_tasks", None) => Collection::Retry,
        ("archived_tasks", None) => Collection::Archived,
        ("completed_tasks", None) => Collection::Completed,
        ("aggregating_tasks", Some(group)) => Collection::Group(group.to_owned()),
        _ => return None,
    })
}

/// What asynqmon has a route for, which is less than can be done.
fn allows(verb: &Verb, state: TaskState) -> bool {
    use TaskState::{Active, Aggregating, Archived, Completed, Pending, Retry, Scheduled};
    match verb {
        Verb::Cancel => state == Active,
        Verb::Run => matches!(state, Scheduled | Retry | Aggregating | Archived),
        Verb::Archive => matches!(state, Pending | Scheduled | Retry | Aggregating),
        Verb::Delete => matches!(state, Pending | Scheduled | Retry | Aggregating | Archived | Completed),
        Verb::Move(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str) -> Option<Call> {
        Call::read(&method.parse().unwrap(), path)
    }

    #[test]
    fn every_address_of_asynqmon_is_read() {
        let q = || "a:b".to_owned();
        let group = || Collection::Group("g/1".to_owned());
        for (method, path, expected) in [
            ("GET", "queues", Call::Queues),
            ("GET", "queues/a:b", Call::Queue(q())),
            ("DELETE", "queues/a%3Ab", Call::DeleteQueue(q())),
            ("POST", "queues/a:b:pause", Call::Pause(q(), true)),
            ("POST", "queues/a:b:resume", Call::Pause(q(), false)),
            ("GET", "queue_stats", Call::Stats),
            ("GET", "queues/a:b/retry_tasks", Call::Tasks(q(), Collection::Retry)),
            ("GET", "queues/a:b/groups", Call::Groups(q())),
            ("GET", "queues/a:b/groups/g%2F1/aggregating_tasks", Call::Tasks(q(), group())),
            ("GET", "queues/a:b/tasks/x:run", Call::Task(q(), "x:run".to_owned())),
            ("POST", "queues/a:b/active_tasks/x:y:cancel", Call::One(q(), "x:y".to_owned(), Verb::Cancel)),
            ("DELETE", "queues/a:b/completed_tasks/x:y", Call::One(q(), "x:y".to_owned(), Verb::Delete)),
            ("POST", "queues/a:b/active_tasks:cancel_all", Call::All(q(), Collection::Active, Verb::Cancel)),
            ("POST", "queues/a:b/retry_tasks:batch_delete", Call::Batch(q(), Verb::Delete)),
            (
                "POST",
                "queues/a:b/groups/g%2F1/aggregating_tasks:archive_all",
                Call::All(q(), group(), Verb::Archive),
            ),
            ("DELETE", "queues/a:b/retry_tasks:delete_all", Call::All(q(), Collection::Retry, Verb::Delete)),
            ("GET", "servers", Call::Servers),
            ("GET", "scheduler_entries", Call::Entries),
            ("GET", "scheduler_entries/e/enqueue_events", Call::Events("e".to_owned())),
            ("GET", "redis_info", Call::Redis),
            ("GET", "metrics", Call::Metrics),
        ] {
            assert_eq!(call(method, path), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn what_asynqmon_cannot_do_is_no_address() {
        for (method, path) in [
            ("GET", ""),
            ("GET", "nope"),
            ("POST", "queues"),
            ("POST", "queues/a:eat"),
            ("GET", "queues//groups"),
            ("GET", "queues/a/odd_tasks"),
            ("GET", "queues/a/aggregating_tasks"),
            ("GET", "queues/a/groups/g/retry_tasks"),
            ("POST", "queues/a/completed_tasks/x:run"),
            ("POST", "queues/a/pending_tasks:run_all"),
            ("POST", "queues/a/retry_tasks:delete_all"),
            ("POST", "queues/a/retry_tasks/x:delete"),
            ("POST", "queues/a/retry_tasks:batch_move"),
            ("DELETE", "queues/a/active_tasks/x"),
            ("GET", "queues/%ff"),
        ] {
            assert_eq!(call(method, path), None, "{method} {path}");
        }
    }
}
