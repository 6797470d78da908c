//! One exchange of HTTP with Prometheus: by hyper itself, which axum has brought along.

use std::fmt::Display;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Request, StatusCode};
use futures_util::future::{Either, select};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Prometheus;
use crate::links::encoded;

/// No answer is larger: what comes is drawn, and that many points nobody can see.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Sends a form; the answer's status and body, or why there is none.
pub(super) async fn post(
    to: &Prometheus,
    path: &str,
    form: &[(&str, String)],
) -> Result<(StatusCode, Bytes), String> {
    let away = |error: &dyn Display| format!("Prometheus cannot be reached: {error}");
    let stream = TcpStream::connect((to.host.as_str(), to.port)).await.map_err(|error| away(&error))?;
    let fields: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let mut request = Request::post(format!("{}{path}", to.path))
        .header(HOST, &to.authority)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(authorization) = &to.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let request = request.body(Body::from(fields.join("&"))).map_err(|error| away(&error))?;
    match &to.encryption {
        Some(encryption) => {
            let stream = encryption.encrypt(&to.host, stream).await.map_err(|error| away(&error))?;
            exchange(stream, request).await
        }
        None => exchange(stream, request).await,
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<(StatusCode, Bytes), String> {
    let broken = |error: &dyn Display| format!("Prometheus has broken off: {error}");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        let body =
            to_bytes(Body::new(response.into_body()), MOST_BYTES).await.map_err(|error| broken(&error))?;
        Ok((status, body))
    };
    // The connection moves while somebody waits for it; what is left of it ends with the answer.
    match select(Box::pin(answered), connection).await {
        Either::Left((answer, _connection)) => answer,
        Either::Right((Ok(()), answered)) => answered.await,
        Either::Right((Err(error), _answered)) => Err(broken(&error)),
    }
}
