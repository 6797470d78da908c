//! `asynq web`: the Web UI, served.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use asynq_testkit::{RedisServer, eventually};

use crate::{program, run, seeded};

/// The program, which is killed with the test that started it.
struct Web {
    child: Child,
    /// The line that says where it is.
    line: String,
    /// What it said before.
    before: String,
    errors: BufReader<ChildStderr>,
}

impl Web {
    fn start(redis: &RedisServer, words: &[&str]) -> Self {
        let mut command = program(&[&["web", "--bind", "127.0.0.1:0"], words].concat());
        Self::of(command.env("ASYNQ_REDIS_URL", redis.url()))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut before) = (String::new(), String::new());
        while errors.read_line(&mut line).unwrap() > 0 && !line.contains("http://") {
            before.push_str(&std::mem::take(&mut line));
        }
        Self { child, line, before, errors }
    }

    fn get(&self, path: &str) -> String {
        let address = self.line.split("http://").nth(1).unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_ui_is_served_on_this_machine() {
    let (redis, _client) = seeded().await;
    let web = Web::start(&redis, &["--prefix", "/jobs", "--title", "staging"]);
    assert!(web.line.contains("/jobs/;"), "{}", web.line);
    let answer = web.get("/jobs/");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("staging"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_while_redis_is_away_and_goes_on_when_it_is_there() {
    let mut redis = RedisServer::start().await;
    redis.kill().await;
    let mut web = Web::start(&redis, &[]);
    let mut said = std::mem::take(&mut web.before);
    while !said.contains("as soon as Redis answers") {
        assert!(web.errors.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let answer = web.get("/");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Redis is away"), "{answer}");
    redis.restart().await;
    eventually("Redis is there", async || web.get("/").starts_with("HTTP/1.1 200").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_are_let_in_only_when_that_is_said() {
    let (redis, _client) = seeded().await;
    let refused = run(&redis, &["web", "--bind", "0.0.0.0:0"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("say --allow-unauthenticated"), "{refused:?}");
}

/// What a program prints that is given this on standard input.
fn given(args: &[&str], input: &str) -> (bool, String, String) {
    let mut command = program(args);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_the_file_of_users_comes_in() {
    let (redis, _client) = seeded().await;
    let (is_ok, hash, _) = given(&["web", "hash-password"], "xyzzy\n");
    assert!(is_ok && hash.starts_with("$argon2id$"), "{hash}");
    let (is_ok, token, told) = given(&["web", "new-token", "de\"ploy", "--role", "operator"], "");
    assert!(is_ok && told.contains("shown this once") && !told.contains("asynq_"), "{told}");
    let (secret, entry) = token.split_once('\n').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    let user = format!("[[users]]\nname = \"ann\"\nrole = \"viewer\"\npassword = \"{}\"\n", hash.trim());
    std::fs::write(&path, user + entry).unwrap();

    let mut command = program(&["web", "--bind", "0.0.0.0:0"]);
    let command =
        command.env("ASYNQ_REDIS_URL", redis.url()).env("ASYNQ_WEB_USERS", &path).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("http://"))).unwrap();
    let port = line.rsplit(':').next().unwrap().split('/').next().unwrap();
    let ask = |request: String| {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let meta = ask(format!("GET /api/v1/meta {head}Authorization: Bearer {secret}\r\n\r\n"));
    assert!(
        meta.starts_with("HTTP/1.1 200") && meta.contains("de\\\"ploy") && meta.contains("pause"),
        "{meta}"
    );
    assert!(ask(format!("GET /api/v1/meta {head}\r\n")).starts_with("HTTP/1.1 401"));
    let form = "name=ann&password=xyzzy";
    let kind = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 23";
    let inside = ask(format!("POST /login {head}{kind}\r\n\r\n{form}"));
    assert!(inside.starts_with("HTTP/1.1 303") && inside.contains("set-cookie: asynq_session="), "{inside}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_of_users_is_told_with_its_place() {
    let (redis, _client) = seeded().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    std::fs::write(&path, "[[users]]\nname = \"ann\"\nrole = \"boss\"\n").unwrap();
    let path = path.to_str().unwrap();
    let refused = run(&redis, &["web", "--bind", "127.0.0.1:0", "--users", path]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains(&format!("{path}:3:8: `boss` is no role")), "{refused:?}");
    let refused = run(&redis, &["web", "--users", path, "--trust-user-header", "x-user"]);
    assert!(refused.code == 2 && refused.err.contains("--trusted-proxy"), "{refused:?}");
    let refused = run(&redis, &["web", "--trusted-proxy", "10.0.0.0/33"]);
    assert!(refused.err.contains("no range of addresses"), "{refused:?}");
    assert!(!given(&["web", "hash-password"], "\n").0, "an empty password");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_of_a_prometheus_is_refused() {
    let (redis, _client) = seeded().await;
    let refused = run(&redis, &["web", "--bind", "127.0.0.1:0", "--prometheus", "localhost:9090"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("must begin with http:// or https://"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_of_the_file_are_shown_side_by_side() {
    let ((redis, _client), (other, _other_client)) = (seeded().await, seeded().await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let text = format!(
        "current = \"here\"\n[context.here]\nredis_url = \"{}\"\n[context.\"a/b\"]\nredis_url = \"{}\"\n\
         [context.away]\nredis_url = \"127.0.0.1:1\"\n",
        redis.url(),
        other.url()
    );
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let words = |words: &[&'static str]| {
        let mut command = program(&["web", "--bind", "127.0.0.1:0", "--config", path]);
        command.args(words);
        command
    };
    let mut web = Web::of(&mut words(&["--context", "a/b", "--context", "here"]));
    let meta = web.get("/api/v1/meta");
    assert!(meta.contains("\"instances\":[\"a/b\",\"here\"]"), "{meta}");
    let answer = web.get("/i/a%2Fb/queues/mail");
    assert!(answer.contains("p1") && answer.contains("a/b</summary>"), "{answer}");
    let address = web.line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let change = "POST /i/here/queues/mail/pause HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n";
    let kind = "Content-Type: application/x-www-form-urlencoded";
    write!(stream, "{change}{kind}\r\nHost: {address}\r\n\r\n").unwrap();
    let mut said = String::new();
    while !said.contains("pause") {
        assert!(web.errors.read_line(&mut said).unwrap() > 0, "{said}");
    }
    assert!(said.contains("instance=\"here\""), "{said}");

    let all = Web::of(&mut words(&["--all-contexts", "--context", "here"]));
    let meta = all.get("/api/v1/meta");
    assert!(meta.contains("\"instances\":[\"here\",\"a/b\",\"away\"]"), "{meta}");
    let ready = all.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("away: "), "{ready}");
    let alone = Web::of(&mut words(&[]));
    let meta = alone.get("/api/v1/meta");
    assert!(meta.contains("\"instance\":\"here\"") && alone.get("/queues/mail").contains("p1"), "{meta}");

    let both = ["--context", "here", "--context", "away"];
    let refused = crate::ended(words(&both).env("ASYNQ_REDIS_URL", redis.url()));
    assert!(refused.code == 2 && refused.err.contains("each says by itself"), "{refused:?}");
    let refused = crate::ended(words(&both).args(["--prometheus", "http://localhost:1"]));
    assert!(refused.code == 2 && refused.err.contains("goes with one store"), "{refused:?}");
    let refused = crate::ended(program(&["queue", "ls", "--config", path]).args(both));
    assert!(refused.code == 2 && refused.err.contains("takes several"), "{refused:?}");
    let refused = crate::ended(&mut program(&["web", "--all-contexts"]));
    assert!(refused.code == 2 && refused.err.contains("no configuration file"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn badge_and_links_are_said_here_or_in_the_file() {
    let (redis, _client) = seeded().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let text = "[context.live]\nweb_badge = \"production:red\"\nweb_links = [\"Logs=https://logs.example/?a=b&q={id}\", \
                \"More=https://more.example/\"]\n";
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let web = Web::start(&redis, &["--config", path, "--context", "live"]);
    let page = web.get("/");
    assert!(page.contains("<title>production · ") && page.contains("data-accent=\"red\""), "{page}");
    let task = page_of_a_task(&web);
    assert!(task.contains("https://logs.example/?a=b&amp;q=") && task.contains(">More ↗<"), "{task}");

    let words = ["--badge", "staging: eu", "--task-link", "Mine=https://mine.example/{queue}"];
    let refused = run(&redis, &[&["web", "--bind", "127.0.0.1:0"], &words[..]].concat());
    assert!(
        refused.code == 2 && refused.err.contains("` eu` is no color of a badge; known are red"),
        "{refused:?}"
    );
    let words = ["--config", path, "--context", "live", "--badge", "mine", "--task-link", words[3]];
    let web = Web::start(&redis, &words);
    let task = page_of_a_task(&web);
    assert!(task.contains("<title>mine · ") && task.contains("https://mine.example/"), "{task}");
    assert!(!task.contains("logs.example"), "what is said here takes the place of the file's: {task}");

    for (link, reason) in [
        ("Logs", "write it as in Logs=https://"),
        (
            "Logs=https://logs.example/{job}",
            "there is no `{job}`; in it may stand {id}, {type}, {queue}, {trace}",
        ),
        ("=https://logs.example/", "it has no label"),
    ] {
        let refused = run(&redis, &["web", "--bind", "127.0.0.1:0", "--task-link", link]);
        assert!(refused.code == 2 && refused.err.contains(reason), "{refused:?}");
    }
    std::fs::write(path, "web_links = [1]\n").unwrap();
    let refused = run(&redis, &["web", "--config", path]);
    assert!(refused.code == 2 && refused.err.contains(":1:1: `web_links` must be a text"), "{refused:?}");
    assert!(refused.err.contains("or a list of texts"), "{refused:?}");
}

/// The page of some task.
fn page_of_a_task(web: &Web) -> String {
    let list = web.get("/tasks");
    let row = list.split("<th class=\"id\" scope=\"row\"><a href=\"").nth(1).unwrap();
    web.get(row.split('"').next().unwrap())
}
