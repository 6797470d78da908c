//! The exchange script's call and its answer.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::RedisBroker;
use super::reply::{Reader, message};
use super::script::{Call, Name};
use crate::broker::{
    ArchiveLimits, BrokerError, Demand, Exchanged, LEASE, LOOK_AHEAD, Leased, RunToken, Settled, Settlement,
    Transition,
};
use crate::clock::floor_seconds;
use crate::task::{QueueName, TaskId};
use crate::wire::TaskMessage;
use crate::wire::keys::{Keyspace, QueueKeys};

const DOING: &str = "exchange";

/// From this length on, a message is read by a command of its own: the script looks at each byte of what passes through
/// it, and spends more time on a longer one than another round trip and another command take.
const LONG: usize = 4_096;

/// One call of the script: which queues it names, and what the new runs are called.
pub(super) struct Exchange {
    call: Call,
    queues: Vec<QueueName>,
    /// Where each settlement of the call, which is sorted into groups, stood in the caller's list.
    order: Vec<usize>,
    run: RunToken,
    lease_until: i64,
    /// Whether the answer tells since when each task was pending.
    tells_since: bool,
}

/// Settlements that are told apart only by their task.
struct Group<'a> {
    /// Queue number, kind, and latest end of the lease.
    mark: (usize, &'static str, i64),
    run: Option<&'a RunToken>,
    members: Vec<(usize, &'a Settlement)>,
}

impl RedisBroker {
    /// One call, whose queues share a server; and one more for the messages that it has left out.
    pub(super) async fn exchange_at_once(
        &self,
        settle: &[Settlement],
        demand: &Demand,
    ) -> Result<Exchanged, BrokerError> {
        let reads_long = self.are_long.load(Ordering::Relaxed);
        let (now, limits) = (self.clock.now(), &self.archive_limits);
        let exchange = Exchange::new(&self.keyspace, now, limits, settle, demand, reads_long);
        let answer = exchange.call().run(&self.exchange, DOING).await?;
        let (mut exchanged, unread) = exchange.read(answer)?;
        if !unread.is_empty() {
            self.read_long(&mut exchanged.leased, &unread).await?;
        }
        if !exchanged.leased.is_empty() {
            self.are_long.store(exchanged.leased.iter().any(is_long), Ordering::Relaxed);
        }
        Ok(exchanged)
    }

    async fn read_long(&self, leased: &mut [Leased], unread: &[usize]) -> Result<(), BrokerError> {
        let mut pipe = redis::pipe();
        for Leased { queue, id, .. } in unread.iter().filter_map(|&place| leased.get(place)) {
            pipe.cmd("HGET").arg(self.keyspace.queue(queue).task(id.as_str())).arg("msg");
        }
        let mut messages = Reader::new(self.exchange.query_each(DOING, &pipe).await?, DOING)?;
        for &place in unread {
            // Who deletes a queue with all that runs in it may have been between.
            let bytes = messages.optional_bytes()?.unwrap_or_default();
            if let Some(leased) = leased.get_mut(place) {
                leased.message = message(bytes);
            }
        }
        Ok(())
    }
}

impl Exchange {
    pub(super) fn new(
        keyspace: &Keyspace,
        now: jiff::Timestamp,
        archive_limits: &ArchiveLimits,
        settle: &[Settlement],
        demand: &Demand,
        reads_long: bool,
    ) -> Self {
        let mut queues: Vec<QueueName> = Vec::with_capacity(demand.queues.len());
        if demand.slots > 0 {
            queues.extend(demand.queues.iter().map(|share| share.queue.clone()));
        }
        let demanded = queues.len();
        let groups = group(settle, &mut queues);
        let keys: Vec<_> = queues.iter().map(|queue| keyspace.queue(queue)).collect();
        let mut call = Call::new(Name::exchange, script_keys(&keys, now));
        let seconds = floor_seconds(now);
        let lease_until = seconds + LEASE.as_secs().cast_signed();
        let run = RunToken::random();
        let seed = if demand.strict { String::new() } else { fastrand::u32(..).to_string() };
        call.arg(queues.len())
            .arg(seconds)
            .arg(lease_until)
            .arg(&demand.server_id)
            .arg(run.as_str())
            .arg(demand.slots)
            .arg(seed)
            .arg(demand.types.len())
            .arg(u8::from(demand.pending_since))
            // The script reads what it has to choose by type.
            .arg(if reads_long && demand.types.is_empty() { LONG } else { 0 })
            .arg(keyspace.run_ends_channel());
        let shares = demand.queues.iter().take(demanded);
        let shares =
            shares.map(|share| (share.weight.max(1), share.slots.min(demand.slots), u8::from(share.beat)));
        for (keys, (weight, slots, beat)) in keys.iter().zip(shares.chain(std::iter::repeat((0, 0, 0)))) {
            call.arg(keys.prefix()).arg(weight).arg(slots).arg(beat);
        }
        if !demand.types.is_empty() {
            call.arg(LOOK_AHEAD);
        }
        for limited in &demand.types {
            call.arg(&*limited.task_type).arg(limited.slots);
        }
        let mut order = Vec::with_capacity(settle.len());
        for Group { mark: (queue, kind, lease_until), run, members } in groups {
            let run = run.map_or("", RunToken::as_str);
            call.arg(queue).arg(kind).arg(run).arg(format!("({lease_until}")).arg(members.len());
            for (at, settlement) in members {
                order.push(at);
                add_member(&mut call, settlement, now, archive_limits);
            }
        }
        Self { call, queues, order, run, lease_until, tells_since: demand.pending_since }
    }

    pub(super) fn call(&self) -> &Call {
        &self.call
    }

    /// What the answer says, and the places of leased tasks whose messages are still to be read, for they are long.
    pub(super) fn read(self, answer: redis::Value) -> Result<(Exchanged, Vec<usize>), BrokerError> {
        let mut answer = Reader::new(answer, DOING)?;
        let mut exchanged =
            Exchanged { settled: vec![Settled::Applied; self.order.len()], ..Exchanged::default() };
        exchanged.leased.reserve(answer.len() / 2);
        let mut unread = Vec::new();
        while !answer.is_empty() {
            match &*answer.bytes()? {
                b"leased" => self.read_leased(&mut answer, &mut exchanged.leased, &mut unread)?,
                b"refused" => {
                    let at = self.order.get(answer.count()?.wrapping_sub(1));
                    let outcome = at.and_then(|&at| exchanged.settled.get_mut(at));
                    *outcome.ok_or(BrokerError::protocol(DOING))? = Settled::Refused;
                }
                b"dropped" => exchanged.dropped.push((self.queue(&mut answer)?, answer.text()?)),
                b"paused" => exchanged.paused.push(self.queue(&mut answer)?),
                b"crowded" => exchanged.is_crowded = true,
                b"passed over" => exchanged.passed_over.push(self.queue(&mut answer)?),
                _ => return Err(BrokerError::protocol(DOING)),
            }
        }
        Ok((exchanged, unread))
    }

    fn read_leased(
        &self,
        answer: &mut Reader,
        leased: &mut Vec<Leased>,
        unread: &mut Vec<usize>,
    ) -> Result<(), BrokerError> {
        let queue = self.queue(answer)?;
        for _ in 0..answer.count()? {
            let id = TaskId::stored(&answer.text()?);
            let bytes = answer.optional_bytes()?.unwrap_or_else(|| {
                unread.push(leased.len());
                Bytes::new()
            });
            leased.push(Leased {
                queue: queue.clone(),
                id,
                message: message(bytes),
                run: self.run.clone(),
                lease_until: self.lease_until,
                pending_since: if self.tells_since { answer.number()? } else { None },
            });
        }
        Ok(())
    }

    fn queue(&self, reader: &mut Reader) -> Result<QueueName, BrokerError> {
        let number = reader.count()?;
        self.queues.get(number.wrapping_sub(1)).cloned().ok_or(BrokerError::protocol(DOING))
    }
}

fn is_long(leased: &Leased) -> bool {
    leased.message.as_ref().is_ok_and(|message| message.payload.len() >= LONG)
}

/// Sorts settlements into groups. Those of one task keep their order, and so do those that put a task back, since
/// they say in which order the tasks are taken again.
fn group<'a>(settle: &'a [Settlement], queues: &mut Vec<QueueName>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut seen = HashSet::with_capacity(settle.len());
    // Groups before this one, and those before the last that puts tasks back, take no more of the same kind.
    let (mut closed, mut closed_to_requeues) = (0, 0);
    for (at, settlement) in settle.iter().enumerate() {
        let queue = number_of(&settlement.queue, queues);
        let mark = (queue, kind(settlement), settlement.lease_until);
        if !seen.insert((queue, settlement.id.as_str())) {
            closed = groups.len();
        }
        let is_requeue = matches!(settlement.transition, Transition::Requeue { .. });
        let first = if is_requeue { closed.max(closed_to_requeues) } else { closed };
        let run = settlement.run.as_ref();
        let known = groups.iter_mut().skip(first).find(|group| group.mark == mark && group.run == run);
        if let Some(group) = known {
            group.members.push((at, settlement));
        } else {
            if is_requeue {
                closed_to_requeues = groups.len();
            }
            groups.push(Group { mark, run, members: vec![(at, settlement)] });
        }
    }
    groups
}

/// The keys of each queue, in the order of the script.
fn script_keys(queues: &[QueueKeys], now: jiff::Timestamp) -> Vec<String> {
    queues
        .iter()
        .flat_map(|keys| {
            [
                keys.pending(),
                keys.active(),
                keys.lease(),
                keys.paused(),
                keys.processed(now),
                keys.processed_total(),
                keys.waits(),
            ]
        })
        .collect()
}

/// A queue's number in the call, from 1; a queue that is not in it yet is added.
fn number_of(queue: &QueueName, queues: &mut Vec<QueueName>) -> usize {
    let at = queues.iter().position(|other| other == queue).unwrap_or_else(|| {
        queues.push(queue.clone());
        queues.len() - 1
    });
    at + 1
}

fn kind(settlement: &Settlement) -> &'static str {
    match &settlement.transition {
        Transition::Done { unique_key } if unique_key.is_empty() => "d",
        Transition::Done { .. } => "u",
        Transition::Revoke { .. } => "v",
        Transition::Complete { .. } => "c",
        // One that is put back is, to the script, a failure that does not count.
        Transition::Retry { .. } | Transition::PutBack { limit: None, .. } => "r",
        Transition::PutBack { limit: Some(_), .. } => "m",
        Transition::Archive { .. } => "a",
        Transition::Requeue { .. } => "q",
    }
}

fn add_member(
    call: &mut Call,
    settlement: &Settlement,
    now: jiff::Timestamp,
    archive_limits: &ArchiveLimits,
) {
    call.arg(settlement.id.as_str());
    match &settlement.transition {
        Transition::Done { unique_key } => {
            if !unique_key.is_empty() {
                call.arg(unique_key);
            }
        }
        Transition::Revoke { unique_key } => {
            call.arg(unique_key);
        }
        Transition::Complete { message, until, result } => {
            call.arg(&message.unique_key)
                .arg(message.encode())
                .arg(*until)
                .arg(u8::from(result.is_some()))
                .arg(result.as_deref().unwrap_or_default());
        }
        Transition::Retry { message, at, is_failure } => {
            call.arg(message.encode()).arg(*at).arg(u8::from(*is_failure));
        }
        Transition::PutBack { message, at, limit } => {
            call.arg(message.encode()).arg(*at).arg(limit.unwrap_or(0));
            if limit.is_some() {
                add_archive_limits(call, now, archive_limits);
            }
        }
        Transition::Archive { message, unique_key } => {
            call.arg(u8::from(message.is_some()))
                .arg(message.as_ref().map(TaskMessage::encode).unwrap_or_default())
                .arg(unique_key);
            add_archive_limits(call, now, archive_limits);
        }
        Transition::Requeue { crashed } => {
            let nanos = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
            call.arg(u8::from(*crashed)).arg(nanos);
        }
    }
}

fn add_archive_limits(call: &mut Call, now: jiff::Timestamp, limits: &ArchiveLimits) {
    call.arg(limits.cutoff(floor_seconds(now))).arg(limits.tasks);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_shape_is_an_error() {
        let exchange = Exchange::new(
            &Keyspace::default(),
            jiff::Timestamp::UNIX_EPOCH,
            &ArchiveLimits::default(),
            &[],
            &Demand::none(),
            false,
        );
        let error = exchange.read(redis::Value::Int(1)).unwrap_err();
        assert_eq!(error.to_string(), "unexpected answer from the broker during exchange");
    }
}
