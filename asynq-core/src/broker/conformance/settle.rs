//! Settlements: where each transition leads, and who may not settle.

use std::time::Duration;

use bytes::Bytes;

use super::suite::case_list;
use super::world::{
    LOCK, World, done, failed, field, foreign_run, ids, message, pending, queue, requeue, settlement,
    task_id, unique,
};
use super::{Corruption, Dump};
use crate::broker::{ArchiveLimits, Demand, STATISTICS_AGE, Settled, Settlement, Transition};
use crate::wire::TaskMessage;

case_list! { "settle":
    done_deletes_and_counts,
    done_releases_its_own_lock_only,
    done_without_a_key_leaves_the_lock,
    complete_keeps_the_task,
    complete_keeps_an_earlier_result,
    complete_releases_the_lock_of_the_message,
    retry_stores_the_failure,
    retry_that_is_no_failure_counts_nothing,
    retry_keeps_fields_of_others,
    put_back_counts_a_miss_and_nothing_else,
    put_back_archives_at_its_limit,
    put_back_counts_anew_what_is_no_number,
    archive_counts_and_keeps_the_lock,
    archive_without_a_message_keeps_the_bytes,
    archive_drops_what_is_too_old,
    archive_keeps_fewer_than_its_limit,
    archive_keeps_as_many_as_its_handle_says,
    archive_keeps_nothing_where_nothing_is_to_be_kept,
    archive_releases_the_lock_if_told,
    requeue_puts_the_task_back_as_next,
    requeue_after_a_crash_counts_it,
    counts_a_crash_whatever_was_counted,
    counts_a_batch_once,
    counts_every_day_by_itself,
    daily_counters_go_away,
    counters_start_again_when_full,
    a_full_failed_counter_starts_with_processed,
    refuses_another_run,
    refuses_a_run_that_another_lease_replaced,
    refuses_what_is_not_active,
    refuses_the_second_of_two,
    refuses_in_a_queue_that_is_not,
    refuses_a_run_of_a_task_that_is_gone,
    settles_after_the_lease_ended,
    settles_when_the_lease_entry_is_lost,
    settles_a_run_without_a_token,
    refuses_an_earlier_run_of_the_same_task,
    keeps_the_order_of_a_batch,
    puts_tasks_back_in_order,
    settles_thousands_at_once,
    settles_many_of_very_many_in_any_order,
}

/// Everything that is left of the one task of a queue that has none anymore.
async fn assert_only_counters(world: &World) {
    let keys = world.dump().await.entries.into_keys().collect::<Vec<_>>();
    let counters = ["asynq:{q}:processed", "asynq:{q}:failed"];
    let left = keys
        .iter()
        .filter(|key| *key != "asynq:queues" && !counters.iter().any(|counter| key.starts_with(counter)));
    assert_eq!(left.count(), 0, "{keys:?}");
}

fn some(counts: [i64; 4]) -> [Option<String>; 4] {
    counts.map(|count| (count != 0).then(|| count.to_string()))
}

/// A success that is kept for a minute.
fn complete(world: &World, message: TaskMessage, result: Option<&'static [u8]>) -> Transition {
    Transition::Complete { message, until: world.now() + 60, result: result.map(Bytes::from_static) }
}

/// A failure that is due again in a minute.
fn retry(world: &World, message: TaskMessage, is_failure: bool) -> Transition {
    Transition::Retry { message, at: world.now() + 60, is_failure }
}

async fn done_deletes_and_counts(world: World) {
    let leased = world.active("a").await;
    world.apply(&leased, done()).await;
    assert_only_counters(&world).await;
    let dump = world.dump().await;
    assert_eq!(world.counters(&dump), some([1, 1, 0, 0]));
    assert_eq!(dump.expires_at(&world.keys.processed_total()), None);
    let today = dump.expires_at(&world.keys.processed(world.clock.now())).expect("a daily counter goes away");
    assert_eq!(today, world.now() + i64::try_from(STATISTICS_AGE.as_secs()).expect("90 days"));
}

async fn done_releases_its_own_lock_only(world: World) {
    let release = || Transition::Done { unique_key: LOCK.to_owned() };
    let leased = world.active_task(unique(pending("a"), 60)).await;
    world.apply(&leased, release()).await;
    assert!(!world.dump().await.contains(LOCK));

    let leased = world.active_task(unique(pending("a"), 60)).await;
    world.advance(60).await;
    world.store(&[unique(pending("b"), 60)]).await;
    world.apply(&leased, release()).await;
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("b"), "the lock is somebody else's by now");
}

async fn done_without_a_key_leaves_the_lock(world: World) {
    let leased = world.active_task(unique(pending("a"), 60)).await;
    world.apply(&leased, done()).await;
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("a"));
}

async fn complete_keeps_the_task(world: World) {
    let leased = world.active("a").await;
    let message = TaskMessage { completed_at: world.now(), retention: 60, ..message("a") };
    world.apply(&leased, complete(&world, message.clone(), Some(b"\x00result"))).await;
    let dump = world.dump().await;
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["msg", "result", "state"]);
    assert_eq!(hash["msg"], message.encode());
    assert_eq!(hash["result"], Bytes::from_static(b"\x00result"));
    assert_eq!(field(&hash, "state"), Some("completed"));
    assert_eq!(dump.zset(&world.keys.completed()), [("a".to_owned(), world.now() + 60)]);
    assert!(!dump.contains(&world.keys.active()) && !dump.contains(&world.keys.lease()));
    assert_eq!(world.counters(&dump), some([1, 1, 0, 0]));
}

async fn complete_keeps_an_earlier_result(world: World) {
    let leased = world.active("a").await;
    world.set_field("a", "result", b"early").await;
    world.apply(&leased, complete(&world, message("a"), None)).await;
    assert_eq!(field(&world.dump().await.hash("asynq:{q}:t:a"), "result"), Some("early"));
}

async fn complete_releases_the_lock_of_the_message(world: World) {
    let leased = world.active_task(unique(pending("a"), 60)).await;
    world.apply(&leased, complete(&world, unique(pending("a"), 60).message, None)).await;
    let dump = world.dump().await;
    assert!(!dump.contains(LOCK));
    assert_eq!(dump.hash("asynq:{q}:t:a")["unique_key"], LOCK, "the field stays");
}

async fn retry_stores_the_failure(world: World) {
    let leased = world.active_task(unique(pending("a"), 60)).await;
    let message = failed(&leased);
    world.apply(&leased, retry(&world, message.clone(), true)).await;
    let dump = world.dump().await;
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["msg", "state", "unique_key"]);
    assert_eq!(hash["msg"], message.encode());
    assert_eq!(field(&hash, "state"), Some("retry"));
    assert_eq!(dump.zset(&world.keys.retry()), [("a".to_owned(), world.now() + 60)]);
    assert!(!dump.contains(&world.keys.active()) && !dump.contains(&world.keys.lease()));
    assert_eq!(world.counters(&dump), some([1, 1, 1, 1]));
    assert_eq!(dump.string(LOCK).as_deref(), Some("a"), "the task still holds its lock");
}

async fn retry_that_is_no_failure_counts_nothing(world: World) {
    let leased = world.active("a").await;
    world.apply(&leased, retry(&world, message("a"), false)).await;
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.retry()).len(), 1);
    assert_eq!(world.counters(&dump), some([0, 0, 0, 0]));
}

async fn retry_keeps_fields_of_others(world: World) {
    let leased = world.active("a").await;
    world.set_field("a", "x_new", b"kept").await;
    world.set_field("a", "result", b"partial").await;
    world.apply(&leased, retry(&world, failed(&leased), true)).await;
    let hash = world.dump().await.hash("asynq:{q}:t:a");
    assert_eq!((field(&hash, "x_new"), field(&hash, "result")), (Some("kept"), Some("partial")));
}

fn put_back(world: &World, message: TaskMessage, limit: u32) -> Transition {
    Transition::PutBack { message, at: world.now() + 30, limit: Some(limit) }
}

async fn put_back_counts_a_miss_and_nothing_else(world: World) {
    let leased = world.active_task(unique(pending("a"), 600)).await;
    let message =
        TaskMessage { error_msg: "unknown".to_owned(), ..leased.message.clone().expect("readable") };
    let mut run = leased;
    for misses in ["1", "2"] {
        world.apply(&run, put_back(&world, message.clone(), 3)).await;
        let dump = world.dump().await;
        let hash = dump.hash("asynq:{q}:t:a");
        assert_eq!(hash.keys().collect::<Vec<_>>(), ["msg", "state", "unique_key", "x_miss"]);
        assert_eq!((field(&hash, "state"), field(&hash, "x_miss")), (Some("retry"), Some(misses)));
        assert_eq!(hash["msg"], message.encode());
        assert_eq!(dump.zset(&world.keys.retry()), [("a".to_owned(), world.now() + 30)]);
        assert!(!dump.contains(&world.keys.active()) && !dump.contains(&world.keys.lease()));
        assert_eq!(world.counters(&dump), some([0, 0, 0, 0]));
        assert_eq!(dump.string(LOCK).as_deref(), Some("a"));
        world.advance(30).await;
        assert_eq!(world.broker.forward(&world.queue).await.expect("the store answers").moved, 1);
        run = world.lease_one().await;
    }
}

async fn put_back_archives_at_its_limit(world: World) {
    let leased = world.active("a").await;
    world.apply(&leased, put_back(&world, failed(&leased), 1)).await;
    let dump = world.dump().await;
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!((field(&hash, "state"), field(&hash, "x_miss")), (Some("archived"), Some("1")));
    assert_eq!(dump.zset(&world.keys.archived()), [("a".to_owned(), world.now())]);
    assert!(!dump.contains(&world.keys.retry()) && !dump.contains(&world.keys.active()));
    assert_eq!(world.counters(&dump), some([1, 1, 1, 1]));
}

async fn put_back_counts_anew_what_is_no_number(world: World) {
    let leased = world.active("a").await;
    world.set_field("a", "x_miss", b"many").await;
    world.apply(&leased, put_back(&world, failed(&leased), 5)).await;
    let hash = world.dump().await.hash("asynq:{q}:t:a");
    assert_eq!((field(&hash, "state"), field(&hash, "x_miss")), (Some("retry"), Some("1")));
}

async fn archive_counts_and_keeps_the_lock(world: World) {
    let leased = world.active_task(unique(pending("a"), 60)).await;
    let message = failed(&leased);
    world
        .apply(&leased, Transition::Archive { message: Some(message.clone()), unique_key: String::new() })
        .await;
    let dump = world.dump().await;
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["msg", "state", "unique_key"]);
    assert_eq!(hash["msg"], message.encode());
    assert_eq!(field(&hash, "state"), Some("archived"));
    assert_eq!(dump.zset(&world.keys.archived()), [("a".to_owned(), world.now())]);
    assert!(!dump.contains(&world.keys.active()) && !dump.contains(&world.keys.lease()));
    assert_eq!(world.counters(&dump), some([1, 1, 1, 1]));
    assert_eq!(dump.string(LOCK).as_deref(), Some("a"));
}

async fn archive_without_a_message_keeps_the_bytes(world: World) {
    world.store_pending(&["a"]).await;
    world.set_field("a", "msg", b"\xff not a message").await;
    let leased = world.lease_one().await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: String::new() }).await;
    let hash = world.dump().await.hash("asynq:{q}:t:a");
    assert_eq!(hash["msg"], Bytes::from_static(b"\xff not a message"));
    assert_eq!(field(&hash, "state"), Some("archived"));
    assert!(!hash.contains_key("x_run") && !hash.contains_key("x_own"));
}

async fn archive_drops_what_is_too_old(world: World) {
    let age = i64::try_from(ArchiveLimits::GO.age.as_secs()).expect("90 days");
    for (id, age) in [("older", age + 1), ("old", age), ("young", age - 1)] {
        world.set_field(id, "msg", b"").await;
        let at = world.now() - age;
        world.corrupt(Corruption::AddArchived { queue: world.queue.clone(), id: task_id(id), at }).await;
    }
    let leased = world.active("a").await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: String::new() }).await;
    let dump = world.dump().await;
    let kept = dump.zset(&world.keys.archived()).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(kept, ["young", "a"]);
    assert!(dump.contains("asynq:{q}:t:young"));
    assert!(!dump.contains("asynq:{q}:t:old") && !dump.contains("asynq:{q}:t:older"), "their hashes go too");
    assert_eq!(trimmed(&world).await, 2);
}

/// How many archived tasks were deleted without anybody asking.
async fn trimmed(world: &World) -> u64 {
    world.broker.queue_info(&world.queue).await.expect("the store answers").trimmed_total
}

async fn archive_keeps_as_many_as_its_handle_says(world: World) {
    let limits = ArchiveLimits { tasks: 2, age: Duration::from_secs(50) };
    let limited = world.broker.with_archive_limits(limits);
    for (id, wait) in [("a", 30), ("b", 30), ("c", 1), ("d", 1), ("e", 0)] {
        let leased = world.active(id).await;
        let archive = Transition::Archive { message: None, unique_key: String::new() };
        let settled = limited.exchange(&[settlement(&leased, archive)], &Demand::none()).await;
        assert_eq!(settled.expect("the store answers").settled, [Settled::Applied]);
        world.advance(wait).await;
    }
    let dump = world.dump().await;
    let kept =
        |dump: &Dump| dump.zset(&world.keys.archived()).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(kept(&dump), ["d", "e"], "two are left");
    assert!(!dump.contains("asynq:{q}:t:c"));
    world.advance(49).await;
    assert_eq!(limited.delete_expired_archived(&world.queue, 10).await.expect("the store answers"), 1);
    assert_eq!(kept(&world.dump().await), ["e"], "one is too old");
    let others = world.broker.delete_expired_archived(&world.queue, 10).await.expect("the store answers");
    assert_eq!(others, 0, "90 days are not over");
    assert_eq!(trimmed(&world).await, 4, "three were too many, one too old");
}

async fn archive_keeps_nothing_where_nothing_is_to_be_kept(world: World) {
    let none = world.broker.with_archive_limits(ArchiveLimits::NONE);
    let leased = world.active_task(unique(pending("a"), 600)).await;
    let archive = Transition::Archive { message: Some(failed(&leased)), unique_key: LOCK.to_owned() };
    let settled = none.exchange(&[settlement(&leased, archive)], &Demand::none()).await;
    assert_eq!(settled.expect("the store answers").settled, [Settled::Applied]);
    let dump = world.dump().await;
    assert!(
        !dump.contains(LOCK) && !dump.contains("asynq:{q}:t:a") && !dump.contains(&world.keys.archived())
    );
    let [processed, _, failed, _] = world.counters(&dump);
    assert_eq!((processed.as_deref(), failed.as_deref()), (Some("1"), Some("1")));
    assert_eq!(trimmed(&world).await, 1);
}

async fn archive_releases_the_lock_if_told(world: World) {
    let leased = world.active_task(unique(pending("a"), 600)).await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: LOCK.to_owned() }).await;
    let dump = world.dump().await;
    assert!(!dump.contains(LOCK) && dump.contains("asynq:{q}:t:a"));
    let other = world.active_task(unique(pending("b"), 60)).await;
    world.advance(60).await;
    world.store(&[unique(pending("c"), 60)]).await;
    world.apply(&other, Transition::Archive { message: None, unique_key: LOCK.to_owned() }).await;
    assert!(world.dump().await.contains(LOCK), "somebody else's lock stays");
}

async fn archive_keeps_fewer_than_its_limit(world: World) {
    // Two over the limit with the one to come; the second-lowest has a hash, the others are bare IDs.
    for n in 0..=ArchiveLimits::GO.tasks {
        let at = world.now() - 1_000 + i64::from(n >= 2);
        let id = task_id(&format!("{n:05}"));
        world.corrupt(Corruption::AddArchived { queue: world.queue.clone(), id, at }).await;
    }
    world.set_field("00001", "msg", b"").await;
    world.set_field("00002", "msg", b"").await;
    let leased = world.active("a").await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: String::new() }).await;
    let dump = world.dump().await;
    let kept = dump.zset(&world.keys.archived());
    assert_eq!(kept.len(), ArchiveLimits::GO.tasks);
    assert_eq!(kept.first().map(|(id, _)| id.as_str()), Some("00002"), "the oldest go first");
    assert_eq!(kept.last().map(|(id, _)| id.as_str()), Some("a"));
    assert!(!dump.contains("asynq:{q}:t:00001"));
    assert!(dump.contains("asynq:{q}:t:00002"));
}

async fn requeue_puts_the_task_back_as_next(world: World) {
    world.store_pending(&["a", "b"]).await;
    let leased = world.lease_one().await;
    world.fixture.advance(Duration::from_millis(2_500)).await;
    world.apply(&leased, requeue()).await;
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["b", "a"]);
    assert!(!dump.contains(&world.keys.active()) && !dump.contains(&world.keys.lease()));
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["msg", "pending_since", "state"]);
    assert_eq!(field(&hash, "state"), Some("pending"));
    assert_eq!(field(&hash, "pending_since"), Some(world.clock.unix_nanos().to_string().as_str()));
    assert_eq!(hash["msg"], message("a").encode());
    assert_eq!(world.counters(&dump), some([0, 0, 0, 0]));
    assert_eq!(ids(&world.lease(2).await), ["a", "b"]);
}

async fn requeue_after_a_crash_counts_it(world: World) {
    world.store_pending(&["a"]).await;
    for crashes in ["1", "2"] {
        let leased = world.lease_one().await;
        world.apply(&leased, Transition::Requeue { crashed: true }).await;
        assert_eq!(field(&world.dump().await.hash("asynq:{q}:t:a"), "x_crash"), Some(crashes));
    }
    let leased = world.lease_one().await;
    world.apply(&leased, requeue()).await;
    let hash = world.dump().await.hash("asynq:{q}:t:a");
    assert_eq!(field(&hash, "x_crash"), Some("2"), "only a crash counts, and nothing forgets it");
}

async fn counts_a_crash_whatever_was_counted(world: World) {
    world.store_pending(&["a", "b"]).await;
    let leased = world.lease(2).await;
    world.set_field("a", "x_crash", b"many").await;
    let crashed = Transition::Requeue { crashed: true };
    let settle = leased.iter().map(|leased| settlement(leased, crashed.clone())).collect::<Vec<_>>();
    assert_eq!(world.exchange(&settle, &world.demand(0)).await.settled, [Settled::Applied; 2]);
    let dump = world.dump().await;
    for id in ["a", "b"] {
        assert_eq!(field(&dump.hash(&world.keys.task(id)), "x_crash"), Some("1"), "{id}");
    }
    assert!(!dump.contains(&world.keys.lease()));
}

async fn counts_a_batch_once(world: World) {
    world.store_pending(&["a", "b", "c", "d", "e"]).await;
    let leased = world.lease(5).await;
    let transitions = [
        done(),
        complete(&world, message("b"), None),
        retry(&world, message("c"), true),
        retry(&world, message("d"), false),
        Transition::Archive { message: None, unique_key: String::new() },
    ];
    let settle =
        leased.iter().zip(transitions).map(|(leased, how)| settlement(leased, how)).collect::<Vec<_>>();
    let settled = world.exchange(&settle, &world.demand(0)).await.settled;
    assert_eq!(settled, [Settled::Applied; 5]);
    let dump = world.dump().await;
    assert_eq!(world.counters(&dump), some([4, 4, 2, 2]));
    for key in [world.keys.processed(world.clock.now()), world.keys.failed(world.clock.now())] {
        let expected = world.now() + i64::try_from(STATISTICS_AGE.as_secs()).expect("90 days");
        assert_eq!(dump.expires_at(&key), Some(expected), "{key}");
    }
}

const DAY: u64 = 24 * 3600;

async fn counts_every_day_by_itself(world: World) {
    let yesterday = world.keys.processed(world.clock.now());
    let leased = world.active("a").await;
    world.apply(&leased, done()).await;
    world.advance(DAY).await;
    let leased = world.active("b").await;
    world.apply(&leased, done()).await;
    let dump = world.dump().await;
    assert_eq!(dump.string(&yesterday).as_deref(), Some("1"));
    assert_eq!(world.counters(&dump), some([1, 2, 0, 0]));
}

async fn daily_counters_go_away(world: World) {
    let first_day = world.keys.processed(world.clock.now());
    let leased = world.active("a").await;
    world.apply(&leased, done()).await;
    let expires_at = world.dump().await.expires_at(&first_day);
    world.advance(1).await;
    let leased = world.active("b").await;
    world.apply(&leased, done()).await;
    let dump = world.dump().await;
    if world.keys.processed(world.clock.now()) == first_day {
        assert_eq!(dump.expires_at(&first_day), expires_at, "only the first count sets it");
    }
    world.advance(91 * DAY).await;
    let dump = world.dump().await;
    assert!(!dump.contains(&first_day));
    assert_eq!(dump.string(&world.keys.processed_total()).as_deref(), Some("2"));
}

async fn counters_start_again_when_full(world: World) {
    world.corrupt(Corruption::SetProcessedTotal { queue: world.queue.clone(), value: i64::MAX }).await;
    world.store_pending(&["a", "b", "c"]).await;
    let leased = world.lease(3).await;
    let settle = leased.iter().map(|leased| settlement(leased, done())).collect::<Vec<_>>();
    world.exchange(&settle, &world.demand(0)).await;
    assert_eq!(world.counters(&world.dump().await), some([3, 3, 0, 0]));

    // Far enough from the end, it still counts.
    let value = i64::MAX - 2_000;
    world.corrupt(Corruption::SetProcessedTotal { queue: world.queue.clone(), value }).await;
    let leased = world.active("d").await;
    world.apply(&leased, done()).await;
    assert_eq!(world.counters(&world.dump().await), some([4, value + 1, 0, 0]));
}

async fn a_full_failed_counter_starts_with_processed(world: World) {
    let queue = || world.queue.clone();
    world.corrupt(Corruption::SetProcessedTotal { queue: queue(), value: i64::MAX }).await;
    world.corrupt(Corruption::SetFailedTotal { queue: queue(), value: 41 }).await;
    let leased = world.active("a").await;
    world.apply(&leased, done()).await;
    assert_eq!(world.counters(&world.dump().await), some([1, 1, 0, 41]), "a success leaves it alone");

    world.corrupt(Corruption::SetProcessedTotal { queue: queue(), value: i64::MAX }).await;
    let leased = world.active("b").await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: String::new() }).await;
    assert_eq!(world.counters(&world.dump().await), some([2, 1, 1, 1]));
}

/// Every transition there is.
fn every_transition(world: &World) -> Vec<Transition> {
    vec![
        done(),
        complete(world, message("a"), Some(b"late")),
        retry(world, message("a"), true),
        Transition::Archive { message: Some(message("a")), unique_key: String::new() },
        Transition::Archive { message: None, unique_key: String::new() },
        requeue(),
        Transition::Requeue { crashed: true },
    ]
}

async fn refuses_another_run(world: World) {
    let leased = world.active("a").await;
    for transition in every_transition(&world) {
        let ours = settlement(&leased, transition);
        world.refuse(Settlement { run: Some(foreign_run()), ..ours.clone() }, "another token").await;
        world.refuse(Settlement { run: None, ..ours }, "no token").await;
    }
}

async fn refuses_a_run_that_another_lease_replaced(world: World) {
    let leased = world.active("a").await;
    world.advance(31).await;
    // A Go worker that takes the task leaves the old token in place, with a later lease.
    world.set_lease("a", world.now() + 30).await;
    for transition in every_transition(&world) {
        world.refuse(settlement(&leased, transition), "the lease is another run's").await;
    }
    let extended = Settlement { lease_until: world.now() + 30, ..settlement(&leased, done()) };
    assert_eq!(world.settle(extended).await, Settled::Applied, "unless that run knows of it");
}

async fn refuses_what_is_not_active(world: World) {
    for transition in every_transition(&world) {
        let leased = world.active("a").await;
        let late = settlement(&leased, done());
        world.apply(&leased, transition).await;
        world.refuse(late.clone(), "it was settled before").await;
        world.refuse(Settlement { run: None, ..late }, "it is not active").await;
        // Somebody left a token at a task that is not active.
        if world.info("a").await.is_some() {
            world.set_field("a", "x_run", b"0123456789abcdef-foreign").await;
            let foreign = Settlement { run: Some(foreign_run()), ..settlement(&leased, done()) };
            world.refuse(foreign, "a token does not make it active").await;
        }
        world.delete_task("a").await;
        // What is left in pending goes with the next call.
        world.exchange(&[], &world.demand(1)).await;
    }
}

async fn refuses_the_second_of_two(world: World) {
    let leased = world.active("a").await;
    let twice = [settlement(&leased, requeue()), settlement(&leased, done())];
    let settled = world.exchange(&twice, &world.demand(0)).await.settled;
    assert_eq!(settled, [Settled::Applied, Settled::Refused]);
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["a"]);
}

async fn refuses_in_a_queue_that_is_not(world: World) {
    let leased = world.active("a").await;
    let elsewhere = Settlement { queue: queue("other"), ..settlement(&leased, done()) };
    world.refuse(elsewhere.clone(), "another queue").await;
    world.refuse(Settlement { run: None, ..elsewhere }, "another queue, without a token").await;
}

async fn refuses_a_run_of_a_task_that_is_gone(world: World) {
    let leased = world.active("a").await;
    world.delete_task("a").await;
    for transition in every_transition(&world) {
        let ours = settlement(&leased, transition);
        world
            .refuse(Settlement { run: None, ..ours.clone() }, "there is nothing to settle, and no ghosts")
            .await;
        world.refuse(ours, "nor with a token").await;
    }
}

async fn settles_after_the_lease_ended(world: World) {
    let leased = world.active("a").await;
    world.advance(1_000).await;
    world.apply(&leased, done()).await;
    assert_only_counters(&world).await;
}

async fn settles_when_the_lease_entry_is_lost(world: World) {
    for transition in every_transition(&world) {
        let leased = world.active("a").await;
        world.remove_lease("a").await;
        world.apply(&leased, transition).await;
        assert!(!world.dump().await.contains(&world.keys.active()));
        world.delete_task("a").await;
        world.exchange(&[], &world.demand(1)).await;
    }
}

async fn settles_a_run_without_a_token(world: World) {
    let leased = world.active("a").await;
    world.lease_as_go(&leased).await;
    world.refuse(settlement(&leased, done()), "the task has no token").await;
    let as_seen = Settlement { run: None, ..settlement(&leased, retry(&world, failed(&leased), true)) };
    let too_early = Settlement { lease_until: leased.lease_until - 1, ..as_seen.clone() };
    world.refuse(too_early, "the lease was extended since").await;
    assert_eq!(world.settle(as_seen).await, Settled::Applied);
    assert_eq!(world.dump().await.zset(&world.keys.retry()).len(), 1);
}

async fn refuses_an_earlier_run_of_the_same_task(world: World) {
    let first = world.active("a").await;
    world.apply(&first, requeue()).await;
    let second = world.lease_one().await;
    for transition in every_transition(&world) {
        world.refuse(settlement(&first, transition), "the second run holds it").await;
    }
    world.apply(&second, done()).await;
}

async fn keeps_the_order_of_a_batch(world: World) {
    world.store_pending(&["a", "b"]).await;
    let leased = world.lease(2).await;
    let [a, b] = &leased[..] else { unreachable!("two were leased") };
    let settle = [
        settlement(b, done()),
        settlement(a, retry(&world, failed(a), true)),
        settlement(a, done()),
        settlement(a, retry(&world, failed(a), true)),
    ];
    let settled = world.exchange(&settle, &world.demand(0)).await.settled;
    assert_eq!(settled, [Settled::Applied, Settled::Applied, Settled::Refused, Settled::Refused]);
    assert_eq!(world.dump().await.zset(&world.keys.retry()).len(), 1);
}

async fn puts_tasks_back_in_order(world: World) {
    world.store_pending(&["a", "b", "c", "d"]).await;
    let (first, second) = (world.lease(2).await, world.lease(2).await);
    let settle = [&second[1], &first[1], &second[0], &first[0]].map(|leased| settlement(leased, requeue()));
    assert_eq!(world.exchange(&settle, &world.demand(0)).await.settled, [Settled::Applied; 4]);
    assert_eq!(ids(&world.lease(4).await), ["a", "c", "b", "d"], "the last to be put back is next");
}

async fn settles_thousands_at_once(world: World) {
    // More than Lua can unpack.
    const MANY: usize = 9_000;
    let tasks = (0..MANY).map(|n| pending(&n.to_string())).collect::<Vec<_>>();
    world.store(&tasks).await;
    let leased = world.lease(MANY).await;
    let settle = leased.iter().map(|leased| settlement(leased, done())).collect::<Vec<_>>();
    let settled = world.exchange(&settle, &world.demand(0)).await.settled;
    assert!(settled.iter().all(|settled| *settled == Settled::Applied));
    assert_only_counters(&world).await;
    assert_eq!(world.dump().await.string(&world.keys.processed_total()), Some(MANY.to_string()));
}

async fn settles_many_of_very_many_in_any_order(world: World) {
    // So many that the store does not look for each by itself, of runs that were taken by several calls.
    const MANY: usize = 1_300;
    let tasks = (0..MANY).map(|n| pending(&format!("t{n}"))).collect::<Vec<_>>();
    world.store(&tasks).await;
    let mut leased = Vec::with_capacity(MANY);
    while leased.len() < MANY {
        leased.extend(world.exchange(&[], &world.demand(100)).await.leased);
    }
    let places: Vec<usize> = (0..MANY).map(|n| (600 + n * 7) % MANY).collect();
    let (ending, others) = places.split_at(300);
    let transitions = every_transition(&world);
    let mut settle: Vec<Settlement> = ending
        .iter()
        .zip(transitions.iter().cycle())
        .map(|(&place, transition)| settlement(&leased[place], transition.clone()))
        .collect();
    let foreign = Settlement { run: Some(foreign_run()), ..settlement(&leased[others[0]], done()) };
    settle.extend([settlement(&leased[ending[200]], done()), foreign]);
    let settled = world.exchange(&settle, &world.demand(0)).await.settled;
    let refused: Vec<usize> = (0..settled.len()).filter(|&at| settled[at] == Settled::Refused).collect();
    assert_eq!(refused, [300, 301], "one that has ended, and one of another run");
    let dump = world.dump().await;
    let mut running = others.to_vec();
    running.sort_unstable_by(|a, b| b.cmp(a));
    let running: Vec<String> = running.into_iter().map(|place| format!("t{place}")).collect();
    assert_eq!(dump.list(&world.keys.active()), running, "all others, in their order");
    let mut leases: Vec<String> = dump.zset(&world.keys.lease()).into_iter().map(|(id, _)| id).collect();
    let mut expected = running;
    leases.sort_unstable();
    expected.sort_unstable();
    assert_eq!(leases, expected);
    let put_back = settle.iter().filter(|one| matches!(one.transition, Transition::Requeue { .. })).count();
    assert_eq!(dump.list(&world.keys.pending()).len(), put_back);
    for places in others.chunks(250) {
        let settle: Vec<_> = places.iter().map(|&place| settlement(&leased[place], done())).collect();
        let settled = world.exchange(&settle, &world.demand(0)).await.settled;
        assert!(settled.iter().all(|settled| *settled == Settled::Applied));
    }
    assert!(!world.dump().await.contains(&world.keys.active()));
}
