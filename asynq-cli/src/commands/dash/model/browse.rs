//! What is under the cursor, as a page of the Web UI.

use asynq_core::task::{QueueName, TaskState};
use asynq_web::Place;

use super::model::Model;
use crate::commands::dash::event::Browsed;
use crate::commands::dash::keys::Focus;
use crate::commands::dash::request::Request;

impl Model {
    /// Opens what is under the cursor in the Web UI.
    pub(super) fn browse(&mut self) {
        let filter = self.tasks.filter.to_string();
        let page = self.place(&filter).below("");
        self.requests.push(Request::Browse(page));
    }

    /// A page was opened, or cannot be.
    pub(super) fn browsed(&mut self, browsed: Browsed) {
        match browsed {
            Browsed::Opened(address) => self.tell(format!("opening {address}"), false),
            Browsed::Copied(address) => {
                self.tell(format!("copied {address}; no browser opens here"), false);
                if let Some(note) = &mut self.note {
                    note.address = Some(address);
                }
            }
            Browsed::Nowhere => {
                self.tell("where is the Web UI? Say --web-url, ASYNQ_WEB_URL, or web_url in the file", true);
            }
        }
    }

    fn place<'a>(&'a self, filter: &'a str) -> Place<'a> {
        if let Some(task) = &self.task {
            return Place::Task { queue: task.queue.as_str(), id: task.id.as_str() };
        }
        match self.focus() {
            Focus::Queues => {
                self.queues.list.chosen().map_or(Place::Queues, |row| Place::Queue(row.info.queue.as_str()))
            }
            Focus::Tasks => self.tasks.list.chosen().map_or_else(
                || self.tasks_shown(None, filter),
                |row| Place::Task { queue: row.queue.as_str(), id: row.id.as_str() },
            ),
            Focus::Groups => {
                let group = self.tasks.groups.chosen().map(|group| group.group.as_str());
                self.tasks_shown(group, filter)
            }
            Focus::Servers => {
                let worker = self.servers.workers.chosen().filter(|_| self.servers.on_workers);
                worker.map_or(Place::Servers, |row| Place::Task {
                    queue: row.task.queue.as_str(),
                    id: row.task.id.as_str(),
                })
            }
            Focus::Schedulers => self
                .schedulers
                .list
                .chosen()
                .map_or(Place::Schedules, |schedule| Place::Schedule(&schedule.entry.id)),
            Focus::Metrics => {
                self.metrics.queue().map_or(Place::Queues, |queue| Place::Queue(queue.as_str()))
            }
            Focus::Redis => Place::Redis,
            _ => Place::Queues,
        }
    }

    /// The list of tasks itself, or that of one group.
    fn tasks_shown<'a>(&'a self, group: Option<&'a str>, filter: &'a str) -> Place<'a> {
        Place::Tasks {
            queue: self.tasks.queue.as_ref().map(QueueName::as_str),
            state: if group.is_some() { Some(TaskState::Aggregating) } else { self.tasks.state },
            group: group.or(self.tasks.group.as_deref()),
            filter,
        }
    }
}
