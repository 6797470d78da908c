//! New tasks: what is stored, and what is refused.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::suite::case_list;
use super::world::{
    LOCK, World, done, grouped, ids, message, pending, pending_in, queue, scheduled, settlement, strict,
    unique,
};
use super::{Corruption, Dump, Value};
use crate::broker::{EnqueueError, NewTask, Placement, Settled, Transition};
use crate::wire::TaskMessage;

case_list! { "enqueue":
    stores_a_pending_task,
    stores_a_scheduled_task,
    stores_a_grouped_task,
    stores_what_is_due_in_the_past_as_scheduled,
    takes_the_lock_of_a_unique_task,
    writes_the_lock_key_in_every_placement,
    keeps_the_message_byte_for_byte,
    keeps_names_as_they_are,
    puts_new_tasks_behind_older_ones,
    answers_each_task_in_order,
    answers_nothing_for_nothing,
    refuses_a_taken_id,
    refuses_a_taken_id_in_every_state,
    refuses_the_second_of_a_batch,
    of_those_with_one_id_the_first_stays,
    a_taken_id_keeps_no_other_of_its_batch_out,
    stores_more_than_lua_can_unpack,
    allows_the_same_id_in_another_queue,
    a_taken_id_leaves_the_lock_free,
    refuses_a_duplicate,
    tells_the_duplicate_before_the_taken_id,
    the_lock_ends_with_its_time,
    a_key_without_a_time_takes_no_lock,
    a_lock_may_last_for_ever,
    registers_the_queue_every_time,
}

fn hash(fields: &[(&str, &[u8])]) -> Value {
    let owned = |(name, value): &(&str, &[u8])| ((*name).to_owned(), Bytes::copy_from_slice(value));
    Value::Hash(fields.iter().map(owned).collect::<BTreeMap<_, _>>())
}

fn set(members: &[&'static str]) -> Value {
    Value::Set(members.iter().map(|member| Bytes::from_static(member.as_bytes())).collect::<BTreeSet<_>>())
}

/// A store that knows `q`, and nothing else yet.
fn with_queue() -> Dump {
    let mut dump = Dump::default();
    dump.insert("asynq:queues", set(&["q"]), None);
    dump
}

async fn stores_a_pending_task(world: World) {
    world.store(&[pending("a")]).await;
    let since = world.clock.unix_nanos().to_string();
    let mut expected = with_queue();
    expected.insert("asynq:{q}:pending", Value::List(vec![Bytes::from_static(b"a")]), None);
    let fields: &[(&str, &[u8])] =
        &[("msg", &message("a").encode()), ("state", b"pending"), ("pending_since", since.as_bytes())];
    expected.insert("asynq:{q}:t:a", hash(fields), None);
    world.dump().await.assert_same(&expected, "one pending task");
}

async fn stores_a_scheduled_task(world: World) {
    let at = world.now() + 90;
    world.store(&[scheduled("a", at)]).await;
    let mut expected = with_queue();
    expected.insert("asynq:{q}:scheduled", Value::ZSet(vec![(Bytes::from_static(b"a"), at)]), None);
    let fields: &[(&str, &[u8])] = &[("msg", &message("a").encode()), ("state", b"scheduled")];
    expected.insert("asynq:{q}:t:a", hash(fields), None);
    world.dump().await.assert_same(&expected, "one scheduled task");
}

async fn stores_a_grouped_task(world: World) {
    world.store(&[grouped("a")]).await;
    let mut expected = with_queue();
    expected.insert("asynq:{q}:groups", set(&["g"]), None);
    expected.insert("asynq:{q}:g:g", Value::ZSet(vec![(Bytes::from_static(b"a"), world.now())]), None);
    let fields: &[(&str, &[u8])] =
        &[("msg", &grouped("a").message.encode()), ("state", b"aggregating"), ("group", b"g")];
    expected.insert("asynq:{q}:t:a", hash(fields), None);
    world.dump().await.assert_same(&expected, "one task in a group");
}

async fn stores_what_is_due_in_the_past_as_scheduled(world: World) {
    // Whether a time is past is the caller's question.
    let at = world.now() - 5;
    world.store(&[scheduled("a", at), scheduled("b", -7)]).await;
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.scheduled()), [("b".to_owned(), -7), ("a".to_owned(), at)]);
}

async fn takes_the_lock_of_a_unique_task(world: World) {
    world.store(&[unique(pending("a"), 60)]).await;
    let dump = world.dump().await;
    assert_eq!(dump.string(LOCK).as_deref(), Some("a"));
    let expires_at = dump.expires_at(LOCK).expect("a lock goes away");
    assert!((expires_at - world.now() - 60).abs() <= 5, "{expires_at} is not in 60 seconds");
    assert_eq!(dump.hash("asynq:{q}:t:a")["unique_key"], LOCK);
}

async fn writes_the_lock_key_in_every_placement(world: World) {
    let later = world.now() + 100;
    let tasks = [pending("a"), scheduled("b", later), grouped("c")].map(|task| {
        let key = format!("{LOCK}:{}", task.message.id);
        NewTask { message: TaskMessage { unique_key: key, ..task.message }, unique_ttl: 60, ..task }
    });
    world.store(&tasks).await;
    let dump = world.dump().await;
    for id in ["a", "b", "c"] {
        let key = format!("{LOCK}:{id}");
        assert_eq!(dump.string(&key).as_deref(), Some(id));
        assert_eq!(dump.hash(&world.keys.task(id))["unique_key"], key);
    }
}

async fn keeps_the_message_byte_for_byte(world: World) {
    let message = TaskMessage {
        payload: Bytes::from((0..=255).collect::<Vec<u8>>()),
        retry: -1,
        deadline: i64::MAX,
        retention: 9,
        headers: [("k", ""), ("", "v"), ("ß", "x\n")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        // A field that this version does not know: number 30, "new".
        unknown: b"\xf2\x01\x03new".to_vec(),
        ..message("a")
    };
    world.store(&[NewTask { message: message.clone(), ..pending("a") }]).await;
    assert_eq!(world.dump().await.hash("asynq:{q}:t:a")["msg"], message.encode());
    assert_eq!(world.lease_one().await.message.expect("a readable message"), message);
}

async fn keeps_names_as_they_are(world: World) {
    for name in [" Ä:{x} ", "a:b:t:c", "*?[x]", "-1"] {
        let (queue, id) = (queue(name), format!("{name}\u{1F980}:t:\r\n"));
        world.store(&[pending_in(name, &id)]).await;
        let keys = world.queue_keys(&queue);
        let dump = world.dump().await;
        assert!(dump.set("asynq:queues").contains(&name.to_owned()));
        assert_eq!(dump.list(&keys.pending()), [id.as_str()]);
        assert!(dump.contains(&keys.task(&id)));
        let leased = world.exchange(&[], &strict(2, &[&queue])).await.leased;
        assert_eq!(ids(&leased), [id.as_str()]);
        let settled = world.exchange(&[settlement(&leased[0], done())], &strict(0, &[])).await;
        assert_eq!(settled.settled, [Settled::Applied]);
        assert!(!world.dump().await.contains(&keys.task(&id)));
    }
}

async fn puts_new_tasks_behind_older_ones(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.store_pending(&["c"]).await;
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["c", "b", "a"]);
    assert_eq!(ids(&world.lease(3).await), ["a", "b", "c"]);
}

async fn answers_each_task_in_order(world: World) {
    world.store(&[unique(pending("holder"), 60)]).await;
    let tasks = [
        pending("a"),
        pending("holder"),
        unique(pending("b"), 60),
        pending_in("other", "holder"),
        grouped("c"),
        scheduled("c", world.now() + 1),
        scheduled("d", world.now() + 1),
    ];
    let results = world.broker.enqueue(&tasks).await;
    let told = results.iter().map(|result| match result {
        Ok(()) => "ok",
        Err(EnqueueError::IdConflict) => "conflict",
        Err(EnqueueError::Duplicate { holder }) => holder,
        Err(EnqueueError::Broker(_)) => "broker",
    });
    assert_eq!(told.collect::<Vec<_>>(), ["ok", "conflict", "holder", "ok", "ok", "conflict", "ok"]);
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["a", "holder"]);
    assert_eq!(dump.set("asynq:queues"), ["other", "q"]);
}

async fn answers_nothing_for_nothing(world: World) {
    assert!(world.broker.enqueue(&[]).await.is_empty());
    assert_eq!(world.dump().await, Dump::default());
}

async fn assert_conflict(world: &World, task: NewTask, why: &str) {
    let before = world.dump().await;
    let result = world.enqueue(task).await;
    assert!(matches!(result, Err(EnqueueError::IdConflict)), "{why}: {result:?}");
    world.dump().await.assert_same(&before, why);
}

async fn refuses_a_taken_id(world: World) {
    world.store(&[pending("a")]).await;
    let other = TaskMessage { payload: Bytes::from_static(b"other"), ..message("a") };
    let later = Placement::Scheduled(world.now() + 9);
    assert_conflict(&world, NewTask { message: other.clone(), ..pending("a") }, "pending").await;
    assert_conflict(&world, NewTask { message: other, placement: later, ..pending("a") }, "scheduled").await;
    assert_conflict(&world, grouped("a"), "grouped").await;
}

async fn refuses_a_taken_id_in_every_state(world: World) {
    world.store(&[grouped("grouped"), scheduled("scheduled", world.now() + 9)]).await;
    let (at, until) = (world.now() + 9, world.now() + 9);
    for (id, transition) in [
        ("retry", Transition::Retry { message: message("retry"), at, is_failure: true }),
        ("archived", Transition::Archive { message: None, unique_key: String::new() }),
        ("completed", Transition::Complete { message: message("completed"), until, result: None }),
    ] {
        let leased = world.active(id).await;
        world.apply(&leased, transition).await;
    }
    world.active("active").await;
    for id in ["grouped", "scheduled", "active", "retry", "archived", "completed"] {
        assert_conflict(&world, pending(id), id).await;
    }
}

async fn refuses_the_second_of_a_batch(world: World) {
    let results = world.broker.enqueue(&[pending("a"), pending("a")]).await;
    assert!(matches!(results[..], [Ok(()), Err(EnqueueError::IdConflict)]), "{results:?}");
    let twins = [unique(pending("b"), 60), unique(pending("c"), 60)];
    let results = world.broker.enqueue(&twins).await;
    assert!(
        matches!(&results[..], [Ok(()), Err(EnqueueError::Duplicate { holder })] if holder == "b"),
        "{results:?}"
    );
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["b", "a"]);
}

/// A task with this payload.
fn with_payload(payload: &'static str, mut task: NewTask) -> NewTask {
    task.message.payload = Bytes::from_static(payload.as_bytes());
    task
}

fn in_group(group: &str, mut task: NewTask) -> NewTask {
    group.clone_into(&mut task.message.group_key);
    task
}

/// Whether each was stored; whoever was not had a taken ID.
fn stored(results: &[Result<(), EnqueueError>]) -> Vec<bool> {
    let stored = results.iter().map(|result| match result {
        Ok(()) => true,
        Err(EnqueueError::IdConflict) => false,
        Err(other) => panic!("{other:?}"),
    });
    stored.collect()
}

async fn of_those_with_one_id_the_first_stays(world: World) {
    let batch = [
        with_payload("first", pending("a")),
        pending("b"),
        with_payload("second", pending("a")),
        with_payload("third", pending("a")),
        pending("c"),
    ];
    let results = world.broker.enqueue(&batch).await;
    assert_eq!(stored(&results), [true, true, false, false, true]);
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["c", "b", "a"]);
    let leased = world.lease(3).await;
    assert_eq!(ids(&leased), ["a", "b", "c"]);
    assert_eq!(leased[0].message.as_ref().expect("it is one").payload, "first");

    let batch = [
        in_group("g", with_payload("first", grouped("d"))),
        in_group("h", with_payload("second", grouped("d"))),
        in_group("g", with_payload("third", grouped("d"))),
        in_group("i", grouped("e")),
        in_group("h", with_payload("fourth", grouped("d"))),
    ];
    let results = world.broker.enqueue(&batch).await;
    assert_eq!(stored(&results), [true, false, false, true, false]);
    let dump = world.dump().await;
    assert_eq!(dump.set(&world.keys.groups()), ["g", "i"]);
    assert!(!dump.contains(&world.keys.group("h")));
    let task = dump.hash(&world.keys.task("d"));
    assert_eq!((&task["msg"], &*task["group"]), (&Bytes::from(batch[0].message.encode()), &b"g"[..]));
}

async fn a_taken_id_keeps_no_other_of_its_batch_out(world: World) {
    world.store(&[pending("a"), grouped("b")]).await;
    let results = world.broker.enqueue(&[pending("c"), pending("a"), pending("d"), pending("c")]).await;
    assert_eq!(stored(&results), [true, false, true, false]);
    let results = world.broker.enqueue(&[grouped("e"), grouped("a"), grouped("b"), grouped("f")]).await;
    assert_eq!(stored(&results), [true, false, false, true]);
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["d", "c", "a"]);
    for id in ["b", "e", "f"] {
        assert!(dump.contains(&world.keys.task(id)), "{id}");
    }
}

async fn stores_more_than_lua_can_unpack(world: World) {
    let batch: Vec<_> = (0..1_001).map(|n| pending(&format!("{n:04}"))).collect();
    let results = world.broker.enqueue(&batch).await;
    assert_eq!(stored(&results), [true; 1_001]);
    let dump = world.dump().await;
    let pending = dump.list(&world.keys.pending());
    assert_eq!((pending.len(), &*pending[0], &*pending[1_000]), (1_001, "1000", "0000"));
}

async fn allows_the_same_id_in_another_queue(world: World) {
    world.store(&[pending("a"), pending_in("other", "a")]).await;
    let dump = world.dump().await;
    assert!(dump.contains("asynq:{q}:t:a") && dump.contains("asynq:{other}:t:a"));
}

async fn a_taken_id_leaves_the_lock_free(world: World) {
    world.store(&[pending("a")]).await;
    assert_conflict(&world, unique(pending("a"), 60), "the ID is taken").await;
    assert_conflict(&world, unique(scheduled("a", world.now() + 5), 60), "the ID is taken").await;
    assert_conflict(&world, unique(grouped("a"), 60), "the ID is taken").await;
    world.store(&[unique(pending("b"), 60)]).await;
}

async fn assert_duplicate(world: &World, task: NewTask, of: &str, why: &str) {
    let before = world.dump().await;
    let result = world.enqueue(task).await;
    assert!(matches!(&result, Err(EnqueueError::Duplicate { holder }) if holder == of), "{why}: {result:?}");
    world.dump().await.assert_same(&before, why);
}

async fn refuses_a_duplicate(world: World) {
    world.store(&[unique(pending("a"), 60)]).await;
    assert_duplicate(&world, unique(pending("b"), 60), "a", "pending").await;
    assert_duplicate(&world, unique(scheduled("b", world.now() + 5), 60), "a", "scheduled").await;
    assert_duplicate(&world, unique(grouped("b"), 60), "a", "grouped").await;
}

async fn tells_the_duplicate_before_the_taken_id(world: World) {
    world.store(&[unique(pending("a"), 60)]).await;
    assert_duplicate(&world, unique(pending("a"), 60), "a", "the same task again").await;
}

async fn the_lock_ends_with_its_time(world: World) {
    world.store(&[unique(scheduled("a", world.now() + 500), 60)]).await;
    world.advance(50).await;
    assert_duplicate(&world, unique(pending("b"), 60), "a", "the lock still holds").await;
    world.advance(10).await;
    world.store(&[unique(pending("b"), 60)]).await;
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("b"));
}

async fn a_key_without_a_time_takes_no_lock(world: World) {
    world.store(&[unique(pending("a"), 0), unique(pending("b"), 0)]).await;
    assert!(!world.dump().await.contains(LOCK));
    world.store(&[unique(pending("holder"), 60), unique(pending("c"), 0)]).await;
    let dump = world.dump().await;
    assert_eq!(dump.string(LOCK).as_deref(), Some("holder"), "and asks for none");
    assert!(!dump.hash("asynq:{q}:t:a").contains_key("unique_key"), "the task holds none");
}

async fn a_lock_may_last_for_ever(world: World) {
    world.store(&[pending("a"), unique(pending("b"), i64::MAX), pending("c")]).await;
    world.advance(1_000_000).await;
    assert_duplicate(&world, unique(pending("d"), 60), "b", "it still holds").await;
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["c", "b", "a"]);
}

async fn registers_the_queue_every_time(world: World) {
    world.store(&[pending("a")]).await;
    world.corrupt(Corruption::ForgetQueue { queue: world.queue.clone() }).await;
    assert!(!world.dump().await.contains("asynq:queues"));
    world.store(&[pending("b")]).await;
    assert_eq!(world.dump().await.set("asynq:queues"), ["q"]);
}
