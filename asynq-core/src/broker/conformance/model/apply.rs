//! [`apply`]: one operation on one broker.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::known::{Known, Observation, Run};
use super::op::{
    BreakOp, IDS, LOCKS, Op, PlacementOp, SettleOp, TICK, TaskOp, TokenOp, TransitionOp, entry_name,
    group_name, queue_name, server_name,
};
use super::operate::operate;
use crate::broker::conformance::{Corruption, Fixture};
use crate::broker::{
    BrokerError, Demand, EnqueueError, Exchanged, LeaseRef, NewTask, Place, Placement, QueueShare, RunToken,
    Settlement, Tick, Ticked, Transition,
};
use crate::clock::Clock;
use crate::task::{QueueName, UniqueUntil};
use crate::wire::keys::{Keyspace, QueueKeys};
use crate::wire::{ServerInfo, TaskMessage, WorkerInfo};

/// Far more than a sequence of operations stores.
const NO_LIMIT: usize = 10_000;

/// Applies one operation and tells what it told.
pub async fn apply(fixture: &dyn Fixture, op: &Op, known: &mut Known) -> Observation {
    match try_apply(fixture, op, known).await {
        Ok(observation) => observation,
        Err(error) => Observation::Failed(error.kind()),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each operation")]
async fn try_apply(fixture: &dyn Fixture, op: &Op, known: &mut Known) -> Result<Observation, BrokerError> {
    let (broker, clock) = (fixture.broker(), fixture.clock());
    let now = clock.unix_seconds();
    Ok(match op {
        Op::Enqueue(tasks) => {
            let tasks = tasks.iter().map(|task| new_task(task, known, now)).collect::<Vec<_>>();
            enqueued(broker.enqueue(&tasks).await)?
        }
        Op::Tick { entry, at, task } => {
            let tick = Tick { entry: entry_name(*entry), at: now + i64::from(*at) };
            ticked(broker.enqueue_tick(&tick, &new_task(task, known, now)).await)?
        }
        Op::TickMark { queue, entry } => {
            Observation::Mark(broker.tick_mark(&queue_name(*queue), &entry_name(*entry), now).await?)
        }
        Op::ChangeTimetable { entry, expected, new } => {
            let text = |number: u8| (number > 0).then(|| Bytes::from(number.to_string()));
            let (expected, new) = (text(*expected), text(*new));
            Observation::TimetableChange(
                broker.change_timetable(&entry_name(*entry), expected.as_ref(), new.as_ref()).await?,
            )
        }
        Op::Timetable { seen } => Observation::Timetable(broker.timetable(seen.map(u64::from)).await?),
        Op::Exchange { settle, server, queues, slots } => {
            let settle = settle.iter().filter_map(|op| settlement(*op, known, now)).collect::<Vec<_>>();
            let demand = Demand {
                server_id: server_name(*server),
                slots: usize::from(*slots),
                queues: shares(queues, server % 2 == 1),
                strict: true,
                ..Demand::none()
            };
            exchanged(broker.exchange(&settle, &demand).await?, known)
        }
        Op::ExtendLeases { queue, runs, seconds } => {
            let queue = queue_name(*queue);
            let lease_ref = |run: &Run| LeaseRef { id: run.id.clone(), run: run.token.clone() };
            let runs = runs.iter().filter_map(|back| known.run(*back).map(lease_ref)).collect::<Vec<_>>();
            Observation::Flags(broker.extend_leases(&queue, &runs, now + i64::from(*seconds)).await?)
        }
        Op::Forward { queue } => Observation::Forwarded(broker.forward(&queue_name(*queue)).await?),
        Op::Beat { server, queues } => {
            let queues = queue_names(queues);
            broker.beat(&server_name(*server), &queues).await?;
            let mut beats = broker.beats(&queues).await?;
            for beats in &mut beats {
                beats.sort_by(|one, two| one.server_id.cmp(&two.server_id));
            }
            Observation::Beats(beats)
        }
        Op::Retire { servers, queues } => {
            let servers = servers.iter().map(|server| server_name(*server)).collect::<Vec<_>>();
            let servers = servers.iter().map(String::as_str).collect::<Vec<_>>();
            broker.retire(&servers, &queue_names(queues)).await?;
            Observation::Nothing
        }
        Op::Occupied { place, queues } => {
            Observation::Queues(broker.occupied(place_of(*place), &queue_names(queues)).await?)
        }
        Op::ExpiringLeases { queue, seconds } => {
            let until = now + i64::from(*seconds);
            let found = broker.expiring_leases(&queue_name(*queue), until, NO_LIMIT).await?;
            Observation::Active(found.into_iter().map(|task| known.see_active(task)).collect(), None)
        }
        Op::OwnedBy { queue, server, offset, limit } => {
            let (offset, limit) = (usize::from(*offset), usize::from(*limit));
            let queue = queue_name(*queue);
            let (found, looked_at) = broker.owned_by(&queue, &server_name(*server), offset, limit).await?;
            Observation::Active(
                found.into_iter().map(|task| known.see_active(task)).collect(),
                Some(looked_at),
            )
        }
        Op::MendActive { queue, offset } => {
            let mended = broker.mend_active(&queue_name(*queue), usize::from(*offset), NO_LIMIT).await?;
            Observation::Mended(mended.0, mended.1)
        }
        Op::WriteResult { queue, id, byte } => {
            let queue = queue_name(*queue);
            let result = Bytes::copy_from_slice(&[*byte]);
            Observation::Flag(broker.write_result(&queue, &known.id(&queue, *id), &result).await?)
        }
        Op::DeleteExpiredCompleted { queue, limit } => {
            let limit = usize::from(*limit).max(1);
            Observation::Count(broker.delete_expired_completed(&queue_name(*queue), limit).await?)
        }
        Op::WriteServerState { server, ids } => {
            let worker = |id: &u8| WorkerInfo { task_id: format!("t{}", id % IDS), ..WorkerInfo::default() };
            let workers = ids.iter().map(worker).collect::<Vec<_>>();
            let ttl = Duration::from_secs(u64::from(3 * TICK));
            broker.write_server_state(&server_info(*server), &workers, ttl).await?;
            Observation::Nothing
        }
        Op::WriteRunTimes { server, byte } => {
            let ttl = Duration::from_secs(u64::from(3 * TICK));
            broker.write_run_times(&server_info(*server), &Bytes::copy_from_slice(&[*byte]), ttl).await?;
            Observation::Nothing
        }
        Op::RunTimes => Observation::RunTimes(broker.run_times().await?),
        Op::ClearServerState { server } => {
            broker.clear_server_state(&server_info(*server)).await?;
            Observation::Nothing
        }
        Op::Pause { queue } => Observation::Flag(broker.pause(&queue_name(*queue)).await?),
        Op::Resume { queue } => Observation::Flag(broker.resume(&queue_name(*queue)).await?),
        Op::TaskInfo { queue, id } => {
            let queue = queue_name(*queue);
            let id = known.id(&queue, *id);
            Observation::Info(Box::new(broker.task_info(&queue, &id).await?))
        }
        Op::Group(op) => super::groups::apply(&*broker, op, known).await?,
        Op::Care(op) => Observation::Told(super::care::apply(&*broker, op, known, now).await?),
        Op::Advance { ticks, quarter } => {
            let quarter = if *quarter { Duration::from_millis(250) } else { Duration::ZERO };
            fixture.advance(Duration::from_secs(u64::from(TICK) * u64::from(*ticks)) + quarter).await;
            Observation::Nothing
        }
        Op::Break { queue, id, how } => {
            break_task(fixture, &clock, &queue_name(*queue), *id, *how, known).await;
            Observation::Nothing
        }
        operator => Observation::Told(operate(&*broker, operator, known, now).await?),
    })
}

fn queue_names(numbers: &[u8]) -> Vec<QueueName> {
    numbers.iter().map(|number| queue_name(*number)).collect()
}

fn place_of(number: u8) -> Place {
    match number % 5 {
        0 => Place::Later,
        1 => Place::Active,
        2 => Place::Ended,
        3 => Place::Groups,
        _ => Place::Servers,
    }
}

/// Some servers beat with what they take.
fn shares(numbers: &[u8], beat: bool) -> Vec<QueueShare> {
    queue_names(numbers).into_iter().map(|queue| QueueShare { beat, ..QueueShare::new(queue, 1) }).collect()
}

fn server_info(number: u8) -> ServerInfo {
    ServerInfo { host: "host".to_owned(), pid: 1, server_id: server_name(number), ..ServerInfo::default() }
}

pub(super) fn new_task(op: &TaskOp, known: &Known, now: i64) -> NewTask {
    let queue = queue_name(op.queue);
    let id = known.id(&queue, op.id);
    let (unique_key, unique_ttl, unique_until) = match op.unique {
        Some((lock, ticks, until)) => {
            let keys = Keyspace::default().queue(&queue);
            let key = lock_key(&keys, lock);
            (key, i64::from(TICK) * i64::from(ticks.max(1)), until)
        }
        None => (String::new(), 0, UniqueUntil::Success),
    };
    let (placement, group_key) = match op.placement {
        PlacementOp::Pending => (Placement::Pending, String::new()),
        PlacementOp::Scheduled(seconds) => (Placement::Scheduled(now + i64::from(seconds)), String::new()),
        PlacementOp::Group(group) => (Placement::Group, group_name(group)),
        PlacementOp::Delayed(seconds, group) => {
            (Placement::Scheduled(now + i64::from(seconds)), group_name(group))
        }
    };
    let message = TaskMessage {
        task_type: "t".to_owned(),
        payload: Bytes::from(format!("{id} at {now}")),
        id: id.as_str().to_owned(),
        queue: queue.as_str().to_owned(),
        retry: 3,
        timeout: 60,
        unique_key,
        group_key,
        ..TaskMessage::default()
    };
    NewTask { message, placement, unique_ttl, unique_until }
}

pub(super) fn lock_key(keys: &QueueKeys, number: u8) -> String {
    match number % LOCKS {
        0 => keys.own_lock("t", "0"),
        number => format!("{}{number}", keys.unique_prefix("t")),
    }
}

fn settlement(op: SettleOp, known: &Known, now: i64) -> Option<Settlement> {
    let run = known.run(op.run)?;
    let message =
        || TaskMessage { retried: run.message.retried + 1, last_failed_at: now, ..run.message.clone() };
    let lock = |release| if release { run.message.unique_key.clone() } else { String::new() };
    let transition = match op.transition {
        TransitionOp::Done => Transition::Done { unique_key: run.message.unique_key.clone() },
        TransitionOp::Revoke => Transition::Revoke { unique_key: run.message.unique_key.clone() },
        TransitionOp::Complete(seconds, result) => Transition::Complete {
            message: TaskMessage { completed_at: now, ..run.message.clone() },
            until: now + i64::from(seconds),
            result: result.map(|byte| Bytes::copy_from_slice(&[byte])),
        },
        TransitionOp::Retry(seconds, is_failure) => {
            Transition::Retry { message: message(), at: now + i64::from(seconds), is_failure }
        }
        TransitionOp::PutBack(limit) => {
            // None of the limit 0: it may happen any number of times.
            let limit = (limit > 0).then(|| u32::from(limit));
            Transition::PutBack { message: message(), at: now + 30, limit }
        }
        TransitionOp::Archive { with_message, release } => {
            Transition::Archive { message: with_message.then(message), unique_key: lock(release) }
        }
        TransitionOp::Requeue(crashed) => Transition::Requeue { crashed },
    };
    Some(Settlement {
        queue: run.queue.clone(),
        id: run.id.clone(),
        run: match op.token {
            TokenOp::Own => Some(run.token.clone()),
            TokenOp::None => None,
            TokenOp::Foreign => Some(RunToken::stored("foreign")),
        },
        lease_until: run.lease_until + i64::from(op.lease_off),
        transition,
    })
}

fn enqueued(results: Vec<Result<(), EnqueueError>>) -> Result<Observation, BrokerError> {
    Ok(Observation::Enqueued(results.into_iter().map(outcome).collect::<Result<_, _>>()?))
}

fn ticked(result: Result<Ticked, EnqueueError>) -> Result<Observation, BrokerError> {
    Ok(Observation::Ticked(match result {
        Ok(Ticked::Passed) => "passed".to_owned(),
        Ok(Ticked::Enqueued) => outcome(Ok(()))?,
        Err(refused) => outcome(Err(refused))?,
    }))
}

fn outcome(result: Result<(), EnqueueError>) -> Result<String, BrokerError> {
    match result {
        Ok(()) => Ok("stored".to_owned()),
        Err(EnqueueError::IdConflict) => Ok("conflict".to_owned()),
        Err(EnqueueError::Duplicate { holder }) => Ok(format!("held by {holder}")),
        Err(EnqueueError::Broker(error)) => Err(error),
    }
}

fn exchanged(exchanged: Exchanged, known: &mut Known) -> Observation {
    let Exchanged { settled, leased, dropped, paused, passed_over: _, is_crowded: _, failure: _ } = exchanged;
    for leased in &leased {
        known.learn(leased);
    }
    Observation::Exchanged {
        settled,
        dropped,
        paused: paused.into_iter().collect(),
        tokens: leased.iter().map(|leased| leased.run.as_str()).collect::<BTreeSet<_>>().len(),
        leased: leased.iter().map(Known::see_lease).collect(),
    }
}

async fn break_task(
    fixture: &dyn Fixture,
    clock: &Clock,
    queue: &QueueName,
    number: u8,
    how: BreakOp,
    known: &mut Known,
) {
    let id = known.id(queue, number);
    if !fixture.dump().await.contains(&Keyspace::default().queue(queue).task(id.as_str())) {
        // A task that is not there has nothing to break.
        return;
    }
    let set = |field: &str, value: Bytes| Corruption::SetField {
        queue: queue.clone(),
        id: id.clone(),
        field: field.to_owned(),
        value,
    };
    let queue_of = || queue.clone();
    let corruptions = match how {
        BreakOp::Delete => {
            known.forget_task(queue, number);
            vec![Corruption::DeleteTask { queue: queue_of(), id }]
        }
        BreakOp::Garble => vec![set("msg", Bytes::from_static(b"\xff\xff"))],
        BreakOp::ForgetRun => ["x_run", "x_own"]
            .map(|field| Corruption::RemoveField {
                queue: queue_of(),
                id: id.clone(),
                field: field.to_owned(),
            })
            .into(),
        BreakOp::StrayRun => vec![set("x_run", Bytes::from_static(b"stray"))],
        BreakOp::SetGroup(group) => vec![set("group", Bytes::from(group_name(group)))],
        BreakOp::RemoveLease => vec![Corruption::RemoveLease { queue: queue_of(), id }],
        BreakOp::SetLease(seconds) => {
            let until = clock.unix_seconds() + i64::from(seconds);
            vec![Corruption::SetLease { queue: queue_of(), id, until }]
        }
        BreakOp::PushDangling => vec![Corruption::PushPending { queue: queue_of(), id: known.dangling_id() }],
        BreakOp::PushDanglingActive => {
            vec![Corruption::PushActive { queue: queue_of(), id: known.dangling_id() }]
        }
    };
    for corruption in corruptions {
        fixture.corrupt(corruption).await;
    }
}
