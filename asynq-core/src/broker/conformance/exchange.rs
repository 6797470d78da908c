//! Leasing: which tasks are taken, in which order, and what is stored of it.

use bytes::Bytes;

use super::Corruption;
use super::suite::case_list;
use super::world::{
    SERVER, World, done, field, foreign_run, ids, lease_seconds, message, pending, pending_in, queue,
    requeue, settlement, strict, task_id,
};
use crate::broker::{Demand, NewTask, QueueShare, Settled, Settlement, Transition};
use crate::task::QueueName;
use crate::wire::TaskMessage;

case_list! { "exchange":
    gives_nothing_of_nothing,
    leases_the_oldest_first,
    stores_who_runs_a_task,
    tells_since_when_a_task_was_pending,
    leases_no_more_than_asked_for,
    settles_any_of_a_thousand_that_run,
    takes_nothing_without_slots,
    names_each_exchange_by_a_fresh_token,
    empties_a_strict_queue_before_the_next,
    draws_queues_by_their_weight,
    draws_only_queues_that_have_tasks,
    serves_a_queue_without_weight,
    takes_nothing_from_a_paused_queue,
    takes_from_other_queues_beside_a_paused_one,
    lists_every_paused_queue,
    drops_ids_without_a_task,
    drops_ids_whose_hash_has_no_message,
    takes_an_id_that_is_pending_twice_once,
    takes_what_bears_the_marks_of_an_earlier_run_once,
    tells_what_cannot_be_decoded,
    tells_long_messages_whole,
    settles_before_it_leases,
    settles_over_several_queues,
    settles_many_runs_in_any_order,
    takes_and_settles_in_queues_with_odd_names,
    leases_to_several_servers,
}

async fn gives_nothing_of_nothing(world: World) {
    let exchanged = world.exchange(&[], &world.demand(5)).await;
    assert!(exchanged.leased.is_empty() && exchanged.dropped.is_empty() && exchanged.paused.is_empty());
    assert_eq!(world.dump().await, super::Dump::default());
}

async fn leases_the_oldest_first(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    let exchanged = world.exchange(&[], &world.demand(2)).await;
    assert_eq!(ids(&exchanged.leased), ["a", "b"]);
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["c"]);
    assert_eq!(dump.list(&world.keys.active()), ["b", "a"]);
    let until = world.now() + lease_seconds();
    assert_eq!(dump.zset(&world.keys.lease()), [("a".to_owned(), until), ("b".to_owned(), until)]);
    for leased in &exchanged.leased {
        assert_eq!(leased.queue, world.queue);
        assert_eq!(leased.lease_until, until);
        assert_eq!(leased.message.as_ref().ok(), Some(&message(leased.id.as_str())));
    }
}

async fn stores_who_runs_a_task(world: World) {
    let leased = world.active("a").await;
    let hash = world.dump().await.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["msg", "state", "x_own", "x_run"]);
    assert_eq!(hash["msg"], message("a").encode());
    assert_eq!(field(&hash, "state"), Some("active"));
    assert_eq!(field(&hash, "x_own"), Some(SERVER));
    assert_eq!(field(&hash, "x_run"), Some(leased.run.as_str()));
}

async fn tells_since_when_a_task_was_pending(world: World) {
    world.store_pending(&["a"]).await;
    let since = world.clock.now();
    world.advance(2).await;
    world.store(&[pending_in("other", "b")]).await;
    let names = [queue("other"), world.queue.clone()];
    let asked = |slots| Demand { pending_since: true, ..strict(slots, &[&names[0], &names[1]]) };
    let leased = world.exchange(&[], &asked(2)).await.leased;
    let nanos = |at: jiff::Timestamp| i64::try_from(at.as_nanosecond()).ok();
    let told: Vec<_> = leased.iter().map(|leased| (leased.id.as_str(), leased.pending_since)).collect();
    assert_eq!(told, [("b", nanos(world.clock.now())), ("a", nanos(since))]);
    assert_eq!(leased[1].message.as_ref().ok(), Some(&message("a")));
    // A task that was put back waits anew.
    world.advance(1).await;
    world.apply(&leased[1], requeue()).await;
    assert_eq!(world.exchange(&[], &asked(1)).await.leased[0].pending_since, nanos(world.clock.now()));
    // Nobody asked: nothing is told. What is no number, or no message, is no reason to fail.
    world.store_pending(&["c", "d"]).await;
    for (id, field, value) in [("c", "pending_since", &b"soon"[..]), ("d", "msg", b"no message")] {
        world.set_field(id, field, value).await;
    }
    let leased = world.exchange(&[], &asked(2)).await.leased;
    assert_eq!((leased[0].pending_since, leased[0].message.is_ok()), (None, true));
    assert_eq!((leased[1].pending_since, leased[1].message.is_err()), (nanos(world.clock.now()), true));
    assert_eq!(world.active("e").await.pending_since, None);
}

async fn leases_no_more_than_asked_for(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    assert_eq!(world.exchange(&[], &world.demand(1)).await.leased.len(), 1);
    assert_eq!(world.exchange(&[], &world.demand(5)).await.leased.len(), 2);
    assert_eq!(world.exchange(&[], &world.demand(5)).await.leased.len(), 0);
}

async fn settles_any_of_a_thousand_that_run(world: World) {
    let names: Vec<String> = (0..1_000).map(|n| format!("t{n}")).collect();
    world.store_pending(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let leased = world.lease(1_000).await;
    assert_eq!(leased.len(), 1_000);
    for at in [999, 990, 0, 500, 998, 1] {
        world.apply(&leased[at], done()).await;
    }
    let info = world.broker.queue_info(&world.queue).await.expect("the store answers");
    assert_eq!((info.active, info.processed, info.orphaned), (994, 6, 0));
}

async fn takes_nothing_without_slots(world: World) {
    world.store_pending(&["a"]).await;
    let before = world.dump().await;
    assert!(world.exchange(&[], &world.demand(0)).await.leased.is_empty());
    assert!(world.exchange(&[], &Demand::none()).await.leased.is_empty());
    world.dump().await.assert_same(&before, "no slots");
}

async fn names_each_exchange_by_a_fresh_token(world: World) {
    world.store_pending(&["a", "b"]).await;
    let (first, second) = (world.lease_one().await, world.lease_one().await);
    assert_ne!(first.run, second.run);
    world.apply(&first, requeue()).await;
    assert_ne!(world.lease_one().await.run, first.run);
}

async fn empties_a_strict_queue_before_the_next(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.store(&[pending_in("high", "c"), pending_in("high", "d")]).await;
    let high = queue("high");
    let exchanged = world.exchange(&[], &strict(3, &[&high, &world.queue])).await;
    assert_eq!(ids(&exchanged.leased), ["c", "d", "a"]);
    let exchanged = world.exchange(&[], &strict(3, &[&high, &world.queue])).await;
    assert_eq!(ids(&exchanged.leased), ["b"]);
}

fn weighted(slots: usize, shares: &[(&QueueName, u32)]) -> Demand {
    let queues = shares.iter().map(|(queue, weight)| QueueShare::new((*queue).clone(), *weight)).collect();
    Demand { server_id: SERVER.to_owned(), slots, queues, ..Demand::none() }
}

async fn draws_queues_by_their_weight(world: World) {
    let (heavy, light) = (queue("heavy"), queue("light"));
    for queue in [&heavy, &light] {
        let tasks = (0..400).map(|n| pending_in(queue.as_str(), &n.to_string())).collect::<Vec<_>>();
        world.store(&tasks).await;
    }
    let (mut taken, mut from_heavy, mut mixed) = (0, 0, 0);
    while taken < 400 {
        let demand = weighted((400 - taken).min(40), &[(&light, 1), (&heavy, 3)]);
        let leased = world.exchange(&[], &demand).await.leased;
        assert!(!leased.is_empty(), "both queues have tasks left");
        let heavy_ones = leased.iter().filter(|leased| leased.queue == heavy).count();
        taken += leased.len();
        from_heavy += heavy_ones;
        mixed += usize::from(heavy_ones > 0 && heavy_ones < leased.len());
    }
    // 300 expected, with a standard deviation of 8.7 when every slot is drawn by itself.
    assert!((240..=360).contains(&from_heavy), "{from_heavy} of 400 came from the queue of weight 3 of 4");
    assert!(mixed > 0, "each slot is drawn by itself");
}

async fn draws_only_queues_that_have_tasks(world: World) {
    world.store(&[pending_in("light", "a"), pending_in("light", "b")]).await;
    let demand = weighted(5, &[(&queue("heavy"), 1_000_000), (&queue("light"), 1), (&queue("never"), 7)]);
    assert_eq!(ids(&world.exchange(&[], &demand).await.leased), ["a", "b"]);
}

async fn serves_a_queue_without_weight(world: World) {
    world.store_pending(&["a"]).await;
    let exchanged = world.exchange(&[], &weighted(1, &[(&world.queue, 0)])).await;
    assert_eq!(ids(&exchanged.leased), ["a"]);
}

async fn takes_nothing_from_a_paused_queue(world: World) {
    world.store_pending(&["a"]).await;
    world.broker.pause(&world.queue).await.expect("the store answers");
    let before = world.dump().await;
    for demand in [world.demand(1), weighted(1, &[(&world.queue, 1)])] {
        let exchanged = world.exchange(&[], &demand).await;
        assert!(exchanged.leased.is_empty());
        assert_eq!(exchanged.paused, [queue("q")]);
    }
    world.dump().await.assert_same(&before, "the queue is paused");
    world.broker.resume(&world.queue).await.expect("the store answers");
    let exchanged = world.exchange(&[], &world.demand(1)).await;
    assert_eq!((ids(&exchanged.leased), exchanged.paused.len()), (vec!["a"], 0));
}

async fn takes_from_other_queues_beside_a_paused_one(world: World) {
    world.store_pending(&["a"]).await;
    world.store(&[pending_in("paused", "b")]).await;
    let paused = queue("paused");
    world.broker.pause(&paused).await.expect("the store answers");
    for demand in [strict(5, &[&paused, &world.queue]), weighted(5, &[(&paused, 9), (&world.queue, 1)])] {
        let exchanged = world.exchange(&[], &demand).await;
        assert_eq!(ids(&exchanged.leased), ["a"]);
        assert_eq!(exchanged.paused, [queue("paused")]);
        world.apply(&exchanged.leased[0], requeue()).await;
    }
}

async fn lists_every_paused_queue(world: World) {
    world.store_pending(&["a"]).await;
    let (empty, never) = (queue("empty"), queue("never"));
    for queue in [&empty, &never] {
        world.broker.pause(queue).await.expect("the store answers");
    }
    world.store(&[pending_in("empty", "b")]).await;
    let exchanged = world.exchange(&[], &strict(1, &[&world.queue, &never, &empty])).await;
    assert_eq!(ids(&exchanged.leased), ["a"]);
    assert_eq!(exchanged.paused, [never.clone(), empty.clone()], "also when the slots are filled before");
    let exchanged = world.exchange(&[], &strict(0, &[&never, &empty])).await;
    assert!(exchanged.paused.is_empty(), "nothing was asked for");
}

async fn drops_ids_without_a_task(world: World) {
    world.store_pending(&["a", "b"]).await;
    for id in ["gone-1", "gone-2"] {
        world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id: task_id(id) }).await;
    }
    let exchanged = world.exchange(&[], &world.demand(1)).await;
    assert_eq!(ids(&exchanged.leased), ["a"], "what is dropped uses up no slot");
    let dropped = [(world.queue.clone(), "gone-2".to_owned()), (world.queue.clone(), "gone-1".to_owned())];
    assert_eq!(exchanged.dropped, dropped);
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["b"]);
    assert_eq!(dump.list(&world.keys.active()), ["a"]);
    assert_eq!(dump.zset(&world.keys.lease()).len(), 1);
    assert!(!dump.contains("asynq:{q}:t:gone-1") && !dump.contains("asynq:{q}:t:gone-2"), "no ghosts");
}

async fn drops_ids_whose_hash_has_no_message(world: World) {
    world.set_field("ghost", "state", b"pending").await;
    world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id: task_id("ghost") }).await;
    let exchanged = world.exchange(&[], &world.demand(3)).await;
    assert!(exchanged.leased.is_empty());
    assert_eq!(exchanged.dropped, [(world.queue.clone(), "ghost".to_owned())]);
    let dump = world.dump().await;
    assert_eq!(dump.entries.keys().collect::<Vec<_>>(), ["asynq:{q}:t:ghost"]);
    assert_eq!(
        field(&dump.hash("asynq:{q}:t:ghost"), "state"),
        Some("pending"),
        "what is left stays as it is"
    );
}

async fn takes_an_id_that_is_pending_twice_once(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id: task_id("b") }).await;
    let exchanged = world.exchange(&[], &world.demand(3)).await;
    assert_eq!(ids(&exchanged.leased), ["b", "a"]);
    assert_eq!(exchanged.dropped, [(world.queue.clone(), "b".to_owned())]);
    let dump = world.dump().await;
    assert!(!dump.contains(&world.keys.pending()));
    assert_eq!(dump.list(&world.keys.active()), ["a", "b"]);
}

async fn takes_what_bears_the_marks_of_an_earlier_run_once(world: World) {
    world.store_pending(&["a", "b"]).await;
    // So Go's programs leave a task of ours that they put back.
    for (id, field) in [("a", "x_run"), ("a", "x_own"), ("b", "x_run"), ("b", "x_own")] {
        world.set_field(id, field, b"earlier").await;
    }
    world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id: task_id("b") }).await;
    let exchanged = world.exchange(&[], &world.demand(3)).await;
    assert_eq!(ids(&exchanged.leased), ["b", "a"]);
    assert_eq!(exchanged.dropped, [(world.queue.clone(), "b".to_owned())]);
    let run = exchanged.leased[0].run.as_str();
    assert_eq!(field(&world.dump().await.hash("asynq:{q}:t:a"), "x_run"), Some(run));
}

async fn tells_what_cannot_be_decoded(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.set_field("a", "msg", b"\xff\xff").await;
    let exchanged = world.exchange(&[], &world.demand(2)).await;
    assert_eq!(ids(&exchanged.leased), ["a", "b"], "it is leased all the same");
    let unreadable = exchanged.leased[0].message.as_ref().expect_err("no message");
    assert_eq!(unreadable.bytes, Bytes::from_static(b"\xff\xff"));
    assert!(exchanged.leased[1].message.is_ok());
    assert_eq!(world.dump().await.zset(&world.keys.lease()).len(), 2);
}

/// A broker may read long messages in another way, once it has met one.
async fn tells_long_messages_whole(world: World) {
    let with = |id: &str, length: usize| {
        let payload = Bytes::from(vec![b'x'; length]);
        NewTask { message: TaskMessage { payload, ..message(id) }, ..pending(id) }
    };
    let lengths = [("a", 10_000), ("b", 1), ("c", 100_000), ("d", 0), ("e", 4_096), ("f", 10_000)];
    world.store(&lengths.map(|(id, length)| with(id, length))).await;
    assert_eq!(world.lease_one().await.message.ok(), Some(with("a", 10_000).message));
    for id in ["gone", "c"] {
        world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id: task_id(id) }).await;
    }
    let since = i64::try_from(world.clock.now().as_nanosecond()).ok();
    let asked = Demand { pending_since: true, ..world.demand(4) };
    let exchanged = world.exchange(&[], &asked).await;
    assert_eq!(ids(&exchanged.leased), ["c", "b", "d", "e"]);
    for leased in &exchanged.leased {
        let length =
            lengths.iter().find(|(id, _)| leased.id.as_str() == *id).map_or(0, |(_, length)| *length);
        let is_whole = leased.message.as_ref().ok() == Some(&with(leased.id.as_str(), length).message);
        assert!(is_whole, "{}", leased.id);
    }
    assert!(exchanged.leased.iter().all(|leased| leased.pending_since == since));
    let dropped = ["gone", "c"].map(|id| (world.queue.clone(), id.to_owned()));
    assert_eq!(exchanged.dropped, dropped);
    assert_eq!(world.lease_one().await.message.ok(), Some(with("f", 10_000).message));
    // Short ones again, and a long one that is no message.
    world.store_pending(&["g", "h", "i"]).await;
    world.set_field("i", "msg", &[0xff; 5_000]).await;
    assert_eq!(world.lease_one().await.message.ok(), Some(message("g")));
    world.store(&[with("j", 5_000)]).await;
    let leased = world.lease(3).await;
    let (is_read, ids): (Vec<_>, Vec<_>) =
        leased.iter().map(|leased| (leased.message.is_ok(), leased.id.as_str())).unzip();
    assert_eq!((is_read, ids), (vec![true, false, true], vec!["h", "i", "j"]));
}

async fn settles_before_it_leases(world: World) {
    let first = world.active("a").await;
    world.store_pending(&["b"]).await;
    let exchanged = world.exchange(&[settlement(&first, requeue())], &world.demand(5)).await;
    assert_eq!(exchanged.settled, [Settled::Applied]);
    assert_eq!(ids(&exchanged.leased), ["a", "b"], "what is put back is next");
    assert_ne!(exchanged.leased[0].run, first.run);
}

async fn settles_over_several_queues(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.store(&[pending_in("other", "a"), pending_in("other", "b")]).await;
    let other = queue("other");
    let leased = world.exchange(&[], &strict(4, &[&world.queue, &other])).await.leased;
    let transitions =
        [done(), Transition::Archive { message: None, unique_key: String::new() }, requeue(), done()];
    let settle =
        leased.iter().zip(transitions).map(|(leased, how)| settlement(leased, how)).collect::<Vec<_>>();
    let exchanged = world.exchange(&settle, &strict(4, &[&world.queue, &other])).await;
    assert_eq!(exchanged.settled, [Settled::Applied; 4]);
    assert_eq!((ids(&exchanged.leased), &exchanged.leased[0].queue), (vec!["a"], &other));
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.archived()).len(), 1);
    assert_eq!(dump.string(&world.keys.processed_total()).as_deref(), Some("2"));
    assert_eq!(dump.string(&world.queue_keys(&other).processed_total()).as_deref(), Some("1"));
    assert_eq!(dump.string(&world.queue_keys(&other).failed_total()), None);
}

/// What is settled together may be the oldest that are active, some of them, or none.
async fn settles_many_runs_in_any_order(world: World) {
    let names: Vec<String> = (0..40).map(|n| format!("t{n:02}")).collect();
    world.store(&names.iter().map(|name| pending(name)).collect::<Vec<_>>()).await;
    let leased = world.lease(40).await;
    let settle = async |picked: &[usize], refused: &[usize]| {
        let mut settlements: Vec<_> = picked.iter().map(|&n| settlement(&leased[n], done())).collect();
        for &n in refused {
            settlements.push(Settlement { run: Some(foreign_run()), ..settlement(&leased[n], done()) });
        }
        let settled = world.exchange(&settlements, &Demand::none()).await.settled;
        let (applied, others) = settled.split_at(picked.len());
        assert!(applied.iter().all(|&settled| settled == Settled::Applied), "{picked:?}");
        assert!(others.iter().all(|&settled| settled == Settled::Refused), "{refused:?}");
    };
    settle(&[5, 4, 3, 2, 1, 0], &[]).await;
    settle(&[8, 6, 10, 7, 12], &[9]).await;
    settle(&[39, 20, 38, 21, 37], &[22, 11, 13]).await;
    settle(&[19, 9, 11, 14, 13, 15, 18], &[]).await;
    let left: Vec<usize> = (16..18).chain(22..37).collect();
    let dump = world.dump().await;
    let expected: Vec<&str> = left.iter().rev().map(|&n| names[n].as_str()).collect();
    assert_eq!(dump.list(&world.keys.active()), expected);
    assert_eq!(dump.zset(&world.keys.lease()).len(), left.len());
    assert_eq!(dump.string(&world.keys.processed_total()).as_deref(), Some("23"));
    // Each of these twice: the second time there is nothing to settle.
    let twice: Vec<_> = left.iter().chain(&left).map(|&n| settlement(&leased[n], done())).collect();
    let settled = world.exchange(&twice, &Demand::none()).await.settled;
    let applied = settled.iter().filter(|&&settled| settled == Settled::Applied).count();
    assert_eq!((applied, settled.len()), (left.len(), 2 * left.len()));
    assert_eq!(world.dump().await.list(&world.keys.active()), Vec::<&str>::new());
}

async fn takes_and_settles_in_queues_with_odd_names(world: World) {
    for name in ["a*b", "*", "a->b", "[a]?", "t:x"] {
        let odd = queue(name);
        let stored: Vec<_> = (0..9).map(|n| pending_in(name, &format!("t*->{n}"))).collect();
        world.store(&stored).await;
        let leased = world.exchange(&[], &strict(9, &[&odd])).await.leased;
        let expected: Vec<&str> = stored.iter().map(|task| task.message.id.as_str()).collect();
        assert_eq!(ids(&leased), expected);
        let settlements: Vec<_> = leased.iter().map(|leased| settlement(leased, done())).collect();
        let settled = world.exchange(&settlements, &Demand::none()).await.settled;
        assert_eq!(settled, [Settled::Applied; 9]);
        let dump = world.dump().await;
        assert_eq!(dump.list(&world.queue_keys(&odd).active()), Vec::<&str>::new());
    }
}

async fn leases_to_several_servers(world: World) {
    world.store(&[pending("a"), pending("b")]).await;
    world.lease_one().await;
    let demand = Demand { server_id: "server-2".to_owned(), ..world.demand(1) };
    world.exchange(&[], &demand).await;
    let dump = world.dump().await;
    assert_eq!(field(&dump.hash("asynq:{q}:t:a"), "x_own"), Some(SERVER));
    assert_eq!(field(&dump.hash("asynq:{q}:t:b"), "x_own"), Some("server-2"));
}
