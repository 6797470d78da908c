//! [`Place`]: what a page is about, for other programs that lead there.

use asynq_core::task::TaskState;

use crate::links::Link;

/// What a page of the Web UI is about, for other programs that lead people there. Names may have any characters.
///
/// # Examples
///
/// ```
/// use asynq_web::Place;
///
/// let task = Place::Task { queue: "mail", id: "a/b" };
/// assert_eq!(task.below("https://example.com/jobs"), "https://example.com/jobs/queues/mail/tasks/a%2Fb");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place<'a> {
    /// All queues: the first page.
    Queues,
    /// The tasks of a queue.
    Queue(&'a str),
    /// Tasks, of a queue or of all.
    Tasks {
        /// The queue.
        queue: Option<&'a str>,
        /// Their state.
        state: Option<TaskState>,
        /// Their group, of aggregating ones.
        group: Option<&'a str>,
        /// The filter that they fit; empty for none.
        filter: &'a str,
    },
    /// One task.
    Task {
        /// Its queue.
        queue: &'a str,
        /// Its ID.
        id: &'a str,
    },
    /// Servers and what they run.
    Servers,
    /// All schedules.
    Schedules,
    /// One schedule, by the ID of its entry.
    Schedule(&'a str),
    /// Redis.
    Redis,
}

impl Place<'_> {
    /// Its address, given that of the first page, without a slash at the end.
    pub fn below(self, base: &str) -> String {
        let link = Link::new(base);
        let link = match self {
            Self::Queues => link,
            Self::Queue(queue) => link.to("queues").to(queue),
            Self::Tasks { queue, state, group, filter } => {
                let list = match queue {
                    Some(queue) => link.to("queues").to(queue),
                    None => link.to("tasks"),
                };
                let filter = Some(filter).filter(|filter| !filter.is_empty());
                list.with_some("state", state).with_some("group", group).with_some("filter", filter)
            }
            Self::Task { queue, id } => link.to("queues").to(queue).to("tasks").to(id),
            Self::Servers => link.to("servers"),
            Self::Schedules => link.to("schedules"),
            Self::Schedule(entry) => link.to("schedules").to(entry),
            Self::Redis => link.to("redis"),
        };
        link.to_string()
    }
}
