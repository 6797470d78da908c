//! [`KnownSchedule`]: schedules as tools show them, those that run and those that are stored together.

use std::collections::{BTreeMap, BTreeSet};

use super::{StoredSchedule, StoredSchedules, UnreadableSchedule};
use crate::error::Result;
use crate::inspector::{Inspector, ScheduledEntry};

/// A schedule that a scheduler runs, or that is stored, or both.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KnownSchedule {
    /// What a scheduler tells of it; of one that is stored, what is stored, with the times that a scheduler tells.
    pub entry: ScheduledEntry,
    /// What is stored of it; `None` for one that is written in a program.
    pub stored: Option<StoredSchedule>,
    /// Whether a scheduler that lives tells of it.
    pub is_live: bool,
}

/// All schedules.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KnownSchedules {
    /// Those that schedulers tell of, as often as they do, and those that are only stored.
    pub schedules: Vec<KnownSchedule>,
    /// What is stored and cannot be read.
    pub unreadable: Vec<UnreadableSchedule>,
}

/// How a schedule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScheduleState {
    /// A scheduler runs it.
    Live,
    /// It is stored, and paused.
    Paused,
    /// It is stored, and no scheduler has told that it runs it: none is there that runs stored schedules, or it was created
    /// a few seconds ago.
    Idle,
}

impl ScheduleState {
    /// As it is written everywhere: `live`, `paused`, `idle`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Idle => "idle",
        }
    }
}

impl KnownSchedule {
    /// How it is.
    pub fn state(&self) -> ScheduleState {
        match &self.stored {
            Some(stored) if stored.paused_since().is_some() => ScheduleState::Paused,
            _ if self.is_live => ScheduleState::Live,
            _ => ScheduleState::Idle,
        }
    }

    /// Its name, if it is stored.
    pub fn name(&self) -> Option<&str> {
        self.stored.as_ref().map(StoredSchedule::name)
    }
}

impl From<StoredSchedule> for KnownSchedule {
    /// One of which no scheduler has told.
    fn from(stored: StoredSchedule) -> Self {
        Self { entry: ScheduledEntry::from(&stored), stored: Some(stored), is_live: false }
    }
}

impl From<&StoredSchedule> for ScheduledEntry {
    fn from(stored: &StoredSchedule) -> Self {
        let options = stored.option_strings();
        let (options, unreadable): (Vec<_>, Vec<_>) =
            options.into_iter().map(|text| text.parse().map_err(|_error| text)).partition(Result::is_ok);
        Self {
            id: stored.entry_id().to_string(),
            spec: stored.whole_spec(),
            task_type: stored.task_type().clone(),
            // As a scheduler does, it shows none that is encrypted.
            payload: stored.payload().filter(|_| stored.layers().is_none()).cloned().unwrap_or_default(),
            options: options.into_iter().flatten().collect(),
            unreadable_options: unreadable.into_iter().filter_map(Result::err).collect(),
            next: None,
            prev: None,
        }
    }
}

impl StoredSchedules {
    /// All schedules: what schedulers tell of, and what is stored.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn known(&self) -> Result<KnownSchedules> {
        let found = self.list().await?;
        let entries = Inspector::new(&self.client).scheduler_entries().await?;
        let stored: BTreeMap<String, StoredSchedule> =
            found.schedules.into_iter().map(|stored| (stored.entry_id().to_string(), stored)).collect();
        let live: BTreeSet<String> = entries.iter().map(|entry| entry.id.clone()).collect();
        let told = entries.into_iter().map(|entry| match stored.get(&entry.id) {
            // What a scheduler tells may be some seconds old, and who may do what depends on the queue.
            Some(stored) => {
                let (next, prev) = (entry.next.filter(|_| stored.paused_since().is_none()), entry.prev);
                let entry = ScheduledEntry { next, prev, ..ScheduledEntry::from(stored) };
                KnownSchedule { entry, stored: Some(stored.clone()), is_live: true }
            }
            None => KnownSchedule { entry, stored: None, is_live: true },
        });
        let told: Vec<_> = told.collect();
        let others = stored.into_iter().filter(|(id, _)| !live.contains(id));
        let others = others.map(|(_, stored)| KnownSchedule::from(stored));
        let schedules = told.into_iter().chain(others).collect();
        Ok(KnownSchedules { schedules, unreadable: found.unreadable })
    }
}
