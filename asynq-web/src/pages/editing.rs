//! New tasks, tasks like others, and changes to stored ones.

use asynq_core::inspector::{PayloadFormat, TaskEdit, human};
use asynq_core::task::{Headers, Task, TaskInfo, TaskOptions};
use axum::Form;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::Response;
use axum::response::Redirect;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::acting::queue_names;
use super::layout::{Page, Section, done};
use super::parts::hidden;
use super::task::opened;
use crate::actions::TaskKey;
use crate::fields::Fields;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// The form for a new task, filled in like another one where that is named.
pub(crate) async fn new_task(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    if !visit.rights().have(Right::Enqueue) {
        return Err(Problem::forbidden(Right::Enqueue, None));
    }
    let draft = match fields.parsed::<TaskKey>("like")? {
        Some(key) => {
            let detail = visit.inspector(Right::ViewPayload, &key.queue)?.task(&key.queue, &key.id).await?;
            let draft = Draft::of(&visit, &detail.info);
            if draft.payload.is_none() || draft.headers.is_none() {
                return Err(Problem::forbidden(Right::ViewSecrets, Some(&key.queue)));
            }
            draft
        }
        None => Draft::new(fields.text("queue").unwrap_or("default")),
    };
    let body = html! {
        div.head { h1 { "Enqueue a task" } }
        form.stack.wide method="post" action=(visit.link().to("enqueue")) {
            div.row {
                (input("queue", "Queue", &draft.queue, "", true, Some("queues")))
                (input("type", "Type", &draft.task_type, "email:send", true, None))
            }
            (queue_names(&visit).await)
            (payload_fields(&draft))
            div.row {
                (input("when", "When", "", "now, 15m, tomorrow 09:00, 2026-12-24T09:00:00Z", false, None))
                (input("max_retry", "Retries", &draft.max_retry, "25", false, None))
                (input("timeout", "Timeout", &draft.timeout, "30m", false, None))
            }
            details { summary { "More" }
                div.row {
                    (input("id", "ID", "", "one is made", false, None))
                    (input("group", "Group", &draft.group, "", false, None))
                    (input("unique", "Unique for", "", "1h", false, None))
                }
                div.row {
                    (input("deadline", "Deadline", "", "2h", false, None))
                    (input("retention", "Keep after success for", &draft.retention, "1d", false, None))
                }
                (header_field(&draft))
            }
            div.buttons { button { "Enqueue" } }
        }
    };
    Ok(Page::new(Section::Tasks, "Enqueue a task", body).show(&visit))
}

/// Enqueues it.
pub(crate) async fn enqueue(visit: Visit, Form(fields): Form<Fields>) -> Result<Redirect, Problem> {
    let queue = fields.text("queue").ok_or_else(|| Problem::invalid("queue: a name is missing"))?;
    let task_type = fields.text("type").ok_or_else(|| Problem::invalid("type: a name is missing"))?;
    let client = visit.client(queue)?;
    let mut options = TaskOptions::new().queue(queue);
    if let Some(id) = fields.text("id") {
        options = options.task_id(id);
    }
    if let Some(group) = fields.text("group") {
        options = options.group(group);
    }
    if let Some(times) = fields.parsed("max_retry")? {
        options = options.max_retry(times);
    }
    if let Some(limit) = fields.read("timeout", human::duration)? {
        options = options.timeout(limit);
    }
    if let Some(time) = fields.read("unique", human::duration)? {
        options = options.unique(time);
    }
    if let Some(keep) = fields.read("retention", human::duration)? {
        options = options.retention(keep);
    }
    if let Some(at) = fields.read("deadline", |text| moment(&visit, text))? {
        options = options.deadline(at);
    }
    if let Some(at) = fields.read("when", |text| moment(&visit, text))? {
        options = options.process_at(at);
    }
    for (name, value) in headers(&fields)? {
        options = options.header(name, value);
    }
    let task = Task::new(task_type, payload(&fields)?).map_err(asynq_core::Error::from)?;
    let stored = client.enqueue(task.options(options)).await;
    let id = stored.as_ref().map(|stored| stored.id.to_string()).unwrap_or_default();
    let info = visit.audited("enqueue", queue, &id, stored).await?.into_info();
    Ok(done(visit.link().to("queues").to(queue).to("tasks").to(info.id.as_str()).as_str(), "enqueue", 1))
}

/// The form that changes a stored task.
pub(crate) async fn edit(
    visit: Visit,
    Path((queue, id)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let (queue, id) = (name(&queue), name(&id));
    visit.inspector(Right::ViewPayload, queue)?;
    let info = visit.inspector(Right::Edit, queue)?.task(queue, id).await?.info;
    let draft = Draft::of(&visit, &info);
    let here = visit.link().to("queues").to(queue).to("tasks").to(id);
    let body = html! {
        div.head { h1 { "Edit " span.id { (human::printable(id)) } } span.muted { (human::printable(info.task_type.as_str())) } }
        p.muted { "What is left as it is, stays. If somebody else changes the payload meanwhile, nothing is saved." }
        form.stack.wide method="post" action=(here.clone().to("edit")) {
            @if draft.payload.is_some() { (hidden("stored", fingerprint(&info.payload))) }
            (payload_fields(&draft))
            div.row {
                (input("when", "When", "", "as it is; 15m, tomorrow 09:00, 2026-12-24T09:00:00Z", false, None))
                (input("max_retry", "Retries", &draft.max_retry, "", false, None))
                (input("timeout", "Timeout", &draft.timeout, "", false, None))
                (input("retention", "Keep after success for", &draft.retention, "", false, None))
            }
            (header_field(&draft))
            div.buttons { button { "Save" } a.button.quiet href=(here) { "Back" } }
        }
    };
    Ok(Page::new(Section::Queues, format!("Edit {id}"), body).show(&visit))
}

/// Changes it.
pub(crate) async fn save(
    visit: Visit,
    Path((queue, id)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, Problem> {
    let (queue, id) = (name(&queue), name(&id));
    let inspector = visit.inspector(Right::Edit, queue)?;
    let info = inspector.task(queue, id).await?.info;
    let draft = Draft::of(&visit, &info);
    let mut edit = TaskEdit::new().only_if_payload(info.payload.clone());
    if draft.payload.is_some() {
        if fields.raw("stored") != Some(fingerprint(&info.payload).as_str()) {
            return Err(Problem::new(
                "task_changed",
                "the payload was changed by somebody else meanwhile: nothing was saved",
            ));
        }
        let written = Bytes::from(payload(&fields)?);
        if opened(&visit, &info).unwrap_or_else(|_| info.payload.clone()) != written {
            edit = edit.payload(written);
        }
    } else if fields.raw("payload").is_some() {
        return Err(Problem::forbidden(Right::ViewSecrets, Some(queue)));
    }
    if let Some(times) = fields.parsed("max_retry")? {
        edit = edit.max_retry(times);
    }
    if let Some(limit) = fields.read("timeout", human::duration)? {
        edit = edit.timeout(limit);
    }
    if let Some(keep) = fields.read("retention", human::duration)? {
        edit = edit.retention(keep);
    }
    if let Some(at) = fields.read("when", |text| moment(&visit, text))? {
        edit = edit.process_at(at);
    }
    if draft.headers.is_some() {
        let given = headers(&fields)?;
        for name in info.headers.keys().filter(|name| !given.iter().any(|(given, _)| given == *name)) {
            edit = edit.without_header(name);
        }
        for (name, value) in given {
            edit = edit.header(name, value);
        }
    }
    visit.audited("edit", queue, id, inspector.edit(queue, id, edit).await).await?;
    Ok(done(visit.link().to("queues").to(queue).to("tasks").to(id).as_str(), "edit", 1))
}

/// What a form is filled in with.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) queue: String,
    pub(super) task_type: String,
    /// None where something in it is not shown: then it stays as it is.
    pub(super) payload: Option<String>,
    pub(super) format: PayloadFormat,
    pub(super) max_retry: String,
    pub(super) timeout: String,
    pub(super) retention: String,
    pub(super) group: String,
    /// Likewise.
    pub(super) headers: Option<String>,
}

impl Draft {
    pub(super) fn new(queue: &str) -> Self {
        let empty = || Some(String::new());
        Self { queue: queue.to_owned(), payload: empty(), headers: empty(), ..Self::default() }
    }

    fn of(visit: &Visit, info: &TaskInfo) -> Self {
        let seen = visit.seen(info.clone());
        let content = visit.shared.client.open(info).unwrap_or_else(|_| info.payload.clone());
        let (is_payload_seen, are_headers_seen) =
            (!visit.hides(info.queue.as_str()) || seen.payload == content, seen.headers == info.headers);
        let (payload, format) = written(&content);
        // To the second, as it is stored.
        let length = |length: std::time::Duration| match length.as_secs() {
            0 => String::new(),
            seconds => format!("{seconds}s"),
        };
        Self {
            queue: info.queue.to_string(),
            task_type: info.task_type.to_string(),
            payload: is_payload_seen.then_some(payload),
            format,
            max_retry: info.max_retry.to_string(),
            timeout: length(info.timeout),
            retention: length(info.retention),
            group: info.group.clone(),
            headers: are_headers_seen.then(|| header_lines(&info.headers)),
        }
    }
}

/// Headers as a form has them, one in each line.
pub(super) fn header_lines(headers: &Headers) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<Vec<_>>().concat()
}

/// A payload as a form can have it.
pub(super) fn written(content: &[u8]) -> (String, PayloadFormat) {
    match std::str::from_utf8(content) {
        // Forms make one kind of line end out of all.
        Ok(text) if !text.contains('\r') => (text.to_owned(), PayloadFormat::Text),
        _ => (
            content.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
            PayloadFormat::Hex,
        ),
    }
}

pub(super) fn input(
    name: &str,
    label: &str,
    value: &str,
    hint: &str,
    is_required: bool,
    list: Option<&str>,
) -> Markup {
    html! {
        label { (label)
            input type="text" name=(name) value=(value) placeholder=(hint) required[is_required] list=[list] autocomplete="off" spellcheck="false";
        }
    }
}

pub(super) fn payload_fields(draft: &Draft) -> Markup {
    let Some(payload) = &draft.payload else {
        return html! { p.remark { "Something in the payload is not shown to you, so it stays as it is." } };
    };
    html! {
        // A browser leaves out a line end at the beginning.
        label { "Payload" textarea.code name="payload" rows="10" spellcheck="false" { "\n" (payload) } }
        fieldset.choice {
            legend { "It is written as" }
            @for format in PayloadFormat::ALL {
                label { input type="radio" name="format" value=(format.as_str()) checked[format == draft.format]; " " (format.as_str()) }
            }
        }
    }
}

pub(super) fn header_field(draft: &Draft) -> Markup {
    let Some(headers) = &draft.headers else {
        return html! { p.remark { "Something in the headers is not shown to you, so they stay as they are." } };
    };
    html! {
        label { "Headers, one in each line: " code { "name: value" }
            textarea.code name="headers" rows="3" spellcheck="false" { "\n" (headers) }
        }
    }
}

pub(super) fn payload(fields: &Fields) -> Result<Vec<u8>, Problem> {
    let format = fields.parsed::<PayloadFormat>("format")?.unwrap_or_default();
    // Browsers send a line end as two characters.
    let written = fields.raw("payload").unwrap_or_default().replace("\r\n", "\n");
    format.decode(written.into_bytes()).map_err(Problem::invalid)
}

pub(super) fn headers(fields: &Fields) -> Result<Vec<(String, String)>, Problem> {
    let lines = fields.raw("headers").unwrap_or_default().lines().filter(|line| !line.trim().is_empty());
    let pairs = lines.map(|line| match line.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(Problem::invalid(format!("headers: `{line}` must be a name, a colon and a value"))),
    });
    pairs.collect()
}

fn moment(visit: &Visit, text: &str) -> Result<Timestamp, String> {
    human::moment(text, &visit.now().to_zoned(TimeZone::UTC))
}

/// Two payloads differ in it; it protects nothing.
pub(super) fn fingerprint(payload: &[u8]) -> String {
    format!("{:016x}", crate::assets::fingerprint(payload))
}
