//! [`Scheduler`]: what is registered, and how it starts and stops.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::entry::Entry;
use super::identity::EntryId;
use super::periodic_task::Prepared;
use super::publisher::Publisher;
use super::stored::{Follower, follow};
use super::ticker::{End, Ticker};
use super::{InvalidSchedule, PeriodicTask, Schedule, SchedulerBuilder};
use crate::background::{Request, Signals, host_name};
use crate::client::AsClient;
use crate::clock::from_unix_seconds;
use crate::error::{Error, Result};
use crate::router::Registration;

/// Enqueues [periodic tasks](PeriodicTask), each when it is due.
///
/// Any number of schedulers may run, in as many processes: each tick of an entry that they share is enqueued once, and
/// while one of them lives, none is lost. Their clocks should agree to half a minute.
///
/// A handler learns the time of its tick from [`Ctx::scheduled_for`](crate::router::Ctx::scheduled_for), a Go handler
/// from the header `asynq-tick`.
///
/// Dropping a running scheduler stops it at once; what it published goes away by itself.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::scheduler::{PeriodicTask, Scheduler};
/// use asynq_core::task::Task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let client = Client::in_memory();
/// let scheduler = Scheduler::builder(&client).time_zone("Europe/Rome").build()?;
/// scheduler.register(PeriodicTask::new("0 9 * * mon-fri", Task::new("report", "{}")?))?;
/// scheduler.start()?;
/// let cleanup = scheduler.register(PeriodicTask::new("@every 10m", Task::new("cleanup", "{}")?))?;
/// scheduler.unregister(&cleanup)?;
/// scheduler.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Scheduler {
    settings: SchedulerBuilder,
    id: String,
    entries: Entries,
    /// Where the stored schedules are among them.
    follower: Option<Arc<tokio::sync::Mutex<Follower>>>,
    phase: Mutex<Phase>,
}

/// What is registered; shared with the publisher.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries(Arc<Mutex<BTreeMap<EntryId, Registered>>>);

/// A registered entry, and what ends its ticker.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) entry: Arc<Entry>,
    pub(super) end: Option<End>,
}

impl Entries {
    /// Never held across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<EntryId, Registered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum Phase {
    New,
    Running(Running),
    Stopped,
}

#[derive(Debug)]
struct Running {
    runtime: Handle,
    stop: CancellationToken,
    /// The publisher, a ticker for each entry, and what follows the stored schedules with tickers of its own.
    tasks: JoinSet<()>,
}

impl Scheduler {
    /// Sets up a scheduler on the broker of a client.
    pub fn builder(client: &impl AsClient) -> SchedulerBuilder {
        SchedulerBuilder::new(client)
    }

    pub(super) fn new(settings: SchedulerBuilder) -> Self {
        let id = format!("{}:{}:{}", host_name(), std::process::id(), uuid::Uuid::new_v4());
        let entries = Entries::default();
        let follower = || Follower::new(settings.client.clone(), settings.catch_up, entries.clone());
        let follower = settings.stored.then(|| Arc::new(tokio::sync::Mutex::new(follower())));
        Self { settings, id, entries, follower, phase: Mutex::new(Phase::New) }
    }

    /// The scheduler's ID: host, process and a UUID of this run.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The IDs of the registered entries.
    pub fn entries(&self) -> Vec<EntryId> {
        self.entries.lock().keys().cloned().collect()
    }

    /// Registers a periodic task, before the start or while running.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSchedule`] when the specification is wrong, when the task cannot be made, or when the entry is
    /// registered already; an invalid option of the task. Then nothing was registered.
    pub fn register(&self, task: PeriodicTask) -> Result<EntryId> {
        self.add(self.prepare(task)?)
    }

    /// Registers the schedules of a job.
    pub(super) fn register_job(&self, job: &'static Registration) -> Result<()> {
        let Some(schedule) = &job.schedule else { return Ok(()) };
        let zone = schedule.time_zone.unwrap_or(&self.settings.zone);
        for spec in schedule.specs {
            let of = |invalid| InvalidSchedule {
                of: format!(" of job `{}` at {}", job.name, job.place()),
                ..invalid
            };
            let parsed = Schedule::parse(spec, zone).map_err(of)?;
            let task = (schedule.task)()?;
            // Its payload may differ between versions of the program that run side by side; the entry does not.
            let id = EntryId::of_job(job.name, spec, zone);
            let content = id.clone();
            let spec = (*spec).to_owned();
            self.add(Prepared {
                id,
                content,
                spec,
                schedule: parsed,
                task,
                catch_up: None,
                counts_from: None,
            })?;
        }
        Ok(())
    }

    /// Checks a periodic task.
    pub(super) fn prepare(&self, task: PeriodicTask) -> Result<Prepared> {
        task.prepare(&self.settings.zone)
    }

    pub(super) fn add(&self, prepared: Prepared) -> Result<EntryId> {
        let mut phase = self.phase();
        let mut entries = self.entries.lock();
        if entries.contains_key(&prepared.id) {
            let reason = "this entry is registered already; for a second one, give it a name of its own";
            return Err(InvalidSchedule::new(&prepared.spec, &reason).into());
        }
        let entry =
            Arc::new(Entry::new(prepared, self.settings.catch_up, self.settings.client.stores_payloads()));
        let id = entry.id.clone();
        let end = match &mut *phase {
            Phase::Running(running) => Some(self.begin(running, &entry)),
            Phase::New | Phase::Stopped => None,
        };
        entries.insert(id.clone(), Registered { entry, end });
        Ok(id)
    }

    /// Unregisters an entry and clears its history. Its task is not enqueued any more by this scheduler; others that have
    /// the entry go on.
    ///
    /// # Errors
    ///
    /// [`Error::EntryNotFound`] when no entry with this ID is registered.
    pub fn unregister(&self, id: &EntryId) -> Result<()> {
        let removed = self.entries.lock().remove(id);
        let Registered { end, .. } = removed.ok_or_else(|| Error::EntryNotFound { id: id.to_string() })?;
        if let Some(end) = end {
            end.forget();
        }
        Ok(())
    }

    /// What makes up the content of an entry, if it is registered.
    pub(super) fn content(&self, id: &EntryId) -> Option<EntryId> {
        self.entries.lock().get(id).map(|registered| registered.entry.content.clone())
    }

    /// Ends an entry's ticker, but leaves its history: the entry is about to be registered anew.
    pub(super) fn remove_for_change(&self, id: &EntryId) {
        if let Some(Registered { end: Some(end), .. }) = self.entries.lock().remove(id) {
            end.token.cancel();
        }
    }

    /// Starts it. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::SchedulerState`] when it is running already, or was shut down.
    pub fn start(&self) -> Result<()> {
        let mut phase = self.phase();
        match &*phase {
            Phase::New => {}
            Phase::Running(_) => return Err(Error::SchedulerState("is already running")),
            Phase::Stopped => return Err(Error::SchedulerState("has already been stopped")),
        }
        let mut running =
            Running { runtime: Handle::current(), stop: CancellationToken::new(), tasks: JoinSet::new() };
        let mut entries = self.entries.lock();
        for registered in entries.values_mut() {
            registered.end = Some(self.begin(&mut running, &registered.entry));
        }
        tracing::info!(scheduler_id = self.id, entries = entries.len(), "scheduler starts");
        let publisher = Publisher {
            broker: Arc::clone(self.settings.client.broker()),
            entries: self.entries.clone(),
            id: self.id.clone(),
            interval: self.settings.heartbeat,
        };
        running.tasks.spawn(publisher.run(running.stop.clone()));
        if let Some(follower) = &self.follower {
            let (follower, hooks) = (Arc::clone(follower), self.settings.hooks.clone());
            running.tasks.spawn(follow(follower, hooks, running.stop.clone()));
        }
        *phase = Phase::Running(running);
        Ok(())
    }

    /// Starts an entry's ticker.
    fn begin(&self, running: &mut Running, entry: &Arc<Entry>) -> End {
        // Those of entries that are gone.
        while running.tasks.try_join_next().is_some() {}
        let end = End::child_of(&running.stop);
        running.tasks.spawn_on(self.ticker(entry, end.clone()).run(), &running.runtime);
        end
    }

    fn ticker(&self, entry: &Arc<Entry>, end: End) -> Ticker {
        Ticker {
            client: self.settings.client.clone(),
            entry: Arc::clone(entry),
            hooks: self.settings.hooks.clone(),
            end,
        }
    }

    /// What the tickers of a scheduler do by the passing of time, done once by one that is not started, for the testing
    /// kit: enqueues the ticks that are due; when the next one is.
    pub(crate) async fn step(&self) -> Result<Option<Timestamp>> {
        if let Some(follower) = &self.follower {
            follower.lock().await.look(false, |_entry| None).await?;
        }
        let entries: Vec<_> = self.entries.lock().values().map(|known| Arc::clone(&known.entry)).collect();
        let mut next: Option<i64> = None;
        for entry in entries {
            let due = self.ticker(&entry, End::default()).step().await?;
            next = next.into_iter().chain(due).min();
        }
        Ok(next.map(from_unix_seconds))
    }

    /// Stops it: what is being enqueued is finished, and its entries are no longer published. Nothing happens when it does
    /// not run.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops it at once; what it published goes away by itself.
    pub async fn shutdown(&self) {
        let phase = std::mem::replace(&mut *self.phase(), Phase::Stopped);
        if let Phase::Running(mut running) = phase {
            running.stop.cancel();
            while running.tasks.join_next().await.is_some() {}
            tracing::info!(scheduler_id = self.id, "scheduler has ended");
        }
    }

    /// Runs until the process is told to end: SIGTERM or SIGINT.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); or when signals cannot be listened for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves it running until it is dropped itself.
    pub async fn run(&self) -> Result<()> {
        let mut signals = Signals::listen()?;
        self.start()?;
        while signals.next().await != Request::Shutdown {}
        self.shutdown().await;
        Ok(())
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
