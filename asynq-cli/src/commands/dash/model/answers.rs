//! What was read, and what became of it on the screen.

use std::collections::{BTreeMap, BTreeSet};

use asynq_core::inspector::QueueInfo;

use super::changes::Changing;
use super::model::{Link, Model};
use crate::commands::dash::columns::{CurveRow, QueueRow, WorkerRow};
use crate::commands::dash::event::{Answer, Found, Trouble};
use crate::commands::dash::request::Slot;
use crate::commands::dash::tab::Tab;

/// A screen is read again no sooner than so many times as long as it took to read it: who answers slowly is asked less.
const REST: u32 = 4;

impl Model {
    /// Takes an answer; one that is not waited for any more is dropped.
    pub(super) fn answer(&mut self, answer: Answer) {
        let Answer { number, slot, took, found } = answer;
        if self.waiting.get(slot as usize).copied().flatten() != Some(number) {
            return;
        }
        self.wait_for(slot, None);
        if slot == Slot::Screen {
            self.due = self.now.elapsed + self.options.refresh.max(took * REST);
        }
        match found {
            Ok(found) => {
                self.link = Link::Up;
                self.take(found);
            }
            Err(Trouble::Refused(why)) => self.refused(slot, why),
            Err(Trouble::Away(why)) => {
                // What was read last stays on the screen.
                let since = match &self.link {
                    Link::Down { since, .. } => *since,
                    Link::Up => self.now.at,
                };
                self.link = Link::Down { since, why };
                if slot == Slot::Count {
                    self.changing = None;
                }
            }
        }
    }

    fn refused(&mut self, slot: Slot, why: String) {
        self.link = Link::Up;
        match (slot, &mut self.task) {
            (Slot::Task, Some(task)) => task.detail = Some(Err(why)),
            (Slot::Screen, _) if self.tab == Tab::Tasks => {
                self.tasks.begin();
                self.tasks.queues.clear();
                self.is_loaded = true;
                self.tell(why, true);
            }
            _ => {
                self.changing = None;
                self.tell(why, true);
            }
        }
    }

    fn take(&mut self, found: Found) {
        match found {
            Found::Task(detail) => {
                if let Some(task) = &mut self.task {
                    task.detail = Some(Ok(detail));
                }
                return;
            }
            Found::Count(count) => return self.counted(count),
            Found::Overview { queues, servers, redis } => {
                self.take_queues(queues);
                (self.overview.servers, self.overview.redis) = (servers, redis);
            }
            Found::Queues { queues, memory } => {
                self.take_queues(queues);
                let mut rows = self.queues.list.all().to_vec();
                for row in &mut rows {
                    if let Some((_, memory)) = memory.iter().find(|(name, _)| *name == row.info.queue) {
                        row.memory = *memory;
                    }
                }
                self.queues.list.replace(rows);
                if memory.is_empty() && !self.queues.list.is_empty() {
                    // Now it is known whose memory is seen.
                    self.due = self.now.elapsed;
                }
            }
            Found::Tasks(found) => {
                if self.tasks.take(found) {
                    self.due = self.now.elapsed;
                }
            }
            Found::Servers(servers) => {
                let workers = servers.iter().flat_map(|server| {
                    server
                        .running
                        .iter()
                        .map(|task| WorkerRow { host: server.host.clone(), task: task.clone() })
                });
                self.servers.workers.replace(workers.collect());
                self.servers.list.replace(servers);
            }
            Found::Schedulers { schedules, history } => {
                self.schedulers.list.replace(schedules);
                let chosen = self.schedulers.list.chosen().map(|schedule| schedule.entry.id.clone());
                if let Some((entry, events)) = history {
                    self.schedulers.history.replace(events);
                    self.schedulers.history_of = Some(entry);
                }
                if chosen.is_some() && chosen != self.schedulers.history_of {
                    self.due = self.now.elapsed;
                }
            }
            Found::Metrics { queues, days } => {
                self.take_queues(queues);
                self.metrics.days = days;
            }
            Found::Redis(info) => self.redis.info = info,
        }
        self.is_loaded = true;
    }

    /// Takes all queues: rows for the lists, and a sample for the curves.
    fn take_queues(&mut self, queues: Vec<QueueInfo>) {
        self.samples.take(&queues, self.now.elapsed);
        let size = queues.iter().map(QueueInfo::size).sum();
        let of_queue = |info: &QueueInfo| CurveRow { queue: Some(info.queue.clone()), size: info.size() };
        let all = CurveRow { queue: None, size };
        self.metrics.list.replace(std::iter::once(all).chain(queues.iter().map(of_queue)).collect());
        let known: BTreeMap<_, _> =
            self.queues.list.all().iter().map(|row| (row.info.queue.clone(), row.memory)).collect();
        let row = |info: QueueInfo| QueueRow { memory: known.get(&info.queue).copied().flatten(), info };
        self.queues.list.replace(queues.into_iter().map(row).collect());
        let there: BTreeSet<_> = self.queues.list.all().iter().map(|row| &row.info.queue).collect();
        self.queues.selected.retain(|queue| there.contains(queue));
    }

    /// All that fit are counted: now it can be asked.
    fn counted(&mut self, count: usize) {
        if let Some(Changing::Counting(change)) = self.changing.take() {
            self.propose(change, count);
        }
    }
}
