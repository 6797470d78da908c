//! What the dashboard does: actions, stale answers, Redis away, copying, editing.

use std::collections::BTreeSet;
use std::time::Duration;

use asynq_core::scheduler::StoredSchedules;
use asynq_core::task::TaskState;

use super::desk::{CAREFUL, Desk, key};
use super::world;
use crate::commands::dash::event::{Answer, Browsed, Event, Found, Trouble};
use crate::commands::dash::keys::BINDINGS;
use crate::commands::dash::model::Options;
use crate::commands::dash::request::{Request, Slot};
use crate::commands::dash::view;

const SIZE: (u16, u16) = (100, 30);

async fn desk(options: Options) -> Desk {
    Desk::new(world::full().await, options, SIZE).await
}

async fn state(desk: &Desk, queue: &str, id: &str) -> Option<TaskState> {
    desk.inspector.task(queue, id).await.ok().map(|task| task.info.state)
}

#[tokio::test]
async fn a_change_is_asked_for_and_told() {
    let mut desk = desk(CAREFUL).await;
    desk.press("j Enter → j x x K").await;
    assert_eq!(desk.foot(), "archive 2 tasks?  y yes  n no");
    desk.press("n").await;
    assert_eq!(state(&desk, "mail", "binary").await, Some(TaskState::Pending));
    desk.press("K y").await;
    assert_eq!(desk.foot(), "2 archived");
    assert_eq!(state(&desk, "mail", "binary").await, Some(TaskState::Archived));
    assert!(desk.screen().contains("pending:1  "), "{}", desk.screen());

    // In the task that is open; and what its state does not allow is not asked for.
    desk.press("→ → → → g Enter R y").await;
    assert_eq!(desk.foot(), "1 made pending");
    desk.press("C").await;
    assert!(desk.foot().contains("cancel: not possible"), "{}", desk.foot());
    desk.press("Esc 4 Tab C y").await;
    assert_eq!(desk.foot(), "1 asked to cancel");
}

#[tokio::test]
async fn all_that_fit_are_counted_and_changed() {
    let mut desk = desk(CAREFUL).await;
    desk.press("3 / \"queue:mail_-id:binary Enter * D").await;
    assert_eq!(desk.foot(), "delete all 5 tasks that fit?  y yes  n no", "the active one is left out");
    desk.press("y").await;
    assert_eq!(desk.foot(), "5 deleted");
    assert_eq!(state(&desk, "mail", "running").await, Some(TaskState::Active));
    assert_eq!(state(&desk, "mail", "done").await, None);
    assert_eq!(desk.inspector.queue_info("mail").await.unwrap().size(), 2);
}

#[tokio::test]
async fn queues_are_paused_and_deleted() {
    let mut desk = desk(CAREFUL).await;
    desk.press("x x P").await;
    assert_eq!(desk.foot(), "pause 2 queues?  y yes  n no");
    desk.press("y").await;
    assert!(desk.inspector.queue_info("low").await.unwrap().is_paused());
    desk.press("g P y").await;
    assert!(!desk.inspector.queue_info("low").await.unwrap().is_paused());
    desk.press("g D \"lo Enter").await;
    assert_eq!(desk.foot(), "that is not its name; nothing was deleted");
    desk.press("D \"low Enter").await;
    assert_eq!(desk.foot(), "1 deleted");
    assert!(desk.inspector.queue_info("low").await.is_err());
}

#[tokio::test]
async fn nothing_is_asked_with_yes_and_nothing_changes_when_read_only() {
    let mut bold = desk(Options { yes: true, ..CAREFUL }).await;
    bold.press("j Enter → K").await;
    assert_eq!(bold.foot(), "1 archived");
    let mut reader = desk(Options { read_only: true, ..CAREFUL }).await;
    let before = reader.screen();
    for binding in BINDINGS.iter().filter(|binding| binding.changes) {
        reader.press(binding.keys[0]).await;
        assert!(reader.model.line.is_none() && reader.asked.is_empty());
    }
    assert_eq!(reader.screen(), before);
    reader.press("?").await;
    assert!(!reader.screen().contains("archive tasks"));
}

#[tokio::test]
async fn a_payload_is_edited_and_nobody_elses_change_is_lost() {
    let mut desk = desk(CAREFUL).await;
    desk.press("j Enter ← ← ← E").await;
    let Some(Request::Edit { queue, id, payload }) = desk.asked.pop() else { panic!("an editor is wanted") };
    assert_eq!((id.as_str(), payload.as_slice()), ("given-up", &b"{}"[..]));
    let edited = |old: &[u8]| Event::Edited {
        queue: queue.clone(),
        id: id.clone(),
        old: old.to_vec(),
        new: Ok(b"{\"a\":1}".to_vec()),
    };
    desk.happen(edited(b"other")).await;
    desk.press("y").await;
    assert!(desk.foot().contains("1 failed"), "{}", desk.foot());
    desk.happen(edited(&payload)).await;
    assert_eq!(desk.foot(), "replace the payload of given-up: 2 bytes become 7?  y yes  n no");
    desk.press("y").await;
    assert_eq!(desk.inspector.task("mail", "given-up").await.unwrap().info.payload, "{\"a\":1}");
    desk.press("Esc Enter E").await;
    assert!(desk.foot().contains("not possible"), "an active task: {}", desk.foot());
}

#[tokio::test]
async fn an_answer_that_is_not_waited_for_is_dropped() {
    let mut desk = desk(CAREFUL).await;
    desk.press("7").await;
    let late = |number| Answer {
        number,
        slot: Slot::Screen,
        took: Duration::ZERO,
        found: Ok(Found::Redis([("old".to_owned(), "news".to_owned())].into_iter().collect())),
    };
    for number in 0..5 {
        desk.happen(Event::Answer(late(number))).await;
    }
    assert!(desk.model.redis.info.is_empty());
}

#[tokio::test]
async fn redis_goes_away_and_comes_back() {
    let mut desk = desk(CAREFUL).await;
    let shown = desk.screen();
    let now = desk.now();
    desk.model.update(Event::Key(key("r")), now);
    let failed = Answer {
        number: desk.model.awaited(Slot::Screen).unwrap(),
        slot: Slot::Screen,
        took: Duration::ZERO,
        found: Err(Trouble::Away("connection refused".to_owned())),
    };
    desk.model.update(Event::Answer(failed), now);
    let screen = desk.screen();
    assert!(screen.contains("Redis does not answer, since") && screen.contains("mail"), "{screen}");
    desk.wait(Duration::from_secs(2)).await;
    assert_eq!(desk.screen().lines().nth(1), shown.lines().nth(1));
}

#[tokio::test]
async fn a_frozen_screen_stays_and_pace_is_set() {
    let mut desk = desk(CAREFUL).await;
    desk.press("Z").await;
    let frozen = desk.screen();
    assert!(frozen.contains("FROZEN"));
    desk.inspector.force_delete_queue("low").await.unwrap();
    desk.wait(Duration::from_secs(60)).await;
    assert_eq!(desk.screen(), frozen);
    desk.press("Z + +").await;
    assert!(desk.screen().contains("every 4s") && !desk.screen().contains("low"), "{}", desk.screen());
    desk.press("- - - - -").await;
    assert!(desk.screen().contains("every 1s"));
}

#[tokio::test]
async fn names_are_copied_and_the_palette_finds_queues() {
    let mut desk = desk(CAREFUL).await;
    desk.press(": \"queue_mail Enter → y").await;
    let copied =
        desk.asked.iter().any(|request| matches!(request, Request::Copy(id) if id.starts_with("0198")));
    assert!(copied, "{:?}", desk.asked);
    desk.press("Ctrl+Z Ctrl+L Ctrl+C").await;
    assert!(
        matches!(desk.asked[1..], [Request::Suspend, Request::Redraw, Request::Quit]),
        "{:?}",
        desk.asked
    );
}

#[tokio::test]
async fn pages_are_turned_and_a_last_page_that_is_full_is_the_last() {
    let client = world::empty();
    let rows = 17;
    for n in 0..rows * 2 {
        world::enqueue(&client, "q", &format!("t{n:02}"), b"{}", asynq_core::task::TaskOptions::new()).await;
    }
    let mut desk = Desk::new(client, CAREFUL, (80, 26)).await;
    desk.press("Enter →").await;
    assert_eq!(desk.model.list_height(), rows);
    assert!(desk.screen().contains("page 1: 1–17 of 34  n: next page"), "{}", desk.screen());
    desk.press("n n n").await;
    assert!(desk.screen().contains("page 2: 18–34 of 34  p: page before\n"), "{}", desk.screen());
    // The same where a search has to find them.
    desk.press("/ \"type:email:* Enter n n").await;
    assert!(desk.screen().contains("t17") && desk.model.tasks.page == 2, "{}", desk.screen());
    // A page whose tasks are gone gives way to the one before.
    desk.press("Esc n A K y").await;
    assert!(desk.model.tasks.page == 1 && desk.screen().contains("t16"), "{}", desk.screen());
}

#[tokio::test]
async fn the_help_has_every_key() {
    let mut desk = desk(CAREFUL).await;
    desk.press("?").await;
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        seen.extend(desk.screen().lines().map(str::to_owned));
        desk.press("j").await;
    }
    let all: Vec<_> = seen.into_iter().collect();
    for binding in BINDINGS {
        for key in binding.keys {
            let is_told = all.iter().any(|line| line.split(' ').any(|word| word.trim_matches('│') == *key));
            assert!(is_told, "{key}: {}", binding.help);
        }
    }
}

#[tokio::test]
async fn nothing_is_told_by_color_alone() {
    let mut desk = desk(CAREFUL).await;
    for keys in ["1", "2", "3", "4", "5", "6", "7", "?"] {
        desk.press(keys).await;
        let buffer = desk.buffer(false);
        let plain = |cell: &ratatui::buffer::Cell| {
            cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset
        };
        assert!(buffer.content.iter().all(plain), "{keys}");
    }
}

#[tokio::test]
async fn a_stored_schedule_is_paused_and_resumed_and_one_in_a_program_is_not() {
    let mut desk = desk(CAREFUL).await;
    let schedules = StoredSchedules::new(&desk.client);
    let is_paused = async || schedules.get("bill 7").await.unwrap().paused_since().is_some();
    desk.press("5").await;
    let place = desk.model.schedulers.list.all().iter().position(|row| row.name().is_some()).unwrap();
    for _ in 0..place {
        desk.press("j").await;
    }
    desk.press("P").await;
    assert!(is_paused().await, "it is asked first");
    desk.press("y").await;
    assert!(!is_paused().await);
    desk.press("P y").await;
    assert!(is_paused().await);
    desk.press("g P").await;
    assert!(desk.foot().contains("it is written in a program"), "{}", desk.foot());
}

#[tokio::test]
async fn what_is_under_the_cursor_has_a_page_in_the_web_ui() {
    let mut desk = desk(CAREFUL).await;
    for (keys, page) in [
        ("o", "/queues/low"),
        ("j j o", "/queues/%E3%82%AD%E3%83%A5%E3%83%BC"),
        ("k Enter → j o", "/queues/mail/tasks/binary"),
        ("Enter o", "/queues/mail/tasks/binary"),
        ("Esc / \"id:none Enter o", "/queues/mail?state=pending&filter=id%3Anone"),
        ("4 o", "/servers"),
        ("Tab o", "/queues/mail/tasks/running"),
        ("5 o", "/schedules/entry-2"),
        ("7 o", "/redis"),
        ("1 o", "/"),
    ] {
        desk.press(keys).await;
        let asked = desk.asked.pop();
        assert!(matches!(&asked, Some(Request::Browse(asked)) if asked == page), "{keys}: {page}: {asked:?}");
    }
    desk.happen(Event::Browsed(Browsed::Nowhere)).await;
    assert!(desk.foot().contains("--web-url"), "{}", desk.foot());
    desk.happen(Event::Browsed(Browsed::Copied("http://w/redis".to_owned()))).await;
    let (place, text, address) = view::address(&desk.model).unwrap();
    assert_eq!((place.y, address), (SIZE.1 - 1, "http://w/redis"));
    assert!(desk.foot().contains(&text) && text.contains(address), "{text}");
}
