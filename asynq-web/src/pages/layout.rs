//! [`Page`]: what all pages have around them.

use asynq_core::inspector::human;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::response::{Html, IntoResponse, Redirect};
use maud::{DOCTYPE, Markup, html};

use super::parts::count;
use crate::assets::{ICON, SCRIPT, STYLE};
use crate::links::Link;
use crate::login::Pass;
use crate::rights::Right;
use crate::visit::Visit;

/// A page: its title, its place in the navigation, and what is on it.
pub(super) struct Page {
    pub(super) title: String,
    pub(super) section: Section,
    pub(super) body: Markup,
    /// Whether it is brought up to date while somebody looks.
    pub(super) is_live: bool,
    pub(super) status: StatusCode,
    /// Whether a browser without scripts asks for it again after these seconds.
    pub(super) reload: Option<u32>,
}

/// A place in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Queues,
    Tasks,
    Charts,
    Servers,
    Schedules,
    Redis,
    Audit,
    Doctor,
    Settings,
    None,
}

/// Each place with its path, its name, and the key that leads there after `g`.
const NAVIGATION: [(Section, &str, &str, &str); 7] = [
    (Section::Queues, "", "Queues", "q"),
    (Section::Tasks, "tasks", "Tasks", "t"),
    (Section::Charts, "charts", "Charts", "h"),
    (Section::Servers, "servers", "Servers", "s"),
    (Section::Schedules, "schedules", "Schedules", "c"),
    (Section::Redis, "redis", "Redis", "r"),
    (Section::Doctor, "doctor", "Doctor", "d"),
];

impl Page {
    /// A page that stays as it is.
    pub(super) fn new(section: Section, title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), section, body, is_live: false, status: StatusCode::OK, reload: None }
    }

    /// One that is kept up to date.
    pub(super) fn live(section: Section, title: impl Into<String>, body: Markup) -> Self {
        Self { is_live: true, ..Self::new(section, title, body) }
    }

    /// The whole page, or only the part that changes where that is asked for.
    pub(super) fn show(self, visit: &Visit) -> Response<Body> {
        if visit.is_fragment {
            return (self.status, Html(self.body.into_string())).into_response();
        }
        (self.status, Html(self.whole(visit).into_string())).into_response()
    }

    fn whole(&self, visit: &Visit) -> Markup {
        let name = if visit.shared.title.is_empty() { "asynq" } else { &visit.shared.title };
        let events = visit.link().to("events").with("page", &visit.page);
        html! {
            (DOCTYPE)
            html lang="en" data-theme=(visit.preferences.theme.as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex, nofollow";
                    @if let Some(seconds) = self.reload {
                        noscript { meta http-equiv="refresh" content=(seconds); }
                    }
                    title { @if let Some(badge) = &visit.shared.badge { (badge.text) " · " } (self.title) " · " @if visit.instances.are_several() { (human::printable(&visit.shared.name)) " · " } (name) }
                    link rel="icon" href=(ICON.link(&visit.root)) type="image/svg+xml";
                    link rel="stylesheet" href=(STYLE.link(&visit.root));
                    script type="module" src=(SCRIPT.link(&visit.root)) {}
                }
                body data-events=[self.is_live.then(|| events.as_str())] data-times=(visit.preferences.times.as_str()) {
                    a.skip href="#main" { "Skip to content" }
                    (self.header(visit))
                    p.away role="status" hidden data-away {
                        "Redis cannot be reached. What you see is as it was; this page goes on by itself."
                    }
                    (notice(visit))
                    main #main tabindex="-1" { (self.body) }
                    footer {
                        span { "asynq " (env!("CARGO_PKG_VERSION")) }
                        @if visit.rights().have(Right::View) { a href=(visit.link().to("runs")) { "Changes to many tasks" } }
                        @if !visit.is_stranger { a href=(visit.link().to("api").to("v1").to("openapi.json")) { "API" } }
                    }
                    (places(visit))
                }
            }
        }
    }

    fn header(&self, visit: &Visit) -> Markup {
        html! {
            @let badge = visit.shared.badge.as_ref();
            header.bar data-accent=[badge.map(|badge| badge.accent.as_str())] {
                a.brand href=(visit.link()) {
                    svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" {
                        path d="M4 7h10M4 12h16M4 17h7" {}
                        circle cx="18" cy="7" r="2" {}
                        circle cx="15" cy="17" r="2" {}
                    }
                    span { "asynq" }
                    @if !visit.shared.title.is_empty() { span.env { (visit.shared.title) } }
                    @if let Some(badge) = badge { span.env.accent { (badge.text) } }
                }
                (self.picker(visit))
                @if visit.rights().have(Right::View) {
                    nav aria-label="Main" {
                        @for (section, path, label, key) in NAVIGATION {
                            a href=(place(visit, path)) data-go=(key) aria-current=[(self.section == section).then_some("page")] { (label) }
                        }
                        @if visit.rights().have(Right::Audit) {
                            a href=(visit.link().to("audit")) aria-current=[(self.section == Section::Audit).then_some("page")] { "Audit" }
                        }
                    }
                    form.find role="search" aria-label="All tasks" action=(visit.link().to("tasks")) {
                        label.hidden for="find" { "Find tasks in all queues" }
                        input #find type="search" name="filter" placeholder="Find tasks…" autocomplete="off" spellcheck="false"
                            data-suggest=(visit.link().to("api").to("v1").to("suggest"));
                    }
                }
                div.tools {
                    @if self.is_live {
                        button.quiet type="button" data-pause aria-pressed="false" hidden { span.dot {} span { "Live" } }
                    }
                    @if visit.rights().have(Right::Enqueue) {
                        a.button href=(visit.link().to("enqueue")) { "Enqueue" }
                    }
                    @if !visit.is_stranger {
                        a.icon href=(visit.link().to("settings"))
                            aria-current=[(self.section == Section::Settings).then_some("page")] title="Settings" {
                            svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" {
                                path d="M4 7h9m5 0h2M4 17h2m5 0h9" {}
                                circle cx="15.5" cy="7" r="2.5" {}
                                circle cx="8.5" cy="17" r="2.5" {}
                            }
                            span.hidden { "Settings" }
                        }
                    }
                    (who(visit))
                }
            }
        }
    }

    /// Where there are several instances: which one this is, and the ways to the same place in the others.
    fn picker(&self, visit: &Visit) -> Markup {
        if !visit.instances.are_several() || visit.is_stranger {
            return html! {};
        }
        let path = NAVIGATION
            .into_iter()
            .find(|(section, ..)| *section == self.section)
            .map_or("", |(_, path, ..)| path);
        let there = |instance: &str| {
            let link = Link::new(&visit.instances.base(&visit.root, instance));
            if path.is_empty() { link } else { link.to(path) }
        };
        html! {
            details.menu.picker {
                summary { span.hidden { "Instance: " } (human::printable(&visit.shared.name)) }
                div.list role="group" aria-label="Instances" {
                    @for shared in visit.instances.reached_by(visit.rights()) {
                        a href=(there(&shared.name)) aria-current=[(shared.name == visit.shared.name).then_some("true")] { (human::printable(&shared.name)) }
                    }
                    a href=(Link::new(&visit.instances.base(&visit.root, &visit.shared.name)).to("instances")) { "All instances" }
                }
            }
        }
    }
}

/// The link of a place in the navigation.
fn place(visit: &Visit, path: &str) -> Link {
    if path.is_empty() { visit.link() } else { visit.link().to(path) }
}

/// Where the command palette leads, beside queues and tasks: links in no page until a script takes them.
fn places(visit: &Visit) -> Markup {
    if !visit.rights().have(Right::View) {
        return html! {};
    }
    let link = || visit.link();
    let pages = NAVIGATION.iter().map(|(_, path, label, _)| (place(visit, path), *label));
    let others = [
        (Right::View, link().to("errors"), "Errors and types"),
        (Right::View, link().with("by", "prefix"), "Queues by prefix"),
        (Right::View, link().to("runs"), "Changes to many tasks"),
        (Right::Enqueue, link().to("enqueue"), "Enqueue a task"),
        (Right::Audit, link().to("audit"), "Audit"),
        (Right::View, link().to("settings"), "Settings and keys"),
    ];
    let others = others.into_iter().filter(|(right, ..)| visit.rights().have(*right));
    html! {
        template #places data-queues=(link().to("queues")) data-tasks=(link().to("tasks"))
            data-suggest=(link().to("api").to("v1").to("suggest")) {
            @for (link, label) in pages.chain(others.map(|(_, link, label)| (link, label))) {
                a href=(link) data-kind="page" { (label) }
            }
            @for view in visit.views.iter() {
                a href={ (visit.base) (view.page) } data-kind="view" { (view.name) }
            }
        }
    }
}

/// Who has logged in, and the way out where it is ours.
fn who(visit: &Visit) -> Markup {
    let name = visit.visitor.name();
    html! {
        @if !name.is_empty() {
            span.who { span.hidden { "Signed in as " } (name) }
            @if matches!(visit.pass, Pass::Session(_)) {
                form method="post" action=(visit.link().to("logout")) { button.quiet { "Sign out" } }
            }
        } @else if visit.shared.door.is_some() && !visit.is_stranger {
            a.button.quiet href=(visit.root_link().to("login").with("next", visit.here())) { "Sign in" }
        }
    }
}

/// What was done, when a form has led here.
fn notice(visit: &Visit) -> Markup {
    let query = visit.page.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = |name: &str| pairs.clone().find_map(|(key, value)| (key == name).then_some(value));
    let Some(done) = value("done") else { return html! {} };
    let tasks = value("n").and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
    let (number, noun) = (count(tasks), if tasks == 1 { "task" } else { "tasks" });
    let text = match done {
        "run" => format!("{number} {noun} made pending."),
        "archive" => format!("{number} {noun} archived."),
        "delete" => format!("{number} {noun} deleted."),
        "cancel" => format!("{number} {noun} asked to stop."),
        "move" => format!("{number} {noun} moved."),
        "enqueue" => "Enqueued.".to_owned(),
        "edit" => "Saved.".to_owned(),
        "pause" => "Paused: workers take nothing more from this queue.".to_owned(),
        "resume" => "Resumed.".to_owned(),
        "create_schedule" => {
            "Stored: servers that run stored schedules take it up within a second.".to_owned()
        }
        "pause_schedule" => "Paused: it does not fire until it is resumed.".to_owned(),
        "resume_schedule" => "Resumed: it fires from its next time on.".to_owned(),
        "delete_schedule" => "Schedule deleted.".to_owned(),
        "delete_queue" => "Queue deleted.".to_owned(),
        "logout" => "You are signed out.".to_owned(),
        "settings" => "Settings saved in this browser.".to_owned(),
        "view" => "The view is saved in this browser.".to_owned(),
        _ => return html! {},
    };
    html! { p.notice role="status" { (text) } }
}

/// Back to a page of ours, which tells what was done.
pub(super) fn done(back: &str, what: &str, tasks: usize) -> Redirect {
    let (path, query) = back.split_once('?').unwrap_or((back, ""));
    let kept = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !["", "done", "n"].contains(&name)
    });
    let told = [format!("done={what}"), format!("n={tasks}")];
    let query: Vec<String> = kept.map(str::to_owned).chain(told).collect();
    Redirect::to(&format!("{path}?{}", query.join("&")))
}

/// A page is the same with a slash at its end: it leads to the address without.
pub(crate) fn without_slash(visit: &Visit, request: &Request<Body>) -> Option<Response<Body>> {
    let path = request.uri().path();
    if path == "/" || !path.ends_with('/') || !request.method().is_safe() {
        return None;
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    // Behind a slash there is something: the base and this are no address elsewhere.
    let shorter = path.trim_matches('/');
    Some(Redirect::permanent(&format!("{}/{shorter}{query}", visit.base)).into_response())
}
