//! Pages: with data, without, and when something is wrong.

use std::time::Duration;

use asynq_core::scheduler::{PeriodicTask, Scheduler};
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::eventually;
use axum::http::StatusCode;

use crate::site::{ODD, Site, encoded, segment};

#[tokio::test]
async fn every_page_is_there_with_nothing_to_show() {
    let site = Site::new();
    for (path, words) in [
        ("/", "No queue yet"),
        ("/tasks", "No tasks"),
        ("/servers", "No server runs"),
        ("/schedules", "No schedule"),
        ("/redis", "No Redis"),
        ("/doctor", "Nobody has looked yet"),
        ("/runs", "None yet"),
        ("/settings", "Tasks on a page"),
        ("/enqueue", "Enqueue a task"),
    ] {
        let page = site.page(path).await;
        assert!(page.contains(words), "{path}: {page}");
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<main"), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let site = Site::seeded().await;
    for (path, status, words) in [
        ("/nope", 404, "there is nothing at this address"),
        ("/queues/nope", 404, "queue not found: `nope`"),
        ("/queues/mail/tasks/nope", 404, "task not found"),
        ("/schedules/nope", 404, "scheduler entry not found"),
        ("/runs/nope", 404, "no change to many tasks"),
        ("/tasks?state=odd", 400, "unknown task state"),
        ("/tasks?cursor=odd", 400, "cursor"),
        ("/tasks/act", 405, "405"),
        ("/assets/style-0.css", 404, "nothing"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.text().contains(words) && answer.text().contains("<nav"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn queues_are_shown_sorted_and_found_by_name() {
    let site = Site::seeded().await;
    site.inspector.pause("mail").await.unwrap();
    let page = site.page("/").await;
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"), "{page}");
    assert!(page.contains("paused") && page.contains("no worker"));
    let order = |page: &str| page.find("data-key=\"mail\"").unwrap() < page.find("data-key=\"a/b").unwrap();
    assert!(!order(&page));
    assert!(order(&site.page("/?sort=size").await));
    assert!(!order(&site.page("/?sort=size&order=asc").await));
    let found = site.page("/?name=MAI").await;
    assert!(found.contains("data-key=\"mail\"") && !found.contains("data-key=\"a/b"));
    assert!(site.page("/?name=zzz").await.contains("No queue of that name"));
}

#[tokio::test]
async fn tasks_are_listed_by_state_filter_and_page() {
    let site = Site::seeded().await;
    let all = site.page("/queues/mail").await;
    for id in ["m1", "m2", "later", "gone", "g1"] {
        assert!(all.contains(&format!(">{id}</a>")), "{id}");
    }
    let pending = site.page("/queues/mail?state=pending").await;
    assert!(pending.contains(">m1</a>") && !pending.contains(">later</a>"));
    let groups = site.page("/queues/mail?state=aggregating&group=user-7").await;
    assert!(groups.contains(">g1</a>") && groups.contains("user-7"));
    assert!(site.page("/queues/mail?state=completed").await.contains("Nothing is kept"));

    let filtered = format!("/tasks?{}", encoded(&[("filter", "payload.to:bob")]));
    let found = site.page(&filtered).await;
    assert!(found.contains(">m2</a>") && !found.contains(">m1</a>"));
    let columns = site.page("/queues/mail?column=headers&column=retried").await;
    assert!(columns.contains("tenant: acme") && !columns.contains("c-payload"));

    let wrong = site.get("/tasks?filter=tipe:x").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("  tipe:x\n  ^^^^"), "{}", wrong.text());

    for n in 0..95 {
        site.enqueue("many", &format!("t{n:02}"), "{}", |options| options).await;
    }
    let (mut path, mut seen) = ("/queues/many?state=pending".to_owned(), 0);
    loop {
        let page = site.page(&path).await;
        seen += page.matches("name=\"task\"").count();
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, 95);
    let last = site.page("/queues/many?state=pending&order=last").await;
    assert!(last.contains(">t94</a>") && !last.contains(">t00</a>"));
}

#[tokio::test]
async fn a_task_is_shown_whole() {
    let site = Site::seeded().await;
    let page = site.page("/queues/mail/tasks/m1").await;
    assert!(page.contains("12345678901234567890"), "numbers stay exact");
    assert!(site.page("/queues/mail/tasks/m2").await.contains("tenant"));

    let odd = format!("/queues/{0}/tasks/{0}", segment(ODD));
    assert!(site.page(&odd).await.contains("plain"));
    let payload = site.get(&format!("{odd}/payload")).await;
    assert_eq!(payload.body, b"plain");
    assert_eq!(payload.header("content-disposition"), "attachment; filename=\"payload\"");
    assert_eq!(payload.header("content-type"), "application/octet-stream");
    assert_eq!(site.get(&format!("{odd}/result")).await.status, StatusCode::NOT_FOUND);

    site.enqueue("mail", "bytes", [0xff, 0x00, 0x41], |options| options).await;
    assert!(site.page("/queues/mail/tasks/bytes").await.contains("ff 00 41"));
    let long = "x".repeat(5 << 20);
    site.enqueue("mail", "long", long.as_str(), |options| options).await;
    let shown = site.page("/queues/mail/tasks/long").await;
    assert!(shown.len() < 100_000 && shown.contains("Show the whole text"));
    assert!(site.page("/queues/mail/tasks/long?whole=1").await.len() > 5 << 20);
    assert!(site.page("/queues/mail").await.len() < 100_000);
}

#[tokio::test]
async fn names_that_browsers_take_for_folders_are_reached() {
    let site = Site::new();
    for (name, path) in [(".", "~."), ("..", "~.."), ("~", "~~")] {
        site.enqueue(name, name, "{}", |options| options).await;
        assert!(site.page("/").await.contains(&format!("href=\"/queues/{path}\"")), "{name}");
        site.page(&format!("/queues/{path}/tasks/{path}")).await;
    }
}

#[tokio::test]
async fn schedules_are_shown_in_words_and_run_now() {
    let site = Site::new();
    let scheduler = Scheduler::builder(&site.client).build().unwrap();
    let task = Task::new("report", "{}").unwrap().options(TaskOptions::new().queue("reports"));
    scheduler.register(PeriodicTask::new("30 4 * * mon-fri", task)).unwrap();
    scheduler.start().unwrap();
    let entry =
        eventually("the schedule is told", async || site.inspector.scheduler_entries().await.unwrap().pop())
            .await;

    assert!(site.page("/schedules").await.contains("at 04:30, Monday to Friday"));
    let path = format!("/schedules/{}", segment(&entry.id));
    let page = site.page(&path).await;
    assert!(page.contains("Thu 2033-05-19 04:30 UTC") && page.contains("Wed 2033-05-25 04:30 UTC"), "{page}");
    let done = site.send(&format!("{path}/run"), &[]).await;
    assert!(done.leads_to().starts_with("/queues/reports/tasks/"));
    assert_eq!(site.inspector.queue_info("reports").await.unwrap().pending, 1);
    scheduler.shutdown().await;
}

#[tokio::test]
async fn settings_are_kept_in_a_cookie_and_used() {
    let site = Site::seeded().await;
    let saved = site.send("/settings", &[("theme", "dark"), ("times", "utc"), ("size", "10")]).await;
    let cookie = saved.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("asynq_web=dark.utc.10; Path=/;") && cookie.contains("HttpOnly; ")
            || cookie.ends_with("HttpOnly")
    );
    let request = axum::http::Request::get("/queues/mail/tasks/later")
        .header("host", "localhost")
        .header("cookie", "asynq_web=dark.utc.10");
    let page = site.ask(request.body(axum::body::Body::empty()).unwrap()).await.text();
    assert!(
        page.contains("data-theme=\"dark\"") && page.contains(">2033-05-18 13:00:00 UTC</time>"),
        "{page}"
    );
    assert_eq!(site.send("/settings", &[("theme", "pink")]).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn times_are_told_from_now() {
    let site = Site::seeded().await;
    site.clock.advance(Duration::from_secs(600));
    assert!(site.page("/queues/mail/tasks/later").await.contains(">in 50m</time>"));
}
