//! Groups: when one is ready, what a set is, and that each task ends in one aggregated task, whoever crashes when.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::suite::case_list;
use super::world::{LOCK, World, field, grouped, ids, pending, queue, scheduled, task_id, unique};
use super::{Corruption, Dump};
use crate::broker::{
    FinishedMember, FinishedSet, GroupRule, GroupState, LARGEST_SET, Member, NewTask, Placement, Reclaimed,
    RejectedMember, SetName,
};
use crate::wire::TaskMessage;

case_list! { "groups":
    tells_how_groups_stand,
    tells_every_group_in_pages,
    tells_no_type_of_what_cannot_be_read,
    a_group_is_ready_when_nothing_was_added_for_the_grace_period,
    a_group_is_ready_when_its_oldest_task_waited_for_the_longest_delay,
    a_group_is_ready_when_it_is_large_enough,
    a_rule_tells_when_a_group_will_be_ready,
    a_set_takes_all_tasks_with_their_scores,
    a_set_takes_the_oldest_of_too_many,
    a_set_has_a_largest_size,
    staging_an_empty_group_forgets_its_name,
    sets_of_one_group_are_disjoint,
    reads_a_large_set_in_order,
    reads_what_is_wrong_with_a_member,
    finishing_replaces_the_members_by_one_task,
    finishing_some_members_keeps_the_others,
    finishing_may_store_nothing,
    finishing_stores_the_task_in_every_placement,
    finishing_twice_is_lost,
    finishing_a_reclaimed_set_is_lost,
    finishing_stores_nothing_beside_a_taken_id,
    finishing_stores_nothing_beside_a_held_lock,
    finishing_many_members_is_one_call,
    b6_finishing_releases_the_locks_of_the_members,
    b22_a_crash_between_enqueue_and_delete_aggregates_once,
    archives_what_cannot_be_aggregated,
    drops_members_without_a_task,
    archives_nothing_of_a_set_that_is_lost,
    reclaims_a_set_when_its_time_is_up,
    b3_reclaimed_tasks_are_visible_again,
    reclaims_into_a_group_that_has_new_tasks,
    reclaims_a_group_with_colons_in_its_name,
    reclaims_ten_sets_at_a_time,
    an_extended_set_is_not_reclaimed,
    a_set_that_is_given_back_is_reclaimed_at_once,
    b3_b4_makes_groups_known_again_that_go_left_behind,
    b4_a_scheduled_task_joins_its_group_when_it_is_due,
    b4_a_scheduled_task_that_go_forwarded_is_tried_again_alone,
    other_queues_are_left_alone,
}

const TEN_SECONDS: GroupRule = GroupRule { max_size: None, max_delay: None, grace: 10 };
const AT_ONCE: GroupRule = GroupRule { max_size: Some(1), max_delay: None, grace: 10 };
const ALL_AT_ONCE: GroupRule = GroupRule { max_size: None, max_delay: Some(0), grace: 10 };

impl World {
    async fn group(&self, ids: &[&str]) {
        self.store(&ids.iter().map(|id| grouped(id)).collect::<Vec<_>>()).await;
    }

    async fn states(&self) -> Vec<GroupState> {
        let (mut groups, mut cursor) = (Vec::new(), 0);
        loop {
            let page = self.broker.groups(&self.queue, cursor).await.expect("the store answers");
            groups.extend(page.groups);
            cursor = page.next;
            if cursor == 0 {
                groups.sort_by(|one, two| one.name.cmp(&two.name));
                groups.dedup();
                return groups;
            }
        }
    }

    /// Stages group `g` if it is ready.
    async fn stage(&self, rule: &GroupRule) -> Option<SetName> {
        let set = SetName::new("g");
        self.broker.stage_group(&self.queue, &set, rule).await.expect("the store answers").then_some(set)
    }

    /// Groups these tasks and stages them all.
    async fn staged(&self, ids: &[&str]) -> SetName {
        self.group(ids).await;
        self.stage(&ALL_AT_ONCE).await.expect("the group is ready")
    }

    async fn members(&self, set: &SetName) -> Vec<Member> {
        self.broker.read_set(&self.queue, set).await.expect("the store answers")
    }

    async fn finish(&self, set: &SetName, ids: &[&str], task: Option<&NewTask>) -> FinishedSet {
        let members = ids.iter().map(|id| finished(id)).collect::<Vec<_>>();
        let are_all = self.members(set).await.len() == members.len();
        self.broker
            .finish_members(&self.queue, set, &members, are_all, task)
            .await
            .expect("the store answers")
    }

    async fn archive(&self, set: &SetName, members: &[RejectedMember]) -> bool {
        self.broker.archive_members(&self.queue, set, members).await.expect("the store answers")
    }

    async fn extend(&self, set: &SetName, until: i64) -> bool {
        self.broker.extend_set(&self.queue, set, until).await.expect("the store answers")
    }

    async fn reclaim(&self) -> Reclaimed {
        self.broker.reclaim_sets(&self.queue).await.expect("the store answers")
    }

    fn set_key(&self, set: &SetName) -> String {
        self.keys.aggregation_set(&set.group, &set.id)
    }
}

fn finished(id: &str) -> FinishedMember {
    FinishedMember { id: task_id(id), unique_key: String::new() }
}

fn in_group(group: &str, id: &str) -> NewTask {
    let task = grouped(id);
    NewTask { message: TaskMessage { group_key: group.to_owned(), ..task.message }, ..task }
}

/// What a dump has of groups, sets and tasks.
fn has_groups(dump: &Dump) -> Vec<&String> {
    dump.entries.keys().filter(|key| *key != "asynq:queues").collect()
}

async fn tells_how_groups_stand(world: World) {
    let began = world.now();
    world.store(&[in_group("a", "1"), in_group("b", "2")]).await;
    world.advance(3).await;
    let other = NewTask {
        message: TaskMessage { task_type: "other".to_owned(), ..in_group("a", "3").message },
        ..in_group("a", "3")
    };
    world.store(&[other]).await;
    let of = |name: &str, size, newest, types: [&str; 2]| GroupState {
        name: name.to_owned(),
        size,
        oldest: began,
        newest,
        types: types.map(|name| Some(name.to_owned())),
    };
    let before = world.dump().await;
    assert_eq!(world.states().await, [of("a", 2, began + 3, ["t", "other"]), of("b", 1, began, ["t", "t"])]);
    world.dump().await.assert_same(&before, "looking changes nothing");
}

async fn tells_every_group_in_pages(world: World) {
    let tasks = (0..700).map(|n| in_group(&format!("group {n:03}"), &n.to_string())).collect::<Vec<_>>();
    world.store(&tasks).await;
    let names = world.states().await.into_iter().map(|group| group.name).collect::<BTreeSet<_>>();
    assert_eq!(names.len(), 700);
}

async fn tells_no_type_of_what_cannot_be_read(world: World) {
    world.group(&["a", "b"]).await;
    world.delete_task("a").await;
    world.set_field("b", "msg", b"\xff\xff").await;
    assert_eq!(world.states().await[0].types, [None, None]);
    world.set_field("b", "msg", b"\x12\x01p").await;
    let state = world.states().await.remove(0);
    assert_eq!((state.size, state.types), (2, [None, None]), "a message that does not begin with its type");
}

async fn a_group_is_ready_when_nothing_was_added_for_the_grace_period(world: World) {
    world.group(&["a"]).await;
    world.advance(9).await;
    world.group(&["b"]).await;
    world.advance(9).await;
    assert_eq!(world.stage(&TEN_SECONDS).await, None, "the second task began the period anew");
    world.advance(1).await;
    assert!(world.stage(&TEN_SECONDS).await.is_some());
}

async fn a_group_is_ready_when_its_oldest_task_waited_for_the_longest_delay(world: World) {
    let rule = GroupRule { max_delay: Some(15), ..TEN_SECONDS };
    world.group(&["a"]).await;
    world.advance(9).await;
    world.group(&["b"]).await;
    world.advance(5).await;
    assert_eq!(world.stage(&rule).await, None);
    world.advance(1).await;
    assert!(world.stage(&rule).await.is_some());
}

async fn a_group_is_ready_when_it_is_large_enough(world: World) {
    let rule = GroupRule { max_size: Some(2), ..TEN_SECONDS };
    world.group(&["a"]).await;
    assert_eq!(world.stage(&rule).await, None);
    world.group(&["b"]).await;
    assert!(world.stage(&rule).await.is_some());
}

async fn a_rule_tells_when_a_group_will_be_ready(world: World) {
    let began = world.now();
    world.group(&["a"]).await;
    world.advance(4).await;
    world.group(&["b"]).await;
    let state = world.states().await.remove(0);
    for (rule, at) in [
        (TEN_SECONDS, began + 14),
        (GroupRule { max_delay: Some(12), ..TEN_SECONDS }, began + 12),
        (GroupRule { max_delay: Some(30), ..TEN_SECONDS }, began + 14),
        (GroupRule { max_size: Some(3), ..TEN_SECONDS }, began + 14),
        (GroupRule { max_size: Some(2), ..TEN_SECONDS }, i64::MIN),
    ] {
        assert_eq!(rule.ready_at(&state), at, "{rule:?}");
    }
    world.advance(9).await;
    assert_eq!(world.stage(&TEN_SECONDS).await, None, "a second too early");
    world.advance(1).await;
    assert!(world.stage(&TEN_SECONDS).await.is_some(), "the very second");
}

async fn a_set_takes_all_tasks_with_their_scores(world: World) {
    let began = world.now();
    world.group(&["b"]).await;
    world.advance(5).await;
    world.group(&["a"]).await;
    let set = world.stage(&ALL_AT_ONCE).await.expect("the group is ready");
    let dump = world.dump().await;
    let scores = [("b".to_owned(), began), ("a".to_owned(), began + 5)];
    assert_eq!(dump.zset(&world.set_key(&set)), scores);
    assert_eq!(dump.zset(&world.keys.aggregation_sets()), [(world.set_key(&set), world.now() + 120)]);
    assert!(!dump.contains(&world.keys.group("g")) && !dump.contains(&world.keys.groups()));
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!((field(&hash, "state"), field(&hash, "group")), (Some("aggregating"), Some("g")));
    assert!(world.states().await.is_empty());
}

async fn a_set_takes_the_oldest_of_too_many(world: World) {
    for id in ["c", "a", "b"] {
        world.group(&[id]).await;
        world.advance(1).await;
    }
    let rule = GroupRule { max_size: Some(2), ..TEN_SECONDS };
    let set = world.stage(&rule).await.expect("there are enough");
    let dump = world.dump().await;
    let staged = dump.zset(&world.set_key(&set)).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(staged, ["c", "a"]);
    assert_eq!(dump.set(&world.keys.groups()), ["g"]);
    assert_eq!(world.stage(&rule).await, None, "the last one waits for another");
}

async fn a_set_has_a_largest_size(world: World) {
    let tasks = (0..LARGEST_SET + 5).map(|n| grouped(&format!("{n:05}"))).collect::<Vec<_>>();
    for tasks in tasks.chunks(1_000) {
        world.store(tasks).await;
    }
    let sizes = [LARGEST_SET, 5].map(Some);
    for (number, size) in sizes.into_iter().enumerate() {
        let set = world.stage(&ALL_AT_ONCE).await.expect("the group is ready");
        assert_eq!(Some(world.members(&set).await.len()), size, "set {number}");
    }
    assert_eq!(world.stage(&ALL_AT_ONCE).await, None);
}

async fn staging_an_empty_group_forgets_its_name(world: World) {
    world.group(&["a"]).await;
    let set = world.stage(&ALL_AT_ONCE).await.expect("the group is ready");
    world.finish(&set, &["a"], None).await;
    assert_eq!(world.stage(&ALL_AT_ONCE).await, None);
    assert_eq!(has_groups(&world.dump().await), Vec::<&String>::new());
}

async fn sets_of_one_group_are_disjoint(world: World) {
    let first = world.staged(&["a", "b"]).await;
    let second = world.staged(&["c"]).await;
    assert_ne!(first.id, second.id);
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.set_key(&first)).len(), 2);
    assert_eq!(dump.zset(&world.set_key(&second)).len(), 1);
    assert_eq!(dump.zset(&world.keys.aggregation_sets()).len(), 2);
}

async fn reads_a_large_set_in_order(world: World) {
    let names = (0..1_203).map(|n| format!("{n:04}")).collect::<Vec<_>>();
    let set = world.staged(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    world.delete_task("0600").await;
    let members = world.members(&set).await;
    assert_eq!(members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>(), names);
    for Member { id, message } in members {
        let told = message.map(|message| message.expect("a readable message").id);
        assert_eq!(told, (id.as_str() != "0600").then(|| id.to_string()));
    }
    assert!(world.members(&SetName::new("g")).await.is_empty(), "a set that is not there has no members");
}

async fn reads_what_is_wrong_with_a_member(world: World) {
    let set = world.staged(&["a", "b", "c"]).await;
    world.delete_task("a").await;
    world.set_field("b", "msg", b"\xff\xff").await;
    let members = world.members(&set).await;
    assert!(members[0].message.is_none());
    assert!(matches!(&members[1].message, Some(Err(undecodable)) if undecodable.bytes == b"\xff\xff"[..]));
    assert!(matches!(&members[2].message, Some(Ok(message)) if message.id == "c"));
}

async fn finishing_replaces_the_members_by_one_task(world: World) {
    let set = world.staged(&["a", "b"]).await;
    assert_eq!(world.finish(&set, &["a", "b"], Some(&pending(&set.id))).await, FinishedSet::Done);
    let dump = world.dump().await;
    let mut keys = [world.keys.pending(), world.keys.task(&set.id)];
    keys.sort();
    assert_eq!(has_groups(&dump), keys.iter().collect::<Vec<_>>());
    assert_eq!(field(&dump.hash(&world.keys.task(&set.id)), "state"), Some("pending"));
    assert!(dump.hash(&world.keys.task(&set.id)).contains_key("pending_since"));
    assert_eq!(ids(&world.lease(1).await), [set.id.as_str()]);
}

async fn finishing_some_members_keeps_the_others(world: World) {
    let set = world.staged(&["a", "b", "c"]).await;
    assert_eq!(world.finish(&set, &["a", "c"], Some(&pending("one"))).await, FinishedSet::Done);
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.set_key(&set)).len(), 1);
    assert_eq!(dump.zset(&world.keys.aggregation_sets()).len(), 1);
    assert!(dump.contains("asynq:{q}:t:b") && !dump.contains("asynq:{q}:t:a"));
    assert_eq!(world.finish(&set, &["b"], Some(&pending("two"))).await, FinishedSet::Done);
    assert!(!world.dump().await.contains(&world.keys.aggregation_sets()));
    assert_eq!(ids(&world.lease(2).await), ["one", "two"]);
}

async fn finishing_may_store_nothing(world: World) {
    let set = world.staged(&["a", "b"]).await;
    assert_eq!(world.finish(&set, &["a", "b"], None).await, FinishedSet::Done);
    assert_eq!(has_groups(&world.dump().await), Vec::<&String>::new());
}

async fn finishing_stores_the_task_in_every_placement(world: World) {
    let later = world.now() + 60;
    let delayed = NewTask { placement: Placement::Scheduled(later), ..in_group("next", "delayed") };
    for task in [
        pending("now"),
        scheduled("later", later),
        in_group("next", "grouped"),
        delayed,
        unique(pending("unique"), 60),
    ] {
        let set = world.staged(&["a"]).await;
        assert_eq!(world.finish(&set, &["a"], Some(&task)).await, FinishedSet::Done, "{}", task.message.id);
    }
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["unique", "now"]);
    let due = ["delayed", "later"].map(|id| (id.to_owned(), later));
    assert_eq!(dump.zset(&world.keys.scheduled()), due);
    assert_eq!(dump.zset(&world.keys.group("next")), [("grouped".to_owned(), world.now())]);
    assert_eq!(dump.set(&world.keys.groups()), ["next"]);
    assert_eq!(dump.string(LOCK).as_deref(), Some("unique"));
    assert_eq!(field(&dump.hash("asynq:{q}:t:delayed"), "x_group"), Some("next"));
}

async fn finishing_twice_is_lost(world: World) {
    let set = world.staged(&["a", "b"]).await;
    world.finish(&set, &["a"], Some(&pending("one"))).await;
    let before = world.dump().await;
    assert_eq!(world.finish(&set, &["a"], Some(&pending("again"))).await, FinishedSet::Lost);
    world.dump().await.assert_same(&before, "the answer to the first call was lost, say");
    world.finish(&set, &["b"], None).await;
    assert_eq!(world.finish(&set, &["b"], Some(&pending("again"))).await, FinishedSet::Lost);
    assert!(!world.dump().await.contains("asynq:{q}:t:again"));
}

async fn finishing_a_reclaimed_set_is_lost(world: World) {
    let set = world.staged(&["a"]).await;
    world.advance(120).await;
    assert_eq!(world.reclaim().await.sets, 1);
    let before = world.dump().await;
    assert_eq!(world.finish(&set, &["a"], Some(&pending("late"))).await, FinishedSet::Lost);
    assert!(!world.archive(&set, &[RejectedMember { id: task_id("a"), message: None }]).await);
    assert!(!world.extend(&set, world.now() + 120).await);
    world.dump().await.assert_same(&before, "whoever was late changes nothing");
}

async fn finishing_stores_nothing_beside_a_taken_id(world: World) {
    world.store(&[scheduled("taken", world.now() + 60)]).await;
    let set = world.staged(&["a"]).await;
    let before = world.dump().await;
    assert_eq!(world.finish(&set, &["a"], Some(&pending("taken"))).await, FinishedSet::IdConflict);
    world.dump().await.assert_same(&before, "refused");
}

async fn finishing_stores_nothing_beside_a_held_lock(world: World) {
    world.store(&[unique(pending("holder"), 60)]).await;
    let set = world.staged(&["a"]).await;
    let before = world.dump().await;
    let refused = FinishedSet::Duplicate { holder: "holder".to_owned() };
    assert_eq!(world.finish(&set, &["a"], Some(&unique(pending("new"), 60))).await, refused);
    world.dump().await.assert_same(&before, "refused");
}

async fn finishing_many_members_is_one_call(world: World) {
    let names = (0..LARGEST_SET).map(|n| n.to_string()).collect::<Vec<_>>();
    let tasks = names.iter().map(|id| grouped(id)).collect::<Vec<_>>();
    for tasks in tasks.chunks(1_000) {
        world.store(tasks).await;
    }
    let set = world.stage(&ALL_AT_ONCE).await.expect("the group is ready");
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(world.finish(&set, &names, Some(&pending("one"))).await, FinishedSet::Done);
    assert_eq!(has_groups(&world.dump().await).len(), 2);
}

async fn b6_finishing_releases_the_locks_of_the_members(world: World) {
    world.store(&[unique(grouped("a"), 600)]).await;
    let set = world.stage(&ALL_AT_ONCE).await.expect("the group is ready");
    let member = |id| FinishedMember { id: task_id(id), unique_key: LOCK.to_owned() };
    let done = world.broker.finish_members(&world.queue, &set, &[member("a")], false, None).await;
    assert_eq!(done.expect("the store answers"), FinishedSet::Done);
    assert!(!world.dump().await.contains(LOCK));

    // Another task has it by now.
    let set = world.staged(&["b"]).await;
    world.store(&[unique(pending("c"), 600)]).await;
    let done = world.broker.finish_members(&world.queue, &set, &[member("b")], true, None).await;
    assert_eq!(done.expect("the store answers"), FinishedSet::Done);
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("c"));
}

async fn b22_a_crash_between_enqueue_and_delete_aggregates_once(world: World) {
    // Whoever enqueues and then dies before it deletes: here both are one step, or none.
    let set = world.staged(&["a", "b"]).await;
    let task = pending(&set.id);
    // It dies before: nothing has happened, and the tasks come back.
    world.advance(120).await;
    assert_eq!(world.reclaim().await.sets, 1);
    let again = world.stage(&ALL_AT_ONCE).await.expect("the group is ready");
    assert_eq!(world.finish(&again, &["a", "b"], Some(&pending(&again.id))).await, FinishedSet::Done);
    // It dies after: there is nothing left that anyone could aggregate once more, also when the task is done.
    assert_eq!(world.finish(&set, &["a", "b"], Some(&task)).await, FinishedSet::Lost, "and it was not dead");
    assert_eq!(ids(&world.lease(1).await), [again.id.as_str()]);
    world.advance(300).await;
    assert_eq!(world.reclaim().await, Reclaimed::default());
    assert_eq!(world.stage(&ALL_AT_ONCE).await, None);
}

async fn archives_what_cannot_be_aggregated(world: World) {
    let set = world.staged(&["a", "b", "c"]).await;
    world.set_field("b", "msg", b"\xff\xff").await;
    let with_reason = TaskMessage { error_msg: "bad payload".to_owned(), ..grouped("a").message };
    let rejected = [
        RejectedMember { id: task_id("a"), message: Some(with_reason.clone()) },
        RejectedMember { id: task_id("b"), message: None },
    ];
    let before = world.counters(&world.dump().await);
    assert!(world.archive(&set, &rejected).await);
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.archived()), ["a", "b"].map(|id| (id.to_owned(), world.now())));
    assert_eq!(dump.hash("asynq:{q}:t:a")["msg"], with_reason.encode());
    assert_eq!(dump.hash("asynq:{q}:t:b")["msg"], Bytes::from_static(b"\xff\xff"));
    assert_eq!(field(&dump.hash("asynq:{q}:t:b"), "state"), Some("archived"));
    assert_eq!(dump.zset(&world.set_key(&set)).len(), 1, "the others stay");
    assert_eq!(world.counters(&dump), before);
    assert_eq!(world.finish(&set, &["c"], None).await, FinishedSet::Done);
}

async fn drops_members_without_a_task(world: World) {
    let set = world.staged(&["a"]).await;
    world.delete_task("a").await;
    assert!(world.archive(&set, &[RejectedMember { id: task_id("a"), message: None }]).await);
    assert_eq!(has_groups(&world.dump().await), Vec::<&String>::new(), "no ghost, and no set");
}

async fn archives_nothing_of_a_set_that_is_lost(world: World) {
    let set = world.staged(&["a"]).await;
    let rejected = [RejectedMember { id: task_id("a"), message: None }];
    assert!(world.archive(&set, &rejected).await);
    let before = world.dump().await;
    assert!(!world.archive(&set, &rejected).await);
    world.dump().await.assert_same(&before, "it was done before");
}

async fn reclaims_a_set_when_its_time_is_up(world: World) {
    let began = world.now();
    let set = world.staged(&["a", "b"]).await;
    world.advance(119).await;
    assert_eq!(world.reclaim().await, Reclaimed { sets: 0, next_due: Some(began + 120) });
    world.advance(1).await;
    assert_eq!(world.reclaim().await, Reclaimed { sets: 1, next_due: None });
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.group("g")), ["a", "b"].map(|id| (id.to_owned(), began)));
    assert!(!dump.contains(&world.set_key(&set)) && !dump.contains(&world.keys.aggregation_sets()));
}

async fn b3_reclaimed_tasks_are_visible_again(world: World) {
    world.staged(&["a"]).await;
    world.advance(120).await;
    world.reclaim().await;
    assert_eq!(world.dump().await.set(&world.keys.groups()), ["g"]);
    assert_eq!(world.states().await.len(), 1);
    assert!(world.stage(&TEN_SECONDS).await.is_some());
}

async fn reclaims_into_a_group_that_has_new_tasks(world: World) {
    let began = world.now();
    world.staged(&["a", "b"]).await;
    world.advance(120).await;
    world.group(&["c"]).await;
    assert_eq!(world.reclaim().await.sets, 1);
    let scores = [("a".to_owned(), began), ("b".to_owned(), began), ("c".to_owned(), began + 120)];
    assert_eq!(world.dump().await.zset(&world.keys.group("g")), scores);
}

async fn reclaims_a_group_with_colons_in_its_name(world: World) {
    world.store(&[in_group("user:42:mail", "a")]).await;
    let set = SetName::new("user:42:mail");
    assert!(world.broker.stage_group(&world.queue, &set, &ALL_AT_ONCE).await.expect("the store answers"));
    world.advance(120).await;
    assert_eq!(world.reclaim().await.sets, 1);
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.group("user:42:mail")).len(), 1);
    assert_eq!(dump.set(&world.keys.groups()), ["user:42:mail"]);
}

async fn reclaims_ten_sets_at_a_time(world: World) {
    let until = world.now() + 120;
    for id in 0..12 {
        world.staged(&[&id.to_string()]).await;
    }
    world.advance(120).await;
    assert_eq!(world.reclaim().await, Reclaimed { sets: 10, next_due: Some(until) });
    assert_eq!(world.reclaim().await, Reclaimed { sets: 2, next_due: None });
    assert_eq!(world.states().await[0].size, 12);
}

async fn an_extended_set_is_not_reclaimed(world: World) {
    let set = world.staged(&["a"]).await;
    for _ in 0..10 {
        world.advance(100).await;
        assert!(world.extend(&set, world.now() + 120).await);
        assert_eq!(world.reclaim().await.sets, 0);
    }
    assert_eq!(world.finish(&set, &["a"], None).await, FinishedSet::Done);
    assert!(!world.extend(&set, world.now() + 120).await);
    assert!(!world.dump().await.contains(&world.keys.aggregation_sets()), "extending makes no set");
}

async fn a_set_that_is_given_back_is_reclaimed_at_once(world: World) {
    let set = world.staged(&["a"]).await;
    assert!(world.extend(&set, world.now()).await);
    assert_eq!(world.reclaim().await.sets, 1);
    assert_eq!(world.states().await.len(), 1);
}

async fn b3_b4_makes_groups_known_again_that_go_left_behind(world: World) {
    world.store(&[in_group("a", "1"), in_group("b", "2")]).await;
    world.corrupt(Corruption::ForgetGroup { queue: world.queue.clone(), group: "a".to_owned() }).await;
    let names = ["a", "b", "never there"].map(str::to_owned);
    assert_eq!(world.broker.mend_groups(&world.queue, &names).await.expect("the store answers"), 1);
    assert_eq!(world.dump().await.set(&world.keys.groups()), ["a", "b"]);
    assert_eq!(world.broker.mend_groups(&world.queue, &names).await.expect("the store answers"), 0);
    assert_eq!(world.broker.mend_groups(&world.queue, &[]).await.expect("the store answers"), 0);
}

async fn b4_a_scheduled_task_joins_its_group_when_it_is_due(world: World) {
    let at = world.now() + 10;
    world.store(&[NewTask { placement: Placement::Scheduled(at), ..grouped("a") }]).await;
    let hash = world.dump().await.hash("asynq:{q}:t:a");
    assert_eq!(
        (field(&hash, "group"), field(&hash, "x_group")),
        (None, Some("g")),
        "Go must not forward it to the group"
    );
    assert!(world.states().await.is_empty());
    world.advance(10).await;
    assert_eq!(world.broker.forward(&world.queue).await.expect("the store answers").moved, 1);
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.group("g")), [("a".to_owned(), at)]);
    assert_eq!(dump.set(&world.keys.groups()), ["g"]);
    let hash = dump.hash("asynq:{q}:t:a");
    assert_eq!(hash.keys().collect::<Vec<_>>(), ["group", "msg", "state"]);
    assert_eq!((field(&hash, "state"), field(&hash, "group")), (Some("aggregating"), Some("g")));
}

async fn b4_a_scheduled_task_that_go_forwarded_is_tried_again_alone(world: World) {
    use crate::broker::Transition;
    let leased = world.active_task(NewTask { placement: Placement::Pending, ..grouped("a") }).await;
    world.set_field("a", "x_group", b"g").await;
    let transition = Transition::Retry { message: grouped("a").message, at: world.now(), is_failure: true };
    world.apply(&leased, transition).await;
    world.broker.forward(&world.queue).await.expect("the store answers");
    let dump = world.dump().await;
    assert_eq!(dump.list(&world.keys.pending()), ["a"]);
    assert_eq!(field(&dump.hash("asynq:{q}:t:a"), "x_group"), None);
}

async fn other_queues_are_left_alone(world: World) {
    world.group(&["a"]).await;
    let (other, set) = (queue("other"), SetName::new("g"));
    let broker = &world.broker;
    assert!(!broker.stage_group(&other, &set, &AT_ONCE).await.expect("the store answers"));
    assert!(broker.groups(&other, 0).await.expect("the store answers").groups.is_empty());
    assert_eq!(broker.reclaim_sets(&other).await.expect("the store answers"), Reclaimed::default());
    assert_eq!(broker.mend_groups(&other, &["g".to_owned()]).await.expect("the store answers"), 0);
    let lost = broker.finish_members(&other, &set, &[], true, None).await.expect("the store answers");
    assert_eq!(lost, FinishedSet::Lost);
    assert_eq!(world.states().await.len(), 1);
}
