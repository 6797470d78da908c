//! [`Fault`]: one thing that is wrong, and how it is put right.

use super::Class;
use super::judge::{right_place, stale_fields};
use crate::broker::{Broker, BrokerError, LockStanding, STATISTICS_AGE, Spot, Standing};
use crate::task::QueueName;

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// A task, by the broker's account of it.
    Task { class: Class, queue: QueueName, seen: Box<Standing> },
    /// A group or an aggregation set.
    Group { class: Class, queue: QueueName, name: String },
    /// A uniqueness lock.
    Lock { class: Class, queue: QueueName, seen: LockStanding },
    /// A key, and what it holds.
    Key { class: Class, queue: Option<QueueName>, key: String, kind: String },
    /// A queue as a whole, and what there is to say of it.
    Queue { class: Class, queue: QueueName, detail: String },
    /// The beat of a server in a queue.
    Beat { queue: QueueName, server_id: String },
    /// A process, by its key.
    Process { key: String },
    /// The store, and what there is to say of it.
    Store { class: Class, detail: String },
}

impl Fault {
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Task { class, .. }
            | Self::Group { class, .. }
            | Self::Lock { class, .. }
            | Self::Key { class, .. }
            | Self::Queue { class, .. }
            | Self::Store { class, .. } => *class,
            Self::Beat { .. } => Class::Leftover,
            Self::Process { .. } => Class::DeadProcess,
        }
    }

    pub(super) fn queue(&self) -> Option<&QueueName> {
        match self {
            Self::Task { queue, .. }
            | Self::Group { queue, .. }
            | Self::Lock { queue, .. }
            | Self::Queue { queue, .. }
            | Self::Beat { queue, .. } => Some(queue),
            Self::Key { queue, .. } => queue.as_ref(),
            Self::Process { .. } | Self::Store { .. } => None,
        }
    }

    /// What it is about: an ID, a key, a name.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::Task { seen, .. } => seen.id.to_string(),
            Self::Group { name, .. } => name.clone(),
            Self::Lock { seen, .. } => seen.key.clone(),
            Self::Key { key, .. } | Self::Process { key } => key.clone(),
            Self::Queue { queue, .. } => queue.to_string(),
            Self::Beat { server_id, .. } => server_id.clone(),
            Self::Store { detail, .. } => detail.clone(),
        }
    }

    /// What was seen, where there is more to say than class and subject do.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Task { class: Class::StaleFields, seen, .. } => {
                format!("{}, with {}", told(seen), stale_fields(seen).join(", "))
            }
            Self::Task { seen, .. } => told(seen),
            Self::Lock { seen, .. } => match &seen.state {
                Some(state) => format!("its task {} is {state}", seen.holder),
                None => format!("its task {} is gone", seen.holder),
            },
            Self::Key { class: Class::WrongType, kind, .. } => format!("it holds a {kind}"),
            Self::Queue { detail, .. } | Self::Store { detail, .. } => detail.clone(),
            Self::Group { .. } | Self::Key { .. } | Self::Beat { .. } | Self::Process { .. } => String::new(),
        }
    }

    /// Puts it right, if it is as it was seen: whether it was. Only for classes that have a remedy.
    pub(super) async fn mend(&self, broker: &dyn Broker) -> Result<bool, BrokerError> {
        match self {
            Self::Task { class: Class::WrongType, queue, seen } => {
                let key = broker.keyspace().queue(queue).task(seen.id.as_str());
                Ok(broker.put_aside(&key, &seen.kind).await?.is_some())
            }
            Self::Task { class, queue, seen } => {
                let to = right_place(seen, *class, broker.clock().unix_seconds());
                broker.put_right(queue, seen, to.as_ref()).await
            }
            Self::Group { class: Class::EmptyGroup, queue, name } => broker.forget_group(queue, name).await,
            Self::Group { class: Class::StraySet, queue, name } => broker.expire_set(queue, name).await,
            Self::Group { queue, name, .. } => {
                Ok(broker.mend_groups(queue, std::slice::from_ref(name)).await? > 0)
            }
            Self::Lock { queue, seen, .. } => broker.release_lock(queue, seen).await,
            Self::Key { class: Class::EndlessCounter, key, .. } => {
                broker.expire_key(key, STATISTICS_AGE).await
            }
            Self::Key { key, kind, .. } => Ok(broker.put_aside(key, kind).await?.is_some()),
            Self::Queue { class: Class::UnlistedQueue, queue, .. } => broker.make_known(queue).await,
            Self::Queue { class: Class::PausedEmpty, queue, .. } => broker.resume(queue).await,
            Self::Queue { class: Class::Leftover, queue, .. } => {
                broker.make_known(queue).await?;
                broker.delete_queue(queue, false).await?;
                Ok(true)
            }
            Self::Beat { queue, server_id } => {
                broker.retire(&[server_id], std::slice::from_ref(queue)).await?;
                Ok(true)
            }
            Self::Process { .. } => Ok(broker.remove_stale_processes().await? > 0),
            Self::Queue { .. } | Self::Store { .. } => Ok(false),
        }
    }
}

/// Where a task stands, for people.
fn told(task: &Standing) -> String {
    let mut places: Vec<String> = task.spots.iter().map(|(spot, _)| place(spot)).collect();
    match task.pending {
        Some(1) => places.insert(0, "pending".to_owned()),
        Some(times @ 2..) => places.insert(0, format!("{times} times pending")),
        _ => {}
    }
    if task.lease.is_some() {
        places.push("the leases".to_owned());
    }
    let places = if places.is_empty() { "nowhere".to_owned() } else { places.join(" and ") };
    let state = match (task.kind.as_str(), &task.message) {
        ("none", _) => "no task is stored".to_owned(),
        ("hash", Some(_)) if task.state.is_empty() => "it says no state".to_owned(),
        ("hash", Some(_)) => format!("it says {}", task.state),
        ("hash", None) => "its hash has no message".to_owned(),
        (kind, _) => format!("its key holds a {kind}"),
    };
    format!("{state}, and it stands in {places}").replace("stands in nowhere", "stands nowhere")
}

fn place(spot: &Spot) -> String {
    match spot {
        Spot::In(collection) => collection.to_string(),
        Spot::Staged(name) => format!("set `{name}`"),
        Spot::Lease => "the leases".to_owned(),
    }
}
