//! Roughly how much memory a queue takes, from a sample.
//!
//! Compat: Go's rule: of each collection the mean over its first 20 tasks times their number, and the collection itself;
//! of groups the first 20 tasks of the first five.

use redis::Value;

use super::RedisBroker;
use super::inspection::collection_key;
use super::reply::Reader;
use crate::broker::{BrokerError, BrokerErrorKind, Collection, GroupInfo, QueueInfo};

const DOING: &str = "sample a queue's memory usage";
const SAMPLE: usize = 20;
const GROUPS: usize = 5;

impl RedisBroker {
    /// `None` where the server does not tell, or does not let us ask.
    pub(super) async fn memory_usage(
        &self,
        info: &QueueInfo,
        groups: &[GroupInfo],
    ) -> Result<Option<u64>, BrokerError> {
        match self.sampled_memory_usage(info, groups).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), BrokerErrorKind::Refused | BrokerErrorKind::Denied) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn sampled_memory_usage(&self, info: &QueueInfo, groups: &[GroupInfo]) -> Result<u64, BrokerError> {
        let keys = self.keyspace.queue(&info.queue);
        let sizes = [
            (Collection::Pending, info.pending),
            (Collection::Active, info.active),
            (Collection::Scheduled, info.scheduled),
            (Collection::Retry, info.retry),
            (Collection::Archived, info.archived),
            (Collection::Completed, info.completed),
        ];
        let of_groups = groups.iter().take(GROUPS).map(|group| (Collection::Group(group.group.clone()), 0));
        let collections: Vec<(Collection, usize)> = sizes.into_iter().chain(of_groups).collect();
        let mut pipe = redis::pipe();
        for (collection, _) in &collections {
            let key = collection_key(&keys, collection);
            pipe.cmd("MEMORY").arg("USAGE").arg(&key);
            pipe.cmd(if collection.is_list() { "LRANGE" } else { "ZRANGE" }).arg(key).arg(0).arg(SAMPLE - 1);
        }
        let answer = self.shared.query_each(DOING, &pipe).await?;
        let mut answer = Reader::new(answer, DOING)?;
        let mut total = 0.0;
        let mut samples = Vec::new();
        let mut grouped = Vec::new();
        for (collection, size) in collections {
            let (own, mut ids) = (bytes(&answer.value()?), answer.list()?);
            let mut sample = Vec::with_capacity(ids.len());
            while !ids.is_empty() {
                sample.push(keys.task(&ids.text()?));
            }
            if collection.group().is_some() {
                grouped.extend(self.usages(&sample).await?.into_iter().filter(|bytes| *bytes > 0.0));
            } else {
                total += own;
                samples.push((sample, size));
            }
        }
        for (sample, size) in samples {
            total += mean(&self.usages(&sample).await?) * count(size);
        }
        total += mean(&grouped) * count(info.aggregating);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, and a rough number is what is wanted"
        )]
        Ok(total as u64)
    }

    async fn usages(&self, keys: &[String]) -> Result<Vec<f64>, BrokerError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd("MEMORY").arg("USAGE").arg(key);
        }
        let answer: Vec<Value> = self.shared.query_each(DOING, &pipe).await?;
        Ok(answer.iter().map(bytes).collect())
    }
}

/// A key that is gone takes none.
fn bytes(answer: &Value) -> f64 {
    match answer {
        Value::Int(bytes) => usize::try_from(*bytes).map_or(0.0, count),
        _ => 0.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rough number is what is wanted")]
fn count(number: usize) -> f64 {
    number as f64
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / count(values.len()) }
}
