//! Tasks: those of a queue, or of all; in a state, or in any; that fit a filter.

use asynq_core::inspector::{Filter, GroupInfo, QueueInfo, Search, SearchCursor, SearchPart, human};
use asynq_core::task::{TaskInfo, TaskState};
use axum::body::Body;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::{Response, StatusCode};
use maud::{Markup, html};

use super::columns::Column;
use super::layout::{Page, Section};
use super::parts::{STATES, count, empty, error_rate, figures, hidden, hidden_if, length, none, state, time};
use super::queues::{badges, pause_button};
use crate::actions::{Matching, TaskKey, Verb};
use crate::fields::Fields;
use crate::links::{Link, name};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// How many groups are shown of a queue that has many.
const GROUPS: usize = 100;

/// The tasks of a queue.
pub(crate) async fn queue(
    visit: Visit,
    Path(queue): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response<Body>, Problem> {
    let queue = name(&queue);
    let inspector = visit.inspector(Right::View, queue)?;
    let info = inspector.queue_info(queue).await?;
    let is_consumed = inspector.servers().await?.iter().any(|server| server.queues.contains_key(queue));
    let wanted = Wanted::read(&visit, Some(queue), &fields)?;
    let groups = match wanted.state {
        Some(TaskState::Aggregating) => inspector.groups(queue).await?,
        _ => Vec::new(),
    };
    let list = list(&visit, &wanted).await?;
    let body = html! {
        div.head {
            h1 { a.up href=(visit.link()) { "Queues" } span.path { "/" } (human::printable(queue)) " " (badges(&info, is_consumed)) }
            div.buttons {
                (pause_button(&visit, &info))
                @if visit.may(Right::Enqueue, queue) {
                    a.button.quiet href=(visit.link().to("enqueue").with("queue", queue)) { "Enqueue here" }
                }
                @if visit.may(Right::DeleteQueue, queue) {
                    a.button.quiet.danger href=(visit.link().to("queues").to(queue).to("delete")) { "Delete…" }
                }
            }
        }
        (summary(&visit, &info))
        (tabs(&visit, &wanted, Some(&info)))
        (groups_of(&visit, &wanted, &groups))
        (list)
    };
    Ok(page(&wanted, queue, Section::Queues, body).show(&visit))
}

/// The tasks of all queues.
pub(crate) async fn tasks(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    let wanted = Wanted::read(&visit, None, &fields)?;
    let list = list(&visit, &wanted).await?;
    let body = html! {
        div.head { h1 { "Tasks" } span.muted { "of all queues" } }
        (tabs(&visit, &wanted, None))
        (list)
    };
    Ok(page(&wanted, "Tasks", Section::Tasks, body).show(&visit))
}

fn page(wanted: &Wanted, title: &str, section: Section, body: Markup) -> Page {
    let state = wanted.state.map(|state| format!(" · {state}")).unwrap_or_default();
    let title = format!("{title}{state}");
    match &wanted.filter {
        Ok(_) => Page::live(section, title, body),
        Err(_) => Page { status: StatusCode::BAD_REQUEST, ..Page::new(section, title, body) },
    }
}

/// What is asked for.
struct Wanted {
    queue: Option<String>,
    state: Option<TaskState>,
    group: Option<String>,
    /// The filter, or what is wrong with it.
    filter: Result<Filter, Problem>,
    text: String,
    last_first: bool,
    columns: Vec<Column>,
    has_own_columns: bool,
    cursor: Option<SearchCursor>,
}

impl Wanted {
    fn read(visit: &Visit, queue: Option<&str>, fields: &Fields) -> Result<Self, Problem> {
        match queue {
            Some(queue) => visit.inspector(Right::View, queue)?,
            None => visit.inspector_of_all(Right::View)?,
        };
        let state = fields.parsed::<TaskState>("state")?;
        let text = fields.text("filter").unwrap_or_default().to_owned();
        let chosen: Vec<Column> = {
            let named: Vec<&str> = fields.all("column").collect();
            Column::ALL.into_iter().filter(|column| named.contains(&column.as_str())).collect()
        };
        // What ended last matters most; of what waits, the next.
        let usual = matches!(state, Some(TaskState::Archived | TaskState::Completed));
        Ok(Self {
            queue: queue.map(str::to_owned),
            state,
            group: fields.text("group").map(str::to_owned),
            filter: text.parse().map_err(Problem::from),
            text,
            last_first: fields.text("order").map_or(usual, |order| order == "last"),
            has_own_columns: !chosen.is_empty(),
            columns: if chosen.is_empty() { Column::defaults(state, queue.is_some()) } else { chosen },
            cursor: fields.parsed("cursor")?,
        })
    }

    /// The address of the same list, for tasks in this state.
    fn place(&self, visit: &Visit, state: Option<TaskState>) -> Link {
        let link = match &self.queue {
            Some(queue) => visit.link().to("queues").to(queue),
            None => visit.link().to("tasks"),
        };
        link.with_some("state", state)
    }

    /// The address of the same list, from its beginning.
    fn start(&self, visit: &Visit) -> Link {
        let filter = Some(&self.text).filter(|text| !text.is_empty());
        let link =
            self.place(visit, self.state).with_some("group", self.group.as_ref()).with_some("filter", filter);
        let columns = self.columns.iter().filter(|_| self.has_own_columns);
        columns.fold(link, |link, column| link.with("column", column.as_str()))
    }

    /// In this order.
    fn ordered(&self, link: Link) -> Link {
        link.with("order", if self.last_first { "last" } else { "first" })
    }
}

fn summary(visit: &Visit, info: &QueueInfo) -> Markup {
    html! {
        (figures([
            ("Tasks", html! { (count(info.size())) }),
            ("Latency", length(info.latency)),
            ("Processed today", html! { (count(info.processed)) }),
            ("Failed today", html! { (count(info.failed)) " " span.muted { (error_rate(info.failed, info.processed)) } }),
            ("Memory", info.memory_usage.map_or_else(none, |bytes| html! { "~" (human::size(bytes)) })),
            ("Groups", html! { (count(info.groups)) }),
        ]))
        @if let Some(since) = info.paused_since {
            p.remark { "Paused " (time(visit, since)) ". What runs goes on; workers take nothing more." }
        }
        @if info.is_archive_full() {
            p.remark { "The archive keeps 9,999 tasks for 90 days unless servers are told otherwise: the oldest will be deleted." }
        }
    }
}

fn tabs(visit: &Visit, wanted: &Wanted, info: Option<&QueueInfo>) -> Markup {
    let filter = Some(&wanted.text).filter(|text| !text.is_empty());
    let tab = |state: Option<TaskState>, label: &str, tasks: Option<usize>| {
        let link = wanted.place(visit, state).with_some("filter", filter);
        html! {
            a href=(link) aria-current=[(wanted.state == state).then_some("page")] class=[state.map(TaskState::as_str)] {
                (label) @if let Some(tasks) = tasks { span.count { (count(tasks)) } }
            }
        }
    };
    html! {
        nav.tabs aria-label="States" {
            (tab(None, "All", info.map(QueueInfo::size)))
            @for state in STATES { (tab(Some(state), state.as_str(), info.map(|info| info.count(state)))) }
        }
    }
}

fn groups_of(visit: &Visit, wanted: &Wanted, groups: &[GroupInfo]) -> Markup {
    html! {
        @if groups.len() > 1 || wanted.group.is_some() {
            nav.chips aria-label="Groups" {
                a href=(wanted.place(visit, wanted.state)) aria-current=[wanted.group.is_none().then_some("page")] { "All groups" }
                @for group in groups.iter().take(GROUPS) {
                    a href=(wanted.place(visit, wanted.state).with("group", &group.group))
                        aria-current=[(wanted.group.as_ref() == Some(&group.group)).then_some("page")] {
                        (human::printable(&group.group)) span.count { (count(group.size)) }
                    }
                }
                @if groups.len() > GROUPS { span.muted { "and " (count(groups.len() - GROUPS)) " more: filter by " code { "group:…" } } }
            }
        }
    }
}

/// The form of the filter, and the tasks that fit.
async fn list(visit: &Visit, wanted: &Wanted) -> Result<Markup, Problem> {
    let filter = match &wanted.filter {
        Ok(filter) => filter.clone(),
        Err(problem) => {
            return Ok(html! {
                (filter_form(visit, wanted))
                pre.caret role="alert" tabindex="0" { (problem.detail) }
            });
        }
    };
    let matching =
        Matching { queue: wanted.queue.clone(), state: wanted.state, group: wanted.group.clone(), filter };
    let selection = matching.selection(visit, None).await?.limit(visit.preferences.size.count());
    let mut search = Search::new(selection);
    if wanted.last_first {
        search = search.last_first();
    }
    if let Some(cursor) = &wanted.cursor {
        search = search.from(cursor.clone());
    }
    let part = visit.inspector_of_all(Right::View)?.search(&search).await?;
    Ok(html! { (filter_form(visit, wanted)) (found(visit, wanted, &part)) })
}

fn filter_form(visit: &Visit, wanted: &Wanted) -> Markup {
    html! {
        form.filter action=(wanted.place(visit, None)) role="search" aria-label="This list" {
            (hidden_if("state", wanted.state.map(TaskState::as_str)))
            (hidden_if("group", wanted.group.as_deref()))
            @if wanted.has_own_columns { @for column in &wanted.columns { (hidden("column", column.as_str())) } }
            label.hidden for="filter" { "Filter" }
            input #filter type="search" name="filter" value=(wanted.text) autocomplete="off" spellcheck="false"
                placeholder="type:email:*  error:timeout  payload.user.id:42  age:>2h  -id:…";
            button { "Filter" }
            @if !wanted.text.is_empty() { a.button.quiet href=(wanted.place(visit, wanted.state)) { "Clear" } }
        }
    }
}

fn found(visit: &Visit, wanted: &Wanted, part: &SearchPart) -> Markup {
    let is_whole = part.next.is_none() && wanted.cursor.is_none();
    html! {
        @if part.tasks.is_empty() && part.unreadable.is_empty() {
            @if let Some(next) = &part.next {
                (empty("Nothing so far", html! {
                    (count(part.scanned)) " tasks were looked at. "
                    a href=(wanted.ordered(wanted.start(visit)).with("cursor", next)) { "Search on" }
                }))
            } @else {
                (nothing(wanted))
            }
        } @else {
            form #list method="post" action=(visit.link().to("tasks").to("confirm")) {
                (hidden_if("queue", wanted.queue.as_deref()))
                (hidden_if("state", wanted.state.map(TaskState::as_str)))
                (hidden_if("group", wanted.group.as_deref()))
                (hidden("filter", &wanted.text))
                (hidden("back", visit.here()))
                (toolbar(visit, wanted))
                (unreadable(visit, part))
                @if !part.tasks.is_empty() { (table(visit, wanted, &part.tasks)) }
            }
            (paging(visit, wanted, part, is_whole))
            (choose_columns(visit, wanted))
        }
    }
}

fn nothing(wanted: &Wanted) -> Markup {
    if !wanted.text.is_empty() {
        return empty(
            "No task fits",
            "Names are whole unless they have a star: type:email:* finds all that begin so.",
        );
    }
    match wanted.state {
        Some(TaskState::Active) => empty("Nothing runs", "No worker has a task of this queue in hand."),
        Some(TaskState::Pending) => empty("Nothing waits", "All that was ready to run was taken by workers."),
        Some(TaskState::Scheduled) => empty("Nothing is scheduled", "Tasks that are for later wait here."),
        Some(TaskState::Retry) => {
            empty("Nothing is to be retried", "Tasks that failed wait here for their next attempt.")
        }
        Some(TaskState::Archived) => {
            empty("The archive is empty", "Tasks that failed for good are kept here.")
        }
        Some(TaskState::Completed) => empty(
            "Nothing is kept",
            "Tasks that are done are kept only if their job says for how long (retention).",
        ),
        Some(TaskState::Aggregating) => {
            empty("No group waits", "Tasks of a group wait here until they are made into one.")
        }
        _ => empty("No tasks", "Nothing is here. What is done is gone, unless its job keeps it for a while."),
    }
}

fn toolbar(visit: &Visit, wanted: &Wanted) -> Markup {
    let may = |verb: &&Verb| match &wanted.queue {
        Some(queue) => visit.may(verb.right(), queue),
        None => visit.rights().have(verb.right()),
    };
    let fits = |verb: &&Verb| wanted.state.is_none_or(|state| verb.allows(state));
    let verbs: Vec<&Verb> = ALL_VERBS.iter().filter(may).filter(fits).collect();
    let scope = match (wanted.text.is_empty(), wanted.state) {
        (false, _) => "All that fit the filter",
        (true, Some(_)) => "All in this state",
        (true, None) => "All tasks",
    };
    html! {
        @if !verbs.is_empty() {
            div.toolbar {
                span.muted data-selected { "Selected:" }
                @for verb in &verbs { button.quiet name="action" value=(verb.as_str()) { (verb.label()) "…" } }
                span.grow {}
                details.menu {
                    summary.button.quiet { (scope) }
                    div.list {
                        @for verb in &verbs { button.quiet name="all" value=(verb.as_str()) { (verb.label()) "…" } }
                    }
                }
            }
        }
    }
}

const ALL_VERBS: &[Verb] = &Verb::ALL;

fn unreadable(visit: &Visit, part: &SearchPart) -> Markup {
    html! {
        @for (queue, task) in &part.unreadable {
            p.remark {
                "Task " code { (human::printable(task.id.as_str())) } " cannot be read: " (task.reason.to_string()) ". "
                @if visit.may(Right::Delete, queue.as_str()) {
                    label { input type="checkbox" name="task" value=(TaskKey::new(queue.as_str(), task.id.as_str())); " Select it" }
                }
            }
        }
    }
}

fn table(visit: &Visit, wanted: &Wanted, tasks: &[TaskInfo]) -> Markup {
    html! {
        div.scroll role="region" aria-label="Tasks" tabindex="0" {
            table.tasks {
                thead { tr {
                    th.check scope="col" { input type="checkbox" data-select-all aria-label="Select all shown" hidden; }
                    th scope="col" { "ID" }
                    @for column in &wanted.columns { th scope="col" { (column.heading()) } }
                } }
                tbody {
                    @for task in tasks {
                        @let (queue, id) = (task.queue.as_str(), task.id.as_str());
                        @let key = TaskKey::new(queue, id).to_string();
                        tr data-key=(key) {
                            td.check { input type="checkbox" name="task" value=(key) aria-label=(format!("Select {id}")); }
                            th.id scope="row" {
                                a href=(visit.link().to("queues").to(queue).to("tasks").to(id)) title=(id) { (human::printable(id)) }
                            }
                            @for column in &wanted.columns { td class={"c-" (column.as_str())} { (column.cell(visit, task)) } }
                        }
                    }
                }
            }
        }
    }
}

fn paging(visit: &Visit, wanted: &Wanted, part: &SearchPart, is_whole: bool) -> Markup {
    let start = wanted.start(visit);
    let (other, label) =
        if wanted.last_first { ("first", "First ones first") } else { ("last", "Last ones first") };
    html! {
        nav.paging aria-label="Pages" {
            span.muted {
                (count(part.tasks.len())) @if part.tasks.len() == 1 { " task" } @else { " tasks" }
                @if !wanted.text.is_empty() { " of " (count(part.scanned)) " that were looked at" }
            }
            @if !is_whole || part.tasks.len() > 1 { a href=(start.clone().with("order", other)) { (label) } }
            span.grow {}
            @if wanted.cursor.is_some() { a.button.quiet href=(wanted.ordered(start.clone())) { "To the start" } }
            @if let Some(next) = &part.next {
                a.button.quiet rel="next" href=(wanted.ordered(start).with("cursor", next)) {
                    @if part.tasks.len() < visit.preferences.size.count() { "Search on" } @else { "Next" }
                }
            }
        }
    }
}

fn choose_columns(visit: &Visit, wanted: &Wanted) -> Markup {
    html! {
        details.columns {
            summary { "Columns" }
            form action=(wanted.place(visit, None)) {
                (hidden_if("state", wanted.state.map(TaskState::as_str)))
                (hidden_if("group", wanted.group.as_deref()))
                (hidden("filter", &wanted.text))
                fieldset {
                    legend.hidden { "Columns" }
                    @for column in Column::ALL {
                        label {
                            input type="checkbox" name="column" value=(column.as_str()) checked[wanted.columns.contains(&column)];
                            " " (column.heading())
                        }
                    }
                }
                button.quiet { "Show these" }
                @if wanted.has_own_columns {
                    " " a.button.quiet href=(wanted.place(visit, wanted.state)) { "As usual" }
                }
            }
        }
    }
}

/// The state of a task as a link to those like it.
pub(super) fn state_link(visit: &Visit, task: &TaskInfo) -> Markup {
    let link = visit.link().to("queues").to(task.queue.as_str()).with("state", task.state);
    html! { a href=(link) { (state(task.state)) } }
}
