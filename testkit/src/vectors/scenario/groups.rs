//! `rdb.*` operations on groups, by our broker's.

use std::collections::HashMap;
use std::time::Duration;

use asynq_core::broker::{Broker, BrokerError, FinishedMember, GroupRule, SetName};
use asynq_core::task::QueueName;
use asynq_core::wire::TaskMessage;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::decoded;
use crate::vectors::file::parse;
use crate::vectors::inputs::error;

/// What we have of Go's operations.
pub(super) const OPERATIONS: &[&str] = &[
    "list_groups",
    "aggregation_check",
    "read_aggregation_set",
    "delete_aggregation_set",
    "reclaim_stale_aggregation_sets",
];

/// The sets of a case.
#[derive(Default)]
pub(super) struct Sets {
    /// The last set of each group.
    last: HashMap<String, SetName>,
    /// When the time of a set is up.
    until: HashMap<String, i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Arguments {
    queue: String,
    group: String,
    set_id: String,
    grace_ms: u64,
    max_delay_ms: u64,
    max_size: usize,
}

impl Sets {
    /// Runs an operation: its result.
    pub(super) async fn step(
        &mut self,
        broker: &dyn Broker,
        op: &str,
        raw: &RawValue,
    ) -> Result<Value, BrokerError> {
        let given: Arguments = parse(raw);
        let queue = QueueName::new(&given.queue).unwrap();
        match op {
            "list_groups" => {
                let (mut names, mut cursor) = (Vec::new(), 0);
                loop {
                    let page = broker.groups(&queue, cursor).await?;
                    names.extend(page.groups.into_iter().map(|group| group.name));
                    cursor = page.next;
                    if cursor == 0 {
                        break;
                    }
                }
                names.sort();
                names.dedup();
                Ok(json!({"groups": names}))
            }
            "aggregation_check" => self.check(broker, &queue, &given).await,
            "read_aggregation_set" => {
                let set = self.set(&given);
                let members = broker.read_set(&queue, &set).await?;
                let mut messages = Vec::new();
                for message in members.into_iter().filter_map(|member| member.message) {
                    match message {
                        Ok(message) => messages.push(decoded::task(&message)),
                        Err(undecodable) => return Ok(error("decode", undecodable.error)),
                    }
                }
                Ok(json!({"deadline_unix": self.until.get(&set.id), "task_messages": messages}))
            }
            "delete_aggregation_set" => {
                let set = self.set(&given);
                let members = broker.read_set(&queue, &set).await?;
                let members = members.into_iter().map(|member| {
                    let message = member.message.and_then(Result::ok);
                    let unique_key = message.map(|message: TaskMessage| message.unique_key);
                    FinishedMember { id: member.id, unique_key: unique_key.unwrap_or_default() }
                });
                broker.finish_members(&queue, &set, &members.collect::<Vec<_>>(), true, None).await?;
                Ok(json!({"ok": true}))
            }
            "reclaim_stale_aggregation_sets" => {
                let now = broker.clock().unix_seconds();
                while broker.reclaim_sets(&queue).await?.next_due.is_some_and(|due| due <= now) {}
                Ok(json!({"ok": true}))
            }
            _ => panic!("unknown operation rdb.{op}"),
        }
    }

    async fn check(
        &mut self,
        broker: &dyn Broker,
        queue: &QueueName,
        given: &Arguments,
    ) -> Result<Value, BrokerError> {
        // Zero is how Go says that there is no limit.
        let seconds = |millis| Duration::from_millis(millis).as_secs().cast_signed();
        let rule = GroupRule {
            max_size: Some(given.max_size).filter(|&size| size > 0),
            max_delay: Some(seconds(given.max_delay_ms)).filter(|&delay| delay > 0),
            grace: seconds(given.grace_ms),
        };
        let set = SetName::new(&given.group);
        if !broker.stage_group(queue, &set, &rule).await? {
            return Ok(json!({"created": false, "set_id": ""}));
        }
        let until = broker.reclaim_sets(queue).await?.next_due;
        self.until.extend(until.map(|until| (set.id.clone(), until)));
        let answer = json!({"created": true, "set_id": set.id});
        self.last.insert(given.group.clone(), set);
        Ok(answer)
    }

    /// The set that is named, or the last one of the group.
    fn set(&self, given: &Arguments) -> SetName {
        match self.last.get(&given.group) {
            Some(last) if given.set_id.is_empty() => last.clone(),
            _ => SetName { group: given.group.clone(), id: given.set_id.clone() },
        }
    }
}
