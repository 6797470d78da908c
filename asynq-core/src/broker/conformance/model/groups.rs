//! [`GroupOp`]: operations on groups and aggregation sets.

use super::apply::new_task;
use super::known::{Known, Observation};
use super::op::{PlacementOp, TaskOp, group_name, queue_name};
use super::random::{random_lock, some};
use crate::broker::{Broker, BrokerError, FinishedMember, GroupRule, NewTask, RejectedMember, SetName};
use crate::task::QueueName;
use crate::wire::TaskMessage;

/// An operation on groups. Sets are counted back from the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupOp {
    /// Looks at groups.
    Look {
        /// The queue.
        queue: u8,
    },
    /// Stages a group if it is ready.
    Stage {
        /// The queue.
        queue: u8,
        /// The group.
        group: u8,
        /// From which size on it is ready, if any.
        max_size: Option<u8>,
        /// After which delay it is ready, if any, in seconds.
        max_delay: Option<u8>,
        /// The grace period in seconds.
        grace: u8,
    },
    /// Reads a set.
    Read {
        /// The set.
        set: u8,
    },
    /// Finishes the first members of a set.
    Finish {
        /// The set.
        set: u8,
        /// How many members.
        members: u8,
        /// The task that stands for them, if any.
        task: Option<TaskOp>,
    },
    /// Archives the first members of a set.
    Archive {
        /// The set.
        set: u8,
        /// How many members.
        members: u8,
        /// Whether with a message.
        with_message: bool,
    },
    /// Gives a set more time, or less.
    Extend {
        /// The set.
        set: u8,
        /// How much, in seconds.
        seconds: i8,
    },
    /// Puts stale sets back.
    Reclaim {
        /// The queue.
        queue: u8,
    },
    /// Makes groups known again.
    Mend {
        /// The queue.
        queue: u8,
        /// The groups.
        groups: Vec<u8>,
    },
}

pub(super) async fn apply(
    broker: &dyn Broker,
    op: &GroupOp,
    known: &mut Known,
) -> Result<Observation, BrokerError> {
    let now = broker.clock().unix_seconds();
    Ok(match op {
        GroupOp::Look { queue } => {
            let mut groups = broker.groups(&queue_name(*queue), 0).await?.groups;
            groups.sort_by(|one, two| one.name.cmp(&two.name));
            Observation::Groups(groups)
        }
        GroupOp::Stage { queue, group, max_size, max_delay, grace } => {
            let rule = GroupRule {
                max_size: max_size.map(|size| usize::from(size).max(1)),
                max_delay: max_delay.map(i64::from),
                grace: i64::from(*grace),
            };
            let (queue, set) = (queue_name(*queue), known.next_set(group_name(*group)));
            let staged = broker.stage_group(&queue, &set, &rule).await?;
            if staged {
                known.learn_set(queue, set);
            }
            Observation::Flag(staged)
        }
        GroupOp::Read { set } => {
            let Some((queue, set)) = known.set(*set) else { return Ok(Observation::Nothing) };
            let members = broker.read_set(&queue, &set).await?;
            let seen = members.into_iter().map(|member| (member.id, member.message.map(Result::ok)));
            Observation::Members(seen.collect())
        }
        GroupOp::Finish { set, members, task } => {
            let Some((queue, set)) = known.set(*set) else { return Ok(Observation::Nothing) };
            let all = broker.read_set(&queue, &set).await?;
            let are_all = all.len() <= usize::from(*members);
            let finished = all.into_iter().take(usize::from(*members)).map(|member| FinishedMember {
                unique_key: member
                    .message
                    .and_then(Result::ok)
                    .map(|message| message.unique_key)
                    .unwrap_or_default(),
                id: member.id,
            });
            let finished = finished.collect::<Vec<_>>();
            let task = task.as_ref().map(|task| task_in(&queue, task, known, now));
            Observation::Finished(
                broker.finish_members(&queue, &set, &finished, are_all, task.as_ref()).await?,
            )
        }
        GroupOp::Archive { set, members, with_message } => {
            let Some((queue, set)) = known.set(*set) else { return Ok(Observation::Nothing) };
            let all = broker.read_set(&queue, &set).await?;
            let rejected = all.into_iter().take(usize::from(*members)).map(|member| {
                let message = member.message.and_then(Result::ok).filter(|_| *with_message);
                let message = message.map(|m| TaskMessage { error_msg: "rejected".to_owned(), ..m });
                RejectedMember { id: member.id, message }
            });
            Observation::Flag(broker.archive_members(&queue, &set, &rejected.collect::<Vec<_>>()).await?)
        }
        GroupOp::Extend { set, seconds } => {
            let Some((queue, set)) = known.set(*set) else { return Ok(Observation::Nothing) };
            Observation::Flag(broker.extend_set(&queue, &set, now + i64::from(*seconds)).await?)
        }
        GroupOp::Reclaim { queue } => Observation::Reclaimed(broker.reclaim_sets(&queue_name(*queue)).await?),
        GroupOp::Mend { queue, groups } => {
            let groups = groups.iter().map(|group| group_name(*group)).collect::<Vec<_>>();
            Observation::Count(broker.mend_groups(&queue_name(*queue), &groups).await?)
        }
    })
}

/// The task of an operation, but in this queue.
fn task_in(queue: &QueueName, op: &TaskOp, known: &Known, now: i64) -> NewTask {
    let number = u8::from(*queue != queue_name(0));
    new_task(&TaskOp { queue: number, ..op.clone() }, known, now)
}

pub(super) fn random(rng: &mut fastrand::Rng) -> GroupOp {
    let (queue, set) = (rng.u8(..), rng.u8(..4));
    match rng.u8(..20) {
        0..2 => GroupOp::Look { queue },
        2..8 => GroupOp::Stage {
            queue,
            group: rng.u8(..),
            max_size: rng.bool().then(|| rng.u8(1..4)),
            max_delay: rng.bool().then(|| rng.u8(..40)),
            grace: rng.u8(1..40),
        },
        8..10 => GroupOp::Read { set },
        10..14 => GroupOp::Finish {
            set,
            members: rng.u8(1..4),
            task: rng.bool().then(|| TaskOp {
                queue,
                id: rng.u8(..),
                placement: match rng.u8(..4) {
                    0 => PlacementOp::Group(rng.u8(..)),
                    1 => PlacementOp::Delayed(rng.i8(-10..60), rng.u8(..)),
                    _ => PlacementOp::Pending,
                },
                unique: random_lock(rng),
            }),
        },
        14 => GroupOp::Archive { set, members: rng.u8(1..3), with_message: rng.bool() },
        15..17 => GroupOp::Extend { set, seconds: rng.i8(-10..100) },
        17..19 => GroupOp::Reclaim { queue },
        _ => GroupOp::Mend { queue, groups: some(rng, 3, |rng| rng.u8(..)) },
    }
}

/// The sets that were staged.
#[derive(Debug, Default)]
pub(super) struct KnownSets {
    made: usize,
    staged: Vec<(QueueName, SetName)>,
}

impl Known {
    fn next_set(&mut self, group: String) -> SetName {
        self.sets.made += 1;
        SetName { group, id: format!("set-{}", self.sets.made) }
    }

    fn learn_set(&mut self, queue: QueueName, set: SetName) {
        self.sets.staged.push((queue, set));
    }

    fn set(&self, back: u8) -> Option<(QueueName, SetName)> {
        let back = usize::from(back) % self.sets.staged.len().max(1);
        self.sets.staged.iter().nth_back(back).cloned()
    }
}
