//! [`Address`]: where Redis is, read from a URL. Pure.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The port of a Redis server when none is named.
pub const DEFAULT_PORT: u16 = 6379;

/// The port of a sentinel when none is named.
pub const DEFAULT_SENTINEL_PORT: u16 = 26379;

/// Where Redis is and how to log in, as a URL says it:
///
/// | URL | what it names |
/// |---|---|
/// | `redis://[[user]:password@]host[:port][/db]` | one server |
/// | `redis-socket://[[user]:password@]/path[?db=N]`, or `unix:` | one server, by its Unix socket |
/// | `redis-sentinel://[[user]:password@]host[:port],…[/db]?master=NAME` | the server that sentinels call master |
/// | `redis-cluster://[[user]:password@]host[:port],…` | a cluster |
///
/// With `rediss` in place of `redis` (but not for sockets) connections are encrypted. User and password of a
/// sentinel URL are for the sentinels, as in Go; those of the servers behind them go into the query, as `username`
/// and `password`. Whatever is not a letter, digit or one of `-._~!$&'()*+,;=` in a user name or password must be
/// percent-encoded.
///
/// Every URL by which Go's `ParseRedisURI` reaches a server means the same here; but Go drops user names, and a URL
/// without a port names none. Its text has neither user nor password, its debug form no password.
///
/// # Examples
///
/// ```
/// use asynq_core::broker::redis::{Address, Endpoint};
///
/// let address: Address = "redis://:secret@example.com/3".parse()?;
/// assert_eq!(address.db, 3);
/// assert_eq!(address.to_string(), "redis://example.com:6379/3");
/// # Ok::<(), asynq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// What to connect to.
    pub endpoint: Endpoint,
    /// Whether connections are encrypted.
    pub tls: bool,
    /// Number of the database. A negative one, which Go lets pass, no server accepts.
    pub db: i64,
    /// User name at the Redis servers.
    pub username: Option<String>,
    /// Password at the Redis servers.
    pub password: Option<Password>,
}

/// What to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// One server.
    Server(Host),
    /// One server, by the path of its Unix socket.
    Socket(String),
    /// The server that sentinels call the master.
    Sentinel {
        /// The sentinels.
        hosts: Vec<Host>,
        /// The name under which they watch the master; Go lets an empty one pass, which names none.
        master: String,
        /// User name at the sentinels.
        username: Option<String>,
        /// Password at the sentinels.
        password: Option<Password>,
    },
    /// A cluster, by some of its nodes.
    Cluster(Vec<Host>),
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    /// Name or IP address; an IPv6 address is without brackets.
    pub name: String,
    /// Port.
    pub port: u16,
}

/// A password. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password itself: never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Password {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hidden>")
    }
}

impl FromStr for Address {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidUrl`] says which part is wrong and what is allowed, without quoting what may be a password.
    fn from_str(url: &str) -> Result<Self> {
        Url::split(url).and_then(Url::address).map_err(|reason| Error::InvalidUrl { reason })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |hosts: &[Host]| hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(",");
        let (scheme, db) = (if self.tls { "rediss" } else { "redis" }, self.db);
        match &self.endpoint {
            Endpoint::Server(host) => write!(f, "{scheme}://{host}/{db}"),
            Endpoint::Socket(path) => write!(f, "redis-socket://{path}?db={db}"),
            Endpoint::Sentinel { hosts, master, .. } => {
                write!(f, "{scheme}-sentinel://{}/{db}?master={master}", list(hosts))
            }
            Endpoint::Cluster(hosts) => write!(f, "{scheme}-cluster://{}", list(hosts)),
        }
    }
}

/// A part that is wrong, and what is allowed.
type Parsed<T> = std::result::Result<T, String>;

const SCHEMES: &str = "redis://, rediss://, redis-socket://, unix://, redis-sentinel:// and redis-cluster://";

/// A URL in its parts, decoded; its fragment is dropped.
struct Url<'a> {
    scheme: String,
    username: Option<String>,
    password: Option<Password>,
    hosts: String,
    path: String,
    query: &'a str,
}

impl<'a> Url<'a> {
    /// Compat: Go's `net/url`, which does not read every URL as others do.
    fn split(url: &'a str) -> Parsed<Self> {
        let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
        if url.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("it has a control character, which must be percent-encoded".to_owned());
        }
        decode(fragment, "the part after `#`")?;
        let (scheme, rest) = url
            .split_once(':')
            .filter(|(scheme, _)| is_scheme(scheme))
            .ok_or_else(|| format!("it has no scheme; known are {SCHEMES}"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
                Some((authority, path)) => (authority, path),
                None => (rest, ""),
            },
            None if rest.starts_with('/') => ("", rest),
            // Without any slash everything but the scheme is ignored.
            None => ("", ""),
        };
        let (userinfo, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        if !userinfo.chars().all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c)) {
            return Err("user name or password has a character that must be percent-encoded".to_owned());
        }
        let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        check_hosts(hosts)?;
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            username: not_empty(decode(username, "user name")?),
            password: not_empty(decode(password, "password")?).map(Password),
            hosts: decode(hosts, "host")?,
            path: decode(path, "path")?,
            query,
        })
    }

    fn address(self) -> Parsed<Address> {
        let (plain, tls) = match self.scheme.strip_prefix("rediss") {
            Some(kind) => (format!("redis{kind}"), true),
            None => (self.scheme.clone(), false),
        };
        match plain.as_str() {
            "redis" => {
                let endpoint = Endpoint::Server(with_port(host(&self.hosts)?, DEFAULT_PORT));
                let db = self.path_db()?;
                Ok(self.with_login(endpoint, tls, db))
            }
            "redis-socket" | "unix" if !tls => {
                // A host says nothing here, but a wrong one is a mistake.
                hosts(&self.hosts, DEFAULT_PORT)?;
                if self.path.is_empty() {
                    return Err(
                        "path of the socket is missing; write it as in redis-socket:///run/redis.sock"
                            .to_owned(),
                    );
                }
                let db = match self.parameter("db") {
                    Some(db) => db.parse().or(Err("database number in the query, `db`, is not a number"))?,
                    None => 0,
                };
                Ok(self.with_login(Endpoint::Socket(self.path.clone()), tls, db))
            }
            "redis-sentinel" => {
                let endpoint = Endpoint::Sentinel {
                    hosts: hosts(&self.hosts, DEFAULT_SENTINEL_PORT)?,
                    master: self.parameter("master").unwrap_or_default(),
                    username: self.username.clone(),
                    password: self.password.clone(),
                };
                let (username, password) =
                    (self.parameter("username"), self.parameter("password").map(Password));
                Ok(Address { endpoint, tls, db: self.path_db()?, username, password })
            }
            "redis-cluster" => {
                let endpoint = Endpoint::Cluster(hosts(&self.hosts, DEFAULT_PORT)?);
                if self.path_db()? != 0 {
                    return Err("database number must be 0 or left out: a cluster has only that".to_owned());
                }
                Ok(self.with_login(endpoint, tls, 0))
            }
            _ => Err(format!("scheme is not supported; known are {SCHEMES}")),
        }
    }

    fn with_login(&self, endpoint: Endpoint, tls: bool, db: i64) -> Address {
        Address { endpoint, tls, db, username: self.username.clone(), password: self.password.clone() }
    }

    fn path_db(&self) -> Parsed<i64> {
        if self.path.is_empty() {
            return Ok(0);
        }
        let first = self.path.trim_matches('/').split('/').next().unwrap_or_default();
        first.parse().or(Err(
            "database number must be the first part of the path, as in redis://host/3; leave out the slash for 0"
                .to_owned(),
        ))
    }

    /// The first value of a parameter of the query. What cannot be decoded is ignored, as in Go.
    fn parameter(&self, name: &str) -> Option<String> {
        self.query
            .split('&')
            .filter(|pair| !pair.contains(';'))
            .filter_map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                let text = |text: &str| decode(&text.replace('+', " "), "query").ok();
                Some((text(key)?, text(value)?))
            })
            .find(|(key, _)| key == name)
            .and_then(|(_, value)| not_empty(value))
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn not_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Replaces `%XX`. The part is named in the error, never quoted.
fn decode(text: &str, part: &str) -> Parsed<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(value.ok_or_else(|| format!("{part} has a `%` that two hexadecimal digits must follow"))?);
    }
    String::from_utf8(bytes).ok().ok_or_else(|| format!("{part} is not UTF-8 when percent-decoded"))
}

/// Refuses what Go's parser refuses in the text between `@` and the path.
fn check_hosts(hosts: &str) -> Parsed<()> {
    if hosts.contains([' ', '\\', '^', '`', '{', '|', '}']) {
        return Err("host has a character that no host name may have".to_owned());
    }
    // Only what is not ASCII may be percent-encoded, and the percent sign before the zone of an IPv6 address.
    let encoded_ascii = hosts
        .split('%')
        .skip(1)
        .any(|after| after.starts_with(|c: char| c.is_digit(8)) && !after.starts_with("25"));
    if encoded_ascii {
        return Err("host has a percent-encoded character that no host name may have".to_owned());
    }
    // What follows the last colon is a port, whatever the scheme; those within brackets belong to an address.
    let after = hosts.rsplit(']').next().unwrap_or_default();
    let port = after.rsplit_once(':').map_or("", |(_, port)| port);
    if port.bytes().any(|byte| !byte.is_ascii_digit()) {
        return Err(BAD_PORT.to_owned());
    }
    Ok(())
}

// What is wrong is not quoted: it is a part of the password when that has an unencoded `/`.
const BAD_PORT: &str =
    "port must be a number of at most 65535; in a password `/`, `?` and `#` must be percent-encoded";

fn hosts(list: &str, default_port: u16) -> Parsed<Vec<Host>> {
    let parsed = list.split(',').map(host).collect::<Parsed<Vec<_>>>()?;
    // Go refuses such a list, and its reader would wonder whether the port is meant for all.
    if parsed.last().is_some_and(|(_, port)| port.is_none()) && parsed.iter().any(|(_, port)| port.is_some())
    {
        return Err("port is given for a host but not for the last one; give it for each".to_owned());
    }
    Ok(parsed.into_iter().map(|host| with_port(host, default_port)).collect())
}

fn with_port((name, port): (&str, Option<u16>), default_port: u16) -> Host {
    let name = if name.is_empty() { "localhost" } else { name };
    Host { name: name.to_owned(), port: port.unwrap_or(default_port) }
}

fn host(text: &str) -> Parsed<(&str, Option<u16>)> {
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (name, port) = rest.split_once(']').ok_or("host begins with `[` but has no `]`")?;
        if !is_ipv6(name) {
            return Err("host in brackets must be an IPv6 address".to_owned());
        }
        let port = match port.strip_prefix(':') {
            None if !port.is_empty() => return Err(BAD_PORT.to_owned()),
            None => "",
            Some(port) => port,
        };
        (name, port)
    } else if is_ipv6(text) {
        (text, "")
    } else {
        text.split_once(':').unwrap_or((text, ""))
    };
    if name.contains(['[', ']']) {
        return Err("host has a bracket in its name".to_owned());
    }
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port =
        (!port.is_empty()).then(|| port.parse().ok().filter(|_| digits).ok_or(BAD_PORT)).transpose()?;
    Ok((name, port))
}

fn is_ipv6(text: &str) -> bool {
    text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    fn reason(url: &str) -> String {
        match url.parse::<Address>() {
            Err(Error::InvalidUrl { reason }) => reason,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn text_has_the_defaults_and_no_login() {
        for (url, text) in [
            ("redis://", "redis://localhost:6379/0"),
            ("REDIS://u:p@h/2/9?x=y#f", "redis://h:6379/2"),
            ("rediss://[::1]:7", "rediss://[::1]:7/0"),
            ("redis://::1", "redis://[::1]:6379/0"),
            ("redis://[fe80::1%25eth0]", "redis://[fe80::1%eth0]:6379/0"),
            ("redis://h:/+3", "redis://h:6379/3"),
            ("unix:/run/r.sock?db=7", "redis-socket:///run/r.sock?db=7"),
            (
                "redis-sentinel://:s@a,[::2]:2/1?master=m&password=p",
                "redis-sentinel://a:26379,[::2]:2/1?master=m",
            ),
            ("rediss-cluster://u:p@a,b:1", "rediss-cluster://a:6379,b:1"),
        ] {
            assert_eq!(parse(url).to_string(), text);
        }
    }

    #[test]
    fn logins_go_where_they_belong() {
        let address = parse("redis://us%65r:p%40:ss@h");
        assert_eq!(address.username.as_deref(), Some("user"));
        assert_eq!(address.password.as_ref().map(Password::reveal), Some("p@:ss"));
        assert!(!format!("{address:?}").contains("ss\""));
        let address = parse("redis-sentinel://u:one@a?username=v&password=t+w%6f&master=m");
        assert_eq!(address.username.as_deref(), Some("v"));
        assert_eq!(address.password.as_ref().map(Password::reveal), Some("t wo"));
        let Endpoint::Sentinel { username, password, .. } = address.endpoint else { panic!() };
        assert_eq!((username.as_deref(), password.as_ref().map(Password::reveal)), (Some("u"), Some("one")));
        assert_eq!(parse("redis://:@h").password, None);
    }

    #[test]
    fn errors_name_the_part_and_never_the_password() {
        for (url, part) in [
            ("", "no scheme"),
            ("hunter2", "no scheme"),
            ("u:hunter2@h", "scheme"),
            ("127.0.0.1:6379", "no scheme"),
            ("http://h", "scheme"),
            ("redisss://h", "scheme"),
            ("rediss-socket:///hunter2", "scheme"),
            ("redis://:hunter2@h/x", "database number"),
            ("redis://h/", "database number"),
            ("redis://u:hun/ter2@h", "port"),
            ("redis://:hun#hunter2@h", "port"),
            ("redis://:1?hunter2@h", "accepted"),
            ("redis://:hunter2%@h", "password"),
            ("redis://:hunter2%zz@h", "password"),
            ("redis://:hunter2%ff@h", "password"),
            ("redis://:hunter2\\@h", "password"),
            ("redis://:hunter2 @h", "password"),
            ("redis://:hunter2@h:65536", "port"),
            ("redis://:hunter2@h:1:2", "port"),
            ("redis://:hunter2@[::1", "host"),
            ("redis://:hunter2@[::1]x", "port"),
            ("redis://:hunter2@[h]", "IPv6"),
            ("redis-socket://hunter2:x/p", "port"),
            ("redis://:hunter2@a%41", "host"),
            ("redis://:hunter2@a b", "host"),
            ("redis://:hunter2@h\t", "control character"),
            ("redis-sentinel://:hunter2@a:1,b", "port"),
            ("redis-socket://:hunter2@h", "path of the socket"),
            ("redis-socket://:hunter2@h/p?db=x", "database number"),
            ("redis-cluster://:hunter2@h/1", "database number"),
        ] {
            if part == "accepted" {
                // As in Go, a port and then a query that nobody reads.
                assert_eq!(parse(url).to_string(), "redis://localhost:1/0");
                continue;
            }
            let reason = reason(url);
            assert!(reason.contains(part), "{url}: {reason}");
            assert!(!reason.contains("hunter2") && !reason.contains("ter2"), "{url}: {reason}");
        }
    }

    #[test]
    fn nothing_makes_it_panic() {
        let parts = [
            "redis",
            "s",
            "-sentinel",
            "-socket",
            ":",
            "//",
            "/",
            "@",
            "[",
            "]",
            "%",
            "%25",
            "%ff",
            "é",
            "?",
            "db=",
            "&",
            ";",
            "+",
            "#",
            ",",
            "1",
            "99999",
            " ",
            "::1",
        ];
        for _ in 0..50_000 {
            let url: String =
                (0..fastrand::usize(..10)).map(|_| parts[fastrand::usize(..parts.len())]).collect();
            if let Ok(address) = url.parse::<Address>() {
                drop(address.to_string());
            }
        }
    }
}
