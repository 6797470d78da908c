//! Changes come from our own pages, or from programs; not from pages of others that are open in the same browser.

use axum::http::header::{HeaderName, ORIGIN};
use axum::http::{HeaderMap, Method, Uri};

use super::hosts::asked_host;
use crate::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a change that a page of somebody else asks for.
///
/// Browsers say in `Sec-Fetch-Site` where a request comes from, and older ones, or those that are asked over plain
/// HTTP, in `Origin`. What has neither is no browser.
pub(crate) fn check_origin(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_ours = match (text(SEC_FETCH_SITE), text(ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == asked_host(uri, headers).as_deref()
        }
        (None, None) => true,
    };
    if is_ours { Ok(()) } else { Err(Problem::foreign_origin()) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::HOST;

    use super::*;

    #[test]
    fn only_from_our_own_pages() {
        let asked = |method: Method, site: Option<&'static str>, origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("jobs:8080"))]);
            for (name, value) in [(SEC_FETCH_SITE, site), (ORIGIN, origin)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            check_origin(&method, &Uri::from_static("/"), &headers).is_ok()
        };
        assert!(asked(Method::GET, Some("cross-site"), Some("http://evil.example")));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(asked(method.clone(), None, None), "a program");
            assert!(asked(method.clone(), Some("same-origin"), None));
            assert!(asked(method.clone(), None, Some("http://jobs:8080")));
            for site in ["cross-site", "same-site", "odd"] {
                assert!(!asked(method.clone(), Some(site), Some("http://jobs:8080")), "{site}");
            }
            for origin in
                ["null", "http://evil.example", "http://jobs", "http://jobs:8080.evil.example", "jobs:8080"]
            {
                assert!(!asked(method.clone(), None, Some(origin)), "{origin}");
            }
        }
    }
}
