//! Charts: what samples and counters say, exactly; who may see what; and nobody costs nothing.

use std::time::Duration;

use asynq_core::router::{Ctx, Router};
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions};
use asynq_web::{Rights, Sampling};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::api::call;
use crate::site::Site;

/// A server on these queues, whose tasks take three seconds, and fail if their payload says so.
async fn server(site: &Site, queues: &[&str]) -> Server {
    let router = Router::new()
        .route("email:send", async |ctx: Ctx| {
            sleep(Duration::from_secs(3)).await;
            if ctx.payload() == &b"fail"[..] { Err("no user 7".to_owned()) } else { Ok(()) }
        })
        .unwrap();
    let queues: Vec<_> = queues.iter().map(|queue| (*queue, 1)).collect();
    Server::builder(&site.client)
        .router(router)
        .queues(queues)
        .concurrency(100)
        .run_times(true)
        .start()
        .await
        .unwrap()
}

async fn work(site: &Site, queue: &str, tasks: usize, failing: usize) {
    for n in 0..tasks {
        let payload = if n < failing { "fail" } else { "" };
        let options = TaskOptions::new().queue(queue).max_retry(0);
        site.client.enqueue(Task::new("email:send", payload).unwrap().options(options)).await.unwrap();
    }
}

async fn series(site: &Site, query: &str) -> Value {
    let (status, answer) = call(site, "GET", "/series", &format!("/series?{query}"), None).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The values of a metric from noon on, in steps of ten seconds.
async fn values(site: &Site, query: &str, seconds: usize) -> Value {
    let to = format!("2033-05-18T12:{:02}:{:02}Z", seconds / 60, seconds % 60);
    let answer = series(site, &format!("{query}&from=2033-05-18T12:00:00Z&to={to}&step=10")).await;
    answer["items"].as_array().unwrap().iter().map(|item| item["value"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn samples_tell_what_was_done_in_each_ten_seconds() {
    let site = Site::in_time(|ui| ui.history(Sampling::Always));
    // Noon: the first request begins it. The samples after are at 12:00:01, :05, :15 and so on.
    site.page("/settings").await;
    sleep(Duration::from_secs(6)).await;
    work(&site, "mail", 6, 2).await;
    work(&site, "other", 1, 0).await;
    let server = server(&site, &["mail", "other"]).await;
    sleep(Duration::from_secs(10)).await;
    work(&site, "idle", 3, 0).await;
    sleep(Duration::from_secs(10)).await;

    assert_eq!(values(&site, "metric=processed", 30).await, json!([0.0, 0.7, 0.0]));
    assert_eq!(values(&site, "metric=processed&queue=mail", 30).await, json!([null, 0.6, 0.0]));
    assert_eq!(values(&site, "metric=failed", 30).await, json!([0.0, 0.2, 0.0]));
    let rate = values(&site, "metric=error_rate&queue=mail", 30).await;
    assert!((rate[1].as_f64().unwrap() - 200.0 / 6.0).abs() < 1e-9 && rate[2].is_null(), "{rate}");
    assert_eq!(values(&site, "metric=archived", 30).await, json!([0.0, 2.0, 2.0]));
    assert_eq!(values(&site, "metric=pending&queue=idle", 30).await, json!([null, null, 3.0]));
    assert_eq!(values(&site, "metric=size", 30).await, json!([0.0, 2.0, 5.0]));
    // At 12:00:25 they had waited for nine seconds.
    assert_eq!(values(&site, "metric=latency&queue=idle", 30).await, json!([null, null, 9.0]));
    assert_eq!(values(&site, "metric=size&queue=nope", 30).await, json!([null, null, null]));

    let page = site.page("/charts").await;
    for words in ["Throughput", "Error rate", "Tasks by state", "Latency", "data-values=", "As a table"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("style="), "the content policy allows none");
    assert!(page.contains("<path class=\"line processed\" d=\"M"), "{page}");
    for (path, words) in [
        ("/", "More charts"),
        ("/queues/mail", "Throughput"),
        ("/charts?queue=mail&range=15m", "aria-current=\"page\">15m"),
    ] {
        assert!(site.page(path).await.contains(words), "{path}");
    }
    assert!(site.page("/").await.contains("class=\"spark\""));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn run_and_wait_times_are_told_by_queue_and_type() {
    let site = Site::in_time(|ui| ui.history(Sampling::Always));
    assert!(site.page("/charts").await.contains("A chart begins with the second sample"));
    sleep(Duration::from_secs(3)).await;
    assert!(site.page("/charts").await.contains("No server has told"));
    work(&site, "mail", 4, 1).await;
    sleep(Duration::from_secs(10)).await;
    let server = server(&site, &["mail"]).await;
    sleep(Duration::from_secs(60)).await;

    let page = site.page("/charts").await;
    assert!(page.contains("Run time") && page.contains("Wait time") && page.contains("By type"), "{page}");
    assert!(page.contains("type=email%3Asend"), "{page}");
    let known = async |query: &str| -> Vec<f64> {
        let answer = series(&site, query).await;
        answer["items"].as_array().unwrap().iter().filter_map(|item| item["value"].as_f64()).collect()
    };
    for (query, from, to) in [
        ("metric=run&quantile=0.5", 2.1, 4.3),
        ("metric=run&queue=mail&type=email:send", 2.1, 4.3),
        ("metric=wait", 7.0, 14.2),
    ] {
        let values = known(query).await;
        assert!(matches!(values[..], [value] if (from..to).contains(&value)), "{query}: {values:?}");
    }
    for query in ["metric=run&queue=other", "metric=run&type=other"] {
        assert_eq!(known(query).await, [0.0; 0], "{query}");
    }
    assert!(site.page("/charts?type=other").await.contains("No server has told"));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_who_looks_costs_nothing() {
    let site = Site::in_time(|ui| ui);
    site.page("/settings").await;
    sleep(Duration::from_secs(30)).await;
    site.page("/charts").await;
    sleep(Duration::from_secs(300)).await;
    let sizes = values(&site, "metric=size", 330).await;
    let known: Vec<usize> = sizes
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_null())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(known, [2, 3, 4, 5, 6, 7, 8], "from the first look on, and for a minute");
    // Whoever looks again sees what comes from then on.
    sleep(Duration::from_secs(20)).await;
    let sizes = values(&site, "metric=size", 350).await;
    assert!(!sizes[33].is_null() && sizes[20].is_null(), "{sizes}");
}

#[tokio::test(start_paused = true)]
async fn who_may_see_some_queues_sees_the_sum_of_those() {
    let site = Site::in_time(|ui| ui.history(Sampling::Always).rights(Rights::viewer().in_queues(["mail*"])));
    site.page("/settings").await;
    sleep(Duration::from_secs(2)).await;
    for (queue, tasks) in [("mail", 2), ("mail-eu", 3), ("secret", 100)] {
        work(&site, queue, tasks, 0).await;
    }
    sleep(Duration::from_secs(4)).await;
    assert_eq!(values(&site, "metric=size", 10).await, json!([5.0]));
    assert_eq!(values(&site, "metric=size&queue=mail", 10).await, json!([2.0]));
    let (status, refused) = call(&site, "GET", "/series", "/series?metric=size&queue=secret", None).await;
    assert_eq!((status, &refused["code"]), (403, &json!("forbidden")));
    for path in ["/charts", "/charts?range=7d", "/errors"] {
        assert!(!site.page(path).await.contains("secret"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn days_come_from_the_counters() {
    let site = Site::in_time(|ui| ui);
    work(&site, "mail", 5, 2).await;
    work(&site, "other", 1, 1).await;
    let server = server(&site, &["mail", "other"]).await;
    sleep(Duration::from_secs(20)).await;
    let (_, sum) = call(&site, "GET", "/history", "/history?days=2", None).await;
    let days = json!([{"date": "2033-05-18", "processed": 6, "failed": 3}, {"date": "2033-05-17", "processed": 0, "failed": 0}]);
    assert_eq!(sum, json!({"items": days, "counted": 2, "queues": 2, "limited": false}));
    let page = site.page("/charts?range=7d&queue=mail").await;
    assert!(page.contains("5 processed, 2 failed") && page.contains("2033-05-12"), "{page}");
    let (status, _) = call(&site, "GET", "/history", "/history?days=0", None).await;
    assert_eq!(status, 400);
    server.shutdown().await;
}

#[tokio::test]
async fn a_wrong_question_is_told_what_is_allowed() {
    let site = Site::seeded().await;
    for (query, words) in [
        ("", "metric: it is missing"),
        ("metric=odd", "must be a state, or one of processed, failed"),
        ("metric=size&type=x", "only the metrics run and wait"),
        ("metric=run&quantile=2", "from 0 to 1"),
        ("metric=size&step=7", "multiple of 10"),
        ("metric=run&step=10", "multiple of 60"),
        ("metric=size&from=2033-05-19T12:00:00Z", "it must be before"),
        ("metric=size&from=2030-05-19T12:00:00Z&step=10", "more than 3000 points"),
        ("metrics=size", "known are: metric, queue"),
    ] {
        let (status, problem) = call(&site, "GET", "/series", &format!("/series?{query}"), None).await;
        assert_eq!(status, 400, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{query}: {problem}");
    }
    assert_eq!(series(&site, "metric=size").await["items"].as_array().unwrap().len(), 120);
}

#[tokio::test(start_paused = true)]
async fn whoever_sees_some_queues_is_told_of_which_the_sums_are() {
    for (rights, is_limited) in [(Rights::viewer(), false), (Rights::viewer().in_queues(["ma*"]), true)] {
        let site = Site::in_time(|ui| ui.history(Sampling::Always).rights(rights));
        site.seed().await;
        site.page("/settings").await;
        sleep(Duration::from_secs(20)).await;
        for path in ["/", "/charts", "/charts?range=30d", "/charts?queue=mail", "/queues/mail"] {
            let is_told = site.page(path).await.contains("Sums are of the queues that you may see");
            assert_eq!(is_told, is_limited && !path.contains("mail"), "{path}");
        }
        for path in ["/series?metric=size", "/history"] {
            let (_, answer) = call(&site, "GET", path.split('?').next().unwrap(), path, None).await;
            assert_eq!(answer["limited"], is_limited, "{path}");
        }
        assert_eq!(series(&site, "metric=size&queue=mail").await["limited"], false);
    }
}
