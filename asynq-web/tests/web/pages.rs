//! Pages: with data, without, and when something is wrong.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::task::{Task, TaskOptions};
use asynq_core::wire::ServerInfo;
use asynq_testkit::RedisServer;
use asynq_web::{Rights, Visitor, WebUi};
use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::site::{ODD, Site, ask, encoded, segment};

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
        ("/instances", "this one"),
        ("/audit", "No change is known that fits."),
        ("/charts", "A chart begins when somebody looks"),
        ("/charts?range=90d", "0 processed, 0 failed"),
        ("/errors", "No errors"),
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
        ("/charts?range=3d", 400, "must be one of 15m, 1h, 6h, 48h, 7d, 30d, 90d"),
        ("/charts?queue=nope", 404, "queue not found: `nope`"),
        ("/charts/prometheus", 404, "no Prometheus is known here"),
        ("/errors?state=odd", 400, "unknown task state"),
        ("/tasks/act", 405, "405"),
        ("/assets/style-0.css", 404, "nothing"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.text().contains(words) && answer.text().contains("<nav"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn several_versions_of_servers_are_told() {
    let site = Site::new();
    let says = async |id: &str, version: &str| {
        let info = ServerInfo {
            host: "h".to_owned(),
            server_id: id.to_owned(),
            version: version.to_owned(),
            ..ServerInfo::default()
        };
        site.client.broker().write_server_state(&info, &[], Duration::from_secs(60)).await.unwrap();
    };
    says("a", "1.2.0").await;
    says("go", "").await;
    says("b", "1.2.0").await;
    let page = site.page("/servers").await;
    assert!(page.contains("1.2.0") && !page.contains("Several versions"), "Go's servers say nothing: {page}");
    says("c", "1.10.0<").await;
    let page = site.page("/servers").await;
    assert!(
        page.contains("Several versions of asynq run: 1.10.0&lt; on 1 server, 1.2.0 on 2 servers."),
        "{page}"
    );
    let servers = site.get("/api/v1/servers").await.json();
    let versions: Vec<_> =
        servers["items"].as_array().unwrap().iter().map(|server| server["version"].as_str()).collect();
    assert_eq!(versions, [Some("1.2.0"), Some("1.2.0"), Some("1.10.0<"), None]);
}

#[tokio::test]
async fn settings_tell_versions_and_what_is_risky() {
    let redis = RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]).await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let service = WebUi::new(&client).service();
    let page = async |rights: Rights| {
        let mut request = Request::get("/settings").header("host", "localhost").body(Body::empty()).unwrap();
        request.extensions_mut().insert(Visitor::new("ann", rights));
        ask(&service, request).await.text()
    };
    let seen = page(Rights::viewer()).await;
    let version =
        Inspector::new(&client).store_info().await.unwrap().get("redis_version").unwrap().to_owned();
    assert!(seen.contains(env!("CARGO_PKG_VERSION")) && seen.contains(&version), "{seen}");
    assert!(seen.contains("Its maxmemory-policy is allkeys-lru"), "{seen}");
    let blind = page(Rights::none()).await;
    assert!(blind.contains("Tasks on a page") && !blind.contains(&version), "{blind}");
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

/// The IDs on a page, in their order.
fn ids(page: &str) -> Vec<String> {
    let rows = page.split("<th class=\"id\" scope=\"row\">").skip(1);
    rows.map(|row| row.split("title=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_are_sorted_by_their_headings() {
    let site = Site::seeded().await;
    for (id, minutes, payload) in [("in-3", 3, "ccc"), ("in-1", 1, "b"), ("in-2", 2, "aa")] {
        let due = Duration::from_secs(60 * minutes);
        site.enqueue("later", id, payload, |options| options.process_in(due)).await;
    }
    let shown = async |query: &str| ids(&site.page(&format!("/queues/later?state=scheduled{query}")).await);
    assert_eq!(shown("&sort=payload&order=asc").await, ["in-1", "in-2", "in-3"]);
    assert_eq!(shown("&sort=payload&order=desc").await, ["in-3", "in-2", "in-1"]);
    assert_eq!(shown("&sort=id&order=desc&size=10").await, ["in-3", "in-2", "in-1"]);
    let page = site.page("/queues/later?state=scheduled&sort=payload&order=asc").await;
    assert!(
        page.contains("3 tasks, the first by payload of all 3") && page.contains("aria-sort=\"ascending\""),
        "{page}"
    );
    // They are stored in this order, so that nothing needs to be read for it.
    assert_eq!(shown("&sort=due&order=desc").await, ["in-3", "in-2", "in-1"]);
    let page = site.page("/queues/later?state=scheduled&sort=due&order=asc").await;
    assert!(!page.contains("the first by") && page.contains("aria-sort=\"ascending\""), "{page}");
    assert_eq!(site.get("/tasks?sort=odd").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.get("/tasks?size=7").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_task_is_found_by_its_id_in_all_queues() {
    let site = Site::seeded().await;
    site.enqueue("other", "m1", "{}", |options| options).await;
    for filter in ["m1", "id:m1"] {
        let page = site.page(&format!("/tasks?{}", encoded(&[("filter", filter)]))).await;
        let section = page.split("With this ID").nth(1).unwrap().split("</section>").next().unwrap();
        assert!(
            section.contains("/queues/mail/tasks/m1") && section.contains("/queues/other/tasks/m1"),
            "{section}"
        );
    }
    for filter in ["nobody", "id:m*", "-id:m1", "type:email:send"] {
        let page = site.page(&format!("/tasks?{}", encoded(&[("filter", filter)]))).await;
        assert!(!page.contains("With this ID"), "{filter}");
    }
}

#[tokio::test]
async fn columns_are_kept_for_all_lists() {
    let site = Site::seeded().await;
    let chosen = [("column", "due"), ("column", "retried"), ("back", "/tasks")];
    let saved = site.send("/settings/columns", &chosen).await;
    assert_eq!(saved.leads_to(), "/tasks?done=settings&n=1");
    let as_kept = async |cookie: &str, path: &str| {
        let request = Request::get(path).header("host", "localhost").header("cookie", cookie);
        site.ask(request.body(Body::empty()).unwrap()).await.text()
    };
    let cookie = saved.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(cookie, "asynq_web=system.relative.30.shown.due-retried");
    let page = as_kept(&cookie, "/tasks").await;
    assert!(page.contains("c-due") && page.contains("c-retried") && !page.contains("c-payload"));
    assert!(as_kept(&cookie, "/tasks?column=payload").await.contains("c-payload"));
    let page = as_kept("asynq_web=system.relative.30.hidden.", "/queues/mail?state=archived").await;
    assert!(!page.contains("c-payload") && page.contains("c-error"));
    let reset = site.send("/settings/columns", &[("reset", "1"), ("column", "due")]).await;
    assert!(reset.header("set-cookie").starts_with("asynq_web=system.relative.30.shown.;"));
}

#[tokio::test]
async fn one_of_many_groups_is_found() {
    let site = Site::new();
    for n in 0..70 {
        let group = format!("user-{n:02}");
        let set = move |options: TaskOptions| options.group(group);
        site.enqueue("mail", &format!("g{n}"), "{}", set).await;
    }
    let page = site.page("/queues/mail?state=aggregating").await;
    assert!(page.contains("and 20 smaller ones") && page.contains("Find group"), "{page}");
    let found = site.page("/queues/mail?state=aggregating&find=R-69").await;
    let groups = found.split("aria-label=\"Groups\">").nth(1).unwrap().split("</nav>").next().unwrap();
    assert!(groups.contains(">user-69") && !groups.contains(">user-01"), "{groups}");
    assert!(site.page("/queues/mail?state=aggregating&find=zz").await.contains("No group has this"));
    assert!(site.page("/queues/mail?state=aggregating&group=user-69").await.contains(">g69</a>"));
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
    let task = Task::new("report", "{}").unwrap().options(TaskOptions::new().queue("reports"));
    let (scheduler, entry) = site.scheduled("30 4 * * mon-fri", task).await;

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
    let saved = site
        .send("/settings", &[("theme", "dark"), ("times", "utc"), ("size", "10"), ("payloads", "shown")])
        .await;
    let cookie = saved.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("asynq_web=dark.utc.10.shown.; Path=/;") && cookie.contains("HttpOnly; ")
            || cookie.ends_with("HttpOnly")
    );
    let request = Request::get("/queues/mail/tasks/later")
        .header("host", "localhost")
        .header("cookie", "asynq_web=dark.utc.10");
    let page = site.ask(request.body(Body::empty()).unwrap()).await.text();
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
