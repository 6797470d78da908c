//! Ticks that passed while nobody looked.

use super::world::{World, every, pass, periodic, start};
use crate::scheduler::{CatchUp, Scheduler};

/// An hourly entry that runs for two hours, is down for six and a half, and starts again.
async fn after_an_outage(policy: CatchUp) -> Vec<String> {
    let world = World::new();
    let entries = || [periodic("@hourly").catch_up(policy)];
    let scheduler = world.started(entries());
    pass(2 * 3_600).await;
    scheduler.shutdown().await;
    pass(6 * 3_600 + 1_800).await;
    let scheduler = world.started(entries());
    pass(3_600).await;
    scheduler.shutdown().await;
    world.ticks()
}

#[tokio::test(start_paused = true)]
async fn none_leaves_them_out() {
    let expected = ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z", "2026-01-01T09:00:00Z"];
    assert_eq!(after_an_outage(CatchUp::None).await, expected);
}

#[tokio::test(start_paused = true)]
async fn last_makes_up_for_one() {
    let expected =
        ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z", "2026-01-01T08:00:00Z", "2026-01-01T09:00:00Z"];
    assert_eq!(after_an_outage(CatchUp::Last).await, expected);
}

#[tokio::test(start_paused = true)]
async fn all_makes_up_for_each_in_order() {
    let all = every(3_600, "2026-01-01T01:00:00Z", "2026-01-01T09:00:00Z");
    assert_eq!(after_an_outage(CatchUp::All(100)).await, all);
    let mut bounded = all.clone();
    bounded.drain(2..5);
    assert_eq!(after_an_outage(CatchUp::All(3)).await, bounded);
}

#[tokio::test(start_paused = true)]
async fn several_make_up_for_each_once() {
    let world = World::new();
    let begin =
        || start(Scheduler::builder(&world.client).catch_up(CatchUp::All(5_000)), [periodic("* * * * *")]);
    let first = begin();
    pass(60).await;
    drop(first);
    pass(86_400).await;
    let schedulers = [begin(), begin(), begin()];
    pass(60).await;
    assert_eq!(world.ticks(), every(60, "2026-01-01T00:01:00Z", "2026-01-02T00:02:00Z"));
    for scheduler in schedulers {
        scheduler.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_gets_all_when_told_so() {
    let world = World::new();
    let scheduler = world.started([periodic("* * * * *").catch_up(CatchUp::All(100))]);
    pass(60).await;
    world.broker.set_away(true);
    pass(600).await;
    world.broker.set_away(false);
    pass(60).await;
    assert_eq!(world.ticks(), every(60, "2026-01-01T00:01:00Z", "2026-01-01T00:12:00Z"));
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_the_start_is_waited_for() {
    let world = World::new();
    world.broker.set_away(true);
    let scheduler = world.started([periodic("* * * * *")]);
    pass(90).await;
    world.broker.set_away(false);
    pass(60).await;
    assert_eq!(world.ticks(), ["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]);
    scheduler.shutdown().await;
}
