//! Logging in and out.

use asynq_core::inspector::AuditEntry;
use axum::Form;
use axum::body::Body;
use axum::extract::Query;
use axum::http::header::SET_COOKIE;
use axum::http::{Method, Response, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use maud::html;

use super::layout::{Page, Section, done};
use super::parts::hidden;
use crate::fields::Fields;
use crate::login::{Door, cookie};
use crate::problem::Problem;
use crate::visit::Visit;

/// Asks for name and password.
pub(crate) async fn login(visit: Visit, Query(fields): Query<Fields>) -> Result<Response<Body>, Problem> {
    door(&visit)?;
    let next = visit.way_back(fields.raw("next"));
    if !visit.visitor.name().is_empty() {
        return Ok(Redirect::to(&next).into_response());
    }
    Ok(form(&visit, &next, "", None).show(&visit))
}

/// Lets somebody in, and leads to where they wanted to go.
pub(crate) async fn log_in(visit: Visit, Form(fields): Form<Fields>) -> Result<Response<Body>, Problem> {
    let door = door(&visit)?;
    let next = visit.way_back(fields.raw("next"));
    let name = fields.raw("name").unwrap_or_default().trim();
    let password = fields.raw("password").unwrap_or_default();
    let Some(session) = door.log_in(name, password, &visit.caller).await? else {
        let address = visit.caller.address.map(tracing::field::display);
        tracing::warn!(target: "asynq_web::audit", visitor = name, address, "name or password was wrong");
        let page = form(&visit, &next, name, Some("This name with this password is not known."));
        return Ok(Page { status: StatusCode::UNAUTHORIZED, ..page }.show(&visit));
    };
    let entry = AuditEntry { actor: name.to_owned(), ..visit.author().does("login") };
    visit.shared.note(entry).await;
    // Who logs in again leaves nothing behind.
    door.log_out(visit.pass);
    let kept = [(SET_COOKIE, cookie(&visit.root, visit.caller.is_secure, &session))];
    Ok((AppendHeaders(kept), Redirect::to(&next)).into_response())
}

/// Ends a session.
pub(crate) async fn log_out(visit: Visit) -> Result<Response<Body>, Problem> {
    door(&visit)?.log_out(visit.pass);
    visit.audited("logout", "", "", Ok::<_, Problem>(())).await?;
    let kept = [(SET_COOKIE, cookie(&visit.root, visit.caller.is_secure, ""))];
    Ok((AppendHeaders(kept), done(visit.root_link().to("login").as_str(), "logout", 1)).into_response())
}

/// Where a stranger is led who asks for a page, which comes next.
pub(crate) fn to_login(visit: &Visit, method: &Method) -> Response<Body> {
    let login = visit.root_link().to("login");
    // What was to be changed is lost, and is no page.
    let login = if method.is_safe() { login.with("next", visit.here()) } else { login };
    Redirect::to(login.as_str()).into_response()
}

fn door(visit: &Visit) -> Result<&Door, Problem> {
    visit.shared.door.as_deref().ok_or_else(Problem::not_found)
}

fn form(visit: &Visit, next: &str, name: &str, wrong: Option<&str>) -> Page {
    let body = html! {
        div.ask.login {
            h1 { "Sign in" }
            @if let Some(wrong) = wrong { p.bad #wrong role="alert" { (wrong) } }
            form.stack method="post" action=(visit.link().to("login")) {
                (hidden("next", next))
                label { "Name"
                    input type="text" name="name" value=(name) required autocomplete="username" autocapitalize="none"
                        spellcheck="false" autofocus[wrong.is_none()];
                }
                label { "Password"
                    input type="password" name="password" required autocomplete="current-password"
                        aria-describedby=[wrong.map(|_| "wrong")] autofocus[wrong.is_some()];
                }
                div.buttons { button { "Sign in" } }
            }
        }
    };
    Page::new(Section::None, "Sign in", body)
}
