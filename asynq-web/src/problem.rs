//! [`Problem`]: why a request was not answered as asked; a page for people, `application/problem+json` for programs.

use std::time::Duration;

use asynq_core::Error;
use asynq_core::inspector::FilterError;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use crate::rights::Right;

/// What extractors of axum say is short.
const MOST_TEXT: usize = 16 * 1024;

/// Why a request was not answered as asked.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// What programs tell problems apart by; it never changes.
    pub(crate) code: &'static str,
    /// What was wrong, where, and what is allowed.
    pub(crate) detail: String,
    /// When it may be asked again.
    pub(crate) retry_after: Option<Duration>,
}

/// Every code, with its status: the API's document lists them.
pub(crate) const CODES: [(&str, StatusCode); 37] = [
    ("invalid", StatusCode::BAD_REQUEST),
    ("invalid_filter", StatusCode::BAD_REQUEST),
    ("not_confirmed", StatusCode::BAD_REQUEST),
    ("unauthenticated", StatusCode::UNAUTHORIZED),
    ("forbidden", StatusCode::FORBIDDEN),
    ("foreign_origin", StatusCode::FORBIDDEN),
    ("untrusted_proxy", StatusCode::FORBIDDEN),
    ("unknown_user", StatusCode::FORBIDDEN),
    ("not_found", StatusCode::NOT_FOUND),
    ("queue_not_found", StatusCode::NOT_FOUND),
    ("task_not_found", StatusCode::NOT_FOUND),
    ("entry_not_found", StatusCode::NOT_FOUND),
    ("run_not_found", StatusCode::NOT_FOUND),
    ("not_managed", StatusCode::CONFLICT),
    ("schedule_exists", StatusCode::CONFLICT),
    ("schedule_changed", StatusCode::CONFLICT),
    ("unreadable_schedule", StatusCode::CONFLICT),
    ("too_many_schedules", StatusCode::CONFLICT),
    ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED),
    ("queue_not_empty", StatusCode::CONFLICT),
    ("queue_busy", StatusCode::CONFLICT),
    ("wrong_state", StatusCode::CONFLICT),
    ("task_staged", StatusCode::CONFLICT),
    ("task_changed", StatusCode::CONFLICT),
    ("task_id_conflict", StatusCode::CONFLICT),
    ("duplicate_task", StatusCode::CONFLICT),
    ("unreadable_task", StatusCode::CONFLICT),
    ("too_large", StatusCode::PAYLOAD_TOO_LARGE),
    ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("unknown_host", StatusCode::MISDIRECTED_REQUEST),
    ("not_stored", StatusCode::UNPROCESSABLE_ENTITY),
    ("too_many_attempts", StatusCode::TOO_MANY_REQUESTS),
    ("too_many_requests", StatusCode::TOO_MANY_REQUESTS),
    ("failed", StatusCode::INTERNAL_SERVER_ERROR),
    ("prometheus_failed", StatusCode::BAD_GATEWAY),
    ("too_many", StatusCode::SERVICE_UNAVAILABLE),
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
];

/// A mark on an answer that is an error and stays as it is: it is no problem of ours to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsItIs;

impl Problem {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let known = CODES.iter().find(|(known, _)| *known == code);
        let status = known.map_or(StatusCode::INTERNAL_SERVER_ERROR, |(_, status)| *status);
        Self { status, code, detail: detail.into(), retry_after: None }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new("invalid", detail)
    }

    pub(crate) fn not_found() -> Self {
        Self::new("not_found", "there is nothing at this address")
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new("unauthenticated", "nobody is logged in")
    }

    pub(crate) fn forbidden(right: Right, queue: Option<&str>) -> Self {
        let place = queue.map(|queue| format!(" in queue `{queue}`")).unwrap_or_default();
        Self::new("forbidden", format!("you have not the right `{}`{place}", right.as_str()))
    }

    pub(crate) fn foreign_origin() -> Self {
        Self::new(
            "foreign_origin",
            "this change was asked for by a page of somebody else, so nothing was done",
        )
    }

    pub(crate) fn unknown_host(host: &str) -> Self {
        Self::new(
            "unknown_host",
            format!(
                "`{host}` is not a name of this server: use its address, or allow the name where it is set up"
            ),
        )
    }

    /// The same, with the time after which it may be asked again.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// What the headers of an answer say of it.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"asynq\""));
        }
        if let Some(wait) = self.retry_after {
            // The next whole second, for a moment earlier it would be refused again.
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
        }
    }

    /// Whether the store cannot be reached: it may come back by itself.
    pub(crate) fn is_outage(&self) -> bool {
        self.code == "unavailable"
    }

    /// Its title: the status in words.
    pub(crate) fn title(&self) -> &'static str {
        match self.code {
            "unavailable" => "Redis is away",
            "foreign_origin" => "Refused",
            "unknown_host" => "Unknown host",
            _ => self.status.canonical_reason().unwrap_or("Error"),
        }
    }

    /// The answer to programs.
    pub(crate) fn to_json(&self) -> Response<Body> {
        let document = json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let json = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (self.status, json, document.to_string()).into_response();
        self.tell(response.headers_mut());
        response
    }

    /// What went wrong in a response that a route gave; `None` when it is none of ours to show.
    pub(crate) async fn of(response: &mut Response<Body>) -> Option<Self> {
        if let Some(problem) = response.extensions_mut().remove::<Self>() {
            return Some(problem);
        }
        if response.extensions().get::<AsItIs>().is_some() {
            return None;
        }
        let status = response.status();
        let is_page = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if is_page {
            return None;
        }
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        // An extractor of axum: its text says what is wrong.
        let body = std::mem::take(response.body_mut());
        let text = to_bytes(body, MOST_TEXT).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let code = match status {
            StatusCode::NOT_FOUND => return Some(Self::not_found()),
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            _ if status.is_client_error() => "invalid",
            _ => "failed",
        };
        let detail =
            if text.is_empty() { status.canonical_reason().unwrap_or_default().to_owned() } else { text };
        Some(Self::new(code, detail))
    }
}

/// It is made into a page or a document at the end, where it is known who asked; see [`Problem::of`].
impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        Self::new("invalid_filter", error.to_string())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let code = match error {
            Error::QueueNotFound { .. } => "queue_not_found",
            Error::TaskNotFound { .. } => "task_not_found",
            Error::EntryNotFound { .. } | Error::ScheduleNotFound { .. } => "entry_not_found",
            Error::QueueNotEmpty { .. } => "queue_not_empty",
            Error::QueueBusy { .. } => "queue_busy",
            Error::WrongState { .. } => "wrong_state",
            Error::TaskStaged { .. } => "task_staged",
            Error::TaskChanged { .. } => "task_changed",
            Error::TaskIdConflict { .. } => "task_id_conflict",
            Error::DuplicateTask { .. } => "duplicate_task",
            Error::UnreadableTask { .. } => "unreadable_task",
            Error::ScheduleExists { .. } => "schedule_exists",
            Error::ScheduleChanged { .. } => "schedule_changed",
            Error::UnreadableSchedule { .. } => "unreadable_schedule",
            Error::TooManySchedules { .. } => "too_many_schedules",
            Error::PayloadTooLarge { .. } => "too_large",
            Error::PayloadNotStored { .. } => "not_stored",
            Error::InvalidOption(_) | Error::InvalidSchedule(_) => "invalid",
            Error::Connect { .. } => "unavailable",
            Error::Broker(broker) if broker.may_pass() => "unavailable",
            _ => "failed",
        };
        // The debug form is the text with all causes, in one line.
        Self::new(code, format!("{error:?}"))
    }
}
