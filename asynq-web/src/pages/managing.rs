//! Forms for schedules that are stored: made, changed, paused, deleted. Before anything is stored, it is told in words
//! when it fires, and the next times.

use asynq_core::Error;
use asynq_core::inspector::{ScheduledEntry, human};
use asynq_core::scheduler::{CatchUp, PeriodicTask, StoredSchedule};
use asynq_core::task::{Task, TaskOptions};
use asynq_core::wire::{EnqueueOption, GoDuration};
use axum::Form;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use axum::response::{IntoResponse as _, Redirect};
use maud::{Markup, html};

use super::acting::queue_names;
use super::editing::{
    Draft, fingerprint, header_field, header_lines, headers, input, payload, payload_fields, written,
};
use super::layout::{Page, Section, done};
use super::parts::hidden;
use super::schedules::{times, when};
use crate::fields::Fields;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::schedules::{deletable, managed};
use crate::visit::Visit;

/// How many of the next times are told.
const NEXT: usize = 5;

/// The options of a form: what is blank is not set.
const OPTIONS: [&str; 5] = ["max_retry", "timeout", "retention", "unique", "group"];

/// The form for a new schedule.
pub(crate) async fn new_schedule(visit: Visit) -> Result<Response<Body>, Problem> {
    if !visit.rights().have(Right::EditSchedule) {
        return Err(Problem::forbidden(Right::EditSchedule, None));
    }
    let draft = Written { time_zone: "UTC".to_owned(), task: Draft::new("default"), ..Written::default() };
    Ok(form(&visit, &draft, None, Ahead::Nothing).await)
}

/// Stores it, once it was told when it fires.
pub(crate) async fn create_schedule(
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response<Body>, Problem> {
    let draft = Written::from(&fields);
    let schedules = visit.schedules(Right::EditSchedule, Some(&draft.task.queue))?;
    let periodic = match draft.periodic(&fields) {
        Ok(periodic) => periodic,
        Err(problem) => return Ok(form(&visit, &draft, None, Ahead::Wrong(problem.detail)).await),
    };
    if !draft.was_told(&fields) {
        let ahead = match schedules.check_new(periodic).await {
            Ok(schedule) => Ahead::told(&visit, &schedule),
            Err(error) => Ahead::wrong(error)?,
        };
        return Ok(form(&visit, &draft, None, ahead).await);
    }
    let created = schedules.create(periodic).await;
    let created = visit.audited("create_schedule", &draft.task.queue, &draft.name, created).await?;
    Ok(told(&visit, &created, "create_schedule"))
}

/// The form that changes one.
pub(crate) async fn edit_schedule(
    visit: Visit,
    Path(entry): Path<String>,
) -> Result<Response<Body>, Problem> {
    let (_, stored) = managed(&visit, name(&entry)).await?;
    let draft = Written::of(&visit, &stored);
    let ahead = Ahead::told(&visit, &stored);
    Ok(form(&visit, &draft, Some(&stored), ahead).await)
}

/// Changes it, once it was told when it fires.
pub(crate) async fn save_schedule(
    visit: Visit,
    Path(entry): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response<Body>, Problem> {
    let (schedules, stored) = managed(&visit, name(&entry)).await?;
    let draft = Written { name: stored.name().to_owned(), ..Written::from(&fields) };
    // It may go to another queue.
    visit.schedules(Right::EditSchedule, Some(&draft.task.queue))?;
    if fields.raw("revision") != Some(stored.revision().as_str()) {
        return Err(Error::ScheduleChanged { name: draft.name }.into());
    }
    let may_set = Written::of(&visit, &stored);
    if (fields.raw("payload").is_some() && may_set.task.payload.is_none())
        || (fields.raw("headers").is_some() && may_set.task.headers.is_none())
    {
        return Err(Problem::forbidden(Right::ViewSecrets, Some(stored.queue().as_str())));
    }
    let mut changed = stored.clone();
    if let Err(problem) = draft.apply(&fields, &may_set, &mut changed) {
        return Ok(form(&visit, &draft, Some(&stored), Ahead::Wrong(problem.detail)).await);
    }
    if !draft.was_told(&fields) {
        let ahead = match schedules.check(changed).await {
            Ok(schedule) => Ahead::told(&visit, &schedule),
            Err(error) => Ahead::wrong(error)?,
        };
        return Ok(form(&visit, &draft, Some(&stored), ahead).await);
    }
    let saved = schedules.save(changed).await;
    let saved = visit.audited("edit_schedule", stored.queue().as_str(), stored.name(), saved).await?;
    Ok(told(&visit, &saved, "edit"))
}

/// Lets it rest.
pub(crate) async fn pause_schedule(visit: Visit, Path(entry): Path<String>) -> Result<Redirect, Problem> {
    let (schedules, stored) = managed(&visit, name(&entry)).await?;
    let paused = schedules.pause(stored.name()).await;
    visit.audited("pause_schedule", stored.queue().as_str(), stored.name(), paused).await?;
    Ok(done(visit.link().to("schedules").to(name(&entry)).as_str(), "pause_schedule", 1))
}

/// Lets it fire again.
pub(crate) async fn resume_schedule(visit: Visit, Path(entry): Path<String>) -> Result<Redirect, Problem> {
    let (schedules, stored) = managed(&visit, name(&entry)).await?;
    let resumed = schedules.resume(stored.name()).await;
    visit.audited("resume_schedule", stored.queue().as_str(), stored.name(), resumed).await?;
    Ok(done(visit.link().to("schedules").to(name(&entry)).as_str(), "resume_schedule", 1))
}

/// Asks before it is deleted.
pub(crate) async fn confirm_delete_schedule(
    visit: Visit,
    Path(entry): Path<String>,
) -> Result<Response<Body>, Problem> {
    let (stored, _) = deletable(&visit, name(&entry)).await?;
    let shown = human::printable(&stored);
    let here = visit.link().to("schedules").to(name(&entry));
    let body = html! {
        div.ask {
            h1 { "Delete schedule " (shown) "?" }
            p { "It fires no more, and what is remembered of its times is forgotten. Tasks that it enqueued stay." }
            form.stack method="post" action=(here.clone().to("delete")) {
                div.buttons {
                    button.danger { "Delete the schedule" }
                    a.button.quiet href=(here) { "Keep it" }
                }
            }
        }
    };
    Ok(Page::new(Section::Schedules, format!("Delete schedule {shown}?"), body).show(&visit))
}

/// Deletes it.
pub(crate) async fn delete_schedule(visit: Visit, Path(entry): Path<String>) -> Result<Redirect, Problem> {
    let (stored, queue) = deletable(&visit, name(&entry)).await?;
    let place = Some(queue.as_str()).filter(|queue| !queue.is_empty());
    let deleted = visit.schedules(Right::EditSchedule, place)?.delete(&stored).await;
    visit.audited("delete_schedule", &queue, &stored, deleted).await?;
    Ok(done(visit.link().to("schedules").as_str(), "delete_schedule", 1))
}

/// The page of a schedule, which tells what was done.
fn told(visit: &Visit, schedule: &StoredSchedule, what: &str) -> Response<Body> {
    done(visit.link().to("schedules").to(schedule.entry_id().as_str()).as_str(), what, 1).into_response()
}

/// What a form is filled in with.
#[derive(Default)]
struct Written {
    name: String,
    spec: String,
    time_zone: String,
    unique: String,
    catch_up: String,
    task: Draft,
}

impl From<&Fields> for Written {
    fn from(fields: &Fields) -> Self {
        let text = |name: &str| fields.raw(name).unwrap_or_default().trim().to_owned();
        let lines = |name: &str| fields.raw(name).map(|text| text.replace("\r\n", "\n"));
        Self {
            name: text("name"),
            spec: text("spec"),
            time_zone: text("time_zone"),
            unique: text("unique"),
            catch_up: text("catch_up"),
            task: Draft {
                queue: fields.text("queue").unwrap_or("default").trim().to_owned(),
                task_type: text("type"),
                payload: lines("payload"),
                format: fields.parsed("format").ok().flatten().unwrap_or_default(),
                max_retry: text("max_retry"),
                timeout: text("timeout"),
                retention: text("retention"),
                group: text("group"),
                headers: lines("headers"),
            },
        }
    }
}

impl Written {
    /// What is stored, as far as the visitor may see it.
    fn of(visit: &Visit, stored: &StoredSchedule) -> Self {
        let queue = stored.queue().to_string();
        let client = &visit.shared.client;
        let opened = asynq_core::scheduler::StoredSchedules::new(client).task(stored);
        let content = opened.ok().map(|task| task.payload().cloned().unwrap_or_default());
        let is_seen = |content: &bytes::Bytes| {
            visit.may(Right::ViewPayload, &queue) && visit.shown(&queue, content.clone()) == *content
        };
        let content = content.filter(is_seen).map(|content| written(&content));
        let are_headers_seen = visit.may(Right::ViewPayload, &queue) && !visit.hides(&queue);
        let mut draft = Self {
            name: stored.name().to_owned(),
            spec: stored.spec.clone(),
            time_zone: stored.time_zone.clone(),
            catch_up: match stored.catch_up {
                None => String::new(),
                Some(CatchUp::None) => "none".to_owned(),
                Some(CatchUp::Last) => "last".to_owned(),
                Some(CatchUp::All(limit)) => limit.to_string(),
            },
            task: Draft {
                task_type: stored.task_type().to_string(),
                format: content.as_ref().map(|(_, format)| *format).unwrap_or_default(),
                payload: content.map(|(text, _)| text),
                headers: are_headers_seen.then(|| header_lines(&stored.headers)),
                ..Draft::default()
            },
            ..Self::default()
        };
        for option in ScheduledEntry::from(stored).options {
            match option {
                EnqueueOption::MaxRetry(times) => draft.task.max_retry = times.to_string(),
                EnqueueOption::Timeout(limit) => draft.task.timeout = length(limit),
                EnqueueOption::Retention(keep) => draft.task.retention = length(keep),
                EnqueueOption::Unique(time) => draft.unique = length(time),
                EnqueueOption::Group(group) => {
                    group.to_str().unwrap_or_default().clone_into(&mut draft.task.group);
                }
                _ => {}
            }
        }
        draft.task.queue = queue;
        draft
    }

    /// The options that are written.
    fn options(&self, fields: &Fields) -> Result<TaskOptions, Problem> {
        let mut options = TaskOptions::new().queue(&self.task.queue);
        if let Some(times) = fields.parsed("max_retry")? {
            options = options.max_retry(times);
        }
        if let Some(limit) = fields.read("timeout", human::duration)? {
            options = options.timeout(limit);
        }
        if let Some(keep) = fields.read("retention", human::duration)? {
            options = options.retention(keep);
        }
        if let Some(time) = fields.read("unique", human::duration)? {
            options = options.unique(time);
        }
        if let Some(group) = fields.text("group") {
            options = options.group(group.trim());
        }
        Ok(options)
    }

    fn policy(&self) -> Result<Option<CatchUp>, Problem> {
        match self.catch_up.as_str() {
            "" => Ok(None),
            "none" => Ok(Some(CatchUp::None)),
            "last" => Ok(Some(CatchUp::Last)),
            number => match number.parse() {
                Ok(limit @ 1..) => Ok(Some(CatchUp::All(limit))),
                _ => Err(Problem::invalid(
                    "catch_up: it must be empty, `none`, `last`, or a number of ticks, 1 or more",
                )),
            },
        }
    }

    /// The task and when it is to be enqueued.
    fn periodic(&self, fields: &Fields) -> Result<PeriodicTask, Problem> {
        let mut task = Task::new(&self.task.task_type, payload(fields)?).map_err(Error::from)?;
        for (name, value) in headers(fields)? {
            task = task.header(name, value);
        }
        let periodic = PeriodicTask::new(&self.spec, task.options(self.options(fields)?)).name(&self.name);
        let periodic = periodic.time_zone(&self.time_zone);
        Ok(match self.policy()? {
            Some(policy) => periodic.catch_up(policy),
            None => periodic,
        })
    }

    /// Changes what the visitor may set.
    fn apply(&self, fields: &Fields, may_set: &Self, stored: &mut StoredSchedule) -> Result<(), Problem> {
        stored.spec.clone_from(&self.spec);
        stored.time_zone.clone_from(&self.time_zone);
        stored.catch_up = self.policy()?;
        for option in OPTIONS {
            stored.unset(option);
        }
        let others = std::mem::take(&mut stored.options);
        stored.options = others.overlaid_by(self.options(fields)?);
        if self.task.payload.is_some() {
            let is_same =
                self.task.payload == may_set.task.payload && self.task.format == may_set.task.format;
            let content = payload(fields)?;
            if !is_same {
                stored.set_payload(content);
            }
        }
        if self.task.headers.is_some() {
            stored.headers = headers(fields)?.into_iter().collect();
        }
        Ok(())
    }

    /// What was told of it, and is to be told again where it differs.
    fn times(&self) -> String {
        fingerprint(format!("{}\n{}", self.spec, self.time_zone).as_bytes())
    }

    /// Whether it was told when this fires, and it is to be stored.
    fn was_told(&self, fields: &Fields) -> bool {
        fields.raw("step") == Some("save") && fields.raw("told") == Some(self.times().as_str())
    }
}

/// A length of time as forms read it.
fn length(length: GoDuration) -> String {
    format!("{}s", length.to_std().unwrap_or_default().as_secs())
}

/// What is told before anything is stored.
enum Ahead {
    Nothing,
    Wrong(String),
    Told(Markup),
}

impl Ahead {
    fn told(visit: &Visit, schedule: &StoredSchedule) -> Self {
        let paused = schedule.paused_since().is_some();
        let ticks = schedule.schedule().ok();
        let next: Vec<_> = ticks.iter().flat_map(|times| times.ticks(visit.now())).take(NEXT).collect();
        Self::Told(html! {
            section aria-label="When it fires" {
                h2 { "When it fires" }
                p { strong { (when(&schedule.whole_spec())) } }
                @if next.is_empty() {
                    p.bad { "Never, in the next five years." }
                } @else {
                    (times(visit, &next))
                }
                @if paused { p.muted { "It is paused, and fires only once it is resumed." } }
            }
        })
    }

    /// What the visitor can put right is told beside the form.
    fn wrong(error: Error) -> Result<Self, Problem> {
        let problem = Problem::from(error);
        if ["invalid", "schedule_exists", "too_large"].contains(&problem.code) {
            Ok(Self::Wrong(problem.detail))
        } else {
            Err(problem)
        }
    }
}

async fn form(
    visit: &Visit,
    draft: &Written,
    stored: Option<&StoredSchedule>,
    ahead: Ahead,
) -> Response<Body> {
    let schedules = visit.link().to("schedules");
    let (back, action, title, save) = match stored {
        Some(stored) => {
            let here = schedules.to(stored.entry_id().as_str());
            (here.clone(), here.to("edit"), format!("Edit {}", human::printable(stored.name())), "Save")
        }
        None => (schedules.clone(), schedules.to("new"), "New schedule".to_owned(), "Create"),
    };
    let is_told = matches!(ahead, Ahead::Told(_));
    let body = html! {
        div.head { h1 { (title) } @if stored.is_some() { span.muted { (human::printable(&draft.task.task_type)) } } }
        form.stack.wide method="post" action=(action) {
            @match &ahead {
                Ahead::Nothing => {}
                Ahead::Wrong(reason) => { p.bad role="alert" { (human::printable(reason)) } }
                Ahead::Told(ahead) => { (ahead) (hidden("told", draft.times())) }
            }
            @if let Some(stored) = stored {
                (hidden("revision", stored.revision().as_str()))
            } @else {
                div.row {
                    (input("name", "Name", &draft.name, "bill of tenant 7", true, None))
                    (input("type", "Type", &draft.task.task_type, "email:send", true, None))
                }
            }
            div.row {
                (input("spec", "Specification", &draft.spec, "0 9 * * mon-fri, @daily, @every 10m", true, None))
                (input("time_zone", "Time zone", &draft.time_zone, "Europe/Rome", false, None))
                (input("queue", "Queue", &draft.task.queue, "", true, Some("queues")))
            }
            (queue_names(visit).await)
            (payload_fields(&draft.task))
            details { summary { "More" }
                div.row {
                    (input("max_retry", "Retries", &draft.task.max_retry, "25", false, None))
                    (input("timeout", "Timeout", &draft.task.timeout, "30m", false, None))
                    (input("unique", "Unique for", &draft.unique, "1h", false, None))
                }
                div.row {
                    (input("retention", "Keep after success for", &draft.task.retention, "1d", false, None))
                    (input("group", "Group", &draft.task.group, "", false, None))
                    (input("catch_up", "Missed times made up", &draft.catch_up, "none, last, or how many", false, None))
                }
                (header_field(&draft.task))
            }
            div.buttons {
                @if is_told { button name="step" value="save" { (save) } }
                button.quiet[is_told] name="step" value="look" { "Show when it fires" }
                a.button.quiet href=(back) { "Back" }
            }
        }
    };
    Page::new(Section::Schedules, title, body).show(visit)
}
