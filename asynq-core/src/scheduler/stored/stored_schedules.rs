//! [`StoredSchedules`]: the schedules in the store, and what is done with them.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Revision, StoredSchedule};
use crate::broker::{TIMETABLE_LIMIT, TimetableChange};
use crate::client::{AsClient, Client};
use crate::error::{Error, Result};
use crate::scheduler::{EntryId, PeriodicTask};
use crate::task::Task;

/// How often a change is tried that others come before.
const TRIES: usize = 10;

/// Schedules that are kept in the store, and managed while programs run: by programs, by `asynq cron`, in the Web UI.
///
/// Servers and schedulers that are told to run them, see
/// [`ServerBuilder::stored_schedules`](crate::server::ServerBuilder::stored_schedules) and
/// [`SchedulerBuilder::stored_schedules`](crate::scheduler::SchedulerBuilder::stored_schedules), take up every change
/// within about a second. However many they are, each tick is enqueued once; nothing fires where none is told.
///
/// A schedule is known by its name. Where its times or its queue change, ticks from then on count, and those of the time
/// before are not made up; any other change loses no tick and doubles none.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::scheduler::{PeriodicTask, StoredSchedules};
/// use asynq_core::task::Task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let schedules = StoredSchedules::new(&Client::in_memory());
/// let report = PeriodicTask::new("0 9 * * mon-fri", Task::new("report", "{}")?)
///     .name("report of tenant 7")
///     .time_zone("Europe/Rome");
/// schedules.create(report).await?;
///
/// let mut report = schedules.get("report of tenant 7").await?;
/// report.spec = "30 8 * * mon-fri".to_owned();
/// schedules.save(report).await?;
///
/// assert!(schedules.pause("report of tenant 7").await?);
/// schedules.delete("report of tenant 7").await?;
/// assert!(schedules.list().await?.schedules.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StoredSchedules {
    pub(super) client: Client,
}

/// All that is stored, by name.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SchedulesFound {
    /// The schedules.
    pub schedules: Vec<StoredSchedule>,
    /// What is none that can be read: a newer program wrote it, or somebody by hand. Nothing of it fires.
    pub unreadable: Vec<UnreadableSchedule>,
}

/// Something in the place of a schedule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableSchedule {
    /// Its name.
    pub name: String,
    /// What is wrong, and where.
    pub reason: String,
}

impl UnreadableSchedule {
    /// The identity that its entry would have.
    pub fn entry_id(&self) -> EntryId {
        EntryId::stored(&self.name)
    }
}

impl StoredSchedules {
    /// The schedules where this client stores tasks. What it does to payloads is done to theirs.
    pub fn new(client: &(impl AsClient + ?Sized)) -> Self {
        Self { client: client.as_client().clone() }
    }

    /// All of them.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn list(&self) -> Result<SchedulesFound> {
        let rows = self.client.broker().timetable(None).await?.unwrap_or_default().rows;
        let mut found = SchedulesFound::default();
        for (name, text) in rows {
            match StoredSchedule::decode(&name, &text) {
                Ok(schedule) => found.schedules.push(schedule),
                Err(reason) => found.unreadable.push(UnreadableSchedule { name, reason }),
            }
        }
        Ok(found)
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`Error::ScheduleNotFound`], [`Error::UnreadableSchedule`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn get(&self, name: &str) -> Result<StoredSchedule> {
        Ok(self.read(name).await?.0)
    }

    /// Stores a periodic task under its [name](PeriodicTask::name). Without a time zone it is in UTC. Its first tick is
    /// the next one.
    ///
    /// # Errors
    ///
    /// [`Error::ScheduleExists`]; [`Error::InvalidSchedule`] when the specification or the time zone is wrong, when it
    /// has no name or too long a one, when the task cannot be made or is larger than 64 KiB; [`Error::InvalidOption`]; what the
    /// client's [`Payloads`](crate::payload::Payloads) say; [`Error::TooManySchedules`] beyond 10,000; [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be stored.
    pub async fn create(&self, task: PeriodicTask) -> Result<StoredSchedule> {
        let (schedule, text) = self.made(task)?;
        match self.client.broker().change_timetable(&schedule.name, None, Some(&text)).await? {
            TimetableChange::Applied => Ok(StoredSchedule { revision: Revision::of(&text), ..schedule }),
            TimetableChange::Differs => Err(Error::ScheduleExists { name: schedule.name }),
            TimetableChange::Full => Err(Error::TooManySchedules { limit: TIMETABLE_LIMIT }),
        }
    }

    /// What [`create`](Self::create) would store, without storing it: for whoever is to be shown it first.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn check_new(&self, task: PeriodicTask) -> Result<StoredSchedule> {
        let (schedule, _text) = self.made(task)?;
        match self.client.broker().timetable_row(&schedule.name).await? {
            Some(_) => Err(Error::ScheduleExists { name: schedule.name }),
            None => Ok(schedule),
        }
    }

    fn made(&self, task: PeriodicTask) -> Result<(StoredSchedule, Bytes)> {
        let schedule = StoredSchedule::new(task, self.client.stores_payloads(), self.now())?;
        let text = schedule.encode()?;
        Ok((schedule, text))
    }

    /// Stores a schedule that was changed, unless somebody else has changed it since it was read. Returns it as it is then.
    ///
    /// # Errors
    ///
    /// [`Error::ScheduleChanged`], [`Error::ScheduleNotFound`]; as [`create`](Self::create). Then nothing is changed.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be stored.
    pub async fn save(&self, schedule: StoredSchedule) -> Result<StoredSchedule> {
        let (schedule, stored) = self.changed(schedule).await?;
        let name = schedule.name.clone();
        self.put(schedule, &stored).await?.ok_or(Error::ScheduleChanged { name })
    }

    /// What [`save`](Self::save) would store, without storing it.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn check(&self, schedule: StoredSchedule) -> Result<StoredSchedule> {
        let (schedule, _stored) = self.changed(schedule).await?;
        schedule.encode()?;
        Ok(schedule)
    }

    /// A schedule that was changed as it is to be stored, and what it takes the place of.
    async fn changed(&self, schedule: StoredSchedule) -> Result<(StoredSchedule, Bytes)> {
        let stored = self.row(&schedule.name).await?;
        if Revision::of(&stored) != schedule.revision {
            return Err(Error::ScheduleChanged { name: schedule.name });
        }
        let before = StoredSchedule::decode(&schedule.name, &stored)
            .map_err(|reason| unreadable(&schedule.name, reason))?;
        let now = self.now();
        let mut schedule = StoredSchedule { changed_at: now, ..schedule };
        schedule.check()?;
        schedule.seal(self.client.stores_payloads())?;
        if !schedule.has_times_of(&before) {
            schedule.counts_from = now;
        }
        Ok((schedule, stored))
    }

    /// Lets a schedule rest: it does not fire until it is resumed. `false` when it was paused already.
    ///
    /// # Errors
    ///
    /// [`Error::ScheduleNotFound`], [`Error::UnreadableSchedule`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn pause(&self, name: &str) -> Result<bool> {
        self.set_paused(name, true).await
    }

    /// Lets a paused schedule fire again, from its next tick on: those of the pause are not made up. `false` when it was
    /// not paused.
    ///
    /// # Errors
    ///
    /// As [`pause`](Self::pause).
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn resume(&self, name: &str) -> Result<bool> {
        self.set_paused(name, false).await
    }

    /// Deletes a schedule and its history, also one that cannot be read.
    ///
    /// # Errors
    ///
    /// [`Error::ScheduleNotFound`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn delete(&self, name: &str) -> Result<()> {
        for _ in 0..TRIES {
            let stored = self.row(name).await?;
            let deleted = self.client.broker().change_timetable(name, Some(&stored), None).await?;
            if deleted == TimetableChange::Applied {
                let entry = EntryId::stored(name);
                return Ok(self.client.broker().clear_scheduler_history(entry.as_str()).await?);
            }
        }
        Err(Error::ScheduleChanged { name: name.to_owned() })
    }

    /// A task as this schedule enqueues it when it fires, for whoever wants one at once: with its options, but for those
    /// that put it off.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableSchedule`] when its payload is encrypted, and this client has not the key.
    pub fn task(&self, schedule: &StoredSchedule) -> Result<Task> {
        let mut task = schedule.task(self.client.stores_payloads())?;
        task.options.process = None;
        Ok(task)
    }

    async fn set_paused(&self, name: &str, pause: bool) -> Result<bool> {
        for _ in 0..TRIES {
            let (mut schedule, stored) = self.read(name).await?;
            if schedule.paused_since.is_some() == pause {
                return Ok(false);
            }
            let now = self.now();
            schedule.changed_at = now;
            schedule.paused_since = pause.then_some(now);
            if !pause {
                schedule.counts_from = now;
            }
            if self.put(schedule, &stored).await?.is_some() {
                return Ok(true);
            }
        }
        Err(Error::ScheduleChanged { name: name.to_owned() })
    }

    /// Puts a schedule into the place of what is stored; `None` when that is something else.
    async fn put(&self, schedule: StoredSchedule, stored: &Bytes) -> Result<Option<StoredSchedule>> {
        let text = schedule.encode()?;
        let changed =
            self.client.broker().change_timetable(&schedule.name, Some(stored), Some(&text)).await?;
        Ok(match changed {
            TimetableChange::Applied => Some(StoredSchedule { revision: Revision::of(&text), ..schedule }),
            TimetableChange::Differs | TimetableChange::Full => None,
        })
    }

    async fn read(&self, name: &str) -> Result<(StoredSchedule, Bytes)> {
        let stored = self.row(name).await?;
        let schedule = StoredSchedule::decode(name, &stored).map_err(|reason| unreadable(name, reason))?;
        Ok((schedule, stored))
    }

    async fn row(&self, name: &str) -> Result<Bytes> {
        let stored = self.client.broker().timetable_row(name).await?;
        stored.ok_or_else(|| Error::ScheduleNotFound { name: name.to_owned() })
    }

    fn now(&self) -> Timestamp {
        self.client.broker().clock().now()
    }
}

fn unreadable(name: &str, reason: String) -> Error {
    Error::UnreadableSchedule { name: name.to_owned(), reason }
}
