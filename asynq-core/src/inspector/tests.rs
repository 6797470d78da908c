//! The inspector on a broker in memory: what it adds to what brokers do.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::processes::{ScheduledEntry, ServerStatus};
use super::{
    Action, Class, Collection, Import, ImportError, Imported, Inspector, OnConflict, Page, Search,
    SearchCursor, SearchPart, Selection, TaskEdit,
};
use crate::broker::conformance::Corruption;
use crate::broker::{
    Broker, Change, Changes as _, Demand, Edit, MemoryBroker, QueueShare, Settlement, Transition,
};
use crate::client::Client;
use crate::clock::Clock;
use crate::error::Error;
use crate::task::{QueueName, Task, TaskId, TaskOptions, TaskState, UniqueUntil};
use crate::wire::{EnqueueOption, SchedulerEntry, WireTimestamp};

struct World {
    client: Client,
    broker: Arc<MemoryBroker>,
    inspector: Inspector,
    clock: Clock,
}

fn world() -> World {
    let clock = Clock::manual("2033-05-18T12:00:00Z".parse().unwrap());
    let broker = Arc::new(MemoryBroker::new(clock.clone()));
    let client = Client::new(Arc::<MemoryBroker>::clone(&broker));
    World { inspector: Inspector::new(&client), client, broker, clock }
}

impl World {
    async fn enqueue(&self, id: &str, set: impl FnOnce(TaskOptions) -> TaskOptions) {
        let options = set(TaskOptions::new().queue("q").task_id(id));
        self.client
            .enqueue(Task::new("t", format!("payload of {id}")).unwrap().options(options))
            .await
            .unwrap();
    }

    async fn pending(&self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            self.enqueue(&id, |options| options).await;
        }
    }

    /// Takes the next task of `q`, and settles it.
    async fn run_one(&self, settle: impl FnOnce(crate::wire::TaskMessage) -> Option<Transition>) {
        let queue = QueueName::new("q").unwrap();
        let queues = vec![QueueShare::new(queue.clone(), 1)];
        let demand = Demand { server_id: "s".to_owned(), slots: 1, queues, strict: true, ..Demand::none() };
        let leased = self.broker.exchange(&[], &demand).await.unwrap().leased.pop().unwrap();
        if let Some(transition) = settle(leased.message.unwrap()) {
            let settlement = Settlement {
                queue,
                id: leased.id,
                run: Some(leased.run),
                lease_until: leased.lease_until,
                transition,
            };
            self.broker.exchange(&[settlement], &Demand::none()).await.unwrap();
        }
    }

    async fn state(&self, queue: &str, id: &str) -> Option<TaskState> {
        match self.inspector.task(queue, id).await {
            Ok(detail) => Some(detail.info.state),
            Err(Error::TaskNotFound { .. } | Error::QueueNotFound { .. }) => None,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn group() -> Collection {
    Collection::Group("g".to_owned())
}

#[tokio::test]
async fn every_refusal_says_what_was_wrong() {
    let world = world();
    let inspector = &world.inspector;
    world.enqueue("a", |options| options).await;
    world.run_one(|_| None).await;
    world.enqueue("p", |options| options).await;
    let texts = [
        inspector.queue_info("nowhere").await.unwrap_err().to_string(),
        inspector.queue_info(" ").await.unwrap_err().to_string(),
        inspector.task("q", "nope").await.unwrap_err().to_string(),
        inspector.run("q", "p").await.unwrap_err().to_string(),
        inspector.delete("q", "a").await.unwrap_err().to_string(),
        inspector.delete_queue("q").await.unwrap_err().to_string(),
        inspector.force_delete_queue("q").await.unwrap_err().to_string(),
        inspector.history("q", 0).await.unwrap_err().to_string(),
        inspector.delete_all("q", Collection::Active).await.unwrap_err().to_string(),
        inspector.update_payload("q", "a", "x").await.unwrap_err().to_string(),
        inspector.cluster_key_slot("q").await.unwrap_err().to_string(),
        inspector.move_task("q", "p", "q").await.unwrap_err().to_string(),
    ];
    assert_eq!(
        texts,
        [
            "queue not found: `nowhere`",
            "invalid option `name`: queue name must contain one or more characters that are not white space, got \" \"",
            "task not found: queue `q` has no `nope`",
            "task `p` in queue `q` is pending: it will run as soon as a worker is free",
            "task `a` in queue `q` is active: cancel it first, or wait until it has ended",
            "queue is not empty: `q` holds tasks; delete it by force to delete them too",
            "queue `q` is busy (active tasks: 1): pause it, and wait until they end or cancel them",
            "invalid option `days`: the number of days must be from 1 to 3650, got 0",
            "invalid option `collection`: active tasks are being run: cancel them one by one",
            "task `a` in queue `q` is active: only a pending, scheduled or archived task, or one that waits for a retry, can be changed",
            "the broker is no cluster: it has no slots and nodes to tell of",
            "invalid option `queue`: the task is in `q` already",
        ]
    );
}

#[tokio::test]
async fn b31_pages_are_checked() {
    let world = world();
    world.pending((0..45).map(|number| format!("t{number:02}"))).await;
    for (number, size) in [(0, 30), (1, 0), (1, 1_001)] {
        assert!(Page::new(number, size).is_err(), "page {number} of {size}");
    }
    let ids = async |page: Page| {
        let page = world.inspector.list("q", Collection::Pending, page).await.unwrap();
        let ids: Vec<_> = page.tasks.iter().map(|task| task.id.as_str().to_owned()).collect();
        (ids.len(), ids.first().cloned().unwrap_or_default(), page.has_more)
    };
    assert_eq!(ids(Page::first()).await, (30, "t00".to_owned(), true));
    assert_eq!(ids(Page::new(2, 30).unwrap()).await, (15, "t30".to_owned(), false));
    assert_eq!(ids(Page::new(usize::MAX, 1_000).unwrap()).await, (0, String::new(), false));
}

#[tokio::test]
async fn a_stream_gives_each_task_once_while_tasks_come_and_go() {
    let world = world();
    world.pending((0..350).map(|number| format!("t{number:03}"))).await;
    let mut tasks = world.inspector.tasks("q", Collection::Pending).await.unwrap();
    let mut seen = Vec::new();
    while let Some(task) = tasks.next().await {
        seen.push(task.unwrap().id.as_str().to_owned());
        if seen.len() % 60 == 0 {
            world.inspector.delete("q", &seen[0]).await.unwrap();
            seen[0] = seen[seen.len() - 1].clone();
            world.run_one(|_| None).await;
            world.pending([format!("new{}", seen.len())]).await;
        }
    }
    let mut distinct = seen[1..].to_vec();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), seen.len() - 1, "none came twice");
    for number in 10..350 {
        assert!(distinct.contains(&format!("t{number:03}")), "t{number:03} was passed over");
    }
    let stream = world.inspector.tasks("q", Collection::Active).await.unwrap().into_stream();
    let active: Vec<_> = stream.try_collect().await.unwrap();
    assert!(active.iter().all(|task| task.state == TaskState::Active) && !active.is_empty());
}

#[tokio::test]
async fn b26_all_are_changed_part_by_part_with_progress() {
    let world = world();
    world.pending((0..350).map(|number| format!("t{number:04}"))).await;
    let (tell, told) = std::sync::mpsc::channel();
    let deleted = world
        .inspector
        .delete_all("q", Collection::Pending)
        .watch(move |progress| {
            tell.send((progress.changed, progress.left)).unwrap();
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
    assert_eq!((deleted.changed, deleted.dropped, deleted.left), (350, 0, 0));
    assert_eq!(told.iter().collect::<Vec<_>>(), [(100, 250), (200, 150), (300, 50), (350, 0)]);

    world.pending((0..350).map(|number| format!("t{number:04}"))).await;
    let stopped = world.inspector.archive_all("q", Collection::Pending).watch(|_| ControlFlow::Break(()));
    assert_eq!(stopped.await.unwrap().left, 250);
}

#[tokio::test]
async fn what_comes_meanwhile_does_not_keep_a_change_going() {
    let world = world();
    world.pending((0..600).map(|number| format!("t{number:04}"))).await;
    let (broker, queue) = (Arc::clone(&world.broker), QueueName::new("q").unwrap());
    let deleted = world.inspector.delete_all("q", Collection::Pending).watch(move |_| {
        // As many as were deleted come again.
        for number in 0..500 {
            let message = crate::wire::TaskMessage {
                id: format!("new{number}-{}", fastrand::u64(..)),
                queue: queue.as_str().to_owned(),
                ..crate::wire::TaskMessage::default()
            };
            let placement = crate::broker::Placement::Pending;
            let task = crate::broker::NewTask {
                message,
                placement,
                unique_ttl: 0,
                unique_until: UniqueUntil::Success,
            };
            let stored = futures_util::FutureExt::now_or_never(broker.enqueue(&[task]));
            assert!(stored.is_some());
        }
        ControlFlow::Continue(())
    });
    assert_eq!(deleted.await.unwrap().changed, 600);
}

#[tokio::test]
async fn an_edit_changes_what_it_names() {
    let world = world();
    world.enqueue("a", |options| options.header("k", "1").header("gone", "x").max_retry(7)).await;
    let edit = TaskEdit::new()
        .payload("new")
        .header("k", "2")
        .without_header("gone")
        .max_retry(3)
        .timeout(Duration::from_millis(1_500))
        .retention(Duration::from_secs(60))
        .process_in(Duration::from_secs(90));
    let info = world.inspector.edit("q", "a", edit).await.unwrap();
    assert_eq!((info.payload.as_ref(), info.max_retry), (b"new".as_slice(), 3));
    assert_eq!(info.headers, [("k".to_owned(), "2".to_owned())].into());
    assert_eq!((info.timeout, info.retention), (Duration::from_secs(1), Duration::from_secs(60)));
    assert_eq!((info.state, info.task_type.as_str()), (TaskState::Scheduled, "t"));
    let due = world.clock.now() + Duration::from_secs(90);
    assert_eq!(info.next_process_at, Some(due));

    let later = due + Duration::from_secs(5);
    let info = world.inspector.reschedule("q", "a", later).await.unwrap();
    assert_eq!((info.next_process_at, info.payload.as_ref()), (Some(later), b"new".as_slice()));
}

#[tokio::test]
async fn b27_an_edit_of_a_payload_that_was_replaced_is_refused() {
    let world = world();
    world.enqueue("a", |options| options.process_in(Duration::from_secs(60))).await;
    let read = world.inspector.task("q", "a").await.unwrap().info.payload;
    world.inspector.update_payload("q", "a", "somebody else's").await.unwrap();
    let mine = TaskEdit::new().payload("made out of the old one").only_if_payload(read);
    let refused = world.inspector.edit("q", "a", mine).await.unwrap_err();
    assert_eq!(refused.to_string(), "task `a` in queue `q` was changed meanwhile: read it again");
    assert_eq!(world.inspector.task("q", "a").await.unwrap().info.payload, "somebody else's");
}

#[tokio::test]
async fn moves_a_task_of_every_state() {
    let world = world();
    world.enqueue("done", |options| options.retention(Duration::from_secs(60))).await;
    let now = world.clock.unix_seconds();
    world
        .run_one(|message| {
            let message = crate::wire::TaskMessage { completed_at: now, ..message };
            let result = Some(Bytes::from_static(b"result"));
            Some(Transition::Complete { message, until: now + 60, result })
        })
        .await;
    world.enqueue("failed", |options| options).await;
    world.run_one(|message| Some(Transition::Retry { message, at: now + 30, is_failure: true })).await;
    world.enqueue("dead", |options| options).await;
    world
        .run_one(|message| Some(Transition::Archive { message: Some(message), unique_key: String::new() }))
        .await;
    world.enqueue("ready", |options| options).await;
    world.enqueue("later", |options| options.process_in(Duration::from_secs(90))).await;

    for id in ["done", "failed", "dead", "ready", "later"] {
        let before = world.inspector.task("q", id).await.unwrap();
        let moved = world.inspector.move_task("q", id, "other").await.unwrap();
        assert_eq!(world.state("q", id).await, None, "{id}");
        let after = world.inspector.task("other", id).await.unwrap();
        assert_eq!(after.info, moved);
        let mut expected = before.info.clone();
        expected.queue = QueueName::new("other").unwrap();
        assert_eq!(moved, expected, "{id}");
        assert_eq!(after.message.queue, "other");
    }
}

#[tokio::test]
async fn a_lock_moves_with_its_task() {
    let world = world();
    world.enqueue("a", |options| options.unique(Duration::from_secs(60))).await;
    world.inspector.move_task("q", "a", "other").await.unwrap();
    let lock = world.inspector.task("other", "a").await.unwrap().lock.unwrap();
    assert!(lock.key.starts_with("asynq:{other}:unique:t:"), "{lock:?}");
    assert_eq!((lock.holder.as_deref(), lock.expires_in), (Some("a"), Some(Duration::from_secs(60))));
    world.enqueue("b", |options| options.unique(Duration::from_secs(60))).await;
    let again = Task::new("t", "payload of a").unwrap();
    let again = again.options(TaskOptions::new().queue("other").unique(Duration::from_secs(60)));
    assert!(matches!(world.client.enqueue(again).await, Err(Error::DuplicateTask { .. })));
}

#[tokio::test]
async fn a_move_that_is_refused_leaves_the_task_as_it_was() {
    let world = world();
    world.enqueue("a", |options| options).await;
    world.enqueue("s", |options| options.process_in(Duration::from_secs(90))).await;
    for id in ["a", "s"] {
        let other = Task::new("t", "another").unwrap().options(TaskOptions::new().queue("other").task_id(id));
        world.client.enqueue(other).await.unwrap();
        let before = world.inspector.task("q", id).await.unwrap().info;
        let refused = world.inspector.move_task("q", id, "other").await.unwrap_err();
        assert!(matches!(&refused, Error::TaskIdConflict { queue, .. } if *queue == "other"), "{refused}");
        assert_eq!(world.inspector.task("q", id).await.unwrap().info, before);
        assert_eq!(world.inspector.task("other", id).await.unwrap().info.payload, "another");
    }
    world.enqueue("active", |options| options).await;
    world.inspector.delete("q", "a").await.unwrap();
    world.run_one(|_| None).await;
    let refused = world.inspector.move_task("q", "active", "third").await.unwrap_err();
    assert!(matches!(refused, Error::WrongState { state: TaskState::Active, .. }), "{refused}");
    assert_eq!(world.state("third", "active").await, None);
}

#[tokio::test]
async fn a_move_that_was_cut_off_is_ended_by_the_next() {
    let world = world();
    world.enqueue("a", |options| options).await;
    let (from, id) = (QueueName::new("q").unwrap(), TaskId::new("a").unwrap());
    let before = world.inspector.task("q", "a").await.unwrap();
    // As far as the first step: out of reach, but neither lost nor anywhere else.
    let due = Some(world.clock.unix_seconds() + 3_600);
    let aside = Edit { expected: before.message_bytes, message: None, due };
    world.broker.edit(&from, &id, &aside).await.unwrap();
    // And the second: it stands in both queues.
    let moved = world.inspector.move_task("q", "a", "other").await.unwrap();
    assert_eq!(moved.state, TaskState::Scheduled, "an hour late at most");
    world.inspector.run("other", "a").await.unwrap();
    let copy = world.inspector.task("other", "a").await.unwrap().message;
    let back = crate::broker::Adoption {
        message: crate::wire::TaskMessage { queue: "q".to_owned(), ..copy },
        state: TaskState::Scheduled,
        score: world.clock.unix_seconds() + 3_600,
        fields: std::collections::BTreeMap::new(),
        unique_ttl: 0,
        unique_until: UniqueUntil::Success,
        replace: false,
    };
    world.broker.adopt(&back).await.unwrap();
    let moved = world.inspector.move_task("q", "a", "other").await.unwrap();
    assert_eq!((moved.state, world.state("q", "a").await), (TaskState::Pending, None));
}

#[tokio::test]
async fn a_group_is_changed_as_any_collection() {
    let world = world();
    for id in ["a", "b", "c"] {
        world.enqueue(id, |options| options.group("g")).await;
    }
    assert_eq!(world.inspector.groups("q").await.unwrap()[0].size, 3);
    world.inspector.archive("q", "a").await.unwrap();
    assert_eq!(world.inspector.run_all("q", group()).await.unwrap().changed, 2);
    assert!(world.inspector.groups("q").await.unwrap().is_empty());
    assert_eq!(world.inspector.queue_info("q").await.unwrap().pending, 2);
}

#[tokio::test]
async fn what_is_run_wakes_a_waiting_worker() {
    let world = world();
    world.enqueue("a", |options| options.process_in(Duration::from_secs(60))).await;
    let mut waiter = world.broker.waiter(&[QueueName::new("q").unwrap()]);
    let (waited, ran) = tokio::join!(waiter.wait(&[]), world.inspector.run("q", "a"));
    waited.unwrap();
    ran.unwrap();
    assert_eq!(
        world
            .broker
            .change(&QueueName::new("q").unwrap(), &TaskId::new("a").unwrap(), Change::Run)
            .await
            .unwrap(),
        crate::broker::Changed::Refused(TaskState::Pending)
    );
}

#[test]
fn b25_options_that_cannot_be_read_are_shown_as_text() {
    let texts =
        ["MaxRetry(3)", "no parenthesis", "Queue(\"a)b\")", "TaskID(\"x\")", "Odd(1)", "Timeout(soon)"];
    let entry = SchedulerEntry {
        enqueue_options: texts.map(str::to_owned).into(),
        prev_enqueue_time: Some(WireTimestamp::never()),
        ..SchedulerEntry::default()
    };
    let shown = ScheduledEntry::from(entry);
    assert_eq!(
        shown.options,
        [EnqueueOption::MaxRetry(3), EnqueueOption::Queue("a)b".into()), EnqueueOption::TaskId("x".into())]
    );
    assert_eq!(shown.unreadable_options, ["no parenthesis", "Odd(1)", "Timeout(soon)"]);
    assert_eq!((shown.next.map(jiff::Timestamp::as_second), shown.prev), (Some(0), None), "as Go reads them");
}

#[tokio::test]
async fn servers_are_shown_with_what_they_run() {
    let world = world();
    let info = crate::wire::ServerInfo {
        server_id: "s".to_owned(),
        status: "active".to_owned(),
        queues: [("q".to_owned(), 3)].into(),
        start_time: Some(WireTimestamp::from(world.clock.now())),
        ..crate::wire::ServerInfo::default()
    };
    let worker = crate::wire::WorkerInfo {
        server_id: "s".to_owned(),
        task_id: "a".to_owned(),
        deadline: Some(WireTimestamp::never()),
        ..crate::wire::WorkerInfo::default()
    };
    world.broker.write_server_state(&info, &[worker], Duration::from_secs(10)).await.unwrap();
    let servers: Vec<ServerStatus> = world.inspector.servers().await.unwrap();
    let [server] = servers.as_slice() else { panic!("{servers:?}") };
    assert_eq!((server.id.as_str(), server.status.as_str(), server.queues["q"]), ("s", "active", 3));
    assert_eq!(server.started, Some(world.clock.now()));
    assert_eq!((server.running[0].id.as_str(), server.running[0].deadline), ("a", None));
    world.clock.advance(Duration::from_secs(20));
    assert!(world.inspector.servers().await.unwrap().is_empty());
    assert_eq!(world.inspector.remove_stale_processes().await.unwrap(), 2);
}

/// All parts of a search, one after the other; each cursor goes through its text.
async fn parts(inspector: &Inspector, search: &Search) -> Vec<SearchPart> {
    let mut parts = vec![inspector.search(search).await.unwrap()];
    while let Some(next) = &parts.last().unwrap().next {
        let next: SearchCursor = next.to_string().parse().unwrap();
        parts.push(inspector.search(&search.clone().from(next)).await.unwrap());
        assert!(parts.len() < 1_000, "it goes on and on");
    }
    parts
}

fn ids(parts: &[SearchPart]) -> Vec<&str> {
    parts.iter().flat_map(|part| &part.tasks).map(|task| task.id.as_str()).collect()
}

#[tokio::test]
async fn a_search_in_parts_finds_each_task_once() {
    let world = world();
    world.pending((0..7).map(|n| format!("p{n}"))).await;
    for n in 0..5 {
        let due = Duration::from_secs(60 + n);
        world.enqueue(&format!("s{n}"), |options| options.process_in(due)).await;
    }
    for group in ["a.b", "ü"] {
        for n in 0..3 {
            world.enqueue(&format!("{group}{n}"), |options| options.group(group)).await;
        }
    }
    world.enqueue("far", |options| options.queue("another.queue")).await;

    let whole = |limit| Search::new(Selection::new().limit(limit));
    let expected = "far p0 p1 p2 p3 p4 p5 p6 s0 s1 s2 s3 s4 a.b0 a.b1 a.b2 ü0 ü1 ü2";
    let backward = "far p6 p5 p4 p3 p2 p1 p0 s4 s3 s2 s1 s0 a.b2 a.b1 a.b0 ü2 ü1 ü0";
    for limit in [1, 2, 3, 5, 7, 19, 100] {
        assert_eq!(ids(&parts(&world.inspector, &whole(limit)).await).join(" "), expected, "{limit}");
        let reversed = parts(&world.inspector, &whole(limit).last_first()).await;
        assert_eq!(ids(&reversed).join(" "), backward, "{limit}");
    }
    // Every task is looked at once, however small the budget.
    let even = Selection::new().queue("q").filter("id:?2,?4".parse().unwrap());
    for budget in [1, 2, 5, 100] {
        for search in [Search::new(even.clone()), Search::new(even.clone()).last_first()] {
            let found = parts(&world.inspector, &search.budget(budget)).await;
            let mut all = ids(&found);
            all.sort_unstable();
            assert_eq!(all, ["p2", "p4", "s2", "s4", "ü2"], "{budget}");
            assert!(found.iter().all(|part| part.scanned <= budget));
            assert_eq!(found.iter().map(|part| part.scanned).sum::<usize>(), 18);
        }
    }
    let grouped = Selection::new().queue("q").state(TaskState::Aggregating).group("ü");
    assert_eq!(ids(&parts(&world.inspector, &Search::new(grouped)).await), ["ü0", "ü1", "ü2"]);
}

#[tokio::test]
async fn a_search_bears_that_tasks_leave_and_refuses_foreign_cursors() {
    let world = world();
    world.pending((0..9).map(|n| format!("p{n}"))).await;
    let search = Search::new(Selection::new().queue("q").limit(4)).last_first();
    let first = world.inspector.search(&search).await.unwrap();
    assert_eq!(ids(std::slice::from_ref(&first)), ["p8", "p7", "p6", "p5"]);
    for n in 0..6 {
        world.inspector.delete("q", format!("p{n}")).await.unwrap();
    }
    let rest = parts(&world.inspector, &search.from(first.next.unwrap())).await;
    assert_eq!(ids(&rest), ["p8", "p7", "p6"]);

    for text in ["", "1", "1.pending", "1.pending.9.q", "x.pending.1.q", "1.odd.1.q", "1.pending.1.é"] {
        let error = text.parse::<SearchCursor>().unwrap_err().to_string();
        assert!(error.contains("cursor"), "{text}: {error}");
    }
}

#[tokio::test]
async fn an_entry_gives_the_task_that_it_enqueues() {
    let world = world();
    let entry = |options: &[&str]| {
        ScheduledEntry::from(SchedulerEntry {
            id: "e".to_owned(),
            spec: "@daily".to_owned(),
            task_type: "report".to_owned(),
            task_payload: "p".into(),
            enqueue_options: options.iter().map(|&option| option.to_owned()).collect(),
            ..SchedulerEntry::default()
        })
    };
    let full = entry(&[
        "Queue(\"low\")",
        "MaxRetry(3)",
        "Timeout(1m0s)",
        "Retention(1h0m0s)",
        "ProcessIn(2h0m0s)",
        "Unique(1h0m0s)",
    ]);
    assert_eq!((full.queue(), entry(&[]).queue()), ("low", "default"));
    let info = world.client.enqueue(full.task().unwrap()).await.unwrap().into_info();
    assert_eq!((info.queue.as_str(), info.task_type.as_str(), info.max_retry), ("low", "report", 3));
    assert_eq!((info.state, info.retention), (TaskState::Pending, Duration::from_secs(3_600)));
    let twice = world.client.enqueue(full.task().unwrap()).await;
    assert!(matches!(twice, Err(Error::DuplicateTask { .. })), "{twice:?}");

    let other = entry(&["Queue(\"low\")", "Unique(1h0m0s)", "UniqueKey(\"k\")"]);
    assert_eq!(other.unreadable_options.len(), 1);
    world.client.enqueue(other.task().unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_doctor_finds_and_repairs_in_memory_too() {
    let world = world();
    let q = || QueueName::new("q").unwrap();
    let id = |id: &str| TaskId::new(id).unwrap();
    let in_seconds = |seconds| move |options: TaskOptions| options.process_in(Duration::from_secs(seconds));
    world.enqueue("active", |options| options).await;
    world.run_one(|_| None).await;
    for id in ["twice", "odd"] {
        world.enqueue(id, in_seconds(60)).await;
    }
    world.enqueue("unique", |options| options.unique(Duration::from_secs(600))).await;
    world.inspector.pause("q").await.unwrap();
    assert_eq!(world.inspector.examine().await.unwrap().findings, []);

    world.broker.corrupt(Corruption::RemoveLease { queue: q(), id: id("active") });
    world.broker.corrupt(Corruption::AddArchived { queue: q(), id: id("twice"), at: 2_000_000_000 });
    world.broker.corrupt(Corruption::SetField {
        queue: q(),
        id: id("odd"),
        field: "state".to_owned(),
        value: "odd".into(),
    });
    world.broker.corrupt(Corruption::PushPending { queue: q(), id: id("ghost") });
    world.broker.corrupt(Corruption::DeleteTask { queue: q(), id: id("unique") });
    world.broker.corrupt(Corruption::SetField {
        queue: q(),
        id: id("alone"),
        field: "msg".to_owned(),
        value: Bytes::new(),
    });
    world.broker.corrupt(Corruption::ForgetQueue { queue: q() });
    let classes = async || {
        let findings = world.inspector.examine().await.unwrap().findings;
        findings.into_iter().map(|finding| (finding.class, finding.count)).collect::<Vec<_>>()
    };
    let found = [
        (Class::Doubled, 1),
        (Class::Lost, 1),
        (Class::Unleased, 1),
        (Class::UnlistedQueue, 1),
        (Class::Ghost, 2),
        (Class::Misplaced, 1),
        (Class::StaleLock, 1),
    ];
    assert_eq!(classes().await, found);
    for (class, count) in found {
        assert_eq!(world.inspector.repair(class).await.unwrap().mended, count, "{class}");
    }
    assert_eq!(classes().await, []);
    world.clock.advance(Duration::from_secs(100));
    assert_eq!(classes().await, [(Class::Orphaned, 1)]);
    assert_eq!(world.inspector.repair(Class::Orphaned).await.unwrap().mended, 1);
    assert_eq!(world.state("q", "active").await, Some(TaskState::Pending));
}

/// All lines of an export.
async fn exported(inspector: &Inspector) -> Vec<String> {
    let mut export = inspector.export(Selection::new()).await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = export.next().await {
        lines.push(line.unwrap());
    }
    lines
}

#[tokio::test]
async fn what_is_wrong_with_a_line_is_told_with_its_place_and_stores_nothing() {
    let (here, there) = (world(), world());
    here.enqueue("a", |options| options.unique(Duration::from_secs(600))).await;
    here.enqueue("b", |options| options.process_in(Duration::from_secs(60))).await;
    let lines = exported(&here.inspector).await;
    let [header, a, b, end] = lines.as_slice() else { panic!("{lines:#?}") };
    for (wrong, told) in [
        ("{}".to_owned(), "line 1, column 1: this is no export of asynq"),
        (header.replace(":1,", ":2,"), "line 1, column 1: the export has version 2"),
        (header.replace("key_prefix", "key"), "line 1, column "),
    ] {
        let refused = there.inspector.import(OnConflict::Fail).line(wrong.as_bytes()).await.unwrap_err();
        assert!(refused.to_string().starts_with(told), "{refused}");
    }
    let (cut, _) = a.split_at(a.len() - 9);
    for (wrong, told) in [
        (cut.to_owned(), format!("line 3, column {}: EOF while parsing", cut.len())),
        (
            a.replace("\"pending\"", "\"pensive\""),
            "line 3, column 1: unknown task state \"pensive\"".to_owned(),
        ),
        (a.replace("\"pending\"", "\"aggregating\""), "line 3, column 1: the task is aggregating".to_owned()),
        (a.replace("\"payload\"", "\"pyload\""), "line 3, column ".to_owned()),
        (a.replace("\"payload of a\"", "{\"base64\":\"-\"}"), "line 3, column ".to_owned()),
        (a.replace("\"id\":\"a\"", "\"id\":\"\""), "line 3".to_owned()),
        (end.replace(['1', '2'], "7"), "line 3, column 1: the export had 7 tasks, and 1 came".to_owned()),
    ] {
        let mut import = there.inspector.import(OnConflict::Fail);
        import.line(header.as_bytes()).await.unwrap();
        import.line(b.as_bytes()).await.unwrap();
        let refused = import.line(wrong.as_bytes()).await.unwrap_err();
        assert!(refused.to_string().starts_with(&told), "{refused}");
        assert!(import.end().unwrap_err().to_string().contains("cut off"));
        assert_eq!(there.state("q", "a").await, None);
        there.inspector.delete("q", "b").await.unwrap();
    }
}

#[tokio::test]
async fn conflicts_are_refused_skipped_or_replaced() {
    let (here, there) = (world(), world());
    here.enqueue("a", |options| options.unique(Duration::from_secs(600))).await;
    let lines = exported(&here.inspector).await;
    let import = async |import: Import| {
        let mut import = import;
        let mut last = Ok(Imported::Nothing);
        for line in &lines[..2] {
            last = import.line(line.as_bytes()).await;
        }
        last
    };
    let with = |on_conflict| there.inspector.import(on_conflict);
    assert_eq!(import(with(OnConflict::Fail).dry_run()).await.unwrap(), Imported::Stored);
    assert_eq!(there.state("q", "a").await, None, "that was a try");
    assert_eq!(import(with(OnConflict::Fail)).await.unwrap(), Imported::Stored);
    for import_of in [|import: Import| import, Import::dry_run] {
        let refused = import(import_of(with(OnConflict::Fail))).await.unwrap_err();
        assert!(
            matches!(
                refused,
                ImportError::Refused {
                    line: 2,
                    source: Error::DuplicateTask { .. } | Error::TaskIdConflict { .. }
                }
            ),
            "{refused:?}"
        );
        assert_eq!(import(import_of(with(OnConflict::Skip))).await.unwrap(), Imported::Skipped);
        assert_eq!(import(import_of(with(OnConflict::Replace))).await.unwrap(), Imported::Stored);
    }
    there.run_one(|_| None).await;
    assert!(import(with(OnConflict::Replace)).await.is_err(), "it is being run");

    // Into other queues the lock goes along, under its name there.
    let elsewhere = QueueName::new("elsewhere").unwrap();
    import(with(OnConflict::Fail).into_queue(elsewhere)).await.unwrap();
    import(with(OnConflict::Fail).queue_prefix("old-")).await.unwrap();
    for queue in ["elsewhere", "old-q"] {
        let lock = there.inspector.task(queue, "a").await.unwrap().lock.unwrap();
        assert!(lock.key.starts_with(&format!("asynq:{{{queue}}}:unique:")), "{lock:?}");
        assert_eq!(lock.holder.as_deref(), Some("a"));
    }
}

#[tokio::test]
async fn a_copy_is_the_same_work_anew() {
    let world = world();
    let unique = |options: TaskOptions| options.unique(Duration::from_secs(60)).header("a", "b").max_retry(3);
    world.enqueue("u", unique).await;
    world.inspector.archive("q", "u").await.unwrap();
    let copy = world.inspector.copy_task("q", "u", None).await.unwrap();
    let stored = world.inspector.task("q", &copy.id).await.unwrap();
    assert_eq!((&stored.info.payload, stored.info.max_retry), (&copy.payload, 3));
    assert_eq!(
        (stored.info.state, stored.lock, stored.info.headers["a"].as_str()),
        (TaskState::Pending, None, "b")
    );
    assert_eq!(world.state("q", "u").await, Some(TaskState::Archived), "the first stays");

    // Copies are found as well, and are not copied once more.
    let done = world.inspector.apply_to(Selection::new(), Action::Copy(None)).await.unwrap();
    assert_eq!((done.changed, world.inspector.queue_info("q").await.unwrap().pending), (2, 3));
    let away = world.inspector.copy_task("q", "u", Some("other")).await.unwrap();
    assert_eq!(world.state("other", away.id.as_str()).await, Some(TaskState::Pending));
    let gone = world.inspector.copy_task("q", "none", None).await.unwrap_err();
    assert!(matches!(gone, Error::TaskNotFound { .. }), "{gone}");
}

#[tokio::test]
async fn what_becomes_of_tasks_is_told_by_looking_again() {
    let world = world();
    world.pending(["a", "b", "c"].map(str::to_owned)).await;
    let mut tasks = world.inspector.watch(Selection::new().queue("q"));
    let mut failed = world.inspector.watch(Selection::new().filter("state:archived".parse().unwrap()));
    let told = async |watch: &mut super::TaskWatch| {
        let changes = watch.look().await.unwrap();
        changes.into_iter().map(|change| (change.id.to_string(), change.from, change.to)).collect::<Vec<_>>()
    };
    assert_eq!((told(&mut tasks).await, told(&mut failed).await), (vec![], vec![]));
    world.inspector.archive("q", "a").await.unwrap();
    world.inspector.delete("q", "b").await.unwrap();
    world.pending(["d".to_owned()]).await;
    let (pending, archived) = (Some(TaskState::Pending), Some(TaskState::Archived));
    let changes = [("a", pending, archived), ("b", pending, None), ("d", None, pending)];
    assert_eq!(told(&mut tasks).await, changes.map(|(id, from, to)| (id.to_owned(), from, to)));
    assert_eq!(told(&mut failed).await, [("a".to_owned(), None, archived)]);
    world.inspector.run("q", "a").await.unwrap();
    assert_eq!(told(&mut failed).await, [("a".to_owned(), archived, pending)], "it does not fit any more");
    assert_eq!(told(&mut failed).await, []);
}

/// Whatever the queues and states, and whether there is room for all: every task has its turn once, and one that is
/// there already has none.
#[tokio::test]
async fn of_a_move_every_task_has_its_turn_once() {
    for seed in 0..60 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let world = world();
        let mut wanted = Vec::new();
        for _ in 0..rng.usize(1..80) {
            let (queue, id) = (["a", "b", "c"][rng.usize(..3)], format!("t{}", rng.usize(..50)));
            let options = TaskOptions::new().queue(queue).task_id(&id);
            let later = if rng.bool() { options.process_in(Duration::from_secs(60)) } else { options };
            let enqueued = world.client.enqueue(Task::new("t", "").unwrap().options(later)).await;
            if enqueued.is_err() {
                continue;
            }
            if rng.u8(..4) == 0 {
                world.inspector.archive(queue, &id).await.unwrap();
            }
            wanted.extend((queue != "b").then(|| (queue.to_owned(), id)));
        }
        let to_b = Action::Move("b".to_owned());
        let mut found = world.inspector.find(Selection::new().allowing(&to_b)).await.unwrap();
        let mut fitting = 0;
        while let Some(task) = found.next().await {
            task.unwrap();
            fitting += 1;
        }
        let (tell, told) = std::sync::mpsc::channel();
        let change = world.inspector.apply_to(Selection::new(), to_b).watch(move |task, _| {
            tell.send((task.queue.to_string(), task.id.to_string())).unwrap();
            ControlFlow::Continue(())
        });
        let done = change.await.unwrap();
        let mut met: Vec<(String, String)> = told.iter().collect();
        met.sort();
        wanted.sort();
        assert_eq!(met, wanted, "seed {seed}");
        assert_eq!((done.changed + done.failed, fitting), (wanted.len(), wanted.len()), "seed {seed}");
        let left = world.inspector.find(Selection::new().queue("a").queue("c")).await;
        if let Ok(mut left) = left {
            let mut count = 0;
            while let Some(task) = left.next().await {
                assert!(
                    world.inspector.task("b", &task.unwrap().id).await.is_ok(),
                    "it had no room: seed {seed}"
                );
                count += 1;
            }
            assert_eq!(count, done.failed, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn an_import_keeps_the_order_in_which_tasks_run() {
    let (here, there) = (world(), world());
    for n in 0..300 {
        let queue = ["a", "b"][n % 2];
        let options = TaskOptions::new().queue(queue).task_id(format!("t{n}"));
        let later = if n % 5 == 0 { options.process_in(Duration::from_secs(60)) } else { options };
        here.client.enqueue(Task::new("t", "").unwrap().options(later)).await.unwrap();
    }
    let mut export = here.inspector.export(Selection::new()).await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = export.next().await {
        lines.push(line.unwrap());
    }
    let mut import = there.inspector.import(OnConflict::Fail);
    for part in lines.chunks(64) {
        let imported = import.lines(part).await;
        assert!(imported.error.is_none(), "{imported:?}");
    }
    import.end().unwrap();
    there.broker.dump().assert_same(&here.broker.dump(), "the same tasks in the same order");

    // A task that comes twice is stored once, and what comes after an error is not begun.
    let twice = [&lines[0], &lines[1], &lines[1], &lines[2]];
    let mut import = world().inspector.import(OnConflict::Skip);
    let imported = import.lines(twice).await;
    assert_eq!((imported.stored, imported.skipped, imported.error.is_none()), (2, 1, true));
    let fresh = world();
    let mut import = fresh.inspector.import(OnConflict::Fail);
    let imported = import.lines(twice).await;
    assert_eq!((imported.stored, imported.error.map(|error| error.line())), (1, Some(3)));
    let mut import = fresh.inspector.import(OnConflict::Fail);
    let imported = import.lines([lines[0].as_str(), &lines[5], "{", &lines[6]]).await;
    assert_eq!((imported.stored, imported.error.map(|error| error.line())), (1, Some(3)));
}

#[tokio::test]
async fn tasks_are_counted_by_type_and_kind_of_error() {
    let world = world();
    let fail = async |id: &str, error: &str| {
        world.enqueue(id, |options| options.max_retry(0)).await;
        world.clock.advance(Duration::from_secs(1));
        let now = world.clock.now().as_second();
        world
            .run_one(|message| {
                let message =
                    crate::wire::TaskMessage { error_msg: error.to_owned(), last_failed_at: now, ..message };
                Some(Transition::Archive { message: Some(message), unique_key: String::new() })
            })
            .await;
    };
    for n in 0..5 {
        fail(&format!("a{n}"), &format!("no user {n}\nand a stack")).await;
    }
    fail("b", "timeout").await;
    fail("c", "timeout of 7s").await;
    world.enqueue("fine", |options| options).await;

    let tally = async |selection: Selection, limit| {
        world.inspector.tally(&selection, limit, Duration::MAX).await.unwrap()
    };
    let all = tally(Selection::new(), usize::MAX).await;
    assert_eq!((all.scanned, all.is_complete), (8, true));
    assert_eq!(all.types["t"], [(TaskState::Pending, 1), (TaskState::Archived, 7)].into());
    let counts: Vec<_> = all.errors.iter().map(|error| (error.kind.as_str(), error.tasks)).collect();
    assert_eq!(counts, [("no user *", 5), ("timeout", 1), ("timeout of *s", 1)]);
    let first = &all.errors[0];
    assert_eq!(
        (&first.types, first.example.as_str()),
        (&[("t".to_owned(), 5)].into(), "no user 4\nand a stack")
    );
    assert_eq!(first.last_failed_at, Some("2033-05-18T12:00:05Z".parse().unwrap()));
    for error in &all.errors {
        let fitting = tally(Selection::new().filter(error.kind.filter().parse().unwrap()), usize::MAX).await;
        let kinds: Vec<_> = fitting.errors.iter().map(|found| (&found.kind, found.tasks)).collect();
        assert_eq!(kinds, [(&error.kind, error.tasks)], "its filter finds just these");
    }

    let part = tally(Selection::new().state(TaskState::Archived), 3).await;
    assert_eq!((part.scanned, part.is_complete), (3, false));
    assert_eq!(part.errors.len(), 3, "the latest first: {:?}", part.errors);
}

#[tokio::test]
async fn a_search_through_empty_queues_ends_in_time_and_goes_on() {
    let world = world();
    for n in 0..20 {
        let options = TaskOptions::new().queue(format!("q{n:02}")).task_id("a");
        world.client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
    }
    world.inspector.archive("q19", "a").await.unwrap();
    for last_first in [false, true] {
        let mut search = Search::new(Selection::new().state(TaskState::Archived)).time(Duration::ZERO);
        if last_first {
            search = search.last_first();
        }
        let (mut parts, mut found) = (0, Vec::new());
        loop {
            let part = world.inspector.search(&search).await.unwrap();
            found.extend(part.tasks.into_iter().map(|task| task.queue.to_string()));
            parts += 1;
            let Some(next) = part.next else { break };
            search = search.from(next.to_string().parse().unwrap());
        }
        assert_eq!(
            (found, parts),
            (vec!["q19".to_owned()], 20),
            "one queue for each part, for there is no time"
        );
    }
}
