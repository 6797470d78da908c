//! [`Prometheus`]: where it is, and how it is asked.

use std::fmt;
use std::time::Duration;

use axum::http::Uri;
use axum::http::header::HeaderValue;
use axum::http::uri::Scheme;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::timeout;

use super::answer::{Series, read};
use super::connection::post;
use super::tls::Encryption;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Where a Prometheus is.
#[derive(Clone)]
pub(crate) struct Prometheus {
    /// How connections are encrypted, if the address says so.
    pub(super) encryption: Option<Encryption>,
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port, as they were given.
    pub(super) authority: String,
    /// Before `/api/v1`, without a slash at its end.
    pub(super) path: String,
    pub(super) authorization: Option<HeaderValue>,
}

/// Why an address is none of a Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrometheusError(String);

impl fmt::Display for PrometheusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PrometheusError {}

impl Prometheus {
    /// At this address; whoever has a login there puts it before the host: `https://user:password@host`.
    pub(crate) fn new(url: &str) -> Result<Self, PrometheusError> {
        // The address may hold a password, so it is not told again.
        let wrong = |reason: &str| {
            PrometheusError(format!("the address of Prometheus {reason}; write http://host:9090"))
        };
        let uri: Uri = url.trim().parse().map_err(|error| wrong(&format!("is none ({error})")))?;
        let is_secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err(wrong("must begin with http:// or https://")),
        };
        if uri.query().is_some() {
            return Err(wrong("has a query"));
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("has no host"))?;
        let whole = uri.authority().map(ToString::to_string).unwrap_or_default();
        let (login, authority) =
            whole.rsplit_once('@').map_or((None, &*whole), |(login, rest)| (Some(login), rest));
        let authorization = login.map(|login| {
            let basic =
                STANDARD.encode(decoded(login).ok_or_else(|| wrong("has a login that cannot be read"))?);
            let mut value = HeaderValue::from_str(&format!("Basic {basic}"))
                .map_err(|error| wrong(&format!("has a login that cannot be sent ({error})")))?;
            value.set_sensitive(true);
            Ok::<_, PrometheusError>(value)
        });
        let encryption = is_secure.then(Encryption::of_this_machine).transpose();
        let encryption = encryption.map_err(|error| wrong(&format!("begins with https://: {error}")))?;
        Ok(Self {
            encryption,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            authority: authority.to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
            authorization: authorization.transpose()?,
        })
    }

    /// The same, asked over TLS with these authorities in place of those of this machine.
    pub(crate) fn trusting(self, authorities: &[u8]) -> Result<Self, PrometheusError> {
        if self.encryption.is_none() {
            let reason = "certificate authorities are for an address of Prometheus that begins with https://";
            return Err(PrometheusError(reason.to_owned()));
        }
        let encryption = Encryption::of(authorities);
        let encryption =
            encryption.map_err(|error| PrometheusError(format!("the authorities of Prometheus: {error}")))?;
        Ok(Self { encryption: Some(encryption), ..self })
    }

    /// That there is none.
    pub(crate) fn missing() -> PrometheusError {
        PrometheusError("there is no Prometheus whose certificate authorities these could be".to_owned())
    }

    /// What a query gives between two moments, step by step; or why it gives nothing, in words.
    pub(crate) async fn range(
        &self,
        query: &str,
        from: i64,
        to: i64,
        step: i64,
    ) -> Result<Vec<Series>, String> {
        let seconds = |millis: i64| format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000));
        let form = [
            ("query", query.to_owned()),
            ("start", seconds(from)),
            ("end", seconds(to)),
            ("step", seconds(step)),
            ("timeout", format!("{}s", LIMIT.as_secs())),
        ];
        match timeout(LIMIT, post(self, "/api/v1/query_range", &form)).await {
            Ok(Ok((status, body))) => read(status, &body),
            Ok(Err(error)) => Err(error),
            Err(_elapsed) => Err(format!("Prometheus has not answered within {} s", LIMIT.as_secs())),
        }
    }
}

/// A login as it is meant: in an address, signs are written by number.
fn decoded(login: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(login.len());
    let mut rest = login.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, rest) {
            (b'%', [high, low, behind @ ..]) => {
                let digit =
                    |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(high)? * 16 + digit(low)?);
                rest = behind;
            }
            _ => bytes.push(*first),
        }
    }
    Some(bytes)
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A login is nobody's business.
        f.debug_struct("Prometheus").field("authority", &self.authority).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_wrong_ones_are_told_without_their_passwords() {
        let read = |url: &str| Prometheus::new(url).unwrap();
        let plain = read("http://localhost:9090");
        assert_eq!((plain.host.as_str(), plain.port, plain.path.as_str()), ("localhost", 9090, ""));
        let whole = read("http://ann:p%40ss@[::1]/prom/");
        assert_eq!((whole.host.as_str(), whole.port, whole.path.as_str()), ("::1", 80, "/prom"));
        assert_eq!(whole.authority, "[::1]");
        assert_eq!(whole.authorization.as_ref().unwrap(), &format!("Basic {}", STANDARD.encode("ann:p@ss")));
        assert!(!format!("{whole:?}").contains("ss"), "{whole:?}");
        for url in [
            "",
            "localhost:9090",
            "ftp://u:secret@h",
            "http://u:secret@h?x=1",
            "http://",
            "http://u:secret%zz@h",
        ] {
            let error = Prometheus::new(url).unwrap_err().to_string();
            assert!(error.contains("write http://host:9090") && !error.contains("secret"), "{url}: {error}");
        }
    }
}
