//! [`Fetcher`]: reads and changes what the model asks for, beside the loop. Of what is read for one place only the last
//! is waited for; a change is never given up half-way.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asynq_core::Error;
use asynq_core::broker::BrokerErrorKind;
use asynq_core::client::Client;
use asynq_core::inspector::{Action, Inspector, Page, Search, Selection, StoreInfo, TaskPage};
use asynq_core::scheduler::StoredSchedules;
use asynq_core::task::{QueueName, TaskId, TaskInfo};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::Instant;

use super::columns::TaskRow;
use super::event::{Answer, Event, Found, FoundTasks, Outcome, Trouble};
use super::request::{Change, Read, Slot, Tasks};

/// How many days of a queue are shown.
const DAYS: usize = 90;

/// How many of the tasks that an entry enqueued are shown.
const EVENTS: usize = 100;

/// How long a part of a search takes at most.
const SEARCH: Duration = Duration::from_millis(500);

/// Reads and changes what the model asks for.
pub(super) struct Fetcher {
    inspector: Inspector,
    schedules: StoredSchedules,
    reads: JoinSet<Answer>,
    under_way: [Option<AbortHandle>; Slot::COUNT],
    changes: JoinSet<Outcome>,
    progress: Option<watch::Receiver<Outcome>>,
    stop: Arc<AtomicBool>,
}

impl Fetcher {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            inspector: Inspector::new(client),
            schedules: StoredSchedules::new(client),
            reads: JoinSet::new(),
            under_way: [const { None }; Slot::COUNT],
            changes: JoinSet::new(),
            progress: None,
            stop: Arc::default(),
        }
    }

    /// Begins to read. What was being read for the same slot is given up: reading changes nothing.
    pub(super) fn read(&mut self, number: u64, slot: Slot, what: Read) {
        let (inspector, schedules) = (self.inspector.clone(), self.schedules.clone());
        let handle = self.reads.spawn(async move {
            let began = Instant::now();
            let found = read(&inspector, &schedules, what).await.map_err(|error| trouble(&error));
            Answer { number, slot, took: began.elapsed(), found }
        });
        if let Some(place) = self.under_way.get_mut(slot as usize)
            && let Some(earlier) = place.replace(handle)
        {
            earlier.abort();
        }
    }

    /// Begins a change.
    pub(super) fn change(&mut self, change: Change) {
        self.stop = Arc::default();
        let (told, progress) = watch::channel(Outcome::default());
        let teller = Teller { told, stop: Arc::clone(&self.stop) };
        self.progress = Some(progress);
        let (inspector, schedules) = (self.inspector.clone(), self.schedules.clone());
        self.changes.spawn(async move { apply(&inspector, &schedules, change, teller).await });
    }

    /// Begins no more of the change that is under way.
    pub(super) fn stop_change(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What comes next: an answer, how far a change is, or that it is done. Dropping the future loses nothing.
    ///
    /// # Panics
    ///
    /// Where what reads or changes did.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            let progress = async {
                match &mut self.progress {
                    Some(progress) => progress.changed().await.map(|()| progress.borrow_and_update().clone()),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(answer) = self.reads.join_next(), if !self.reads.is_empty() => {
                    if let Some(answer) = joined(answer) {
                        return Event::Answer(answer);
                    }
                }
                Some(outcome) = self.changes.join_next(), if !self.changes.is_empty() => {
                    self.progress = None;
                    if let Some(outcome) = joined(outcome) {
                        return Event::Changed(outcome);
                    }
                }
                outcome = progress => match outcome {
                    Ok(outcome) => return Event::Progress(outcome),
                    Err(_) => self.progress = None,
                },
                else => std::future::pending().await,
            }
        }
    }

    /// Waits until the change that is under way has ended, having stopped it.
    pub(super) async fn end(mut self) {
        self.stop_change();
        while let Some(outcome) = self.changes.join_next().await {
            joined(outcome);
        }
    }
}

/// What a task gave; nothing when it was given up.
fn joined<T>(result: Result<T, JoinError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}

fn trouble(error: &Error) -> Trouble {
    let away = match error {
        Error::Connect { .. } => true,
        Error::Broker(broker) => broker.may_pass(),
        _ => false,
    };
    // The debug form is the text with all causes, in one line.
    if away { Trouble::Away(format!("{error:?}")) } else { Trouble::Refused(format!("{error:?}")) }
}

async fn read(inspector: &Inspector, schedules: &StoredSchedules, what: Read) -> Result<Found, Error> {
    Ok(match what {
        Read::Overview => {
            let info = async {
                match inspector.store_info().await {
                    // Who may look at tasks need not be allowed to look at Redis.
                    Err(Error::Broker(error)) if error.kind() == BrokerErrorKind::Denied => {
                        Ok(StoreInfo::default())
                    }
                    info => info,
                }
            };
            let (queues, servers, redis) =
                tokio::try_join!(inspector.queue_counts(), inspector.servers(), info)?;
            Found::Overview { queues, servers, redis }
        }
        Read::Queues { memory_of } => {
            let queues = inspector.queue_counts().await?;
            let mut memory = Vec::new();
            for queue in memory_of {
                match inspector.queue_info(&queue).await {
                    Ok(info) => memory.push((queue, info.memory_usage)),
                    // Removed since it was listed.
                    Err(Error::QueueNotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Found::Queues { queues, memory }
        }
        Read::Tasks(tasks) => Found::Tasks(read_tasks(inspector, tasks).await?),
        Read::Servers => Found::Servers(inspector.servers().await?),
        Read::Schedulers { entry } => {
            let schedules = schedules.known().await?.schedules;
            let history = match entry {
                Some(entry) => {
                    let events = inspector.enqueue_events(&entry, Page::new(1, EVENTS)?).await?;
                    Some((entry, events))
                }
                None => None,
            };
            Found::Schedulers { schedules, history }
        }
        Read::Metrics { queue } => {
            let queues = inspector.queue_counts().await?;
            let days = match queue.filter(|queue| queues.iter().any(|info| info.queue == *queue)) {
                Some(queue) => {
                    let days = inspector.history(&queue, DAYS).await?;
                    Some((queue, days))
                }
                None => None,
            };
            Found::Metrics { queues, days }
        }
        Read::Redis => Found::Redis(inspector.store_info().await?),
        Read::Task { queue, id } => Found::Task(Box::new(inspector.task(&queue, &id).await?)),
        Read::Count(selection) => {
            let mut found = inspector.find(selection).await?;
            let mut count = 0;
            while let Some(task) = found.next().await {
                task?;
                count += 1;
            }
            Found::Count(count)
        }
    })
}

async fn read_tasks(inspector: &Inspector, tasks: Tasks) -> Result<FoundTasks, Error> {
    match tasks {
        Tasks::Groups { queue } => {
            let (info, groups) = tokio::try_join!(inspector.queue_info(&queue), inspector.groups(&queue))?;
            Ok(FoundTasks { queues: vec![info], groups, ..FoundTasks::default() })
        }
        Tasks::Page { queue, collection, page, size } => {
            let wanted = Page::new(page, size)?;
            let (info, found) = tokio::try_join!(
                inspector.queue_info(&queue),
                inspector.list(&queue, collection.clone(), wanted)
            )?;
            // A full page may be the last: whether there is another is known from the task behind it.
            let mut more = found.has_more;
            if more {
                let behind = Page::new(page.saturating_mul(size).saturating_add(1), 1)?;
                let behind = inspector.list(&queue, collection, behind).await?;
                more = !(behind.tasks.is_empty() && behind.unreadable.is_empty());
            }
            let TaskPage { tasks, unreadable, .. } = found;
            let unreadable = unreadable.into_iter().map(|task| TaskRow {
                queue: queue.clone(),
                id: task.id,
                task: Err(task.reason.to_string()),
            });
            let tasks = tasks.into_iter().map(row).chain(unreadable).collect();
            Ok(FoundTasks { queues: vec![info], tasks, more, ..FoundTasks::default() })
        }
        Tasks::Search { queue, selection, from, size } => {
            let counts = async {
                match &queue {
                    Some(queue) => Ok(vec![inspector.queue_info(queue).await?]),
                    None => inspector.queue_counts().await,
                }
            };
            let search = Search::new((*selection).limit(size)).time(SEARCH);
            let search = match from {
                Some(from) => search.from(from),
                None => search,
            };
            let (queues, part) = tokio::try_join!(counts, inspector.search(&search))?;
            let unreadable = part.unreadable.into_iter().map(|(queue, task)| TaskRow {
                queue,
                id: task.id,
                task: Err(task.reason.to_string()),
            });
            let tasks = part.tasks.into_iter().map(row).chain(unreadable).collect();
            let more = part.next.is_some();
            Ok(FoundTasks {
                queues,
                tasks,
                more,
                next: part.next,
                scanned: part.scanned,
                ..FoundTasks::default()
            })
        }
    }
}

fn row(task: TaskInfo) -> TaskRow {
    TaskRow { queue: task.queue.clone(), id: task.id.clone(), task: Ok(Box::new(task)) }
}

/// Tells how far a change is, and whether it is to go on.
struct Teller {
    told: watch::Sender<Outcome>,
    stop: Arc<AtomicBool>,
}

impl Teller {
    /// One more is done; whether to go on.
    fn tell(&self, result: Result<(), &Error>) -> ControlFlow<()> {
        self.told.send_modify(|outcome| match result {
            Ok(()) => outcome.done += 1,
            Err(error) => {
                outcome.failed += 1;
                outcome.error.get_or_insert_with(|| error.to_string());
            }
        });
        if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

async fn apply(
    inspector: &Inspector,
    schedules: &StoredSchedules,
    change: Change,
    teller: Teller,
) -> Outcome {
    match change {
        Change::Tasks { action, tasks } => each(inspector, &action, tasks, &teller).await,
        Change::Fitting { action, selection } => fitting(inspector, action, selection, teller).await,
        Change::Pause { queues, pause } => {
            for queue in queues {
                let changed =
                    if pause { inspector.pause(&queue).await } else { inspector.resume(&queue).await };
                if teller.tell(changed.as_ref().map(drop)).is_break() {
                    break;
                }
            }
            teller.told.borrow().clone()
        }
        Change::PauseSchedule { name, pause } => {
            let changed = if pause { schedules.pause(&name).await } else { schedules.resume(&name).await };
            let _goes_on = teller.tell(changed.as_ref().map(drop));
            teller.told.borrow().clone()
        }
        Change::DeleteQueue { queue, with_tasks } => {
            let deleted = if with_tasks {
                inspector.force_delete_queue(&queue).await
            } else {
                inspector.delete_queue(&queue).await
            };
            let _goes_on = teller.tell(deleted.as_ref().map(drop));
            teller.told.borrow().clone()
        }
    }
}

/// Does something to each of these tasks.
async fn each(
    inspector: &Inspector,
    action: &Action,
    tasks: Vec<(QueueName, TaskId)>,
    teller: &Teller,
) -> Outcome {
    let count = tasks.len();
    for (place, (queue, id)) in (1..).zip(tasks) {
        let result = inspector.apply(action, &queue, &id).await;
        if teller.tell(result.as_ref().map(drop)).is_break() && place < count {
            return Outcome { stopped: true, ..teller.told.borrow().clone() };
        }
    }
    teller.told.borrow().clone()
}

/// Does something to all tasks that fit.
async fn fitting(inspector: &Inspector, action: Action, selection: Selection, teller: Teller) -> Outcome {
    let teller = Arc::new(teller);
    let watching = Arc::clone(&teller);
    let change = inspector.apply_to(selection, action);
    let ended = change.watch(move |_, result| watching.tell(result.as_ref().map(drop))).await;
    let outcome = teller.told.borrow().clone();
    match ended {
        Ok(ended) => Outcome { stopped: ended.stopped, ..outcome },
        Err(error) => Outcome { error: Some(error.to_string()), ..outcome },
    }
}
