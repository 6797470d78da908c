//! How this browser wants things shown; and which versions run.

use std::time::Duration;

use asynq_core::inspector::human;
use axum::Form;
use axum::http::HeaderName;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Response};
use maud::{Markup, html};
use tokio::time::timeout;

use super::columns::Column;
use super::layout::{Page, Section, done};
use super::parts::{facts, none};
use super::views::saved_views;
use crate::fields::Fields;
use crate::login::cookie_path;
use crate::preferences::{NAME, PageSize, Payloads, Preferences, Theme, Times};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;
use crate::warnings::of_store;

/// Settings can be changed while Redis is away: nobody waits longer for it.
const LIMIT: Duration = Duration::from_secs(1);

/// As long as browsers keep cookies: 400 days.
const SECONDS: u32 = 400 * 24 * 3_600;

/// The choices.
pub(crate) async fn settings(visit: Visit) -> Response {
    let Preferences { theme, times, size, payloads, .. } = visit.preferences;
    let choice = |name: &str, legend: &str, options: &[(&str, &str, bool)]| -> Markup {
        html! {
            fieldset.choice {
                legend { (legend) }
                @for (value, label, is_chosen) in options {
                    label { input type="radio" name=(name) value=(value) checked[*is_chosen]; " " (label) }
                }
            }
        }
    };
    let themes = Theme::ALL.iter().map(|value| {
        let label = match value {
            Theme::System => "As the system",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        };
        (value.as_str(), label, *value == theme)
    });
    let shown = Times::ALL.iter().map(|value| {
        let label = match value {
            Times::Relative => "Relative to now",
            Times::Utc => "UTC",
            Times::Local => "This browser's zone",
        };
        (value.as_str(), label, *value == times)
    });
    let sizes = PageSize::by_count();
    let sizes: Vec<_> = sizes.iter().map(|value| (value.as_str(), value.as_str(), *value == size)).collect();
    let carried = Payloads::ALL.iter().map(|value| {
        let label = match value {
            Payloads::Shown => "Show payloads",
            Payloads::Hidden => "Hide payloads, results and headers",
        };
        (value.as_str(), label, *value == payloads)
    });
    let body = html! {
        div.head { h1 { "Settings" } span.muted { "of this browser" } }
        form.stack method="post" action=(visit.link().to("settings")) {
            (choice("theme", "Theme", &themes.collect::<Vec<_>>()))
            (choice("times", "Times", &shown.collect::<Vec<_>>()))
            (choice("size", "Tasks on a page", &sizes))
            (choice("payloads", "Lists of tasks", &carried.collect::<Vec<_>>()))
            div.buttons { button { "Save" } }
        }
        (saved_views(&visit))
        section {
            h2 { "Keys" }
            dl.facts.keys {
                div { dt { kbd { "/" } } dd { "Find tasks, or filter the list" } }
                div { dt { kbd { "j" } " " kbd { "k" } } dd { "Next and previous row" } }
                div { dt { kbd { "x" } } dd { "Select the row" } }
                div { dt { kbd { "Enter" } } dd { "Open the row" } }
                div { dt { kbd { "g" } " then " kbd { "q" } " " kbd { "t" } " " kbd { "h" } " " kbd { "s" } " " kbd { "c" } " " kbd { "r" } " " kbd { "d" } } dd { "Go to queues, tasks, charts, servers, schedules, Redis, the doctor" } }
                div { dt { kbd { ":" } " or " kbd { "Ctrl" } " " kbd { "K" } } dd { "Go anywhere: a page, a queue, a task by its ID, a saved view" } }
                div { dt { kbd { "p" } } dd { "Pause and resume live updates" } }
            }
        }
        (about(&visit).await)
    };
    Page::new(Section::Settings, "Settings", body).show(&visit)
}

/// Which versions run here, and what is to be said of them.
async fn about(visit: &Visit) -> Markup {
    let redis = match timeout(LIMIT, store(visit)).await {
        Ok(store) => store,
        Err(_elapsed) => Err(Problem::new("unavailable", "Redis does not answer")),
    };
    html! {
        section {
            h2 { "Versions" }
            (facts([("asynq", html! { (env!("CARGO_PKG_VERSION")) })]))
            @match redis {
                Ok(redis) => (redis),
                // Who may not see it is shown nothing; the settings are here all the same.
                Err(problem) if problem.is_outage() => p.remark { "Redis is away: its version is not known." },
                Err(_) => {}
            }
        }
    }
}

/// What Redis is, with what is risky about it.
async fn store(visit: &Visit) -> Result<Markup, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let info = inspector.store_info().await?;
    if info.is_empty() {
        return Ok(facts([("Redis", html! { "none: the tasks are kept in the memory of this process" })]));
    }
    let skew = inspector.store_time().await?.duration_since(visit.now());
    let version =
        info.get("redis_version").map_or_else(none, |version| html! { (human::printable(version)) });
    Ok(html! {
        (facts([("Redis", version)]))
        @for warning in of_store(&info, skew, visit.now()) { p.remark { (warning.text) } }
    })
}

/// Keeps them in a cookie.
pub(crate) async fn set(visit: Visit, Form(fields): Form<Fields>) -> Result<impl IntoResponse, Problem> {
    let unknown = |name: &str| Problem::invalid(format!("{name}: this is none of the choices"));
    let read = |name: &'static str| fields.raw(name).unwrap_or_default();
    let preferences = Preferences {
        theme: read("theme").parse().map_err(|()| unknown("theme"))?,
        times: read("times").parse().map_err(|()| unknown("times"))?,
        size: read("size").parse().map_err(|()| unknown("size"))?,
        payloads: read("payloads").parse().map_err(|()| unknown("payloads"))?,
        columns: visit.preferences.columns,
    };
    Ok((
        cookie(&visit, NAME, &preferences.to_value()),
        done(visit.link().to("settings").as_str(), "settings", 1),
    ))
}

/// Keeps the columns that are checked for all lists of tasks; those that fit the state where none is.
pub(crate) async fn set_columns(visit: Visit, Form(fields): Form<Fields>) -> impl IntoResponse {
    let named: Vec<&str> = fields.all("column").collect();
    let is_reset = fields.flag("reset");
    let chosen = Column::ALL.into_iter().filter(|column| !is_reset && named.contains(&column.as_str()));
    let preferences = Preferences { columns: chosen.collect(), ..visit.preferences };
    (cookie(&visit, NAME, &preferences.to_value()), done(&visit.way_back(fields.raw("back")), "settings", 1))
}

/// Has a browser keep this, or forget it where it is empty.
pub(super) fn cookie(visit: &Visit, name: &str, value: &str) -> AppendHeaders<[(HeaderName, String); 1]> {
    let path = cookie_path(&visit.root);
    let seconds = if value.is_empty() { 0 } else { SECONDS };
    let cookie = format!("{name}={value}; Path={path}; Max-Age={seconds}; SameSite=Lax; HttpOnly");
    AppendHeaders([(SET_COOKIE, cookie)])
}
