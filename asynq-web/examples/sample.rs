//! A Web UI with something to look at: `cargo run -p asynq-web --example sample`. Everything is in memory, and gone at
//! the end. `-- 8080 /jobs URL` serves it below a path, from a Redis; with `login` behind them people log in: `ann`, who may
//! do everything, and `bob`, who may look; their names are their passwords. A number behind that is how many tasks the
//! queue `many` has, and one more word a second store beside it: the URL of a Redis, or `memory`. The browser tests run
//! on it.

use std::net::SocketAddr;
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::router::{BoxError, Ctx, Router};
use asynq_core::scheduler::{PeriodicTask, Scheduler, StoredSchedules};
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions};
use asynq_web::{Accent, Reach, Sampling, Users, WebUi, hash_password};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or_else(|| "8080".to_owned()).parse()?;
    let prefix = arguments.next().unwrap_or_default();
    // Where nothing is said, the tasks are kept in memory.
    let client = match arguments.next().filter(|url| !url.is_empty()) {
        Some(url) => Client::connect(&url).await?,
        None => Client::in_memory(),
    };
    fill(&client).await?;

    let router = Router::new().route("slow", slow)?.route("broken", broken)?.route("quick", quick)?;
    let server = Server::builder(&client).router(router).queues([("work", 1), ("quick", 1)]);
    let server = server.concurrency(4).run_times(true).start().await?;
    let scheduler =
        Scheduler::builder(&client).heartbeat(Duration::from_secs(1)).stored_schedules(true).build()?;
    scheduler
        .register(PeriodicTask::new("30 4 * * mon-fri", Task::new("report:nightly", r#"{"pages":12}"#)?))?;
    scheduler.register(PeriodicTask::new("@every 10m", Task::new("cache:warm", "{}")?))?;
    store_schedules(&client).await?;
    scheduler.start()?;

    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let path = prefix.trim_matches('/').to_owned();
    let told = move |address| println!("http://{address}/{path}");
    let stopped = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    let ui = WebUi::new(&client)
        .badge("sample", Accent::Purple)
        .prefix(&prefix)
        .refresh(Duration::from_millis(300));
    let ui = ui.task_link("Logs", "https://logs.example/?task={id}&type={type}")?;
    let mut ui = ui.history(Sampling::Always);
    if arguments.next().as_deref() == Some("login") {
        ui = ui.users(users()?).mask("order.total".parse()?);
    }
    if let Some(many) = arguments.next() {
        fill_many(&client, many.parse()?).await?;
    }
    if let Some(url) = arguments.next() {
        let other = if url == "memory" { Client::in_memory() } else { Client::connect(&url).await? };
        fill(&other).await?;
        ui = ui.named("sample").instance("an/other", &other);
    }
    ui.service().serve(address, Reach::ThisMachine, told, stopped).await?;
    scheduler.shutdown().await;
    server.shutdown().await;
    Ok(())
}

/// One that runs, one that is paused.
async fn store_schedules(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let schedules = StoredSchedules::new(client);
    for (name, spec) in [("bill of tenant 7", "0 6 1 * *"), ("digest", "0 18 * * fri")] {
        let task = Task::new("mail:digest", r#"{"tenant":7}"#)?.options(TaskOptions::new().queue("mail"));
        let periodic = PeriodicTask::new(spec, task).name(name).time_zone("Europe/Rome");
        // On a Redis that was used before, it is there.
        if let Err(error) = schedules.create(periodic).await
            && !matches!(error, asynq_core::Error::ScheduleExists { .. })
        {
            return Err(error.into());
        }
    }
    schedules.pause("digest").await?;
    Ok(())
}

fn users() -> Result<Users, Box<dyn std::error::Error>> {
    let user = |name: &str, role: &str| -> Result<String, Box<dyn std::error::Error>> {
        let hash = hash_password(name)?;
        Ok(format!("[[users]]\nname = \"{name}\"\npassword = \"{hash}\"\nrole = \"{role}\"\n"))
    };
    Ok(Users::parse(&(user("ann", "admin")? + &user("bob", "viewer")?))?)
}

/// Tasks in every state but those that only workers reach.
async fn fill(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let mail = |n: usize| -> Result<Task, Box<dyn std::error::Error>> {
        let payload = format!(
            r#"{{"to":"user{n}@example.com","order":{{"id":{},"total":{n}.50,"paid":true}},"tags":["new","eu"]}}"#,
            9_007_199_254_740_993_u64 + u64::try_from(n)?
        );
        Ok(Task::new("email:welcome", payload)?)
    };
    let options =
        |n: usize| TaskOptions::new().queue("mail").task_id(format!("mail-{n:03}")).header("tenant", "acme");
    for n in 0..120 {
        client.enqueue(mail(n)?.options(options(n))).await?;
    }
    for n in 120..130 {
        let later = Duration::from_secs(60 * u64::try_from(n)?);
        client.enqueue(mail(n)?.options(options(n).process_in(later))).await?;
    }
    for n in 130..134 {
        client.enqueue(mail(n)?.options(options(n).group("digest"))).await?;
    }
    let inspector = Inspector::new(client);
    for n in 100..120 {
        inspector.archive("mail", format!("mail-{n:03}")).await?;
    }
    let odd = TaskOptions::new().queue("odd/name ?#%é").task_id("a/b ?#%é");
    client.enqueue(Task::new("bytes", vec![0x00, 0xff, 0x10, 0xc0])?.options(odd)).await?;
    inspector.pause("odd/name ?#%é").await?;
    for name in ["report:daily", "report:weekly"] {
        let packed = TaskOptions::new().queue(name).task_id("packed").header("asynq-codec", "msgpack");
        let payload = b"\x82\xa5pages\x0c\xa2to\x91\xa3ann".to_vec();
        client.enqueue(Task::new("report:make", payload)?.options(packed)).await?;
    }
    for name in ["slow", "slow", "broken"] {
        client.enqueue(Task::new(name, "{}")?.options(TaskOptions::new().queue("work"))).await?;
    }
    // Something goes on for as long as somebody may look at it.
    for n in 0..2_000_u64 {
        let options = TaskOptions::new().queue("quick").process_in(Duration::from_millis(500 * n));
        client.enqueue(Task::new("quick", "{}")?.options(options)).await?;
    }
    Ok(())
}

async fn fill_many(client: &Client, many: usize) -> Result<(), Box<dyn std::error::Error>> {
    let task = |n: usize| -> Result<Task, Box<dyn std::error::Error>> {
        let options = TaskOptions::new().queue("many").task_id(format!("many-{n:06}"));
        Ok(Task::new("many", "{}")?.options(options))
    };
    let tasks = (0..many).map(task).collect::<Result<Vec<_>, _>>()?;
    for stored in client.enqueue_all(tasks).await {
        stored?;
    }
    Ok(())
}

async fn slow(ctx: Ctx) -> Result<(), BoxError> {
    ctx.cancelled().await;
    Ok(())
}

async fn quick(_ctx: Ctx) -> Result<(), BoxError> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(())
}

async fn broken(_ctx: Ctx) -> Result<(), BoxError> {
    Err("dial tcp 10.0.0.7:25: i/o timeout".into())
}
