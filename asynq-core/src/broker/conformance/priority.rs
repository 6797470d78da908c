//! Priority: from which queue tasks are taken, and of which type.

use std::sync::Arc;

use super::suite::case_list;
use super::world::{SERVER, World, done, ids, pending, pending_in, queue, requeue, settlement, strict};
use crate::broker::{CROWD, Demand, LOOK_AHEAD, NewTask, OF_LATE, QueueShare, Settled, TypeShare};
use crate::task::QueueName;

case_list! { "priority":
    keeps_to_weights_in_batches_of_any_size,
    keeps_to_the_order_of_strict_queues_in_batches_of_any_size,
    takes_no_more_from_a_queue_than_its_slots,
    passes_over_tasks_whose_type_is_full,
    passes_over_a_bounded_number_of_tasks,
    gives_the_slots_of_a_full_type_to_other_queues,
    tells_of_a_crowd,
}

fn weighted(slots: usize, shares: &[(&QueueName, u32)]) -> Demand {
    let queues = shares.iter().map(|(queue, weight)| QueueShare::new((*queue).clone(), *weight)).collect();
    Demand { server_id: SERVER.to_owned(), slots, queues, ..Demand::none() }
}

async fn takes_no_more_from_a_queue_than_its_slots(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.store(&[pending_in("other", "d"), pending_in("other", "e")]).await;
    let few = QueueShare { slots: 1, ..QueueShare::new(world.queue.clone(), 9) };
    for strict in [true, false] {
        let queues = vec![few.clone(), QueueShare::new(queue("other"), 1)];
        let demand = Demand { server_id: SERVER.to_owned(), slots: 3, queues, strict, ..Demand::none() };
        let exchanged = world.exchange(&[], &demand).await;
        let mut taken = ids(&exchanged.leased);
        taken.sort_unstable();
        assert_eq!(taken, ["a", "d", "e"]);
        assert!(exchanged.passed_over.is_empty(), "a full queue is no news to its server");
        let back: Vec<_> =
            exchanged.leased.iter().rev().map(|leased| settlement(leased, requeue())).collect();
        let none = QueueShare { slots: 0, ..few.clone() };
        let demand = Demand { queues: vec![none], ..demand };
        assert!(world.exchange(&back, &demand).await.leased.is_empty(), "it is full");
    }
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["c", "b", "a"]);
}

async fn tells_of_a_crowd(world: World) {
    let count = CROWD + 3;
    let names: Vec<String> = (0..count).map(|n| format!("t{n}")).collect();
    world.store_pending(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let taken = world.exchange(&[], &world.demand(count)).await;
    assert!(!taken.is_crowded, "who settles nothing is not told");
    let is_crowded_for = async |nth: usize| {
        let settled = world.exchange(&[settlement(&taken.leased[nth], done())], &Demand::none()).await;
        assert_eq!(settled.settled, [Settled::Applied]);
        settled.is_crowded
    };
    assert!(is_crowded_for(count - OF_LATE - 1).await);
    assert!(!is_crowded_for(count - OF_LATE).await, "it was taken of late");
    assert!(is_crowded_for(0).await);
    assert!(!is_crowded_for(1).await, "three have left");
}

/// A pending task of some type.
fn of_type(task_type: &str, id: &str) -> NewTask {
    let mut task = pending(id);
    task_type.clone_into(&mut task.message.task_type);
    task
}

fn at_most(slots: usize, task_type: &str) -> Vec<TypeShare> {
    vec![TypeShare { task_type: Arc::from(task_type), slots }]
}

async fn passes_over_tasks_whose_type_is_full(world: World) {
    let long = "x".repeat(300);
    let tasks = [
        of_type(&long, "a"),
        of_type(&long, "b"),
        of_type(&long, "c"),
        of_type("other", "d"),
        of_type(&long, "e"),
        of_type("other", "f"),
        of_type("other", "g"),
    ];
    world.store(&tasks).await;
    let demand = Demand { types: at_most(1, &long), ..world.demand(3) };
    let exchanged = world.exchange(&[], &demand).await;
    assert_eq!(ids(&exchanged.leased), ["a", "d", "f"]);
    assert_eq!(exchanged.passed_over, [queue("q")]);
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["g", "e", "c", "b"], "their order is as it was");
    assert_eq!(dump.list(&world.keys.active()), ["f", "d", "a"]);
    assert_eq!(dump.zset(&world.keys.lease()).len(), 3);

    let demand = Demand { types: at_most(2, &long), ..world.demand(2) };
    let exchanged = world.exchange(&[], &demand).await;
    assert_eq!((ids(&exchanged.leased), exchanged.passed_over.len()), (vec!["b", "c"], 0));
}

async fn passes_over_a_bounded_number_of_tasks(world: World) {
    let full: Vec<NewTask> = (0..LOOK_AHEAD).map(|n| of_type("full", &n.to_string())).collect();
    world.store(&full).await;
    world.store(&[of_type("other", "behind")]).await;
    let before = world.dump().await;
    let demand = Demand { types: at_most(0, "full"), ..world.demand(1) };
    let exchanged = world.exchange(&[], &demand).await;
    assert_eq!((exchanged.leased.len(), exchanged.passed_over), (0, vec![queue("q")]));
    world.dump().await.assert_same(&before, "nothing was taken");

    let demand = Demand { types: at_most(1, "full"), ..world.demand(2) };
    assert_eq!(ids(&world.exchange(&[], &demand).await.leased), ["0", "behind"]);
}

async fn gives_the_slots_of_a_full_type_to_other_queues(world: World) {
    let full: Vec<NewTask> = (0..20).map(|n| of_type("full", &n.to_string())).collect();
    world.store(&full).await;
    world.store(&[pending_in("light", "a"), pending_in("light", "b")]).await;
    let demand = weighted(2, &[(&world.queue, 1_000_000), (&queue("light"), 1)]);
    let demand = Demand { types: at_most(0, "full"), ..demand };
    let exchanged = world.exchange(&[], &demand).await;
    assert_eq!(ids(&exchanged.leased), ["a", "b"]);
    assert_eq!(exchanged.passed_over, [queue("q")]);
}

/// Weights are kept whatever the number of slots in a call, also where the broker fills them from one draw each.
async fn keeps_to_weights_in_batches_of_any_size(world: World) {
    let names = [queue("low"), queue("middle"), queue("high")];
    let weights = [1, 3, 6];
    for (name, batch) in [("one", 1_usize), ("few", 7), ("many", 64)] {
        for queue in &names {
            let id = |n: usize| format!("{name}-{n}");
            let tasks: Vec<_> = (0..400).map(|n| pending_in(queue.as_str(), &id(n))).collect();
            world.store(&tasks).await;
        }
        let shares: Vec<_> = names.iter().zip(weights).collect();
        let mut taken = [0_i32; 3];
        let mut back = Vec::new();
        while taken.iter().sum::<i32>() < 500 {
            let left = usize::try_from(500 - taken.iter().sum::<i32>()).expect("not yet 500");
            let leased = world.exchange(&back, &weighted(batch.min(left), &shares)).await.leased;
            assert!(!leased.is_empty(), "every queue has tasks left");
            back = leased.iter().map(|leased| settlement(leased, done())).collect();
            for leased in &leased {
                let place = names.iter().position(|queue| *queue == leased.queue).expect("it was asked for");
                taken[place] += 1;
            }
        }
        // 50, 150 and 300 expected; the bounds are six standard deviations wide.
        for (taken, (expected, width)) in taken.into_iter().zip([(50, 41), (150, 62), (300, 66)]) {
            assert!((taken - expected).abs() <= width, "{taken} instead of {expected} by {batch}");
        }
        // The rest is taken, so that each size begins with the same.
        let mut rest = world.exchange(&back, &weighted(128, &shares)).await.leased;
        while !rest.is_empty() {
            let back: Vec<_> = rest.iter().map(|leased| settlement(leased, done())).collect();
            rest = world.exchange(&back, &weighted(128, &shares)).await.leased;
        }
    }
}

async fn keeps_to_the_order_of_strict_queues_in_batches_of_any_size(world: World) {
    let names = [queue("high"), queue("middle"), queue("low")];
    for queue in names.iter().rev() {
        let tasks: Vec<_> = (0..50).map(|n| pending_in(queue.as_str(), &n.to_string())).collect();
        world.store(&tasks).await;
    }
    let mut order = Vec::new();
    for batch in [1, 7, 30, 64].into_iter().cycle() {
        let leased = world.exchange(&[], &strict(batch, &names.each_ref())).await.leased;
        if leased.is_empty() {
            break;
        }
        order.extend(leased.into_iter().map(|leased| leased.queue));
    }
    let expected: Vec<_> = names.iter().flat_map(|queue| std::iter::repeat_n(queue.clone(), 50)).collect();
    assert_eq!(order, expected);
}
