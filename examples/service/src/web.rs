//! The web app: it answers at once, and leaves the work to jobs.

use std::time::Duration;

use anyhow::Result;
use asynq::{Client, WaitError};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::images::Images;
use crate::jobs::{DeliverWebhook, NightlyReport, ResizeImage, SendWelcome};
use crate::settings::Settings;
use crate::users::{User, Users};

/// The largest upload: 10 MiB.
const LARGEST_UPLOAD: usize = 10 << 20;

/// How long a request for a picture waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all requests share.
#[derive(Clone)]
struct App {
    client: Client,
    users: Users,
    images: Images,
    webhook: Option<String>,
}

/// The routes.
///
/// # Errors
///
/// When a folder cannot be made.
pub fn app(client: Client, settings: &Settings) -> Result<Router> {
    let app = App {
        client,
        users: Users::in_folder(&settings.data),
        images: Images::in_folder(&settings.data)?,
        webhook: settings.webhook.clone(),
    };
    Ok(Router::new()
        .route("/users", post(sign_up))
        .route("/images", post(upload).layer(DefaultBodyLimit::max(LARGEST_UPLOAD)))
        .route("/images/{id}", get(small_image))
        .route("/reports/{day}", post(report))
        .with_state(app))
}

#[derive(Deserialize)]
struct SignUp {
    email: String,
    name: String,
}

/// `POST /users`: signs somebody up. Should something fail half-way, the form is sent again: every step is done once.
async fn sign_up(State(app): State<App>, Json(form): Json<SignUp>) -> Result<StatusCode, Failure> {
    let SignUp { email, name } = form;
    if let Err(error) = email.parse::<lettre::Address>() {
        return Err(Failure::refused(StatusCode::UNPROCESSABLE_ENTITY, format!("{email}: {error}")));
    }
    let user = User { email, name, since: Timestamp::now() };
    let is_new = app.users.add(&user).await?;
    SendWelcome::new(&user.email, &user.name).enqueue(&app.client).if_absent().await?;
    if let Some(url) = &app.webhook {
        let event_id = format!("user.created:{}", user.email);
        let event = json!({ "event": "user.created", "email": user.email });
        DeliverWebhook::new(url, event_id, event).enqueue(&app.client).if_absent().await?;
    }
    Ok(if is_new { StatusCode::CREATED } else { StatusCode::OK })
}

#[derive(Deserialize)]
struct Upload {
    width: u32,
}

/// `POST /images?width=320`: takes a PNG or JPEG picture, to be made smaller.
async fn upload(
    State(app): State<App>,
    Query(Upload { width }): Query<Upload>,
    picture: Bytes,
) -> Result<impl IntoResponse, Failure> {
    if !(1..=4_000).contains(&width) {
        return Err(Failure::refused(StatusCode::UNPROCESSABLE_ENTITY, "width must be from 1 to 4000"));
    }
    let id = Uuid::new_v4();
    let images = app.images.clone();
    tokio::task::spawn_blocking(move || images.put(&images.original(id), &picture)).await??;
    // The picture's ID is the task's, so that who has the one can ask for the other.
    ResizeImage::new(id, width).enqueue(&app.client).task_id(id.to_string()).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}

/// `GET /images/{id}`: the small picture; waits a little if it is not made yet.
async fn small_image(State(app): State<App>, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let path = app.images.small(id);
    if !tokio::fs::try_exists(&path).await? {
        match app.client.wait::<ResizeImage>("images", id.to_string()).timeout(PATIENCE).await {
            Ok(_) => {}
            Err(WaitError::TimedOut { .. }) => {
                return Err(Failure::refused(StatusCode::SERVICE_UNAVAILABLE, "not yet; ask again"));
            }
            Err(WaitError::Gone { .. }) => {
                return Err(Failure::refused(StatusCode::NOT_FOUND, format!("no picture {id}")));
            }
            Err(WaitError::Failed { .. }) => {
                return Err(Failure::refused(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "not a picture that can be read",
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let picture = tokio::fs::read(&path).await?;
    let kind = if picture.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
    Ok(([(header::CONTENT_TYPE, kind)], picture).into_response())
}

/// `POST /reports/2026-11-29`: makes the report of a day now.
async fn report(State(app): State<App>, Path(day): Path<Date>) -> Result<StatusCode, Failure> {
    NightlyReport::new(Some(day)).enqueue(&app.client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why a request is not answered as it should be.
enum Failure {
    /// It cannot be, and the text says why.
    Refused(StatusCode, String),
    /// Something does not work here, which is nobody's business outside.
    Broken(anyhow::Error),
}

impl Failure {
    fn refused(status: StatusCode, why: impl Into<String>) -> Self {
        Self::Refused(status, why.into())
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(status, why) => (status, why).into_response(),
            Self::Broken(error) => {
                tracing::error!("{error:#}");
                (StatusCode::SERVICE_UNAVAILABLE, "try again later").into_response()
            }
        }
    }
}
