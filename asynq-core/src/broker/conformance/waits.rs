//! Waiting for a task's end: who watches a task learns of it, and nothing is done where nobody does.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::suite::case_list;
use super::world::{
    LOCK, World, done, failed, message, pending, pending_in, queue, requeue, scheduled, settlement, task_id,
    unique,
};
use crate::broker::{
    Change, Collection, DONE_AGE, Demand, Leased, Messages, Settled, Transition, WATCH, Watched,
};
use crate::task::TaskState;

case_list! { "waits":
    reads_the_task_and_marks_it,
    leaves_an_ended_task_unmarked,
    knows_of_no_other_task,
    every_end_of_a_run_is_told_once,
    a_refused_settlement_tells_nothing,
    a_task_that_nobody_waits_for_is_not_told,
    what_succeeded_and_is_gone_is_known_for_a_while,
    what_was_revoked_or_deleted_has_not_succeeded,
    a_new_task_of_the_same_id_is_another_one,
    what_an_operator_does_is_told,
    marks_lapse,
    everyone_is_told,
    a_dropped_wait_for_a_message_loses_nothing,
}

async fn watch(world: &World, id: &str) -> Watched {
    world.broker.watch(&world.queue, &task_id(id)).await.expect("the store answers")
}

async fn listen(world: &World) -> Box<dyn Messages> {
    let [messages] = listeners(world).await;
    messages
}

async fn listeners<const N: usize>(world: &World) -> [Box<dyn Messages>; N] {
    let mut listeners = Vec::new();
    for _ in 0..N {
        listeners.push(world.broker.run_ends().await.expect("the store answers"));
    }
    // Who listens on another node of a cluster may still hear what was published before.
    let first = world.active("first-of-all").await;
    watch(world, "first-of-all").await;
    world.apply(&first, done()).await;
    for messages in &mut listeners {
        while next(&mut **messages).await != world.keys.task("first-of-all") {}
    }
    listeners.try_into().expect("as many as were asked for")
}

async fn next(messages: &mut dyn Messages) -> String {
    let message = timeout(Duration::from_secs(20), messages.next()).await.expect("a message arrives");
    message.expect("the connection stands")
}

/// Asserts that all that was told so far is what is given: by a task whose end is told after it.
async fn told_only(world: &World, messages: &mut dyn Messages, expected: &[&str]) {
    let last = world.active("last-of-all").await;
    watch(world, "last-of-all").await;
    world.apply(&last, done()).await;
    for id in expected.iter().chain(&["last-of-all"]) {
        assert_eq!(next(messages).await, world.keys.task(id));
    }
}

fn archive(leased: &Leased) -> Transition {
    Transition::Archive { message: Some(failed(leased)), unique_key: String::new() }
}

fn complete(world: &World, id: &str) -> Transition {
    let message = crate::wire::TaskMessage { completed_at: world.now(), ..message(id) };
    Transition::Complete { message, until: world.now() + 60, result: Some(Bytes::from_static(b"1")) }
}

async fn reads_the_task_and_marks_it(world: World) {
    world.store(&[pending("a"), scheduled("b", world.now() + 60)]).await;
    let until = world.now() + WATCH.as_secs().cast_signed();
    for id in ["a", "b"] {
        let info = world.info(id).await.expect("it is stored");
        assert_eq!(watch(&world, id).await, Watched::Stored(Box::new(info)));
    }
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.waits()), [("a".to_owned(), until), ("b".to_owned(), until)]);
    assert_eq!(dump.expires_at(&world.keys.waits()), Some(until));
}

async fn leaves_an_ended_task_unmarked(world: World) {
    let leased = world.active("a").await;
    world.apply(&leased, complete(&world, "a")).await;
    let leased = world.active("b").await;
    world.apply(&leased, archive(&leased)).await;
    let before = world.dump().await;
    for (id, state) in [("a", TaskState::Completed), ("b", TaskState::Archived)] {
        let Watched::Stored(info) = watch(&world, id).await else { panic!("{id} is stored") };
        assert_eq!(info.state, state);
    }
    world.dump().await.assert_same(&before, "there is nothing to wait for");
}

async fn knows_of_no_other_task(world: World) {
    world.store(&[pending_in("other", "a")]).await;
    let before = world.dump().await;
    assert_eq!(watch(&world, "a").await, Watched::Missing);
    let nowhere = world.broker.watch(&queue("nowhere"), &task_id("a")).await.expect("the store answers");
    assert_eq!(nowhere, Watched::Missing);
    world.dump().await.assert_same(&before, "a task that is not there is not marked");
}

async fn every_end_of_a_run_is_told_once(world: World) {
    type End = fn(&World, &Leased) -> Transition;
    let mut messages = listen(&world).await;
    let ends: [(&str, End); 6] = [
        ("done", |_, _| done()),
        ("revoked", |_, _| Transition::Revoke { unique_key: String::new() }),
        ("completed", |world, _| complete(world, "completed")),
        ("retried", |world, leased| Transition::Retry {
            message: failed(leased),
            at: world.now() + 60,
            is_failure: true,
        }),
        ("archived", |_, leased| archive(leased)),
        ("back", |_, _| requeue()),
    ];
    for (id, end) in ends {
        let leased = world.active(id).await;
        watch(&world, id).await;
        watch(&world, id).await;
        world.apply(&leased, end(&world, &leased)).await;
        assert_eq!(next(&mut *messages).await, world.keys.task(id));
    }
    assert!(!world.dump().await.contains(&world.keys.waits()), "every mark has served");
    let again = world.lease_one().await;
    assert_eq!(again.id, "back");
    world.apply(&again, done()).await;
    told_only(&world, &mut *messages, &[]).await;
}

async fn a_refused_settlement_tells_nothing(world: World) {
    let mut messages = listen(&world).await;
    let leased = world.active("a").await;
    watch(&world, "a").await;
    let stray =
        crate::broker::Settlement { run: Some(super::world::foreign_run()), ..settlement(&leased, done()) };
    world.refuse(stray, "another run holds the task").await;
    told_only(&world, &mut *messages, &[]).await;
}

async fn a_task_that_nobody_waits_for_is_not_told(world: World) {
    let mut messages = listen(&world).await;
    world.store_pending(&["a", "b", "c"]).await;
    watch(&world, "b").await;
    let leased = world.lease(3).await;
    let settle: Vec<_> = leased.iter().map(|leased| settlement(leased, done())).collect();
    let settled = world.exchange(&settle, &Demand::none()).await.settled;
    assert_eq!(settled, [Settled::Applied; 3]);
    told_only(&world, &mut *messages, &["b"]).await;
    let left = world.dump().await;
    assert!(!left.contains(&world.keys.done("a")) && left.contains(&world.keys.done("b")));
}

async fn what_succeeded_and_is_gone_is_known_for_a_while(world: World) {
    for (id, task, transition) in [
        ("a", pending("a"), done()),
        ("b", unique(pending("b"), 600), Transition::Done { unique_key: LOCK.to_owned() }),
    ] {
        let leased = world.active_task(task).await;
        watch(&world, id).await;
        world.apply(&leased, transition).await;
        assert_eq!(watch(&world, id).await, Watched::Done);
    }
    world.advance(DONE_AGE.as_secs() - 20).await;
    assert_eq!(watch(&world, "a").await, Watched::Done);
    world.advance(21).await;
    assert_eq!(watch(&world, "a").await, Watched::Missing);
    let dump = world.dump().await;
    let left = dump.entries.keys().filter(|key| key.contains(":x:waits"));
    assert_eq!(left.count(), 0, "nothing is left behind");
}

async fn what_was_revoked_or_deleted_has_not_succeeded(world: World) {
    let leased = world.active("a").await;
    watch(&world, "a").await;
    world.apply(&leased, Transition::Revoke { unique_key: String::new() }).await;
    assert_eq!(watch(&world, "a").await, Watched::Missing);
    world.store_pending(&["b"]).await;
    watch(&world, "b").await;
    let changed = world.broker.change(&world.queue, &task_id("b"), Change::Delete).await;
    changed.expect("the store answers");
    assert_eq!(watch(&world, "b").await, Watched::Missing);
}

async fn a_new_task_of_the_same_id_is_another_one(world: World) {
    let leased = world.active("a").await;
    watch(&world, "a").await;
    world.apply(&leased, done()).await;
    world.store_pending(&["a"]).await;
    assert!(matches!(watch(&world, "a").await, Watched::Stored(_)));
    let changed = world.broker.change(&world.queue, &task_id("a"), Change::Delete).await;
    changed.expect("the store answers");
    assert_eq!(watch(&world, "a").await, Watched::Missing, "it is the second one that is missing");
}

async fn what_an_operator_does_is_told(world: World) {
    let mut messages = listen(&world).await;
    let change = async |id: &str, change: Change| {
        world.broker.change(&world.queue, &task_id(id), change).await.expect("the store answers");
    };
    let tasks = ["run", "one", "two", "three", "four"].map(|id| scheduled(id, world.now() + 60));
    world.store(&tasks).await;
    for id in ["run", "one", "two", "three"] {
        watch(&world, id).await;
    }
    change("run", Change::Run).await;
    change("one", Change::Delete).await;
    change("two", Change::Archive).await;
    for id in ["one", "two"] {
        assert_eq!(next(&mut *messages).await, world.keys.task(id));
    }
    let rest = world.broker.change_first(&world.queue, &Collection::Scheduled, Change::Delete, 10).await;
    assert_eq!(rest.expect("the store answers").changed, 2);
    assert_eq!(next(&mut *messages).await, world.keys.task("three"));
    let run = world.lease_one().await;
    world.apply(&run, done()).await;
    told_only(&world, &mut *messages, &["run"]).await;
}

async fn marks_lapse(world: World) {
    let mut messages = listen(&world).await;
    let leased = world.active("a").await;
    watch(&world, "a").await;
    world.advance(20).await;
    world.store_pending(&["b"]).await;
    watch(&world, "b").await;
    world.advance(WATCH.as_secs() - 20).await;
    world.store_pending(&["c"]).await;
    watch(&world, "c").await;
    let marked = world.dump().await.zset(&world.keys.waits());
    assert_eq!(marked.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    world.advance(WATCH.as_secs() + 1).await;
    assert!(!world.dump().await.contains(&world.keys.waits()));
    world.apply(&leased, done()).await;
    for leased in world.lease(2).await {
        world.apply(&leased, done()).await;
    }
    told_only(&world, &mut *messages, &[]).await;
}

async fn everyone_is_told(world: World) {
    let [mut one, mut two] = listeners(&world).await;
    let leased = world.active("a").await;
    watch(&world, "a").await;
    world.apply(&leased, done()).await;
    for messages in [&mut one, &mut two] {
        assert_eq!(next(&mut **messages).await, world.keys.task("a"));
    }
}

async fn a_dropped_wait_for_a_message_loses_nothing(world: World) {
    let mut messages = listen(&world).await;
    let leased = world.active("a").await;
    watch(&world, "a").await;
    drop(timeout(Duration::from_millis(50), messages.next()).await);
    world.apply(&leased, done()).await;
    assert_eq!(next(&mut *messages).await, world.keys.task("a"));
}
