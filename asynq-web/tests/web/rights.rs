//! Every route asks for the right that it needs: what is not allowed is neither offered nor done.

use asynq_core::task::Task;
use asynq_web::{Right, Rights};
use axum::http::StatusCode;

use crate::site::{Site, as_somebody, encoded, key, segment};

/// Every route but those that show nothing of the store, with the right that it needs.
pub(crate) fn routes() -> Vec<(&'static str, &'static str, String, Right)> {
    let task = key("mail", "m1");
    let act = |verb: &str| encoded(&[("action", verb), ("task", &task), ("to", "other")]);
    let all = |verb: &str| encoded(&[("all", verb), ("queue", "mail"), ("to", "other")]);
    let api =
        |verb: &str, to: &str| format!(r#"{{"action":"{verb}"{to},"tasks":[{{"queue":"mail","id":"m1"}}]}}"#);
    let mut routes = Vec::new();
    for path in [
        "/",
        "/tasks",
        "/queues/mail",
        "/queues/mail/tasks/m1",
        "/servers",
        "/schedules",
        "/redis",
        "/doctor",
        "/runs",
        "/charts",
        "/charts?range=7d",
        "/charts?queue=mail",
        "/charts/prometheus",
        "/errors",
        "/errors?queue=mail",
    ] {
        routes.push(("GET", path, String::new(), Right::View));
    }
    for path in [
        "/api/v1/queues",
        "/api/v1/queues/mail",
        "/api/v1/queues/mail/history",
        "/api/v1/queues/mail/groups",
        "/api/v1/history",
        "/api/v1/series?metric=processed",
        "/api/v1/series?metric=run&queue=mail",
        "/api/v1/errors",
        "/api/v1/types",
        "/api/v1/tasks",
        "/api/v1/tasks?queue=mail",
        "/api/v1/tasks/mail/m1",
        "/api/v1/servers",
        "/api/v1/schedules",
        "/api/v1/redis",
        "/api/v1/doctor",
        "/api/v1/tasks/export",
        "/api/v1/tasks/export?queue=mail&format=csv",
        "/api/v1/suggest?field=queue",
        "/api/v1/suggest?field=type&queue=mail",
        "/api/v1/runs",
    ] {
        routes.push(("GET", path, String::new(), Right::View));
    }
    for path in ["/audit", "/api/v1/audit"] {
        routes.push(("GET", path, String::new(), Right::Audit));
    }
    for path in
        ["/queues/mail/tasks/m1/payload", "/api/v1/tasks/mail/m1/payload", "/api/v1/tasks/mail/m1/result"]
    {
        routes.push(("GET", path, String::new(), Right::ViewPayload));
    }
    for (verb, right) in [
        ("run", Right::Run),
        ("archive", Right::Archive),
        ("delete", Right::Delete),
        ("cancel", Right::Cancel),
        ("move", Right::Edit),
    ] {
        routes.push(("POST", "/tasks/act", act(verb), right));
        routes.push(("POST", "/tasks/act", all(verb), right));
        let to = if verb == "move" { r#","to":"other""# } else { "" };
        routes.push(("POST", "/api/v1/tasks/actions", api(verb, to), right));
    }
    let new = encoded(&[("queue", "mail"), ("type", "t")]);
    routes.push(("GET", "/enqueue", String::new(), Right::Enqueue));
    routes.push(("POST", "/enqueue", new, Right::Enqueue));
    routes.push(("POST", "/api/v1/tasks", r#"{"queue":"mail","type":"t"}"#.to_owned(), Right::Enqueue));
    routes.push(("GET", "/queues/mail/tasks/m1/edit", String::new(), Right::Edit));
    routes.push(("POST", "/queues/mail/tasks/m1/edit", String::new(), Right::Edit));
    routes.push(("PATCH", "/api/v1/tasks/mail/m1", "{}".to_owned(), Right::Edit));
    for path in ["/queues/mail/pause", "/queues/mail/resume"] {
        routes.push(("POST", path, String::new(), Right::Pause));
    }
    routes.push(("PUT", "/api/v1/queues/mail/paused", r#"{"paused":true}"#.to_owned(), Right::Pause));
    routes.push(("GET", "/queues/mail/delete", String::new(), Right::DeleteQueue));
    routes.push((
        "POST",
        "/queues/mail/delete",
        encoded(&[("name", "mail"), ("force", "1")]),
        Right::DeleteQueue,
    ));
    routes.extend(of_schedules());
    let (form, json) = ("class=paused-empty&queue=mail", r#"{"class":"paused-empty","queue":"mail"}"#);
    routes.push(("POST", "/doctor/examine", String::new(), Right::View));
    routes.push(("POST", "/api/v1/doctor/examinations", String::new(), Right::View));
    routes.push(("GET", "/doctor/repair?class=paused-empty&queue=mail", String::new(), Right::Repair));
    routes.push(("POST", "/doctor/repair", form.to_owned(), Right::Repair));
    routes.push(("POST", "/api/v1/doctor/repairs", json.to_owned(), Right::Repair));
    routes.push(("DELETE", "/api/v1/queues/mail?confirm=mail&force=1", String::new(), Right::DeleteQueue));
    routes
}

/// Those that make schedules; changing one needs one that is there: schedules.rs.
fn of_schedules() -> [(&'static str, &'static str, String, Right); 3] {
    let form = [
        ("name", "a"),
        ("spec", "@daily"),
        ("type", "t"),
        ("queue", "mail"),
        ("time_zone", "UTC"),
        ("payload", ""),
    ];
    let json = r#"{"name":"a","spec":"@daily","type":"t","queue":"mail"}"#.to_owned();
    [
        ("GET", "/schedules/new", String::new(), Right::EditSchedule),
        ("POST", "/schedules/new", encoded(&form), Right::EditSchedule),
        ("POST", "/api/v1/schedules", json, Right::EditSchedule),
    ]
}

#[tokio::test]
async fn each_route_refuses_who_has_all_rights_but_the_one_it_needs() {
    for (method, path, body, right) in routes() {
        let site = Site::seeded().await;
        let answer = as_somebody(&site, Rights::admin().without(right), method, path, &body).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{method} {path} {body} without {right:?}: {}",
            answer.text()
        );
        assert!(answer.text().contains(&format!("`{}`", right.as_str())), "{}", answer.text());
        assert_eq!(site.state("mail", "m1").await, "pending", "{method} {path} {body}");
        assert_eq!(site.inspector.queue_info("mail").await.unwrap().size(), 5, "{method} {path}");
        assert!(!site.inspector.queue_info("mail").await.unwrap().is_paused());
        // With it, the same is let through, whatever else is wrong with it.
        let answer = as_somebody(&site, Rights::admin(), method, path, &body).await;
        assert_ne!(answer.status, StatusCode::FORBIDDEN, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn running_a_schedule_is_a_right_of_its_own() {
    let site = Site::new();
    let (scheduler, entry) = site.scheduled("@every 10m", Task::new("report", "{}").unwrap()).await;
    let page = format!("/schedules/{}", segment(&entry.id));
    let (form, api) = (format!("{page}/run"), format!("/api/v1{page}/run"));
    let without = || Rights::admin().without(Right::RunSchedule);
    for path in [&form, &api] {
        assert_eq!(
            as_somebody(&site, without(), "POST", path, "").await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert!(!as_somebody(&site, without(), "GET", &page, "").await.text().contains("Run now"));
    let only = || Rights::none().with(Right::View).with(Right::RunSchedule);
    assert!(as_somebody(&site, only(), "GET", &page, "").await.text().contains("Run now"));
    for path in [&form, &api] {
        let answer = as_somebody(&site, only(), "POST", path, "").await;
        assert!(!answer.status.is_client_error(), "{path}: {}", answer.text());
    }
    assert_eq!(site.inspector.queue_info("default").await.unwrap().pending, 2);
    scheduler.shutdown().await;
}

#[tokio::test]
async fn rights_in_some_queues_reach_no_others() {
    let site = Site::seeded().await;
    site.enqueue("other", "o1", "{}", |options| options).await;
    let rights = || Rights::admin().in_queues(["oth*"]);
    let asked =
        async |method: &str, path: &str, body: &str| as_somebody(&site, rights(), method, path, body).await;
    let found = asked("GET", "/tasks?filter=id%3Am1", "").await.text();
    assert!(!found.contains("With this ID"), "{found}");
    let types = asked("GET", "/api/v1/suggest?field=queue", "").await.json();
    assert_eq!(types["items"], serde_json::json!(["other"]));
    for path in ["/", "/tasks", "/api/v1/queues", "/api/v1/tasks"] {
        let answer = asked("GET", path, "").await.text();
        assert!(
            answer.contains("other")
                && !answer.contains("user-7")
                && !answer.contains("m1")
                && !answer.contains(">mail<"),
            "{path}: {answer}"
        );
    }
    assert_eq!(asked("GET", "/queues/mail", "").await.status, StatusCode::FORBIDDEN);
    let both = format!("action=delete&task={}&task={}", key("mail", "m1"), key("other", "o1"));
    assert_eq!(asked("POST", "/tasks/act", &both).await.status, StatusCode::FORBIDDEN);
    let into = encoded(&[("action", "move"), ("task", &key("other", "o1")), ("to", "mail")]);
    assert_eq!(asked("POST", "/tasks/act", &into).await.status, StatusCode::FORBIDDEN);

    let all = asked("POST", "/api/v1/tasks/actions", r#"{"action":"archive","matching":{}}"#).await.json();
    assert_eq!((all["changed"].as_u64(), all["state"].as_str()), (Some(1), Some("done")), "{all}");
    assert_eq!(
        (site.state("mail", "m1").await, site.state("other", "o1").await),
        ("pending".into(), "archived".into())
    );
    let run = format!("/api/v1/runs/{}", all["id"].as_str().unwrap());
    assert_eq!(asked("GET", &run, "").await.status, StatusCode::OK);
    let elsewhere = Rights::admin().in_queues(["mail"]);
    assert_eq!(as_somebody(&site, elsewhere, "GET", &run, "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_may_only_look_is_offered_nothing_else() {
    let site = Site::with(|ui| ui.rights(Rights::viewer()));
    site.seed().await;
    for path in ["/", "/queues/mail", "/queues/mail/tasks/m1", "/schedules"] {
        let page = site.page(path).await;
        for offer in
            ["method=\"post\"><input", "Enqueue", "Pause", "Delete…", "name=\"action\"", "name=\"all\""]
        {
            assert!(!page.contains(offer), "{path} offers {offer}");
        }
    }
    let blind = Site::with(|ui| ui.rights(Rights::viewer().without(Right::ViewPayload)));
    blind.enqueue("mail", "m1", r#"{"secret":"xyzzy"}"#, |options| options.header("secret", "xyzzy")).await;
    for path in [
        "/queues/mail?column=payload&column=headers",
        "/queues/mail/tasks/m1",
        "/api/v1/tasks",
        "/api/v1/tasks/mail/m1",
        "/api/v1/tasks/export",
        "/api/v1/tasks/export?format=csv",
    ] {
        assert!(!blind.get(path).await.text().contains("xyzzy"), "{path}");
    }
}
