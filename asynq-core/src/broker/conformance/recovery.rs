//! Recovery: which servers live, and active IDs that lost their lease or their task.

use super::Corruption;
use super::suite::case_list;
use super::world::{SERVER, World, field, queue, strict, task_id};
use crate::broker::{OwnerBeat, QueueShare, RunToken, Settled, Settlement, Transition};
use crate::task::QueueName;

case_list! { "recovery":
    a_beat_tells_every_server_of_a_queue,
    a_later_beat_replaces_the_earlier,
    a_retired_server_is_gone,
    a_lease_is_a_beat_where_that_is_asked_for,
    mends_nothing_that_is_whole,
    gives_a_lease_to_an_active_task_without_one,
    drops_active_ids_without_a_task,
    drops_leases_of_tasks_that_are_not_active,
    mends_in_pages_from_the_oldest,
    looks_for_stray_leases_once_in_a_round,
    a_dead_servers_task_goes_back_without_using_up_a_retry,
    a_go_workers_task_is_retried,
}

async fn beat(world: &World, server: &str, queues: &[&str]) -> Vec<Vec<OwnerBeat>> {
    let queues = queues.iter().map(|name| queue(name)).collect::<Vec<_>>();
    world.broker.beat(server, &queues).await.expect("the store answers");
    let mut beats = world.broker.beats(&queues).await.expect("the store answers");
    for beats in &mut beats {
        beats.sort_by(|one, two| one.server_id.cmp(&two.server_id));
    }
    beats
}

fn beat_of(server: &str, at: i64) -> OwnerBeat {
    OwnerBeat { server_id: server.to_owned(), at }
}

async fn a_beat_tells_every_server_of_a_queue(world: World) {
    let now = world.now();
    assert_eq!(beat(&world, "one", &["q", "other"]).await, vec![vec![beat_of("one", now)]; 2]);
    let both = vec![beat_of("one", now), beat_of("two", now)];
    assert_eq!(beat(&world, "two", &["q"]).await, [both]);
    assert!(beat(&world, "two", &[]).await.is_empty());
    let never = world.broker.beats(&[queue("never")]).await.expect("the store answers");
    assert_eq!(never, [Vec::new()]);
    let dump = world.dump().await;
    assert_eq!(dump.zset("asynq:{q}:x:owners"), [("one".to_owned(), now), ("two".to_owned(), now)]);
    assert_eq!(dump.zset("asynq:{other}:x:owners"), [("one".to_owned(), now)]);
    assert_eq!(dump.entries.len(), 2, "a beat makes no queue known");
}

async fn a_later_beat_replaces_the_earlier(world: World) {
    let first = world.now();
    beat(&world, "one", &["q"]).await;
    beat(&world, "two", &["q"]).await;
    world.advance(5).await;
    let beats = beat(&world, "one", &["q"]).await;
    assert_eq!(beats, [vec![beat_of("one", first + 5), beat_of("two", first)]]);
}

async fn a_retired_server_is_gone(world: World) {
    for server in ["one", "two", "three"] {
        beat(&world, server, &["q", "other"]).await;
    }
    let retire = async |servers: &[&str], queues: &[&str]| {
        let queues = queues.iter().map(|name| queue(name)).collect::<Vec<_>>();
        world.broker.retire(servers, &queues).await.expect("the store answers");
    };
    retire(&["one", "three", "never"], &["q", "never"]).await;
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.owners()), [("two".to_owned(), world.now())]);
    assert_eq!(dump.zset("asynq:{other}:x:owners").len(), 3);
    retire(&["two"], &["q"]).await;
    retire(&[], &["other"]).await;
    let dump = world.dump().await;
    assert!(!dump.contains(&world.keys.owners()));
    assert_eq!(dump.zset("asynq:{other}:x:owners").len(), 3);
}

async fn a_lease_is_a_beat_where_that_is_asked_for(world: World) {
    world.store_pending(&["a", "b"]).await;
    let other = queue("other");
    let beating = |queue: &QueueName| QueueShare { beat: true, ..QueueShare::new(queue.clone(), 1) };
    let mut demand = strict(1, &[]);
    demand.queues = vec![QueueShare::new(world.queue.clone(), 1), beating(&other)];
    assert_eq!(world.exchange(&[], &demand).await.leased.len(), 1);
    assert!(!world.dump().await.contains(&world.keys.owners()), "not asked for");
    demand.queues = vec![beating(&world.queue), beating(&other)];
    assert_eq!(world.exchange(&[], &demand).await.leased.len(), 1);
    assert_eq!(world.exchange(&[], &demand).await.leased.len(), 0);
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.owners()), [(SERVER.to_owned(), world.now())]);
    assert!(!dump.contains("asynq:{other}:x:owners"), "nothing was leased there");
}

async fn mend(world: &World, offset: usize, limit: usize) -> (usize, usize) {
    world.broker.mend_active(&world.queue, offset, limit).await.expect("the store answers")
}

async fn mends_nothing_that_is_whole(world: World) {
    assert_eq!(mend(&world, 0, 10).await, (0, 0));
    world.store_pending(&["a", "b", "c"]).await;
    world.lease(2).await;
    world.advance(1_000).await;
    let before = world.dump().await;
    assert_eq!(mend(&world, 0, 10).await, (0, 2));
    world.dump().await.assert_same(&before, "nothing was broken");
}

async fn gives_a_lease_to_an_active_task_without_one(world: World) {
    let leased = world.active("a").await;
    world.remove_lease("a").await;
    world.advance(7).await;
    assert_eq!(mend(&world, 0, 10).await, (1, 1));
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.lease()), [("a".to_owned(), world.now())], "it ends now");
    assert_eq!(field(&dump.hash("asynq:{q}:t:a"), "x_run"), Some(leased.run.as_str()));
    assert_eq!(mend(&world, 0, 10).await, (0, 1));
}

async fn drops_active_ids_without_a_task(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.lease(3).await;
    world.delete_task("a").await;
    world.delete_task("b").await;
    world.set_field("b", "state", b"active").await;
    world.corrupt(Corruption::PushActive { queue: world.queue.clone(), id: task_id("never") }).await;
    assert_eq!(mend(&world, 0, 10).await, (3, 4));
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.active()), ["c"]);
    assert_eq!(dump.zset(&world.keys.lease()).len(), 1);
    assert!(!dump.contains("asynq:{q}:t:a") && !dump.contains("asynq:{q}:t:never"), "no ghosts");
    assert_eq!(field(&dump.hash("asynq:{q}:t:b"), "state"), Some("active"), "what is left stays as it is");
}

async fn drops_leases_of_tasks_that_are_not_active(world: World) {
    world.active("a").await;
    world.store_pending(&["b"]).await;
    for id in ["b", "never"] {
        world.set_lease(id, world.now() - 100).await;
    }
    assert_eq!(mend(&world, 0, 10).await, (2, 1));
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.lease()), [("a".to_owned(), world.now() + 30)]);
    assert_eq!(dump.list(&world.keys.pending()), ["b"], "the task itself stays where it is");

    // The task's state decides, not the list.
    world.set_field("b", "state", b"active").await;
    world.set_lease("b", world.now()).await;
    assert_eq!(mend(&world, 0, 10).await, (0, 1));
    assert_eq!(world.dump().await.zset(&world.keys.lease()).len(), 2);
}

async fn mends_in_pages_from_the_oldest(world: World) {
    world.store_pending(&["a", "b", "c", "d", "e"]).await;
    world.lease(5).await;
    for id in ["a", "b", "c", "d", "e"] {
        world.remove_lease(id).await;
    }
    let leases = async || {
        let zset = world.dump().await.zset(&world.keys.lease());
        zset.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(mend(&world, 0, 2).await, (2, 2));
    assert_eq!(leases().await, ["a", "b"]);
    assert_eq!(mend(&world, 4, 2).await, (1, 1));
    assert_eq!(leases().await, ["a", "b", "e"]);
    assert_eq!(mend(&world, 2, 2).await, (2, 2));
    assert_eq!(mend(&world, 5, 2).await, (0, 0));
}

async fn looks_for_stray_leases_once_in_a_round(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.lease(3).await;
    for id in ["x", "y"] {
        world.set_lease(id, world.now() - 100).await;
    }
    assert_eq!(mend(&world, 1, 1).await, (0, 1), "only at the start of a round");
    assert_eq!(mend(&world, 0, 0).await, (0, 0));
    assert_eq!(mend(&world, 0, 1).await, (1, 1), "and no more than the limit");
    assert_eq!(mend(&world, 0, 3).await, (1, 3));
    assert_eq!(world.dump().await.zset(&world.keys.lease()).len(), 3);
}

async fn a_dead_servers_task_goes_back_without_using_up_a_retry(world: World) {
    let leased = world.active("a").await;
    let (found, _) = world.broker.owned_by(&world.queue, "server-1", 0, 10).await.expect("the store answers");
    let seen = &found[0];
    let settled = world
        .settle(Settlement {
            queue: world.queue.clone(),
            id: seen.id.clone(),
            run: seen.run.clone(),
            lease_until: seen.lease_until,
            transition: Transition::Requeue { crashed: true },
        })
        .await;
    assert_eq!(settled, Settled::Applied);
    let again = world.lease_one().await;
    assert_eq!(again.message.expect("a readable message").retried, 0);
    world.refuse(super::world::settlement(&leased, super::world::done()), "it was given up for dead").await;
}

async fn a_go_workers_task_is_retried(world: World) {
    let leased = world.active("a").await;
    world.lease_as_go(&leased).await;
    world.advance(60).await;
    let found =
        world.broker.expiring_leases(&world.queue, world.now() - 30, 10).await.expect("the store answers");
    let seen = &found[0];
    assert_eq!(seen.run.as_ref().map(RunToken::as_str), None);
    let message = seen.message.clone().expect("a readable message");
    let recovered = Settlement {
        queue: world.queue.clone(),
        id: seen.id.clone(),
        run: None,
        lease_until: seen.lease_until,
        transition: Transition::Retry { message, at: world.now() + 15, is_failure: true },
    };
    assert_eq!(world.settle(recovered).await, Settled::Applied);
    assert_eq!(world.dump().await.zset(&world.keys.retry()), [("a".to_owned(), world.now() + 15)]);
}
