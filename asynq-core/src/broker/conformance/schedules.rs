//! What schedulers need: a tick that happens once, and what their tools show.

use std::time::Duration;

use super::suite::case_list;
use super::world::{LOCK, World, grouped, pending, pending_in, queue, scheduled, unique};
use crate::broker::{EnqueueError, HISTORY_LIMIT, NewTask, TICK_AGE, Tick, Ticked};
use crate::clock::from_unix_seconds;
use crate::task::TaskState;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry, WireTimestamp};

case_list! { "schedules":
    an_entry_begins_when_it_is_first_seen,
    a_tick_is_enqueued_once,
    a_tick_before_the_last_one_has_passed,
    a_tick_that_was_done_is_not_repeated,
    a_tick_wakes_a_worker_as_any_task_does,
    entries_and_queues_do_not_disturb_each_other,
    a_tick_goes_where_its_options_say,
    a_tick_that_is_refused_has_had_its_turn,
    marks_are_forgotten_long_after_the_last_tick,
    publishes_entries,
    replaces_what_a_scheduler_published,
    a_schedulers_entries_go_away_by_themselves,
    clears_a_scheduler,
    keeps_the_newest_events,
    b23_a_history_goes_away_by_itself,
    clears_a_history,
}

const KEY: &str = "asynq:schedulers:{host:1:id}";
const HISTORY: &str = "asynq:scheduler_history:e";

async fn tick_of(world: &World, entry: &str, at: i64, task: NewTask) -> Result<Ticked, EnqueueError> {
    world.broker.enqueue_tick(&Tick { entry: entry.to_owned(), at }, &task).await
}

async fn tick(world: &World, at: i64, id: &str) -> Ticked {
    tick_of(world, "e", at, pending(id)).await.expect("the store answers")
}

/// The mark of an entry in `q`.
async fn last(world: &World, entry: &str) -> Option<i64> {
    let marks = world.dump().await.zset("asynq:{q}:x:tick");
    marks.into_iter().find(|(name, _)| name == entry).map(|(_, at)| at)
}

async fn an_entry_begins_when_it_is_first_seen(world: World) {
    let now = world.now();
    let mark =
        async |since| world.broker.tick_mark(&world.queue, "e", since).await.expect("the store answers");
    assert_eq!(mark(now).await, now);
    assert_eq!(mark(now + 5).await, now);
    assert_eq!(mark(now - 5).await, now);
    let dump = world.dump().await;
    let age = i64::try_from(TICK_AGE.as_secs()).expect("not that long");
    assert_eq!(dump.expires_at("asynq:{q}:x:tick"), Some(now + age));
    assert_eq!(dump.entries.len(), 1, "that is all");
    assert_eq!(tick(&world, now, "a").await, Ticked::Passed);
    assert_eq!(tick(&world, now + 1, "a").await, Ticked::Enqueued);
    assert_eq!(mark(now).await, now + 1);
}

async fn a_tick_is_enqueued_once(world: World) {
    assert_eq!(last(&world, "e").await, None);
    let now = world.now();
    assert_eq!(tick(&world, now, "a").await, Ticked::Enqueued);
    let before = world.dump().await;
    assert_eq!(tick(&world, now, "b").await, Ticked::Passed);
    assert_eq!(tick(&world, now, "a").await, Ticked::Passed);
    world.dump().await.assert_same(&before, "a tick that has passed changes nothing");
    assert_eq!(last(&world, "e").await, Some(now));
    assert_eq!(before.list("asynq:{q}:pending"), ["a"]);
    assert_eq!(before.set("asynq:queues"), ["q"]);
    assert_eq!(before.zset("asynq:{q}:x:tick"), [("e".to_owned(), now)]);
}

async fn a_tick_before_the_last_one_has_passed(world: World) {
    let now = world.now();
    assert_eq!(tick(&world, now, "a").await, Ticked::Enqueued);
    assert_eq!(tick(&world, now - 1, "b").await, Ticked::Passed);
    assert_eq!(tick(&world, now + 1, "c").await, Ticked::Enqueued);
    assert_eq!(tick(&world, now, "d").await, Ticked::Passed);
    assert_eq!(last(&world, "e").await, Some(now + 1));
}

async fn a_tick_that_was_done_is_not_repeated(world: World) {
    let now = world.now();
    assert_eq!(tick(&world, now, "a").await, Ticked::Enqueued);
    let leased = world.lease_one().await;
    world.apply(&leased, super::world::done()).await;
    assert_eq!(tick(&world, now, "a").await, Ticked::Passed, "its ID is free again");
}

async fn a_tick_wakes_a_worker_as_any_task_does(world: World) {
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    let (woken, ticked) =
        tokio::join!(tokio::time::timeout(Duration::from_secs(20), waiter.wait(&[])), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            tick(&world, world.now(), "a").await
        });
    woken.expect("it is woken").expect("the store answers");
    assert_eq!(ticked, Ticked::Enqueued);
}

async fn entries_and_queues_do_not_disturb_each_other(world: World) {
    let now = world.now();
    for (entry, task) in [("e", pending("a")), ("f", pending("b")), ("e", pending_in("other", "a"))] {
        let ticked = tick_of(&world, entry, now, task).await.expect("the store answers");
        assert_eq!(ticked, Ticked::Enqueued);
    }
    assert_eq!(tick(&world, now, "c").await, Ticked::Passed);
    let other = world.broker.tick_mark(&queue("other"), "e", now - 9).await.expect("the store answers");
    assert_eq!(other, now);
    assert_eq!(world.dump().await.zset("asynq:{q}:x:tick").len(), 2);
}

async fn a_tick_goes_where_its_options_say(world: World) {
    let now = world.now();
    for (at, task) in [
        (now, pending("pending")),
        (now + 1, scheduled("scheduled", now + 60)),
        (now + 2, grouped("grouped")),
        (now + 3, unique(pending("unique"), 30)),
    ] {
        assert_eq!(tick_of(&world, "e", at, task).await.expect("the store answers"), Ticked::Enqueued);
    }
    for (id, state) in [
        ("pending", TaskState::Pending),
        ("scheduled", TaskState::Scheduled),
        ("grouped", TaskState::Aggregating),
        ("unique", TaskState::Pending),
    ] {
        assert_eq!(world.info(id).await.expect("it is stored").state, state);
    }
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("unique"));
}

async fn a_tick_that_is_refused_has_had_its_turn(world: World) {
    let now = world.now();
    world.store(&[unique(pending("holder"), 30)]).await;
    match tick_of(&world, "e", now, unique(pending("a"), 30)).await {
        Err(EnqueueError::Duplicate { holder }) => assert_eq!(holder, "holder"),
        other => panic!("the lock is held: {other:?}"),
    }
    let again = tick_of(&world, "e", now, unique(pending("b"), 30)).await.expect("the store answers");
    assert_eq!(again, Ticked::Passed, "another scheduler with a slower clock");
    match tick_of(&world, "e", now + 1, pending("holder")).await {
        Err(EnqueueError::IdConflict) => {}
        other => panic!("the ID is taken: {other:?}"),
    }
    assert_eq!(last(&world, "e").await, Some(now + 1));
}

async fn marks_are_forgotten_long_after_the_last_tick(world: World) {
    let age = i64::try_from(TICK_AGE.as_secs()).expect("not that long");
    let now = world.now();
    assert_eq!(tick(&world, now, "a").await, Ticked::Enqueued);
    assert_eq!(world.dump().await.expires_at("asynq:{q}:x:tick"), Some(now + age));
    let later = |at, id| tick_of(&world, "f", at, pending(id));
    assert_eq!(later(now + age - 1, "b").await.expect("the store answers"), Ticked::Enqueued);
    assert_eq!(last(&world, "e").await, Some(now));
    assert_eq!(later(now + age, "c").await.expect("the store answers"), Ticked::Enqueued);
    assert_eq!(last(&world, "e").await, None);
    world.advance(TICK_AGE.as_secs() + 1).await;
    assert_eq!(last(&world, "f").await, None);
}

fn entry(id: &str) -> SchedulerEntry {
    SchedulerEntry {
        id: id.to_owned(),
        spec: "@every 1m".to_owned(),
        task_type: "t".to_owned(),
        next_enqueue_time: Some(WireTimestamp::never()),
        prev_enqueue_time: Some(WireTimestamp::never()),
        ..SchedulerEntry::default()
    }
}

async fn publish(world: &World, ids: &[&str]) {
    let entries: Vec<_> = ids.iter().map(|id| entry(id)).collect();
    let written =
        world.broker.write_scheduler_entries("host:1:id", &entries, Duration::from_millis(20_900)).await;
    written.expect("the store answers");
}

/// The IDs of the entries that are published.
async fn published(world: &World) -> Vec<String> {
    let list = world.dump().await.entries.remove(KEY).map(|entry| entry.value);
    let Some(super::Value::List(entries)) = list else { return Vec::new() };
    entries.into_iter().map(|bytes| SchedulerEntry::decode(bytes).expect("an entry").id).collect()
}

async fn publishes_entries(world: World) {
    publish(&world, &["a", "b"]).await;
    assert_eq!(published(&world).await, ["b", "a"], "in Go's order");
    let dump = world.dump().await;
    assert_eq!(dump.zset("asynq:schedulers"), [(KEY.to_owned(), world.now() + 20)]);
    assert_eq!(dump.expires_at(KEY), Some(world.now() + 20));
}

async fn replaces_what_a_scheduler_published(world: World) {
    publish(&world, &["a", "b"]).await;
    world.advance(10).await;
    publish(&world, &["c"]).await;
    assert_eq!(published(&world).await, ["c"]);
    publish(&world, &[]).await;
    assert!(!world.dump().await.contains(KEY));
    assert_eq!(world.dump().await.zset("asynq:schedulers"), [(KEY.to_owned(), world.now() + 20)]);
}

async fn a_schedulers_entries_go_away_by_themselves(world: World) {
    publish(&world, &["a"]).await;
    world.advance(21).await;
    assert!(!world.dump().await.contains(KEY));
}

async fn clears_a_scheduler(world: World) {
    publish(&world, &["a"]).await;
    world.broker.clear_scheduler_entries("host:1:other").await.expect("the store answers");
    assert_eq!(published(&world).await, ["a"]);
    world.broker.clear_scheduler_entries("host:1:id").await.expect("the store answers");
    assert!(world.dump().await.entries.is_empty());
}

async fn record(world: &World, id: &str, at: i64, keep: u64) {
    let event = SchedulerEnqueueEvent {
        task_id: id.to_owned(),
        enqueue_time: Some(WireTimestamp::from(from_unix_seconds(at))),
        ..SchedulerEnqueueEvent::default()
    };
    let recorded = world.broker.record_enqueue_event("e", &event, Duration::from_secs(keep)).await;
    recorded.expect("the store answers");
}

/// The task IDs of the history.
async fn history(world: &World) -> Vec<String> {
    let zset = world.dump().await.entries.remove(HISTORY).map(|entry| entry.value);
    let Some(super::Value::ZSet(events)) = zset else { return Vec::new() };
    let id = |(bytes, at): (bytes::Bytes, i64)| {
        let event = SchedulerEnqueueEvent::decode(bytes).expect("an event");
        assert_eq!(event.enqueue_time.expect("a time").seconds, at);
        event.task_id
    };
    events.into_iter().map(id).collect()
}

async fn keeps_the_newest_events(world: World) {
    let now = world.now();
    for (place, at) in (0_i64..).zip(now..).take(HISTORY_LIMIT + 2) {
        record(&world, &place.to_string(), at, 60).await;
    }
    let kept = history(&world).await;
    assert_eq!(kept.len(), HISTORY_LIMIT);
    assert_eq!(kept.first().map(String::as_str), Some("2"));
    assert_eq!(kept.last().map(String::as_str), Some("1001"));
}

async fn b23_a_history_goes_away_by_itself(world: World) {
    record(&world, "a", world.now(), 60).await;
    world.advance(50).await;
    record(&world, "b", world.now(), 60).await;
    world.advance(50).await;
    assert_eq!(history(&world).await, ["a", "b"], "as long as something happens");
    world.advance(11).await;
    assert!(world.dump().await.entries.is_empty());
}

async fn clears_a_history(world: World) {
    record(&world, "a", world.now(), 60).await;
    world.broker.clear_scheduler_history("f").await.expect("the store answers");
    assert_eq!(history(&world).await, ["a"]);
    world.broker.clear_scheduler_history("e").await.expect("the store answers");
    assert!(world.dump().await.entries.is_empty());
}
