//! Looking at what stands in Redis as it is, and putting it right.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use redis::Value;

use super::RedisBroker;
use super::deletion::escaped;
use super::inspection::collection_key;
use super::reply::{Reader, score};
use super::script::{Call, Name};
use crate::broker::lock::KEPT;
use crate::broker::{
    BrokerError, Care, Collection, Glimpse, GroupStanding, KeyCursor, KeyKind, KeyPage, LockStanding, Spot,
    Standing,
};
use crate::task::{QueueName, TaskId};
use crate::wire::keys::QueueKeys;

/// How many keys one call of `SCAN` looks at, about.
const CHUNK: usize = 500;

#[async_trait]
impl Care for RedisBroker {
    async fn keys(&self, queue: Option<&QueueName>, from: &KeyCursor) -> Result<KeyPage, BrokerError> {
        const DOING: &str = "look for keys";
        let prefix = match queue {
            Some(queue) => self.keyspace.queue(queue).prefix().to_owned(),
            None => self.keyspace.prefix(),
        };
        let mut scan = redis::cmd("SCAN");
        scan.arg(from.cursor).arg("MATCH").arg(format!("{}*", escaped(&prefix))).arg("COUNT").arg(CHUNK);
        let found: Option<(u64, Vec<Vec<u8>>)> = if queue.is_some() {
            Some(self.shared.query_near(DOING, &prefix, &scan).await?)
        } else {
            self.shared.query_nth(DOING, from.node, &scan).await?
        };
        let Some((cursor, keys)) = found else { return Ok(KeyPage::default()) };
        // No name of ours, nor of Go's, is anything but text.
        let keys = keys.into_iter().filter_map(|key| String::from_utf8(key).ok()).collect();
        let next = match cursor {
            0 if queue.is_some() => None,
            0 => Some(KeyCursor { node: from.node + 1, cursor }),
            _ => Some(KeyCursor { node: from.node, cursor }),
        };
        Ok(KeyPage { keys, next })
    }

    async fn key_kinds(&self, keys: &[String]) -> Result<Vec<KeyKind>, BrokerError> {
        const DOING: &str = "ask what keys hold";
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd("TYPE").arg(key).cmd("PTTL").arg(key);
        }
        let mut answer = Reader::new(self.shared.query_each(DOING, &pipe).await?, DOING)?;
        let mut kinds = Vec::with_capacity(keys.len());
        for _ in keys {
            kinds.push(KeyKind { kind: answer.text()?, expires_in: millis(answer.integer()?) });
        }
        Ok(kinds)
    }

    async fn members(
        &self,
        queue: &QueueName,
        place: &Spot,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<TaskId>, BrokerError> {
        let Some(last) = limit.checked_sub(1).and_then(|more| offset.checked_add(more)) else {
            return Ok(Vec::new());
        };
        let keys = self.keyspace.queue(queue);
        let is_list = matches!(place, Spot::In(collection) if collection.is_list());
        let mut command = redis::cmd(if is_list { "LRANGE" } else { "ZRANGE" });
        command.arg(spot_key(&keys, place)).arg(offset).arg(last);
        let found: Vec<Vec<u8>> = self.shared.query("list members", &command).await?;
        Ok(found.iter().map(|id| TaskId::stored(&String::from_utf8_lossy(id))).collect())
    }

    async fn standings(
        &self,
        queue: &QueueName,
        ids: &[Glimpse],
        search: bool,
    ) -> Result<Vec<Standing>, BrokerError> {
        const DOING: &str = "look where tasks stand";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::standings, [keys.pending()]);
        call.arg(u8::from(search));
        for glimpse in ids {
            call.arg(glimpse.id.as_str()).arg(met_at(glimpse)).arg(near(glimpse));
        }
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        ids.iter().map(|glimpse| read_standing(glimpse, answer.list()?)).collect()
    }

    async fn put_right(
        &self,
        queue: &QueueName,
        seen: &Standing,
        to: Option<&(Spot, i64)>,
    ) -> Result<bool, BrokerError> {
        const DOING: &str = "put a task right";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::put_right, [keys.pending(), keys.groups()]);
        let glimpse = &seen.glimpse;
        call.arg(seen.id.as_str()).arg(met_at(glimpse)).arg(near(glimpse)).arg(seen.version.as_ref());
        match to {
            Some((spot, score)) => {
                call.arg(spot_name(spot)).arg(*score).arg(spot.state().map_or("", |state| state.as_str()))
            }
            None => call.arg("").arg(0).arg(""),
        };
        call.arg(self.clock.unix_nanos());
        done(&call.run(&self.shared, DOING).await?, DOING)
    }

    async fn group_standings(
        &self,
        queue: &QueueName,
        groups: &[String],
    ) -> Result<Vec<GroupStanding>, BrokerError> {
        const DOING: &str = "look at groups";
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::group_standings, [keys.groups(), keys.aggregation_sets()]);
        call.arg(keys.prefix());
        for name in groups {
            call.arg(name);
        }
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        let mut standings = Vec::with_capacity(groups.len());
        for name in groups {
            let mut group = answer.list()?;
            standings.push(GroupStanding {
                name: name.clone(),
                is_listed: group.integer()? == 1,
                is_set: group.integer()? == 1,
                size: group.count()?,
                group_of_first: group.text()?,
            });
        }
        Ok(standings)
    }

    async fn forget_group(&self, queue: &QueueName, group: &str) -> Result<bool, BrokerError> {
        const DOING: &str = "forget a group";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::forget_group, [keys.groups(), keys.group(group)]);
        call.arg(group);
        done(&call.run(&self.shared, DOING).await?, DOING)
    }

    async fn expire_set(&self, queue: &QueueName, name: &str) -> Result<bool, BrokerError> {
        const DOING: &str = "make an aggregation set known";
        let keys = self.keyspace.queue(queue);
        let call = Call::new(Name::expire_set, [keys.aggregation_sets(), keys.group(name)]);
        done(&call.run(&self.shared, DOING).await?, DOING)
    }

    async fn lock_standings(
        &self,
        queue: &QueueName,
        locks: &[String],
    ) -> Result<Vec<Option<LockStanding>>, BrokerError> {
        const DOING: &str = "look at locks";
        if locks.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::lock_standings, locks.to_vec());
        call.arg(keys.prefix()).arg(KEPT);
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        let mut standings = Vec::with_capacity(locks.len());
        for key in locks {
            let mut lock = answer.list()?;
            if lock.is_empty() {
                standings.push(None);
                continue;
            }
            let (value, left) = (lock.text()?, lock.integer()?);
            let state = if lock.is_empty() { None } else { lock.optional_bytes()? };
            let state = state.map(|state| String::from_utf8_lossy(&state).into_owned());
            standings.push(Some(LockStanding::read(key.clone(), value, left, state)));
        }
        Ok(standings)
    }

    async fn release_lock(&self, queue: &QueueName, seen: &LockStanding) -> Result<bool, BrokerError> {
        const DOING: &str = "release a lock";
        let task = self.keyspace.queue(queue).task(seen.holder.as_str());
        let mut call = Call::new(Name::free_lock, [seen.key.clone(), task]);
        call.arg(&seen.value).arg(seen.state.as_deref());
        done(&call.run(&self.shared, DOING).await?, DOING)
    }

    async fn make_known(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        let known = self.keyspace.queues();
        self.shared.query("make a queue known", redis::cmd("SADD").arg(known).arg(queue.as_str())).await
    }

    async fn expire_key(&self, key: &str, after: Duration) -> Result<bool, BrokerError> {
        const DOING: &str = "have a key expire";
        if self
            .key_kinds(&[key.to_owned()])
            .await?
            .first()
            .is_none_or(|key| key.kind == "none" || key.expires_in.is_some())
        {
            return Ok(false);
        }
        // Whoever else sets a time meanwhile sets about this one.
        self.shared.query(DOING, redis::cmd("EXPIRE").arg(key).arg(after.as_secs())).await
    }

    async fn put_aside(&self, key: &str, kind: &str) -> Result<Option<String>, BrokerError> {
        const DOING: &str = "put a key aside";
        // In the same slot as it was.
        let aside = match key.rsplit_once("}:") {
            Some((tag, name)) => format!("{tag}}}:x:aside:{name}"),
            None => format!("{}x:aside:{{{key}}}", self.keyspace.prefix()),
        };
        let mut call = Call::new(Name::put_aside, [key.to_owned(), aside.clone()]);
        call.arg(kind);
        Ok(done(&call.run(&self.shared, DOING).await?, DOING)?.then_some(aside))
    }

    async fn dead_processes(&self) -> Result<Vec<String>, BrokerError> {
        const DOING: &str = "look for dead processes";
        let before = format!("({}", self.now_seconds());
        let mut dead = Vec::new();
        for set in [self.keyspace.servers(), self.keyspace.workers(), self.keyspace.schedulers()] {
            let mut command = redis::cmd("ZRANGEBYSCORE");
            command.arg(set).arg("-inf").arg(&before).arg("LIMIT").arg(0).arg(CHUNK);
            let expired: Vec<Vec<u8>> = self.shared.query(DOING, &command).await?;
            let expired: Vec<String> =
                expired.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
            let kinds = self.key_kinds(&expired).await?;
            dead.extend(
                expired.into_iter().zip(kinds).filter(|(_, key)| key.kind == "none").map(|(key, _)| key),
            );
        }
        Ok(dead)
    }
}

fn spot_key(keys: &QueueKeys, spot: &Spot) -> String {
    match spot {
        Spot::In(collection) => collection_key(keys, collection),
        Spot::Staged(name) => keys.group(name),
        Spot::Lease => keys.lease(),
    }
}

/// As `standing.lua` calls it.
fn spot_name(spot: &Spot) -> String {
    match spot {
        Spot::In(Collection::Group(name)) => format!("g:{name}"),
        Spot::In(collection) => collection.state().as_str().to_owned(),
        Spot::Staged(name) => format!("s:{name}"),
        Spot::Lease => "lease".to_owned(),
    }
}

fn met_at(glimpse: &Glimpse) -> String {
    glimpse.at.as_ref().map(spot_name).unwrap_or_default()
}

fn near(glimpse: &Glimpse) -> String {
    glimpse.near.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

fn read_spot(name: &str) -> Option<Spot> {
    Some(match name {
        "active" => Spot::In(Collection::Active),
        "scheduled" => Spot::In(Collection::Scheduled),
        "retry" => Spot::In(Collection::Retry),
        "archived" => Spot::In(Collection::Archived),
        "completed" => Spot::In(Collection::Completed),
        _ => match name.split_once(':')? {
            ("g", group) => Spot::In(Collection::Group(group.to_owned())),
            ("s", set) => Spot::Staged(set.to_owned()),
            _ => return None,
        },
    })
}

fn read_standing(glimpse: &Glimpse, mut answer: Reader) -> Result<Standing, BrokerError> {
    let (kind, message, state, group) =
        (answer.text()?, answer.optional_bytes()?, answer.text()?, answer.text()?);
    let (lease, pending) = (score(&answer.bytes()?), usize::try_from(answer.integer()?).ok());
    let (mut places, mut spots) = (answer.list()?, Vec::new());
    while !places.is_empty() {
        let (name, at) = (places.text()?, score(&places.bytes()?).unwrap_or(0));
        let spot = read_spot(&name).ok_or(BrokerError::protocol("look where tasks stand"))?;
        spots.push((spot, at));
    }
    let (mut fields, mut own) = (answer.list()?, BTreeMap::new());
    while !fields.is_empty() {
        own.insert(fields.text()?, fields.bytes()?);
    }
    Ok(Standing {
        id: glimpse.id.clone(),
        kind,
        message,
        state,
        group,
        lease,
        pending,
        spots,
        own,
        since: answer.bytes()?,
        glimpse: glimpse.clone(),
        version: answer.bytes()?,
    })
}

fn done(answer: &Value, doing: &'static str) -> Result<bool, BrokerError> {
    match answer {
        Value::Int(1) => Ok(true),
        Value::Int(0) => Ok(false),
        _ => Err(BrokerError::protocol(doing)),
    }
}

/// Milliseconds that are left; negative for a key that stays.
fn millis(left: i64) -> Option<Duration> {
    u64::try_from(left).ok().map(Duration::from_millis)
}
