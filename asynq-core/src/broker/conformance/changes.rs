//! What an operator does to stored tasks: run, archive, delete, one or all; edit, adopt; delete a queue.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::suite::case_list;
use super::world::{
    LOCK, World, failed, field, grouped, message, pending, pending_in, queue, scheduled, task_id, unique,
};
use super::{Corruption, Value};
use crate::broker::{
    Adoption, ArchiveLimits, Change, Changed, ChangedMany, Collection, Edit, Edited, EnqueueError, Leased,
    QueueDeletion, Transition,
};
use crate::task::{TaskState, UniqueUntil};
use crate::wire::TaskMessage;

case_list! { "changes":
    runs_a_task_of_every_state,
    b28_a_task_that_is_run_is_pending_since_then,
    b29_a_task_that_is_run_leaves_its_group,
    a_task_that_is_run_forgets_its_crashes,
    runs_in_the_order_of_the_calls,
    archives_a_task_of_every_state,
    deletes_a_task_of_every_state,
    refuses_what_the_state_forbids,
    refusals_change_nothing,
    b6_deleting_releases_the_lock,
    b6_deleting_releases_the_lock_of_a_grouped_task_of_go,
    a_lock_of_another_task_stays,
    deletes_what_cannot_be_read,
    heals_a_task_that_stands_nowhere,
    b12_an_archived_task_that_says_it_is_active_can_be_changed,
    trimmed_tasks_leave_nothing_behind,
    b26_changes_at_most_so_many_at_a_time,
    runs_all_in_order,
    b28_tasks_run_together_are_pending_since_then,
    archives_all,
    b6_deleting_all_releases_the_locks,
    an_empty_group_is_forgotten,
    drops_ids_without_a_task,
    leaves_tasks_that_are_elsewhere,
    b27_an_edit_needs_the_expected_message,
    edits_the_message_alone,
    edits_when_a_task_is_due,
    refuses_to_edit_what_is_run_or_done,
    adopts_a_task_in_every_state,
    adopts_nothing_twice,
    an_adopted_task_takes_its_lock,
    adopts_a_task_into_its_group,
    an_adopted_task_replaces_one_that_is_not_at_work,
    an_adopted_task_takes_over_the_lock_of_the_one_it_replaces,
    deletes_an_empty_queue,
    refuses_to_delete_a_queue_with_tasks,
    deletes_a_queue_with_tasks_by_force,
    refuses_to_delete_a_queue_that_works,
    b7_a_deleted_queue_is_known_again_with_its_next_task,
    completed_tasks_go_with_their_queue,
    deletes_nothing_of_other_queues,
}

const RUN: Change = Change::Run;
const ARCHIVE: Change = Change::Archive;
const DELETE: Change = Change::Delete;

async fn change(world: &World, id: &str, change: Change) -> Changed {
    world.broker.change(&world.queue, &task_id(id), change).await.expect("the store answers")
}

async fn change_first(world: &World, collection: Collection, change: Change, limit: usize) -> ChangedMany {
    world.broker.change_first(&world.queue, &collection, change, limit).await.expect("the store answers")
}

fn group() -> Collection {
    Collection::Group("g".to_owned())
}

async fn retry(world: &World, id: &str) -> Leased {
    let leased = world.active(id).await;
    let at = world.now() + 60;
    world.apply(&leased, Transition::Retry { message: failed(&leased), at, is_failure: true }).await;
    leased
}

async fn archived(world: &World, id: &str) {
    let leased = world.active(id).await;
    world
        .apply(&leased, Transition::Archive { message: Some(failed(&leased)), unique_key: String::new() })
        .await;
}

async fn completed(world: &World, id: &str) {
    let leased = world.active(id).await;
    let until = world.now() + 60;
    world.apply(&leased, Transition::Complete { message: message(id), until, result: None }).await;
}

/// A task in every state but active; the ID is the name of the state.
async fn one_of_each(world: &World) -> Vec<TaskState> {
    retry(world, "retry").await;
    archived(world, "archived").await;
    completed(world, "completed").await;
    let group = grouped("aggregating");
    world.store(&[pending("pending"), scheduled("scheduled", world.now() + 60), group]).await;
    TaskState::ALL.into_iter().filter(|state| *state != TaskState::Active).collect()
}

/// Where an ID stands: each key of a list or a sorted set of the queue that has it.
async fn places(world: &World, id: &str) -> Vec<String> {
    let dump = world.dump().await;
    let prefix = world.keys.prefix().to_owned();
    let holds = |value: &Value| match value {
        Value::List(ids) => ids.iter().any(|member| *member == *id.as_bytes()),
        Value::ZSet(ids) => ids.iter().any(|(member, _)| *member == *id.as_bytes()),
        _ => false,
    };
    let entries = dump.entries.iter().filter(|(_, entry)| holds(&entry.value));
    entries.map(|(key, _)| key.strip_prefix(&prefix).unwrap_or(key).to_owned()).collect()
}

async fn runs_a_task_of_every_state(world: World) {
    for state in one_of_each(&world).await {
        let expected = if state == TaskState::Pending { Changed::Refused(state) } else { Changed::Applied };
        assert_eq!(change(&world, state.as_str(), RUN).await, expected, "{state}");
        assert_eq!(places(&world, state.as_str()).await, ["pending"], "{state}");
        let info = world.info(state.as_str()).await.expect("it is stored");
        assert_eq!(info.state, TaskState::Pending, "{state}");
    }
    assert!(!world.dump().await.contains(&world.keys.groups()), "the group is empty");
    assert_eq!(world.lease(6).await.len(), 6, "all of them run");
}

async fn b28_a_task_that_is_run_is_pending_since_then(world: World) {
    world.store(&[scheduled("a", world.now() + 60)]).await;
    world.advance(3).await;
    change(&world, "a", RUN).await;
    let hash = world.dump().await.hash(&world.keys.task("a"));
    assert_eq!(field(&hash, "pending_since"), Some(world.clock.unix_nanos().to_string().as_str()));
}

async fn b29_a_task_that_is_run_leaves_its_group(world: World) {
    world.store(&[grouped("a")]).await;
    change(&world, "a", RUN).await;
    let leased = world.lease_one().await;
    let retry = Transition::Retry { message: failed(&leased), at: world.now(), is_failure: true };
    world.apply(&leased, retry).await;
    world.broker.forward(&world.queue).await.expect("the store answers");
    assert_eq!(places(&world, "a").await, ["pending"], "it is tried again, not aggregated");
}

async fn a_task_that_is_run_forgets_its_crashes(world: World) {
    archived(&world, "a").await;
    world.set_field("a", "x_crash", b"3").await;
    change(&world, "a", RUN).await;
    assert!(!world.dump().await.hash(&world.keys.task("a")).contains_key("x_crash"));
}

async fn runs_in_the_order_of_the_calls(world: World) {
    world.store(&[scheduled("a", 1), scheduled("b", 2), pending("c")]).await;
    change(&world, "b", RUN).await;
    change(&world, "a", RUN).await;
    let leased = world.lease(3).await;
    assert_eq!(super::world::ids(&leased), ["c", "b", "a"]);
}

async fn archives_a_task_of_every_state(world: World) {
    for state in one_of_each(&world).await {
        let expected = if state == TaskState::Archived { Changed::Refused(state) } else { Changed::Applied };
        assert_eq!(change(&world, state.as_str(), ARCHIVE).await, expected, "{state}");
        assert_eq!(places(&world, state.as_str()).await, ["archived"], "{state}");
    }
    let dump = world.dump().await;
    assert!(dump.zset(&world.keys.archived()).iter().all(|(_, at)| *at == world.now()));
    assert_eq!(world.counters(&dump)[0].as_deref(), Some("3"), "an operator's doing is not counted");
}

async fn deletes_a_task_of_every_state(world: World) {
    for state in one_of_each(&world).await {
        assert_eq!(change(&world, state.as_str(), DELETE).await, Changed::Applied, "{state}");
        assert!(places(&world, state.as_str()).await.is_empty(), "{state}");
        assert_eq!(change(&world, state.as_str(), DELETE).await, Changed::NotFound, "{state}");
    }
    let dump = world.dump().await;
    assert!(!dump.entries.keys().any(|key| key.contains(":t:") || key.contains("groups")), "{dump:?}");
}

async fn refuses_what_the_state_forbids(world: World) {
    world.active("a").await;
    for action in [RUN, ARCHIVE, DELETE] {
        assert_eq!(change(&world, "a", action).await, Changed::Refused(TaskState::Active), "{action:?}");
        assert_eq!(change(&world, "nope", action).await, Changed::NotFound, "{action:?}");
        let nowhere = world.broker.change(&queue("nowhere"), &task_id("a"), action).await;
        assert_eq!(nowhere.expect("the store answers"), Changed::NotFound);
    }
}

async fn refusals_change_nothing(world: World) {
    one_of_each(&world).await;
    world.active_task(pending_first(&world).await).await;
    let before = world.dump().await;
    change(&world, "active", DELETE).await;
    change(&world, "archived", ARCHIVE).await;
    change(&world, "nope", RUN).await;
    world.dump().await.assert_same(&before, "refused");
}

/// Makes the one pending task go away, and gives one to be leased.
async fn pending_first(world: &World) -> crate::broker::NewTask {
    change(world, "pending", DELETE).await;
    pending("active")
}

async fn b6_deleting_releases_the_lock(world: World) {
    for task in [pending("a"), scheduled("a", 5), grouped("a")] {
        world.store(&[unique(task, 60)]).await;
        assert!(world.dump().await.contains(LOCK));
        change(&world, "a", DELETE).await;
        assert!(!world.dump().await.contains(LOCK));
    }
}

async fn b6_deleting_releases_the_lock_of_a_grouped_task_of_go(world: World) {
    for all in [false, true] {
        world.store(&[unique(grouped("a"), 60)]).await;
        let forgotten = Corruption::RemoveField {
            queue: world.queue.clone(),
            id: task_id("a"),
            field: "unique_key".to_owned(),
        };
        world.corrupt(forgotten).await;
        if all {
            change_first(&world, group(), DELETE, 10).await;
        } else {
            change(&world, "a", DELETE).await;
        }
        assert!(!world.dump().await.contains(LOCK));
    }
}

async fn a_lock_of_another_task_stays(world: World) {
    world.store(&[unique(pending("a"), 60)]).await;
    world.advance(61).await;
    world.store(&[unique(pending("b"), 60)]).await;
    change(&world, "a", DELETE).await;
    assert_eq!(world.dump().await.string(LOCK).as_deref(), Some("b"));
}

async fn deletes_what_cannot_be_read(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.set_field("a", "msg", b"\xff\xff").await;
    world.set_field("b", "state", b"odd").await;
    let no_message =
        Corruption::RemoveField { queue: world.queue.clone(), id: task_id("c"), field: "msg".to_owned() };
    world.corrupt(no_message).await;
    assert_eq!(change(&world, "c", RUN).await, Changed::NotFound);
    for id in ["a", "b", "c"] {
        assert_eq!(change(&world, id, DELETE).await, Changed::Applied, "{id}");
        assert!(!world.dump().await.contains(&world.keys.task(id)), "{id}");
    }
}

async fn heals_a_task_that_stands_nowhere(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.set_field("a", "state", b"archived").await;
    world.lease_one().await;
    // Now only its hash says that `a` is archived.
    world.set_field("a", "state", b"archived").await;
    world.set_field("b", "state", b"retry").await;
    assert_eq!(change(&world, "b", DELETE).await, Changed::Applied);
}

async fn b12_an_archived_task_that_says_it_is_active_can_be_changed(world: World) {
    for (id, action) in [("b", DELETE), ("a", RUN)] {
        archived(&world, id).await;
        world.set_field(id, "state", b"active").await;
        assert_eq!(change(&world, id, action).await, Changed::Applied, "{action:?}");
    }
    assert_eq!(places(&world, "a").await, ["pending"]);
    assert!(places(&world, "b").await.is_empty());
    change(&world, "a", DELETE).await;
    archived(&world, "c").await;
    world.set_field("c", "state", b"active").await;
    let all = change_first(&world, Collection::Archived, DELETE, 10).await;
    assert_eq!(all, ChangedMany { changed: 1, dropped: 0, left: 0 });
}

async fn add_archived(world: &World, ids: impl Iterator<Item = usize>, at: i64) {
    for number in ids {
        let id = task_id(&format!("old{number:05}"));
        world.corrupt(Corruption::AddArchived { queue: world.queue.clone(), id, at }).await;
    }
}

async fn trimmed_tasks_leave_nothing_behind(world: World) {
    world.store(&[unique(pending("locked"), 600)]).await;
    change(&world, "locked", ARCHIVE).await;
    world.advance(1).await;
    add_archived(&world, 0..ArchiveLimits::GO.tasks - 1, world.now()).await;
    world.store_pending(&["a"]).await;
    change(&world, "a", ARCHIVE).await;
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.archived()).len(), ArchiveLimits::GO.tasks);
    assert!(!dump.contains(&world.keys.task("locked")), "its hash goes with it");
    assert!(!dump.contains(LOCK), "and so does its lock");
    let info = world.broker.queue_info(&world.queue).await.expect("the store answers");
    assert_eq!(info.trimmed_total, 1);
}

async fn b26_changes_at_most_so_many_at_a_time(world: World) {
    world.store(&(0..7).map(|at| scheduled(&format!("s{at}"), at)).collect::<Vec<_>>()).await;
    let part = change_first(&world, Collection::Scheduled, DELETE, 3).await;
    assert_eq!(part, ChangedMany { changed: 3, dropped: 0, left: 4 });
    let left = world.dump().await.zset(&world.keys.scheduled());
    assert_eq!(left.first(), Some(&("s3".to_owned(), 3)), "the first go first");
    let rest = change_first(&world, Collection::Scheduled, DELETE, 30).await;
    assert_eq!(rest, ChangedMany { changed: 4, dropped: 0, left: 0 });
    assert_eq!(change_first(&world, Collection::Scheduled, DELETE, 30).await, ChangedMany::default());
    assert_eq!(change_first(&world, Collection::Scheduled, DELETE, 0).await, ChangedMany::default());
}

async fn runs_all_in_order(world: World) {
    world.store(&[scheduled("b", 2), scheduled("a", 1), pending("c"), scheduled("d", 3)]).await;
    change_first(&world, Collection::Scheduled, RUN, 10).await;
    assert_eq!(super::world::ids(&world.lease(4).await), ["c", "a", "b", "d"]);
    for collection in [Collection::Retry, Collection::Archived, Collection::Completed, group()] {
        assert_eq!(change_first(&world, collection, RUN, 10).await, ChangedMany::default());
    }
}

async fn b28_tasks_run_together_are_pending_since_then(world: World) {
    world.store(&[grouped("a"), grouped("b")]).await;
    world.advance(3).await;
    change_first(&world, group(), RUN, 10).await;
    let since = world.clock.unix_nanos().to_string();
    for id in ["a", "b"] {
        let hash = world.dump().await.hash(&world.keys.task(id));
        assert_eq!(
            (field(&hash, "pending_since"), field(&hash, "group")),
            (Some(since.as_str()), None),
            "{id}"
        );
    }
}

async fn archives_all(world: World) {
    one_of_each(&world).await;
    world.store_pending(&["pending2"]).await;
    for (collection, count) in [
        (Collection::Pending, 2),
        (Collection::Scheduled, 1),
        (Collection::Retry, 1),
        (Collection::Completed, 1),
        (group(), 1),
    ] {
        let changed = change_first(&world, collection.clone(), ARCHIVE, 10).await;
        assert_eq!(changed, ChangedMany { changed: count, dropped: 0, left: 0 }, "{collection}");
    }
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.archived()).len(), 7);
    assert!(!dump.contains(&world.keys.pending()) && !dump.contains(&world.keys.groups()));
}

async fn b6_deleting_all_releases_the_locks(world: World) {
    for (task, collection) in [
        (pending("a"), Collection::Pending),
        (scheduled("a", 5), Collection::Scheduled),
        (grouped("a"), group()),
    ] {
        world.store(&[unique(task, 60)]).await;
        change_first(&world, collection, DELETE, 10).await;
        let dump = world.dump().await;
        assert_eq!(dump.entries.keys().collect::<Vec<_>>(), ["asynq:queues"]);
    }
}

async fn an_empty_group_is_forgotten(world: World) {
    world.store(&[grouped("a"), grouped("b"), grouped("c")]).await;
    change_first(&world, group(), DELETE, 2).await;
    assert_eq!(world.dump().await.set(&world.keys.groups()), ["g"], "it still holds one");
    change(&world, "c", ARCHIVE).await;
    assert!(!world.dump().await.contains(&world.keys.groups()));
}

async fn drops_ids_without_a_task(world: World) {
    world.store_pending(&["a", "b"]).await;
    world.delete_task("a").await;
    add_archived(&world, 0..2, world.now() - 5).await;
    let changed = change_first(&world, Collection::Pending, ARCHIVE, 10).await;
    assert_eq!(changed, ChangedMany { changed: 1, dropped: 1, left: 0 });
    let changed = change_first(&world, Collection::Archived, RUN, 10).await;
    assert_eq!(changed, ChangedMany { changed: 1, dropped: 2, left: 0 });
    assert_eq!(world.dump().await.list(&world.keys.pending()), ["b"]);
}

async fn leaves_tasks_that_are_elsewhere(world: World) {
    world.store_pending(&["a"]).await;
    let leased = world.lease_one().await;
    // As a crash of another implementation might leave it: in two places at once.
    let twice = Corruption::AddArchived { queue: world.queue.clone(), id: task_id("a"), at: 5 };
    world.corrupt(twice).await;
    let changed = change_first(&world, Collection::Archived, DELETE, 10).await;
    assert_eq!(changed, ChangedMany { changed: 0, dropped: 1, left: 0 });
    world.apply(&leased, super::world::done()).await;
}

fn edit(id: &str, to: Option<TaskMessage>, due: Option<i64>) -> Edit {
    Edit { expected: Bytes::from(message(id).encode()), message: to, due }
}

async fn apply_edit(world: &World, id: &str, edit: &Edit) -> Edited {
    world.broker.edit(&world.queue, &task_id(id), edit).await.expect("the store answers")
}

fn with_payload(id: &str) -> TaskMessage {
    TaskMessage { payload: Bytes::from_static(b"new"), ..message(id) }
}

async fn b27_an_edit_needs_the_expected_message(world: World) {
    world.store(&[scheduled("a", 5)]).await;
    let first = edit("a", Some(with_payload("a")), None);
    assert_eq!(apply_edit(&world, "a", &first).await, Edited::Applied);
    let before = world.dump().await;
    let late = edit("a", Some(TaskMessage { retry: 1, ..message("a") }), Some(9));
    assert_eq!(apply_edit(&world, "a", &late).await, Edited::Changed, "it would undo the first one");
    assert_eq!(apply_edit(&world, "nope", &late).await, Edited::NotFound);
    world.dump().await.assert_same(&before, "refused");
}

async fn edits_the_message_alone(world: World) {
    world.store(&[pending("p"), scheduled("s", 5)]).await;
    for id in ["p", "s"] {
        let before = places(&world, id).await;
        assert_eq!(apply_edit(&world, id, &edit(id, Some(with_payload(id)), None)).await, Edited::Applied);
        assert_eq!(places(&world, id).await, before);
        assert_eq!(world.info(id).await.expect("it is stored").payload, "new");
    }
    let leased = world.lease_one().await;
    assert_eq!(leased.message.expect("readable"), with_payload("p"), "the worker gets the new one");
}

async fn edits_when_a_task_is_due(world: World) {
    let due = world.now() + 500;
    let leased = retry(&world, "r").await;
    archived(&world, "x").await;
    world.store(&[pending("p"), scheduled("s", 5)]).await;
    for (id, stands_in) in [("r", "retry"), ("x", "scheduled"), ("p", "scheduled"), ("s", "scheduled")] {
        let expected = match id {
            "r" | "x" => TaskMessage { retried: 1, error_msg: "it broke".to_owned(), ..message(id) },
            _ => message(id),
        };
        let edit = Edit { expected: Bytes::from(expected.encode()), message: None, due: Some(due) };
        assert_eq!(apply_edit(&world, id, &edit).await, Edited::Applied, "{id}");
        assert_eq!(places(&world, id).await, [stands_in], "{id}");
        let info = world.info(id).await.expect("it is stored");
        assert_eq!(info.state.as_str(), stands_in, "{id}");
        assert_eq!(info.next_process_at.map(jiff::Timestamp::as_second), Some(due), "{id}");
    }
    assert!(!world.dump().await.hash(&world.keys.task("p")).contains_key("pending_since"));
    assert_eq!(leased.id, "r");
}

async fn refuses_to_edit_what_is_run_or_done(world: World) {
    completed(&world, "c").await;
    world.active("a").await;
    world.store(&[grouped("g")]).await;
    for (id, state) in [("c", TaskState::Completed), ("a", TaskState::Active), ("g", TaskState::Aggregating)]
    {
        let edited = apply_edit(&world, id, &edit(id, Some(with_payload(id)), Some(5))).await;
        assert_eq!(edited, Edited::Refused(state), "{id}");
    }
}

fn adoption(id: &str, state: TaskState) -> Adoption {
    Adoption {
        message: message(id),
        state,
        score: 50,
        fields: BTreeMap::new(),
        unique_ttl: 0,
        unique_until: UniqueUntil::Success,
        replace: false,
    }
}

async fn adopts_a_task_in_every_state(world: World) {
    for state in [
        TaskState::Pending,
        TaskState::Scheduled,
        TaskState::Retry,
        TaskState::Archived,
        TaskState::Completed,
    ] {
        let id = state.as_str();
        let fields = [("result", "result"), ("group", "g"), ("x_odd", "odd")];
        let fields =
            fields.map(|(name, value)| (name.to_owned(), Bytes::from_static(value.as_bytes()))).into();
        let task = Adoption { fields, ..adoption(id, state) };
        world.broker.adopt(&task).await.expect("it is stored");
        assert_eq!(places(&world, id).await, [id]);
        let hash = world.dump().await.hash(&world.keys.task(id));
        assert_eq!((field(&hash, "state"), field(&hash, "result")), (Some(id), Some("result")));
        assert_eq!((field(&hash, "group"), field(&hash, "x_odd")), (Some("g"), Some("odd")));
        assert_eq!(hash.contains_key("pending_since"), state == TaskState::Pending);
    }
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.retry()), [("retry".to_owned(), 50)]);
    assert_eq!(dump.set("asynq:queues"), ["q"]);
    assert!(
        world.broker.adopt(&adoption("x", TaskState::Active)).await.is_err(),
        "only a worker makes it so"
    );
}

async fn adopts_nothing_twice(world: World) {
    world.store_pending(&["a"]).await;
    let before = world.dump().await;
    let refused = world.broker.adopt(&adoption("a", TaskState::Archived)).await;
    assert!(matches!(refused, Err(EnqueueError::IdConflict)), "{refused:?}");
    world.dump().await.assert_same(&before, "refused");
}

async fn an_adopted_task_takes_its_lock(world: World) {
    let locked = |id: &str| {
        let message = TaskMessage { unique_key: LOCK.to_owned(), ..message(id) };
        Adoption { message, unique_ttl: 60, ..adoption(id, TaskState::Pending) }
    };
    world.broker.adopt(&locked("a")).await.expect("it is stored");
    let refused = world.broker.adopt(&locked("b")).await;
    assert!(matches!(&refused, Err(EnqueueError::Duplicate { holder }) if holder == "a"), "{refused:?}");
    change(&world, "a", DELETE).await;
    assert!(!world.dump().await.contains(LOCK));
}

async fn adopts_a_task_into_its_group(world: World) {
    let message = TaskMessage { group_key: "g".to_owned(), ..message("a") };
    let task = Adoption { message, ..adoption("a", TaskState::Aggregating) };
    world.broker.adopt(&task).await.expect("it is stored");
    let dump = world.dump().await;
    assert_eq!(dump.zset(&world.keys.group("g")), [("a".to_owned(), 50)]);
    assert_eq!(dump.set(&world.keys.groups()), ["g"]);
    assert_eq!(field(&dump.hash(&world.keys.task("a")), "group"), Some("g"));
}

async fn an_adopted_task_replaces_one_that_is_not_at_work(world: World) {
    let replacing = |id: &str| Adoption { replace: true, ..adoption(id, TaskState::Retry) };
    world.broker.adopt(&replacing("new")).await.expect("nobody is in its way");
    world.active("a").await;
    let refused = world.broker.adopt(&replacing("a")).await;
    assert!(matches!(refused, Err(EnqueueError::IdConflict)), "{refused:?}");
    archived(&world, "x").await;
    world.store(&[pending("p"), scheduled("s", 5), grouped("g")]).await;
    for id in ["p", "s", "g", "x"] {
        world.set_field(id, "x_odd", b"old").await;
        world.broker.adopt(&replacing(id)).await.expect("it is replaced");
        assert_eq!(places(&world, id).await, ["retry"], "{id}");
        assert!(!world.dump().await.hash(&world.keys.task(id)).contains_key("x_odd"), "{id}");
    }
    assert!(!world.dump().await.contains(&world.keys.groups()));
}

async fn an_adopted_task_takes_over_the_lock_of_the_one_it_replaces(world: World) {
    let locked = |id: &str| {
        let message = TaskMessage { unique_key: LOCK.to_owned(), ..message(id) };
        Adoption { message, unique_ttl: 60, replace: true, ..adoption(id, TaskState::Scheduled) }
    };
    world.store(&[unique(pending("a"), 600)]).await;
    let refused = world.broker.adopt(&locked("b")).await;
    assert!(matches!(&refused, Err(EnqueueError::Duplicate { holder }) if holder == "a"), "{refused:?}");
    world.broker.adopt(&locked("a")).await.expect("it is replaced");
    let dump = world.dump().await;
    assert_eq!(dump.string(LOCK).as_deref(), Some("a"));
    assert!(dump.expires_at(LOCK).is_some_and(|at| at <= world.now() + 60));
    // One without a lock lets it go.
    let without = Adoption { replace: true, ..adoption("a", TaskState::Pending) };
    world.broker.adopt(&without).await.expect("it is replaced");
    assert!(!world.dump().await.contains(LOCK));
}

async fn delete_queue(world: &World, force: bool) -> QueueDeletion {
    world.broker.delete_queue(&world.queue, force).await.expect("the store answers")
}

async fn deletes_an_empty_queue(world: World) {
    assert_eq!(delete_queue(&world, false).await, QueueDeletion::NotFound);
    assert_eq!(delete_queue(&world, true).await, QueueDeletion::NotFound);
    let leased = world.active("a").await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: String::new() }).await;
    change(&world, "a", DELETE).await;
    world.broker.pause(&world.queue).await.expect("the store answers");
    world.broker.beat("server-1", std::slice::from_ref(&world.queue)).await.expect("the store answers");
    assert!(world.dump().await.entries.len() >= 6, "there are counters, a pause, and more");
    assert_eq!(delete_queue(&world, false).await, QueueDeletion::Deleted);
    assert!(world.dump().await.entries.is_empty(), "{:?}", world.dump().await);
}

async fn refuses_to_delete_a_queue_with_tasks(world: World) {
    for state in one_of_each(&world).await {
        if state == TaskState::Completed {
            continue;
        }
        for other in TaskState::ALL.into_iter().filter(|other| *other != state) {
            change(&world, other.as_str(), DELETE).await;
        }
        let before = world.dump().await;
        assert_eq!(delete_queue(&world, false).await, QueueDeletion::NotEmpty(1), "{state}");
        world.dump().await.assert_same(&before, "refused");
        change(&world, state.as_str(), DELETE).await;
        one_of_each(&world).await;
    }
}

async fn deletes_a_queue_with_tasks_by_force(world: World) {
    one_of_each(&world).await;
    world.store(&[unique(grouped("locked"), 60)]).await;
    world.delete_task("scheduled").await;
    // What Go's trimming left: a hash that stands nowhere.
    world.set_field("leaked", "state", b"archived").await;
    assert_eq!(delete_queue(&world, true).await, QueueDeletion::Deleted);
    assert!(world.dump().await.entries.is_empty(), "{:?}", world.dump().await);
}

async fn refuses_to_delete_a_queue_that_works(world: World) {
    one_of_each(&world).await;
    world.active_task(pending_first(&world).await).await;
    let before = world.dump().await;
    assert_eq!(delete_queue(&world, true).await, QueueDeletion::Busy(1));
    world.dump().await.assert_same(&before, "refused");
}

async fn b7_a_deleted_queue_is_known_again_with_its_next_task(world: World) {
    world.store_pending(&["a"]).await;
    assert_eq!(delete_queue(&world, true).await, QueueDeletion::Deleted);
    world.store_pending(&["a"]).await;
    assert_eq!(world.broker.queues().await.expect("the store answers"), [queue("q")]);
}

async fn completed_tasks_go_with_their_queue(world: World) {
    completed(&world, "c").await;
    assert_eq!(delete_queue(&world, false).await, QueueDeletion::Deleted);
    assert!(world.dump().await.entries.is_empty());
}

async fn deletes_nothing_of_other_queues(world: World) {
    // Keys of these begin as those of `q` do, or fit its name as a pattern.
    let others = ["q2", "q}:t:x", "q}:", "[q]", "q*", "?"];
    for other in others {
        world.store(&[pending_in(other, "a")]).await;
        let locked = unique(pending_in(other, "b"), 60);
        let unique_key = format!("{}t:", world.queue_keys(&queue(other)).unique_prefix("x"));
        let message = TaskMessage { unique_key, ..locked.message.clone() };
        world.store(&[crate::broker::NewTask { message, ..locked }]).await;
    }
    let before = world.dump().await;
    one_of_each(&world).await;
    assert_eq!(delete_queue(&world, true).await, QueueDeletion::Deleted);
    world.dump().await.assert_same(&before, "the others stay");
    for other in others {
        let deleted = world.broker.delete_queue(&queue(other), true).await.expect("the store answers");
        assert_eq!(deleted, QueueDeletion::Deleted, "{other}");
    }
    assert!(world.dump().await.entries.is_empty(), "{:?}", world.dump().await);
}
