//! What is stored with a task, and is anything: reading it gives a task or says why not.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::lock::LockInfo;
use super::snapshot::Snapshot;
use super::task_detail::StoredTask;
use crate::task::{QueueName, TaskId};
use crate::wire::TaskMessage;

/// Fields that mean something, here or in Go, and one that does not.
const FIELDS: [&str; 11] = [
    "msg",
    "state",
    "group",
    "pending_since",
    "result",
    "unique_key",
    "x_own",
    "x_run",
    "x_crash",
    "x_until",
    "x_new",
];

fn value() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Bytes::from),
        prop::sample::select(vec![
            "pending",
            "active",
            "retry",
            "archived",
            "completed",
            "-1",
            "9223372036854775808"
        ])
        .prop_map(|text| Bytes::from_static(text.as_bytes())),
        any::<i64>().prop_map(|number| number.to_string().into()),
        message(),
    ]
}

/// A message whose numbers are anything.
fn message() -> impl Strategy<Value = Bytes> {
    (any::<[i64; 4]>(), any::<[i32; 2]>(), any::<String>()).prop_map(|(numbers, counts, text)| {
        let [timeout, deadline, retention, completed_at] = numbers;
        let [retry, retried] = counts;
        let last_failed_at = timeout ^ deadline;
        let message = TaskMessage {
            task_type: text.clone(),
            id: text.clone(),
            queue: text.clone(),
            group_key: text.clone(),
            unique_key: text,
            retry,
            retried,
            timeout,
            deadline,
            retention,
            completed_at,
            last_failed_at,
            ..TaskMessage::default()
        };
        message.encode().into()
    })
}

proptest! {
    #[test]
    fn a_hash_of_anything_is_a_task_or_says_why_not(
        fields in prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), value(), 0..FIELDS.len()),
        scores in any::<[Option<i64>; 3]>(),
        now: i64,
    ) {
        let fields: BTreeMap<String, Bytes> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let has_message = fields.contains_key("msg");
        let [lease_until, scheduled, retry] = scores;
        let stored = StoredTask { fields, lease_until, scheduled, retry };
        let read = stored.into_detail(&QueueName::default(), &TaskId::stored("id"), now);
        prop_assert_eq!(read.is_some(), has_message);
        if let Some(Ok(detail)) = read {
            prop_assert!(detail.own_fields.keys().all(|name| name.starts_with("x_")));
        }
    }

    #[test]
    fn a_snapshot_of_anything_is_a_task_or_says_why_not(
        message in value(), state: String, scores in any::<[Option<i64>; 2]>(), now: i64,
    ) {
        let snapshot = Snapshot { message, state, result: None, lease_until: scores[0], due: scores[1] };
        if let Err(unreadable) = snapshot.into_info(&QueueName::default(), &TaskId::stored("id"), now) {
            prop_assert!(!unreadable.to_string().is_empty());
        }
    }

    #[test]
    fn a_lock_of_anything_is_read(value: Option<String>, left: Option<u64>, until: Option<Vec<u8>>) {
        let left = left.map(Duration::from_secs);
        let lock = LockInfo::read("key".to_owned(), value.as_deref(), left, until.as_deref());
        prop_assert_eq!(lock.holder.is_some(), value.is_some());
    }
}
