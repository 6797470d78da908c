//! The cookie of a session: what it is called, and how far it goes.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// As much as browsers allow: the cookie is only for us, over HTTPS if we are, and no other name can overwrite it.
fn name(base: &str, is_secure: bool) -> &'static str {
    match (is_secure, path(base)) {
        (true, "/") => "__Host-asynq_session",
        (true, _) => "__Secure-asynq_session",
        (false, _) => "asynq_session",
    }
}

/// Where a cookie of ours goes.
pub(crate) fn path(base: &str) -> &str {
    // A path with a semicolon would end there.
    if base.is_empty() || base.contains([';', ',']) { "/" } else { base }
}

/// Sets the cookie; an empty value takes it away.
pub(crate) fn set(base: &str, is_secure: bool, value: &str) -> String {
    let (name, path) = (name(base, is_secure), path(base));
    let secure = if is_secure { "; Secure" } else { "" };
    let end = if value.is_empty() { "; Max-Age=0" } else { "" };
    format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}{end}")
}

/// What the browser has of it. Of several, for paths that lie in each other, the innermost comes first.
pub(crate) fn read<'a>(headers: &'a HeaderMap, base: &str, is_secure: bool) -> impl Iterator<Item = &'a str> {
    let name = name(base, is_secure);
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(known, value)| *known == name && !value.is_empty()).map(|(_, value)| value).take(4)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn it_goes_no_further_than_it_must() {
        assert_eq!(set("", false, "x"), "asynq_session=x; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(set("", true, "x"), "__Host-asynq_session=x; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(
            set("/a/b", true, "x"),
            "__Secure-asynq_session=x; Path=/a/b; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(set("/a;b", false, "").contains("Path=/; ") && set("", false, "").ends_with("; Max-Age=0"));
        let headers = HeaderMap::from_iter([(
            COOKIE,
            HeaderValue::from_static(
                "a=b; asynq_session=1; __Host-asynq_session=2;asynq_session=3; asynq_session=",
            ),
        )]);
        assert_eq!(read(&headers, "", false).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(
            read(&headers, "", true).collect::<Vec<_>>(),
            ["2"],
            "what came without HTTPS is not taken"
        );
    }
}
