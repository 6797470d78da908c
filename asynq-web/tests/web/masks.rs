//! What is masked is shown to nobody who has not the right to see it, wherever one looks.

use asynq_core::scheduler::{PeriodicTask, Scheduler};
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::eventually;
use asynq_web::{Right, Rights, Visitor, WebUi};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::site::{Site, as_somebody, encoded, key, segment};

/// Occurs nowhere but in what is masked.
pub(crate) const SECRET: &str = "XYZZY";

pub(crate) fn masked(ui: WebUi) -> WebUi {
    ["password", "card.number", "*_token"].iter().fold(ui, |ui, mask| ui.mask(mask.parse().unwrap()))
}

pub(crate) fn operator() -> Rights {
    Rights::admin().without(Right::ViewSecrets)
}

/// A payload with secrets wherever masks are, and around them whatever the seed says.
fn payload(seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut filler =
        || json!({ "n": random.i64(..), "t": random.char(..).to_string(), "list": [random.bool()] });
    let mut value = json!({
        "n": 0, "user": filler(), "card": filler(), "users": [filler(), filler()], "password": SECRET,
    });
    value["user"]["PASSWORD"] = json!({ "old": [SECRET, filler()] });
    value["card"]["number"] = json!(SECRET);
    value["users"][1]["api_token"] = json!(SECRET);
    // Digits stay as they are written.
    value.to_string().replacen("\"n\":0", "\"n\":12345678901234567890.10", 1)
}

/// Tasks that carry secrets in every way: payloads, results, headers, what is no JSON; a schedule, one that runs.
pub(crate) async fn site() -> (Site, Scheduler, Server) {
    let site = Site::with(|ui| masked(ui).compat_asynqmon());
    for seed in 0..20 {
        site.enqueue("mail", &format!("m{seed}"), payload(seed), |options| {
            options.header("password", SECRET).header("tenant", "acme")
        })
        .await;
    }
    site.enqueue("mail", "text", format!("password={SECRET}"), |options| options).await;
    site.enqueue("mail", "bytes", [&[0xff], SECRET.as_bytes()].concat(), |options| options).await;
    site.enqueue("mail", "broken", format!("{{\"password\":\"{SECRET}\""), |options| options).await;
    let scheduler = Scheduler::builder(&site.client).build().unwrap();
    scheduler.register(PeriodicTask::new("@every 10m", Task::new("report", payload(1)).unwrap())).unwrap();
    scheduler.start().unwrap();
    let router = asynq_core::router::Router::new()
        .route("slow", async |ctx: asynq_core::router::Ctx| {
            ctx.cancelled().await;
            Ok::<_, String>(())
        })
        .and_then(|router| {
            router.route("gives", async |_: asynq_core::router::Ctx| {
                Ok::<_, String>(json!({ "password": SECRET, "ok": 1 }))
            })
        })
        .unwrap();
    let server = Server::builder(&site.client).router(router).queues([("work", 1)]).start().await.unwrap();
    for name in ["slow", "gives"] {
        let options =
            TaskOptions::new().queue("work").task_id(name).retention(std::time::Duration::from_secs(3_600));
        site.client.enqueue(Task::new(name, payload(2)).unwrap().options(options)).await.unwrap();
    }
    eventually("all is there", async || {
        let entries = site.inspector.scheduler_entries().await.unwrap();
        let servers = site.inspector.servers().await.unwrap();
        let work = site.inspector.queue_info("work").await.unwrap();
        let is_run = servers.iter().any(|server| !server.running.is_empty());
        (entries.len() == 1 && is_run && work.completed == 1).then_some(())
    })
    .await;
    (site, scheduler, server)
}

pub(crate) async fn end(scheduler: Scheduler, server: Server) {
    scheduler.shutdown().await;
    server.shutdown().await;
}

#[tokio::test]
async fn nothing_masked_is_in_any_answer() {
    let (site, scheduler, server) = site().await;
    let entry = site.inspector.scheduler_entries().await.unwrap().pop().unwrap();
    let mut paths: Vec<String> = [
        "/",
        "/queues/mail",
        "/queues/mail?column=payload&column=headers&column=result&column=error",
        "/queues/work?state=completed&column=result&column=payload",
        "/tasks",
        "/servers",
        "/schedules",
        "/api/v1/tasks?limit=1000",
        "/api/v1/servers",
        "/api/v1/schedules",
    ]
    .map(str::to_owned)
    .into();
    paths.push(format!("/schedules/{}", segment(&entry.id)));
    paths.push(format!("/api/v1/schedules/{}", segment(&entry.id)));
    let ids = (0..20)
        .map(|n| format!("mail m{n}"))
        .chain(["mail text", "mail bytes", "mail broken", "work slow", "work gives"].map(str::to_owned));
    for id in ids {
        let (queue, id) = id.split_once(' ').unwrap();
        for path in ["", "?whole=1", "/payload", "/result", "/edit"] {
            paths.push(format!("/queues/{queue}/tasks/{id}{path}"));
        }
        for path in ["", "/payload", "/result"] {
            paths.push(format!("/api/v1/tasks/{queue}/{id}{path}"));
        }
        paths.push(format!("/enqueue?{}", encoded(&[("like", &key(queue, id))])));
    }
    for path in &paths {
        let answer = as_somebody(&site, operator(), "GET", path, "").await;
        assert!(!answer.text().contains(SECRET), "{path}: {}", answer.text());
        assert!(!answer.text().contains("58 59 5a 5a 59"), "{path}");
        assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
    let page = as_somebody(&site, operator(), "GET", "/queues/mail/tasks/m1", "").await.text();
    assert!(
        page.contains("12345678901234567890.10") && page.contains("•••••") && page.contains("acme"),
        "{page}"
    );
    let whole = as_somebody(&site, operator(), "GET", "/api/v1/tasks/mail/m1/payload", "").await.text();
    let expected = payload(1).replace(&format!("\"{SECRET}\""), "\"•••••\"");
    let old = expected.split("\"PASSWORD\":").nth(1).unwrap().split("]}").next().unwrap();
    assert_eq!(
        whole,
        expected.replacen(&format!("{old}]}}"), "\"•••••\"", 1).replacen(
            &format!("{old}]}}"),
            "\"•••••\"",
            1
        )
    );

    for path in [
        "/queues/mail/tasks/m1",
        "/api/v1/tasks/mail/m1",
        "/queues/mail/tasks/text",
        "/servers",
        "/queues/mail/tasks/m1/edit",
    ] {
        let answer = as_somebody(&site, Rights::admin(), "GET", path, "").await;
        assert!(answer.text().contains(SECRET), "{path}: {}", answer.text());
    }
    assert!(
        !site.page("/queues/mail/tasks/m1").await.contains(SECRET),
        "where nobody logs in, nobody may see it"
    );
    end(scheduler, server).await;
}

/// MessagePack of a value.
fn packed(value: &Value, out: &mut Vec<u8>) {
    let mut head = |byte: u8, length: usize| {
        out.push(byte);
        out.extend(u32::try_from(length).unwrap().to_be_bytes());
    };
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(is) => out.push(0xc2 | u8::from(*is)),
        Value::Number(number) => {
            out.push(0xcb);
            out.extend(number.as_f64().unwrap().to_be_bytes());
        }
        Value::String(text) => {
            head(0xdb, text.len());
            out.extend(text.bytes());
        }
        Value::Array(items) => {
            head(0xdd, items.len());
            for item in items {
                packed(item, out);
            }
        }
        Value::Object(fields) => {
            head(0xdf, fields.len());
            for (name, value) in fields {
                packed(&Value::from(name.clone()), out);
                packed(value, out);
            }
        }
    }
}

/// Whether the secret is in a page, as it is, by number, or in base64.
fn tells(page: &str) -> bool {
    let in_base64 = (0..3).any(|before| {
        let whole = STANDARD.encode([&vec![0; before][..], SECRET.as_bytes()].concat());
        // What is next to it shares a character with it on either side.
        let (start, end) = ((before * 8_usize).div_ceil(6), (before + SECRET.len()) * 8 / 6);
        page.contains(whole.get(start..end).unwrap())
    });
    let dump = page.split("<pre class=\"bytes\"").nth(1).unwrap_or_default();
    let digits = dump.lines().map(|line| line.rsplit('>').next().unwrap().chars().skip(8).take(47));
    let digits: String = digits.flatten().filter(char::is_ascii_hexdigit).collect();
    page.contains(SECRET) || digits.contains("58595a5a59") || in_base64
}

#[tokio::test]
async fn nothing_masked_is_in_any_form_of_a_payload() {
    let site = Site::with(|ui| masked(ui).requests_per_second(0));
    let mut ids = Vec::new();
    for seed in 0..12 {
        let json = payload(seed);
        let mut value: Value = serde_json::from_str(&json.replace("12345678901234567890.10", "1")).unwrap();
        let within = json!({ "body": json, "note": format!("sent {json}, twice {}", json!(json)) });
        let mut in_bytes = Vec::new();
        value["raw"] = within.clone();
        packed(&value, &mut in_bytes);
        let protobuf = [&[0x0a, u8::try_from(SECRET.len()).unwrap()], SECRET.as_bytes()].concat();
        for (name, content, mark) in [
            ("json", json.clone().into_bytes(), ""),
            ("text", within.to_string().into_bytes(), ""),
            ("packed", in_bytes.clone(), "msgpack"),
            ("unmarked", in_bytes, ""),
            ("wrong", json.clone().into_bytes(), "msgpack"),
            ("protobuf", protobuf, "protobuf"),
        ] {
            let id = format!("{name}-{seed}");
            site.enqueue("mail", &id, content, |options| options.header("asynq-codec", mark)).await;
            ids.push(id);
        }
    }
    for id in ids {
        for form in ["", "json", "msgpack", "cbor", "protobuf", "text", "hex", "base64"] {
            let path = format!("/queues/mail/tasks/{id}?as={form}&whole=1");
            let seen = as_somebody(&site, operator(), "GET", &path, "").await;
            assert_eq!(seen.status, StatusCode::OK, "{path}");
            assert!(!tells(&seen.text()), "{path}: {}", seen.text());
        }
        let path = format!("/queues/mail/tasks/{id}?as=hex");
        let all = as_somebody(&site, Rights::admin(), "GET", &path, "").await;
        assert!(tells(&all.text()), "{path}: {}", all.text());
    }
    let packed = as_somebody(&site, operator(), "GET", "/queues/mail/tasks/packed-1", "").await.text();
    assert!(packed.contains("•••••") && packed.contains("sent "), "what is not masked is shown: {packed}");
}

#[tokio::test]
async fn nothing_masked_is_in_errors() {
    let site = Site::with(|ui| masked(ui).compat_asynqmon());
    let router = asynq_core::router::Router::new()
        .route("email:send", async |ctx: asynq_core::router::Ctx| {
            let payload = String::from_utf8_lossy(ctx.payload()).into_owned();
            Err::<(), _>(format!("refused {payload}: {}", json!(json!(payload).to_string())))
        })
        .unwrap();
    let server = Server::builder(&site.client).router(router).queues([("mail", 1)]).start().await.unwrap();
    for (id, seed) in [("e1", 1), ("e2", 2)] {
        site.enqueue("mail", id, payload(seed), |options| options.max_retry(0)).await;
    }
    eventually("all have failed", async || {
        (site.inspector.queue_info("mail").await.unwrap().archived == 2).then_some(())
    })
    .await;
    for path in [
        "/",
        "/queues/mail",
        "/queues/mail?state=archived&column=error",
        "/queues/mail/tasks/e1",
        "/errors",
        "/errors?queue=mail&state=archived",
        "/api/v1/errors",
        "/api/v1/tasks",
        "/api/v1/tasks/mail/e1",
        "/api/v1/tasks/export",
        "/api/v1/tasks/export?format=csv",
        "/api/queues/mail/archived_tasks",
        "/api/queues/mail/tasks/e1",
    ] {
        let seen = as_somebody(&site, operator(), "GET", path, "").await;
        assert_eq!(seen.status, StatusCode::OK, "{path}");
        assert!(seen.text().contains("refused") && !seen.text().contains(SECRET), "{path}: {}", seen.text());
    }
    for filter in ["error:XYZZY", SECRET] {
        let path = format!("/api/v1/tasks?{}", encoded(&[("filter", filter)]));
        assert_eq!(
            as_somebody(&site, operator(), "GET", &path, "").await.json()["items"],
            json!([]),
            "{filter}"
        );
        assert_ne!(as_somebody(&site, Rights::admin(), "GET", &path, "").await.json()["items"], json!([]));
    }
    assert!(
        as_somebody(&site, Rights::admin(), "GET", "/queues/mail/tasks/e1", "").await.text().contains(SECRET)
    );
    server.shutdown().await;
}

#[tokio::test]
async fn nothing_masked_is_found() {
    let (site, scheduler, server) = site().await;
    for filter in [SECRET, "payload:XYZZY", "result:XYZZY", "payload.user:*XYZZY*", "payload.card:*XYZZY*"] {
        let path = format!("/api/v1/tasks?{}", encoded(&[("filter", filter)]));
        assert_eq!(
            as_somebody(&site, operator(), "GET", &path, "").await.json()["items"],
            json!([]),
            "{filter}"
        );
        assert_ne!(
            as_somebody(&site, Rights::admin(), "GET", &path, "").await.json()["items"],
            json!([]),
            "{filter}"
        );
        let all = json!({"action": "archive", "matching": {"filter": filter}, "dry_run": true}).to_string();
        let counted = as_somebody(&site, operator(), "POST", "/api/v1/tasks/actions", &all).await;
        assert_eq!(counted.json()["tasks"], 0, "{filter}");
    }
    for filter in [
        "payload.password:X*",
        "payload.card.number:X*",
        "payload.users.1.api_token:X*",
        "-payload.user.password:X*",
        "header.password:X*",
    ] {
        let path = format!("/api/v1/tasks?{}", encoded(&[("filter", filter)]));
        let refused = as_somebody(&site, operator(), "GET", &path, "").await;
        assert_eq!(refused.json()["code"], "invalid_filter", "{filter}: {}", refused.text());
        assert!(refused.text().contains("is masked"));
        let page =
            as_somebody(&site, operator(), "GET", &format!("/tasks?{}", encoded(&[("filter", filter)])), "")
                .await;
        assert!(page.status == StatusCode::BAD_REQUEST && page.text().contains("^^^^"), "{}", page.text());
        let all = encoded(&[("all", "delete"), ("filter", filter)]);
        assert_eq!(
            as_somebody(&site, operator(), "POST", "/tasks/act", &all).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    assert_eq!(site.inspector.queue_info("mail").await.unwrap().size(), 23);
    end(scheduler, server).await;
}

#[tokio::test]
async fn what_is_not_shown_stays_when_a_task_is_edited() {
    let (site, scheduler, server) = site().await;
    let page = as_somebody(&site, operator(), "GET", "/queues/mail/tasks/m1/edit", "").await.text();
    assert!(
        page.contains("so it stays as it is")
            && !page.contains("name=\"payload\"")
            && !page.contains("name=\"stored\"")
    );
    let saved =
        as_somebody(&site, operator(), "POST", "/queues/mail/tasks/m1/edit", "max_retry=7&headers=x%3A+y")
            .await;
    assert!(saved.status.is_redirection(), "{}", saved.text());
    let task = site.inspector.task("mail", "m1").await.unwrap().info;
    assert_eq!((task.max_retry, &task.payload[..]), (7, payload(1).as_bytes()));
    assert_eq!(task.headers["password"], SECRET);
    for body in ["payload=1", "payload=1&stored=0"] {
        let refused = as_somebody(&site, operator(), "POST", "/queues/mail/tasks/m1/edit", body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{body}");
    }
    let guess = json!({"max_retry": 1, "only_if_payload": {"text": payload(1)}}).to_string();
    let refused = as_somebody(&site, operator(), "PATCH", "/api/v1/tasks/mail/m1", &guess).await;
    assert!(refused.status == StatusCode::FORBIDDEN && refused.text().contains("view_secrets"));
    let changed = as_somebody(&site, operator(), "PATCH", "/api/v1/tasks/mail/m1", "{\"max_retry\":1}").await;
    assert!(changed.status.is_success() && !changed.text().contains(SECRET));
    let like = format!("/enqueue?{}", encoded(&[("like", &key("mail", "m1"))]));
    assert_eq!(as_somebody(&site, operator(), "GET", &like, "").await.status, StatusCode::FORBIDDEN);
    assert!(as_somebody(&site, Rights::admin(), "GET", &like, "").await.text().contains(SECRET));
    end(scheduler, server).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_masked_is_in_what_is_sent_to_open_pages() {
    let site = Site::with(masked);
    site.enqueue("mail", "m1", payload(1), |options| options).await;
    for (rights, is_shown) in [(operator(), false), (Rights::admin(), true)] {
        let path = format!("/events?{}", encoded(&[("page", "/queues/mail/tasks/m1")]));
        let mut request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
        request.extensions_mut().insert(Visitor::new("ann", rights));
        let mut events = site.service.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
        let event = String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert_eq!(event.contains(SECRET), is_shown, "{event}");
    }
}
