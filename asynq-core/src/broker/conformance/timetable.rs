//! Schedules that are stored.

use bytes::Bytes;

use super::suite::case_list;
use super::world::World;
use crate::broker::{TIMETABLE_LIMIT, TimetableChange, TimetableRows};

case_list! { "timetable":
    there_is_none_at_first,
    keeps_what_was_written_by_name,
    changes_only_what_is_expected,
    tells_only_what_has_changed,
    a_row_that_was_deleted_is_gone,
    keeps_only_so_many,
    disturbs_nothing_else,
}

async fn change(world: &World, name: &str, expected: &str, new: &str) -> TimetableChange {
    let text = |text: &str| (!text.is_empty()).then(|| Bytes::copy_from_slice(text.as_bytes()));
    let (expected, new) = (text(expected), text(new));
    let changed = world.broker.change_timetable(name, expected.as_ref(), new.as_ref()).await;
    changed.expect("the store answers")
}

async fn rows(world: &World) -> TimetableRows {
    world.broker.timetable(None).await.expect("the store answers").expect("none was seen")
}

async fn row(world: &World, name: &str) -> Option<Bytes> {
    world.broker.timetable_row(name).await.expect("the store answers")
}

async fn there_is_none_at_first(world: World) {
    assert_eq!(rows(&world).await, TimetableRows::default());
    assert_eq!(world.broker.timetable(Some(0)).await.expect("the store answers"), None);
    assert_eq!(row(&world, "a").await, None);
    assert!(world.dump().await.entries.is_empty(), "to look changes nothing");
}

async fn keeps_what_was_written_by_name(world: World) {
    let odd = "é😀 \n\0'\"{}[],:* ";
    for name in ["b", "a", odd] {
        assert_eq!(change(&world, name, "", odd).await, TimetableChange::Applied);
    }
    let read = rows(&world).await;
    assert_eq!(read.changes, 3);
    let names: Vec<_> = read.rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", odd]);
    assert!(read.rows.iter().all(|(_, text)| text == odd));
    assert_eq!(row(&world, odd).await.as_deref(), Some(odd.as_bytes()));
    let dump = world.dump().await;
    assert_eq!(dump.string("asynq:x:{timetable}:changes").as_deref(), Some("3"));
    assert_eq!(dump.hash("asynq:x:{timetable}")["a"], odd);
    assert_eq!(dump.expires_at("asynq:x:{timetable}"), None, "it stays");
}

async fn changes_only_what_is_expected(world: World) {
    assert_eq!(change(&world, "a", "1", "2").await, TimetableChange::Differs);
    assert_eq!(change(&world, "a", "1", "").await, TimetableChange::Differs);
    assert_eq!(change(&world, "a", "", "1").await, TimetableChange::Applied);
    assert_eq!(change(&world, "a", "", "2").await, TimetableChange::Differs);
    assert_eq!(change(&world, "a", "2", "3").await, TimetableChange::Differs);
    assert_eq!(row(&world, "a").await.as_deref(), Some(&b"1"[..]));
    assert_eq!(rows(&world).await.changes, 1, "what is refused is no change");
    assert_eq!(change(&world, "a", "1", "2").await, TimetableChange::Applied);
    assert_eq!(row(&world, "a").await.as_deref(), Some(&b"2"[..]));
}

async fn tells_only_what_has_changed(world: World) {
    change(&world, "a", "", "1").await;
    let seen = rows(&world).await.changes;
    assert_eq!(world.broker.timetable(Some(seen)).await.expect("the store answers"), None);
    change(&world, "b", "", "1").await;
    let read = world.broker.timetable(Some(seen)).await.expect("the store answers").expect("it has changed");
    assert_eq!(read.rows.len(), 2);
    assert_ne!(read.changes, seen);
}

async fn a_row_that_was_deleted_is_gone(world: World) {
    change(&world, "a", "", "1").await;
    assert_eq!(change(&world, "a", "1", "").await, TimetableChange::Applied);
    assert_eq!(row(&world, "a").await, None);
    assert_eq!(rows(&world).await, TimetableRows { changes: 2, rows: Vec::new() });
    assert_eq!(change(&world, "a", "", "1").await, TimetableChange::Applied);
}

async fn keeps_only_so_many(world: World) {
    for n in 0..TIMETABLE_LIMIT {
        assert_eq!(change(&world, &n.to_string(), "", "1").await, TimetableChange::Applied);
    }
    assert_eq!(change(&world, "one more", "", "1").await, TimetableChange::Full);
    assert_eq!(change(&world, "0", "1", "2").await, TimetableChange::Applied);
    assert_eq!(change(&world, "0", "2", "").await, TimetableChange::Applied);
    assert_eq!(change(&world, "one more", "", "1").await, TimetableChange::Applied);
}

async fn disturbs_nothing_else(world: World) {
    world.store_pending(&["a"]).await;
    change(&world, "a", "", "1").await;
    let info = world.broker.queue_info(&world.queue).await.expect("the store answers");
    assert_eq!((info.size(), info.pending), (1, 1));
    assert_eq!(world.broker.queues().await.expect("the store answers"), ["q"]);
    assert!(world.broker.scheduler_entries().await.expect("the store answers").is_empty());
}
