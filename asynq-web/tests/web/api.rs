//! The JSON API: every route and every error, each answer held against `openapi.json`.

use std::collections::BTreeSet;

use asynq_core::task::Task;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::site::{ODD, Site, segment};

/// The document, as it is served.
fn document() -> Value {
    serde_json::from_str(include_str!("../../src/api/openapi.json")).unwrap()
}

/// Asks a route of the document; the answer must be one that the document has. Gives status and body.
pub(crate) async fn call(
    site: &Site,
    method: &str,
    route: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let mut request =
        Request::builder().method(method).uri(format!("/api/v1{path}")).header("host", "localhost");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let sent = body.as_ref().map(ToString::to_string).unwrap_or_default();
    let answer = site.ask(request.body(Body::from(sent)).unwrap()).await;
    let document = document();
    let operation = &document["paths"][route][method.to_lowercase()];
    assert!(operation.is_object(), "{method} {route} is not in the document");
    let status = answer.status.as_u16();
    let described = match &operation["responses"][status.to_string()] {
        Value::Null => &operation["responses"]["default"],
        described => described,
    };
    let kind = answer.header("content-type").to_owned();
    let content = &described["content"];
    if content.is_null() {
        assert!(answer.body.is_empty(), "{method} {path}: {}", answer.text());
        return (status, Value::Null);
    }
    assert!(
        !content[&kind].is_null(),
        "{method} {path}: {status} {kind} is not in the document: {}",
        answer.text()
    );
    if !kind.contains("json") || kind == "application/jsonl" {
        return (status, Value::String(answer.text()));
    }
    let value = answer.json();
    if let Some(schema) = content[&kind].get("schema") {
        let wrong = mismatch(&document, schema, &value, "answer");
        assert_eq!(wrong, None, "{method} {path}: {value}");
    }
    if let (Some(body), true) = (body, status < 300) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(mismatch(&document, schema, &body, "request"), None, "{method} {path}");
    }
    (status, value)
}

/// Where a value is not as the schema says: as much of JSON Schema as the document uses.
fn mismatch(document: &Value, schema: &Value, value: &Value, place: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return mismatch(document, &document["components"]["schemas"][name], value, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let wrong: Vec<_> = choices.iter().map(|choice| mismatch(document, choice, value, place)).collect();
        let fitting = wrong.iter().filter(|wrong| wrong.is_none()).count();
        return (fitting != 1).then(|| format!("{place}: {fitting} of {wrong:?}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|allowed| allowed == kind),
        Value::Null => true,
        allowed => allowed == kind,
    };
    if !allowed {
        return Some(format!("{place}: {value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|allowed| !value.is_null() && !allowed.contains(value)) {
        return Some(format!("{place}: {value} is none of {}", schema["enum"]));
    }
    if let ("date-time", Some(text)) = (schema["format"].as_str().unwrap_or_default(), value.as_str())
        && text.parse::<jiff::Timestamp>().is_err()
    {
        return Some(format!("{place}: {text} is no time"));
    }
    if let Some(items) = value.as_array() {
        let mut wrong = items.iter().enumerate();
        return wrong
            .find_map(|(at, item)| mismatch(document, &schema["items"], item, &format!("{place}[{at}]")));
    }
    let fields = value.as_object()?;
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Some(format!("{place}: {name} is missing"));
        }
    }
    fields.iter().find_map(|(name, field)| {
        let place = format!("{place}.{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => Some(format!("{place} is not in the document")),
            (Value::Null, rest) => mismatch(document, rest, field, &place),
            (known, _) => mismatch(document, known, field, &place),
        }
    })
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let source = include_str!("../../src/api/mod.rs");
    let mut routes = BTreeSet::new();
    for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
        let (path, handlers) = line.split_once("\", ").unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!("{method}(")) {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    let document = document();
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, operations)| {
        operations.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
    });
    assert!(routes.len() > 20);
    assert_eq!(described.collect::<BTreeSet<_>>(), routes);
}

#[tokio::test]
async fn the_document_and_meta() {
    let site = Site::with(|ui| ui.title("staging"));
    let (status, served) = call(&site, "GET", "/openapi.json", "/openapi.json", None).await;
    assert_eq!((status, served), (200, document()));
    let (_, all) = call(&site, "GET", "/instances", "/instances", None).await;
    assert_eq!(all["items"][0]["reached"], true);
    let (_, meta) = call(&site, "GET", "/meta", "/meta", None).await;
    assert_eq!((&meta["title"], meta["rights"].as_array().unwrap().len()), (&json!("staging"), 14));
}

#[tokio::test]
async fn queues() {
    let site = Site::seeded().await;
    let (_, all) = call(&site, "GET", "/queues", "/queues", None).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let few = async |query: &str| call(&site, "GET", "/queues", &format!("/queues?{query}"), None).await.1;
    assert_eq!(few("name=MAI").await["items"][0]["queue"], "mail");
    assert_eq!(few("limit=1").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(few("memory=1").await["items"].as_array().unwrap().len(), 2);
    assert_eq!(few("odd=1").await["code"], "invalid");
    let odd = format!("/queues/{}", segment(ODD));
    let (_, one) = call(&site, "GET", "/queues/{queue}", &odd, None).await;
    assert_eq!((&one["queue"], &one["pending"]), (&json!(ODD), &json!(1)));

    for paused in [true, true, false, false] {
        let body = Some(json!({"paused": paused}));
        let (status, _) = call(&site, "PUT", "/queues/{queue}/paused", &format!("{odd}/paused"), body).await;
        assert_eq!(status, 200);
        assert_eq!(site.inspector.queue_info(ODD).await.unwrap().is_paused(), paused);
    }
    let (_, days) = call(&site, "GET", "/queues/{queue}/history", "/queues/mail/history?days=3", None).await;
    assert_eq!(days["items"].as_array().unwrap().len(), 3);
    let (_, groups) = call(&site, "GET", "/queues/{queue}/groups", "/queues/mail/groups", None).await;
    assert_eq!(groups["items"], json!([{"group": "user-7", "size": 1}]));

    let delete = async |path: &str| call(&site, "DELETE", "/queues/{queue}", path, None).await;
    assert_eq!(delete("/queues/mail").await.1["code"], "not_confirmed");
    assert_eq!(delete("/queues/mail?confirm=mail").await.1["code"], "queue_not_empty");
    assert_eq!(delete("/queues/mail?confirm=mail&force=true").await.0, 204);
    assert_eq!(delete("/queues/mail?confirm=mail").await.1["code"], "queue_not_found");
}

#[tokio::test]
async fn tasks_are_found_part_by_part() {
    let site = Site::seeded().await;
    let list = async |query: &str| call(&site, "GET", "/tasks", &format!("/tasks{query}"), None).await.1;
    let ids = |found: &Value| {
        found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&list("").await).len(), 6);
    assert_eq!(ids(&list("?queue=mail&state=pending").await), ["m1", "m2"]);
    assert_eq!(ids(&list("?queue=mail&state=pending&order=last").await), ["m2", "m1"]);
    assert_eq!(ids(&list("?queue=mail&state=aggregating&group=user-7").await), ["g1"]);
    let fitting = list("?filter=payload.to%3Abob").await;
    assert_eq!((ids(&fitting), &fitting["scanned"]), (vec!["m2".to_owned()], &json!(6)));
    let first = list("?queue=mail&limit=2").await;
    let cursor = segment(first["next_cursor"].as_str().unwrap());
    let rest = list(&format!("?queue=mail&cursor={cursor}")).await;
    assert_eq!((ids(&first).len(), ids(&rest).len(), &rest["next_cursor"]), (2, 3, &Value::Null));
    for (query, code, words) in [
        ("?limit=0", "invalid", "from 1 to 1000"),
        ("?limit=x", "invalid", "limit"),
        ("?state=odd", "invalid", "unknown task state"),
        ("?order=odd", "invalid", "first or last"),
        ("?cursor=odd", "invalid", "cursor"),
        ("?stat=odd", "invalid", "known are: queue, state"),
        ("?filter=tipe%3Ax", "invalid_filter", "^^^^"),
        ("?queue=nope", "queue_not_found", "nope"),
    ] {
        let problem = list(query).await;
        assert_eq!(problem["code"], code, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{query}: {problem}");
    }
}

#[tokio::test]
async fn tasks_are_exported_as_files() {
    let site = Site::seeded().await;
    let export = async |query: &str| {
        let path = format!("/tasks/export?{query}");
        call(&site, "GET", "/tasks/export", &path, None).await.1
    };
    let lines = export("queue=mail&state=pending").await;
    let tasks: Vec<Value> =
        lines.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (tasks.len(), &tasks[0]["id"], &tasks[1]["headers"]["tenant"]),
        (2, &json!("m1"), &json!("acme"))
    );
    let table = export("format=csv&filter=payload.to%3Abob").await;
    let rows: Vec<&str> = table.as_str().unwrap().lines().collect();
    assert!(rows[0].starts_with("\"id\",\"queue\",\"type\",\"state\",\"payload\""), "{rows:?}");
    assert!(
        rows[1].starts_with("\"m2\",\"mail\",\"email:send\",\"pending\",\"{\"\"to\"\":\"\"bob\"\"}\""),
        "{rows:?}"
    );
    assert_eq!(rows.len(), 2);
    let file = site.get("/api/v1/tasks/export?format=csv").await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"tasks.csv\"");
    for (query, code) in [
        ("format=xml", "invalid"),
        ("state=odd", "invalid"),
        ("queue=nope", "queue_not_found"),
        ("filter=tipe%3Ax", "invalid_filter"),
        ("limit=3", "invalid"),
    ] {
        let problem = site.get(&format!("/api/v1/tasks/export?{query}")).await;
        assert_eq!(problem.json()["code"], code, "{query}");
    }
}

#[tokio::test]
async fn what_may_stand_in_a_filter_is_suggested() {
    let site = Site::seeded().await;
    let suggest = async |query: &str| {
        let path = format!("/suggest?{query}");
        call(&site, "GET", "/suggest", &path, None).await.1["items"].clone()
    };
    assert_eq!(suggest("prefix=pay").await, json!(["payload"]));
    assert_eq!(suggest("field=state&prefix=a").await[0], "active");
    assert_eq!(
        suggest("field=has&prefix=re").await,
        json!(["result", "retention", "headers"]).as_array().map(|all| json!(all[..2])).unwrap()
    );
    assert_eq!(suggest("field=is&prefix=").await, json!(["orphaned"]));
    assert_eq!(suggest("field=queue&prefix=MA").await, json!(["mail"]));
    assert_eq!(suggest("field=type&prefix=send").await, json!(["email:send"]));
    assert_eq!(suggest("field=type&queue=mail").await, json!(["email:send"]));
    assert_eq!(suggest("field=id&prefix=m").await, json!([]));
    assert_eq!(suggest("").await.as_array().unwrap().len(), 15);
    let problem = call(&site, "GET", "/suggest", "/suggest?text=x", None).await.1;
    assert_eq!(problem["code"], "invalid");
}

#[tokio::test]
async fn one_task() {
    let site = Site::seeded().await;
    let odd = format!("/tasks/{0}/{0}", segment(ODD));
    let (_, task) = call(&site, "GET", "/tasks/{queue}/{id}", &odd, None).await;
    assert_eq!((&task["id"], &task["payload"]["text"]), (&json!(ODD), &json!("plain")));
    let route = "/tasks/{queue}/{id}/payload";
    assert_eq!(call(&site, "GET", route, &format!("{odd}/payload"), None).await.1, "plain");
    let (status, problem) =
        call(&site, "GET", "/tasks/{queue}/{id}/result", "/tasks/mail/m1/result", None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    let (_, problem) = call(&site, "GET", "/tasks/{queue}/{id}", "/tasks/mail/nope", None).await;
    assert_eq!(problem["code"], "task_not_found");
}

#[tokio::test]
async fn enqueuing() {
    let site = Site::new();
    let new = async |body: Value| call(&site, "POST", "/tasks", "/tasks", Some(body)).await;
    let whole = json!({
        "queue": ODD, "type": "t", "payload": {"json": {"a": 1}}, "id": "a", "max_retry": 3, "timeout_ms": 90_000,
        "deadline": "2033-05-19T12:00:00Z", "unique_ms": 60_000, "process_in_ms": 60_000, "retention_ms": 1_000,
        "headers": {"tenant": "acme"}
    });
    let (status, task) = new(whole.clone()).await;
    assert_eq!(
        (status, &task["state"], &task["payload"]["text"]),
        (201, &json!("scheduled"), &json!(r#"{"a":1}"#))
    );
    assert_eq!((&task["timeout_ms"], &task["process_at"]), (&json!(90_000), &json!("2033-05-18T12:01:00Z")));
    let (_, task) = new(json!({"type": "t", "payload": {"base64": "/wA="}})).await;
    assert_eq!((&task["queue"], &task["payload"]["base64"]), (&json!("default"), &json!("/wA=")));

    let same_id = json!({"queue": ODD, "type": "other", "id": "a"});
    assert_eq!(new(same_id).await.1["code"], "task_id_conflict");
    let mut other = whole;
    other["id"] = json!("b");
    assert_eq!(new(other).await.1["code"], "duplicate_task");
    for (body, words) in [
        (json!({}), "missing field `type`"),
        (json!({"type": "t", "tipe": "x"}), "unknown field `tipe`"),
        (json!({"type": " "}), "white space"),
        (json!({"type": "t", "payload": {"base64": "*"}}), "no base64"),
        (json!({"type": "t", "deadline": "soon"}), "deadline"),
        (json!({"type": "t", "process_in_ms": 1, "process_at": "odd"}), "process_at"),
    ] {
        let (status, problem) = new(body).await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid")));
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    let request =
        Request::post("/api/v1/tasks").header("host", "localhost").header("content-type", "text/plain");
    let answer = site.ask(request.body(Body::from("{}")).unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (415, &json!("unsupported_media_type")));
}

#[tokio::test]
async fn editing() {
    let site = Site::seeded().await;
    let route = "/tasks/{queue}/{id}";
    let edit = async |path: &str, body: Value| call(&site, "PATCH", route, path, Some(body)).await;
    let changes = json!({
        "payload": {"text": "new"}, "only_if_payload": {"text": r#"{"to":"bob"}"#}, "max_retry": 9,
        "process_in_ms": 60_000, "headers": {"tenant": null, "x": "y"}
    });
    let (status, task) = edit("/tasks/mail/m2", changes.clone()).await;
    assert_eq!(
        (status, &task["payload"]["text"], &task["headers"]),
        (200, &json!("new"), &json!({"x": "y"}))
    );
    assert_eq!((&task["max_retry"], &task["state"]), (&json!(9), &json!("scheduled")));
    assert_eq!(edit("/tasks/mail/m2", changes).await.1["code"], "task_changed");
    assert_eq!(edit("/tasks/mail/g1", json!({"max_retry": 1})).await.1["code"], "wrong_state");
    assert_eq!(edit("/tasks/mail/m1", json!({"odd": 1})).await.1["code"], "invalid");
}

#[tokio::test]
async fn actions() {
    let site = Site::seeded().await;
    let act = async |body: Value| call(&site, "POST", "/tasks/actions", "/tasks/actions", Some(body)).await;
    let (_, counted) = act(json!({"action": "run", "matching": {"queue": "mail"}, "dry_run": true})).await;
    assert_eq!(counted, json!({"tasks": 3, "complete": true}));
    let named = json!([{"queue": "mail", "id": "m1"}, {"queue": "mail", "id": "nope"}]);
    let (status, run) = act(json!({"action": "archive", "tasks": named})).await;
    assert_eq!(
        (status, &run["state"], &run["changed"], &run["failed"]),
        (200, &json!("done"), &json!(1), &json!(1))
    );
    assert_eq!(run["failures"][0]["id"], "nope");
    let (_, moved) = act(json!({"action": "move", "to": "other", "matching": {"filter": "id:m2"}})).await;
    assert_eq!((&moved["changed"], site.state("other", "m2").await), (&json!(1), "pending".to_owned()));

    let (_, runs) = call(&site, "GET", "/runs", "/runs", None).await;
    assert_eq!(runs["items"].as_array().unwrap().len(), 2);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    assert_eq!(call(&site, "GET", "/runs/{run}", &path, None).await.1, run);
    assert_eq!(call(&site, "DELETE", "/runs/{run}", &path, None).await.0, 202);
    assert_eq!(call(&site, "GET", "/runs/{run}", "/runs/nope", None).await.1["code"], "run_not_found");

    for (body, words) in [
        (json!({"action": "eat", "matching": {}}), "no action; known are run"),
        (json!({"action": "run"}), "one of `tasks` and `matching`"),
        (json!({"action": "run", "tasks": []}), "no task is selected"),
        (json!({"action": "run", "tasks": [], "matching": {}}), "one of"),
        (json!({"action": "run", "to": "x", "matching": {}}), "only for the action move"),
        (json!({"action": "move", "matching": {}}), "name of the queue is missing"),
        (json!({"action": "run", "matching": {"state": "odd"}}), "unknown task state"),
    ] {
        let (status, problem) = act(body).await;
        assert_eq!(status, 400);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
}

#[tokio::test]
async fn servers_and_redis() {
    let site = Site::new();
    assert_eq!(call(&site, "GET", "/servers", "/servers", None).await.1, json!({"items": []}));
    assert_eq!(call(&site, "GET", "/redis", "/redis", None).await.1["info"], json!({}));
}

#[tokio::test]
async fn who_changed_what() {
    let site = Site::seeded().await;
    let list = async |query: &str| call(&site, "GET", "/audit", &format!("/audit{query}"), None).await.1;
    assert_eq!(list("").await, json!({"items": [], "next_cursor": null, "kept": true}));
    for paused in [true, false, false] {
        let body = Some(json!({"paused": paused}));
        call(&site, "PUT", "/queues/{queue}/paused", "/queues/mail/paused", body).await;
    }
    let all = list("").await;
    let actions: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|item| item["action"].clone()).collect();
    assert_eq!(actions, ["resume", "pause"], "what was so already is no change");
    assert_eq!((&all["items"][0]["queue"], &all["items"][0]["outcome"]), (&json!("mail"), &json!("done")));
    assert_eq!(list("?action=pause").await["items"].as_array().unwrap().len(), 1);
    assert!(list("?actor=ann").await["items"].as_array().unwrap().is_empty());
    let first = list("?limit=1").await;
    let rest = list(&format!("?cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&first["items"][0], &rest["items"][0]), (&all["items"][0], &all["items"][1]));
    for (query, words) in
        [("?limit=0", "from 1 to 1000"), ("?cursor=x", "no place among"), ("?who=x", "known are")]
    {
        let problem = list(query).await;
        assert!(
            problem["code"] == "invalid" && problem["detail"].as_str().unwrap().contains(words),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn the_doctor() {
    let site = Site::seeded().await;
    let (_, report) = call(&site, "GET", "/doctor", "/doctor", None).await;
    assert_eq!((&report["examination"], &report["working_since"]), (&Value::Null, &Value::Null));
    assert_eq!(
        report["warnings"][0],
        json!({"code": "unserved", "severity": "error", "about": "queue", "subject": ODD,
               "text": "1 task waiting: no server takes from the queue."})
    );
    let (status, report) = call(&site, "POST", "/doctor/examinations", "/doctor/examinations", None).await;
    assert_eq!((status, &report["examination"]["tasks"]), (200, &json!(6)));
    assert_eq!(report["examination"]["findings"][0]["class"], "unserved");
    let repair =
        async |body: Value| call(&site, "POST", "/doctor/repairs", "/doctor/repairs", Some(body)).await;
    let (status, report) = repair(json!({"class": "stale-lock", "queue": "mail"})).await;
    assert_eq!((status, &report["repair"]["mended"]), (200, &json!(0)));
    for (body, words) in [
        (json!({"class": "odd"}), "no class of findings"),
        (json!({"class": "evicting"}), "cannot be repaired"),
        (json!({"class": "lost", "queues": []}), "unknown field"),
    ] {
        let (status, problem) = repair(body).await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
}

#[tokio::test]
async fn schedules() {
    let site = Site::new();
    let (scheduler, entry) = site.scheduled("@every 10m", Task::new("report", "{}").unwrap()).await;
    let (_, all) = call(&site, "GET", "/schedules", "/schedules", None).await;
    assert_eq!(all["items"][0]["in_words"], "every 10 minutes");
    assert_eq!(all["items"][0]["next_at"].as_array().unwrap().len(), 5);
    let path = format!("/schedules/{}", segment(&entry.id));
    assert_eq!(call(&site, "GET", "/schedules/{entry}", &path, None).await.1, all["items"][0]);
    let (status, task) = call(&site, "POST", "/schedules/{entry}/run", &format!("{path}/run"), None).await;
    assert_eq!((status, &task["type"], &task["queue"]), (201, &json!("report"), &json!("default")));
    let events =
        call(&site, "GET", "/schedules/{entry}/events", &format!("{path}/events?size=5"), None).await;
    assert_eq!(events.0, 200);
    for bad in ["?page=0", "?size=0", "?odd=1"] {
        let path = format!("{path}/events{bad}");
        assert_eq!(call(&site, "GET", "/schedules/{entry}/events", &path, None).await.1["code"], "invalid");
    }
    assert_eq!(
        call(&site, "GET", "/schedules/{entry}", "/schedules/nope", None).await.1["code"],
        "entry_not_found"
    );
    scheduler.shutdown().await;
}

#[tokio::test]
async fn stored_schedules() {
    let site = Site::new();
    let new = json!({
        "name": "bill 7", "spec": "0 6 1 * *", "time_zone": "Europe/Rome", "type": "bill", "queue": "mail",
        "payload": {"json": {"tenant": 7}}, "max_retry": 3, "unique_ms": 60_000, "headers": {"a": "b"}, "catch_up": 5
    });
    let (status, made) = call(&site, "POST", "/schedules", "/schedules", Some(new.clone())).await;
    assert_eq!((status, &made["state"], &made["stored"]["catch_up"]), (201, &json!("idle"), &json!(5)));
    assert_eq!(
        (&made["spec"], &made["stored"]["spec"]),
        (&json!("CRON_TZ=Europe/Rome 0 6 1 * *"), &json!("0 6 1 * *"))
    );
    assert_eq!(made["next_at"].as_array().unwrap().len(), 5);
    let path = format!("/schedules/{}", segment(made["id"].as_str().unwrap()));
    let (_, one) = call(&site, "GET", "/schedules/{entry}", &path, None).await;
    assert_eq!(one["stored"], made["stored"]);
    let edit = async |body: Value| call(&site, "PATCH", "/schedules/{entry}", &path, Some(body)).await;
    let revision = made["stored"]["revision"].clone();
    let changes = json!({"revision": revision, "spec": "@daily", "catch_up": "last", "unset": ["unique"], "headers": {"a": null}});
    let (status, changed) = edit(changes.clone()).await;
    assert_eq!(
        (status, &changed["stored"]["spec"], &changed["stored"]["catch_up"]),
        (200, &json!("@daily"), &json!("last"))
    );
    assert_eq!(changed["options"], json!(["Queue(\"mail\")", "MaxRetry(3)"]));
    assert_eq!(
        (edit(changes).await.1["code"].clone(), edit(json!({})).await.0),
        (json!("schedule_changed"), 200)
    );
    for (body, words) in [
        (json!({"spec": "* *"}), "invalid schedule"),
        (json!({"unset": ["odd"]}), "no option of a task"),
        (json!({"catch_up": 0}), "number of ticks"),
        (json!({"type": "t"}), "unknown field"),
    ] {
        let (_, problem) = edit(body).await;
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
        assert_eq!(problem["code"], "invalid");
    }
    for paused in [true, true, false] {
        let body = json!({"paused": paused});
        let there = format!("{path}/paused");
        let (status, now) = call(&site, "PUT", "/schedules/{entry}/paused", &there, Some(body.clone())).await;
        assert_eq!((status, now), (200, body));
        let (_, one) = call(&site, "GET", "/schedules/{entry}", &path, None).await;
        assert_eq!(one["state"], if paused { "paused" } else { "idle" });
    }
    assert_eq!(call(&site, "DELETE", "/schedules/{entry}", &path, None).await.0, 204);
    let (_, all) = call(&site, "GET", "/schedules", "/schedules", None).await;
    assert_eq!(all, json!({"items": [], "unreadable": []}));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_in_json() {
    let site = Site::new();
    for (method, path, status, code) in [
        ("GET", "/api/v1/nope", 404, "not_found"),
        ("GET", "/api/v2/queues", 404, "not_found"),
        ("POST", "/api/v1/queues", 405, "method_not_allowed"),
    ] {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let answer = site.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, "application/problem+json")
        );
        assert_eq!(answer.json()["code"], code, "{path}");
    }
}
