//! `redis_uri`: connection URLs.

use asynq_core::Error;
use asynq_core::broker::redis::{Address, DEFAULT_PORT, DEFAULT_SENTINEL_PORT, Endpoint, Host, Password};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::vectors::file::parse as parse_inputs;
use crate::vectors::inputs::error;

/// `go` only says how it writes an address that means the same as ours.
pub(super) fn parse(inputs: &RawValue, go: &Value) -> Value {
    #[derive(Deserialize)]
    struct Inputs {
        uri: String,
    }
    let Inputs { uri } = parse_inputs(inputs);
    let address: Address = match uri.parse() {
        Ok(address) => address,
        Err(Error::InvalidUrl { reason }) => return error(class(&reason, &uri), reason),
        Err(other) => panic!("{other:?}"),
    };
    let Address { endpoint, tls, db, username, password, .. } = address;
    let (username, password) = (username.unwrap_or_default(), reveal(password.as_ref()));
    match endpoint {
        Endpoint::Server(host) => {
            let addr = as_go(&host, DEFAULT_PORT, &go["addr"]);
            // Where Go leaves the host out, the name is up to what it connects to.
            let server_name =
                if addr.is_empty() || addr.starts_with(':') { String::new() } else { host.name };
            let tls = if tls { json!({"server_name": server_name}) } else { Value::Null };
            json!({"kind": "client", "network": "", "addr": addr, "db": db, "username": username,
                "password": password, "tls": tls})
        }
        Endpoint::Socket(path) => {
            json!({"kind": "client", "network": "unix", "addr": path, "db": db, "username": username,
                "password": password, "tls": null})
        }
        Endpoint::Sentinel { hosts, master, username: sentinel_username, password: sentinel_password } => {
            let hosts: Vec<String> = hosts
                .iter()
                .enumerate()
                .map(|(index, host)| as_go(host, DEFAULT_SENTINEL_PORT, &go["sentinel_addrs"][index]))
                .collect();
            json!({"kind": "failover", "sentinel_addrs": hosts, "master_name": master, "db": db,
                "sentinel_username": sentinel_username.unwrap_or_default(),
                "sentinel_password": reveal(sentinel_password.as_ref()),
                "username": username, "password": password, "tls": null})
        }
        other => json!({"kind": format!("{other:?}")}),
    }
}

/// The address as Go wrote it, if that means the same: Go fills in neither host nor port, and knows no difference
/// between a bare IPv6 address and one in brackets.
fn as_go(host: &Host, default_port: u16, go: &Value) -> String {
    let Host { name, port } = host;
    let names = [name.clone(), format!("[{name}]"), String::new()];
    let names = &names[..if name == "localhost" { 3 } else { 2 }];
    let is_same = |go: &&str| {
        names.iter().filter_map(|name| go.strip_prefix(name.as_str())).any(|rest| {
            match rest.strip_prefix(':') {
                None => rest.is_empty() && *port == default_port,
                Some("") => *port == default_port,
                Some(written) => written.parse() == Ok(*port),
            }
        })
    };
    go.as_str().filter(is_same).map_or_else(|| host.to_string(), str::to_owned)
}

fn reveal(password: Option<&Password>) -> String {
    password.map(|password| password.reveal().to_owned()).unwrap_or_default()
}

/// Go's class for an error that names this part.
fn class(reason: &str, uri: &str) -> &'static str {
    // To Go, what may be a path is a URL with the scheme "": its first part has no colon.
    let first = uri.split(['/', '?', '#']).next().unwrap_or_default();
    if reason.starts_with("it has no scheme") && !first.contains(':') {
        return "unsupported_scheme";
    }
    let parts = [
        ("scheme is not supported", "unsupported_scheme"),
        ("database number", "bad_db"),
        ("path of the socket", "no_path"),
    ];
    parts.into_iter().find(|(part, _)| reason.starts_with(part)).map_or("bad_uri", |(_, class)| class)
}
