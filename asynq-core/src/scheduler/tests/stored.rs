//! Schedules in the store, and the schedulers that have them.

use bytes::Bytes;

use super::world::{World, every, pass, periodic, start};
use crate::broker::{Timetable, TimetableChange};
use crate::error::Error;
use crate::scheduler::{CatchUp, PeriodicTask, Scheduler, SchedulerBuilder, StoredSchedule, StoredSchedules};
use crate::task::{Task, TaskOptions};

fn on(world: &World, seconds_ahead: i64) -> SchedulerBuilder {
    Scheduler::builder(&world.ahead(seconds_ahead)).stored_schedules(true)
}

fn stored(world: &World) -> StoredSchedules {
    StoredSchedules::new(&world.client)
}

/// The same, with something in it changed.
fn with(schedule: &StoredSchedule, change: impl FnOnce(&mut StoredSchedule)) -> StoredSchedule {
    let mut changed = schedule.clone();
    change(&mut changed);
    changed
}

/// Writes into the store as somebody by hand does.
async fn write(world: &World, name: &str, text: &str) {
    let changed = world.broker.change_timetable(name, None, Some(&Bytes::from(text.to_owned()))).await;
    assert_eq!(changed.unwrap(), TimetableChange::Applied);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_created_fires_from_its_next_tick_on_in_one_of_many_schedulers() {
    let world = World::new();
    let schedulers = [-20, 0, 20].map(|ahead| start(on(&world, ahead), []));
    pass(10).await;
    stored(&world).create(periodic("@every 10s").name("a")).await.unwrap();
    pass(120).await;
    let mut ticks = world.ticks();
    ticks.sort();
    // By the clock of the one that is ahead.
    assert_eq!(ticks.first().map(String::as_str), Some("2026-01-01T00:00:20Z"));
    assert_eq!(ticks, every(10, "2026-01-01T00:00:20Z", ticks.last().unwrap()), "each once, and no gap");
    assert!(ticks.last().unwrap().as_str() >= "2026-01-01T00:02:30Z");
    // By its clock, what the others publish has expired.
    let published = world.published(&schedulers[2]);
    assert_eq!(published.len(), 1);
    let entry = stored(&world).get("a").await.unwrap().entry_id();
    assert_eq!(published[0].id, entry.as_str());
    assert_eq!(world.events(entry.as_str()), ticks.len());
    for scheduler in schedulers {
        scheduler.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_task_loses_no_tick_and_doubles_none() {
    let world = World::new();
    let schedulers = [0, 3].map(|ahead| start(on(&world, ahead), []));
    let schedules = stored(&world);
    let mut schedule = schedules.create(periodic("@every 1s").name("a")).await.unwrap();
    pass(30).await;
    for n in 0..20 {
        schedule.set_payload(format!("{n}"));
        schedule = schedules.save(schedule).await.unwrap();
        pass(2).await;
    }
    let mut ticks = world.ticks();
    let payloads: Vec<_> = world.tasks().into_iter().map(|task| task.payload).collect();
    assert_eq!(payloads.first().unwrap(), "{}");
    assert_eq!(payloads.last().unwrap(), "19");
    ticks.sort();
    assert_eq!(ticks, every(1, "2026-01-01T00:00:01Z", ticks.last().unwrap()));
    for scheduler in schedulers {
        scheduler.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn other_times_count_from_the_change_on() {
    let world = World::new();
    let scheduler = start(on(&world, 0).catch_up(CatchUp::All(100)), []);
    let schedules = stored(&world);
    let mut schedule = schedules.create(periodic("0 0 * * *").name("a")).await.unwrap();
    pass(3_599).await;
    "* * * * *".clone_into(&mut schedule.spec);
    schedules.save(schedule).await.unwrap();
    pass(120).await;
    assert_eq!(world.ticks(), every(60, "2026-01-01T01:00:00Z", "2026-01-01T01:01:00Z"));
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_one_does_not_fire_and_its_ticks_are_not_made_up() {
    let world = World::new();
    let scheduler = start(on(&world, 0).catch_up(CatchUp::All(100)), []);
    let schedules = stored(&world);
    schedules.create(periodic("* * * * *").name("a")).await.unwrap();
    pass(90).await;
    assert!(schedules.pause("a").await.unwrap());
    assert!(!schedules.pause("a").await.unwrap());
    pass(3_600).await;
    assert_eq!(world.ticks(), ["2026-01-01T00:01:00Z"]);
    assert!(world.published(&scheduler).is_empty());
    assert!(schedules.resume("a").await.unwrap());
    assert!(!schedules.resume("a").await.unwrap());
    pass(60).await;
    assert_eq!(world.ticks(), ["2026-01-01T00:01:00Z", "2026-01-01T01:02:00Z"]);
    schedules.delete("a").await.unwrap();
    pass(600).await;
    assert_eq!(world.ticks().len(), 2);
    assert!(world.published(&scheduler).is_empty());
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn ticks_that_were_missed_are_made_up_as_it_says() {
    let world = World::new();
    let schedules = stored(&world);
    schedules.create(periodic("0 * * * *").name("none")).await.unwrap();
    schedules.create(periodic("0 * * * *").name("last").catch_up(CatchUp::Last)).await.unwrap();
    pass(5 * 3_600 + 60).await;
    let scheduler = start(on(&world, 0), []);
    pass(60).await;
    assert_eq!(world.ticks(), ["2026-01-01T05:00:00Z"]);
    scheduler.shutdown().await;
    // What was deleted and created anew has no past.
    schedules.delete("last").await.unwrap();
    pass(3_600).await;
    schedules.create(periodic("0 * * * *").name("last").catch_up(CatchUp::Last)).await.unwrap();
    let scheduler = start(on(&world, 0), []);
    pass(60).await;
    assert_eq!(world.ticks().len(), 1);
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_one_is_told_and_stops_no_other() {
    let world = World::new();
    write(&world, "not json", "{").await;
    write(&world, "newer", r#"{"version":2,"spec":"* * * * *"}"#).await;
    let scheduler = start(on(&world, 0), []);
    let schedules = stored(&world);
    schedules.create(periodic("* * * * *").name("good")).await.unwrap();
    let good = world.broker.timetable_row("good").await.unwrap().unwrap();
    let good = String::from_utf8(good.to_vec()).unwrap();
    for (name, from, to) in [
        ("spec", "* * * * *", "* * *"),
        ("zone", "UTC", "Utopia"),
        ("option", r#""options":{}"#, r#""options":{"max_retries":3}"#),
        ("type", r#""type":"t""#, r#""type":" ""#),
    ] {
        assert!(good.contains(from), "{good}");
        write(&world, name, &good.replace(from, to)).await;
    }
    pass(61).await;
    assert_eq!(world.ticks(), ["2026-01-01T00:01:00Z"]);
    let found = schedules.list().await.unwrap();
    assert_eq!(found.schedules.len(), 1);
    let told: Vec<_> = found.unreadable.iter().map(|bad| format!("{}: {}", bad.name, bad.reason)).collect();
    for (bad, expected) in told.iter().zip([
        "newer: version: this program reads 1, and 2 is stored",
        "not json: ",
        "option: options.max_retries: unknown field `max_retries`, expected ",
        "spec: invalid schedule `* * *`: ",
        "type: type: ",
        "zone: invalid schedule `* * * * *`: time zone `Utopia` is not ",
    ]) {
        assert!(bad.starts_with(expected), "{bad}");
    }
    assert_eq!(told.len(), 6);
    match schedules.pause("newer").await {
        Err(Error::UnreadableSchedule { name, .. }) => assert_eq!(name, "newer"),
        other => panic!("{other:?}"),
    }
    schedules.delete("newer").await.unwrap();
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_wrote_by_hand_is_seen_after_a_while() {
    let world = World::new();
    let scheduler = start(on(&world, 0), []);
    let schedules = stored(&world);
    schedules.create(periodic("* * * * *").name("a")).await.unwrap();
    pass(60).await;
    world.broker.forget_timetable_row("a");
    pass(100).await;
    assert_eq!(world.ticks().len(), 1);
    assert!(scheduler.entries().is_empty());
    scheduler.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_store_does_not_answer_everything_stays_and_then_goes_on() {
    let world = World::new();
    let scheduler = start(on(&world, 0), []);
    let schedules = stored(&world);
    schedules.create(periodic("* * * * *").name("a")).await.unwrap();
    pass(30).await;
    world.broker.set_away(true);
    pass(20).await;
    assert_eq!(scheduler.entries().len(), 1);
    world.broker.set_away(false);
    pass(100).await;
    assert_eq!(world.ticks(), every(60, "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"));
    scheduler.shutdown().await;
}

#[tokio::test]
async fn a_change_that_another_one_overtook_is_refused() {
    let world = World::new();
    let schedules = stored(&world);
    let first = schedules.create(periodic("* * * * *").name("a")).await.unwrap();
    let second = schedules.get("a").await.unwrap();
    assert_eq!(first, second);
    let saved = schedules.save(with(&second, |it| it.catch_up = Some(CatchUp::Last))).await.unwrap();
    assert_ne!(saved.revision(), first.revision());
    assert_eq!(schedules.get("a").await.unwrap(), saved);
    for other in [first.clone(), with(&first, |it| "@daily".clone_into(&mut it.spec))] {
        match schedules.save(other).await {
            Err(Error::ScheduleChanged { name }) => assert_eq!(name, "a"),
            other => panic!("{other:?}"),
        }
    }
    // A pause is a change, too.
    schedules.pause("a").await.unwrap();
    assert!(matches!(schedules.save(saved).await, Err(Error::ScheduleChanged { .. })));
    schedules.delete("a").await.unwrap();
    assert!(matches!(schedules.save(first).await, Err(Error::ScheduleNotFound { .. })));
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_its_reason() {
    let world = World::new();
    let schedules = stored(&world);
    schedules.create(periodic("@daily").name("there")).await.unwrap();
    let options = |options: TaskOptions| {
        PeriodicTask::new("@daily", Task::new("t", "").unwrap().options(options)).name("a")
    };
    for (task, expected) in [
        (periodic("@daily"), "invalid schedule `@daily`: to be stored, it needs a name"),
        (periodic("@daily").name(" "), "invalid schedule `@daily`: its name must not be blank"),
        (
            periodic("@daily").name("é".repeat(101)),
            "invalid schedule `@daily`: its name is of 202 bytes, and at most 200 are allowed",
        ),
        (periodic("@dayly").name("a"), "invalid schedule `@dayly`: "),
        (
            periodic("@daily").name("a").time_zone("Rome"),
            "invalid schedule `@daily`: time zone `Rome` is not ",
        ),
        (periodic("@daily").name("there"), "schedule already exists: one of the name `there` is stored"),
        (options(TaskOptions::new().queue("")), "invalid option `queue`: "),
        (options(TaskOptions::new().unique_key("k")), "invalid option `unique_key`: needs `unique`"),
        (options(TaskOptions::new().header("asynq-layers", "zstd")), "invalid option `header`: "),
        (
            PeriodicTask::new("@daily", Task::new("t", vec![b'x'; 70_000]).unwrap()).name("a"),
            "invalid schedule `@daily`: it takes 70",
        ),
    ] {
        let error = schedules.create(task).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let there = schedules.get("there").await.unwrap();
    let wrong = with(&there, |it| "* *".clone_into(&mut it.spec));
    assert!(matches!(schedules.save(wrong).await, Err(Error::InvalidSchedule(_))));
    assert_eq!(schedules.list().await.unwrap().schedules.len(), 1);
    for name in ["a", ""] {
        assert!(matches!(schedules.get(name).await, Err(Error::ScheduleNotFound { .. })));
        assert!(matches!(schedules.delete(name).await, Err(Error::ScheduleNotFound { .. })));
    }
}

#[tokio::test]
async fn everything_in_it_is_kept() {
    use std::time::Duration;
    let world = World::new();
    let schedules = stored(&world);
    let options = TaskOptions::new()
        .queue("reports")
        .max_retry(3)
        .timeout(Duration::from_secs(60))
        .deadline("2030-01-01T00:00:00Z".parse().unwrap())
        .unique(Duration::from_secs(600))
        .unique_by(vec![0xff, 0x00])
        .unique_until(crate::task::UniqueUntil::Start)
        .process_in(Duration::from_secs(5))
        .task_id("one")
        .retention(Duration::from_secs(3_600))
        .group("g");
    let task = Task::new("t", vec![0xff, 0xfe]).unwrap().header("tenant", "7").options(options.clone());
    let task =
        PeriodicTask::new("0 9 * * *", task).name("é /?").time_zone("Europe/Rome").catch_up(CatchUp::All(7));
    let created = schedules.create(task).await.unwrap();
    let read = schedules.get("é /?").await.unwrap();
    assert_eq!(read, created);
    assert_eq!((&read.options, read.catch_up), (&options, Some(CatchUp::All(7))));
    assert_eq!(read.headers["tenant"], "7");
    assert_eq!(read.payload().map(|payload| &payload[..]), Some(&[0xff, 0xfe][..]));
    assert_eq!(read.queue().as_str(), "reports");
    assert_eq!(read.whole_spec(), "CRON_TZ=Europe/Rome 0 9 * * *");
    let next = read.next_times("2026-01-01T00:00:00Z".parse().unwrap(), 2);
    assert_eq!(next.map_to_text(), ["2026-01-01T08:00:00Z", "2026-01-02T08:00:00Z"]);
    // One that is enqueued by hand is not put off.
    let task = schedules.task(&read).unwrap();
    assert_eq!((task.options.process, task.options.group.as_deref()), (None, Some("g")));
    let none = PeriodicTask::new("@daily", Task::without_payload("t").unwrap()).name("none");
    schedules.create(none).await.unwrap();
    let none = schedules.get("none").await.unwrap();
    assert_eq!((none.payload(), none.catch_up), (None, None));
}

/// Whatever somebody writes: it is a schedule that can be stored again, or a reason.
#[tokio::test]
async fn nothing_that_is_stored_makes_a_reader_panic() {
    let world = World::new();
    let schedules = stored(&world);
    let options = TaskOptions::new().queue("q").max_retry(3).process_in(std::time::Duration::from_secs(5));
    let task = Task::new("t", vec![0xff]).unwrap().header("a", "b").options(options);
    let task = PeriodicTask::new("0 9 * * mon-fri", task).name("a").catch_up(CatchUp::All(7));
    schedules.create(task.time_zone("Europe/Rome")).await.unwrap();
    let good = world.broker.timetable_row("a").await.unwrap().unwrap();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = good.to_vec();
        for _ in 0..rng.usize(1..4) {
            let place = rng.usize(..bytes.len());
            match rng.u8(..3) {
                0 => bytes[place] = rng.u8(..),
                1 => bytes.truncate(place + 1),
                _ => bytes.insert(place, *rng.choice(b"{}[]\",:0aT-").unwrap()),
            }
        }
        if let Ok(schedule) = StoredSchedule::decode("a", &bytes) {
            read += 1;
            let again = StoredSchedule::decode("a", &schedule.encode().unwrap()).unwrap();
            assert_eq!(with(&again, |it| it.revision = schedule.revision.clone()), schedule);
        }
    }
    assert!((1..20_000).contains(&read), "{read}");
}

trait Texts {
    fn map_to_text(&self) -> Vec<String>;
}

impl Texts for Vec<jiff::Timestamp> {
    fn map_to_text(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[cfg(feature = "encryption")]
#[tokio::test(start_paused = true)]
async fn a_payload_is_encrypted_as_tasks_are() {
    use crate::payload::{Key, Keyring, Payloads};
    let world = World::new();
    let keys = || Keyring::new("k", Key::new([7; 32])).unwrap();
    let with_keys =
        world.client.clone().payloads(Payloads::new().keys(keys()).encrypt_all().only_encrypted());
    let schedules = StoredSchedules::new(&with_keys);
    let scheduler = Scheduler::builder(&with_keys).stored_schedules(true).build().unwrap();
    scheduler.start().unwrap();
    let secret = PeriodicTask::new("* * * * *", Task::new("t", "secret").unwrap()).name("a");
    schedules.create(secret).await.unwrap();
    let row = world.broker.timetable_row("a").await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&row).contains("secret"));
    // Who has no key may change all but the payload; what is not encrypted is not run.
    let without = stored(&world);
    let mut seen = without.get("a").await.unwrap();
    assert!(without.task(&seen).is_err());
    seen.options = TaskOptions::new().max_retry(1);
    without.save(seen.clone()).await.unwrap();
    seen = without.get("a").await.unwrap();
    seen.set_payload("plain");
    assert!(matches!(without.save(seen).await, Err(Error::PayloadNotStored { .. })));
    without.create(periodic("* * * * *").name("plain")).await.unwrap();
    pass(61).await;
    let tasks = world.tasks();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].retry, 1);
    let opened = with_keys.stores_payloads().open(&tasks[0]).unwrap().unwrap();
    assert_eq!(opened.payload, "secret");
    assert!(world.published(&scheduler).iter().all(|entry| entry.task_payload.is_empty()));
    scheduler.shutdown().await;
}
