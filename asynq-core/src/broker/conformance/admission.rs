//! Limits over all servers: semaphores as Go's, and rate limits.

use std::sync::Arc;
use std::time::Duration;

use super::suite::case_list;
use super::world::{World, task_id};
use crate::broker::{LINE_PATIENCE, Token, Transition, Turn};

case_list! { "admission":
    a_semaphore_has_so_many_tokens,
    a_token_that_is_given_back_is_free,
    a_task_that_has_a_token_keeps_it,
    a_token_of_a_dead_worker_expires,
    semaphores_do_not_disturb_each_other,
    so_many_run_and_then_one_for_each_that_is_a_period_ago,
    those_who_wait_have_a_turn_of_their_own,
    who_comes_for_his_turn_runs_before_who_asks_anew,
    a_place_in_line_is_lost_a_minute_after_its_turn,
    room_beyond_those_who_wait_is_given_at_once,
    limits_do_not_disturb_each_other,
    time_does_not_go_back_when_clocks_differ,
    a_clock_that_is_far_ahead_blocks_nobody,
    a_limit_that_was_raised_holds_at_once,
    a_limit_that_nobody_uses_is_forgotten,
    no_period_ever_has_more_than_allowed,
    put_back_any_number_of_times_counts_nothing,
}

const RAN: &str = "asynq:x:rate:{api}:ran";
const LINE: &str = "asynq:x:rate:{api}:line";

async fn acquire(world: &World, scope: &str, id: &str) -> bool {
    let (id, until) = (task_id(id), world.now() + 30);
    let token = Token { scope, most: 2, id: &id, until };
    world.broker.acquire_token(&token).await.expect("the store answers")
}

async fn release(world: &World, scope: &str, id: &str) -> bool {
    world.broker.release_token(scope, &task_id(id)).await.expect("the store answers")
}

async fn a_semaphore_has_so_many_tokens(world: World) {
    let until = world.now() + 30;
    assert!(acquire(&world, "s", "a").await);
    assert!(acquire(&world, "s", "b").await);
    assert!(!acquire(&world, "s", "c").await);
    let tokens = world.dump().await.zset("asynq:sema:s");
    assert_eq!(tokens, [("a".to_owned(), until), ("b".to_owned(), until)]);
}

async fn a_token_that_is_given_back_is_free(world: World) {
    assert!(acquire(&world, "s", "a").await);
    assert!(acquire(&world, "s", "b").await);
    assert!(release(&world, "s", "a").await);
    assert!(!release(&world, "s", "a").await, "it had none any more");
    assert!(acquire(&world, "s", "c").await);
    assert!(release(&world, "s", "b").await && release(&world, "s", "c").await);
    assert!(!world.dump().await.contains("asynq:sema:s"));
}

async fn a_task_that_has_a_token_keeps_it(world: World) {
    assert!(acquire(&world, "s", "a").await);
    assert!(acquire(&world, "s", "b").await);
    world.advance(10).await;
    assert!(acquire(&world, "s", "a").await, "it runs again");
    let tokens = world.dump().await.zset("asynq:sema:s");
    assert_eq!(tokens, [("b".to_owned(), world.now() + 20), ("a".to_owned(), world.now() + 30)]);
}

async fn a_token_of_a_dead_worker_expires(world: World) {
    assert!(acquire(&world, "s", "a").await);
    assert!(acquire(&world, "s", "b").await);
    world.advance(30).await;
    assert!(!acquire(&world, "s", "c").await, "as in Go, not in the second of its deadline");
    world.advance(1).await;
    assert!(acquire(&world, "s", "c").await);
}

async fn semaphores_do_not_disturb_each_other(world: World) {
    assert!(acquire(&world, "s", "a").await && acquire(&world, "s", "b").await);
    assert!(acquire(&world, "t", "a").await && acquire(&world, "t", "c").await);
    assert!(release(&world, "s", "a").await);
    assert!(!acquire(&world, "t", "d").await);
}

/// Asks for a turn under a limit of 3 in 10 seconds: how many seconds to wait.
async fn ask(world: &World, id: &str) -> u64 {
    ask_on(world, "api", 3, id).await.as_secs()
}

async fn ask_on(world: &World, scope: &str, most: u32, id: &str) -> Duration {
    let (id, run) = (task_id(id), uuid::Uuid::new_v4().to_string());
    let turn = Turn { scope, id: &id, run: &run, most, period: Duration::from_secs(10) };
    world.broker.take_turn(&turn).await.expect("the store answers").unwrap_or_default()
}

async fn so_many_run_and_then_one_for_each_that_is_a_period_ago(world: World) {
    assert_eq!(ask(&world, "a").await, 0);
    world.advance(4).await;
    assert_eq!(ask(&world, "b").await, 0);
    assert_eq!(ask(&world, "c").await, 0);
    assert_eq!(ask(&world, "d").await, 6, "a period after the first");
    world.advance(6).await;
    assert_eq!(ask(&world, "d").await, 0);
    assert_eq!(ask(&world, "e").await, 4, "a period after the second");
    let dump = world.dump().await;
    assert_eq!(dump.zset(RAN).len(), 3);
    let line = dump.zset(LINE).into_iter().map(|(id, micros)| (id, micros.div_euclid(1_000_000)));
    assert_eq!(line.collect::<Vec<_>>(), [("e".to_owned(), world.now() + 4)]);
}

async fn those_who_wait_have_a_turn_of_their_own(world: World) {
    let mut waits = Vec::new();
    for n in 0..10 {
        waits.push(ask(&world, &format!("task {n}")).await);
    }
    assert_eq!(waits, [0, 0, 0, 10, 10, 10, 20, 20, 20, 30]);
    assert_eq!(ask(&world, "task 3").await, 10, "who asks before keeps his place");
}

async fn who_comes_for_his_turn_runs_before_who_asks_anew(world: World) {
    for n in 0..5 {
        ask(&world, &format!("task {n}")).await;
    }
    world.advance(10).await;
    assert_eq!(ask(&world, "new").await, 0, "two wait, three may run");
    assert_eq!(ask(&world, "newer").await, 10, "what is left is theirs");
    assert_eq!(ask(&world, "task 4").await, 0);
    assert_eq!(ask(&world, "task 3").await, 0);
}

async fn a_place_in_line_is_lost_a_minute_after_its_turn(world: World) {
    for n in 0..5 {
        ask(&world, &format!("task {n}")).await;
    }
    world.advance(9 + LINE_PATIENCE.as_secs()).await;
    assert_eq!(ask(&world, "a").await, 0);
    assert_eq!(ask(&world, "b").await, 10, "two of three are kept for those who wait");
    world.advance(1).await;
    assert_eq!(ask(&world, "c").await, 0, "they did not come");
}

async fn room_beyond_those_who_wait_is_given_at_once(world: World) {
    for n in 0..4 {
        ask(&world, &format!("task {n}")).await;
    }
    world.advance(10).await;
    for id in ["a", "b"] {
        assert_eq!(ask(&world, id).await, 0);
    }
    assert_eq!(ask(&world, "c").await, 10);
}

async fn limits_do_not_disturb_each_other(world: World) {
    for id in ["a", "b", "c"] {
        assert_eq!(ask(&world, id).await, 0);
    }
    assert_eq!(ask_on(&world, "other", 3, "d").await, Duration::ZERO);
    assert_eq!(ask(&world, "d").await, 10);
}

async fn time_does_not_go_back_when_clocks_differ(world: World) {
    for id in ["a", "b", "c"] {
        assert_eq!(ask(&world, id).await, 0);
    }
    let behind = with_clock(&world, -20).await;
    assert_eq!(ask(&behind, "d").await, 10, "a period after the last that ran");
    world.advance(9).await;
    assert_eq!(ask(&behind, "e").await, 10, "which is still to come by this clock");
    assert_eq!(ask(&world, "f").await, 1);
}

async fn a_clock_that_is_far_ahead_blocks_nobody(world: World) {
    let ahead = with_clock(&world, 3_600).await;
    for id in ["a", "b", "c"] {
        assert_eq!(ask(&ahead, id).await, 0);
    }
    assert_eq!(ask(&world, "d").await, 0);
}

/// The same store where the clock is ahead by so many seconds, or behind.
async fn with_clock(world: &World, ahead: i64) -> World {
    let clock = world.clock.shifted(jiff::SignedDuration::from_secs(ahead));
    let broker = world.fixture.broker_with_clock(clock).await;
    World { broker, ..World::new(Arc::clone(&world.fixture)) }
}

async fn a_limit_that_was_raised_holds_at_once(world: World) {
    for id in ["a", "b", "c"] {
        assert_eq!(ask(&world, id).await, 0);
    }
    assert_eq!(ask(&world, "d").await, 10);
    assert_eq!(ask_on(&world, "api", 5, "d").await, Duration::ZERO);
    assert_eq!(ask_on(&world, "api", 5, "e").await, Duration::ZERO);
    assert_eq!(ask_on(&world, "api", 5, "f").await, Duration::from_secs(10));
    assert_eq!(ask(&world, "g").await, 10, "and one that was lowered");
}

async fn a_limit_that_nobody_uses_is_forgotten(world: World) {
    for n in 0..4 {
        ask(&world, &format!("task {n}")).await;
    }
    world.advance(LINE_PATIENCE.as_secs()).await;
    let dump = world.dump().await;
    assert!(dump.contains(RAN) && dump.contains(LINE));
    world.advance(11).await;
    let dump = world.dump().await;
    assert!(!dump.contains(RAN) && !dump.contains(LINE), "{dump:?}");
}

async fn no_period_ever_has_more_than_allowed(world: World) {
    let mut rng = fastrand::Rng::with_seed(18);
    let (mut ran, mut waiting) = (Vec::new(), Vec::new());
    for n in 0..300_u32 {
        let id = if waiting.is_empty() || rng.bool() {
            format!("task {n}")
        } else {
            waiting.swap_remove(rng.usize(..waiting.len()))
        };
        match ask(&world, &id).await {
            0 => ran.push(world.now()),
            _ => waiting.push(id),
        }
        world.advance(rng.u64(0..3)).await;
    }
    for (at, &began) in ran.iter().enumerate() {
        let within = ran.iter().skip(at).take_while(|&&other| other < began + 10).count();
        assert!(within <= 3, "{within} began from {began} on: {ran:?}");
    }
    let span = ran.last().zip(ran.first()).map_or(0, |(last, first)| last - first);
    let full = usize::try_from(span * 3 / 10).expect("a positive span");
    assert!(ran.len() * 10 > full * 5, "{} ran where {full} might have", ran.len());
}

async fn put_back_any_number_of_times_counts_nothing(world: World) {
    world.store_pending(&["a"]).await;
    for _ in 0..5 {
        let leased = world.lease_one().await;
        let message = leased.message.clone().expect("a readable message");
        let at = world.now() + 30;
        world.apply(&leased, Transition::PutBack { message, at, limit: None }).await;
        let dump = world.dump().await;
        assert_eq!(dump.zset(&world.keys.retry()), [("a".to_owned(), at)]);
        let fields: Vec<_> = dump.hash(&world.keys.task("a")).into_keys().collect();
        assert_eq!(fields, ["msg", "state"]);
        assert_eq!(world.counters(&dump), [const { None }; 4]);
        world.advance(30).await;
        world.broker.forward(&world.queue).await.expect("the store answers");
    }
}
