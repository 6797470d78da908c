//! The page of a task: what is known of its time, in what forms what it carries is shown, where it links to.

use std::time::Duration;

use asynq_core::router::{Ctx, Router};
use asynq_core::server::Server;
use asynq_core::task::TaskOptions;
use asynq_testkit::eventually;
use asynq_web::{Right, Rights};
use axum::http::StatusCode;

use crate::site::{Site, as_somebody, encoded};

/// `{"to":"ann","n":7}`.
const PACKED: &[u8] = b"\x82\xa2to\xa3ann\xa1n\x07";

/// The part of a page that is between these.
fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    let rest = page.split(start).nth(1).unwrap_or_else(|| panic!("no {start}: {page}"));
    rest.split(end).next().unwrap()
}

/// What the timeline says, without its markup.
async fn timeline(site: &Site, id: &str) -> String {
    let page = site.page(&format!("/queues/mail/tasks/{id}")).await;
    let html = between(&page, "<h2>Timeline</h2>", "</section>");
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_waits_tells_since_when_and_until_when() {
    let site = Site::new();
    let minute = Duration::from_secs(60);
    site.enqueue("mail", "now", "{}", |options| options).await;
    site.enqueue("mail", "later", "{}", |options| options.process_in(10 * minute)).await;
    let limited = |options: TaskOptions| options.deadline("2033-05-18T13:00:00Z".parse().unwrap());
    site.enqueue("mail", "limited", "{}", limited).await;
    let tick = |options: TaskOptions| options.header("asynq-tick", "2033-05-18T11:59:00Z");
    site.enqueue("mail", "tick", "{}", tick).await;
    site.clock.advance(5 * minute);
    assert_eq!(timeline(&site, "now").await, "Pending 5m ago it has waited 5m");
    assert_eq!(timeline(&site, "later").await, "To be run in 5m Not stored is when it was enqueued.");
    assert_eq!(timeline(&site, "limited").await, "Pending 5m ago it has waited 5m Deadline in 55m");
    assert_eq!(timeline(&site, "tick").await, "Due by its schedule 6m ago Pending 5m ago it has waited 5m");
}

#[tokio::test]
async fn what_ran_tells_how_it_went_and_what_is_not_known() {
    let site = Site::in_time(|ui| ui);
    let router = Router::new()
        .route("email:send", async |ctx: Ctx| match ctx.task_id().as_str() {
            "slow" => {
                ctx.cancelled().await;
                Ok(())
            }
            "broken" => Err("it broke".to_owned()),
            _ => Ok(()),
        })
        .unwrap();
    let server = Server::builder(&site.client).router(router).queues([("mail", 1)]).start().await.unwrap();
    let hour = Duration::from_secs(3_600);
    site.enqueue("mail", "slow", "{}", |options| options.timeout(hour)).await;
    site.enqueue("mail", "broken", "{}", |options| options.max_retry(3)).await;
    site.enqueue("mail", "fine", "{}", |options| options.retention(hour)).await;
    eventually("all is run", async || {
        let info = site.inspector.queue_info("mail").await.unwrap();
        let servers = site.inspector.servers().await.unwrap();
        let is_told = servers.iter().any(|server| !server.running.is_empty());
        (info.retry == 1 && info.completed == 1 && is_told).then_some(())
    })
    .await;
    let slow = timeline(&site, "slow").await;
    assert!(slow.starts_with("Started ") && slow.contains(" it has run for "), "{slow}");
    assert!(slow.contains("Must end in ") && slow.contains(" 1h for one attempt"), "{slow}");
    assert!(
        slow.contains("Lease ends in ") && slow.ends_with("Not stored is when it was enqueued."),
        "{slow}"
    );
    let broken = timeline(&site, "broken").await;
    assert!(
        broken.starts_with("Failed ") && broken.contains(" for the first time Next attempt in "),
        "{broken}"
    );
    assert!(
        broken.contains(" after it failed Not stored is when it was enqueued; of earlier attempts"),
        "{broken}"
    );
    let fine = timeline(&site, "fine").await;
    assert!(fine.starts_with("Done ") && fine.contains("Deleted in "), "{fine}");
    assert!(
        fine.ends_with("Not stored is when the attempt that succeeded began; when it was enqueued."),
        "{fine}"
    );
    server.shutdown().await;
}

#[tokio::test]
async fn payloads_and_results_are_shown_in_the_form_that_is_asked_for() {
    let site = Site::new();
    site.enqueue("mail", "packed", PACKED, |options| options.header("asynq-codec", "msgpack")).await;
    site.enqueue("mail", "json", r#"{"to":"ann"}"#, |options| options).await;
    let shown = async |path: &str| {
        let page = site.page(&format!("/queues/mail/tasks/{path}")).await;
        between(&page, "<section class=\"payload\">", "</section>").to_owned()
    };
    let packed = shown("packed").await;
    assert!(packed.contains("MessagePack, 11 B") && !packed.contains("as it seems"), "{packed}");
    assert!(packed.contains("class=\"json\"") && packed.contains("&quot;ann&quot;"), "{packed}");
    assert!(packed.contains("href=\"/queues/mail/tasks/packed?as=hex\""), "{packed}");
    assert!(shown("packed?as=hex").await.contains("82 a2 74 6f a3 61 6e 6e a1 6e 07"));
    assert!(shown("packed?as=base64").await.contains(">gqJ0b6Nhbm6hbgc=</pre>"));
    assert!(shown("packed?as=json").await.contains("It is shown in another form: it is no JSON."));
    assert!(shown("json?as=text").await.contains(">{&quot;to&quot;:&quot;ann&quot;}</pre>"));
    assert!(shown("json?as=hex&result_as=text").await.contains("?result_as=text&amp;as=base64\""));
    let unknown = site.get("/queues/mail/tasks/json?as=xml").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(
        unknown.text().contains("known are json, text, hex, base64, msgpack, cbor, protobuf"),
        "{}",
        unknown.text()
    );
}

#[tokio::test]
async fn formats_of_the_application_are_asked_first_and_see_through_masks() {
    let site = Site::with(|ui| {
        ui.mask("password".parse().unwrap())
            .payload_format("spelled", |content| {
                let is_ours =
                    content.task.task_type.as_str() == "email:send" && content.bytes.starts_with(&[0xff]);
                is_ours.then(|| r#"{"to":"ann","password":"XYZZY"}"#.to_owned())
            })
            .payload_format("plain", |content| (!content.is_result).then(|| "password=XYZZY".to_owned()))
    });
    site.enqueue("mail", "ours", vec![0xff, 0xfe], |options| options).await;
    let path = "/queues/mail/tasks/ours";
    let all = as_somebody(&site, Rights::admin(), "GET", path, "").await.text();
    assert!(all.contains("spelled, 2 B") && all.contains("XYZZY"), "{all}");
    let few = Rights::admin().without(Right::ViewSecrets);
    let seen = as_somebody(&site, few.clone(), "GET", path, "").await.text();
    assert!(
        seen.contains("spelled, ") && seen.contains("&quot;ann&quot;") && seen.contains("•••••"),
        "{seen}"
    );
    for form in ["spelled", "plain", "hex", "base64", "text", "protobuf"] {
        let seen = as_somebody(&site, few.clone(), "GET", &format!("{path}?as={form}"), "").await.text();
        assert!(!seen.contains("XYZZY") && !seen.contains("ff fe"), "{form}: {seen}");
    }
    let blind = Rights::admin().without(Right::ViewPayload);
    let seen = as_somebody(&site, blind, "GET", path, "").await.text();
    assert!(!seen.contains("XYZZY") && !seen.contains("spelled"), "{seen}");
}

#[tokio::test]
async fn links_lead_to_where_else_a_task_is_known() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let site = Site::with(|ui| {
        let ui = ui.task_link("Logs", "https://logs.example/?q={id}&t={type}&in={queue}").unwrap();
        ui.task_link("Trace", "https://traces.example/{trace}").unwrap()
    });
    let traced =
        |options: TaskOptions| options.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    site.enqueue("a/b", "é&\"x", "{}", traced).await;
    site.enqueue("mail", "alone", "{}", |options| options).await;
    let path = "/queues/a%2Fb/tasks/%C3%A9%26%22x";
    let page = site.page(path).await;
    let logs = "https://logs.example/?q=%C3%A9%26%22x&amp;t=email%3Asend&amp;in=a%2Fb";
    assert!(page.contains(&format!("href=\"{logs}\" rel=\"noopener noreferrer external\"")), "{page}");
    assert!(page.contains(&format!("https://traces.example/{trace}\"")), "{page}");
    let alone = site.page("/queues/mail/tasks/alone").await;
    assert!(alone.contains("https://logs.example/?q=alone") && !alone.contains("traces.example"), "{alone}");
    let blind = Rights::viewer().without(Right::ViewPayload);
    let seen = as_somebody(&site, blind, "GET", path, "").await.text();
    assert!(seen.contains("logs.example") && !seen.contains(trace), "{seen}");
    // Nothing of this is asked of the store: a list has no links.
    assert!(
        !site.page(&format!("/tasks?{}", encoded(&[("filter", "id:alone")]))).await.contains("logs.example")
    );
}
