//! Which errors there are, of how many tasks, and what is done to all of one kind.

use std::time::Duration;

use asynq_core::broker::{Demand, QueueShare, Settlement, Transition};
use asynq_core::task::{QueueName, Task, TaskOptions};
use serde_json::json;

use crate::api::call;
use crate::site::{Site, segment};

/// Fails the next task of a queue for good.
async fn fail(site: &Site, queue: &str, error: &str) {
    let new = Task::new("email:send", "{}").unwrap().options(TaskOptions::new().queue(queue));
    site.client.enqueue(new).await.unwrap();
    let name = QueueName::new(queue).unwrap();
    let demand = Demand {
        server_id: "s".to_owned(),
        slots: 1,
        queues: vec![QueueShare::new(name.clone(), 1)],
        strict: true,
        ..Demand::none()
    };
    let broker = site.client.broker();
    let leased = broker.exchange(&[], &demand).await.unwrap().leased.pop().unwrap();
    let mut message = leased.message.unwrap();
    error.clone_into(&mut message.error_msg);
    message.last_failed_at = site.clock.now().as_second();
    let settlement = Settlement {
        queue: name,
        id: leased.id,
        run: Some(leased.run),
        lease_until: leased.lease_until,
        transition: Transition::Archive { message: Some(message), unique_key: String::new() },
    };
    broker.exchange(&[settlement], &Demand::none()).await.unwrap();
}

async fn failed() -> Site {
    let site = Site::new();
    for n in 0..3 {
        fail(&site, "mail", &format!("no user \"u{n}\" in 10.0.0.{n}:25")).await;
    }
    fail(&site, "mail", "<b>timeout</b>").await;
    fail(&site, "other", "no user \"x\" in 7").await;
    site.enqueue("mail", "fine", "{}", |options| options).await;
    site
}

#[tokio::test]
async fn errors_are_counted_by_kind_with_the_filter_that_finds_them() {
    let site = failed().await;
    let (_, all) = call(&site, "GET", "/errors", "/errors", None).await;
    assert_eq!((&all["scanned"], &all["complete"], &all["total"]), (&json!(5), &json!(true), &json!(5)));
    let first = &all["items"][0];
    assert_eq!((&first["kind"], &first["tasks"]), (&json!("no user \"*\" in *"), &json!(4)));
    assert_eq!(first["types"], json!({"email:send": 4}));
    let filter = segment(first["filter"].as_str().unwrap());
    let (_, found) = call(&site, "GET", "/tasks", &format!("/tasks?filter={filter}"), None).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 4);
    let (_, of_queue) = call(&site, "GET", "/errors", "/errors?queue=other&state=archived", None).await;
    assert_eq!(of_queue["items"].as_array().unwrap().len(), 1);
    let (_, types) = call(&site, "GET", "/types", "/types?queue=mail", None).await;
    assert_eq!(
        types["items"],
        json!([{"type": "email:send", "tasks": 5, "states": {"pending": 1, "archived": 4}}])
    );
    for (path, code) in [
        ("/errors?state=odd", "invalid"),
        ("/errors?queue=nope", "queue_not_found"),
        ("/errors?q=x", "invalid"),
    ] {
        assert_eq!(call(&site, "GET", "/errors", path, None).await.1["code"], code, "{path}");
    }
}

#[tokio::test]
async fn all_tasks_of_one_kind_are_run_again() {
    let site = failed().await;
    let page = site.page("/errors").await;
    assert!(
        page.contains("no user &quot;*&quot; in *") && page.contains("All 5 tasks were looked at."),
        "{page}"
    );
    assert!(page.contains("&lt;b&gt;timeout") && !page.contains("<b>timeout"));
    for path in ["/", "/queues/mail?state=archived", "/tasks?state=archived"] {
        assert!(site.page(path).await.contains("Top errors"), "{path}");
    }
    assert!(!site.page("/queues/mail").await.contains("Top errors"));

    // As the button in its row asks.
    let filter = "state:retry,archived error_kind:\"no user \\\"*\\\" in *\"";
    assert!(page.contains(&filter.replace('"', "&quot;")), "{page}");
    let fields = [("all", "run"), ("filter", filter), ("back", "/errors")];
    let asked = site.send("/tasks/confirm", &fields).await;
    assert!(asked.text().contains("Run now 4 tasks"), "{}", asked.text());
    let done = site.send("/tasks/act", &fields).await;
    assert_eq!(done.leads_to(), "/errors?done=run&n=4");
    let left = site.inspector.queue_info("mail").await.unwrap();
    assert_eq!((left.pending, left.archived), (4, 1));
    assert_eq!(site.inspector.queue_info("other").await.unwrap().pending, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_told_for_half_a_minute() {
    let site = failed().await;
    let errors =
        async || call(&site, "GET", "/errors", "/errors?queue=mail", None).await.1["scanned"].clone();
    assert_eq!(errors().await, 4);
    fail(&site, "mail", "another").await;
    assert_eq!(errors().await, 4);
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(errors().await, 5);
}
