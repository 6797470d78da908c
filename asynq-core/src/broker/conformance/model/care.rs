//! [`CareOp`]: what the doctor, an export and an import do.

use super::apply::lock_key;
use super::known::Known;
use super::op::{collection, group_name, queue_name};
use crate::broker::{Adoption, Broker, BrokerError, Collection, EnqueueError, Glimpse, Spot};
use crate::task::{TaskState, UniqueUntil};
use crate::wire::TaskMessage;
use crate::wire::keys::Keyspace;

/// An operation of the doctor, an export or an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CareOp {
    /// Looks where a task stands, and has it stand in one place.
    PutRight {
        /// The queue.
        queue: u8,
        /// The task.
        id: u8,
        /// Where: one of the collections; where it stands first; or nowhere.
        place: u8,
        /// With which score, in seconds from now.
        score: i8,
    },
    /// Makes a queue known.
    MakeKnown {
        /// The queue.
        queue: u8,
    },
    /// Looks at a group, and forgets it if it is empty.
    ForgetGroup {
        /// The queue.
        queue: u8,
        /// The group.
        group: u8,
    },
    /// Looks at a lock, and releases it.
    ReleaseLock {
        /// The queue.
        queue: u8,
        /// The lock.
        lock: u8,
    },
    /// Reads all of a task, and stores it in a queue, under an ID.
    Adopt {
        /// The queue it comes from.
        queue: u8,
        /// The task.
        id: u8,
        /// The queue it goes to.
        to: u8,
        /// Its ID there.
        as_id: u8,
        /// Whether it takes the place of another.
        replace: bool,
    },
}

/// Any of them.
pub(super) fn random(rng: &mut fastrand::Rng) -> CareOp {
    let (queue, id) = (rng.u8(..), rng.u8(..));
    match rng.u8(..12) {
        0..5 => CareOp::PutRight { queue, id, place: rng.u8(..), score: rng.i8(-20..60) },
        5 => CareOp::MakeKnown { queue },
        6 => CareOp::ForgetGroup { queue, group: rng.u8(..) },
        7 => CareOp::ReleaseLock { queue, lock: rng.u8(..) },
        _ => CareOp::Adopt { queue, id, to: rng.u8(..), as_id: rng.u8(..), replace: rng.bool() },
    }
}

pub(super) async fn apply(
    broker: &dyn Broker,
    op: &CareOp,
    known: &Known,
    now: i64,
) -> Result<String, BrokerError> {
    Ok(match op {
        CareOp::PutRight { queue, id, place, score } => {
            let queue = queue_name(*queue);
            let glimpse = Glimpse { id: known.id(&queue, *id), at: None, near: Vec::new() };
            let Some(seen) = broker.standings(&queue, &[glimpse], true).await?.pop() else {
                return Ok("no answer".to_owned());
            };
            let first = seen.spots.first().map(|(spot, _)| spot.clone());
            let to = match place % 10 {
                8 => None,
                // What is to be active must be so: the doctor only gives it a lease.
                1 | 9 => Some(first.unwrap_or(Spot::In(Collection::Pending))),
                number => Some(Spot::In(collection(number))),
            };
            let to = to.map(|spot| (spot, now + i64::from(*score)));
            let done = broker.put_right(&queue, &seen, to.as_ref()).await?;
            let own: Vec<&String> = seen.own.keys().collect();
            let place = (seen.kind, seen.state, seen.group, seen.lease, seen.pending);
            format!("{place:?} {:?} {own:?} {done}", seen.spots)
        }
        CareOp::MakeKnown { queue } => broker.make_known(&queue_name(*queue)).await?.to_string(),
        CareOp::ForgetGroup { queue, group } => {
            let (queue, group) = (queue_name(*queue), group_name(*group));
            let seen = broker.group_standings(&queue, std::slice::from_ref(&group)).await?;
            format!("{seen:?} {}", broker.forget_group(&queue, &group).await?)
        }
        CareOp::ReleaseLock { queue, lock } => {
            let queue = queue_name(*queue);
            let key = lock_key(&Keyspace::default().queue(&queue), *lock);
            let Some(Some(seen)) = broker.lock_standings(&queue, &[key]).await?.pop() else {
                return Ok("nobody holds it".to_owned());
            };
            let holder = (&seen.holder, seen.is_kept, &seen.state);
            format!("{holder:?} {}", broker.release_lock(&queue, &seen).await?)
        }
        CareOp::Adopt { queue, id, to, as_id, replace } => {
            let (queue, to) = (queue_name(*queue), queue_name(*to));
            let (id, as_id) = (known.id(&queue, *id), known.id(&to, *as_id));
            let Some(Some(copy)) = broker.copies(&queue, &[id]).await?.pop() else {
                return Ok("nothing to copy".to_owned());
            };
            let mut fields = copy.fields;
            let state =
                fields.remove("state").and_then(|state| std::str::from_utf8(&state).ok()?.parse().ok());
            let message = fields.remove("msg").and_then(|bytes| TaskMessage::decode(bytes).ok());
            let (Some(state), Some(message)) = (state, message) else {
                return Ok("nothing that can be read".to_owned());
            };
            fields.retain(|name, _| {
                !["x_own", "x_run", "unique_key", "pending_since"].contains(&name.as_str())
            });
            let adoption = Adoption {
                message: TaskMessage {
                    id: as_id.as_str().to_owned(),
                    queue: to.as_str().to_owned(),
                    unique_key: String::new(),
                    ..message
                },
                // As an import makes of one that is being run.
                state: if state == TaskState::Active { TaskState::Pending } else { state },
                score: copy.score.unwrap_or(now),
                fields,
                unique_ttl: 0,
                unique_until: UniqueUntil::Success,
                replace: *replace,
            };
            let adopted = match broker.adopt(&adoption).await {
                Err(EnqueueError::Broker(error)) => return Err(error),
                adopted => adopted.is_ok(),
            };
            format!("{state} {:?} {:?} {adopted}", copy.score, copy.lock.map(|lock| lock.holder))
        }
    })
}
