//! Uniqueness locks: until when each kind keeps others out.

use super::suite::case_list;
use super::world::{
    LOCK, World, done, failed, grouped, message, pending, requeue, scheduled, task_id, unique,
};
use crate::broker::{
    Adoption, Change, Changed, EnqueueError, GroupRule, LockInfo, NewTask, QueueDeletion, SetName, Transition,
};
use crate::task::{TaskState, UniqueUntil};
use crate::wire::TaskMessage;

case_list! { "unique":
    notes_until_when_a_lock_is_held,
    tells_until_when_a_lock_is_held,
    until_the_start_it_is_held_wherever_the_task_waits,
    until_the_start_it_is_free_while_the_task_runs,
    until_the_start_it_is_held_again_by_a_task_that_waits_again,
    until_the_start_it_is_free_when_the_task_has_ended,
    who_took_the_lock_over_keeps_it,
    for_its_whole_time_it_outlives_the_task,
    for_its_whole_time_it_outlives_a_deleted_task,
    for_its_whole_time_it_ends_with_it,
    b5_b6_a_lock_whose_task_is_gone_is_free,
    a_lock_with_a_name_of_its_own_is_released_as_any,
    a_lock_is_adopted_as_it_is,
    locks_of_all_kinds_go_with_their_queue,
}

/// The task takes [`LOCK`] for a minute.
fn until(until: UniqueUntil, task: NewTask) -> NewTask {
    NewTask { unique_until: until, ..unique(task, 60) }
}

fn until_start(task: NewTask) -> NewTask {
    until(UniqueUntil::Start, task)
}

fn for_ttl(task: NewTask) -> NewTask {
    until(UniqueUntil::Ttl, task)
}

/// A task that must be refused because of another one.
async fn refused(world: &World, task: NewTask, of: &str, why: &str) {
    let before = world.dump().await;
    let result = world.enqueue(task).await;
    assert!(matches!(&result, Err(EnqueueError::Duplicate { holder }) if holder == of), "{why}: {result:?}");
    world.dump().await.assert_same(&before, why);
}

/// The transition of a task that took the lock.
fn released() -> Transition {
    Transition::Done { unique_key: LOCK.to_owned() }
}

async fn lock_of(world: &World, id: &str) -> LockInfo {
    let detail = world.broker.task_detail(&world.queue, &task_id(id)).await.expect("the store answers");
    let detail = detail.expect("there is such a task").expect("it can be read");
    detail.lock.expect("it took a lock")
}

async fn delete(world: &World, id: &str) {
    let changed = world.broker.change(&world.queue, &task_id(id), Change::Delete).await;
    assert_eq!(changed.expect("the store answers"), Changed::Applied);
}

async fn notes_until_when_a_lock_is_held(world: World) {
    for (kind, value, field) in [
        (UniqueUntil::Success, "a", None),
        (UniqueUntil::Start, "a", Some("start")),
        (UniqueUntil::Ttl, "x:ttl:a", None),
    ] {
        world.store(&[until(kind, pending("a"))]).await;
        let dump = world.dump().await;
        assert_eq!(dump.string(LOCK).as_deref(), Some(value));
        let hash = dump.hash(&world.keys.task("a"));
        assert_eq!(super::world::field(&hash, "unique_key"), Some(LOCK));
        assert_eq!(super::world::field(&hash, "x_until"), field);
        let expires_at = dump.expires_at(LOCK).expect("a lock goes away");
        assert!((expires_at - world.now() - 60).abs() <= 5, "{expires_at} is not in 60 seconds");
        world.broker.delete_queue(&world.queue, true).await.expect("the store answers");
    }
}

async fn tells_until_when_a_lock_is_held(world: World) {
    for kind in [UniqueUntil::Success, UniqueUntil::Start, UniqueUntil::Ttl] {
        world.store(&[until(kind, pending("a"))]).await;
        let lock = lock_of(&world, "a").await;
        assert_eq!((lock.key.as_str(), lock.holder.as_deref(), lock.until), (LOCK, Some("a"), kind));
        assert!(lock.expires_in.is_some_and(|left| (55..=60).contains(&left.as_secs())), "{lock:?}");
        world.broker.delete_queue(&world.queue, true).await.expect("the store answers");
    }
}

async fn until_the_start_it_is_held_wherever_the_task_waits(world: World) {
    let later = world.now() + 500;
    for task in [pending("a"), scheduled("a", later), grouped("a")] {
        world.store(&[until_start(task)]).await;
        refused(&world, until_start(pending("b")), "a", "it waits").await;
        refused(&world, unique(pending("b"), 60), "a", "also for one of another kind").await;
        delete(&world, "a").await;
    }
    world.store(&[until_start(grouped("a"))]).await;
    let rule = GroupRule { max_size: Some(1), max_delay: None, grace: 60 };
    assert!(world.broker.stage_group(&world.queue, &SetName::new("g"), &rule).await.expect("it answers"));
    refused(&world, until_start(pending("b")), "a", "it is about to be aggregated").await;
}

async fn until_the_start_it_is_free_while_the_task_runs(world: World) {
    let leased = world.active_task(until_start(pending("a"))).await;
    world.store(&[until_start(pending("b"))]).await;
    refused(&world, until_start(pending("c")), "b", "now that one waits").await;
    world.apply(&leased, released()).await;
    refused(&world, until_start(pending("c")), "b", "the end of the first changes nothing").await;
    // To a Go worker it is a task as any.
    let leased = world.lease_one().await;
    world.lease_as_go(&leased).await;
    world.store(&[unique(pending("c"), 60)]).await;
}

async fn until_the_start_it_is_held_again_by_a_task_that_waits_again(world: World) {
    let leased = world.active_task(until_start(pending("a"))).await;
    world.apply(&leased, requeue()).await;
    refused(&world, until_start(pending("b")), "a", "it was put back").await;
    let leased = world.lease_one().await;
    let message = failed(&leased);
    world.apply(&leased, Transition::Retry { message, at: world.now() + 9, is_failure: true }).await;
    refused(&world, until_start(pending("b")), "a", "it is to be tried again").await;
}

async fn until_the_start_it_is_free_when_the_task_has_ended(world: World) {
    let leased = world.active_task(until_start(pending("a"))).await;
    world
        .apply(&leased, Transition::Archive { message: Some(failed(&leased)), unique_key: String::new() })
        .await;
    let leased = world.active_task(until_start(pending("b"))).await;
    let message = TaskMessage { unique_key: String::new(), ..message("b") };
    // As if it had lost its lock on the way.
    world.apply(&leased, Transition::Complete { message, until: world.now() + 9, result: None }).await;
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("b"));
    world.store(&[until_start(pending("c"))]).await;
    let changed = world.broker.change(&world.queue, &task_id("c"), Change::Archive).await;
    assert_eq!(changed.expect("the store answers"), Changed::Applied);
    world.store(&[until_start(pending("d"))]).await;
}

async fn who_took_the_lock_over_keeps_it(world: World) {
    let leased = world.active_task(until_start(pending("a"))).await;
    world.store(&[unique(pending("b"), 60)]).await;
    let message = failed(&leased);
    world.apply(&leased, Transition::Retry { message, at: world.now() + 9, is_failure: true }).await;
    refused(&world, unique(pending("c"), 60), "b", "the first one waits again, but has lost its lock").await;
    delete(&world, "a").await;
    refused(&world, unique(pending("c"), 60), "b", "nor does its deletion change that").await;
    assert_eq!(lock_of(&world, "b").await.until, UniqueUntil::Success);
}

async fn for_its_whole_time_it_outlives_the_task(world: World) {
    let leased = world.active_task(for_ttl(pending("a"))).await;
    refused(&world, for_ttl(pending("b")), "a", "it runs").await;
    world.apply(&leased, released()).await;
    assert!(!world.dump().await.contains(&world.keys.task("a")));
    refused(&world, for_ttl(pending("b")), "a", "it is done and gone").await;
    refused(&world, unique(pending("a"), 60), "a", "also for another kind, and under the same ID").await;
    world.advance(60).await;
    let leased = world.active_task(for_ttl(pending("c"))).await;
    let message = leased.message.clone().expect("a readable message");
    world.apply(&leased, Transition::Complete { message, until: world.now() + 1, result: None }).await;
    world.advance(1).await;
    assert_eq!(world.broker.delete_expired_completed(&world.queue, 9).await.expect("it answers"), 1);
    refused(&world, for_ttl(pending("d")), "c", "its retention is over").await;
    world.advance(60).await;
    let leased = world.active_task(for_ttl(pending("e"))).await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: LOCK.to_owned() }).await;
    refused(&world, for_ttl(pending("f")), "e", "it was given up, and was to release its lock").await;
}

async fn for_its_whole_time_it_outlives_a_deleted_task(world: World) {
    world.store(&[for_ttl(pending("a"))]).await;
    delete(&world, "a").await;
    refused(&world, for_ttl(pending("b")), "a", "deleted").await;
}

async fn for_its_whole_time_it_ends_with_it(world: World) {
    world.store(&[for_ttl(pending("a"))]).await;
    world.advance(59).await;
    refused(&world, unique(pending("b"), 60), "a", "the lock still holds").await;
    world.advance(1).await;
    world.store(&[unique(pending("b"), 60)]).await;
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("b"));
}

async fn b5_b6_a_lock_whose_task_is_gone_is_free(world: World) {
    world.store(&[unique(pending("a"), 60)]).await;
    // As Go's inspector deletes all pending tasks.
    world.delete_task("a").await;
    assert!(world.dump().await.contains(LOCK));
    world.store(&[unique(pending("b"), 60)]).await;
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("b"));
}

async fn a_lock_with_a_name_of_its_own_is_released_as_any(world: World) {
    let key = world.keys.own_lock("t", "order:42");
    assert_eq!(key, "asynq:{q}:x:unique:1:t:order:42");
    let named = |id: &str| {
        let task = unique(pending(id), 60);
        NewTask { message: TaskMessage { unique_key: key.clone(), ..task.message }, ..task }
    };
    let leased = world.active_task(named("a")).await;
    refused(&world, named("b"), "a", "it runs").await;
    world.store(&[unique(pending("other"), 60)]).await;
    delete(&world, "other").await;
    world.apply(&leased, Transition::Done { unique_key: key.clone() }).await;
    assert!(!world.dump().await.contains(&key));
    world.store(&[named("b")]).await;
    assert_eq!(lock_of(&world, "b").await.key, key);
    delete(&world, "b").await;
    assert!(!world.dump().await.contains(&key));
}

async fn a_lock_is_adopted_as_it_is(world: World) {
    for kind in [UniqueUntil::Success, UniqueUntil::Start, UniqueUntil::Ttl] {
        let adoption = |id: &str| Adoption {
            message: unique(pending(id), 60).message,
            state: TaskState::Pending,
            score: 0,
            fields: std::collections::BTreeMap::new(),
            unique_ttl: 60,
            unique_until: kind,
            replace: false,
        };
        world.broker.adopt(&adoption("a")).await.expect("it is free");
        assert_eq!(lock_of(&world, "a").await.until, kind);
        let second = world.broker.adopt(&adoption("b")).await;
        assert!(matches!(&second, Err(EnqueueError::Duplicate { holder }) if holder == "a"), "{second:?}");
        let leased = world.lease_one().await;
        let is_free = world.broker.adopt(&adoption("b")).await.is_ok();
        assert_eq!(is_free, kind == UniqueUntil::Start);
        world.apply(&leased, done()).await;
        world.broker.delete_queue(&world.queue, true).await.expect("the store answers");
    }
}

async fn locks_of_all_kinds_go_with_their_queue(world: World) {
    for (kind, id) in [(UniqueUntil::Success, "a"), (UniqueUntil::Start, "b"), (UniqueUntil::Ttl, "c")] {
        let task = until(kind, pending(id));
        let unique_key = world.keys.own_lock("t", id);
        world.store(&[NewTask { message: TaskMessage { unique_key, ..task.message }, ..task }]).await;
    }
    world.store(&[for_ttl(pending("d"))]).await;
    delete(&world, "d").await;
    let deleted = world.broker.delete_queue(&world.queue, true).await.expect("the store answers");
    assert_eq!(deleted, QueueDeletion::Deleted);
    assert!(world.dump().await.entries.is_empty(), "{:?}", world.dump().await);
}
