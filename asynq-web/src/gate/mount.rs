//! [`Mount`]: under which path the Web UI is, which every link begins with.

use axum::extract::OriginalUri;
use axum::http::header::HeaderName;
use axum::http::{Request, Uri};

use crate::problem::Problem;

const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// How it is found out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mount {
    /// The path that requests begin with, as they come here: empty, or `/a/b`.
    pub(crate) prefix: String,
}

impl Mount {
    /// A prefix as it is used: with a slash at its beginning, and none at its end.
    pub(crate) fn set_prefix(&mut self, given: &str) {
        self.prefix = normal(given);
    }
}

/// Takes the prefix from the request's path, and gives the path under which we are: what a proxy took away, what the
/// application took away that we are nested in, and the prefix.
pub(crate) fn mounted<B>(mount: &Mount, is_proxy: bool, request: &mut Request<B>) -> Result<String, Problem> {
    let mut base = String::new();
    if is_proxy
        && let Some(prefix) = request.headers().get(FORWARDED_PREFIX).and_then(|value| value.to_str().ok())
        && is_path(prefix)
    {
        base = normal(prefix);
    }
    let path = request.uri().path();
    if let Some(OriginalUri(original)) = request.extensions().get::<OriginalUri>() {
        let outer = original
            .path()
            .strip_suffix(path)
            .or_else(|| original.path().strip_suffix(path.trim_end_matches('/')));
        base.push_str(outer.unwrap_or_default().trim_end_matches('/'));
    }
    if !mount.prefix.is_empty() {
        let rest = path.strip_prefix(mount.prefix.as_str());
        let rest =
            rest.filter(|rest| rest.is_empty() || rest.starts_with('/')).ok_or_else(Problem::not_found)?;
        let rest = if rest.is_empty() { "/" } else { rest }.to_owned();
        set_path(request, &rest)?;
        base.push_str(&mount.prefix);
    }
    Ok(base)
}

/// Gives a request this path, which is what is left of its own.
pub(crate) fn set_path<B>(request: &mut Request<B>, path: &str) -> Result<(), Problem> {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let uri: Uri = format!("{path}{query}").parse().map_err(|_error| Problem::not_found())?;
    *request.uri_mut() = uri;
    Ok(())
}

fn normal(path: &str) -> String {
    let inner = path.trim_matches('/');
    if inner.is_empty() { String::new() } else { format!("/{inner}") }
}

/// Whether it can stand at the beginning of a link: a proxy passes on what it is sent.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        mount: &Mount,
        is_proxy: bool,
        original: Option<&str>,
        forwarded: Option<&str>,
        path: &str,
        expected: (&str, &str),
    ) {
        let mut request = Request::builder().uri(path);
        if let Some(prefix) = forwarded {
            request = request.header(FORWARDED_PREFIX, prefix);
        }
        let mut request = request.body(()).unwrap();
        if let Some(original) = original {
            request.extensions_mut().insert(OriginalUri(original.parse().unwrap()));
        }
        let base = mounted(mount, is_proxy, &mut request).unwrap();
        assert_eq!((base.as_str(), request.uri().to_string().as_str()), expected);
    }

    #[test]
    fn links_begin_with_whatever_was_taken_away() {
        let plain = Mount::default();
        check(&plain, false, None, None, "/queues?x=1", ("", "/queues?x=1"));
        check(&plain, false, Some("/a/b/queues"), None, "/queues", ("/a/b", "/queues"));
        for original in ["/a/b", "/a/b/"] {
            check(&plain, false, Some(original), None, "/", ("/a/b", "/"));
        }
        check(&plain, false, None, Some("/x"), "/queues", ("", "/queues"));

        let mut behind = Mount::default();
        check(&behind, true, None, Some("/x/"), "/queues", ("/x", "/queues"));
        check(&behind, true, None, Some("//evil.example"), "/queues", ("/evil.example", "/queues"));
        check(&behind, true, None, Some("/x\" onclick"), "/queues", ("", "/queues"));
        check(&behind, true, Some("/in/queues"), Some("/x"), "/queues", ("/x/in", "/queues"));

        behind.set_prefix("a/b/");
        for path in ["/a/b", "/a/b/"] {
            check(&behind, true, None, None, path, ("/a/b", "/"));
        }
        check(&behind, true, None, None, "/a/b/queues/%2F?x=%2F", ("/a/b", "/queues/%2F?x=%2F"));
        let mut elsewhere = Request::builder().uri("/a/bc").body(()).unwrap();
        assert!(mounted(&behind, true, &mut elsewhere).is_err());
    }
}
