//! `cargo xtask compile-time`: what `#[job]` costs the compiler.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Command;
use crate::places;
use crate::process::{Process, cargo};

/// See [`HELP`].
pub(crate) const COMPILE_TIME: Command = Command { help: HELP, run };

const HELP: &str = "\
Builds a program with 200 jobs and one that does the same by hand, in turns.

Usage: cargo xtask compile-time [--rounds N]

  --rounds N  How often each is built; 5 unless given

Each job has a struct of three fields, a queue and a number of retries, a handler that is registered, and is enqueued
once. By hand that is written with serde, `Task`, `TaskOptions` and `Router`. Only the program itself is built again;
what it depends on is there. Writes bench/COMPILE.md.
";

/// How many jobs each crate has.
const JOBS: usize = 200;

/// One of the two crates.
struct Contender {
    name: &'static str,
    source: String,
}

fn run(arguments: &[String]) -> Result<()> {
    let rounds = match arguments {
        [] => 5,
        [flag, number] if flag == "--rounds" => {
            number.parse().with_context(|| format!("`{number}` is no number"))?
        }
        _ => bail!("unexpected arguments; see `cargo xtask compile-time --help`"),
    };
    ensure!(rounds > 0, "at least one round is needed");
    let folder = places::target().join("compile-time");
    let contenders =
        [Contender { name: "jobs", source: jobs()? }, Contender { name: "by_hand", source: by_hand()? }];
    generate(&folder, &contenders)?;
    let mut report = format!(
        "# What `#[job]` costs the compiler\n\n\
         A program with {JOBS} jobs beside one that does the same by hand (serde, `Task`, `TaskOptions`, `Router`), built \
         in turns, {rounds} times each, without optimization and \
         not incrementally; only the program itself, its dependencies are there.\n\
         Seconds: min / **median** / max. Machine: {}. {}.\n\nWritten by `cargo xtask compile-time`.\n\n\
         | command | `#[job]` | by hand | `#[job]` ÷ by hand |\n|---|---|---|---|\n",
        machine(),
        Process::new("rustc").args(["--version"]).read()?.trim(),
    );
    for command in ["check", "build"] {
        let mut times: [Vec<Duration>; 2] = Default::default();
        // The first builds the dependencies.
        for round in 0..=rounds {
            for (contender, times) in contenders.iter().zip(&mut times) {
                let time = build(&folder, command, contender)?;
                if round > 0 {
                    times.push(time);
                }
            }
        }
        let [jobs, by_hand] = times.map(Spread::of);
        let ratio = jobs.median / by_hand.median;
        writeln!(report, "| `cargo {command}` | {} | {} | {ratio:.2}× |", jobs.text(), by_hand.text())?;
    }
    print!("{report}");
    let file = places::root().join("bench").join("COMPILE.md");
    fs::write(&file, report).with_context(|| format!("cannot write {}", file.display()))
}

/// Seconds of several builds.
struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(times: Vec<Duration>) -> Self {
        let mut seconds: Vec<f64> = times.into_iter().map(|time| time.as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        let at = |index: usize| seconds.get(index).copied().unwrap_or_default();
        Self { min: at(0), median: at(seconds.len() / 2), max: at(seconds.len().saturating_sub(1)) }
    }

    fn text(&self) -> String {
        format!("{:.2} / **{:.2}** / {:.2}", self.min, self.median, self.max)
    }
}

fn generate(folder: &Path, contenders: &[Contender]) -> Result<()> {
    let write = |path: &Path, text: &str| {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let names: Vec<String> = contenders.iter().map(|contender| format!("{:?}", contender.name)).collect();
    write(
        &folder.join("Cargo.toml"),
        &format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", names.join(", ")),
    )?;
    // The versions that everything else here is built with.
    fs::copy(places::root().join("Cargo.lock"), folder.join("Cargo.lock"))
        .context("cannot copy Cargo.lock")?;
    for Contender { name, source } in contenders {
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             asynq = {{ path = {:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\ntokio = {{ version = \"1\", features = [\"rt\"] }}\n",
            places::display(places::root()),
        );
        write(&folder.join(name).join("Cargo.toml"), &manifest)?;
        write(&folder.join(name).join("src").join("main.rs"), source)?;
    }
    Ok(())
}

fn build(folder: &Path, command: &str, contender: &Contender) -> Result<Duration> {
    // Cargo builds again what is newer than what it made.
    let file = folder.join(contender.name).join("src").join("main.rs");
    fs::write(&file, &contender.source).with_context(|| format!("cannot write {}", file.display()))?;
    let began = Instant::now();
    cargo([command, "--quiet", "--package", contender.name])
        // All of it anew: what did not change is not remembered.
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", places::display(&folder.join("target")))
        .directory(folder)
        .run()?;
    Ok(began.elapsed())
}

fn jobs() -> Result<String> {
    let mut source = "//! Two hundred jobs.\n".to_owned();
    for n in 0..JOBS {
        write!(
            source,
            "\n#[asynq::job(queue = \"mail\", retry = 5)]\n\
             pub async fn send_{n}(to: String, count: u32, note: Option<String>) -> Result<(), String> {{\n    \
             if to.is_empty() {{ Err(format!(\"{{count}} {{note:?}}\")) }} else {{ Ok(()) }}\n}}\n"
        )?;
    }
    source.push_str(&main(".registered()")?);
    Ok(source)
}

/// Enqueues each job once, and runs a worker.
fn main(handlers: &str) -> Result<String> {
    let mut source = "\nasync fn produce(client: &asynq::Client) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {\n"
        .to_owned();
    for n in 0..JOBS {
        writeln!(source, "    Send{n}::new(\"ann\", {n}, None).enqueue(client).await?;")?;
    }
    write!(
        source,
        "    Ok(())\n}}\n\nfn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {{\n    \
         tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {{\n        \
         let client = asynq::Client::in_memory();\n        \
         produce(&client).await?;\n        \
         asynq::Server::builder(&client){handlers}.start().await?.shutdown().await;\n        Ok(())\n    }})\n}}\n"
    )?;
    Ok(source)
}

fn by_hand() -> Result<String> {
    let mut source = "//! The same by hand.\n\nuse asynq::{Client, Ctx, Router, SkipRetry, Task, TaskInfo, TaskOptions};\n\
                      use serde::{Deserialize, Serialize};\n"
        .to_owned();
    for n in 0..JOBS {
        write!(
            source,
            "\n#[derive(Deserialize, Serialize)]\n\
             pub struct Send{n} {{\n    pub to: String,\n    pub count: u32,\n    pub note: Option<String>,\n}}\n\n\
             impl Send{n} {{\n    \
             pub fn new(to: impl Into<String>, count: u32, note: Option<String>) -> Self {{\n        \
             Self {{ to: to.into(), count, note }}\n    }}\n\n    \
             pub async fn enqueue(&self, client: &Client) -> Result<TaskInfo, Box<dyn std::error::Error + Send + Sync>> {{\n        \
             let options = TaskOptions::new().queue(\"mail\").max_retry(5);\n        \
             let task = Task::new(\"send_{n}\", serde_json::to_vec(self)?)?.options(options);\n        \
             Ok(client.enqueue(task).await?.into_info())\n    }}\n}}\n\n\
             pub async fn send_{n}(ctx: Ctx) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {{\n    \
             let Send{n} {{ to, count, note }} = serde_json::from_slice(ctx.payload()).map_err(SkipRetry::new)?;\n    \
             if to.is_empty() {{ Err(format!(\"{{count}} {{note:?}}\").into()) }} else {{ Ok(()) }}\n}}\n"
        )?;
    }
    source.push_str("\npub fn router() -> asynq::Result<Router> {\n    Ok(Router::new()");
    for n in 0..JOBS {
        write!(source, "\n        .route(\"send_{n}\", send_{n})?")?;
    }
    source.push_str(")\n}\n");
    source.push_str(&main(".router(router()?).queues([(\"mail\", 1)])")?);
    Ok(source)
}

/// What it was measured on.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")).and_then(|line| line.split_once(':'));
    format!("{cores} × {}", model.map_or("a processor", |(_, name)| name.trim()))
}
