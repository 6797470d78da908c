//! [`DistantBroker`]: a store at the other end of a [`Link`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use super::history::Went;
use super::{Event, Link};
use crate::broker::{
    ActiveTask, Admission, Adoption, ArchiveLimits, Audit, AuditEntry, AuditId, Broker, BrokerError, Care,
    Change, Changed, ChangedMany, Changes, ClusterMember, ClusterNode, Collection, DailyStats, Demand, Edit,
    Edited, EnqueueError, Exchanged, FinishedMember, FinishedSet, Forwarded, Glimpse, GroupInfo, GroupPage,
    GroupRule, GroupStanding, Groups, Inspection, KeyCursor, KeyKind, KeyPage, LeaseRef, LockStanding,
    Member, MemoryBroker, Messages, NewTask, OwnerBeat, Place, Processes, QueueDeletion, QueueInfo,
    Reclaimed, RejectedMember, Scan, ScanCursor, Schedules, ServerTime, SetName, Settled, Settlement, Spot,
    Standing, StoreInfo, TaskCopy, TaskDetail, Tick, Ticked, Timetable, TimetableChange, TimetableRows,
    Token, Turn, Unreadable, Waiter, Waits, Watched,
};
use crate::clock::Clock;
use crate::task::{QueueName, TaskId, TaskInfo};
use crate::wire::keys::Keyspace;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, WorkerInfo};

/// A store as one machine has it: with its own clock, and through its own link.
#[derive(Debug)]
pub(super) struct DistantBroker {
    pub(super) store: MemoryBroker,
    pub(super) link: Arc<Link>,
}

/// Implements traits by passing calls on through the link, but for what is written out.
macro_rules! through_the_link {
    ($($kind:ident {
        $(fn $name:ident($($argument:ident: $type:ty),*) -> Result<$answer:ty, $error:ty>;)*
        $(written_out { $($written_out:tt)* })?
    })*) => {$(
        #[async_trait]
        impl $kind for DistantBroker {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, $error> {
                self.link.call(stringify!($name), self.store.$name($($argument),*)).await
            })*
            $($($written_out)*)?
        }
    )*};
}

through_the_link! {
    Broker {
        fn ping() -> Result<(), BrokerError>;
        fn extend_leases(queue: &QueueName, runs: &[LeaseRef], until: i64) -> Result<Vec<bool>, BrokerError>;
        fn occupied(place: Place, queues: &[QueueName]) -> Result<Vec<QueueName>, BrokerError>;
        fn forward(queue: &QueueName) -> Result<Forwarded, BrokerError>;
        fn beat(server_id: &str, queues: &[QueueName]) -> Result<(), BrokerError>;
        fn beats(queues: &[QueueName]) -> Result<Vec<Vec<OwnerBeat>>, BrokerError>;
        fn retire(server_ids: &[&str], queues: &[QueueName]) -> Result<(), BrokerError>;
        fn expiring_leases(queue: &QueueName, until: i64, limit: usize) -> Result<Vec<ActiveTask>, BrokerError>;
        fn owned_by(queue: &QueueName, server_id: &str, offset: usize, limit: usize)
            -> Result<(Vec<ActiveTask>, usize), BrokerError>;
        fn mend_active(queue: &QueueName, offset: usize, limit: usize) -> Result<(usize, usize), BrokerError>;
        fn write_result(queue: &QueueName, id: &TaskId, result: &Bytes) -> Result<bool, BrokerError>;
        fn delete_expired_completed(queue: &QueueName, limit: usize) -> Result<usize, BrokerError>;
        fn delete_expired_archived(queue: &QueueName, limit: usize) -> Result<usize, BrokerError>;
        fn write_server_state(info: &ServerInfo, workers: &[WorkerInfo], ttl: Duration) -> Result<(), BrokerError>;
        fn clear_server_state(info: &ServerInfo) -> Result<(), BrokerError>;
        fn publish_cancellation(id: &TaskId) -> Result<(), BrokerError>;
        fn cancellations() -> Result<Box<dyn Messages>, BrokerError>;
        fn pause(queue: &QueueName) -> Result<bool, BrokerError>;
        fn resume(queue: &QueueName) -> Result<bool, BrokerError>;
        fn task_info(queue: &QueueName, id: &TaskId) -> Result<Option<TaskInfo>, BrokerError>;
        written_out {
            fn clock(&self) -> &Clock {
                self.store.clock()
            }

            fn with_archive_limits(&self, limits: ArchiveLimits) -> Arc<dyn Broker> {
                self.store.with_archive_limits(limits)
            }

            fn keyspace(&self) -> &Keyspace {
                self.store.keyspace()
            }

            async fn enqueue(&self, tasks: &[NewTask]) -> Vec<Result<(), EnqueueError>> {
                let stored = async {
                    let results = self.store.enqueue(tasks).await;
                    for (task, _) in tasks.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
                        self.link.history.note(Event::Accepted { id: task.message.id.clone() });
                    }
                    Ok::<_, BrokerError>(results)
                };
                match self.link.call("enqueue", stored).await {
                    Ok(results) => results,
                    Err(lost) => tasks.iter().map(|_| Err(lost.clone().into())).collect(),
                }
            }

            async fn exchange(&self, settle: &[Settlement], demand: &Demand) -> Result<Exchanged, BrokerError> {
                let exchanged = async {
                    let exchanged = self.store.exchange(settle, demand).await?;
                    self.note(settle, &exchanged);
                    Ok(exchanged)
                };
                self.link.call("exchange", exchanged).await
            }

            fn waiter(&self, queues: &[QueueName]) -> Box<dyn Waiter> {
                Box::new(DistantWaiter { waiter: self.store.waiter(queues), link: Arc::clone(&self.link) })
            }
        }
    }

    Groups {
        fn groups(queue: &QueueName, cursor: u64) -> Result<GroupPage, BrokerError>;
        fn stage_group(queue: &QueueName, set: &SetName, rule: &GroupRule) -> Result<bool, BrokerError>;
        fn read_set(queue: &QueueName, set: &SetName) -> Result<Vec<Member>, BrokerError>;
        fn extend_set(queue: &QueueName, set: &SetName, until: i64) -> Result<bool, BrokerError>;
        fn finish_members(queue: &QueueName, set: &SetName, members: &[FinishedMember], are_all: bool, task: Option<&NewTask>)
            -> Result<FinishedSet, BrokerError>;
        fn archive_members(queue: &QueueName, set: &SetName, members: &[RejectedMember])
            -> Result<bool, BrokerError>;
        fn reclaim_sets(queue: &QueueName) -> Result<Reclaimed, BrokerError>;
        fn mend_groups(queue: &QueueName, groups: &[String]) -> Result<usize, BrokerError>;
    }

    Schedules {
        fn enqueue_tick(tick: &Tick, task: &NewTask) -> Result<Ticked, EnqueueError>;
        fn tick_mark(queue: &QueueName, entry: &str, since: i64) -> Result<i64, BrokerError>;
        fn write_scheduler_entries(scheduler_id: &str, entries: &[SchedulerEntry], ttl: Duration)
            -> Result<(), BrokerError>;
        fn clear_scheduler_entries(scheduler_id: &str) -> Result<(), BrokerError>;
        fn record_enqueue_event(entry: &str, event: &SchedulerEnqueueEvent, keep: Duration)
            -> Result<(), BrokerError>;
        fn clear_scheduler_history(entry: &str) -> Result<(), BrokerError>;
    }

    Inspection {
        fn queues() -> Result<Vec<QueueName>, BrokerError>;
        fn queue_exists(queue: &QueueName) -> Result<bool, BrokerError>;
        fn queue_info(queue: &QueueName) -> Result<QueueInfo, BrokerError>;
        fn queue_with_groups(queue: &QueueName) -> Result<(QueueInfo, Vec<GroupInfo>), BrokerError>;
        fn queue_counts(queues: &[QueueName]) -> Result<Vec<QueueInfo>, BrokerError>;
        fn history(queue: &QueueName, days: usize) -> Result<Vec<DailyStats>, BrokerError>;
        fn group_sizes(queue: &QueueName) -> Result<Vec<GroupInfo>, BrokerError>;
        fn collection_size(queue: &QueueName, collection: &Collection) -> Result<usize, BrokerError>;
        fn scan(queue: &QueueName, collection: &Collection, from: &ScanCursor, limit: usize)
            -> Result<Scan, BrokerError>;
        fn copies(queue: &QueueName, ids: &[TaskId]) -> Result<Vec<Option<TaskCopy>>, BrokerError>;
        fn task_detail(queue: &QueueName, id: &TaskId)
            -> Result<Option<Result<TaskDetail, Unreadable>>, BrokerError>;
    }

    Changes {
        fn change(queue: &QueueName, id: &TaskId, change: Change) -> Result<Changed, BrokerError>;
        fn change_first(queue: &QueueName, collection: &Collection, change: Change, limit: usize)
            -> Result<ChangedMany, BrokerError>;
        fn edit(queue: &QueueName, id: &TaskId, edit: &Edit) -> Result<Edited, BrokerError>;
        fn adopt(task: &Adoption) -> Result<(), EnqueueError>;
        fn delete_queue(queue: &QueueName, force: bool) -> Result<QueueDeletion, BrokerError>;
    }

    Care {
        fn keys(queue: Option<&QueueName>, from: &KeyCursor) -> Result<KeyPage, BrokerError>;
        fn key_kinds(keys: &[String]) -> Result<Vec<KeyKind>, BrokerError>;
        fn members(queue: &QueueName, place: &Spot, offset: usize, limit: usize)
            -> Result<Vec<TaskId>, BrokerError>;
        fn standings(queue: &QueueName, ids: &[Glimpse], search: bool) -> Result<Vec<Standing>, BrokerError>;
        fn put_right(queue: &QueueName, seen: &Standing, to: Option<&(Spot, i64)>) -> Result<bool, BrokerError>;
        fn group_standings(queue: &QueueName, groups: &[String]) -> Result<Vec<GroupStanding>, BrokerError>;
        fn forget_group(queue: &QueueName, group: &str) -> Result<bool, BrokerError>;
        fn expire_set(queue: &QueueName, name: &str) -> Result<bool, BrokerError>;
        fn lock_standings(queue: &QueueName, keys: &[String]) -> Result<Vec<Option<LockStanding>>, BrokerError>;
        fn release_lock(queue: &QueueName, seen: &LockStanding) -> Result<bool, BrokerError>;
        fn make_known(queue: &QueueName) -> Result<bool, BrokerError>;
        fn expire_key(key: &str, after: Duration) -> Result<bool, BrokerError>;
        fn put_aside(key: &str, kind: &str) -> Result<Option<String>, BrokerError>;
        fn dead_processes() -> Result<Vec<String>, BrokerError>;
    }

    Processes {
        fn servers() -> Result<Vec<(ServerInfo, Vec<WorkerInfo>)>, BrokerError>;
        fn scheduler_entries() -> Result<Vec<SchedulerEntry>, BrokerError>;
        fn enqueue_events(entry_id: &str, offset: usize, limit: usize)
            -> Result<Vec<SchedulerEnqueueEvent>, BrokerError>;
        fn write_run_times(info: &ServerInfo, times: &Bytes, ttl: Duration) -> Result<(), BrokerError>;
        fn run_times() -> Result<Vec<(String, Bytes)>, BrokerError>;
        fn remove_stale_processes() -> Result<usize, BrokerError>;
        fn cluster_key_slot(queue: &QueueName) -> Result<Option<u16>, BrokerError>;
        fn cluster_nodes(queue: &QueueName) -> Result<Option<Vec<ClusterNode>>, BrokerError>;
        fn cluster_members() -> Result<Option<Vec<ClusterMember>>, BrokerError>;
        fn store_info() -> Result<StoreInfo, BrokerError>;
    }

    Admission {
        fn take_turn(turn: &Turn<'_>) -> Result<Option<Duration>, BrokerError>;
        fn acquire_token(token: &Token<'_>) -> Result<bool, BrokerError>;
        fn release_token(scope: &str, id: &TaskId) -> Result<bool, BrokerError>;
    }

    Audit {
        fn note_change(entry: &AuditEntry) -> Result<bool, BrokerError>;
        fn changes_noted(before: Option<AuditId>, limit: usize)
            -> Result<Option<Vec<(AuditId, AuditEntry)>>, BrokerError>;
    }

    Waits {
        fn watch(queue: &QueueName, id: &TaskId) -> Result<Watched, BrokerError>;
        fn run_ends() -> Result<Box<dyn Messages>, BrokerError>;
    }

    Timetable {
        fn timetable(seen: Option<u64>) -> Result<Option<TimetableRows>, BrokerError>;
        fn timetable_row(name: &str) -> Result<Option<Bytes>, BrokerError>;
        fn change_timetable(name: &str, expected: Option<&Bytes>, new: Option<&Bytes>)
            -> Result<TimetableChange, BrokerError>;
    }

    ServerTime {
        fn time() -> Result<Timestamp, BrokerError>;
    }
}

impl DistantBroker {
    /// Notes what the store did, before the network can lose the answer.
    fn note(&self, settle: &[Settlement], exchanged: &Exchanged) {
        let Link { machine, history, .. } = &*self.link;
        for (settlement, settled) in settle.iter().zip(&exchanged.settled) {
            let (machine, id) = (machine.clone(), settlement.id.to_string());
            history.note(match settled {
                Settled::Applied => Event::Settled {
                    machine,
                    id,
                    run: settlement.run.clone(),
                    went: Went::of(&settlement.transition),
                },
                // The memory broker answers for all queues, or not at all.
                Settled::Refused | Settled::Unanswered => Event::Refused { machine, id },
            });
        }
        for leased in &exchanged.leased {
            let (machine, id) = (machine.clone(), leased.id.to_string());
            history.note(Event::Leased { machine, id, run: leased.run.clone() });
        }
    }
}

/// Hears of work through the link.
#[derive(Debug)]
struct DistantWaiter {
    waiter: Box<dyn Waiter>,
    link: Arc<Link>,
}

#[async_trait]
impl Waiter for DistantWaiter {
    async fn wait(&mut self, paused: &[QueueName]) -> Result<Option<QueueName>, BrokerError> {
        self.link.call("wait", self.waiter.wait(paused)).await
    }

    fn came_in_time(&mut self, has_taken: bool) {
        self.waiter.came_in_time(has_taken);
    }

    fn let_others_first(&mut self) {
        self.waiter.let_others_first();
    }
}
