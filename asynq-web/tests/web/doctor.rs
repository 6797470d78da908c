//! What one must know, what a look at everything finds, and putting it right.

use std::time::Duration;

use asynq_core::task::Task;
use asynq_web::{Right, Rights};
use axum::http::StatusCode;

use crate::site::{Site, as_somebody};

#[tokio::test]
async fn what_one_must_know_is_told_where_it_matters_and_all_in_one_place() {
    let site = Site::new();
    assert!(site.page("/doctor").await.contains("Nothing to worry about"));
    site.seed().await;
    let page = site.page("/doctor").await;
    assert!(page.contains("2 tasks waiting: no server takes from the queue."), "{page}");
    site.inspector.pause("mail").await.unwrap();
    assert!(site.page("/doctor").await.contains("2 tasks waiting: the queue is paused."));
    assert!(site.page("/").await.contains("paused, 2 wait"));

    for n in 0..9_000 {
        site.enqueue("old", &format!("t{n}"), "", |options| options).await;
    }
    let archived =
        site.inspector.archive_all("old", asynq_core::inspector::Collection::Pending).await.unwrap();
    assert_eq!(archived.changed, 9_000);
    assert!(site.page("/doctor").await.contains("The archive holds 9000 tasks"));
    assert!(site.page("/").await.contains("archive full"));
}

#[tokio::test]
async fn a_schedule_that_is_late_is_told() {
    let site = Site::new();
    let (scheduler, _) = site.scheduled("@every 10m", Task::new("report", "{}").unwrap()).await;
    scheduler.shutdown().await;
    let broker = site.client.broker();
    let entry = asynq_core::wire::SchedulerEntry {
        id: "e".to_owned(),
        spec: "@every 1h".to_owned(),
        task_type: "report".to_owned(),
        next_enqueue_time: Some(site.clock.now().into()),
        ..Default::default()
    };
    broker.write_scheduler_entries("s", &[entry], Duration::from_secs(3_600)).await.unwrap();
    assert!(site.page("/doctor").await.contains("Nothing to worry about"));
    site.clock.advance(Duration::from_secs(120));
    assert!(site.page("/doctor").await.contains("It should have fired at 2033-05-18T12:00:00Z."));
    assert!(site.page("/schedules").await.contains(">late</span>"));
}

#[tokio::test]
async fn everything_is_examined_and_put_right_when_that_is_asked_for() {
    let site = Site::seeded().await;
    site.inspector.pause("gone").await.unwrap();
    site.enqueue("gone", "t", "{}", |options| options).await;
    site.inspector.delete("gone", "t").await.unwrap();
    assert!(site.page("/doctor").await.contains("Nobody has looked yet"));
    assert_eq!(site.send("/doctor/examine", &[]).await.leads_to(), "/doctor");
    let page = site.page("/doctor").await;
    assert!(page.contains("6 tasks in 3 queues were looked at"), "{page}");
    let link = "/doctor/repair?class=paused-empty&amp;queue=gone";
    assert!(page.contains("unserved") && page.contains(link), "{page}");

    let question = site.page(&link.replace("&amp;", "&")).await;
    assert!(question.contains("Put right: paused-empty in queue gone?") && question.contains("resumes it"));
    let done = site.send("/doctor/repair", &[("class", "paused-empty"), ("queue", "gone")]).await;
    assert_eq!(done.leads_to(), "/doctor");
    assert!(!site.inspector.queue_info("gone").await.unwrap().is_paused());
    let page = site.page("/doctor").await;
    assert!(page.contains("Put right: 1 of paused-empty.") && !page.contains(link), "{page}");

    for (fields, words) in [
        (&[][..], "class: it is missing"),
        (&[("class", "odd")], "`odd` is no class of findings"),
        (&[("class", "unserved")], "cannot be repaired from here"),
    ] {
        let refused = site.send("/doctor/repair", fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{fields:?}");
        assert!(refused.text().contains(words), "{}", refused.text());
    }
}

#[tokio::test]
async fn who_is_limited_to_some_queues_is_told_of_no_others() {
    let site = Site::seeded().await;
    site.enqueue("other", "o1", "{}", |options| options).await;
    site.send("/doctor/examine", &[]).await.leads_to();
    let limited = || Rights::admin().in_queues(["oth*"]);
    let page = as_somebody(&site, limited(), "GET", "/doctor", "").await.text();
    assert!(page.contains("other") && !page.contains("mail"), "{page}");
    let everywhere = as_somebody(&site, limited(), "POST", "/doctor/repair", "class=stale-lock").await;
    assert_eq!(everywhere.status, StatusCode::FORBIDDEN);
    let page = as_somebody(&site, Rights::admin().without(Right::Repair), "GET", "/doctor", "").await.text();
    assert!(!page.contains("Put right…"), "{page}");
}
