//! Jobs that are enqueued by themselves: `cargo run --example periodic`.
//!
//! A job with `cron` or `every` needs nothing else: any number of workers may run, and each tick is enqueued once.
//! What is to be done when only the running program can tell is registered with a scheduler.

use asynq::{Client, Ctx, PeriodicTask, Scheduler, Server, State, job};
use tokio::sync::mpsc;

/// Who is told that something has run.
type Done = mpsc::Sender<&'static str>;

/// Runs at nine in Rome on working days, whether or not the clocks have changed.
#[job(cron = "0 9 * * mon-fri", timezone = "Europe/Rome")]
async fn morning_report() {
    println!("the report of the day");
}

/// Runs every second.
#[job(every = "1s")]
async fn collect_metrics(ctx: &Ctx, State(done): State<Done>) -> anyhow::Result<()> {
    println!("metrics for {:?}", ctx.scheduled_for().map(|tick| tick.to_string()));
    done.send("metrics").await?;
    Ok(())
}

/// Has no schedule of its own: each tenant has one.
#[job]
async fn greet(tenant: String, State(done): State<Done>) -> anyhow::Result<()> {
    println!("greetings to {tenant}");
    done.send("greeting").await?;
    Ok(())
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    // In production: Client::connect("redis://127.0.0.1:6379").await?
    let client = Client::in_memory();
    let (done, mut finished) = mpsc::channel::<&'static str>(16);

    // Two workers, as if on two machines.
    let first = Server::builder(&client).registered().state(done.clone()).start().await?;
    let second = Server::builder(&client).registered().state(done).start().await?;

    let scheduler = Scheduler::builder(&client).build()?;
    scheduler.start()?;
    let entry = scheduler.register(PeriodicTask::new("@every 2s", Greet::new("acme")).name("greet acme"))?;
    println!("registered {entry}");

    let mut metrics = 0;
    while metrics < 3 {
        if finished.recv().await == Some("metrics") {
            metrics += 1;
        }
    }
    scheduler.unregister(&entry)?;
    scheduler.shutdown().await;
    first.shutdown().await;
    second.shutdown().await;
    println!("three ticks, each once");
    Ok(())
}
