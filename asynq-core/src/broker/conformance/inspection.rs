//! What stands in a store: queues, lists that change while they are read, single tasks, servers.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::Corruption;
use super::suite::case_list;
use super::world::{
    LOCK, SERVER, World, done, failed, grouped, message, pending, pending_in, queue, scheduled, task_id,
    unique,
};
use crate::broker::{Change, Collection, SCAN_BYTES, Scan, ScanCursor, Transition, Unreadable};
use crate::clock::from_unix_seconds;
use crate::task::{TaskId, TaskState};
use crate::wire::{ServerInfo, TaskMessage, WorkerInfo};

case_list! { "inspection":
    tells_which_queues_there_are,
    counts_what_a_queue_holds,
    an_unknown_queue_is_empty,
    counts_many_queues_at_once,
    tells_how_long_the_oldest_task_waits,
    counts_orphans,
    tells_the_history,
    counts_groups,
    lists_every_collection_in_its_order,
    lists_from_an_offset,
    lists_large_tasks_few_at_a_time,
    lists_what_cannot_be_read,
    an_active_task_without_a_lease_is_an_orphan,
    reads_on_behind_what_was_removed,
    reads_on_in_a_list_that_workers_shorten,
    reads_on_in_a_list_that_grew_at_its_end,
    reads_on_among_equal_scores,
    tells_all_details,
    tells_who_holds_the_lock,
    copies_all_that_is_stored,
    tells_of_servers_and_their_tasks,
    forgets_stale_servers,
    keeps_run_times_for_a_while,
    is_no_cluster,
}

async fn scan(world: &World, collection: &Collection, from: &ScanCursor, limit: usize) -> Scan {
    world.broker.scan(&world.queue, collection, from, limit).await.expect("the store answers")
}

async fn listed(world: &World, collection: Collection) -> Vec<String> {
    let scan = scan(world, &collection, &ScanCursor::default(), 100).await;
    assert!(scan.next.is_none(), "there are not that many");
    let infos = scan.tasks.into_iter().map(|listed| listed.task.expect("a readable task"));
    infos
        .map(|info| {
            assert_eq!((info.state, &info.queue), (collection.state(), &world.queue));
            info.id.as_str().to_owned()
        })
        .collect()
}

async fn tells_which_queues_there_are(world: World) {
    assert!(world.broker.queues().await.expect("the store answers").is_empty());
    world.store(&[pending_in("q2", "a"), pending("b"), pending_in("q1", "c")]).await;
    let queues = world.broker.queues().await.expect("the store answers");
    assert_eq!(queues, ["q", "q1", "q2"].map(queue));
    for (name, exists) in [("q1", true), ("q3", false)] {
        assert_eq!(world.broker.queue_exists(&queue(name)).await.expect("the store answers"), exists);
    }
}

/// One task in each state.
async fn store_one_of_each(world: &World) {
    let now = world.now();
    let retried = world.active("r").await;
    world
        .apply(&retried, Transition::Retry { message: failed(&retried), at: now + 60, is_failure: true })
        .await;
    let archived = world.active("x").await;
    world
        .apply(&archived, Transition::Archive { message: Some(failed(&archived)), unique_key: String::new() })
        .await;
    let completed = world.active("c").await;
    let message = TaskMessage { completed_at: now, retention: 60, ..message("c") };
    world.apply(&completed, Transition::Complete { message, until: now + 60, result: None }).await;
    world.active("a").await;
    world.store(&[pending("p"), scheduled("s", now + 30), grouped("g1"), grouped("g2")]).await;
}

async fn counts_what_a_queue_holds(world: World) {
    store_one_of_each(&world).await;
    let done_one = world.broker.queue_info(&world.queue).await.expect("the store answers");
    let counts = [
        done_one.pending,
        done_one.active,
        done_one.scheduled,
        done_one.retry,
        done_one.archived,
        done_one.completed,
        done_one.aggregating,
        done_one.groups,
        done_one.staged,
        done_one.orphaned,
    ];
    assert_eq!(counts, [1, 1, 1, 1, 1, 1, 2, 1, 0, 0]);
    assert_eq!(done_one.size(), 8);
    let with_groups = world.broker.queue_with_groups(&world.queue).await.expect("the store answers");
    let groups = world.broker.group_sizes(&world.queue).await.expect("the store answers");
    assert_eq!(with_groups, (done_one.clone(), groups));
    for (collection, size) in [
        (Collection::Pending, done_one.pending),
        (Collection::Active, done_one.active),
        (Collection::Scheduled, done_one.scheduled),
        (Collection::Retry, done_one.retry),
        (Collection::Archived, done_one.archived),
        (Collection::Completed, done_one.completed),
        (Collection::Group(with_groups.1[0].group.clone()), done_one.aggregating),
        (Collection::Group("nobody's".to_owned()), 0),
    ] {
        let counted = world.broker.collection_size(&world.queue, &collection).await;
        assert_eq!(counted.expect("the store answers"), size, "{collection:?}");
    }
    assert_eq!((done_one.processed, done_one.failed), (3, 2));
    assert_eq!((done_one.processed_total, done_one.failed_total), (3, 2));
    assert!(done_one.memory_usage.is_some_and(|bytes| bytes > 0));
    assert_eq!(done_one.at, world.clock.now());
    assert_eq!(done_one.paused_since, None);
    world.broker.pause(&world.queue).await.expect("the store answers");
    let paused = world.broker.queue_info(&world.queue).await.expect("the store answers");
    assert_eq!(paused.paused_since, Some(from_unix_seconds(world.now())));
    assert!(paused.is_paused());
}

async fn counts_many_queues_at_once(world: World) {
    store_one_of_each(&world).await;
    let names: Vec<_> = (0..150).map(|n| queue(&format!("q{n}"))).chain([world.queue.clone()]).collect();
    let tasks: Vec<_> = (0..150).map(|n| pending_in(&format!("q{n}"), "a")).collect();
    world.store(&tasks).await;
    world.broker.pause(&names[7]).await.expect("the store answers");
    let counts = world.broker.queue_counts(&names).await.expect("the store answers");
    assert_eq!(counts.iter().map(|info| &info.queue).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    for (info, name) in counts.iter().zip(&names) {
        assert_eq!(info.memory_usage, None);
        let whole = world.broker.queue_info(name).await.expect("the store answers");
        assert_eq!(*info, crate::broker::QueueInfo { memory_usage: None, ..whole }, "{name}");
    }
    assert!(world.broker.queue_counts(&[]).await.expect("the store answers").is_empty());
}

async fn an_unknown_queue_is_empty(world: World) {
    let info = world.broker.queue_info(&queue("nowhere")).await.expect("the store answers");
    assert_eq!((info.size(), info.memory_usage, info.latency), (0, Some(0), Duration::ZERO));
    assert!(world.broker.group_sizes(&queue("nowhere")).await.expect("the store answers").is_empty());
    let scan = world.broker.scan(&queue("nowhere"), &Collection::Retry, &ScanCursor::default(), 5).await;
    assert!(scan.expect("the store answers").tasks.is_empty());
    assert!(world.dump().await.entries.is_empty(), "looking leaves nothing");
}

async fn tells_how_long_the_oldest_task_waits(world: World) {
    let latency = async || world.broker.queue_info(&world.queue).await.expect("the store answers").latency;
    world.store_pending(&["a"]).await;
    world.advance(5).await;
    world.store_pending(&["b"]).await;
    world.advance(2).await;
    assert_eq!(latency().await, Duration::from_secs(7));
    let leased = world.lease_one().await;
    assert_eq!(latency().await, Duration::from_secs(2));
    world.apply(&leased, done()).await;
    world.set_field("b", "pending_since", b"who knows").await;
    assert_eq!(latency().await, Duration::ZERO);
}

async fn counts_orphans(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.lease(3).await;
    let orphaned = async || world.broker.queue_info(&world.queue).await.expect("the store answers").orphaned;
    assert_eq!(orphaned().await, 0);
    world.remove_lease("a").await;
    world.set_lease("b", world.now()).await;
    assert_eq!(orphaned().await, 2);
}

async fn tells_the_history(world: World) {
    let leased = world.active("a").await;
    world.apply(&leased, done()).await;
    world.advance(24 * 3600).await;
    let leased = world.active("b").await;
    world.apply(&leased, Transition::Archive { message: None, unique_key: String::new() }).await;
    let history = world.broker.history(&world.queue, 150).await.expect("the store answers");
    assert_eq!(history.len(), 150);
    let counts: Vec<_> = history.iter().take(3).map(|day| (day.processed, day.failed)).collect();
    assert_eq!(counts, [(1, 1), (1, 0), (0, 0)]);
    assert!(
        history.windows(2).all(|days| days[0].date == days[1].date.tomorrow().expect("not the last day"))
    );
}

async fn counts_groups(world: World) {
    let in_group = |id: &str, group: &str| {
        let mut task = grouped(id);
        group.clone_into(&mut task.message.group_key);
        task
    };
    world.store(&[in_group("a", "h"), in_group("b", "g:1"), in_group("c", "h")]).await;
    let groups = world.broker.group_sizes(&world.queue).await.expect("the store answers");
    let told: Vec<_> = groups.iter().map(|group| (group.group.as_str(), group.size)).collect();
    assert_eq!(told, [("g:1", 1), ("h", 2)]);
}

async fn lists_every_collection_in_its_order(world: World) {
    store_one_of_each(&world).await;
    world.store(&[pending("p2"), scheduled("s2", world.now() + 10)]).await;
    for (collection, ids) in [
        (Collection::Pending, vec!["p", "p2"]),
        (Collection::Active, vec!["a"]),
        (Collection::Scheduled, vec!["s2", "s"]),
        (Collection::Retry, vec!["r"]),
        (Collection::Archived, vec!["x"]),
        (Collection::Completed, vec!["c"]),
        (Collection::Group("g".to_owned()), vec!["g1", "g2"]),
        (Collection::Group("h".to_owned()), vec![]),
    ] {
        assert_eq!(listed(&world, collection.clone()).await, ids, "{collection}");
    }
    let retry = scan(&world, &Collection::Retry, &ScanCursor::default(), 1).await;
    let retry = retry.tasks[0].task.clone().expect("a readable task");
    assert_eq!(retry.next_process_at, Some(from_unix_seconds(world.now() + 60)));
    assert_eq!(retry, world.info("r").await.expect("it is stored"), "as if asked for alone");
}

async fn lists_from_an_offset(world: World) {
    let ids: Vec<String> = (0..7).map(|number| format!("t{number}")).collect();
    world.store(&ids.iter().map(|id| pending(id)).collect::<Vec<_>>()).await;
    world.store(&(0..7).map(|at| scheduled(&format!("s{at}"), at)).collect::<Vec<_>>()).await;
    for (collection, letter) in [(Collection::Pending, "t"), (Collection::Scheduled, "s")] {
        for (offset, expected, goes_on) in [(0, vec![0, 1, 2], true), (6, vec![6], false), (9, vec![], false)]
        {
            let scan = scan(&world, &collection, &ScanCursor::at(offset), 3).await;
            let ids: Vec<_> = scan.tasks.iter().map(|listed| listed.id.as_str().to_owned()).collect();
            let expected: Vec<_> = expected.iter().map(|number| format!("{letter}{number}")).collect();
            assert_eq!((ids, scan.next.is_some()), (expected, goes_on));
        }
    }
}

/// Two of these are more than one answer carries.
static LARGE: [u8; SCAN_BYTES - 1_000] = [0xff; SCAN_BYTES - 1_000];

async fn lists_large_tasks_few_at_a_time(world: World) {
    for (collection, ids) in
        [(Collection::Pending, ["a", "b", "c"]), (Collection::Scheduled, ["s", "t", "u"])]
    {
        let is_pending = collection == Collection::Pending;
        let task = |(at, id): (i64, &&str)| if is_pending { pending(id) } else { scheduled(id, at) };
        world.store(&(0..).zip(&ids).map(task).collect::<Vec<_>>()).await;
        for id in ids {
            world.set_field(id, "msg", &LARGE).await;
        }
        let read = |scan: &Scan| scan.tasks.iter().map(|task| task.id.to_string()).collect::<Vec<_>>();
        let first = scan(&world, &collection, &ScanCursor::default(), 10).await;
        assert_eq!(read(&first), ids[..2]);
        let rest = scan(&world, &collection, &first.next.expect("there are more"), 10).await;
        assert_eq!((read(&rest), rest.next.is_some()), (vec![ids[2].to_owned()], false));
    }
}

async fn lists_what_cannot_be_read(world: World) {
    world.store_pending(&["a", "b", "c", "d"]).await;
    world.delete_task("a").await;
    world.set_field("b", "msg", b"\xff\xff").await;
    world.set_field("c", "state", b"odd").await;
    let scan = scan(&world, &Collection::Pending, &ScanCursor::default(), 10).await;
    let told: Vec<_> = scan.tasks.iter().map(|listed| (listed.id.as_str(), &listed.task)).collect();
    assert!(matches!(told[0], ("a", Err(Unreadable::Missing))), "{told:?}");
    assert!(matches!(told[1], ("b", Err(Unreadable::Message(_)))), "{told:?}");
    assert!(
        matches!(told[2], ("c", Ok(info)) if info.state == TaskState::Pending),
        "where it stands counts: {told:?}"
    );
    assert!(matches!(told[3], ("d", Ok(_))), "{told:?}");
    for (id, missing) in [("a", true), ("b", false), ("c", false)] {
        let detail = world.broker.task_detail(&world.queue, &task_id(id)).await.expect("the store answers");
        assert_eq!(detail.is_none(), missing, "{id}");
        assert!(detail.is_none_or(|detail| detail.is_err()), "{id}");
    }
}

async fn an_active_task_without_a_lease_is_an_orphan(world: World) {
    world.store_pending(&["a", "b", "c"]).await;
    world.lease(3).await;
    world.remove_lease("a").await;
    world.set_lease("b", world.now()).await;
    let scan = scan(&world, &Collection::Active, &ScanCursor::default(), 10).await;
    let orphans: Vec<_> =
        scan.tasks.into_iter().map(|task| task.task.expect("readable").is_orphaned).collect();
    assert_eq!(orphans, [true, true, false]);
}

/// A collection that is read to its end, four tasks at a time.
struct Reading {
    collection: Collection,
    next: Option<ScanCursor>,
    parts: usize,
    seen: Vec<TaskId>,
}

impl Reading {
    fn new(collection: Collection) -> Self {
        Self { collection, next: Some(ScanCursor::default()), parts: 0, seen: Vec::new() }
    }

    /// Reads the next part; `None` after the last.
    async fn part(&mut self, world: &World) -> Option<usize> {
        let cursor = self.next.take()?;
        let scan = scan(world, &self.collection, &cursor, 4).await;
        self.seen.extend(scan.tasks.into_iter().map(|listed| listed.id));
        self.next = scan.next;
        self.parts += 1;
        assert!(self.parts < 1_000, "it comes to an end");
        Some(self.parts)
    }
}

fn ids(letter: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("{letter}{number:03}")).collect()
}

async fn delete(world: &World, id: &str) {
    world.broker.change(&world.queue, &task_id(id), Change::Delete).await.expect("the store answers");
}

async fn reads_on_behind_what_was_removed(world: World) {
    let all = ids("t", 0..40);
    let wanted: Vec<_> = all.iter().map(|id| task_id(id)).collect();
    // Each part is deleted once it was read, half of it or all.
    for step in [2, 1] {
        for (id, at) in all.iter().zip(0..) {
            drop(world.enqueue(scheduled(id, at)).await);
        }
        let mut reading = Reading::new(Collection::Scheduled);
        while let Some(part) = reading.part(&world).await {
            for id in all.iter().skip((part - 1) * 4).take(4).step_by(step) {
                delete(&world, id).await;
            }
        }
        assert_eq!(reading.seen, wanted, "every {step}.");
    }
}

async fn reads_on_in_a_list_that_workers_shorten(world: World) {
    let all = ids("t", 0..40);
    world.store_pending(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut taken = BTreeSet::new();
    let mut reading = Reading::new(Collection::Pending);
    while let Some(part) = reading.part(&world).await {
        // Two at first, then more than were read, which overtakes the reader.
        let count = if part == 3 { 10 } else { 2 };
        let leased = world.exchange(&[], &world.demand(count)).await.leased;
        taken.extend(leased.into_iter().map(|leased| leased.id));
        let arrived = format!("new{part}");
        world.store_pending(&[&arrived]).await;
    }
    for id in all.iter().map(|id| task_id(id)).filter(|id| !taken.contains(id)) {
        assert!(reading.seen.contains(&id), "{id} stayed and was passed over");
    }
}

async fn reads_on_in_a_list_that_grew_at_its_end(world: World) {
    let all = ids("t", 0..40);
    world.store_pending(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut reading = Reading::new(Collection::Pending);
    while let Some(part) = reading.part(&world).await {
        // As tasks that are put back.
        for number in 0..if part < 4 { 6 } else { 0 } {
            let id = task_id(&format!("back{part}-{number}"));
            world.corrupt(Corruption::PushPending { queue: world.queue.clone(), id }).await;
        }
    }
    for id in all {
        assert!(reading.seen.contains(&task_id(&id)), "{id} was passed over");
    }
}

async fn reads_on_among_equal_scores(world: World) {
    let all = ids("t", 0..40);
    world.store(&all.iter().map(|id| scheduled(id, 7)).collect::<Vec<_>>()).await;
    let mut reading = Reading::new(Collection::Scheduled);
    while let Some(part) = reading.part(&world).await {
        for id in all.iter().skip((part - 1) * 4).take(4) {
            delete(&world, id).await;
        }
    }
    assert_eq!(reading.seen, all.iter().map(|id| task_id(id)).collect::<Vec<_>>());
}

async fn tells_all_details(world: World) {
    let since = world.clock.now();
    world.store_pending(&["a"]).await;
    let detail = async |id: &str| {
        let detail = world.broker.task_detail(&world.queue, &task_id(id)).await.expect("the store answers");
        detail.map(|detail| detail.expect("a readable task"))
    };
    let pending = detail("a").await.expect("it is stored");
    assert_eq!((pending.pending_since, pending.lease_until), (Some(since), None));
    assert_eq!(pending.message, message("a"));
    assert_eq!(pending.message_bytes, pending.message.encode());
    assert_eq!((pending.server_id, pending.crashes, pending.lock), (None, 0, None));
    let leased = world.lease_one().await;
    let active = detail("a").await.expect("it is stored");
    assert_eq!(active.info, world.info("a").await.expect("it is stored"));
    assert_eq!(active.lease_until, Some(from_unix_seconds(leased.lease_until)));
    assert_eq!(active.server_id.as_deref(), Some(SERVER));
    world.apply(&leased, Transition::Requeue { crashed: true }).await;
    assert_eq!(detail("a").await.expect("it is stored").crashes, 1);
    world.store(&[grouped("g")]).await;
    assert_eq!(detail("g").await.expect("it is stored").group, "g");
    assert_eq!(detail("nope").await, None);
}

async fn tells_who_holds_the_lock(world: World) {
    world.store(&[unique(pending("a"), 60)]).await;
    let lock = async |id: &str| {
        let detail = world.broker.task_detail(&world.queue, &task_id(id)).await.expect("the store answers");
        detail.expect("it is stored").expect("a readable task").lock.expect("it took a lock")
    };
    let held = lock("a").await;
    assert_eq!((held.key.as_str(), held.holder.as_deref()), (LOCK, Some("a")));
    let left = held.expires_in.expect("it ends").as_secs();
    assert!((55..=60).contains(&left), "{left}");
    world.advance(61).await;
    world.store(&[unique(pending("b"), 60)]).await;
    assert_eq!(lock("a").await.holder.as_deref(), Some("b"));
    world.advance(61).await;
    assert_eq!((lock("a").await.holder, lock("a").await.expires_in), (None, None));
}

fn server(id: &str) -> ServerInfo {
    ServerInfo { host: "host".to_owned(), pid: 17, server_id: id.to_owned(), ..ServerInfo::default() }
}

async fn publish(world: &World, id: &str, tasks: &[&str], seconds: u64) {
    let worker = |task: &&str| WorkerInfo {
        server_id: id.to_owned(),
        task_id: (*task).to_owned(),
        ..WorkerInfo::default()
    };
    let workers: Vec<_> = tasks.iter().map(worker).collect();
    world
        .broker
        .write_server_state(&server(id), &workers, Duration::from_secs(seconds))
        .await
        .expect("the store answers");
}

async fn servers(world: &World) -> Vec<(String, Vec<String>)> {
    let servers = world.broker.servers().await.expect("the store answers");
    servers
        .into_iter()
        .map(|(info, workers)| {
            (info.server_id, workers.into_iter().map(|worker| worker.task_id).collect::<Vec<_>>())
        })
        .collect()
}

async fn copies_all_that_is_stored(world: World) {
    world.store(&[unique(scheduled("s", 77), 60), grouped("g"), pending("p")]).await;
    world.set_field("p", "odd", b"\xff").await;
    let ids = ["s", "g", "p", "none"].map(task_id);
    let copies = world.broker.copies(&world.queue, &ids).await.expect("the store answers");
    let [Some(due), Some(grouped), Some(pending), None] = copies.as_slice() else { panic!("{copies:?}") };
    assert_eq!((due.score, grouped.score, pending.score), (Some(77), Some(world.now()), None));
    let lock = due.lock.as_ref().expect("it holds one");
    assert_eq!(
        (lock.key.as_str(), lock.holder.as_str(), lock.state.as_deref()),
        (LOCK, "s", Some("scheduled"))
    );
    assert_eq!((grouped.lock.as_ref(), pending.lock.as_ref()), (None, None));
    let dump = world.dump().await;
    for (id, copy) in [("s", due), ("g", grouped), ("p", pending)] {
        assert_eq!(copy.fields, dump.hash(&world.keys.task(id)), "{id}");
    }
}

async fn tells_of_servers_and_their_tasks(world: World) {
    assert!(servers(&world).await.is_empty());
    publish(&world, "s-2", &[], 20).await;
    publish(&world, "s-1", &["b", "a"], 60).await;
    let newer = ServerInfo { version: "1.2.3".to_owned(), ..server("s-3") };
    world.broker.write_server_state(&newer, &[], Duration::from_secs(20)).await.expect("the store answers");
    let told = world.broker.servers().await.expect("the store answers");
    assert!(told.iter().any(|(info, _)| *info == newer), "{told:?}");
    world.broker.clear_server_state(&newer).await.expect("the store answers");
    let both = [("s-2".to_owned(), vec![]), ("s-1".to_owned(), vec!["a".to_owned(), "b".to_owned()])];
    assert_eq!(servers(&world).await, both);
    world.advance(30).await;
    assert_eq!(servers(&world).await, both[1..]);
}

async fn forgets_stale_servers(world: World) {
    publish(&world, "s-1", &["a"], 10).await;
    publish(&world, "s-2", &[], 60).await;
    assert_eq!(world.broker.remove_stale_processes().await.expect("the store answers"), 0);
    world.advance(30).await;
    assert_eq!(world.broker.remove_stale_processes().await.expect("the store answers"), 2);
    let dump = world.dump().await;
    for set in ["asynq:servers", "asynq:workers"] {
        assert_eq!(dump.zset(set).len(), 1, "{set}");
    }
}

async fn keeps_run_times_for_a_while(world: World) {
    let write = async |id: &str, times: &'static [u8], seconds| {
        let ttl = Duration::from_secs(seconds);
        let times = Bytes::from_static(times);
        world.broker.write_run_times(&server(id), &times, ttl).await.expect("the store answers");
    };
    let read = async || world.broker.run_times().await.expect("the store answers");
    let told = |id: &str, times: &'static [u8]| (format!("host:17:{id}"), Bytes::from_static(times));
    assert_eq!(read().await, []);
    write("s-1", b"old", 60).await;
    write("s-2", b"\x00\xff", 10).await;
    write("s-1", b"new", 60).await;
    assert_eq!(read().await, [told("s-2", b"\x00\xff"), told("s-1", b"new")]);
    let dump = world.dump().await;
    let (first, second) = ("asynq:x:times:{host:17:s-1}", "asynq:x:times:{host:17:s-2}");
    let (now, set) = (world.now(), dump.zset("asynq:x:times"));
    assert_eq!(set, [(second.to_owned(), now + 10), (first.to_owned(), now + 60)]);
    assert_eq!(dump.entries.len(), 3, "and a server's state is another matter");

    world.advance(30).await;
    assert_eq!(read().await, [told("s-1", b"new")]);
    write("s-3", b"", 20).await;
    let left = world.dump().await.zset("asynq:x:times");
    assert_eq!(left.len(), 2, "the one that is over is forgotten: {left:?}");
    world.advance(60).await;
    assert_eq!(read().await, []);
    assert!(world.dump().await.entries.is_empty(), "nothing stays");
}

async fn is_no_cluster(world: World) {
    assert_eq!(world.broker.cluster_key_slot(&world.queue).await.expect("the store answers"), None);
    assert_eq!(world.broker.cluster_nodes(&world.queue).await.expect("the store answers"), None);
}
