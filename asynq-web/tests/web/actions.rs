//! What is done by forms, without any script: asked for, confirmed, done.

use asynq_testkit::eventually;
use axum::http::StatusCode;

use crate::site::{ODD, Site, encoded, key, segment};

/// The fields of the form on a page, as a browser would send them.
fn fields(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form class=\"stack").nth(1).unwrap_or_default().split("</form>").next().unwrap();
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            let value = rest.split('"').next().unwrap();
            let value =
                value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            (name.to_owned(), value)
        })
        .collect()
}

/// Asks, looks at the page that asks back, and confirms it.
async fn act(
    site: &Site,
    asked: &[(&str, &str)],
    question: &str,
    more: &[(&str, &str)],
) -> crate::site::Answer {
    let page = site.send("/tasks/confirm", asked).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.text().contains(question), "{}", page.text());
    let fields = fields(&page.text());
    let mut fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.extend(more);
    site.send("/tasks/act", &fields).await
}

#[tokio::test]
async fn every_action_is_asked_for_confirmed_and_done() {
    let site = Site::seeded().await;
    let m1 = key("mail", "m1");
    let done = act(
        &site,
        &[("action", "archive"), ("task", &m1), ("back", "/queues/mail?x=1")],
        "Archive 1 task?",
        &[],
    )
    .await;
    assert_eq!(done.leads_to(), "/queues/mail?x=1&done=archive&n=1");
    assert!(site.page(done.leads_to()).await.contains("1 task archived."));
    assert_eq!(site.state("mail", "m1").await, "archived");

    act(&site, &[("action", "run"), ("task", &m1)], "Run now 1 task?", &[]).await;
    assert_eq!(site.state("mail", "m1").await, "pending");
    act(&site, &[("action", "move"), ("task", &m1)], "Move 1 task?", &[("to", "other")]).await;
    assert_eq!(site.state("other", "m1").await, "pending");
    let odd = key(ODD, ODD);
    act(&site, &[("action", "delete"), ("task", &odd)], "cannot be undone", &[]).await;
    assert_eq!(site.state(ODD, ODD).await, "gone");
}

#[tokio::test]
async fn selected_tasks_all_of_a_state_and_all_that_fit() {
    let site = Site::seeded().await;
    let (m1, m2) = (key("mail", "m1"), key("mail", "m2"));
    let selected = [("action", "archive"), ("task", m1.as_str()), ("task", m2.as_str()), ("filter", "")];
    act(&site, &selected, "Archive 2 tasks?", &[]).await;
    assert_eq!(site.inspector.queue_info("mail").await.unwrap().archived, 3);

    let whole = [("all", "run"), ("queue", "mail"), ("state", "archived"), ("filter", "")];
    act(&site, &whole, "Run now 3 tasks?", &[]).await;
    assert_eq!(site.inspector.queue_info("mail").await.unwrap().archived, 0);

    let fitting = [("all", "delete"), ("queue", ""), ("state", ""), ("filter", "payload.to:bob")];
    act(&site, &fitting, "Delete 1 task?", &[]).await;
    assert_eq!(
        (site.state("mail", "m2").await, site.state("mail", "m1").await),
        ("gone".into(), "pending".into())
    );

    let none =
        site.send("/tasks/confirm", &[("all", "cancel"), ("queue", "mail"), ("state", "pending")]).await;
    assert!(none.text().contains("There is nothing to do"), "{}", none.text());
}

#[tokio::test]
async fn failures_are_listed_on_a_page_of_their_own() {
    let site = Site::seeded().await;
    let (pending, nobody) = (key("mail", "m1"), key("mail", "nobody"));
    let done = act(
        &site,
        &[("action", "run"), ("task", &pending), ("task", &nobody), ("task", &key("mail", "gone"))],
        "Run now 3 tasks?",
        &[],
    )
    .await;
    let path = done.leads_to().to_owned();
    assert!(path.starts_with("/runs/"), "{path}");
    let page = site.page(&path).await;
    assert!(page.contains("done, some failed") && page.contains("nobody"), "{page}");
    assert!(page.contains("it will run as soon as a worker is free"));
    assert!(site.page("/runs").await.contains("3 tasks that were selected"));
}

#[tokio::test]
async fn a_long_change_goes_on_and_can_be_stopped() {
    let site = Site::new();
    for n in 0..3_000 {
        site.enqueue("q", &format!("t{n}"), "{}", |options| options).await;
    }
    let done =
        act(&site, &[("all", "archive"), ("queue", "q"), ("state", "pending")], "Archive 3,000 tasks?", &[])
            .await;
    eventually("all are archived", async || {
        (site.inspector.queue_info("q").await.unwrap().archived == 3_000).then_some(())
    })
    .await;
    if let Some(path) = done.leads_to().strip_prefix("/runs/") {
        let stopped = site.send(&format!("/runs/{}/stop", path.split('?').next().unwrap()), &[]).await;
        assert!(stopped.leads_to().starts_with("/runs/"));
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_and_changes_nothing() {
    let site = Site::seeded().await;
    let m1 = key("mail", "m1");
    for (fields, words) in [
        (&[("action", "archive")][..], "no task is selected"),
        (&[("task", m1.as_str())], "no action is named"),
        (&[("action", "eat"), ("task", m1.as_str())], "`eat` is no action; known are run, archive"),
        (&[("action", "run"), ("task", "mail m1")], "names no task"),
        (&[("all", "run"), ("filter", "tipe:x")], "tipe:x"),
        (&[("all", "run"), ("queue", "nope")], "queue not found"),
        (&[("action", "move"), ("task", m1.as_str())], "the name of the queue is missing"),
    ] {
        let answer = site.send("/tasks/act", fields).await;
        assert!(answer.status.is_client_error(), "{fields:?}: {}", answer.status);
        assert!(answer.text().contains(words), "{fields:?}: {}", answer.text());
    }
    assert_eq!(site.state("mail", "m1").await, "pending");
}

#[tokio::test]
async fn a_queue_is_paused_resumed_and_deleted_by_name() {
    let site = Site::seeded().await;
    let path = format!("/queues/{}", segment(ODD));
    let done = site.send(&format!("{path}/pause"), &[("back", "/")]).await;
    assert_eq!(done.leads_to(), "/?done=pause&n=1");
    assert!(site.inspector.queue_info(ODD).await.unwrap().is_paused());
    site.send(&format!("{path}/resume"), &[("back", "https://evil.example/")]).await.leads_to();
    assert!(!site.inspector.queue_info(ODD).await.unwrap().is_paused());

    assert!(site.page("/queues/mail/delete").await.contains("5 tasks"));
    let wrong = site.send("/queues/mail/delete", &[("force", "1"), ("name", "male")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let full = site.send("/queues/mail/delete", &[("name", "mail")]).await;
    assert_eq!(full.status, StatusCode::CONFLICT);
    site.send("/queues/mail/delete", &[("force", "1"), ("name", "mail")]).await.leads_to();
    assert!(site.inspector.queue_info("mail").await.is_err());
}

#[tokio::test]
async fn a_task_is_enqueued_duplicated_and_edited() {
    let site = Site::seeded().await;
    let form = [
        ("queue", ODD),
        ("type", "email:send"),
        ("payload", "{\r\n\"a\":1.10}"),
        ("format", "json"),
        ("id", "new"),
        ("max_retry", "7"),
        ("timeout", "90s"),
        ("when", "15m"),
        ("retention", "1d"),
        ("headers", "tenant: acme\r\n\r\nx: a:b"),
    ];
    let done = site.send("/enqueue", &form).await;
    assert_eq!(done.leads_to(), format!("/queues/{}/tasks/new?done=enqueue&n=1", segment(ODD)));
    let task = site.inspector.task(ODD, "new").await.unwrap().info;
    assert_eq!(
        (task.payload.as_ref(), task.max_retry, task.timeout.as_secs()),
        (&b"{\n\"a\":1.10}"[..], 7, 90)
    );
    assert_eq!((task.state.as_str(), task.headers["x"].as_str()), ("scheduled", "a:b"));

    let like = site.page(&format!("/enqueue?{}", encoded(&[("like", &key(ODD, "new"))]))).await;
    assert!(like.contains("&quot;a&quot;:1.10") || like.contains("\"a\":1.10"), "{like}");

    let path = format!("/queues/{}/tasks/new/edit", segment(ODD));
    let page = site.page(&path).await;
    let stored = page.split("name=\"stored\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let edit = [
        ("stored", stored.as_str()),
        ("payload", "ff00"),
        ("format", "hex"),
        ("max_retry", "9"),
        ("headers", "x: y"),
    ];
    site.send(&path, &edit).await.leads_to();
    let task = site.inspector.task(ODD, "new").await.unwrap().info;
    assert_eq!((task.payload.as_ref(), task.max_retry, task.headers.len()), (&[0xff, 0][..], 9, 1));
    let late = site.send(&path, &edit).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "somebody else has changed it");

    for (field, value, words) in [
        ("type", "", "type: a name is missing"),
        ("payload", "{", "no JSON"),
        ("timeout", "soon", "timeout: `soon` is no length of time"),
        ("when", "never", "when: `never` is no time"),
        ("max_retry", "-1", "max_retry"),
        ("headers", "odd", "must be a name, a colon and a value"),
        ("id", "new", "task ID conflicts"),
    ] {
        let fields: Vec<_> =
            form.iter().map(|(name, old)| (*name, if *name == field { value } else { *old })).collect();
        let answer = site.send("/enqueue", &fields).await;
        assert!(answer.status.is_client_error(), "{field}");
        assert!(answer.text().contains(words), "{field}: {}", answer.text());
    }
}
