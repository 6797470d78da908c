//! Who changed what, as it is kept.

use jiff::Timestamp;

use super::suite::case_list;
use super::world::World;
use crate::broker::{AUDIT_LIMIT, AuditEntry, AuditId};

case_list! { "audit":
    keeps_the_latest_first,
    reads_on_before_an_entry,
    keeps_what_was_written,
    keeps_only_so_many,
    disturbs_nothing_else,
}

fn entry(subject: &str) -> AuditEntry {
    AuditEntry {
        actor: "ann".to_owned(),
        action: "pause".to_owned(),
        subject: subject.to_owned(),
        ..AuditEntry::default()
    }
}

/// Notes a change; whether this store keeps any.
async fn note(world: &World, entry: &AuditEntry) -> bool {
    world.broker.note_change(entry).await.expect("the store answers")
}

async fn noted(world: &World, before: Option<AuditId>, limit: usize) -> Vec<(AuditId, AuditEntry)> {
    world.broker.changes_noted(before, limit).await.expect("the store answers").expect("it keeps them")
}

async fn keeps_the_latest_first(world: World) {
    if !note(&world, &entry("0")).await {
        assert_eq!(world.broker.changes_noted(None, 10).await.expect("the store answers"), None);
        return;
    }
    for subject in ["1", "2"] {
        assert!(note(&world, &entry(subject)).await);
    }
    let all = noted(&world, None, 10).await;
    let subjects: Vec<_> = all.iter().map(|(_, entry)| entry.subject.as_str()).collect();
    assert_eq!(subjects, ["2", "1", "0"]);
    assert!(all.windows(2).all(|pair| pair[0].0 > pair[1].0), "later ones are greater");
    assert_eq!(noted(&world, None, 2).await, all[..2]);
}

async fn reads_on_before_an_entry(world: World) {
    if !note(&world, &entry("0")).await {
        return;
    }
    for n in 1..7 {
        note(&world, &entry(&n.to_string())).await;
    }
    let all = noted(&world, None, 100).await;
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let part = noted(&world, before, 3).await;
        let Some((last, _)) = part.last() else { break };
        let shown: AuditId = last.to_string().parse().expect("as it is written");
        assert_eq!(shown, *last);
        before = Some(shown);
        read.extend(part);
        // What comes meanwhile disturbs nobody who reads on.
        note(&world, &entry("new")).await;
    }
    assert_eq!(read, all);
    let first: AuditId = "0-0".parse().expect("the first of all");
    assert!(noted(&world, Some(first), 3).await.is_empty());
    for text in ["", "1", "-", "1-x", "x-1"] {
        assert!(text.parse::<AuditId>().is_err(), "{text}");
    }
}

async fn keeps_what_was_written(world: World) {
    let odd = "é😀 \n\0'\"{}[],:* ".repeat(3);
    let whole = AuditEntry {
        at: "2033-05-18T12:00:00.123456789Z".parse::<Timestamp>().expect("a time"),
        actor: odd.clone(),
        action: "archive".to_owned(),
        queue: odd.clone(),
        subject: odd,
        outcome: "done".to_owned(),
        changed: u64::MAX,
        failed: 1,
        address: "2001:db8::1".to_owned(),
        request: "0123456789abcdef".to_owned(),
    };
    if note(&world, &whole).await {
        note(&world, &AuditEntry::default()).await;
        let all = noted(&world, None, 10).await;
        assert_eq!(
            all.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>(),
            [AuditEntry::default(), whole]
        );
    }
}

async fn keeps_only_so_many(world: World) {
    if !note(&world, &entry("first")).await {
        return;
    }
    for n in 0..AUDIT_LIMIT + 200 {
        note(&world, &entry(&n.to_string())).await;
    }
    let all = noted(&world, None, 3 * AUDIT_LIMIT).await;
    assert!((AUDIT_LIMIT..AUDIT_LIMIT + 200).contains(&all.len()), "{}", all.len());
    assert_ne!(all.last().map(|(_, entry)| entry.subject.as_str()), Some("first"));
}

async fn disturbs_nothing_else(world: World) {
    world.store_pending(&["a"]).await;
    note(&world, &entry("0")).await;
    let info = world.broker.queue_info(&world.queue).await.expect("the store answers");
    assert_eq!((info.size(), info.pending), (1, 1));
    assert_eq!(world.broker.queues().await.expect("the store answers"), ["q"]);
}
