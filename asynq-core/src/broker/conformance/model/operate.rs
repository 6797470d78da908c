//! [`operate`]: what an operator does, on one broker.

use bytes::Bytes;

use super::known::Known;
use super::op::{Op, collection, queue_name};
use crate::broker::{Broker, BrokerError, Change, Collection, Edit, ScanCursor};
use crate::wire::TaskMessage;

/// What an operator does, and what that tells.
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
        Op::DeleteQueue { queue, force } => {
            format!("{:?}", broker.delete_queue(&queue_name(*queue), *force).await?)
        }
        _ => String::new(),
    })
}
