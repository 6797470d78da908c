//! [`Timetable`] on Redis: a hash, and how often it was changed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use redis::Value;

use super::RedisBroker;
use super::script::{Call, Name};
use crate::broker::{BrokerError, TIMETABLE_LIMIT, Timetable, TimetableChange, TimetableRows};

#[async_trait]
impl Timetable for RedisBroker {
    async fn timetable(&self, seen: Option<u64>) -> Result<Option<TimetableRows>, BrokerError> {
        const DOING: &str = "read the stored schedules";
        let (rows, changes) = (self.keyspace.timetable(), self.keyspace.timetable_changes());
        if let Some(seen) = seen {
            let changes: Option<u64> = self.shared.query(DOING, redis::cmd("GET").arg(&changes)).await?;
            if changes.unwrap_or(0) == seen {
                return Ok(None);
            }
        }
        let mut pipe = redis::pipe();
        // In this order: a change between the two is seen once more, and not missed.
        pipe.cmd("GET").arg(changes);
        pipe.cmd("HGETALL").arg(rows);
        let (changes, rows): (Option<u64>, BTreeMap<Vec<u8>, Vec<u8>>) =
            self.shared.query_each(DOING, &pipe).await?;
        // Others may have written what is no text.
        let row = |(name, text): (Vec<u8>, Vec<u8>)| {
            (String::from_utf8_lossy(&name).into_owned(), Bytes::from(text))
        };
        let rows = rows.into_iter().map(row).collect();
        Ok(Some(TimetableRows { changes: changes.unwrap_or(0), rows }))
    }

    async fn timetable_row(&self, name: &str) -> Result<Option<Bytes>, BrokerError> {
        let mut command = redis::cmd("HGET");
        command.arg(self.keyspace.timetable()).arg(name);
        let row: Option<Vec<u8>> = self.shared.query("read a stored schedule", &command).await?;
        Ok(row.map(Bytes::from))
    }

    async fn change_timetable(
        &self,
        name: &str,
        expected: Option<&Bytes>,
        new: Option<&Bytes>,
    ) -> Result<TimetableChange, BrokerError> {
        const DOING: &str = "change a stored schedule";
        let keys = [self.keyspace.timetable(), self.keyspace.timetable_changes()];
        let mut call = Call::new(Name::change_timetable, keys);
        let text = |text: Option<&Bytes>| text.cloned().unwrap_or_default().to_vec();
        call.arg(name).arg(text(expected)).arg(text(new)).arg(TIMETABLE_LIMIT);
        match call.run(&self.shared, DOING).await? {
            Value::Int(1) => Ok(TimetableChange::Applied),
            Value::Int(0) => Ok(TimetableChange::Differs),
            Value::Int(2) => Ok(TimetableChange::Full),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }
}
