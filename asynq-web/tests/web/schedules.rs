//! Stored schedules: made, changed, paused and deleted by forms, and what is told before anything is stored.

use asynq_core::scheduler::{PeriodicTask, StoredSchedule, StoredSchedules};
use asynq_core::task::Task;
use asynq_web::{Right, Rights};
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::site::{Site, as_somebody};

async fn stored(site: &Site) -> (StoredSchedules, StoredSchedule) {
    let schedules = StoredSchedules::new(&site.client);
    let task = Task::new("bill", r#"{"tenant":7}"#).unwrap().header("a", "b");
    let options = |options: asynq_core::task::TaskOptions| options.queue("mail").max_retry(3);
    let task = PeriodicTask::new("0 6 1 * *", task).name("bill 7").time_zone("Europe/Rome").options(options);
    let stored = schedules.create(task).await.unwrap();
    (schedules, stored)
}

/// The value of a hidden field of a form.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    page.split_once(&start)
        .unwrap_or_else(|| panic!("no {name}: {page}"))
        .1
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn one_is_made_after_it_was_told_when_it_fires() {
    let site = Site::seeded().await;
    let schedules = StoredSchedules::new(&site.client);
    let page = site.page("/schedules/new").await;
    assert!(page.contains("Show when it fires") && !page.contains(">Create<"), "{page}");
    let mut fields = vec![
        ("name", "bill 7"),
        ("type", "bill"),
        ("spec", "0 6 1 * *"),
        ("time_zone", "Europe/Rome"),
        ("queue", "mail"),
        ("payload", "{\"tenant\":7}"),
        ("format", "text"),
        ("max_retry", "3"),
        ("headers", "a: b"),
        ("catch_up", "last"),
    ];
    let told = site.send("/schedules/new", &fields).await.text();
    assert!(told.contains("When it fires") && told.contains(">Create<") && told.contains("06:00"), "{told}");
    assert_eq!(told.matches("UTC</span></li>").count(), 5, "{told}");
    assert!(
        told.contains("{&quot;tenant&quot;:7}") || told.contains("{\"tenant\":7}"),
        "what was written stays"
    );
    assert!(schedules.list().await.unwrap().schedules.is_empty(), "nothing is stored yet");

    // Who changes the times meanwhile is told anew.
    let mark = hidden(&told, "told");
    fields.extend([("step", "save"), ("told", mark.as_str())]);
    fields[2].1 = "@daily";
    let again = site.send("/schedules/new", &fields).await.text();
    assert!(again.contains("When it fires"), "{again}");
    assert!(schedules.list().await.unwrap().schedules.is_empty());
    fields[2].1 = "0 6 1 * *";
    let answer = site.send("/schedules/new", &fields).await;
    let made = schedules.get("bill 7").await.unwrap();
    assert!(
        answer.leads_to().starts_with(&format!("/schedules/{}?", made.entry_id())),
        "{}",
        answer.leads_to()
    );
    assert_eq!(
        (made.spec.as_str(), made.time_zone.as_str(), made.queue().as_str()),
        ("0 6 1 * *", "Europe/Rome", "mail")
    );
    assert_eq!(
        (made.headers["a"].as_str(), made.option_strings().join(" ")),
        ("b", "Queue(\"mail\") MaxRetry(3)".to_owned())
    );
    let again = site.send("/schedules/new", &fields).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn what_is_wrong_is_told_beside_what_was_written() {
    let site = Site::seeded().await;
    for (name, value, words) in [
        ("spec", "0 6 * *", "invalid schedule `0 6 * *`"),
        ("time_zone", "Rome", "time zone `Rome`"),
        ("name", " ", "its name must not be blank"),
        ("timeout", "soon", "timeout: "),
        ("catch_up", "0", "catch_up: "),
        ("headers", "odd", "must be a name, a colon and a value"),
    ] {
        let mut fields =
            vec![("name", "x"), ("type", "t"), ("spec", "@daily"), ("time_zone", "UTC"), ("payload", "kept")];
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
        let answer = site.send("/schedules/new", &fields).await;
        let page = answer.text();
        assert!(answer.status == StatusCode::OK && page.contains(words), "{name}: {page}");
        assert!(
            page.contains("role=\"alert\"") && page.contains("kept") && !page.contains(">Create<"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn one_is_changed_unless_somebody_else_was_faster() {
    let site = Site::seeded().await;
    let (schedules, before) = stored(&site).await;
    let here = format!("/schedules/{}", before.entry_id());
    let page = site.page(&here).await;
    for offer in ["Edit", ">Pause<", "Delete…", "bill 7", "Run now"] {
        assert!(page.contains(offer), "{offer}: {page}");
    }
    let form = site.page(&format!("{here}/edit")).await;
    let (revision, told) = (hidden(&form, "revision"), hidden(&form, "told"));
    assert!(form.contains(">Save<") && form.contains("value=\"3\""), "{form}");
    let fields = [
        ("revision", revision.as_str()),
        ("told", told.as_str()),
        ("step", "save"),
        ("spec", "0 6 1 * *"),
        ("time_zone", "Europe/Rome"),
        ("queue", "mail"),
        ("payload", "{\"tenant\":8}"),
        ("format", "text"),
        ("max_retry", ""),
        ("timeout", "90s"),
        ("headers", "c: d"),
    ];
    let answer = site.send(&format!("{here}/edit"), &fields).await;
    assert!(answer.leads_to().contains("done=edit"));
    let after = schedules.get("bill 7").await.unwrap();
    assert_eq!(after.option_strings().join(" "), "Queue(\"mail\") Timeout(1m30s)");
    assert_eq!((after.payload().unwrap(), after.headers.len()), (&Bytes::from("{\"tenant\":8}"), 1));
    // The same form again: it is another by now.
    let late = site.send(&format!("{here}/edit"), &fields).await;
    assert_eq!((late.status, schedules.get("bill 7").await.unwrap()), (StatusCode::CONFLICT, after));

    assert!(site.send(&format!("{here}/pause"), &[]).await.leads_to().contains("done=pause_schedule"));
    assert!(schedules.get("bill 7").await.unwrap().paused_since().is_some());
    assert!(site.page(&here).await.contains(">Resume<"));
    assert!(site.page("/schedules").await.contains(">paused</span>"));
    site.send(&format!("{here}/resume"), &[]).await;
    assert!(schedules.get("bill 7").await.unwrap().paused_since().is_none());
    assert!(site.page(&format!("{here}/delete")).await.contains("Delete the schedule"));
    assert_eq!(
        site.send(&format!("{here}/delete"), &[]).await.leads_to(),
        "/schedules?done=delete_schedule&n=1"
    );
    assert!(schedules.list().await.unwrap().schedules.is_empty());
    let noted = site.inspector.changes_noted(None, 10, |_| true).await.unwrap().entries;
    let noted: Vec<_> = noted
        .iter()
        .map(|(_, entry)| (entry.action.as_str(), entry.subject.as_str(), entry.outcome.as_str()))
        .collect();
    assert_eq!(
        noted,
        [
            ("delete_schedule", "bill 7", "done"),
            ("resume_schedule", "bill 7", "done"),
            ("pause_schedule", "bill 7", "done"),
            ("edit_schedule", "bill 7", "done"),
        ]
    );
}

#[tokio::test]
async fn those_in_programs_say_why_they_cannot_be_changed() {
    let site = Site::new();
    let (scheduler, entry) = site.scheduled("@every 10m", Task::new("report", "{}").unwrap()).await;
    let here = format!("/schedules/{}", entry.id);
    let page = site.page(&here).await;
    assert!(page.contains("In a program: it is changed there") && !page.contains(">Pause<"), "{page}");
    assert!(site.page("/schedules").await.contains("in code"));
    for path in ["edit", "delete"] {
        assert_eq!(site.get(&format!("{here}/{path}")).await.status, StatusCode::CONFLICT);
    }
    for path in ["pause", "resume", "delete", "edit"] {
        let answer = site.send(&format!("{here}/{path}"), &[]).await;
        assert!(
            answer.status == StatusCode::CONFLICT && answer.text().contains("written in a program"),
            "{path}"
        );
    }
    scheduler.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_can_be_deleted() {
    let site = Site::new();
    let odd = Bytes::from(r#"{"version":9}"#);
    site.client.broker().change_timetable("odd <b>", None, Some(&odd)).await.unwrap();
    let page = site.page("/schedules").await;
    assert!(
        page.contains("odd &lt;b&gt;") && page.contains("this program reads 1, and 9 is stored"),
        "{page}"
    );
    let id = page.split_once("/delete\"").unwrap().0.rsplit('/').next().unwrap();
    let delete = format!("{id}/delete");
    assert!(site.page(&format!("/schedules/{id}")).await.contains("cannot be read"));
    // Whoever is limited to some queues is not told.
    let limited = || Rights::admin().in_queues(["mail"]);
    assert!(!as_somebody(&site, limited(), "GET", "/schedules", "").await.text().contains("odd"));
    let refused = as_somebody(&site, limited(), "POST", &format!("/schedules/{delete}"), "").await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    site.send(&format!("/schedules/{delete}"), &[]).await.leads_to();
    assert!(!site.page("/schedules").await.contains("odd"));
}

#[tokio::test]
async fn each_change_is_a_right_in_its_queue() {
    let site = Site::seeded().await;
    let (schedules, before) = stored(&site).await;
    let here = format!("/schedules/{}", before.entry_id());
    let edit = format!("{here}/edit");
    for rights in [Rights::admin().without(Right::EditSchedule), Rights::admin().in_queues(["other"])] {
        let asked = async |method: &str, path: &str, body: &str| {
            as_somebody(&site, rights.clone(), method, path, body).await.status
        };
        for (method, path, body) in [
            ("GET", edit.clone(), ""),
            ("POST", edit.clone(), "spec=%40daily"),
            ("POST", format!("{here}/pause"), ""),
            ("POST", format!("{here}/resume"), ""),
            ("GET", format!("{here}/delete"), ""),
            ("POST", format!("{here}/delete"), ""),
            ("PATCH", format!("/api/v1{here}"), r#"{"spec":"@daily"}"#),
            ("PUT", format!("/api/v1{here}/paused"), r#"{"paused":true}"#),
            ("DELETE", format!("/api/v1{here}"), ""),
        ] {
            let status = asked(method, &path, body).await;
            assert!(
                matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
                "{method} {path}: {status}"
            );
        }
    }
    // Nor may it be moved to where the right does not reach.
    let limited = Rights::admin().in_queues(["mail"]);
    let moved =
        as_somebody(&site, limited.clone(), "PATCH", &format!("/api/v1{here}"), r#"{"queue":"other"}"#).await;
    assert_eq!(moved.status, StatusCode::FORBIDDEN);
    let moved =
        as_somebody(&site, limited, "PATCH", &format!("/api/v1{here}"), r#"{"unset":["queue"]}"#).await;
    assert_eq!(moved.status, StatusCode::FORBIDDEN, "that is the queue `default`");
    assert_eq!(schedules.get("bill 7").await.unwrap(), before);
}

#[tokio::test]
async fn what_is_masked_is_neither_shown_nor_overwritten() {
    let site = Site::with(|ui| ui.mask("tenant".parse().unwrap()));
    let (schedules, before) = stored(&site).await;
    let edit = format!("/schedules/{}/edit", before.entry_id());
    let somebody = Rights::admin().without(Right::ViewSecrets);
    let form = as_somebody(&site, somebody.clone(), "GET", &edit, "").await.text();
    assert!(form.contains("stays as it is") && !form.contains("name=\"payload\""), "{form}");
    let body = format!(
        "revision={}&told={}&step=save&spec=0+6+1+*+*&time_zone=Europe%2FRome&queue=mail&max_retry=9",
        hidden(&form, "revision"),
        hidden(&form, "told")
    );
    let overwritten = as_somebody(&site, somebody.clone(), "POST", &edit, &format!("{body}&payload=x")).await;
    assert_eq!(overwritten.status, StatusCode::FORBIDDEN);
    as_somebody(&site, somebody, "POST", &edit, &body).await.leads_to();
    let after = schedules.get("bill 7").await.unwrap();
    assert_eq!((after.payload(), &after.headers), (before.payload(), &before.headers));
    assert_eq!(after.option_strings().join(" "), "Queue(\"mail\") MaxRetry(9)");
}

#[tokio::test]
async fn one_that_is_paused_can_be_run_now() {
    let site = Site::seeded().await;
    let (schedules, stored) = stored(&site).await;
    schedules.pause("bill 7").await.unwrap();
    let answer = site.send(&format!("/schedules/{}/run", stored.entry_id()), &[]).await;
    let task: Value = site
        .get(&format!(
            "/api/v1{}",
            answer.leads_to().replace("/queues/mail/tasks/", "/tasks/mail/").split('?').next().unwrap()
        ))
        .await
        .json();
    assert_eq!((&task["type"], &task["max_retry"]), (&json!("bill"), &json!(3)));
}
