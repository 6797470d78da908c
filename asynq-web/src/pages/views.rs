//! Saved views: lists of tasks that are kept under a name, by the browser.

use axum::Form;
use axum::response::{IntoResponse, IntoResponseParts};
use maud::{Markup, html};

use super::layout::done;
use super::parts::hidden;
use super::settings::cookie;
use crate::fields::Fields;
use crate::links::Link;
use crate::problem::Problem;
use crate::saved_views::{NAME, SavedViews};
use crate::visit::Visit;

/// The views that there are, beside a list, and a way to keep that list as one.
pub(super) fn views_of(visit: &Visit, list: &Link) -> Markup {
    let page = list.as_str().strip_prefix(&visit.base).unwrap_or_default();
    let is_saved = visit.views.iter().any(|view| view.page == page);
    html! {
        div.chips.views {
            @if visit.views.iter().next().is_some() {
                nav.chips aria-label="Saved views" {
                    @for view in visit.views.iter() {
                        a href={ (visit.base) (view.page) } aria-current=[(view.page == page).then_some("true")] { (view.name) }
                    }
                }
            }
            @if !is_saved {
                details.menu.start {
                    summary.button.quiet { "Save view" }
                    form.list method="post" action=(visit.link().to("views")) {
                        (hidden("page", page))
                        label for="view" { "Name of this view" }
                        input #view type="text" name="name" maxlength="60" required autocomplete="off";
                        button { "Save" }
                    }
                }
            }
        }
    }
}

/// All views, to be renamed and deleted.
pub(super) fn saved_views(visit: &Visit) -> Markup {
    let views: Vec<_> = visit.views.iter().collect();
    let action = |what: &str| visit.link().to("views").to(what);
    html! {
        section {
            h2 { "Saved views" }
            @if views.is_empty() {
                p.muted { "None yet: a list of tasks, with its filter, order and columns, gets a name beside its filter." }
            }
            @for view in views {
                form.inline.view method="post" action=(action("rename")) {
                    (hidden("view", &view.name))
                    input type="text" name="name" value=(view.name) maxlength="60" required autocomplete="off" aria-label={ "Name of view " (view.name) };
                    button.quiet aria-label={ "Rename view " (view.name) } { "Rename" }
                    button.quiet.danger formaction=(action("delete")) aria-label={ "Delete view " (view.name) } { "Delete" }
                    a.button.quiet href={ (visit.base) (view.page) } aria-label={ "Open view " (view.name) } { "Open" }
                }
            }
        }
    }
}

/// Keeps a list under a name.
pub(crate) async fn save_view(
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<impl IntoResponse, Problem> {
    let page = fields.raw("page").unwrap_or_default();
    let views = visit.views.with(fields.raw("name").unwrap_or_default(), page)?;
    Ok((kept(&visit, &views), done(&format!("{}{page}", visit.base), "view", 1)))
}

/// Gives one another name.
pub(crate) async fn rename_view(
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<impl IntoResponse, Problem> {
    let (from, to) = (fields.raw("view").unwrap_or_default(), fields.raw("name").unwrap_or_default());
    // Where another tab has deleted it there is nothing to rename.
    let views = visit.views.renamed(from, to)?.unwrap_or_else(|| visit.views.clone());
    Ok((kept(&visit, &views), done(visit.link().to("settings").as_str(), "settings", 1)))
}

/// Forgets one.
pub(crate) async fn delete_view(visit: Visit, Form(fields): Form<Fields>) -> impl IntoResponse {
    let views = visit.views.without(fields.raw("view").unwrap_or_default());
    (kept(&visit, &views), done(visit.link().to("settings").as_str(), "settings", 1))
}

fn kept(visit: &Visit, views: &SavedViews) -> impl IntoResponseParts + use<> {
    cookie(visit, NAME, &views.to_value())
}
