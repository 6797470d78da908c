//! [`operate`]: what operators and limits do, on one broker.

use std::time::Duration;

use bytes::Bytes;

use super::known::Known;
use super::op::{IDS, Op, TICK, collection, queue_name};
use crate::broker::{Broker, BrokerError, Change, Collection, Edit, ScanCursor, Token, Turn};
use crate::task::TaskId;
use crate::wire::TaskMessage;

/// What an operator or a limit does, and what that tells.
pub(super) async fn operate(
    broker: &dyn Broker,
    op: &Op,
    known: &Known,
    now: i64,
) -> Result<String, BrokerError> {
    Ok(match op {
        Op::Change { queue, id, change } => {
            let queue = queue_name(*queue);
            format!("{:?}", broker.change(&queue, &known.id(&queue, *id), *change).await?)
        }
        Op::ChangeFirst { queue, collection: number, change, limit } => {
            let (queue, collection, limit) = (queue_name(*queue), collection(*number), usize::from(*limit));
            let makes_no_sense = collection == Collection::Active
                || (*change == Change::Run && collection == Collection::Pending)
                || (*change == Change::Archive && collection == Collection::Archived);
            if makes_no_sense {
                return Ok(String::new());
            }
            format!("{:?}", broker.change_first(&queue, &collection, *change, limit).await?)
        }
        Op::Edit { queue, id, byte, due } => {
            let queue = queue_name(*queue);
            let id = known.id(&queue, *id);
            let Some(Ok(detail)) = broker.task_detail(&queue, &id).await? else {
                return Ok("nothing to edit".to_owned());
            };
            let payload = Bytes::copy_from_slice(&[*byte]);
            let message = Some(TaskMessage { payload, ..detail.message });
            let edit =
                Edit { expected: detail.message_bytes, message, due: due.map(|due| now + i64::from(due)) };
            let edited = broker.edit(&queue, &id, &edit).await?;
            let rest = (detail.group, detail.pending_since, detail.server_id, detail.lease_until);
            let lock = detail.lock.map(|lock| (lock.key, lock.holder));
            format!("{edited:?} {:?} {rest:?} {lock:?} crashes: {}", detail.info, detail.crashes)
        }
        Op::Scan { queue, collection: number, offset, limit } => {
            let from = ScanCursor::at(usize::from(*offset));
            let limit = usize::from(*limit);
            let scan = broker.scan(&queue_name(*queue), &collection(*number), &from, limit).await?;
            format!("{:?} {}", scan.tasks, scan.next.is_some())
        }
        Op::QueueInfo { queue } => {
            let queue = queue_name(*queue);
            let mut info = broker.queue_info(&queue).await?;
            info.memory_usage = None;
            let history = broker.history(&queue, 3).await?;
            let (groups, queues) = (broker.group_sizes(&queue).await?, broker.queues().await?);
            let servers = broker.servers().await?;
            format!("{info:?} {history:?} {groups:?} {queues:?} {servers:?}")
        }
        Op::TakeTurn { id } => {
            let (id, run) = (limited_id(*id), format!("{id} at {now}"));
            let period = Duration::from_secs(u64::from(2 * TICK));
            let turn = Turn { scope: "limit", id: &id, run: &run, most: 2, period };
            format!("{:?}", broker.take_turn(&turn).await?)
        }
        Op::AcquireToken { id } => {
            let token = Token { scope: "s", most: 2, id: &limited_id(*id), until: now + i64::from(TICK) };
            broker.acquire_token(&token).await?.to_string()
        }
        Op::ReleaseToken { id } => broker.release_token("s", &limited_id(*id)).await?.to_string(),
        Op::Watch { queue, id } => {
            let queue = queue_name(*queue);
            format!("{:?}", broker.watch(&queue, &known.id(&queue, *id)).await?)
        }
        Op::DeleteQueue { queue, force } => {
            format!("{:?}", broker.delete_queue(&queue_name(*queue), *force).await?)
        }
        _ => String::new(),
    })
}

/// A task under a limit.
fn limited_id(number: u8) -> TaskId {
    TaskId::stored(&format!("t{}", number % IDS))
}
