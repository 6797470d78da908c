//! Forwarding: due tasks become ready, and no others.

use super::suite::case_list;
use super::world::{World, field, ids, message, pending, pending_in, queue, scheduled, task_id};
use crate::broker::{Broker, Forwarded, NewTask, Placement, Transition};
use crate::task::QueueName;
use crate::wire::TaskMessage;

case_list! { "forward":
    does_nothing_where_nothing_is,
    moves_a_task_in_the_second_it_is_due,
    moves_due_tasks_in_order,
    moves_scheduled_tasks_before_retries,
    leaves_other_queues_alone,
    returns_a_retry_to_its_group,
    forgets_a_run_that_was_left_behind,
    drops_ids_without_a_task,
    drops_ids_whose_hash_has_no_message,
    moves_a_hundred_of_each_at_a_time,
    tells_when_the_next_is_due,
}

async fn forward(world: &World) -> Forwarded {
    forward_in(&*world.broker, &world.queue).await
}

async fn forward_in(broker: &dyn Broker, queue: &QueueName) -> Forwarded {
    broker.forward(queue).await.expect("the store answers")
}

/// Leases the task and puts it into `retry`, due at this second.
async fn into_retry(world: &World, task: NewTask, at: i64) {
    let message = task.message.clone();
    let leased = world.active_task(task).await;
    world.apply(&leased, Transition::Retry { message, at, is_failure: false }).await;
}

async fn does_nothing_where_nothing_is(world: World) {
    let before = world.dump().await;
    assert_eq!(forward(&world).await, Forwarded { moved: 0, next_due: None });
    world.dump().await.assert_same(&before, "nothing was there");
}

async fn moves_a_task_in_the_second_it_is_due(world: World) {
    let at = world.now() + 10;
    world.store(&[scheduled("a", at)]).await;
    world.advance(9).await;
    assert_eq!(forward(&world).await, Forwarded { moved: 0, next_due: Some(at) });
    world.advance(1).await;
    assert_eq!(forward(&world).await, Forwarded { moved: 1, next_due: None });
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["a"]);
    assert!(!dump.contains(&world.keys.scheduled()));
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["msg", "pending_since", "state"]);
    assert_eq!(field(&hash, "state"), Some("pending"));
    assert_eq!(field(&hash, "pending_since"), Some(world.clock.unix_nanos().to_string().as_str()));
    assert_eq!(hash["msg"], message("a").encode());
}

async fn moves_due_tasks_in_order(world: World) {
    let now = world.now();
    world.store_pending(&["first"]).await;
    world
        .store(&[scheduled("d", now), scheduled("b", now - 1), scheduled("c", now), scheduled("a", now + 1)])
        .await;
    assert_eq!(forward(&world).await, Forwarded { moved: 3, next_due: Some(now + 1) });
    assert_eq!(ids(&world.lease(4).await), ["first", "b", "c", "d"]);
}

async fn moves_scheduled_tasks_before_retries(world: World) {
    let now = world.now();
    into_retry(&world, pending("retry"), now - 100).await;
    world.store(&[scheduled("scheduled", now)]).await;
    assert_eq!(forward(&world).await.moved, 2);
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["retry", "scheduled"]);
    assert!(!dump.contains(&world.keys.retry()));
    assert_eq!(field(&dump.hash("asynq:{q}:t:retry"), "state"), Some("pending"));
}

async fn leaves_other_queues_alone(world: World) {
    let placement = Placement::Scheduled(world.now());
    world.store(&[NewTask { placement, ..pending_in("other", "a") }]).await;
    assert_eq!(forward(&world).await.moved, 0);
    assert_eq!(forward_in(&*world.broker, &queue("other")).await.moved, 1);
}

async fn returns_a_retry_to_its_group(world: World) {
    let task = NewTask { message: TaskMessage { group_key: "g".to_owned(), ..message("a") }, ..pending("a") };
    into_retry(&world, task, world.now()).await;
    // As Go leaves it with a task that was once run out of its group.
    world.set_field("a", "group", b"g").await;
    assert_eq!(forward(&world).await, Forwarded { moved: 1, next_due: None });
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.group("g")), [("a".to_owned(), world.now())]);
    assert_eq!(dump.set(&world.keys.groups()), ["g"], "the group is known again");
    assert!(!dump.contains(&world.keys.pending()) && !dump.contains(&world.keys.retry()));
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["group", "msg", "state"]);
    assert_eq!(field(&hash, "state"), Some("aggregating"));

    // The field decides, not the message; an empty one is none.
    into_retry(&world, pending("b"), world.now()).await;
    world.set_field("b", "group", b"").await;
    forward(&world).await;
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["b"]);
}

async fn forgets_a_run_that_was_left_behind(world: World) {
    world.store(&[scheduled("a", world.now()), scheduled("b", world.now())]).await;
    world.set_field("b", "group", b"g").await;
    for id in ["a", "b"] {
        world.set_field(id, "x_run", b"old").await;
        world.set_field(id, "x_own", b"old").await;
        world.set_field(id, "x_crash", b"2").await;
    }
    assert_eq!(forward(&world).await.moved, 2);
    for id in ["a", "b"] {
        let hash = world.dump().await.hash(&world.keys.task(id));
        assert_eq!((field(&hash, "x_run"), field(&hash, "x_own")), (None, None));
        assert_eq!(field(&hash, "x_crash"), Some("2"));
    }
}

async fn drops_ids_without_a_task(world: World) {
    let now = world.now();
    world.store(&[scheduled("a", now), scheduled("b", now), scheduled("later", now + 1)]).await;
    into_retry(&world, pending("c"), now).await;
    for id in ["a", "c", "later"] {
        world.delete_task(id).await;
    }
    assert_eq!(forward(&world).await, Forwarded { moved: 1, next_due: Some(now + 1) });
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["b"]);
    assert!(!dump.contains(&world.keys.retry()));
    assert!(!dump.contains("asynq:{q}:t:a") && !dump.contains("asynq:{q}:t:c"), "no ghosts");
}

async fn drops_ids_whose_hash_has_no_message(world: World) {
    world.store(&[scheduled("a", world.now())]).await;
    world.delete_task("a").await;
    world.set_field("a", "state", b"scheduled").await;
    assert_eq!(forward(&world).await, Forwarded { moved: 0, next_due: None });
    let dump = world.dump().await;
    assert!(!dump.contains(&world.keys.pending()) && !dump.contains(&world.keys.scheduled()));
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["state"]);
    assert_eq!(field(&hash, "state"), Some("scheduled"), "what is left stays as it is");
}

async fn moves_a_hundred_of_each_at_a_time(world: World) {
    let now = world.now();
    let tasks = (0..120).map(|n| scheduled(&format!("{n:03}"), now)).collect::<Vec<_>>();
    world.store(&tasks).await;
    for n in 0..3 {
        into_retry(&world, pending(&format!("retry-{n}")), now - 1).await;
    }
    assert_eq!(forward(&world).await, Forwarded { moved: 103, next_due: Some(now) });
    let left = world.dump().await.zset(&world.keys.scheduled());
    assert_eq!((left.len(), left[0].0.as_str()), (20, "100"));
    assert_eq!(forward(&world).await, Forwarded { moved: 20, next_due: None });
    assert_eq!(world.lease_one().await.id, task_id("000"));
}

async fn tells_when_the_next_is_due(world: World) {
    let now = world.now();
    world.store(&[scheduled("a", now + 7)]).await;
    assert_eq!(forward(&world).await.next_due, Some(now + 7));
    into_retry(&world, pending("b"), now + 3).await;
    assert_eq!(forward(&world).await.next_due, Some(now + 3));
    world.advance(3).await;
    assert_eq!(forward(&world).await, Forwarded { moved: 1, next_due: Some(now + 7) });
}
