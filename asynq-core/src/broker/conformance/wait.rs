//! Waiting: a worker sleeps until there may be work, and is woken when there is.

use std::time::Duration;

use futures_util::future::join;
use tokio::time::{Instant, sleep, timeout};

use super::suite::case_list;
use super::world::{World, done, pending_in, queue, requeue, scheduled};
use crate::broker::Waiter;
use crate::task::QueueName;

case_list! { "wait":
    returns_at_once_when_there_is_work,
    wakes_for_a_new_task,
    wakes_for_a_task_in_any_of_its_queues,
    wakes_for_a_task_that_comes_back,
    wakes_for_a_task_that_falls_due,
    takes_nothing,
    a_dropped_wait_loses_nothing,
    goes_on_after_each_wake_up,
    wakes_every_waiter,
    looks_at_paused_queues_only_now_and_then,
    a_paused_queue_does_not_hide_the_others,
}

/// Longer than any wait that ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for a waiter to be asleep.
const A_MOMENT: Duration = Duration::from_millis(100);

async fn woken(waiter: &mut dyn Waiter, paused: &[QueueName]) {
    timeout(PATIENCE, waiter.wait(paused)).await.expect("it wakes up").expect("the store answers");
}

/// Waits while `then` happens after a moment; the wait must end.
async fn woken_by(waiter: &mut dyn Waiter, then: impl Future<Output = ()>) {
    let later = async {
        sleep(A_MOMENT).await;
        then.await;
    };
    join(woken(waiter, &[]), later).await;
}

async fn returns_at_once_when_there_is_work(world: World) {
    world.store_pending(&["a"]).await;
    let mut waiter = world.broker.waiter(&[queue("other"), world.queue.clone()]);
    for _ in 0..3 {
        woken(&mut *waiter, &[]).await;
    }
}

async fn wakes_for_a_new_task(world: World) {
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    woken_by(&mut *waiter, world.store_pending(&["a"])).await;
    assert_eq!(world.lease_one().await.id, "a");
}

async fn wakes_for_a_task_in_any_of_its_queues(world: World) {
    let mut waiter = world.broker.waiter(&[queue("one"), world.queue.clone(), queue("two")]);
    woken_by(&mut *waiter, world.store(&[pending_in("two", "a")])).await;
}

async fn wakes_for_a_task_that_comes_back(world: World) {
    let leased = world.active("a").await;
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    woken_by(&mut *waiter, world.apply(&leased, requeue())).await;
}

async fn wakes_for_a_task_that_falls_due(world: World) {
    world.store(&[scheduled("a", world.now())]).await;
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    let forward = async {
        world.broker.forward(&world.queue).await.expect("the store answers");
    };
    woken_by(&mut *waiter, forward).await;
}

async fn takes_nothing(world: World) {
    world.store_pending(&["a", "b"]).await;
    let before = world.dump().await;
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    woken(&mut *waiter, &[]).await;
    world.dump().await.assert_same(&before, "waiting changes nothing");
}

async fn a_dropped_wait_loses_nothing(world: World) {
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    for _ in 0..3 {
        drop(timeout(A_MOMENT, waiter.wait(&[])).await);
    }
    woken_by(&mut *waiter, world.store_pending(&["a"])).await;
    drop(timeout(A_MOMENT, waiter.wait(&[])).await);
    assert_eq!(world.lease_one().await.id, "a");
}

async fn goes_on_after_each_wake_up(world: World) {
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    for id in ["a", "b", "c"] {
        woken_by(&mut *waiter, world.store_pending(&[id])).await;
        let leased = world.lease_one().await;
        world.apply(&leased, done()).await;
    }
}

async fn wakes_every_waiter(world: World) {
    let mut one = world.broker.waiter(std::slice::from_ref(&world.queue));
    let mut two = world.broker.waiter(&[world.queue.clone(), queue("other")]);
    let both = join(woken(&mut *one, &[]), woken(&mut *two, &[]));
    let store = async {
        sleep(A_MOMENT).await;
        world.store_pending(&["a", "b"]).await;
    };
    join(both, store).await;
}

async fn looks_at_paused_queues_only_now_and_then(world: World) {
    world.store_pending(&["a"]).await;
    world.broker.pause(&world.queue).await.expect("the store answers");
    let mut waiter = world.broker.waiter(std::slice::from_ref(&world.queue));
    let start = Instant::now();
    woken(&mut *waiter, std::slice::from_ref(&world.queue)).await;
    assert!(start.elapsed() >= Duration::from_millis(500), "it came back after {:?}", start.elapsed());
}

async fn a_paused_queue_does_not_hide_the_others(world: World) {
    world.store(&[pending_in("paused", "a")]).await;
    let paused = queue("paused");
    world.broker.pause(&paused).await.expect("the store answers");
    world.store_pending(&["b"]).await;
    let mut waiter = world.broker.waiter(&[paused.clone(), world.queue.clone()]);
    woken(&mut *waiter, &[paused]).await;
}
