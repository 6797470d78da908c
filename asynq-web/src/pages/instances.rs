//! All instances: which there are, and whether each can be reached.

use asynq_core::inspector::human;
use axum::body::Body;
use axum::http::Response;
use futures_util::future::join_all;
use maud::html;

use super::layout::{Page, Section};
use super::parts::{count, none};
use crate::health::is_reached;
use crate::links::Link;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// An instance, as it is found.
pub(crate) struct Standing {
    pub(crate) name: String,
    /// Where it is.
    pub(crate) link: Link,
    pub(crate) is_here: bool,
    /// Why it cannot be reached, if so.
    pub(crate) problem: Option<Problem>,
    /// How many of its queues the visitor may see, where it answers.
    pub(crate) queues: Option<usize>,
}

/// Those that the visitor may see. They are asked at the same time, and none is waited for long.
pub(crate) async fn standing(visit: &Visit) -> Vec<Standing> {
    let asked = visit.instances.reached_by(visit.rights()).map(async |shared| {
        // Whoever is let into an instance has the same rights there.
        let looked = async {
            is_reached(shared).await?;
            let queues = shared.inspector.queues().await?;
            let rights = visit.rights();
            Ok::<_, Problem>(queues.iter().filter(|queue| rights.allow(Right::View, queue.as_str())).count())
        };
        let (queues, problem) = match looked.await {
            Ok(queues) => (Some(queues), None),
            Err(problem) => (None, Some(problem)),
        };
        Standing {
            name: shared.name.to_string(),
            link: Link::new(&visit.instances.base(&visit.root, &shared.name)),
            is_here: shared.name == visit.shared.name && !visit.is_before_all(),
            problem,
            queues: queues.filter(|_| visit.rights().have(Right::View)),
        }
    });
    join_all(asked).await
}

/// The list.
pub(crate) async fn instances(visit: Visit) -> Result<Response<Body>, Problem> {
    let all = standing(&visit).await;
    let body = html! {
        div.head { h1 { "Instances" } }
        div.scroll role="region" aria-label="Instances" tabindex="0" {
            table {
                thead { tr { th scope="col" { "Instance" } th scope="col" { "Standing" } th.right scope="col" { "Queues" } } }
                tbody {
                    @for one in &all {
                        tr data-key={"i" (one.name)} {
                            th scope="row" {
                                a href=(one.link) aria-current=[one.is_here.then_some("true")] { @if one.name.is_empty() { "this one" } @else { (human::printable(&one.name)) } }
                                @if one.is_here && all.len() > 1 { span.muted { " · this one" } }
                            }
                            td.wide {
                                @match &one.problem {
                                    None => span.badge.good { "reached" },
                                    Some(problem) => { span.badge.alarm { "away" } " " span.muted { (problem.detail) } },
                                }
                            }
                            td.right { @match one.queues { Some(queues) => (count(queues)), None => (none()) } }
                        }
                    }
                }
            }
        }
    };
    Ok(Page::live(Section::None, "Instances", body).show(&visit))
}
