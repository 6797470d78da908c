//! A [`Call`], done and answered as asynqmon would.

use std::collections::{BTreeMap, HashMap};

use asynq_core::Error;
use asynq_core::inspector::{BulkChange, Collection, Page, RunningTask};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::Query;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use futures_util::stream::iter;
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::shapes::{Day, Entry, Event, Group, Queue, Row, Server, Task};
use crate::actions::{TaskKey, Verb};
use crate::fields::Fields;
use crate::pages::{infos, visible_servers};
use crate::problem::{AsItIs, Problem};
use crate::rights::Right;
use crate::schedules::{entries, entry_of};
use crate::visit::Visit;

/// How many days `queue_stats` tells of, and how many a queue does.
const DAYS: (usize, usize) = (90, 10);

/// How many tasks a page has unless told otherwise.
const PAGE: usize = 20;

/// The largest body.
const LARGEST: usize = 1_000_000;

/// How many queues are asked for their history at one time.
const AT_A_TIME: usize = 32;

/// Why there is no answer, as plain text.
struct Refusal(StatusCode, String);

impl From<Error> for Refusal {
    /// Whatever it is: asynqmon tells few things apart.
    fn from(error: Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}"))
    }
}

impl From<Problem> for Refusal {
    /// What is refused is refused; the rest is as above.
    fn from(problem: Problem) -> Self {
        let is_refused = matches!(problem.code, "forbidden" | "invalid" | "unavailable");
        let status = if is_refused { problem.status } else { StatusCode::INTERNAL_SERVER_ERROR };
        Self(status, problem.detail)
    }
}

/// Answers a request below `/api` that is none of our own API's.
pub(crate) async fn answer(visit: Visit, request: Request<Body>) -> Response {
    let mut response = match answered(&visit, request).await {
        Ok(response) => response,
        Err(Refusal(status, text)) => (status, format!("{text}\n")).into_response(),
    };
    response.extensions_mut().insert(AsItIs);
    response
}

async fn answered(visit: &Visit, request: Request<Body>) -> Result<Response, Refusal> {
    let path = request.uri().path().strip_prefix("/api/").unwrap_or_default();
    let method = request.method().clone();
    if !method.is_safe() && visit.rights().only_look() {
        let text = format!("API Server is running in read-only mode: {method} request is not allowed");
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, text));
    }
    let nothing = || Refusal(StatusCode::NOT_FOUND, "404 page not found".to_owned());
    let call = Call::read(&method, path).ok_or_else(nothing)?;
    let page = page(&request)?;
    match call {
        Call::Queues => queues(visit).await,
        Call::Queue(queue) => {
            let inspector = visit.inspector(Right::View, &queue)?;
            let current = Queue::new(&inspector.queue_info(&queue).await?);
            let history = Day::all(&queue, &inspector.history(&queue, DAYS.1).await?);
            Ok(Json(json!({ "current": current, "history": history })).into_response())
        }
        Call::DeleteQueue(queue) => delete_queue(visit, &queue).await,
        Call::Pause(queue, pauses) => pause(visit, &queue, pauses).await,
        Call::Stats => stats(visit).await,
        Call::Groups(queue) => {
            let inspector = visit.inspector(Right::View, &queue)?;
            let (stats, groups) = inspector.queue_with_groups(&queue).await?;
            Ok(Json(json!({ "stats": Queue::new(&stats), "groups": Group::all(groups) })).into_response())
        }
        Call::Tasks(queue, collection) => tasks(visit, &queue, collection, page).await,
        Call::Task(queue, id) => task(visit, &queue, &id).await,
        Call::One(queue, id, verb) => {
            let inspector = visit.inspector(verb.right(), &queue)?;
            match verb.apply(inspector, &TaskKey::new(&queue, &id)).await {
                // It is told so also where nobody runs it.
                Err(Error::TaskNotFound { .. }) if verb == Verb::Cancel => {}
                result => visit.audited(verb.as_str(), &queue, &id, result).await?,
            }
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Call::Batch(queue, verb) => batch(visit, &queue, &verb, request).await,
        Call::All(queue, collection, verb) => all(visit, &queue, collection, &verb).await,
        Call::Servers => {
            let servers = visible_servers(visit).await?;
            let servers: Vec<Server> = servers.into_iter().map(|server| Server::new(visit, server)).collect();
            Ok(Json(json!({ "servers": servers })).into_response())
        }
        Call::Entries => {
            let entries: Vec<Entry> =
                entries(visit).await?.iter().map(|entry| Entry::new(visit, entry)).collect();
            Ok(Json(json!({ "entries": entries })).into_response())
        }
        Call::Events(entry) => events(visit, &entry, page).await,
        Call::Redis => redis_info(visit).await,
        Call::Metrics => {
            let text = "no Prometheus is asked: look at the metrics of `asynq exporter`";
            Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, text.to_owned()))
        }
    }
}

/// Which part of a list is asked for; what cannot be read is as if it were not there.
fn page(request: &Request<Body>) -> Result<Page, Refusal> {
    let fields = Query::<Fields>::try_from_uri(request.uri()).map(|Query(fields)| fields).unwrap_or_default();
    let number = |name: &str, usual: usize| match fields.text(name).and_then(|text| text.parse().ok()) {
        Some(given) if given > 0 => given,
        _ => usual,
    };
    Page::new(number("page", 1), number("size", PAGE).min(Page::MAX_SIZE))
        .map_err(|error| Error::from(error).into())
}

async fn queues(visit: &Visit) -> Result<Response, Refusal> {
    let names = visit.queues(Right::View).await?;
    let infos = infos(visit.inspector_of_all(Right::View)?, &names).await?;
    let queues: Vec<Queue> = infos.iter().map(Queue::new).collect();
    Ok(Json(json!({ "queues": queues })).into_response())
}

async fn delete_queue(visit: &Visit, queue: &str) -> Result<Response, Refusal> {
    let deleted = visit.inspector(Right::DeleteQueue, queue)?.delete_queue(queue).await;
    match visit.audited("delete_queue", queue, "", deleted).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(problem) if problem.code == "queue_not_found" => {
            Err(Refusal(StatusCode::NOT_FOUND, problem.detail))
        }
        Err(problem) if problem.code == "queue_not_empty" => {
            Err(Refusal(StatusCode::BAD_REQUEST, problem.detail))
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn pause(visit: &Visit, queue: &str, pauses: bool) -> Result<Response, Refusal> {
    let inspector = visit.inspector(Right::Pause, queue)?;
    let (changed, verb) = if pauses {
        (inspector.pause(queue).await, "pause")
    } else {
        (inspector.resume(queue).await, "resume")
    };
    let is_changed = match changed {
        Ok(false) => false,
        changed => visit.audited(verb, queue, "", changed).await?,
    };
    if !is_changed {
        let state = if pauses { "already" } else { "not" };
        return Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, format!("queue {queue:?} is {state} paused")));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn stats(visit: &Visit) -> Result<Response, Refusal> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let names = visit.queues(Right::View).await?;
    let days = iter(names.into_iter().map(Ok::<_, Error>)).map_ok(async |queue| {
        let days = inspector.history(&queue, DAYS.0).await?;
        Ok((queue.to_string(), Day::all(queue.as_str(), &days)))
    });
    let stats: BTreeMap<String, Vec<Day>> = days.try_buffered(AT_A_TIME).try_collect().await?;
    Ok(Json(json!({ "stats": stats })).into_response())
}

async fn tasks(visit: &Visit, queue: &str, collection: Collection, page: Page) -> Result<Response, Refusal> {
    let inspector = visit.inspector(Right::View, queue)?;
    let is_group = matches!(collection, Collection::Group(_));
    let mut running = HashMap::new();
    if collection == Collection::Active {
        let workers = inspector.servers().await?.into_iter().flat_map(|server| server.running);
        let here = workers.filter(|task| task.queue == *queue);
        running = here.map(|task| (task.id.to_string(), task)).collect::<HashMap<String, RunningTask>>();
    }
    let listed = inspector.list(queue, collection, page).await?;
    let rows: Vec<Row> = listed.tasks.into_iter().map(|task| Row::new(visit, task, &running)).collect();
    let answer = if is_group {
        let (stats, groups) = inspector.queue_with_groups(queue).await?;
        json!({ "tasks": rows, "stats": Queue::new(&stats), "groups": Group::all(groups) })
    } else {
        json!({ "tasks": rows, "stats": Queue::new(&inspector.queue_info(queue).await?) })
    };
    Ok(Json(answer).into_response())
}

async fn task(visit: &Visit, queue: &str, id: &str) -> Result<Response, Refusal> {
    match visit.inspector(Right::View, queue)?.task(queue, id).await {
        Ok(detail) => Ok(Json(Task::new(visit, detail.info)).into_response()),
        Err(error @ (Error::QueueNotFound { .. } | Error::TaskNotFound { .. })) => {
            Err(Refusal(StatusCode::NOT_FOUND, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    #[serde(default)]
    task_ids: Vec<String>,
}

async fn batch(visit: &Visit, queue: &str, verb: &Verb, request: Request<Body>) -> Result<Response, Refusal> {
    let inspector = visit.inspector(verb.right(), queue)?;
    let bad = |error: String| Refusal(StatusCode::BAD_REQUEST, error);
    let body = to_bytes(request.into_body(), LARGEST).await.map_err(|error| bad(error.to_string()))?;
    let named: Named = serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for id in named.task_ids {
        match verb.apply(inspector, &TaskKey::new(queue, &id)).await {
            Err(Error::TaskNotFound { .. }) if *verb == Verb::Cancel => done.push(id),
            result => match visit.audited(verb.as_str(), queue, &id, result).await {
                Ok(()) => done.push(id),
                Err(_) => failed.push(id),
            },
        }
    }
    Ok(match verb {
        Verb::Cancel => answer_of("canceled_ids", &done, "error_ids", &failed),
        Verb::Delete => answer_of("deleted_ids", &done, "failed_ids", &failed),
        Verb::Archive => answer_of("archived_ids", &done, "error_ids", &failed),
        _ => answer_of("pending_ids", &done, "error_ids", &failed),
    })
}

fn answer_of(done_name: &str, done: &[String], failed_name: &str, failed: &[String]) -> Response {
    Json(json!({ done_name: done, failed_name: failed })).into_response()
}

async fn all(visit: &Visit, queue: &str, collection: Collection, verb: &Verb) -> Result<Response, Refusal> {
    let inspector = visit.inspector(verb.right(), queue)?;
    let change: BulkChange = match verb {
        Verb::Run => inspector.run_all(queue, collection),
        Verb::Archive => inspector.archive_all(queue, collection),
        Verb::Delete => inspector.delete_all(queue, collection),
        _ => {
            let cancelled = async {
                let mut active = inspector.tasks(queue, collection).await?;
                while let Some(task) = active.next().await {
                    inspector.cancel(&task?.id).await?;
                }
                Ok::<_, Error>(())
            };
            visit.audited("cancel", queue, "all that are active", cancelled.await).await?;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    };
    let changed = visit.audited(verb.as_str(), queue, "all of a state", change.await).await?.changed;
    let name = match verb {
        Verb::Run => "scheduled",
        Verb::Archive => "archived",
        _ => "deleted",
    };
    Ok(Json(json!({ name: changed })).into_response())
}

async fn events(visit: &Visit, entry: &str, page: Page) -> Result<Response, Refusal> {
    // One that is unknown has none; one that is known belongs to a queue.
    let events = match entry_of(visit, entry).await {
        Ok(entry) => visit.inspector(Right::View, entry.queue())?.enqueue_events(&entry.id, page).await?,
        Err(problem) if problem.code == "entry_not_found" && !visit.rights().are_limited() => {
            visit.inspector_of_all(Right::View)?.enqueue_events(entry, page).await?
        }
        Err(problem) if problem.code == "entry_not_found" => Vec::new(),
        Err(problem) => return Err(problem.into()),
    };
    let events: Vec<Event> = events.into_iter().map(Event::new).collect();
    Ok(Json(json!({ "events": events })).into_response())
}

async fn redis_info(visit: &Visit) -> Result<Response, Refusal> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let info = inspector.store_info().await?;
    let raw: Vec<String> = info.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
    let members = match inspector.cluster_members().await {
        Err(Error::NotACluster) => None,
        members => Some(members?),
    };
    let mut locations = Vec::new();
    if members.is_some() {
        for queue in visit.queues(Right::View).await? {
            let nodes = inspector.cluster_nodes(&queue).await?.into_iter().map(|node| node.address);
            locations.push(json!({
                "queue": queue.as_str(),
                "keyslot": inspector.cluster_key_slot(&queue).await?,
                "nodes": nodes.collect::<Vec<_>>(),
            }));
        }
    }
    let is_cluster = members.is_some();
    let lines = members.unwrap_or_default().into_iter().map(|member| format!("{}\n", member.line));
    Ok(Json(json!({
        "address": inspector.store_address().unwrap_or_default(),
        "info": info,
        "raw_info": raw.concat(),
        "cluster": is_cluster,
        "raw_cluster_nodes": lines.collect::<Vec<_>>().concat(),
        "queue_locations": is_cluster.then_some(locations),
    }))
    .into_response())
}
