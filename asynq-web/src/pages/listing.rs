//! Tasks: those of a queue, or of all; in a state, or in any; that fit a filter.

use asynq_core::inspector::{Filter, QueueInfo, Search, SearchCursor, SearchPart, SortBy, human};
use asynq_core::task::{TaskInfo, TaskState};
use axum::body::Body;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::{Response, StatusCode};
use maud::{Markup, html};

use super::columns::Column;
use super::groups::group_picker;
use super::layout::{Page, Section};
use super::parts::{STATES, count, empty, error_rate, figures, hidden, hidden_if, length, none, state, time};
use super::queues::{badges, pause_button};
use super::views::views_of;
use super::{errors, past};
use crate::actions::{Matching, TaskKey, Verb};
use crate::fields::Fields;
use crate::links::{Link, name};
use crate::preferences::{PageSize, Payloads};
use crate::problem::Problem;
use crate::rights::Right;
use crate::tallies::States;
use crate::visit::Visit;

/// A sorted list is made of so many tasks at most.
const SORTED: usize = 10_000;

/// The tasks of a queue.
pub(crate) async fn queue(
    visit: Visit,
    Path(queue): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response<Body>, Problem> {
    let queue = name(&queue);
    let inspector = visit.inspector(Right::View, queue)?;
    let wanted = Wanted::read(&visit, Some(queue), &fields)?;
    let (info, groups) = match wanted.state {
        Some(TaskState::Aggregating) => inspector.queue_with_groups(queue).await?,
        _ => (inspector.queue_info(queue).await?, Vec::new()),
    };
    let is_consumed = inspector.servers().await?.iter().any(|server| server.queues.contains_key(queue));
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
        @if wanted.is_bare() { (past::strip(&visit, Some(queue))?) }
        (tabs(&visit, &wanted, Some(&info)))
        @if wanted.state == Some(TaskState::Aggregating) { (group_picker(&wanted.place(&visit, wanted.state), wanted.group.as_deref(), fields.text("find"), &groups)) }
        (top_errors(&visit, &wanted).await?)
        (list)
    };
    Ok(page(&wanted, queue, Section::Queues, body).show(&visit))
}

/// The tasks of all queues.
pub(crate) async fn tasks(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    let wanted = Wanted::read(&visit, None, &fields)?;
    let list = list(&visit, &wanted).await?;
    let body = html! {
        div.head {
            h1 { "Tasks" } span.muted { "of all queues" }
            div.buttons { a.button.quiet href=(visit.link().to("errors")) { "Errors and types" } }
        }
        (tabs(&visit, &wanted, None))
        (top_errors(&visit, &wanted).await?)
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
    /// By what it is sorted, and whether the last come first; else it is as it is stored.
    sort: Option<(SortBy, bool)>,
    columns: Vec<Column>,
    has_own_columns: bool,
    size: PageSize,
    has_own_size: bool,
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
        let preferences = visit.preferences;
        let columns = match (chosen.is_empty(), preferences.columns.is_empty()) {
            (false, _) => chosen.clone(),
            (true, false) => {
                Column::ALL.into_iter().filter(|column| preferences.columns.has(*column)).collect()
            }
            (true, true) => {
                let mut usual = Column::defaults(state, queue.is_some());
                usual.retain(|column| preferences.payloads == Payloads::Shown || !column.is_content());
                usual
            }
        };
        let size = fields.text("size").map(str::parse::<PageSize>).transpose();
        let size = size.map_err(|()| Problem::invalid("size: it must be 10, 30, 100 or 300"))?;
        let (order, mut sort) = (fields.text("order"), fields.parsed::<SortBy>("sort")?);
        let mut last_first = order == Some("last");
        if let (Some(by), Some(state), Some(_)) = (sort, state, queue)
            && by.is_natural(state)
        {
            // It is stored in this order: all of it can be looked through.
            (sort, last_first) = (None, order == Some("desc"));
        }
        Ok(Self {
            queue: queue.map(str::to_owned),
            state,
            group: fields.text("group").map(str::to_owned),
            filter: visit.filter(&text),
            text,
            last_first: if order.is_none() { is_usually_last_first(state) } else { last_first },
            sort: sort.map(|by| (by, order == Some("desc"))),
            has_own_columns: !chosen.is_empty(),
            columns,
            size: size.unwrap_or(preferences.size),
            has_own_size: size.is_some(),
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
        let size = Some(self.size.as_str()).filter(|_| self.has_own_size);
        self.of_any_size(visit).with_some("size", size)
    }

    /// The same, with as many tasks on a page as this browser wants.
    fn of_any_size(&self, visit: &Visit) -> Link {
        let filter = Some(&self.text).filter(|text| !text.is_empty());
        let link =
            self.place(visit, self.state).with_some("group", self.group.as_ref()).with_some("filter", filter);
        let columns = self.columns.iter().filter(|_| self.has_own_columns);
        columns.fold(link, |link, column| link.with("column", column.as_str()))
    }

    /// The address of the same list, from its beginning, in the order that it has.
    fn as_it_is(&self, visit: &Visit) -> Link {
        let link = self.start(visit);
        match self.sort {
            Some((by, is_descending)) => {
                link.with("sort", by).with("order", if is_descending { "desc" } else { "asc" })
            }
            None if self.last_first != is_usually_last_first(self.state) => self.ordered(link),
            None => link,
        }
    }

    /// Whether it is all that a queue has.
    fn is_bare(&self) -> bool {
        self.state.is_none() && self.text.is_empty() && self.cursor.is_none()
    }

    /// Where all of it is given as a file.
    fn export(&self, visit: &Visit, format: &str) -> Link {
        let filter = Some(&self.text).filter(|text| !text.is_empty());
        let link = visit.link().to("api").to("v1").to("tasks").to("export").with("format", format);
        link.with_some("queue", self.queue.as_ref())
            .with_some("state", self.state)
            .with_some("group", self.group.as_ref())
            .with_some("filter", filter)
    }

    /// In this order.
    fn ordered(&self, link: Link) -> Link {
        link.with("order", if self.last_first { "last" } else { "first" })
    }
}

/// What ended last matters most; of what waits, the next.
fn is_usually_last_first(state: Option<TaskState>) -> bool {
    matches!(state, Some(TaskState::Archived | TaskState::Completed))
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

/// The most frequent errors of tasks that have some.
async fn top_errors(visit: &Visit, wanted: &Wanted) -> Result<Markup, Problem> {
    match wanted.state {
        Some(state @ (TaskState::Retry | TaskState::Archived))
            if wanted.text.is_empty() && wanted.cursor.is_none() =>
        {
            errors::panel(visit, wanted.queue.as_deref(), States::One(state)).await
        }
        _ => Ok(html! {}),
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
    let selection = matching.selection(visit, None).await?.limit(wanted.size.count());
    let mut search = Search::new(selection);
    if let Some((by, is_descending)) = wanted.sort {
        search = search.sorted(by, is_descending).budget(SORTED);
    }
    if wanted.last_first {
        search = search.last_first();
    }
    if let Some(cursor) = &wanted.cursor {
        search = search.from(cursor.clone());
    }
    let part = visit.search(Right::View, &search).await?;
    let located = located(visit, wanted).await?;
    Ok(html! {
        (filter_form(visit, wanted))
        (views_of(visit, &wanted.as_it_is(visit)))
        @if !located.is_empty() {
            section.located {
                h2 { "With this ID" }
                (table(visit, wanted, &located, false))
            }
        }
        (found(visit, wanted, &part))
    })
}

/// The tasks whose ID somebody seems to look for in all queues: each queue is asked for it, whatever else it holds.
async fn located(visit: &Visit, wanted: &Wanted) -> Result<Vec<TaskInfo>, Problem> {
    let id = wanted.text.strip_prefix("id:").unwrap_or(&wanted.text);
    let is_id = !id.is_empty() && !id.starts_with('-') && !id.contains([' ', '*', '?', '"', ',', ':']);
    if wanted.queue.is_some() || wanted.cursor.is_some() || !is_id {
        return Ok(Vec::new());
    }
    let mut located = visit.inspector_of_all(Right::View)?.locate(id).await?;
    located.retain(|task| visit.may(Right::View, task.queue.as_str()));
    Ok(located.into_iter().map(|task| visit.seen(task)).collect())
}

fn filter_form(visit: &Visit, wanted: &Wanted) -> Markup {
    html! {
        form.filter action=(wanted.place(visit, None)) role="search" aria-label="This list" {
            (hidden_if("state", wanted.state.map(TaskState::as_str)))
            (hidden_if("group", wanted.group.as_deref()))
            @if wanted.has_own_columns { @for column in &wanted.columns { (hidden("column", column.as_str())) } }
            (hidden_if("size", Some(wanted.size.as_str()).filter(|_| wanted.has_own_size)))
            @if let Some((by, is_descending)) = wanted.sort {
                (hidden("sort", by.as_str()))
                (hidden("order", if is_descending { "desc" } else { "asc" }))
            }
            label.hidden for="filter" { "Filter" }
            input #filter type="search" name="filter" value=(wanted.text) autocomplete="off" spellcheck="false"
                data-suggest=(visit.link().to("api").to("v1").to("suggest").with_some("queue", wanted.queue.as_ref()))
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
                @if !part.tasks.is_empty() { (table(visit, wanted, &part.tasks, true)) }
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

/// Tasks in a table; those that can be selected stand in a form.
fn table(visit: &Visit, wanted: &Wanted, tasks: &[TaskInfo], can_be_selected: bool) -> Markup {
    let label = if can_be_selected { "Tasks" } else { "Tasks with this ID" };
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table.tasks {
                thead { tr {
                    @if can_be_selected {
                        th.check scope="col" { input type="checkbox" data-select-all aria-label="Select all shown" hidden; }
                    }
                    (heading(visit, wanted, "ID", Some(SortBy::Id).filter(|_| can_be_selected)))
                    @for column in &wanted.columns {
                        (heading(visit, wanted, column.heading(), column.sort().filter(|_| can_be_selected)))
                    }
                } }
                tbody {
                    @for task in tasks {
                        @let (queue, id) = (task.queue.as_str(), task.id.as_str());
                        @let key = TaskKey::new(queue, id).to_string();
                        tr data-key=(key) {
                            @if can_be_selected {
                                td.check { input type="checkbox" name="task" value=(key) aria-label=(format!("Select {id}")); }
                            }
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

/// A heading, which sorts by what stands below it.
fn heading(visit: &Visit, wanted: &Wanted, label: &str, by: Option<SortBy>) -> Markup {
    let Some(by) = by else { return html! { th scope="col" { (label) } } };
    let is_natural = wanted.sort.is_none()
        && wanted.queue.is_some()
        && wanted.state.is_some_and(|state| by.is_natural(state));
    let sorted = match wanted.sort {
        Some((sorted, is_descending)) if sorted == by => Some(is_descending),
        _ if is_natural => Some(wanted.last_first),
        _ => None,
    };
    let next = if sorted == Some(false) { "desc" } else { "asc" };
    let link = wanted.start(visit).with("sort", by).with("order", next);
    let direction = sorted.map(|is_descending| if is_descending { "descending" } else { "ascending" });
    html! { th scope="col" aria-sort=[direction] { a.sort href=(link) { (label) } } }
}

fn paging(visit: &Visit, wanted: &Wanted, part: &SearchPart, is_whole: bool) -> Markup {
    let start = wanted.start(visit);
    let (other, label) =
        if wanted.last_first { ("first", "First ones first") } else { ("last", "Last ones first") };
    let can_turn = wanted.sort.is_none() && (!is_whole || part.tasks.len() > 1);
    html! {
        nav.paging aria-label="Pages" {
            span.muted { (told(wanted, part)) }
            @if can_turn { a href=(start.clone().with("order", other)) { (label) } }
            @if wanted.sort.is_some() { a href=(start) { "As they are stored" } }
            span.grow {}
            @if wanted.cursor.is_some() { a.button.quiet href=(wanted.ordered(start.clone())) { "To the start" } }
            @if let (Some(next), None) = (&part.next, wanted.sort) {
                a.button.quiet rel="next" href=(wanted.ordered(start).with("cursor", next)) {
                    @if part.tasks.len() < wanted.size.count() { "Search on" } @else { "Next" }
                }
            }
        }
        nav.paging aria-label="This list" {
            span.muted { "On a page:" }
            @for size in PageSize::by_count() {
                a href=(wanted.of_any_size(visit).with("size", size.as_str())) aria-current=[(size == wanted.size).then_some("true")] { (size.as_str()) }
            }
            span.grow {}
            span.muted { "Export:" }
            @for (format, label) in [("csv", "CSV"), ("jsonl", "JSON lines")] {
                a href=(wanted.export(visit, format)) download { (label) }
            }
        }
    }
}

/// How many tasks there are, and which of them.
fn told(wanted: &Wanted, part: &SearchPart) -> Markup {
    let tasks = part.tasks.len();
    let noun = if tasks == 1 { "task" } else { "tasks" };
    html! {
        @match wanted.sort {
            Some((by, _)) => {
                (count(tasks)) " " (noun) ", the first by " (by) " of "
                @if part.next.is_some() { "the " (count(part.scanned)) " that were looked at: there are more" } @else { "all " (count(part.scanned)) }
            }
            None => {
                (count(tasks)) " " (noun)
                @if !wanted.text.is_empty() { " of " (count(part.scanned)) " that were looked at" }
            }
        }
    }
}

fn choose_columns(visit: &Visit, wanted: &Wanted) -> Markup {
    html! {
        details.columns {
            summary { "Columns" }
            form action=(wanted.place(visit, None)) {
                (hidden("back", wanted.place(visit, wanted.state)))
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
                " " button.quiet formmethod="post" formaction=(visit.link().to("settings").to("columns")) { "Keep them for all lists" }
                @if !visit.preferences.columns.is_empty() {
                    " " button.quiet name="reset" value="1" formmethod="post" formaction=(visit.link().to("settings").to("columns")) { "As fits each state" }
                }
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
