//! Which module of `asynq-core` may know which, and Redis only behind the broker.
//!
//! What is compiled for tests alone may know everything, and so may documentation: a link is not a dependency.

use super::{File, Finding};

/// The folders of `asynq-core/src` and what each must not know: paths below the crate's root.
const LAYERS: [(&str, &[&str]); 12] = [
    ("task", &["job", "broker", "client", "router", "server", "scheduler", "inspector"]),
    ("wire", &["job", "broker", "client", "router", "server", "scheduler", "inspector"]),
    ("broker", &["job", "client", "router", "server", "scheduler", "inspector"]),
    ("background", &["job", "client", "router", "server", "scheduler", "inspector"]),
    ("job", &["broker", "client", "router", "server", "scheduler", "inspector"]),
    ("payload", &["job", "broker", "client", "router", "server", "scheduler", "inspector"]),
    ("client", &["server", "scheduler", "inspector"]),
    ("router", &["broker", "server", "scheduler", "inspector"]),
    ("limit", &["server", "scheduler", "inspector", REDIS_MODULE, REDIS_TYPE, MEMORY_MODULE, MEMORY_TYPE]),
    ("inspector", &["server", "scheduler", REDIS_MODULE, REDIS_TYPE, MEMORY_MODULE, MEMORY_TYPE]),
    ("scheduler", &["server", REDIS_MODULE, REDIS_TYPE, MEMORY_MODULE, MEMORY_TYPE]),
    ("server", &["testing", REDIS_MODULE, REDIS_TYPE, MEMORY_MODULE, MEMORY_TYPE]),
];

const REDIS_MODULE: &str = "broker::redis";
const REDIS_TYPE: &str = "broker::RedisBroker";
const MEMORY_MODULE: &str = "broker::memory";
const MEMORY_TYPE: &str = "broker::MemoryBroker";

/// Where the crate `redis` may be used: behind the broker, and where servers are started and measured.
const KNOW_REDIS: [&str; 4] = ["asynq-core/src/broker/redis/", "testkit/", "bench/", "xtask/src/tidy/"];

/// Faults of one file.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = without_comments(&file.text);
    let mut findings = Vec::new();
    if !KNOW_REDIS.iter().any(|place| file.path.starts_with(place)) {
        for line in redis_lines(&code) {
            findings
                .push(file.finding(line, "the crate `redis` is known to asynq-core/src/broker/redis alone"));
        }
    }
    if let Some((layer, forbidden)) = layer_of(&file.path) {
        for (line, path) in crate_paths(without_tests(&code)) {
            if let Some(known) = forbidden.iter().find(|known| is_below(&path, known)) {
                findings.push(file.finding(line, format!("`{layer}` must not know `crate::{known}`")));
            }
        }
    }
    findings
}

fn layer_of(path: &str) -> Option<(&'static str, &'static [&'static str])> {
    let (folder, rest) = path.strip_prefix("asynq-core/src/")?.split_once('/')?;
    if rest == "tests.rs" || rest.ends_with("/tests.rs") || rest.split('/').any(|part| part == "tests") {
        return None;
    }
    LAYERS.into_iter().find(|(layer, _)| *layer == folder)
}

/// Empty lines in place of comments, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
        }
        code.push('\n');
    }
    code
}

/// What comes before the module of tests at the end of a file.
fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]\nmod ").next().unwrap_or(code)
}

/// Lines that name something of the crate `redis`: our own module of that name always follows a `::`.
fn redis_lines(code: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let names_the_crate = line.match_indices("redis::").any(|(at, _)| {
            let before = line.get(..at).unwrap_or_default();
            let path = before.strip_suffix("::").unwrap_or(before);
            let is_module = path.len() < before.len() && path.ends_with(is_word);
            !is_module && !before.ends_with(is_word)
        });
        if names_the_crate {
            lines.push(index + 1);
        }
    }
    lines
}

/// Every path behind `crate::`, with the line of the `crate`: `use crate::{task::Task, wire}` has two.
fn crate_paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        let before = code.get(..at).unwrap_or_default();
        if before.ends_with(is_word) {
            continue;
        }
        let line = before.matches('\n').count() + 1;
        let mut paths = Vec::new();
        expand(code.get(at + start.len()..).unwrap_or_default(), "", &mut paths);
        found.extend(paths.into_iter().map(|path| (line, path)));
    }
    found
}

/// Reads one path or group, pushes what it names below `base`, and gives the text behind it.
fn expand<'a>(text: &'a str, base: &str, paths: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut group) = text.strip_prefix('{') {
        loop {
            group = expand(group, base, paths).trim_start();
            match (group.strip_prefix(','), group.strip_prefix('}')) {
                (Some(rest), _) => group = rest,
                (None, Some(rest)) => return rest,
                // Neither: not a list of names, so there is nothing to read.
                (None, None) => return group,
            }
        }
    }
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        // `crate::router::*`: all of it.
        let glob = rest.strip_prefix('*');
        if glob.is_some() {
            paths.push(base.to_owned());
        }
        return glob.unwrap_or(rest);
    }
    let path = if base.is_empty() { name.to_owned() } else { format!("{base}::{name}") };
    if let Some(rest) = rest.strip_prefix("::") {
        return expand(rest, &path, paths);
    }
    paths.push(path);
    match rest.trim_start().strip_prefix("as ") {
        Some(alias) => alias.trim_start().trim_start_matches(is_word),
        None => rest,
    }
}

/// Whether `path` is `known`, or something in it.
fn is_below(path: &str, known: &str) -> bool {
    path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&File::new(path, text)).iter().map(|finding| finding.brief().1.to_owned()).collect()
    }

    #[test]
    fn layers_know_only_those_below() {
        assert!(findings("asynq-core/src/client/client.rs", "use crate::broker::Broker;\n").is_empty());
        assert_eq!(
            findings("asynq-core/src/broker/broker.rs", "use crate::client::Client;\n"),
            ["`broker` must not know `crate::client`"]
        );
        assert_eq!(
            findings("asynq-core/src/task/id.rs", "fn f() { crate::server::run() }\n"),
            ["`task` must not know `crate::server`"]
        );
        assert_eq!(
            findings("asynq-core/src/job/job.rs", "use crate::{router::*, task::Task};\n"),
            ["`job` must not know `crate::router`"]
        );
        assert!(findings("asynq-core/src/lib.rs", "pub use crate::server::Server;\n").is_empty());
    }

    #[test]
    fn groups_are_read_to_their_end() {
        let text = "use crate::{\n    task::{Task, id::TaskId as Id},\n    router::Router,\n};\n";
        assert_eq!(findings("asynq-core/src/wire/keys.rs", text), ["`wire` must not know `crate::router`"]);
        let paths: Vec<String> = crate_paths(text).into_iter().map(|(_, path)| path).collect();
        assert_eq!(paths, ["task::Task", "task::id::TaskId", "router::Router"]);
    }

    #[test]
    fn servers_do_not_know_which_broker_they_have() {
        let path = "asynq-core/src/server/server.rs";
        assert!(findings(path, "use crate::broker::{Broker, BrokerError};\n").is_empty());
        for broker in ["RedisBroker", "memory::MemoryBroker", "MemoryBroker", "redis"] {
            assert_eq!(
                findings(path, &format!("use crate::broker::{{Broker, {broker}}};\n")).len(),
                1,
                "{broker}"
            );
        }
    }

    #[test]
    fn tests_and_links_may_know_everything() {
        let text = "/// See [`Server`](crate::server::Server).\n\n#[cfg(test)]\nmod tests {\n    use crate::server::S;\n}\n";
        assert!(findings("asynq-core/src/task/id.rs", text).is_empty());
        assert!(findings("asynq-core/src/broker/tests.rs", "use crate::client::Client;\n").is_empty());
        assert!(findings("asynq-core/src/router/tests/all.rs", "use crate::broker::Broker;\n").is_empty());
    }

    #[test]
    fn redis_stays_behind_the_broker() {
        for text in
            ["use redis::Client;\n", "fn f(_: ::redis::Client) {}\n", "let x = <redis::Cmd>::new();\n"]
        {
            assert_eq!(findings("asynq-core/src/client/client.rs", text).len(), 1, "{text}");
            assert!(findings("asynq-core/src/broker/redis/connect.rs", text).is_empty(), "{text}");
        }
        let module =
            "pub use self::redis::RedisBroker;\npub use broker::redis::Tls; // my_redis::x\nmy_redis::f();\n";
        assert!(findings("asynq-core/src/lib.rs", module).is_empty());
        assert!(findings("src/lib.rs", "/// `redis::Client`\nconst URL: &str = \"redis://\";\n").is_empty());
    }
}
