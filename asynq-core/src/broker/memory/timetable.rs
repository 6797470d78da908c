//! [`Table`]: schedules that are stored. [`Timetable`] in this process.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryBroker;
use crate::broker::{BrokerError, TIMETABLE_LIMIT, Timetable, TimetableChange, TimetableRows};

/// Schedules that are stored.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: BTreeMap<String, Bytes>,
    /// How often any of them was changed.
    pub(super) changes: u64,
}

impl Table {
    fn change(&mut self, name: &str, expected: Option<&Bytes>, new: Option<&Bytes>) -> TimetableChange {
        let stored = self.rows.get(name);
        if stored != expected.filter(|text| !text.is_empty()) {
            return TimetableChange::Differs;
        }
        let new = new.filter(|text| !text.is_empty());
        if new.is_some() && stored.is_none() && self.rows.len() >= TIMETABLE_LIMIT {
            return TimetableChange::Full;
        }
        self.changes += 1;
        match new {
            Some(text) => self.rows.insert(name.to_owned(), text.clone()),
            None => self.rows.remove(name),
        };
        TimetableChange::Applied
    }
}

#[cfg(test)]
impl MemoryBroker {
    /// Deletes a schedule as somebody does by hand, who counts no change.
    pub(crate) fn forget_timetable_row(&self, name: &str) {
        self.shared().lock().timetable.rows.remove(name);
    }
}

#[async_trait]
impl Timetable for MemoryBroker {
    async fn timetable(&self, seen: Option<u64>) -> Result<Option<TimetableRows>, BrokerError> {
        #[cfg(test)]
        self.answer()?;
        let Table { rows, changes } = &self.shared().lock().timetable;
        if seen == Some(*changes) {
            return Ok(None);
        }
        let rows = rows.iter().map(|(name, text)| (name.clone(), text.clone())).collect();
        Ok(Some(TimetableRows { changes: *changes, rows }))
    }

    async fn timetable_row(&self, name: &str) -> Result<Option<Bytes>, BrokerError> {
        Ok(self.shared().lock().timetable.rows.get(name).cloned())
    }

    async fn change_timetable(
        &self,
        name: &str,
        expected: Option<&Bytes>,
        new: Option<&Bytes>,
    ) -> Result<TimetableChange, BrokerError> {
        Ok(self.shared().lock().timetable.change(name, expected, new))
    }
}
