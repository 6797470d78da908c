//! The [`Timetable`] trait: schedules that are kept in the store, each a text under its name.

use async_trait::async_trait;
use bytes::Bytes;

use super::BrokerError;

/// As many schedules may be stored: all of them are read at once.
pub const TIMETABLE_LIMIT: usize = 10_000;

/// Keeps schedules. What a text says is for schedulers to know.
#[async_trait]
pub trait Timetable: Send + Sync {
    /// All that is stored, by name, and how often it has been changed; `None` when that is as often as `seen`, which
    /// costs one look.
    async fn timetable(&self, seen: Option<u64>) -> Result<Option<TimetableRows>, BrokerError>;

    /// What is stored under a name.
    async fn timetable_row(&self, name: &str) -> Result<Option<Bytes>, BrokerError>;

    /// Puts a text, or nothing, into the place of what is stored under a name, if that is still what is expected. No
    /// text is empty: that is nothing.
    async fn change_timetable(
        &self,
        name: &str,
        expected: Option<&Bytes>,
        new: Option<&Bytes>,
    ) -> Result<TimetableChange, BrokerError>;
}

/// All schedules that are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimetableRows {
    /// How often any of them was changed.
    pub changes: u64,
    /// Names and texts, by name.
    pub rows: Vec<(String, Bytes)>,
}

/// What became of a change to the timetable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimetableChange {
    /// It is done.
    Applied,
    /// Something else is stored, or nothing: nothing was changed.
    Differs,
    /// There are [as many](TIMETABLE_LIMIT) as there may be: nothing was changed.
    Full,
}
