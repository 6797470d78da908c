//! What is done to many tasks.

use std::time::Duration;

use asynq_core::task::TaskState;
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::shapes::{Change, Items};
use crate::actions::{Ask, Matching, Target, TaskKey, Verb};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// What takes longer is answered before it has ended.
const SOON: Duration = Duration::from_secs(1);

/// What is to be done to which tasks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    action: String,
    /// To which queue they are moved.
    to: Option<String>,
    tasks: Option<Vec<Named>>,
    matching: Option<Fitting>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    queue: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fitting {
    queue: Option<String>,
    state: Option<String>,
    group: Option<String>,
    #[serde(default)]
    filter: String,
}

#[derive(Serialize)]
struct Counted {
    tasks: usize,
    /// Whether that is all; else there are at least so many.
    complete: bool,
}

/// Does something to the tasks that are named, or to all that fit; with `dry_run` only counts them.
pub(crate) async fn act(visit: Visit, Json(wanted): Json<Wanted>) -> Result<Response, Problem> {
    let is_dry = wanted.dry_run;
    let (ask, about) = wanted.read()?;
    if is_dry {
        ask.check(&visit).await?;
        let count = ask.count(&visit).await?;
        return Ok(Json(Counted { tasks: count.tasks, complete: count.is_complete }).into_response());
    }
    let run = visit.shared.bulk.begin(&visit, ask, about).await?;
    run.wait(SOON).await;
    let change = Change::new(&run);
    let status = if change.has_ended() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(change)).into_response())
}

impl Wanted {
    fn read(self) -> Result<(Ask, String), Problem> {
        let mut verb: Verb = self.action.parse()?;
        match (&mut verb, self.to.filter(|to| !to.trim().is_empty())) {
            (Verb::Move(to), Some(given)) => *to = given,
            (Verb::Move(_), None) => return Err(Problem::invalid("to: the name of the queue is missing")),
            (_, Some(_)) => return Err(Problem::invalid("to: only for the action move")),
            (_, None) => {}
        }
        let (target, about) = match (self.tasks, self.matching) {
            (Some(tasks), None) => {
                let about = format!("{} tasks that were named", tasks.len());
                (Target::tasks(tasks.into_iter().map(|task| Ok(TaskKey::new(task.queue, task.id))))?, about)
            }
            (None, Some(fitting)) => {
                let about = format!(
                    "queue {}, state {}, group {}, filter {:?}",
                    fitting.queue.as_deref().unwrap_or("any"),
                    fitting.state.as_deref().unwrap_or("any"),
                    fitting.group.as_deref().unwrap_or("any"),
                    fitting.filter
                );
                let state = fitting.state.map(|state| state.parse::<TaskState>()).transpose();
                let matching = Matching {
                    queue: fitting.queue,
                    state: state.map_err(|error| Problem::invalid(format!("state: {error}")))?,
                    group: fitting.group,
                    filter: fitting.filter.parse()?,
                };
                (Target::Matching(matching), about)
            }
            _ => return Err(Problem::invalid("one of `tasks` and `matching` must say which tasks")),
        };
        Ok((Ask { verb, target }, about))
    }
}

/// All changes to many tasks that are known, the latest first.
pub(crate) async fn runs(visit: Visit) -> Result<Json<Items<Change>>, Problem> {
    visit.inspector_of_all(Right::View)?;
    Ok(Json(Items { items: visit.shared.bulk.runs(&visit).iter().map(|run| Change::new(run)).collect() }))
}

/// One of them.
pub(crate) async fn run(visit: Visit, Path(id): Path<String>) -> Result<Json<Change>, Problem> {
    Ok(Json(Change::new(&*visit.shared.bulk.run(&visit, &id)?)))
}

/// Begins no more tasks.
pub(crate) async fn stop(
    visit: Visit,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Change>), Problem> {
    let run = visit.shared.bulk.run(&visit, &id)?;
    visit.inspector_of_all(run.verb.right())?;
    run.stop();
    visit.audited("stop", "", &id, Ok::<_, Problem>(())).await?;
    Ok((StatusCode::ACCEPTED, Json(Change::new(&run))))
}
