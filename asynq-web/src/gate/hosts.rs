//! [`Hosts`]: by which names the Web UI may be asked.
//!
//! A page of somebody else can make its own name lead to this machine (DNS rebinding); then the browser takes us for a
//! part of that page. So names must be known. An address instead of a name cannot be made to lead anywhere else.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::{Authority, Uri};

use crate::problem::Problem;

/// Names that are allowed, beside `localhost` and addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    names: Vec<String>,
    any: bool,
}

impl Hosts {
    pub(crate) fn allow(&mut self, name: &str) {
        self.names.push(name.to_ascii_lowercase());
    }

    pub(crate) fn allow_any(&mut self) {
        self.any = true;
    }

    /// Refuses a request by a name that is not known.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        if self.any {
            return Ok(());
        }
        let given = asked_host(uri, headers).unwrap_or_default();
        let host = host_alone(&given);
        let is_known = host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok()
            || self.names.iter().any(|name| name.eq_ignore_ascii_case(host));
        if is_known { Ok(()) } else { Err(Problem::unknown_host(host)) }
    }
}

/// Host and perhaps port, as the client asked for them.
pub(super) fn asked_host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let of_uri = uri.authority().map(Authority::to_string);
    of_uri.or_else(|| headers.get(HOST).and_then(|value| value.to_str().ok()).map(str::to_owned))
}

/// Without its port and without the brackets of an address.
fn host_alone(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_names_that_are_known() {
        let mut hosts = Hosts::default();
        hosts.allow("Jobs.Example.com");
        let asked = |host: &'static str| {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            hosts.check(&Uri::from_static("/"), &headers).is_ok()
        };
        for host in
            ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "10.0.0.7", "jobs.example.COM:443"]
        {
            assert!(asked(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[evil]"] {
            assert!(!asked(host), "{host}");
        }
        assert!(hosts.check(&Uri::from_static("/"), &HeaderMap::new()).is_err(), "none at all");
    }
}
