//! Several schedulers with the same entries.

use std::collections::BTreeSet;

use super::world::{World, every, pass, periodic, start};
use crate::scheduler::{Scheduler, SchedulerBuilder};

fn on(world: &World, seconds_ahead: i64) -> SchedulerBuilder {
    Scheduler::builder(&world.ahead(seconds_ahead))
}

#[tokio::test(start_paused = true)]
async fn three_with_clocks_that_differ_enqueue_each_tick_once() {
    for step in [7, 60] {
        let world = World::new();
        let schedulers =
            [-20, 0, 20].map(|ahead| start(on(&world, ahead), [periodic(&format!("@every {step}s"))]));
        pass(2 * 3_600).await;
        let mut ticks = world.ticks();
        ticks.sort();
        // Each has begun by its own clock.
        let (first, last) = (ticks.first().unwrap().clone(), ticks.last().unwrap().clone());
        assert!(*first <= *"2026-01-01T00:01:00Z" && *last >= *"2026-01-01T02:00:00Z", "{first} to {last}");
        assert!(ticks == every(step, &first, &last), "each once, and no gap");
        for scheduler in schedulers {
            scheduler.shutdown().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_one_dies_the_others_go_on_without_a_gap() {
    let world = World::new();
    let mut schedulers: Vec<_> =
        [0, 3, -4].into_iter().map(|ahead| start(on(&world, ahead), [periodic("@every 10s")])).collect();
    while let Some(scheduler) = schedulers.pop() {
        pass(600).await;
        // As a crash would.
        drop(scheduler);
    }
    let ticks = world.ticks();
    assert_eq!(ticks, every(10, "2026-01-01T00:00:10Z", "2026-01-01T00:30:00Z"));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_replaced_within_ten_seconds_misses_nothing() {
    let world = World::new();
    let scheduler = world.started([periodic("0 * * * *"), periodic("@every 4s")]);
    pass(3_595).await;
    drop(scheduler);
    pass(9).await;
    let scheduler = world.started([periodic("0 * * * *"), periodic("@every 4s")]);
    pass(60).await;
    let ticks = world.ticks();
    assert_eq!(ticks.iter().filter(|tick| *tick == "2026-01-01T01:00:00Z").count(), 2, "of each entry one");
    let seen: BTreeSet<_> = ticks.into_iter().collect();
    let expected: BTreeSet<_> =
        every(4, "2026-01-01T00:00:04Z", "2026-01-01T01:01:04Z").into_iter().collect();
    assert_eq!(seen, expected);
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_joins_with_a_clock_ahead_takes_no_tick_away() {
    let world = World::new();
    let first = world.started([periodic("@every 1s")]);
    pass(100).await;
    let second = start(on(&world, 15), [periodic("@every 1s")]);
    pass(100).await;
    second.shutdown().await;
    pass(100).await;
    let ticks = world.ticks();
    assert_eq!(ticks, every(1, "2026-01-01T00:00:01Z", "2026-01-01T00:05:01Z"));
    first.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_leaves_the_history_to_the_others() {
    let world = World::new();
    let (one, two) = (world.started([periodic("* * * * *")]), world.started([periodic("* * * * *")]));
    assert_eq!(one.entries(), two.entries());
    pass(300).await;
    one.shutdown().await;
    assert_eq!(world.events(two.entries()[0].as_str()), 5);
    assert!(world.published(&one).is_empty());
    assert_eq!(world.published(&two).len(), 1);
    two.shutdown().await;
}
