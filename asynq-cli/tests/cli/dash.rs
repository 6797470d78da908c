//! The dashboard in a real terminal, tmux: keys go in, screens come out, and the terminal is left as it was.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::router::{Ctx, RetryPolicy, Router};
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions, TaskState};
use asynq_testkit::{RedisServer, eventually};
use tempfile::TempDir;

use super::{ended, program, seeded};

/// A terminal of 80 × 24 with a shell in it, on a tmux server of its own.
struct Terminal {
    folder: TempDir,
}

impl Terminal {
    async fn new(redis: &RedisServer) -> Self {
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        let url = format!("ASYNQ_REDIS_URL={}", redis.url());
        let shell = ["env", "-u", "NO_COLOR", "-u", "ENV", &url, "PS1=ready> ", "sh", "-i"];
        let size = ["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24"];
        terminal.tmux(&[&size[..], &shell[..]].concat());
        terminal.until("ready>").await;
        terminal
    }

    /// Runs a command of tmux; what it prints.
    fn tmux(&self, words: &[&str]) -> String {
        let socket = self.folder.path().join("socket");
        let output = Command::new("tmux").arg("-S").arg(socket).args(words).output();
        let output = output.expect("tmux; `cargo xtask test` installs it");
        assert!(output.status.success(), "tmux {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types a line and ends it.
    fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.tmux(&["send-keys", "Enter"]);
    }

    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen has this text.
    async fn until(&self, text: &str) -> String {
        eventually(&format!("`{text}` on the screen"), async || {
            let screen = self.screen();
            screen.contains(text).then_some(screen)
        })
        .await
    }

    /// Starts the dashboard, and writes its process ID and its exit code where the test can read them.
    async fn dash(&self, before: &str) {
        let (pid, program) = (self.pid_file(), env!("CARGO_BIN_EXE_asynq"));
        self.enter(&format!(
            "{before} sh -c 'echo $$ >{}; exec {program} dash --refresh 1s'; echo code=$?",
            pid.display()
        ));
    }

    /// Sends the dashboard a signal.
    fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.pid_file()).unwrap();
        assert!(Command::new("kill").args(["-s", name, pid.trim()]).status().unwrap().success());
    }

    /// Writes a program of one line, or writes it anew.
    fn script(&self, name: &str, line: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{line}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// The terminal is as any program expects it: no other screen, no mouse, a cursor, lines and an echo.
    async fn is_restored(&self) {
        self.enter("stty -a | tr ' ;' '\\n\\n' | grep -xE 'icanon|echo|isig' | sort | tr '\\n' '+'");
        self.until("echo+icanon+isig+").await;
        let flags = self.tmux(&["display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"]);
        assert_eq!(flags.trim(), "0 0 1");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let socket = self.folder.path().join("socket");
        drop(Command::new("tmux").arg("-S").arg(socket).arg("kill-server").output());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_followed_and_given_up_in_a_real_terminal() {
    let (redis, client) = seeded().await;
    let worker = worker(&client).await;
    let options = TaskOptions::new().queue("work").task_id("w1").max_retry(5);
    client.enqueue(Task::new("work:fails", "{\"to\":\"ann\"}").unwrap().options(options)).await.unwrap();
    let inspector = Inspector::new(&client);
    let state = async || inspector.task("work", "w1").await.ok().map(|task| task.info.state);
    eventually("the worker tries it", async || (state().await == Some(TaskState::Retry)).then_some(())).await;

    let terminal = Terminal::new(&redis).await;
    terminal.dash("").await;
    terminal.until("work ").await;
    terminal.press(&["4"]);
    terminal.until("0/3").await;
    terminal.press(&["2", "G", "Enter", "Left", "Left", "Left", "Left"]);
    terminal.until("work:fails").await;
    terminal.press(&["Enter"]);
    terminal.until("Last error         it never works").await;
    terminal.press(&["K"]);
    terminal.until("archive task w1?").await;
    assert_eq!(state().await, Some(TaskState::Retry), "it was not confirmed yet");
    terminal.press(&["y"]);
    terminal.until("1 archived").await;
    assert_eq!(state().await, Some(TaskState::Archived));
    terminal.press(&["Escape"]);
    terminal.until("archived:1").await;

    // To the shell, and back.
    terminal.press(&["C-z"]);
    terminal.until("topped").await;
    terminal.is_restored().await;
    terminal.enter("fg; echo code=$?");
    terminal.until("archived:1").await;
    terminal.press(&["q"]);
    terminal.until("Latency").await;
    terminal.press(&["q"]);
    terminal.until("code=0").await;
    terminal.is_restored().await;
    worker.shutdown().await;
}

async fn worker(client: &Client) -> Server {
    let router = Router::new().route("work:fails", async |_: Ctx| Err::<(), _>("it never works")).unwrap();
    let server = Server::builder(client).router(router).queues([("work", 1)]).concurrency(3);
    server.retry_policy(RetryPolicy::of(|_, _| Duration::from_secs(3_600))).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_terminal_is_put_back_by_a_signal_and_by_a_panic() {
    let (redis, _client) = seeded().await;
    let terminal = Terminal::new(&redis).await;
    terminal.dash("").await;
    terminal.until("mail ").await;
    terminal.signal("TERM");
    let screen = terminal.until("code=130").await;
    assert!(screen.contains("error: interrupted"), "{screen}");
    terminal.is_restored().await;

    terminal.enter("clear");
    terminal.dash("RUST_BACKTRACE=0 ASYNQ_TEST_PANIC=1").await;
    let screen = terminal.until("code=101").await;
    assert!(screen.contains("told to panic"), "{screen}");
    terminal.is_restored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_ends_it() {
    let (redis, _client) = seeded().await;
    let terminal = Terminal::new(&redis).await;
    terminal.dash("").await;
    terminal.until("mail ").await;
    terminal.signal("HUP");
    let screen = terminal.until("code=130").await;
    assert!(screen.contains("ended by SIGHUP"), "{screen}");
    terminal.is_restored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_the_web_ui_is_opened_or_its_address_told() {
    let (redis, _client) = seeded().await;
    let terminal = Terminal::new(&redis).await;
    let folder = terminal.folder.path().display().to_string();
    let opener = terminal.script("xdg-open", &format!("echo \"$1\" >>{folder}/opened"));
    let there = format!("PATH={folder}:$PATH ASYNQ_WEB_URL=http://web.example/jobs/");
    terminal.dash(&format!("{there} DISPLAY=:0 SSH_CONNECTION= SSH_TTY=")).await;
    terminal.until("mail ").await;
    terminal.press(&["G", "o"]);
    terminal.until("opening http://web.example/jobs/queues/mail").await;
    let opened = || std::fs::read_to_string(opener.with_file_name("opened")).unwrap_or_default();
    eventually("it is opened", async || (opened() == "http://web.example/jobs/queues/mail\n").then_some(()))
        .await;
    // A browser that fails is noticed.
    terminal.script("xdg-open", "exit 3");
    terminal.press(&["o"]);
    terminal.until("copied http://web.example/jobs/queues/mail").await;
    terminal.press(&["C-c"]);
    terminal.until("code=0").await;

    terminal.enter("clear");
    terminal.dash(&format!("{there} DISPLAY=:0 SSH_CONNECTION=1")).await;
    terminal.until("mail ").await;
    terminal.press(&["7", "o"]);
    terminal.until("copied http://web.example/jobs/redis").await;
    terminal.press(&["C-c"]);
    terminal.until("code=0").await;
    assert_eq!(opened().lines().count(), 1, "nothing is opened where nobody sees it");
    terminal.is_restored().await;
    let ran = ended(program(&["dash", "--web-url", "web.example"]).env("ASYNQ_REDIS_URL", redis.url()));
    assert!(ran.code == 2 && ran.err.contains("http://HOST"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mouse_size_and_an_editor_in_a_real_terminal() {
    let (redis, client) = seeded().await;
    let terminal = Terminal::new(&redis).await;
    let editor = terminal.script("editor", "sed -i s/ann/eve/ \"$1\"");
    terminal.dash(&format!("EDITOR={}", editor.display())).await;
    let screen = terminal.until("mail ").await;
    assert_eq!(terminal.tmux(&["display", "-p", "#{mouse_any_flag}"]).trim(), "1");
    // A click on the row, as the terminal reports it (SGR 1006), chooses it; another opens it.
    let row = screen.lines().position(|line| line.contains("mail ") && line.contains("RUN")).unwrap() + 1;
    for _ in 0..2 {
        terminal.tmux(&["send-keys", "-l", &format!("\x1b[<0;5;{row}M\x1b[<0;5;{row}m")]);
    }
    terminal.until("mail  size 4").await;
    terminal.press(&["Right"]);
    terminal.until("p1").await;

    // Tiny, and back.
    terminal.tmux(&["resize-window", "-x", "20", "-y", "5"]);
    terminal.until("The terminal is").await;
    terminal.tmux(&["resize-window", "-x", "1", "-y", "1"]);
    terminal.tmux(&["resize-window", "-x", "100", "-y", "30"]);
    let screen = terminal.until("p1").await;
    assert_eq!(screen.lines().count(), 30, "{screen}");

    // An editor has the terminal, and gives it back.
    terminal.press(&["/"]);
    terminal.enter("id:p1");
    // Told only once it was read: before that, the list is empty.
    terminal.until("1 task  looked at").await;
    terminal.press(&["E"]);
    terminal.until("replace the payload of p1: 18 bytes become 18").await;
    terminal.press(&["y"]);
    eventually("the payload is replaced", async || {
        let task = Inspector::new(&client).task("mail", "p1").await.ok()?;
        (task.info.payload == br#"{"to":"eve","n":1}"#.as_slice()).then_some(())
    })
    .await;
    terminal.press(&["C-c"]);
    terminal.until("code=0").await;
    terminal.is_restored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_goes_away_and_comes_back() {
    let (mut redis, client) = seeded().await;
    let terminal = Terminal::new(&redis).await;
    terminal.dash("").await;
    terminal.until("mail ").await;
    redis.kill().await;
    let screen = terminal.until("Redis does not answer").await;
    assert!(screen.contains("mail "), "what was read last stays: {screen}");
    redis.restart().await;
    eventually("something is enqueued", async || {
        let task = Task::new("t", "").unwrap().options(TaskOptions::new().queue("fresh"));
        client.enqueue(task).await.ok().map(drop)
    })
    .await;
    terminal.until("fresh ").await;
    terminal.press(&["C-c"]);
    terminal.until("code=0").await;
    terminal.is_restored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_queues_are_listed_and_found() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let task = |n| Task::new("t", "{}").unwrap().options(TaskOptions::new().queue(format!("queue-{n:04}")));
    for sent in client.enqueue_all((0..5_000).map(task)).await {
        sent.unwrap();
    }
    let inspector = Inspector::new(&client);
    let began = std::time::Instant::now();
    assert_eq!(inspector.queue_counts().await.unwrap().len(), 5_000);
    println!("5,000 queues were counted in {:?}", began.elapsed());
    let terminal = Terminal::new(&redis).await;
    terminal.dash("").await;
    terminal.until("queue-0000 ").await;
    terminal.press(&["G"]);
    terminal.until("queue-4999 ").await;
    terminal.press(&["/"]);
    terminal.enter("4711");
    terminal.until("names with `4711`").await;
    terminal.press(&["Enter", "l"]);
    terminal.until("queue-4711  size 1").await;
    terminal.press(&["C-c"]);
    terminal.until("code=0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_it_says_so() {
    // Whether Redis is there does not matter.
    let ran = ended(program(&["dash"]).env("ASYNQ_REDIS_URL", "redis://127.0.0.1:1"));
    assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (2, "", 1), "{ran:?}");
    assert!(ran.err.contains("dash needs a terminal"), "{ran:?}");
    for (words, part) in
        [(["--refresh", "500ms"], "at least 1s"), (["--yes", "--read-only"], "cannot be used with")]
    {
        let ran = ended(program(&["dash"]).args(words));
        assert!(ran.code == 2 && ran.err.contains(part), "{ran:?}");
    }
}
