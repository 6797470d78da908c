//! What is wrong, and putting it right.

use std::time::Duration;

use asynq_core::inspector::{Class, Diagnosis, Finding};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::shapes::time;
use crate::doctor::Work;
use crate::pages::{begin_repair, visible_findings};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;
use crate::warnings::{Warning, warnings};

/// What takes longer is answered before it has ended.
const SOON: Duration = Duration::from_secs(1);

/// What one must know now, and what the last look at everything found.
#[derive(Serialize)]
struct Report {
    warnings: Vec<Told>,
    /// Since when the doctor is at work; `null` when it is not.
    working_since: Option<String>,
    /// Why its last work ended early.
    error: Option<String>,
    /// `null` while nobody has looked.
    examination: Option<Examined>,
    repair: Option<Mended>,
}

#[derive(Serialize)]
struct Told {
    code: &'static str,
    severity: String,
    about: &'static str,
    subject: String,
    text: String,
}

#[derive(Serialize)]
struct Examined {
    at: Option<String>,
    tasks: usize,
    queues: usize,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    class: &'static str,
    severity: String,
    queue: Option<String>,
    count: usize,
    sample: Vec<String>,
    detail: String,
    explanation: &'static str,
    /// What a repair does; `null` where there is none.
    remedy: Option<&'static str>,
    advice: &'static str,
}

#[derive(Serialize)]
struct Mended {
    class: &'static str,
    queue: Option<String>,
    #[serde(rename = "mended")]
    done: usize,
    left: usize,
}

/// What is to be put right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    class: String,
    queue: Option<String>,
}

/// What is wrong, as far as anybody has looked.
pub(crate) async fn report(visit: Visit) -> Result<Response, Problem> {
    answer(&visit, StatusCode::OK).await
}

/// Looks at everything; what takes longer goes on.
pub(crate) async fn examine(visit: Visit) -> Result<Response, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?.clone();
    visit.shared.doctor.begin(inspector, Work::Examine, visit.now())?;
    worked(&visit).await
}

/// Puts right what is of a class, and looks again.
pub(crate) async fn repair(visit: Visit, Json(wanted): Json<Wanted>) -> Result<Response, Problem> {
    let class: Class =
        wanted.class.parse().map_err(|unknown| Problem::invalid(format!("class: {unknown}")))?;
    begin_repair(&visit, class, wanted.queue).await?;
    worked(&visit).await
}

async fn worked(visit: &Visit) -> Result<Response, Problem> {
    visit.shared.doctor.wait(SOON).await;
    let is_over = visit.shared.doctor.standing().doing.is_none();
    answer(visit, if is_over { StatusCode::OK } else { StatusCode::ACCEPTED }).await
}

async fn answer(visit: &Visit, status: StatusCode) -> Result<Response, Problem> {
    let warnings = warnings(visit).await?;
    let standing = visit.shared.doctor.standing();
    let repaired = standing.repaired.filter(|(_, queue, _)| visit.may_in(Right::View, queue.as_deref()));
    let report = Report {
        warnings: warnings.into_iter().map(Told::new).collect(),
        working_since: standing.doing.map(|(_, since)| since.to_string()),
        error: standing.failure,
        examination: standing.diagnosis.map(|diagnosis| Examined::new(visit, &diagnosis)),
        repair: repaired.map(|(class, queue, repaired)| Mended {
            class: class.as_str(),
            queue,
            done: repaired.mended,
            left: repaired.left,
        }),
    };
    Ok((status, Json(report)).into_response())
}

impl Told {
    fn new(warning: Warning) -> Self {
        let (about, subject) = warning.about.words();
        Self {
            code: warning.code,
            severity: warning.severity.to_string(),
            about,
            subject: subject.to_owned(),
            text: warning.text,
        }
    }
}

impl Examined {
    fn new(visit: &Visit, diagnosis: &Diagnosis) -> Self {
        let found = |finding: &Finding| Found {
            class: finding.class.as_str(),
            severity: finding.class.severity().to_string(),
            queue: finding.queue.as_ref().map(ToString::to_string),
            count: finding.count,
            sample: finding.sample.clone(),
            detail: finding.detail.clone(),
            explanation: finding.class.explanation(),
            remedy: finding.class.remedy(),
            advice: finding.class.advice(),
        };
        Self {
            at: time(Some(diagnosis.at)),
            tasks: diagnosis.tasks,
            queues: diagnosis.queues,
            findings: visible_findings(visit, diagnosis).into_iter().map(found).collect(),
        }
    }
}
