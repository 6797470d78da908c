//! Who may come in, by which name, from which page, below which path; and what browsers are told.

use asynq_web::{Reach, Rights, Visitor, WebUi};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

use crate::site::{Answer, Site, ask};

#[tokio::test]
async fn every_answer_protects_who_reads_it() {
    let site = Site::seeded().await;
    for path in ["/", "/nope", "/queues/mail/tasks/m1/payload", "/api/v1/queues", "/healthz"] {
        let answer = site.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
}

#[tokio::test]
async fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
    let site = Site::seeded().await;
    for path in ["/", "/queues/mail", "/queues/mail/tasks/m1", "/servers", "/enqueue", "/settings", "/nope"] {
        let page = site.get(path).await.text();
        for forbidden in
            [" style=", "<style", " onclick=", "javascript:", "src=\"http", "href=\"http", "url("]
        {
            assert!(!page.contains(forbidden), "{path}: {forbidden}");
        }
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.len() < 60_000, "{path}: {}", page.len());
    }
}

#[tokio::test]
async fn files_have_names_of_their_content_and_are_kept() {
    let site = Site::new();
    let page = site.page("/").await;
    let names: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let mut size = page.len();
    for name in names {
        let file = site.get(name).await;
        assert_eq!(file.status, StatusCode::OK);
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        size += file.body.len();
    }
    assert!(size < 60_000, "{size} bytes for a whole page");
}

#[tokio::test]
async fn names_of_others_are_refused() {
    let site = Site::with(|ui| ui.allow_host("jobs.example.com"));
    let asked = async |host: &str, accept: &str| {
        let request = Request::get("/").header("host", host).header("accept", accept);
        site.ask(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(asked("jobs.example.com:443", "text/html").await.status, StatusCode::OK);
    let refused = asked("evil.example", "text/html").await;
    assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(refused.text().contains("`evil.example` is not a name of this server"));
    assert_eq!(asked("evil.example", "*/*").await.json()["code"], "unknown_host");
}

#[tokio::test]
async fn a_page_of_somebody_else_changes_nothing() {
    let site = Site::seeded().await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example"), ("origin", "null")]
    {
        for path in ["/queues/mail/pause", "/tasks/act", "/settings", "/api/v1/tasks"] {
            let request = Request::post(path).header("host", "localhost").header(name, value);
            let answer = site.ask(request.body(Body::from("back=%2F")).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
            assert_eq!(answer.json()["code"], "foreign_origin");
        }
    }
    assert!(!site.inspector.queue_info("mail").await.unwrap().is_paused());
}

async fn by_router(router: &Router, path: &str, header: Option<(&str, &str)>) -> Answer {
    let mut request = Request::get(path).header("host", "localhost");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Follows every link of its own on a page; all must lead to something below the prefix.
async fn all_links_work(router: &Router, path: &str, prefix: &str) {
    let page = by_router(router, path, None).await;
    assert_eq!(page.status, StatusCode::OK, "{path}");
    let text = page.text();
    let links =
        text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    let mut followed = 0;
    for link in links.filter(|link| !link.starts_with('#')) {
        assert!(link.starts_with(&format!("{prefix}/")), "{path}: {link}");
        let answer = by_router(router, link.split('#').next().unwrap(), None).await;
        assert!(answer.status.is_success(), "{path}: {link}: {}", answer.status);
        followed += 1;
    }
    assert!(followed > 5);
}

#[tokio::test]
async fn it_is_mounted_in_every_way() {
    let site = Site::seeded().await;
    let alone = Router::new().fallback_service(site.service.clone());
    let nested = Router::new().nest_service("/a/b", site.service.clone());
    for (router, prefix) in [(&alone, ""), (&nested, "/a/b")] {
        for path in ["/", "/queues/mail", "/queues/mail/tasks/m1"] {
            all_links_work(router, &format!("{prefix}{path}"), prefix).await;
        }
        let slash = by_router(router, &format!("{prefix}/servers/?x=1"), None).await;
        assert_eq!(slash.leads_to(), format!("{prefix}/servers?x=1"));
    }
    all_links_work(&nested, "/a/b", "/a/b").await;

    let prefixed = Site::with(|ui| ui.prefix("/p/q/"));
    prefixed.seed().await;
    let router = Router::new().fallback_service(prefixed.service.clone());
    for path in ["/p/q", "/p/q/", "/p/q/queues/mail"] {
        all_links_work(&router, path, "/p/q").await;
    }
    assert_eq!(by_router(&router, "/queues/mail", None).await.status, StatusCode::NOT_FOUND);

    let behind = Site::with(WebUi::trust_proxy);
    let router = Router::new().fallback_service(behind.service.clone());
    let page = by_router(&router, "/", Some(("x-forwarded-prefix", "/out"))).await.text();
    assert!(page.contains("href=\"/out/servers\""), "{page}");
    let untrusting = Router::new().fallback_service(Site::new().service);
    let page = by_router(&untrusting, "/", Some(("x-forwarded-prefix", "/out"))).await.text();
    assert!(page.contains("href=\"/servers\""));
}

#[tokio::test]
async fn who_is_unknown_stays_out_where_logins_are_needed() {
    let site = Site::with(WebUi::logins_only);
    assert_eq!(site.get("/").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.get("/api/v1/queues").await.json()["code"], "unauthenticated");
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(site.get(probe).await.text(), "ok\n");
    }
    let mut request = Request::get("/").header("host", "localhost").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Visitor::new("ann", Rights::viewer()));
    let page = ask(&site.service, request).await;
    assert!(page.status.is_success() && page.text().contains("ann"));
}

#[tokio::test]
async fn other_machines_are_let_in_only_when_that_is_meant() {
    let address = |ip: [u8; 4]| std::net::SocketAddr::from((ip, 0));
    let serve = async |ui: fn(WebUi) -> WebUi, ip, reach| {
        Site::with(ui).service.serve(address(ip), reach, |_| {}, std::future::ready(())).await
    };
    let refused = serve(|ui| ui, [0, 0, 0, 0], Reach::ThisMachine).await.unwrap_err();
    assert!(refused.to_string().contains("can be reached by other machines"), "{refused}");
    serve(|ui| ui, [127, 0, 0, 1], Reach::ThisMachine).await.unwrap();
    serve(|ui| ui, [0, 0, 0, 0], Reach::Anywhere).await.unwrap();
    serve(WebUi::logins_only, [0, 0, 0, 0], Reach::ThisMachine).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_often_must_wait() {
    let site = Site::with(|ui| ui.requests_per_second(2));
    let ask_as = async |name: &str, path: &str| {
        let mut request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
        request.extensions_mut().insert(Visitor::new(name, Rights::viewer()));
        ask(&site.service, request).await
    };
    for _ in 0..20 {
        assert_eq!(ask_as("ann", "/api/v1/meta").await.status, StatusCode::OK);
    }
    let refused = ask_as("ann", "/api/v1/meta").await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (StatusCode::TOO_MANY_REQUESTS, &"too_many_requests".into())
    );
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(ask_as("ann", "/healthz").await.status, StatusCode::OK);
    assert_eq!(ask_as("bob", "/api/v1/meta").await.status, StatusCode::OK);
    tokio::time::advance(std::time::Duration::from_millis(500)).await;
    assert_eq!(ask_as("ann", "/api/v1/meta").await.status, StatusCode::OK);
}

#[tokio::test]
async fn requests_have_a_largest_size() {
    let site = Site::new();
    for (path, size) in [("/enqueue", 33 << 20), ("/api/v1/tasks", 33 << 20)] {
        let kind =
            if path.starts_with("/api") { "application/json" } else { "application/x-www-form-urlencoded" };
        let request = Request::post(path).header("host", "localhost").header("content-type", kind);
        let answer = site.ask(request.body(Body::from(vec![b'a'; size])).unwrap()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
}
