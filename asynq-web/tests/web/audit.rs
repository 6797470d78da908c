//! Every change is noted: who, what, to what, how it ended.

use std::net::SocketAddr;
use std::sync::Arc;

use asynq_core::client::Client;
use asynq_core::inspector::{AuditEntry, Inspector};
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::{RedisServer, eventually};
use asynq_web::{Rights, Visitor, WebUi};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

use crate::site::{Answer, Site, ask, encoded, key};

async fn as_ann(site: &Site, rights: Rights, request: Request<Body>) -> Answer {
    let mut request = request;
    request.extensions_mut().insert(Visitor::new("ann", rights));
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 7))));
    ask(&site.service, request).await
}

fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let request = Request::post(path).header("host", "localhost");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(Body::from(encoded(fields))).unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()
}

async fn noted(inspector: &Inspector) -> Vec<AuditEntry> {
    let all = inspector.changes_noted(None, 1_000, |_| true).await.unwrap();
    all.entries.into_iter().rev().map(|(_, entry)| entry).collect()
}

#[tokio::test]
async fn each_change_is_noted_with_who_and_how_it_ended() {
    let site = Site::seeded().await;
    let (m1, m2) = (key("mail", "m1"), key("mail", "m2"));
    let changes: Vec<(Request<Body>, [&str; 4])> = vec![
        (form("/queues/mail/pause", &[]), ["pause", "mail", "", "done"]),
        (form("/queues/mail/resume", &[]), ["resume", "mail", "", "done"]),
        (
            form("/enqueue", &[("queue", "mail"), ("type", "t"), ("id", "new")]),
            ["enqueue", "mail", "new", "done"],
        ),
        (
            form("/enqueue", &[("queue", "mail"), ("type", "t"), ("id", "new")]),
            ["enqueue", "mail", "", "task_id_conflict"],
        ),
        (form("/queues/mail/delete", &[("name", "mail")]), ["delete_queue", "mail", "", "queue_not_empty"]),
    ];
    let mut expected = Vec::new();
    for (request, told) in changes {
        let answer = as_ann(&site, Rights::admin(), request).await;
        expected.push((told, answer.header("x-request-id").to_owned()));
    }
    let entries = noted(&site.inspector).await;
    assert_eq!(entries.len(), expected.len());
    for (entry, (told, request)) in entries.iter().zip(&expected) {
        let is = [&entry.action, &entry.queue, &entry.subject, &entry.outcome].map(String::as_str);
        assert_eq!(is, *told);
        assert_eq!((entry.actor.as_str(), entry.address.as_str()), ("ann", "192.0.2.7"));
        assert!(!request.is_empty() && entry.request == *request);
        assert_eq!(entry.at, site.clock.now());
    }

    let many = form(
        "/tasks/act",
        &[("action", "archive"), ("task", &m1), ("task", &m2), ("task", &key("mail", "nope"))],
    );
    as_ann(&site, Rights::admin(), many).await;
    let entries = noted(&site.inspector).await;
    let [began, ended] = &entries[expected.len()..] else { panic!("{entries:?}") };
    assert!(began.outcome.starts_with("began as ") && began.subject == "3 tasks that were selected");
    assert_eq!((ended.changed, ended.failed, ended.outcome.as_str()), (2, 1, "done"));
    let fitting = form("/tasks/act", &[("all", "delete"), ("queue", "mail"), ("filter", "id:m1")]);
    as_ann(&site, Rights::admin(), fitting).await;
    let entries = noted(&site.inspector).await;
    let ended = entries.last().unwrap();
    assert_eq!((ended.action.as_str(), ended.queue.as_str(), ended.changed), ("delete", "mail", 1));
    assert_eq!(ended.subject, "All tasks of queue mail and fit the filter id:m1");

    let page = as_ann(&site, Rights::admin(), get("/audit?action=delete")).await.text();
    assert!(
        page.contains("fit the filter id:m1") && page.contains("192.0.2.7") && !page.contains("enqueue</td>"),
        "{page}"
    );
}

#[tokio::test]
async fn what_was_refused_is_no_change() {
    let site = Site::seeded().await;
    for request in [
        form("/queues/mail/pause", &[]),
        form("/tasks/act", &[("action", "run"), ("task", &key("mail", "m1"))]),
    ] {
        assert_eq!(as_ann(&site, Rights::viewer(), request).await.status, StatusCode::FORBIDDEN);
    }
    assert!(noted(&site.inspector).await.is_empty());
    let page = as_ann(&site, Rights::viewer(), get("/")).await.text();
    assert!(!page.contains("Audit"), "it is not offered to who may not see it");
}

#[tokio::test]
async fn changes_in_other_queues_are_not_shown() {
    let site = Site::seeded().await;
    for (queue, subject) in [("mail", "ours"), ("other", "theirs"), ("", "of all")] {
        let entry = AuditEntry { queue: queue.into(), subject: subject.into(), ..AuditEntry::default() };
        site.inspector.note_change(&entry).await.unwrap();
    }
    let page = as_ann(&site, Rights::admin().in_queues(["ma*"]), get("/audit")).await.text();
    assert!(page.contains("ours") && !page.contains("theirs") && !page.contains("of all"), "{page}");
}

#[tokio::test]
async fn a_page_of_many_leads_to_older_ones() {
    let site = Site::new();
    for n in 0..75 {
        let entry = AuditEntry { subject: format!("change{n:02}"), ..AuditEntry::default() };
        site.inspector.note_change(&entry).await.unwrap();
    }
    let (mut path, mut seen) = ("/audit".to_owned(), Vec::new());
    loop {
        let page = as_ann(&site, Rights::admin(), get(&path)).await.text();
        seen.extend(page.split(">change").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()));
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, (0..75).rev().map(|n| format!("{n:02}")).collect::<Vec<_>>());
}

/// A browser that goes away does not keep a change from being made, nor from being noted.
#[tokio::test]
async fn a_change_goes_on_when_who_asked_is_gone() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    for n in 0..2 {
        let options = TaskOptions::new().queue("mail").task_id(format!("m{n}"));
        client.enqueue(Task::new("t", "{}").unwrap().options(options)).await.unwrap();
    }
    let service = WebUi::new(&client).service();
    let mut gone = Box::pin(service.clone().oneshot(form("/queues/mail/pause", &[])));
    assert!(futures_util::poll!(gone.as_mut()).is_pending(), "Redis is asked");
    drop(gone);
    let inspector = Arc::new(Inspector::new(&client));
    eventually("it is noted", async || {
        noted(&inspector).await.iter().any(|entry| entry.action == "pause").then_some(())
    })
    .await;
    assert!(inspector.queue_info("mail").await.unwrap().is_paused());
    assert!(service.oneshot(get("/audit")).await.unwrap().status().is_success());
}

#[tokio::test]
async fn a_change_that_cannot_be_noted_is_made_all_the_same() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    client.enqueue(Task::new("t", "{}").unwrap().options(TaskOptions::new().queue("mail"))).await.unwrap();
    // Something else stands where changes are noted.
    redis.command::<()>(&["SET", "asynq:x:audit", "odd"]).await;
    let service = WebUi::new(&client).service();
    let answer = ask(&service, form("/queues/mail/pause", &[])).await;
    assert!(answer.status.is_redirection(), "{}", answer.text());
    assert!(Inspector::new(&client).queue_info("mail").await.unwrap().is_paused());
}

#[tokio::test]
async fn a_redis_without_streams_keeps_none_and_the_page_says_so() {
    let redis = RedisServer::start_as_of("4.0").await;
    let client = Client::connect(&redis.url()).await.unwrap();
    client.enqueue(Task::new("t", "{}").unwrap().options(TaskOptions::new().queue("mail"))).await.unwrap();
    let service = WebUi::new(&client).service();
    assert!(ask(&service, form("/queues/mail/pause", &[])).await.status.is_redirection());
    assert!(ask(&service, get("/audit")).await.text().contains("older than version 5.0"));
    assert_eq!(ask(&service, get("/api/v1/audit")).await.json()["kept"], false);
}
