//! One scheduler.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::world::{World, every, pass, periodic, start, task};
use crate::error::Error;
use crate::scheduler::{EntryId, PeriodicTask, Scheduler};
use crate::task::{Task, TaskOptions};
use crate::wire::WireTimestamp;

#[tokio::test(start_paused = true)]
async fn every_tick_of_three_days_is_enqueued_at_its_time() {
    let world = World::new();
    let scheduler = world.started([periodic("0 * * * *")]);
    pass(3 * 86_400).await;
    assert_eq!(world.ticks(), every(3_600, "2026-01-01T01:00:00Z", "2026-01-04T00:00:00Z"));
    assert_eq!(world.events(scheduler.entries()[0].as_str()), 72);
    scheduler.shutdown().await;
    pass(86_400).await;
    assert_eq!(world.tasks().len(), 72);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_enqueued_when_its_tick_is_due_and_not_before() {
    let world = World::at("2026-01-01T00:00:00.25Z");
    let scheduler = world.started([periodic("@every 1m")]);
    tokio::time::sleep(Duration::from_millis(59_700)).await;
    assert!(world.tasks().is_empty());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.ticks(), ["2026-01-01T00:01:00Z"]);
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_clocks_change_and_nine_oclock_stays_nine_oclock() {
    let world = World::at("2026-03-28T00:00:00Z");
    let builder = Scheduler::builder(&world.client).time_zone("Europe/Rome");
    let tasks = [periodic("0 9 * * *"), periodic("30 2 * * *"), periodic("TZ=UTC 0 12 * * *")];
    let scheduler = start(builder, tasks);
    pass(3 * 86_400).await;
    assert_eq!(
        world.ticks(),
        [
            "2026-03-28T01:30:00Z",
            "2026-03-28T08:00:00Z",
            "2026-03-28T12:00:00Z",
            // 02:30 does not exist on the 29th.
            "2026-03-29T07:00:00Z",
            "2026-03-29T12:00:00Z",
            "2026-03-30T00:30:00Z",
            "2026-03-30T07:00:00Z",
            "2026-03-30T12:00:00Z",
        ]
    );
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn entries_come_and_go_while_it_runs() {
    let world = World::new();
    let scheduler = world.started([]);
    pass(90).await;
    let id = scheduler.register(periodic("* * * * *")).unwrap();
    pass(120).await;
    assert_eq!(world.ticks(), ["2026-01-01T00:02:00Z", "2026-01-01T00:03:00Z"]);
    scheduler.unregister(&id).unwrap();
    pass(300).await;
    assert_eq!(world.tasks().len(), 2);
    assert!(matches!(scheduler.unregister(&id), Err(Error::EntryNotFound { .. })));
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn b23_an_entry_that_is_unregistered_leaves_no_history() {
    let world = World::new();
    let scheduler = world.started([periodic("* * * * *")]);
    let id = scheduler.entries()[0].clone();
    pass(120).await;
    assert_eq!(world.events(id.as_str()), 2);
    scheduler.unregister(&id).unwrap();
    pass(1).await;
    assert_eq!(world.events(id.as_str()), 0);
    // The history of one that stays outlives the process, for a time.
    scheduler.register(periodic("* * * * *")).unwrap();
    pass(60).await;
    scheduler.shutdown().await;
    assert_eq!(world.events(id.as_str()), 1);
    pass(91 * 86_400).await;
    assert_eq!(world.events(id.as_str()), 0);
}

#[tokio::test(start_paused = true)]
async fn tools_see_what_is_registered() {
    let world = World::at("2026-01-01T00:00:05Z");
    let options = TaskOptions::new().queue("low").max_retry(3).header("tenant", "7");
    let daily = PeriodicTask::new("TZ=Asia/Tokyo 0 9 * * *", task()).options(|_| options);
    let scheduler = world.started([periodic("@every 6s"), periodic("0 0 30 2 *"), daily]);
    assert!(world.published(&scheduler).is_empty());
    pass(10).await;
    let mut shown = world.published(&scheduler);
    shown.sort_by(|one, other| one.spec.cmp(&other.spec));
    let [never, every, daily] = &shown[..] else { panic!("{shown:?}") };
    let time = |text: &str| Some(WireTimestamp::from(text.parse::<jiff::Timestamp>().unwrap()));
    assert_eq!((&*never.spec, &never.next_enqueue_time), ("0 0 30 2 *", &Some(WireTimestamp::never())));
    assert_eq!((&*every.spec, &*every.task_type, &every.task_payload[..]), ("@every 6s", "t", &b"{}"[..]));
    assert_eq!(every.prev_enqueue_time, time("2026-01-01T00:00:12Z"));
    assert_eq!(every.next_enqueue_time, time("2026-01-01T00:00:18Z"));
    assert_eq!(daily.enqueue_options, ["Queue(\"low\")", "MaxRetry(3)", "Header([\"tenant\",\"7\"])"]);
    assert_eq!(daily.prev_enqueue_time, Some(WireTimestamp::never()));
    assert_eq!(daily.next_enqueue_time, time("2026-01-02T00:00:00Z"));
    scheduler.shutdown().await;
    assert!(world.published(&scheduler).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_tells_its_tick_and_has_an_id_of_its_own() {
    let world = World::new();
    let scheduler = world.started([periodic("* * * * *")]);
    pass(120).await;
    let tasks = world.tasks();
    assert_ne!(tasks[0].id, tasks[1].id);
    assert_eq!(tasks[0].headers["asynq-tick"], "2026-01-01T00:01:00Z");
    assert_eq!(tasks[0].id, scheduler.entries()[0].task_id(1_767_225_660));
    scheduler.shutdown().await;
}

/// What the hooks were told, in words.
type Told = Arc<Mutex<Vec<String>>>;

fn telling(world: &World) -> (Told, Scheduler) {
    let told = Told::default();
    let (before, after) = (Arc::clone(&told), Arc::clone(&told));
    let scheduler = Scheduler::builder(&world.client)
        .before_enqueue(move |firing| before.lock().unwrap().push(format!("before {}", firing.scheduled_for)))
        .after_enqueue(move |firing, result| {
            let result = result.map_or_else(ToString::to_string, |info| info.state.to_string());
            after.lock().unwrap().push(format!("after {}: {result}", firing.scheduled_for));
        })
        .build()
        .unwrap();
    scheduler.start().unwrap();
    (told, scheduler)
}

#[tokio::test(start_paused = true)]
async fn hooks_are_told_of_each_tick() {
    let world = World::new();
    let (told, scheduler) = telling(&world);
    let unique = |options: TaskOptions| options.unique(Duration::from_secs(3_600));
    scheduler.register(periodic("* * * * *").options(unique)).unwrap();
    pass(120).await;
    scheduler.shutdown().await;
    let holder = &world.tasks()[0].id;
    assert_eq!(
        *told.lock().unwrap(),
        [
            "before 2026-01-01T00:01:00Z".to_owned(),
            "after 2026-01-01T00:01:00Z: pending".to_owned(),
            "before 2026-01-01T00:02:00Z".to_owned(),
            format!(
                "after 2026-01-01T00:02:00Z: task already exists: `{holder}` in queue `default` holds the uniqueness \
                 lock"
            ),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_tick_is_tried_until_the_next_one_is_due() {
    let world = World::new();
    let (told, scheduler) = telling(&world);
    scheduler.register(periodic("0 * * * *")).unwrap();
    pass(3_540).await;
    world.broker.set_away(true);
    pass(1_800).await;
    world.broker.set_away(false);
    pass(5).await;
    assert_eq!(world.ticks(), ["2026-01-01T01:00:00Z"], "half an hour late, and not lost");
    pass(1_780).await;
    world.broker.set_away(true);
    pass(3_700).await;
    world.broker.set_away(false);
    pass(5).await;
    assert_eq!(world.ticks(), ["2026-01-01T01:00:00Z", "2026-01-01T03:00:00Z"]);
    scheduler.shutdown().await;
    let told = told.lock().unwrap().clone();
    assert_eq!(
        told,
        [
            "before 2026-01-01T01:00:00Z",
            "after 2026-01-01T01:00:00Z: pending",
            "before 2026-01-01T02:00:00Z",
            "after 2026-01-01T02:00:00Z: broker unavailable during answer",
            "before 2026-01-01T03:00:00Z",
            "after 2026-01-01T03:00:00Z: pending",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn b21_a_hook_that_panics_disturbs_nothing() {
    let world = World::new();
    let builder = Scheduler::builder(&world.client)
        .before_enqueue(|_| panic!("before"))
        .after_enqueue(|_, _| panic!("after"));
    let scheduler = start(builder, [periodic("* * * * *")]);
    pass(180).await;
    assert_eq!(world.tasks().len(), 3);
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn it_starts_once() {
    let world = World::new();
    let scheduler = world.started([]);
    let text = |error: crate::Result<()>| error.unwrap_err().to_string();
    assert_eq!(text(scheduler.start()), "the scheduler is already running");
    scheduler.shutdown().await;
    scheduler.shutdown().await;
    assert_eq!(text(scheduler.start()), "the scheduler has already been stopped");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_not_registered() {
    let world = World::new();
    let scheduler = Scheduler::builder(&world.client).build().unwrap();
    scheduler.register(periodic("@daily")).unwrap();
    let blank = PeriodicTask::new("@daily", task()).options(|options| options.queue(" "));
    for (task, says) in [
        (periodic("@daily"), "this entry is registered already"),
        (periodic("61 * * * *"), "invalid schedule `61 * * * *`: minute `61`: 61 is not between 0 and 59"),
        (periodic("TZ=UTC"), "nothing follows the time zone"),
        (periodic("@daily").time_zone("Nowhere"), "time zone `Nowhere`"),
        (periodic("@daily").name(" "), "its name must not be blank"),
        (blank, "invalid option `queue`"),
    ] {
        let error = scheduler.register(task).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    scheduler.register(periodic("@daily").name("another")).unwrap();
    assert_eq!(scheduler.entries().len(), 2);
    let error = Scheduler::builder(&world.client).time_zone("Nowhere").build().unwrap_err().to_string();
    assert!(error.starts_with("invalid setting `time_zone`: time zone `Nowhere` is not in"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_scheduler_does_nothing_more() {
    let world = World::new();
    drop(world.started([periodic("* * * * *")]));
    pass(300).await;
    assert!(world.tasks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_named_entry_stays_the_same_when_its_task_changes() {
    let world = World::new();
    let scheduler = world.started([periodic("@daily").name("report")]);
    let changed = PeriodicTask::new("@hourly", Task::new("other", "").unwrap()).name("report");
    assert_eq!(scheduler.entries(), [EntryId::named("report")]);
    assert!(scheduler.register(changed).is_err());
    scheduler.shutdown().await;
}
