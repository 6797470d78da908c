//! Several stores in one Web UI: each below its name, nothing of it leading to another; and one of them away.

use std::time::{Duration, Instant};

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::{RedisServer, eventually};
use asynq_web::{Rights, Users, Visitor, WebService, WebUi};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use tower::ServiceExt as _;

use crate::login::user;
use crate::rights::routes;
use crate::site::{Answer, ODD, Site, ask, encoded, segment};

/// Stores in memory, each with one queue that bears its name and one called `mail`, in one Web UI.
async fn stores<const N: usize>(
    names: [&str; N],
    set: impl FnOnce(WebUi) -> WebUi,
) -> (WebService, [Client; N]) {
    let clients = names.map(|_| Client::in_memory());
    for (name, client) in names.iter().zip(&clients) {
        for (queue, id) in [(*name, "own"), ("mail", "m1")] {
            let options = TaskOptions::new().queue(queue).task_id(id);
            client.enqueue(Task::new("t", "{}").unwrap().options(options)).await.unwrap();
        }
    }
    let mut all = names.iter().zip(&clients);
    let (name, client) = all.next().unwrap();
    let ui = all.fold(WebUi::new(client).named(*name), |ui, (name, client)| ui.instance(name, client));
    (set(ui).service(), clients)
}

fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost")
}

async fn get(service: &WebService, path: &str) -> Answer {
    ask(service, request("GET", path).body(Body::empty()).unwrap()).await
}

/// Asks as a browser does that has cookies.
async fn browse(service: &WebService, path: &str, cookie: &str) -> Answer {
    let request = request("GET", path).header("accept", "text/html").header("cookie", cookie);
    ask(service, request.body(Body::empty()).unwrap()).await
}

/// Asks as somebody with these rights.
async fn asked(service: &WebService, rights: Rights, method: &str, path: &str, body: &str) -> Answer {
    let kind = if path.contains("/api/") { "application/json" } else { "application/x-www-form-urlencoded" };
    let mut request =
        request(method, path).header("content-type", kind).body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(Visitor::new("ann", rights));
    ask(service, request).await
}

/// All addresses of ours in a page, but those in the list of instances.
fn addresses(page: &str) -> Vec<String> {
    let (before, rest) = page.split_once("<details class=\"menu picker\">").expect("a list of instances");
    let page = format!("{before}{}", rest.split_once("</details>").unwrap().1);
    let mut found = Vec::new();
    for attribute in ["href", "action", "formaction", "src", "data-events", "data-suggest"] {
        let attribute = format!(" {attribute}=\"");
        let values = page.split(&attribute).skip(1);
        let values = values.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
        found.extend(values.filter(|value| value.starts_with('/')));
    }
    found
}

#[tokio::test]
async fn links_of_an_instance_never_leave_it() {
    let (service, _clients) = stores(["one", ODD, "."], |ui| ui).await;
    let nested = Router::new().nest_service("/a/b", service);
    let get = async |path: &str| {
        let request = request("GET", path).header("accept", "text/html").body(Body::empty()).unwrap();
        let (parts, body) = nested.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    };
    for (name, part) in [("one", "one".to_owned()), (ODD, segment(ODD)), (".", "~.".to_owned())] {
        let base = format!("/a/b/i/{part}");
        let (mut seen, mut left) = (std::collections::BTreeSet::new(), vec![format!("{base}/")]);
        while let Some(path) = left.pop() {
            if seen.len() > 60 || !seen.insert(path.clone()) {
                continue;
            }
            let answer = get(&path).await;
            assert!(answer.status.is_success(), "{path}: {}", answer.text());
            if !answer.header("content-type").starts_with("text/html") {
                continue;
            }
            let page = answer.text();
            for address in addresses(&page) {
                let is_own = address.starts_with(&format!("{base}/")) || address.starts_with("/a/b/assets/");
                assert!(is_own, "{path} leads to {address}");
            }
            let links = page.split("</details>").nth(1).unwrap().split(" href=\"").skip(1);
            let links = links.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
            left.extend(
                links
                    .filter(|link| link.starts_with(&base))
                    .map(|link| link.split('#').next().unwrap().to_owned()),
            );
        }
        assert!(seen.len() > 20, "{name}: {seen:?}");
        let page = get(&format!("{base}/")).await.text();
        let queue =
            format!("href=\"{base}/queues/{}\"", if name == "." { "~.".to_owned() } else { segment(name) });
        assert!(page.contains(&queue), "{queue}: {page}");
    }
    let page = get("/a/b/i/one/servers").await.text();
    assert!(page.contains("href=\"/a/b/i/~./servers\""), "the same place in another: {page}");
    let slash = get("/a/b/i/one/servers/?x=1").await;
    assert_eq!(slash.leads_to(), "/a/b/i/one/servers?x=1");
    assert!(get("/a/b/i/one").await.text().contains("href=\"/a/b/i/one/queues/one\""));
}

#[tokio::test]
async fn a_prefix_and_a_proxy_are_before_the_name() {
    let (service, _clients) = stores(["one", "two"], |ui| ui.prefix("/p").trust_proxy()).await;
    let request = request("GET", "/p/i/two/").header("x-forwarded-prefix", "/out");
    let page = ask(&service, request.body(Body::empty()).unwrap()).await.text();
    assert!(
        page.contains("href=\"/out/p/i/two/queues/two\"") && page.contains("href=\"/out/p/i/one/\""),
        "{page}"
    );
    assert!(page.contains("href=\"/out/p/assets/"), "{page}");
    assert_eq!(get(&service, "/p/").await.leads_to(), "/p/i/one/");
}

#[tokio::test]
async fn what_names_no_instance_leads_to_the_one_that_was_looked_at_last() {
    let (service, _clients) = stores(["one", "two"], |ui| ui).await;
    assert_eq!(browse(&service, "/", "").await.leads_to(), "/i/one/");
    assert_eq!(
        browse(&service, "/queues/mail?state=pending", "").await.leads_to(),
        "/i/one/queues/mail?state=pending"
    );
    let page = browse(&service, "/i/two/servers", "").await;
    let kept = page.header("set-cookie").to_owned();
    assert!(kept.starts_with("asynq_web_instance=two; Path=/; ") && kept.contains("HttpOnly"), "{kept}");
    let cookie = kept.split(';').next().unwrap();
    assert_eq!(browse(&service, "/", cookie).await.leads_to(), "/i/two/");
    assert!(
        browse(&service, "/i/two/", cookie).await.headers.get("set-cookie").is_none(),
        "it is kept already"
    );
    assert_eq!(browse(&service, "/", "asynq_web_instance=gone").await.leads_to(), "/i/one/");

    for (method, path) in [
        ("GET", "/api/v1/queues"),
        ("POST", "/api/v1/tasks"),
        ("POST", "/queues/mail/pause"),
        ("GET", "/i/three/"),
        ("GET", "/i/%FF/"),
    ] {
        let answer = ask(&service, request(method, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    assert!(get(&service, "/api/v1/queues").await.json()["detail"].as_str().unwrap().contains("below /i/"));
    assert!(get(&service, "/i/three/").await.text().contains("no instance is called `three`"));
    assert_eq!(get(&service, "/i/one/api/v1/queues/one").await.status, StatusCode::OK);
    assert_eq!(get(&service, "/i/two/api/v1/queues/one").await.json()["code"], "queue_not_found");
    let meta = get(&service, "/api/v1/meta").await.json();
    assert_eq!((&meta["instance"], &meta["instances"]), (&"".into(), &serde_json::json!(["one", "two"])));
    assert_eq!(get(&service, "/i/two/api/v1/meta").await.json()["instance"], "two");
    assert_eq!(get(&service, "/api/v1/openapi.json").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_alone_is_where_it_always_was() {
    let site = Site::with(|ui| ui.named("production"));
    site.seed().await;
    let page = site.page("/queues/mail").await;
    assert!(!page.contains("picker") && page.contains("href=\"/servers\""), "{page}");
    assert_eq!(site.get("/i/production/servers").await.status, StatusCode::NOT_FOUND);
    let answer = browse(&site.service, "/", "").await;
    assert!(answer.status.is_success() && answer.headers.get("set-cookie").is_none());
    let all = site.get("/api/v1/instances").await.json();
    assert_eq!((&all["items"][0]["path"], &all["items"][0]["name"]), (&"/".into(), &"production".into()));
    assert!(site.page("/instances").await.contains("production"));
}

#[tokio::test]
async fn a_name_that_is_there_already_is_not_shown_twice() {
    let (one, two) = (Client::in_memory(), Client::in_memory());
    let service = WebUi::new(&one).instance("default", &two).service();
    assert_eq!(get(&service, "/api/v1/meta").await.json()["instance"], "default");
    let service = WebUi::new(&one).instance("a", &two).instance("a", &one).service();
    assert_eq!(get(&service, "/api/v1/meta").await.json()["instances"], serde_json::json!(["default", "a"]));
}

#[tokio::test]
async fn rights_in_some_instances_reach_no_others() {
    for (method, path, body, _right) in routes() {
        let (service, clients) = stores(["production", "staging-eu"], |ui| ui).await;
        let rights = || Rights::admin().in_instances(["staging-*"]);
        let there = asked(&service, rights(), method, &format!("/i/production{path}"), &body).await;
        assert_eq!(there.status, StatusCode::FORBIDDEN, "{method} {path}: {}", there.text());
        let inspector = Inspector::new(&clients[0]);
        let info = inspector.queue_info("mail").await.unwrap();
        assert!(info.pending == 1 && !info.is_paused(), "{method} {path}");
        let here = asked(&service, rights(), method, &format!("/i/staging-eu{path}"), &body).await;
        assert_ne!(here.status, StatusCode::FORBIDDEN, "{method} {path}: {}", here.text());
        for unknown in ["other", "staging-us"] {
            let nowhere = asked(&service, rights(), method, &format!("/i/{unknown}{path}"), &body).await;
            let expected = if unknown == "other" { 403 } else { 404 };
            assert_eq!(
                nowhere.status.as_u16(),
                expected,
                "{method} {path}: who may not know is told nothing"
            );
        }
    }
}

#[tokio::test]
async fn instances_of_others_are_neither_listed_nor_led_to() {
    let (service, _clients) = stores(["production", "staging-eu", "staging-us"], |ui| ui).await;
    let rights = || Rights::viewer().in_instances(["staging-*"]);
    for path in [
        "/i/staging-eu/",
        "/i/staging-eu/instances",
        "/i/production/settings",
        "/api/v1/meta",
        "/api/v1/instances",
    ] {
        let answer = asked(&service, rights(), "GET", path, "").await.text();
        assert!(answer.contains("staging-us"), "{path}: {answer}");
        let named = answer.replace("production</summary>", "").replace("· production ·", "");
        let named = named.replace("/i/production/", "");
        assert!(path.contains("production") || !named.contains("production"), "{path}: {answer}");
    }
    assert_eq!(asked(&service, rights(), "GET", "/", "").await.leads_to(), "/i/staging-eu/");
    let nobody = || Rights::viewer().in_instances(["x"]);
    assert_eq!(asked(&service, nobody(), "GET", "/", "").await.status, StatusCode::FORBIDDEN);
    let all = asked(&service, nobody(), "GET", "/api/v1/instances", "").await.json();
    assert_eq!(all["items"], serde_json::json!([]));
    let alone = Site::new();
    let answer = asked(&alone.service, rights(), "GET", "/", "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "one without a name is none of these");
}

#[tokio::test]
async fn one_login_is_for_all_and_changes_are_noted_where_they_were_made() {
    let users = user("ann", "role = \"admin\"") + &user("bob", "role = \"viewer\"\ninstances = [\"one\"]");
    let users = Users::parse(&users).unwrap();
    let (service, clients) = stores(["one", "two"], |ui| ui.users(users)).await;
    for path in ["/", "/i/two/queues/mail", "/i/nope/queues", "/i/two/login", "/i/two/assets/x"] {
        let stranger = browse(&service, path, "").await;
        assert_eq!(
            stranger.leads_to(),
            format!("/login?next={}", segment(path)),
            "nobody learns which there are"
        );
    }
    let page = browse(&service, "/login", "").await.text();
    assert!(!page.contains("/i/") && !page.contains("picker"), "{page}");
    let send = async |path: &str, cookie: &str, fields: &[(&str, &str)]| {
        let request = request("POST", path).header("cookie", cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        ask(&service, request.body(encoded(fields).into()).unwrap()).await
    };
    let login = async |name: &str| {
        let password = format!("{name}'s");
        let fields = [("name", name), ("password", password.as_str()), ("next", "/i/two/queues/mail")];
        let answer = send("/login", "", &fields).await;
        assert_eq!(answer.leads_to(), "/i/two/queues/mail");
        let cookie = answer.header("set-cookie").to_owned();
        assert!(cookie.contains("; Path=/; "), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    };
    let (ann, bob) = (login("ann").await, login("bob").await);
    for path in ["/i/one/", "/i/two/"] {
        assert_eq!(browse(&service, path, &ann).await.status, StatusCode::OK);
    }
    assert_eq!(browse(&service, "/i/one/", &bob).await.status, StatusCode::OK);
    assert_eq!(browse(&service, "/i/two/", &bob).await.status, StatusCode::FORBIDDEN);

    let paused = send("/i/two/queues/mail/pause", &ann, &[("back", "/i/two/queues/mail")]).await;
    assert_eq!(paused.leads_to(), "/i/two/queues/mail?done=pause&n=1");
    let elsewhere = send("/i/two/queues/mail/resume", &ann, &[("back", "/i/one/queues/mail")]).await;
    assert!(elsewhere.leads_to().starts_with("/i/two/?"), "{:?}", elsewhere.headers);
    let mut noted = Vec::new();
    for client in &clients {
        let all = Inspector::new(client).changes_noted(None, 100, |_| true).await.unwrap();
        noted.push(all.entries.into_iter().map(|(_, entry)| entry.action).collect::<Vec<_>>());
    }
    assert_eq!(noted, [vec!["login", "login"], vec!["resume", "pause"]]);

    let out = send("/i/two/logout", &ann, &[]).await;
    assert!(out.leads_to().starts_with("/login?") && out.header("set-cookie").contains("; Path=/; "));
    assert!(browse(&service, "/i/one/", &ann).await.leads_to().starts_with("/login"));
}

#[tokio::test]
async fn one_that_is_away_is_named_and_slows_no_other() {
    let (one, mut two) = (RedisServer::start_durable().await, RedisServer::start_durable().await);
    let clients = [Client::connect(&one.url()).await.unwrap(), Client::connect(&two.url()).await.unwrap()];
    for client in &clients {
        let options = TaskOptions::new().queue("mail").task_id("m1");
        client.enqueue(Task::new("t", "{}").unwrap().options(options)).await.unwrap();
    }
    let ui = WebUi::new(&clients[0]).named("one").instance("two", &clients[1]);
    let service = ui.refresh(Duration::from_millis(100)).service();
    let reached = async || {
        let all = get(&service, "/api/v1/instances").await.json();
        let items = all["items"].as_array().unwrap();
        items.iter().map(|item| item["reached"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(get(&service, "/readyz").await.text(), "ok\n");
    assert_eq!(reached().await, [true, true]);
    let mut events = Vec::new();
    for name in ["one", "two"] {
        let path = format!("/i/{name}/events?{}", encoded(&[("page", "/queues/mail")]));
        let open = request("GET", &path).body(Body::empty()).unwrap();
        let mut open = service.clone().oneshot(open).await.unwrap().into_body().into_data_stream();
        let event = String::from_utf8(open.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert!(event.starts_with("event: page") && event.contains("m1"), "{event}");
        events.push(open);
    }

    two.kill().await;
    let event = events[1].next().await.unwrap().unwrap();
    assert!(event.starts_with(b"event: away"), "{event:?}");
    let page = get(&service, "/i/two/queues/mail").await;
    assert!(page.status == StatusCode::SERVICE_UNAVAILABLE && page.text().contains("href=\"/i/one/\""));
    let began = Instant::now();
    assert_eq!(get(&service, "/i/one/queues/mail").await.status, StatusCode::OK);
    assert_eq!(reached().await, [true, false]);
    let page = get(&service, "/i/one/instances").await.text();
    assert!(page.contains("reached") && page.contains("away"), "{page}");
    let ready = get(&service, "/readyz").await;
    assert!(ready.status == StatusCode::OK && ready.text().starts_with("ok\ntwo: "), "{}", ready.text());
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}: each waits for a second at most",
        began.elapsed()
    );
    assert_eq!(get(&service, "/i/two/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&service, "/i/one/readyz").await.status, StatusCode::OK);

    two.restart().await;
    eventually("the second is back", async || (reached().await == [true, true]).then_some(())).await;
    let event = String::from_utf8(events[1].next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(event.starts_with("event: page") && event.contains("m1"), "{event}");
    assert_eq!(get(&service, "/readyz").await.text(), "ok\n");
}

#[tokio::test]
async fn when_all_are_away_it_is_not_ready() {
    let (mut one, mut two) = (RedisServer::start().await, RedisServer::start().await);
    let clients = [Client::connect(&one.url()).await.unwrap(), Client::connect(&two.url()).await.unwrap()];
    let service = WebUi::new(&clients[0]).named("one").instance("two", &clients[1]).service();
    one.kill().await;
    two.kill().await;
    let answer = get(&service, "/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("one: ") && answer.text().contains("two: "), "{}", answer.text());
    assert_eq!(get(&service, "/healthz").await.text(), "ok\n");
}
