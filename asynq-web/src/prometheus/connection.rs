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
    if to.is_secure {
        return exchange(encrypted(stream, &to.host).await.map_err(|error| away(&error))?, request).await;
    }
    exchange(stream, request).await
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

/// Encrypts a connection, and makes sure of who is there by the certificates that this machine trusts.
#[cfg(feature = "rustls")]
async fn encrypted(
    stream: TcpStream,
    host: &str,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    use std::io::{Error, ErrorKind};
    use std::sync::Arc;

    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

    let invalid = |error: &dyn Display| Error::new(ErrorKind::InvalidInput, error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| invalid(&error))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Never asked for: an address that needs it is refused.
#[cfg(not(feature = "rustls"))]
async fn encrypted(_stream: TcpStream, _host: &str) -> std::io::Result<TcpStream> {
    Err(std::io::ErrorKind::Unsupported.into())
}
