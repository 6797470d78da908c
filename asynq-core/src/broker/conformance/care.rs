//! What does not agree with itself: how it is seen, and how it is put right.

use super::Corruption;
use super::suite::case_list;
use super::world::{LOCK, World, field, grouped, pending, scheduled, task_id, unique};
use crate::broker::{
    Collection, Glimpse, GroupRule, KeyCursor, LockStanding, NewTask, SetName, Spot, Standing,
};
use crate::task::{TaskState, UniqueUntil};

case_list! { "care":
    tells_where_a_task_stands,
    a_first_look_does_not_search_the_pending,
    puts_a_task_where_it_belongs,
    of_a_task_that_is_pending_twice_the_next_to_run_stays,
    finds_a_pending_task_near_where_it_was_met,
    takes_away_fields_that_are_left_of_a_run_or_a_group,
    gives_an_active_task_a_lease_and_keeps_one,
    deletes_what_is_left_without_a_task,
    what_has_changed_is_left,
    tells_of_groups_and_sets,
    a_group_that_holds_tasks_is_not_forgotten,
    a_set_that_is_known_is_left,
    tells_of_locks,
    releases_a_lock_that_is_as_it_was_seen,
    lists_every_task_key,
    makes_a_queue_known,
}

/// All about a task, as one that was met in no list.
async fn standing(world: &World, id: &str) -> Standing {
    met(world, id, None).await
}

async fn met(world: &World, id: &str, at: Option<Spot>) -> Standing {
    let glimpse = Glimpse { id: task_id(id), at, near: Vec::new() };
    let standings = world.broker.standings(&world.queue, &[glimpse], true).await;
    standings.expect("the store answers").pop().expect("one for each")
}

fn spots(standing: &Standing) -> Vec<Spot> {
    standing.spots.iter().map(|(spot, _)| spot.clone()).collect()
}

async fn put_right(world: &World, seen: &Standing, to: Option<(Spot, i64)>) -> bool {
    world.broker.put_right(&world.queue, seen, to.as_ref()).await.expect("the store answers")
}

fn group() -> Spot {
    Spot::In(Collection::Group("g".to_owned()))
}

async fn stage(world: &World) -> SetName {
    let set = SetName::new("g");
    let rule = GroupRule { max_size: Some(1), max_delay: None, grace: 60 };
    assert!(world.broker.stage_group(&world.queue, &set, &rule).await.expect("the store answers"));
    set
}

async fn tells_where_a_task_stands(world: World) {
    world.store(&[pending("p"), scheduled("s", 77), grouped("g")]).await;
    let seen = standing(&world, "p").await;
    assert_eq!(
        (seen.pending, seen.spots.as_slice(), seen.state.as_str()),
        (Some(1), [].as_slice(), "pending")
    );
    assert_eq!((seen.kind.as_str(), seen.message.is_some()), ("hash", true));
    let seen = standing(&world, "s").await;
    assert_eq!((seen.pending, seen.spots), (Some(0), vec![(Spot::In(Collection::Scheduled), 77)]));
    let seen = standing(&world, "g").await;
    assert_eq!((spots(&seen), seen.group.as_str()), (vec![group()], "g"));
    world.lease_one().await;
    let seen = standing(&world, "p").await;
    assert_eq!((spots(&seen), seen.pending), (vec![Spot::In(Collection::Active)], Some(0)));
    assert!(seen.lease.is_some());
    let set = stage(&world).await;
    assert_eq!(spots(&standing(&world, "g").await), [Spot::Staged(set.to_string())]);
    let seen = standing(&world, "nobody").await;
    assert_eq!((seen.kind.as_str(), seen.message, seen.pending), ("none", None, Some(0)));
}

async fn a_first_look_does_not_search_the_pending(world: World) {
    world.store(&[pending("p"), scheduled("s", 77)]).await;
    let glimpses = ["p", "s"].map(|id| Glimpse { id: task_id(id), at: None, near: Vec::new() });
    let seen = world.broker.standings(&world.queue, &glimpses, false).await.expect("the store answers");
    assert_eq!(seen.iter().map(|seen| seen.pending).collect::<Vec<_>>(), [None, None]);
    assert_eq!(seen[1].spots, [(Spot::In(Collection::Scheduled), 77)]);
}

async fn puts_a_task_where_it_belongs(world: World) {
    world.store(&[pending("p")]).await;
    let places = [
        Spot::In(Collection::Scheduled),
        Spot::In(Collection::Retry),
        Spot::In(Collection::Archived),
        Spot::In(Collection::Completed),
        group(),
        Spot::In(Collection::Pending),
    ];
    for place in places {
        world.set_lease("p", 5).await;
        let seen = standing(&world, "p").await;
        assert!(put_right(&world, &seen, Some((place.clone(), 50))).await, "{place:?}");
        let now = standing(&world, "p").await;
        match &place {
            Spot::In(Collection::Pending) => assert_eq!((now.pending, now.spots.len()), (Some(1), 0)),
            place => assert_eq!((now.pending, now.spots), (Some(0), vec![(place.clone(), 50)])),
        }
        assert_eq!((now.lease, Some(now.state.as_str())), (None, place.state().map(TaskState::as_str)));
        let groups = world.dump().await.set(&world.keys.groups());
        assert_eq!(groups.len(), usize::from(place == group()), "a group is known while it holds tasks");
    }
}

async fn of_a_task_that_is_pending_twice_the_next_to_run_stays(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id: task_id("b") }).await;
    let place = Spot::In(Collection::Pending);
    let seen = met(&world, "b", Some(place.clone())).await;
    assert_eq!(seen.pending, Some(2));
    assert!(put_right(&world, &seen, Some((place, 0))).await);
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["a", "b"]);
}

/// In a list that is too long to be searched at once. A store may search more than it must.
async fn finds_a_pending_task_near_where_it_was_met(world: World) {
    let tasks: Vec<NewTask> = (0..5_000).map(|number| pending(&format!("p{number}"))).collect();
    world.store(&tasks).await;
    // Counted from where tasks enter: p4999 is at place 0.
    for (id, near, at_least) in
        [("p0", vec![], 1), ("p4999", vec![], 1), ("p2500", vec![2_499], 1), ("p2500", vec![], 0)]
    {
        let glimpse = Glimpse { id: task_id(id), at: None, near };
        let seen = world.broker.standings(&world.queue, &[glimpse], true).await.expect("the store answers");
        let times = seen[0].pending.expect("it was looked for");
        assert!((at_least..=1).contains(&times), "{id}: {times}");
    }
    let glimpse = Glimpse { id: task_id("p2500"), at: None, near: vec![2_499, 2_600] };
    let seen = world.broker.standings(&world.queue, &[glimpse], true).await.expect("the store answers");
    assert_eq!(seen[0].pending, Some(1), "it is counted once, whatever is searched twice");
    assert!(put_right(&world, &seen[0], Some((Spot::In(Collection::Archived), 50))).await);
    assert_eq!(world.dump().await.list(&world.keys.pending()).len(), 4_999);
}

async fn takes_away_fields_that_are_left_of_a_run_or_a_group(world: World) {
    world.store(&[pending("p"), scheduled("s", 77)]).await;
    for (id, name) in [("p", "x_run"), ("p", "x_own"), ("p", "x_group"), ("s", "x_group")] {
        world.set_field(id, name, b"left").await;
    }
    let seen = standing(&world, "p").await;
    assert_eq!(seen.own.keys().collect::<Vec<_>>(), ["x_group", "x_own", "x_run"]);
    assert!(put_right(&world, &seen, Some((Spot::In(Collection::Pending), 0))).await);
    assert_eq!(standing(&world, "p").await.own.len(), 0);
    let seen = standing(&world, "s").await;
    assert!(put_right(&world, &seen, Some((Spot::In(Collection::Scheduled), 77))).await);
    assert_eq!(standing(&world, "s").await.own.len(), 1, "it is still to join that group");
}

async fn gives_an_active_task_a_lease_and_keeps_one(world: World) {
    let leased = world.active("a").await;
    let place = Spot::In(Collection::Active);
    let seen = standing(&world, "a").await;
    assert!(put_right(&world, &seen, Some((place.clone(), 5))).await);
    assert_eq!(standing(&world, "a").await.lease, Some(leased.lease_until));
    world.remove_lease("a").await;
    let seen = standing(&world, "a").await;
    assert!(put_right(&world, &seen, Some((place, 5))).await);
    let now = standing(&world, "a").await;
    assert_eq!((now.lease, spots(&now)), (Some(5), vec![Spot::In(Collection::Active)]));
}

async fn deletes_what_is_left_without_a_task(world: World) {
    let before = world.dump().await;
    world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id: task_id("a") }).await;
    world.corrupt(Corruption::PushActive { queue: world.queue.clone(), id: task_id("a") }).await;
    world.corrupt(Corruption::AddArchived { queue: world.queue.clone(), id: task_id("a"), at: 5 }).await;
    world.set_lease("a", 5).await;
    world.set_field("a", "state", b"active").await;
    let seen = met(&world, "a", Some(Spot::In(Collection::Pending))).await;
    assert_eq!((seen.kind.as_str(), seen.message.as_ref(), seen.pending), ("hash", None, Some(1)));
    assert_eq!(seen.spots.len(), 2);
    assert!(put_right(&world, &seen, None).await);
    world.dump().await.assert_same(&before, "nothing is left");
}

async fn what_has_changed_is_left(world: World) {
    world.active("a").await;
    let seen = standing(&world, "a").await;
    let place = || Some((Spot::In(Collection::Pending), 0));
    world.set_lease("a", world.now() + 500).await;
    let before = world.dump().await;
    assert!(!put_right(&world, &seen, place()).await, "its lease was extended");
    let seen = standing(&world, "a").await;
    world.set_field("a", "x_run", b"another").await;
    assert!(!put_right(&world, &seen, place()).await, "another run has begun");
    world.set_field("a", "msg", b"another").await;
    let seen = standing(&world, "a").await;
    world.delete_task("a").await;
    assert!(!put_right(&world, &seen, place()).await, "it is gone");
    let lists = |dump: &super::Dump| (dump.list(&world.keys.active()), dump.list(&world.keys.pending()));
    assert_eq!(lists(&world.dump().await), lists(&before));
}

async fn tells_of_groups_and_sets(world: World) {
    world.store(&[grouped("g")]).await;
    let names = ["g".to_owned(), "none".to_owned()];
    let of = async |names: &[String]| {
        let seen = world.broker.group_standings(&world.queue, names).await.expect("the store answers");
        let told = seen.into_iter().map(|seen| (seen.is_listed, seen.is_set, seen.size, seen.group_of_first));
        told.collect::<Vec<_>>()
    };
    let none = (false, false, 0, String::new());
    assert_eq!(of(&names).await, [(true, false, 1, "g".to_owned()), none.clone()]);
    world.corrupt(Corruption::ForgetGroup { queue: world.queue.clone(), group: "g".to_owned() }).await;
    assert_eq!(of(&names).await, [(false, false, 1, "g".to_owned()), none.clone()]);
    let set = stage(&world).await;
    assert_eq!(of(&["g".to_owned(), set.to_string()]).await, [none, (false, true, 1, "g".to_owned())]);
}

async fn a_group_that_holds_tasks_is_not_forgotten(world: World) {
    world.store(&[grouped("g")]).await;
    let forget = async || world.broker.forget_group(&world.queue, "g").await.expect("the store answers");
    assert!(!forget().await, "it holds a task");
    assert_eq!(world.dump().await.set(&world.keys.groups()), ["g"]);
}

async fn a_set_that_is_known_is_left(world: World) {
    world.store(&[grouped("g")]).await;
    let set = stage(&world).await.to_string();
    let expire = async || world.broker.expire_set(&world.queue, &set).await.expect("the store answers");
    assert!(!expire().await, "it is known");
    assert!(!world.broker.expire_set(&world.queue, "none").await.expect("the store answers"));
}

async fn lock(world: &World) -> Option<LockStanding> {
    let locks = world.broker.lock_standings(&world.queue, &[LOCK.to_owned()]).await;
    locks.expect("the store answers").pop().expect("one for each")
}

async fn tells_of_locks(world: World) {
    assert_eq!(lock(&world).await, None);
    world.store(&[unique(pending("a"), 60)]).await;
    let seen = lock(&world).await.expect("it is held");
    assert_eq!((seen.holder.as_str(), seen.is_kept, seen.state.as_deref()), ("a", false, Some("pending")));
    assert!(seen.expires_in.is_some_and(|left| (50..=60).contains(&left.as_secs())), "{seen:?}");
    world.delete_task("a").await;
    assert_eq!(lock(&world).await.expect("it is held").state, None);
}

async fn releases_a_lock_that_is_as_it_was_seen(world: World) {
    let kept = NewTask { unique_until: UniqueUntil::Ttl, ..unique(pending("a"), 60) };
    world.store(&[kept]).await;
    let seen = lock(&world).await.expect("it is held");
    assert!(seen.is_kept);
    world.lease_one().await;
    let release = async |seen: &LockStanding| {
        world.broker.release_lock(&world.queue, seen).await.expect("the store answers")
    };
    assert!(!release(&seen).await, "its task is active by now");
    assert!(release(&lock(&world).await.expect("it is held")).await);
    assert_eq!(lock(&world).await, None);
}

async fn lists_every_task_key(world: World) {
    let tasks: Vec<NewTask> = (0..700).map(|number| pending(&format!("p{number}"))).collect();
    world.store(&tasks).await;
    for queue in [None, Some(&world.queue)] {
        let (mut next, mut found) = (Some(KeyCursor::default()), Vec::new());
        while let Some(from) = next {
            let page = world.broker.keys(queue, &from).await.expect("the store answers");
            found.extend(page.keys.into_iter().filter(|key| key.starts_with(&world.keys.task_prefix())));
            next = page.next;
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), tasks.len());
    }
}

async fn makes_a_queue_known(world: World) {
    world.store_pending(&["a"]).await;
    let make_known = async || world.broker.make_known(&world.queue).await.expect("the store answers");
    assert!(!make_known().await);
    world.corrupt(Corruption::ForgetQueue { queue: world.queue.clone() }).await;
    assert!(make_known().await);
    assert_eq!(world.dump().await.set("asynq:queues"), ["q"]);
    assert_eq!(field(&world.dump().await.hash(&world.keys.task("a")), "state"), Some("pending"));
}
