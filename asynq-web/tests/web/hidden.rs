//! Every route that tells of tasks tells neither what is masked nor anything of queues that somebody may not see.

use asynq_core::task::{Task, TaskOptions};
use asynq_web::{Right, Rights};
use axum::http::StatusCode;
use serde_json::json;

use crate::masks::{SECRET, end, operator, site};
use crate::rights::routes;
use crate::site::{Site, as_somebody, encoded, segment};

/// What occurs nowhere but in queues of others: their names, IDs, types, and their schedule.
const OF_OTHERS: [&str; 7] = ["queues/work", ">work<", "\"work\"", "slow", "gives", ">report<", "\"report\""];

/// Every address of ours and of asynqmon's that can be looked at; `{queue}`, `{id}` and `{entry}` stand for some.
const LOOKED_AT: [&str; 30] = [
    "/tasks?filter=id%3A{id}",
    "/tasks?filter=state%3Aactive,completed,pending",
    "/queues/{queue}?state=active&column=payload&column=result&column=headers&column=error",
    "/errors?state=pending",
    "/api/v1/errors?state=pending",
    "/api/v1/types",
    "/api/v1/types?queue={queue}",
    "/api/v1/tasks?filter=id%3A{id}&limit=1000",
    "/api/v1/tasks/export",
    "/api/v1/tasks/export?format=csv",
    "/api/v1/tasks/export?queue={queue}&state=pending&format=csv",
    "/api/v1/tasks/export?filter=id%3A{id}",
    "/api/v1/suggest?field=queue",
    "/api/v1/suggest?field=type",
    "/api/v1/suggest?field=type&queue={queue}",
    "/api/v1/schedules/{entry}/events",
    "/api/queues",
    "/api/queues/{queue}",
    "/api/queues/{queue}/groups",
    "/api/queues/{queue}/pending_tasks?size=100",
    "/api/queues/{queue}/active_tasks",
    "/api/queues/{queue}/completed_tasks",
    "/api/queues/{queue}/archived_tasks",
    "/api/queues/{queue}/groups/g/aggregating_tasks",
    "/api/queues/{queue}/tasks/{id}",
    "/api/queue_stats",
    "/api/servers",
    "/api/scheduler_entries",
    "/api/scheduler_entries/{entry}/enqueue_events",
    "/api/redis_info",
];

/// The addresses with these names in them, and all that are known of other tests.
fn looked_at(queue: &str, id: &str, entry: &str) -> Vec<String> {
    let filled = LOOKED_AT.map(|path| {
        path.replace("{queue}", &segment(queue))
            .replace("{id}", &segment(id))
            .replace("{entry}", &segment(entry))
    });
    let known = routes().into_iter().filter(|(method, ..)| *method == "GET");
    let known = known.map(|(_, path, ..)| path.replace("mail", queue).replace("m1", id));
    filled.into_iter().chain(known).collect()
}

#[tokio::test]
async fn nothing_masked_is_in_any_list_export_or_answer_of_asynqmon() {
    let (site, scheduler, server) = site().await;
    let entry = site.inspector.scheduler_entries().await.unwrap().pop().unwrap();
    for (queue, id) in
        [("mail", "m1"), ("mail", "text"), ("mail", "bytes"), ("work", "gives"), ("work", "slow")]
    {
        for path in looked_at(queue, id, &entry.id) {
            let answer = as_somebody(&site, operator().without(Right::Audit), "GET", &path, "").await;
            assert!(!answer.text().contains(SECRET), "{path}: {}", answer.text());
            assert!(
                answer.status != StatusCode::INTERNAL_SERVER_ERROR || path.starts_with("/api/"),
                "{path}"
            );
        }
    }
    for path in ["/api/v1/tasks/export", "/api/v1/tasks/export?format=csv", "/api/queues/mail/tasks/m1"] {
        let answer = as_somebody(&site, Rights::admin(), "GET", path, "").await;
        assert!(answer.text().contains(SECRET), "who may see it does: {path}");
    }
    end(scheduler, server).await;
}

#[tokio::test]
async fn nothing_of_queues_of_others_is_in_any_answer() {
    let (site, scheduler, server) = site().await;
    let entry = site.inspector.scheduler_entries().await.unwrap().pop().unwrap();
    // A change of somebody else, so that there is one to be seen.
    let all = json!({"action": "archive", "matching": {"queue": "work", "state": "completed"}}).to_string();
    as_somebody(&site, Rights::admin(), "POST", "/api/v1/tasks/actions", &all).await;
    as_somebody(&site, Rights::admin(), "POST", "/doctor/examine", "").await;
    let limited = || Rights::admin().in_queues(["mail"]);
    for (queue, id) in [("mail", "m1"), ("mail", "gives"), ("mail", "slow")] {
        for path in looked_at(queue, id, &entry.id) {
            let answer = as_somebody(&site, limited(), "GET", &path, "").await;
            let text = answer.text();
            // What was asked for is told again.
            for word in OF_OTHERS.iter().filter(|word| **word != id) {
                assert!(!text.contains(*word), "{path} tells {word}: {text}");
            }
        }
    }
    for path in looked_at("work", "slow", &entry.id).iter().filter(|path| path.contains("work")) {
        let answer = as_somebody(&site, limited(), "GET", path, "").await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(
            !answer.text().contains("gives") && !answer.text().contains(SECRET),
            "{path}: {}",
            answer.text()
        );
    }
    for (method, path, body) in [
        (
            "POST",
            "/api/v1/tasks/actions",
            json!({"action": "delete", "matching": {}, "dry_run": true}).to_string(),
        ),
        ("POST", "/tasks/confirm", encoded(&[("all", "delete")])),
    ] {
        let answer = as_somebody(&site, limited(), method, path, &body).await.text();
        assert!(
            answer.contains("23") && !answer.contains("slow"),
            "{path} counts 23 tasks of ours: {answer}"
        );
    }
    end(scheduler, server).await;
}

#[tokio::test]
async fn who_sees_no_payloads_finds_nothing_by_them() {
    let site = Site::new();
    let task = Task::new("t", r#"{"user":{"name":"xyzzy"}}"#).unwrap();
    let options = TaskOptions::new().queue("mail").task_id("m1").header("tenant", "xyzzy");
    site.client.enqueue(task.options(options)).await.unwrap();
    site.enqueue("mail", "text", "xyzzy", |options| options).await;
    site.enqueue("mail", "word", "\"xyzzy\"", |options| options).await;
    let blind = || Rights::admin().without(Right::ViewPayload).without(Right::ViewSecrets);
    for filter in
        ["xyzzy", "payload:xyzzy", "payload:*yzz*", "payload.user.name:xyzzy", "header.tenant:xyzzy"]
    {
        let query = encoded(&[("filter", filter)]);
        for path in ["/api/v1/tasks", "/api/v1/tasks/export", "/tasks"] {
            let path = format!("{path}?{query}");
            let answer = as_somebody(&site, blind(), "GET", &path, "").await.text();
            assert!(
                !answer.contains("\"m1\"") && !answer.contains(">m1<") && !answer.contains(">word<"),
                "{path}: {answer}"
            );
        }
        let all = json!({"action": "delete", "matching": {"filter": filter}}).to_string();
        as_somebody(&site, blind(), "POST", "/api/v1/tasks/actions", &all).await;
        as_somebody(&site, blind(), "POST", "/tasks/act", &encoded(&[("all", "delete"), ("filter", filter)]))
            .await;
    }
    assert_eq!(site.inspector.queue_info("mail").await.unwrap().pending, 3);
    let found = as_somebody(&site, blind(), "GET", "/api/v1/tasks?filter=type%3At", "").await.text();
    assert!(found.contains("\"m1\""), "what is no content finds as ever: {found}");
}
