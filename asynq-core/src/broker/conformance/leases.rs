//! Leases: extending them, and finding those that end.

use bytes::Bytes;

use super::suite::case_list;
use super::world::{
    SERVER, World, done, foreign_run, lease_ref, lease_seconds, message, queue, requeue, settlement, task_id,
};
use crate::broker::{ActiveTask, Demand, LeaseRef, Settled, Settlement, Transition};

case_list! { "leases":
    extends_the_lease_of_a_run,
    extends_none_of_another_run,
    puts_a_lost_lease_back,
    answers_each_run_in_order,
    extends_each_run_of_a_call_by_itself,
    an_extended_lease_settles_with_its_new_end,
    lists_leases_that_end,
    lists_at_most_the_limit,
    tells_all_of_an_active_task,
    passes_over_leases_without_a_task,
    lists_what_a_server_owns,
    pages_from_the_oldest,
    passes_over_owned_ids_without_a_task,
}

async fn extend(world: &World, runs: &[LeaseRef], until: i64) -> Vec<bool> {
    world.broker.extend_leases(&world.queue, runs, until).await.expect("the store answers")
}

async fn extends_the_lease_of_a_run(world: World) {
    let leased = world.active("a").await;
    let before = world.dump().await;
    world.advance(10).await;
    let until = world.now() + lease_seconds();
    assert_eq!(extend(&world, &[lease_ref(&leased)], until).await, [true]);
    let after = world.dump().await;
    assert_eq!(after.zset(&world.keys.lease()), [("a".to_owned(), until)]);
    assert_eq!(after.hash("asynq:{q}:t:a"), before.hash("asynq:{q}:t:a"));
    // Also once it has run out: as long as nobody else took the task, the run holds it.
    world.advance(100).await;
    assert_eq!(extend(&world, &[lease_ref(&leased)], until + 100).await, [true]);
}

async fn extends_none_of_another_run(world: World) {
    let leased = world.active("a").await;
    let foreign = LeaseRef { run: foreign_run(), ..lease_ref(&leased) };
    let unknown = LeaseRef { id: task_id("unknown"), ..lease_ref(&leased) };
    let before = world.dump().await;
    let until = world.now() + 500;
    assert_eq!(extend(&world, &[foreign, unknown], until).await, [false, false]);
    let elsewhere = world.broker.extend_leases(&queue("other"), &[lease_ref(&leased)], until).await;
    assert_eq!(elsewhere.expect("the store answers"), [false]);
    world.dump().await.assert_same(&before, "no run of these");

    world.lease_as_go(&leased).await;
    assert_eq!(extend(&world, &[lease_ref(&leased)], until).await, [false], "a Go worker holds it");

    let leased = world.active("b").await;
    world.apply(&leased, requeue()).await;
    world.set_field("b", "x_run", b"0123456789abcdef-foreign").await;
    let left_behind = LeaseRef { run: foreign_run(), ..lease_ref(&leased) };
    assert_eq!(extend(&world, &[left_behind], until).await, [false], "the task is not active");
}

async fn puts_a_lost_lease_back(world: World) {
    let leased = world.active("a").await;
    world.remove_lease("a").await;
    let until = world.now() + 30;
    assert_eq!(extend(&world, &[lease_ref(&leased)], until).await, [true]);
    assert_eq!(world.dump().await.zset(&world.keys.lease()), [("a".to_owned(), until)]);
}

async fn answers_each_run_in_order(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    let leased = world.lease(3).await;
    world.apply(&leased[1], done()).await;
    let runs = leased.iter().map(lease_ref).collect::<Vec<_>>();
    assert_eq!(extend(&world, &runs, world.now() + 60).await, [true, false, true]);
    assert!(extend(&world, &[], world.now() + 60).await.is_empty());
}

async fn extends_each_run_of_a_call_by_itself(world: World) {
    world.store_pending(&["a", "b", "c", "d"]).await;
    let leased = world.lease(4).await;
    let until = world.now() + 60;
    let mut runs = leased.iter().map(lease_ref).collect::<Vec<_>>();
    assert_eq!(extend(&world, &runs[..1], until).await, [true]);
    world.remove_lease("b").await;
    // Go leaves the token in a task that it takes out of active.
    world.apply(&leased[2], requeue()).await;
    world.set_field("c", "x_run", b"0123456789abcdef-foreign").await;
    runs[2].run = foreign_run();
    assert_eq!(extend(&world, &runs, until).await, [true, true, false, true]);
    let lease = world.dump().await.zset(&world.keys.lease());
    assert_eq!(lease, ["a", "b", "d"].map(|id| (id.to_owned(), until)));
}

async fn an_extended_lease_settles_with_its_new_end(world: World) {
    let leased = world.active("a").await;
    let until = world.now() + 300;
    extend(&world, &[lease_ref(&leased)], until).await;
    world.refuse(settlement(&leased, done()), "the end that it names is over").await;
    let settled = world.settle(Settlement { lease_until: until, ..settlement(&leased, done()) }).await;
    assert_eq!(settled, Settled::Applied);
}

async fn expiring(world: &World, until: i64, limit: usize) -> Vec<ActiveTask> {
    world.broker.expiring_leases(&world.queue, until, limit).await.expect("the store answers")
}

fn active_ids(tasks: &[ActiveTask]) -> Vec<&str> {
    tasks.iter().map(|task| task.id.as_str()).collect()
}

async fn lists_leases_that_end(world: World) {
    let now = world.now();
    world.store_pending(&["a", "c", "b", "d"]).await;
    world.lease(4).await;
    for (id, until) in [("a", now + 5), ("b", now - 9), ("c", now - 9), ("d", now + 6)] {
        world.set_lease(id, until).await;
    }
    let found = expiring(&world, now + 5, 100).await;
    assert_eq!(active_ids(&found), ["b", "c", "a"], "by the end of the lease, then by ID");
    assert_eq!(found[0].lease_until, now - 9);
    assert!(expiring(&world, now - 10, 100).await.is_empty());
    let none = world.broker.expiring_leases(&queue("other"), i64::MAX / 4, 9).await;
    assert!(none.expect("the store answers").is_empty());
}

async fn lists_at_most_the_limit(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.lease(3).await;
    let until = world.now() + lease_seconds();
    assert_eq!(active_ids(&expiring(&world, until, 2).await), ["a", "b"]);
    assert!(expiring(&world, until, 0).await.is_empty());
}

async fn tells_all_of_an_active_task(world: World) {
    world.store_pending(&["a"]).await;
    let crashed = world.lease_one().await;
    world.apply(&crashed, Transition::Requeue { crashed: true }).await;
    let leased = world.lease_one().await;
    let go = world.active("b").await;
    world.lease_as_go(&go).await;
    world.active("c").await;
    world.set_field("c", "msg", b"\xff\xff").await;

    let found = expiring(&world, world.now() + lease_seconds(), 100).await;
    assert_eq!(active_ids(&found), ["a", "b", "c"]);
    let [ours, theirs, broken] = &found[..] else { unreachable!("three were found") };
    assert_eq!(ours.run.as_ref(), Some(&leased.run));
    assert_eq!(ours.owner.as_deref(), Some(SERVER));
    assert_eq!((ours.crashes, ours.lease_until), (1, leased.lease_until));
    assert_eq!(ours.message.as_ref().ok(), Some(&message("a")));
    assert_eq!((theirs.run.as_ref(), theirs.owner.as_deref(), theirs.crashes), (None, None, 0));
    let unreadable = broken.message.as_ref().expect_err("no message");
    assert_eq!(unreadable.bytes, Bytes::from_static(b"\xff\xff"));
}

async fn passes_over_leases_without_a_task(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.lease(3).await;
    world.delete_task("a").await;
    world.delete_task("b").await;
    world.set_field("b", "state", b"active").await;
    let found = expiring(&world, world.now() + lease_seconds(), 100).await;
    assert_eq!(active_ids(&found), ["c"]);
}

async fn owned(world: &World, server: &str, offset: usize, limit: usize) -> (Vec<String>, usize) {
    let (found, looked_at) =
        world.broker.owned_by(&world.queue, server, offset, limit).await.expect("the store answers");
    (active_ids(&found).into_iter().map(str::to_owned).collect(), looked_at)
}

async fn lists_what_a_server_owns(world: World) {
    world.store_pending(&["a", "b", "c", "d"]).await;
    world.lease_one().await;
    let other = Demand { server_id: "server-2".to_owned(), ..world.demand(1) };
    world.exchange(&[], &other).await;
    world.lease(2).await;
    assert_eq!(
        owned(&world, SERVER, 0, 100).await,
        (vec!["a".to_owned(), "c".to_owned(), "d".to_owned()], 4)
    );
    assert_eq!(owned(&world, "server-2", 0, 100).await, (vec!["b".to_owned()], 4));
    assert_eq!(owned(&world, "server-3", 0, 100).await, (vec![], 4));

    world.remove_lease("b").await;
    let (found, _) =
        world.broker.owned_by(&world.queue, "server-2", 0, 100).await.expect("the store answers");
    assert_eq!(found[0].lease_until, 0, "it has no lease");
    assert_eq!(found[0].owner.as_deref(), Some("server-2"));
    let none = world.broker.owned_by(&queue("other"), SERVER, 0, 9).await.expect("the store answers");
    assert!(none.0.is_empty() && none.1 == 0);
}

async fn pages_from_the_oldest(world: World) {
    world.store_pending(&["a", "b", "c", "d", "e"]).await;
    world.lease(5).await;
    assert_eq!(owned(&world, SERVER, 0, 2).await, (vec!["a".to_owned(), "b".to_owned()], 2));
    assert_eq!(owned(&world, SERVER, 2, 2).await, (vec!["c".to_owned(), "d".to_owned()], 2));
    assert_eq!(owned(&world, SERVER, 4, 2).await, (vec!["e".to_owned()], 1));
    assert_eq!(owned(&world, SERVER, 5, 2).await, (vec![], 0));
    assert_eq!(owned(&world, SERVER, 0, 0).await, (vec![], 0));
}

async fn passes_over_owned_ids_without_a_task(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.lease(2).await;
    world.delete_task("a").await;
    assert_eq!(owned(&world, SERVER, 0, 9).await, (vec!["b".to_owned()], 2));
}
