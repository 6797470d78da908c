//! Reading active tasks: plain commands, no script.

use redis::Value;

use super::RedisBroker;
use super::reply::{Reader, message, score};
use crate::broker::{ActiveTask, BrokerError, RunToken};
use crate::task::{QueueName, TaskId};

impl RedisBroker {
    /// Active tasks whose lease ends by `until`, earliest first.
    pub(super) async fn active_until(
        &self,
        queue: &QueueName,
        until: i64,
        limit: usize,
    ) -> Result<Vec<ActiveTask>, BrokerError> {
        const DOING: &str = "list expiring leases";
        let key = self.keyspace.queue(queue).lease();
        let rows: Value = self
            .shared
            .query(
                DOING,
                redis::cmd("ZRANGEBYSCORE")
                    .arg(key)
                    .arg("-inf")
                    .arg(until)
                    .arg("WITHSCORES")
                    .arg("LIMIT")
                    .arg(0)
                    .arg(limit),
            )
            .await?;
        let mut rows = Reader::new(rows, DOING)?;
        let mut ids = Vec::with_capacity(rows.len() / 2);
        while !rows.is_empty() {
            ids.push((rows.text()?, score(&rows.bytes()?).ok_or(BrokerError::protocol(DOING))?));
        }
        self.active_tasks(queue, ids).await
    }

    /// Active tasks that a server holds, among the oldest from `offset` on, and how many were looked at.
    pub(super) async fn active_of(
        &self,
        queue: &QueueName,
        server_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ActiveTask>, usize), BrokerError> {
        const DOING: &str = "list a server's tasks";
        if limit == 0 {
            return Ok((Vec::new(), 0));
        }
        let keys = self.keyspace.queue(queue);
        let (first, last) = (-as_index(offset) - as_index(limit), -as_index(offset) - 1);
        let mut ids: Vec<String> =
            self.shared.query(DOING, redis::cmd("LRANGE").arg(keys.active()).arg(first).arg(last)).await?;
        ids.reverse();
        let looked_at = ids.len();
        if ids.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let mut pipe = redis::pipe();
        for id in &ids {
            pipe.cmd("HGET").arg(keys.task(id)).arg("x_own");
            pipe.cmd("ZSCORE").arg(keys.lease()).arg(id);
        }
        let rows: Vec<Option<Vec<u8>>> = self.shared.query_each(DOING, &pipe).await?;
        let owned = ids
            .into_iter()
            .zip(rows.chunks_exact(2))
            .filter_map(|(id, row)| match row {
                [Some(owner), lease] if owner.as_slice() == server_id.as_bytes() => {
                    Some((id, lease.as_deref().and_then(score).unwrap_or(0)))
                }
                _ => None,
            })
            .collect();
        Ok((self.active_tasks(queue, owned).await?, looked_at))
    }

    /// What is known of active tasks; those that are gone by now are left out.
    async fn active_tasks(
        &self,
        queue: &QueueName,
        ids: Vec<(String, i64)>,
    ) -> Result<Vec<ActiveTask>, BrokerError> {
        const DOING: &str = "read active tasks";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keyspace.queue(queue);
        let mut pipe = redis::pipe();
        for (id, _) in &ids {
            pipe.cmd("HMGET").arg(keys.task(id)).arg("msg").arg("x_own").arg("x_run").arg("x_crash");
        }
        let rows: Vec<Value> = self.shared.query_each(DOING, &pipe).await?;
        let mut tasks = Vec::with_capacity(ids.len());
        for ((id, lease_until), row) in ids.into_iter().zip(rows) {
            let mut row = Reader::new(row, DOING)?;
            let Some(bytes) = row.optional_bytes()? else { continue };
            let mut text = || {
                Ok::<_, BrokerError>(
                    row.optional_bytes()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                )
            };
            tasks.push(ActiveTask {
                id: TaskId::stored(&id),
                lease_until,
                owner: text()?,
                run: text()?.map(|run| RunToken::stored(&run)),
                crashes: text()?.and_then(|crashes| crashes.parse().ok()).unwrap_or(0),
                message: message(bytes),
            });
        }
        Ok(tasks)
    }
}

/// A position in a list, for Redis, which counts in signed numbers.
fn as_index(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX / 4)
}
