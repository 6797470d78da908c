//! What is shown where something went wrong.

use axum::body::Body;
use axum::http::Response;
use axum::response::{Html, IntoResponse};
use maud::{DOCTYPE, html};

use super::layout::{Page, Section};
use crate::problem::Problem;
use crate::visit::Visit;

/// After so many seconds a browser asks again whether Redis is back.
const RETRY: u32 = 5;

/// A problem as a page.
pub(crate) fn problem(visit: &Visit, problem: &Problem) -> Response<Body> {
    let body = html! {
        div.problem data-retry=[problem.is_outage().then_some(RETRY)] {
            p.code { (problem.status.as_u16()) }
            h1 { (problem.title()) }
            @if problem.is_outage() {
                p { "This page looks for it again every " (RETRY) " seconds, and goes on when it is back." }
            }
            pre.detail tabindex="0" { (problem.detail) }
            p { a href=(visit.link()) { "To the queues" } }
        }
    };
    let reload = problem.is_outage().then_some(RETRY);
    let page = Page { status: problem.status, reload, ..Page::new(Section::None, problem.title(), body) };
    let mut response = page.show(visit);
    problem.tell(response.headers_mut());
    response
}

/// The same for somebody who may not come in: it tells nothing else.
pub(crate) fn bare_problem(problem: &Problem) -> Response<Body> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (problem.title()) } }
            body { h1 { (problem.title()) } p { (problem.detail) } }
        }
    };
    let mut response = (problem.status, Html(page.into_string())).into_response();
    problem.tell(response.headers_mut());
    response
}
