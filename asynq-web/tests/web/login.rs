//! Logging in: by password, by token, by a proxy that is trusted; and staying out.

use std::net::SocketAddr;
use std::time::Duration;

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use asynq_web::{Rights, Token, Users, WebUi};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, Request, StatusCode};
use futures_util::StreamExt as _;
use tower::ServiceExt as _;

use crate::site::{Answer, Site, ask, encoded};

/// The hash of a password that is cheap to look at.
pub(crate) fn hash(password: &str) -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password_with_salt(password.as_bytes(), b"saltsaltsalt").unwrap();
    hash.to_string()
}

pub(crate) fn user(name: &str, more: &str) -> String {
    format!("[[users]]\nname = \"{name}\"\npassword = \"{}\"\n{more}\n", hash(&format!("{name}'s")))
}

fn users() -> Users {
    Users::parse(&(user("ann", "role = \"operator\"") + &user("bob", "role = \"viewer\""))).unwrap()
}

/// Asks as a browser does that has cookies.
async fn browse(site: &Site, path: &str, cookie: &str) -> Answer {
    let request = Request::get(path).header("host", "localhost").header("accept", "text/html");
    site.ask(request.header("cookie", cookie).body(Body::empty()).unwrap()).await
}

/// Logs in: the cookie, without what browsers are told of it.
async fn log_in(site: &Site, name: &str, password: &str) -> Result<String, Answer> {
    let answer = site.send("/login", &[("name", name), ("password", password)]).await;
    match answer.header("set-cookie").split(';').next() {
        Some(cookie) if !cookie.is_empty() => Ok(cookie.to_owned()),
        _ => Err(answer),
    }
}

#[tokio::test]
async fn a_password_opens_a_session_and_signing_out_ends_it() {
    let site = Site::with(|ui| ui.users(users()));
    site.seed().await;
    let stranger = browse(&site, "/queues/mail?state=pending", "").await;
    assert_eq!(stranger.leads_to(), "/login?next=%2Fqueues%2Fmail%3Fstate%3Dpending");
    assert!(stranger.body.is_empty());
    let page = browse(&site, stranger.leads_to(), "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("value=\"/queues/mail?state=pending\"") && !page.text().contains("<nav"));

    let form = [("name", "ann"), ("password", "ann's"), ("next", "/queues/mail?state=pending")];
    let inside = site.send("/login", &form).await;
    assert_eq!((inside.status, inside.leads_to()), (StatusCode::SEE_OTHER, "/queues/mail?state=pending"));
    let cookie = inside.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert!(cookie.len() > "asynq_session=".len() + 42, "256 bits");
    let page = browse(&site, "/queues/mail", cookie).await.text();
    assert!(
        page.contains("Signed in as </span>ann") && page.contains("Sign out") && page.contains("Pause"),
        "{page}"
    );
    assert_eq!(browse(&site, "/login?next=/tasks", cookie).await.leads_to(), "/tasks");

    let logout = Request::post("/logout").header("host", "localhost").header("cookie", cookie);
    let out = site.ask(logout.body(Body::empty()).unwrap()).await;
    assert!(out.leads_to().starts_with("/login?done=logout"));
    assert!(
        out.header("set-cookie").starts_with("asynq_session=; ")
            && out.header("set-cookie").contains("Max-Age=0")
    );
    assert!(browse(&site, "/", cookie).await.leads_to().starts_with("/login"));
    assert!(browse(&site, out.leads_to(), "").await.text().contains("You are signed out."));
}

#[tokio::test]
async fn who_has_not_logged_in_gets_nothing() {
    let site = Site::with(|ui| ui.users(users()));
    site.seed().await;
    for path in ["/", "/queues/mail", "/settings", "/runs", "/events?page=%2F", "/nope", "/queues/mail/"] {
        assert!(
            browse(&site, path, "asynq_session=x").await.leads_to().starts_with("/login?next="),
            "{path}"
        );
        let refused = site.get(path).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (StatusCode::UNAUTHORIZED, &"unauthenticated".into())
        );
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"asynq\"", "{path}");
    }
    for path in ["/queues/mail/pause", "/tasks/act", "/logout", "/api/v1/tasks"] {
        assert_eq!(site.send(path, &[]).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert!(!site.inspector.queue_info("mail").await.unwrap().is_paused());
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(site.get(probe).await.text(), "ok\n");
    }
    let page = site.page("/login").await;
    for asset in page.split('"').filter(|part| part.starts_with("/assets/")) {
        assert_eq!(site.get(asset).await.status, StatusCode::OK);
    }
    assert_eq!(Site::new().get("/login").await.status, StatusCode::NOT_FOUND, "where nobody can");
}

#[tokio::test]
async fn those_who_are_not_known_may_be_let_look() {
    let site = Site::with(|ui| ui.users(users()).rights(Rights::viewer()));
    site.seed().await;
    let page = site.page("/queues/mail").await;
    assert!(page.contains("Sign in") && page.contains("m1") && !page.contains("Pause"));
    let cookie = log_in(&site, "ann", "ann's").await.unwrap();
    assert!(browse(&site, "/queues/mail", &cookie).await.text().contains("Pause"));
}

#[tokio::test]
async fn a_wrong_password_tells_nothing_and_opens_nothing() {
    let site = Site::with(|ui| ui.users(users()));
    let mut pages = Vec::new();
    for (name, password) in
        [("ann", "bob's"), ("nobody", "ann's"), ("ann", ""), ("", ""), ("ann", &"x".repeat(5_000))]
    {
        let answer = log_in(&site, name, password).await.unwrap_err();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.text().contains("This name with this password is not known."));
        pages.push(
            answer.text().replace("value=\"ann\"", "value=\"\"").replace("value=\"nobody\"", "value=\"\""),
        );
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "who is known is not told");
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
        let request = Request::post("/login").header("host", "localhost").header(header, value);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = encoded(&[("name", "ann"), ("password", "ann's")]);
        let answer = site.ask(request.body(body.into()).unwrap()).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, ""), "{header}");
    }
}

#[tokio::test]
async fn too_many_wrong_passwords_must_wait() {
    let site = Site::with(|ui| ui.users(users()));
    for _ in 0..10 {
        assert_eq!(log_in(&site, "ann", "x").await.unwrap_err().status, StatusCode::UNAUTHORIZED);
    }
    let answer = log_in(&site, "ann", "ann's").await.unwrap_err();
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    log_in(&site, "bob", "bob's").await.unwrap();
}

#[tokio::test]
async fn one_is_led_to_pages_of_ours_alone() {
    let site = Site::with(|ui| ui.users(users()));
    for next in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", ""] {
        let form = [("name", "ann"), ("password", "ann's"), ("next", next)];
        assert_eq!(site.send("/login", &form).await.leads_to(), "/", "{next}");
        let page = site.page(&format!("/login?{}", encoded(&[("next", next)]))).await;
        assert!(page.contains("name=\"next\" value=\"/\"") && !page.contains("evil"), "{next}");
    }
}

#[tokio::test]
async fn the_cookie_goes_no_further_than_it_must() {
    let site = Site::with(|ui| ui.users(users()).trust_proxy());
    let body = encoded(&[("name", "ann"), ("password", "ann's"), ("next", "/a/b/tasks")]);
    let send = async |router: &Router, path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::post(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = router.clone().oneshot(request.body(Body::from(body.clone())).unwrap()).await.unwrap();
        let headers = response.headers();
        let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        (text("set-cookie"), text("location"))
    };
    let alone = Router::new().fallback_service(site.service.clone());
    let nested = Router::new().nest_service("/a/b", site.service.clone());
    let https = ("x-forwarded-proto", "https");
    let (cookie, _) = send(&alone, "/login", &[https]).await;
    assert!(
        cookie.starts_with("__Host-asynq_session=")
            && cookie.contains("; Path=/; ")
            && cookie.ends_with("; Secure")
    );
    let (cookie, next) = send(&nested, "/a/b/login", &[]).await;
    assert!(cookie.starts_with("asynq_session=") && cookie.contains("; Path=/a/b; "), "{cookie}");
    assert_eq!(next, "/a/b/tasks");
    let (cookie, next) = send(&alone, "/login", &[https, ("x-forwarded-prefix", "/out")]).await;
    assert!(cookie.starts_with("__Secure-asynq_session=") && cookie.contains("; Path=/out; "), "{cookie}");
    assert_eq!(next, "/out/");

    let cookie = cookie.split(';').next().unwrap();
    let inside = async |cookie: &str, proto: &str| {
        let request =
            Request::get("/api/v1/meta").header("host", "localhost").header("x-forwarded-prefix", "/out");
        let request = request.header("cookie", cookie).header("x-forwarded-proto", proto);
        ask(&site.service, request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(inside(cookie, "https").await, StatusCode::OK);
    let stolen = cookie.replace("__Secure-", "");
    assert_eq!(inside(&stolen, "https").await, StatusCode::UNAUTHORIZED, "what was set without HTTPS");
}

async fn by_token(site: &Site, token: &str) -> Answer {
    let request = Request::get("/api/v1/meta").header("host", "localhost");
    site.ask(request.header("authorization", token).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn programs_have_tokens() {
    let (lasting, ending) = (Token::new().unwrap(), Token::new().unwrap());
    let text = format!(
        "[[tokens]]\nname = \"deploy\"\nsha256 = \"{}\"\nrights = [\"view\", \"pause\"]\nqueues = [\"mail\"]\n\
         [[tokens]]\nname = \"old\"\nsha256 = \"{}\"\nrole = \"admin\"\nexpires = 2033-05-18T13:00:00Z\n",
        lasting.sha256(),
        ending.sha256()
    );
    let site = Site::with(|ui| ui.users(Users::parse(&text).unwrap()));
    let meta = by_token(&site, &format!("Bearer {}", lasting.secret())).await.json();
    assert_eq!(
        (&meta["visitor"], &meta["rights"]),
        (&"deploy".into(), &serde_json::json!(["view", "pause"]))
    );
    let old = format!("bearer {}", ending.secret());
    assert_eq!(by_token(&site, &old).await.json()["visitor"], "old");
    site.clock.advance(Duration::from_secs(3_600));
    for token in [old.as_str(), "Bearer x", "Bearer ", &format!("Bearer {}", lasting.sha256())] {
        let refused = by_token(&site, token).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{token}");
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"asynq\"");
        assert_eq!(refused.json()["code"], "unauthenticated");
    }
}

#[tokio::test(start_paused = true)]
async fn the_file_is_read_again_and_sessions_of_those_who_stay_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    let write = async |text: &str| {
        std::fs::write(&path, text).unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
    };
    write(&(user("ann", "role = \"viewer\"") + &user("bob", "role = \"viewer\""))).await;
    let site = Site::with(|ui| ui.users(Users::open(&path).unwrap()));
    site.seed().await;
    let ann = log_in(&site, "ann", "ann's").await.unwrap();
    let bob = log_in(&site, "bob", "bob's").await.unwrap();
    let page = async |cookie: &str| browse(&site, "/queues/mail", cookie).await;
    assert!(!page(&ann).await.text().contains("Pause") && page(&bob).await.status == StatusCode::OK);

    write(&user("ann", "role = \"operator\"")).await;
    assert!(page(&bob).await.status.is_redirection(), "he is gone");
    assert!(page(&ann).await.text().contains("Pause"), "with the rights that she has now");
    write("[[users]]\nname = 7\n").await;
    assert_eq!(page(&ann).await.status, StatusCode::OK, "what cannot be read changes nothing");
    write(&user("ann", "role = \"operator\"").replace(&hash("ann's"), &hash("new"))).await;
    assert!(page(&ann).await.status.is_redirection(), "her password is another");
    log_in(&site, "ann", "new").await.unwrap();
    let missing = Users::open(folder.path().join("nope")).unwrap_err();
    assert!(missing.to_string().contains("nope: "), "{missing}");
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_a_page_ends_with_the_session() {
    let site = Site::with(|ui| ui.users(users()).refresh(Duration::from_secs(2)));
    site.seed().await;
    let cookie = log_in(&site, "ann", "ann's").await.unwrap();
    let events =
        Request::get("/events?page=%2Fqueues%2Fmail").header("host", "localhost").header("cookie", &cookie);
    let response = site.service.clone().oneshot(events.body(Body::empty()).unwrap()).await.unwrap();
    let mut events = response.into_body().into_data_stream();
    assert!(String::from_utf8_lossy(&events.next().await.unwrap().unwrap()).contains("m1"));
    let logout = Request::post("/logout").header("host", "localhost").header("cookie", &cookie);
    site.ask(logout.body(Body::empty()).unwrap()).await.leads_to();
    site.inspector.delete("mail", "m1").await.unwrap();
    assert!(events.next().await.is_none());
}

/// Asks from this address, with what a proxy says.
async fn from(site: &Site, peer: Option<[u8; 4]>, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get("/api/v1/meta").header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 7))));
    }
    ask(&site.service, request).await
}

#[tokio::test]
async fn a_trusted_proxy_vouches_for_people() {
    let text = user("ann", "role = \"operator\"")
        + "[[groups]]\nname = \"ops\"\nrole = \"admin\"\n[[groups]]\nname = \"dev\"\nrole = \"viewer\"\n";
    let set = |ui: WebUi| {
        ui.users(Users::parse(&text).unwrap())
            .trusted_proxy("10.0.0.0/8".parse().unwrap())
            .trust_user_header(HeaderName::from_static("x-forwarded-user"))
            .trust_groups_header(HeaderName::from_static("x-forwarded-groups"))
    };
    let site = Site::with(set);
    let (user, groups) = ("x-forwarded-user", "x-forwarded-groups");
    let proxy = Some([10, 1, 2, 3]);
    let rights = |answer: Answer| answer.json()["rights"].as_array().map_or(0, Vec::len);
    assert_eq!(rights(from(&site, proxy, &[(user, "ann")]).await), 11);
    assert_eq!(
        rights(from(&site, proxy, &[(user, "carl"), (groups, "x, dev,ops")]).await),
        15,
        "the first of the file"
    );
    assert_eq!(rights(from(&site, proxy, &[(user, "carl"), (groups, "x"), (groups, "dev")]).await), 2);
    for (peer, headers, code) in [
        (proxy, &[(user, "carl")][..], "unknown_user"),
        (proxy, &[(user, "carl"), (groups, "*")], "unknown_user"),
        (proxy, &[(user, "ann"), (user, "carl")], "untrusted_proxy"),
        (proxy, &[(user, " ")], "untrusted_proxy"),
        (Some([192, 0, 2, 7]), &[(user, "ann")], "untrusted_proxy"),
        (None, &[(user, "ann")], "untrusted_proxy"),
        (proxy, &[(groups, "ops")], "unauthenticated"),
        (proxy, &[], "unauthenticated"),
    ] {
        let answer = from(&site, peer, headers).await;
        assert_eq!(answer.json()["code"], code, "{peer:?} {headers:?}");
    }
    let trusting = Site::with(|ui| set(ui).trust_proxy());
    let answer = from(&trusting, Some([192, 0, 2, 7]), &[(user, "ann")]).await;
    assert_eq!(answer.json()["code"], "untrusted_proxy", "its address must be known");
}

#[tokio::test]
async fn strangers_send_no_large_forms() {
    let site = Site::with(|ui| ui.users(users()));
    let answer = site.send("/login", &[("name", "ann"), ("password", &"x".repeat(100 << 10))]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
