//! Jobs with schedules: what is registered, and that a server enqueues and runs them.
#![forbid(unsafe_code)]
#![deny(warnings)]

use std::time::Duration;

use asynq::router::registered;
use asynq::{Client, Ctx, Scheduler, Server, State, job};
use tokio::sync::mpsc;

#[job(cron = "0 9 * * mon-fri", cron = "@weekly", timezone = "Europe/Rome", queue = "reports")]
async fn report(#[serde(default)] detailed: bool, tenant: Option<u32>, #[serde(default = "two")] copies: u8) {
    println!("{detailed} {tenant:?} {copies}");
}

fn two() -> u8 {
    2
}

#[job(every = "1h30m", cron = "TZ=Asia/Tokyo 30 4 * * *")]
async fn cleanup() {}

#[job(every = "1s")]
async fn pulse(ctx: &Ctx, State(told): State<mpsc::Sender<i64>>) -> anyhow::Result<()> {
    let due = ctx.scheduled_for().map(|at| at.as_second()).unwrap_or_default();
    told.send(due).await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> asynq::Result<()> {
    let jobs = registered().unwrap();
    let schedule = |name: &str| jobs.iter().find(|job| job.name == name).unwrap().schedule.unwrap();
    assert_eq!(schedule("report").specs, ["0 9 * * mon-fri", "@weekly"]);
    assert_eq!(schedule("report").time_zone, Some("Europe/Rome"));
    assert_eq!(schedule("cleanup").specs, ["@every 1h30m", "TZ=Asia/Tokyo 30 4 * * *"]);
    let task = (schedule("report").task)().unwrap();
    assert_eq!(&task.payload().unwrap()[..], br#"{"detailed":false,"tenant":null,"copies":2}"#);

    let client = Client::in_memory();
    assert_eq!(Scheduler::builder(&client).registered().build()?.entries().len(), 5);

    let (tell, mut told) = mpsc::channel::<i64>(10);
    // Two servers, and each tick runs once.
    let one = Server::builder(&client).registered().state(tell.clone()).start().await?;
    let two = Server::builder(&client).registered().state(tell.clone()).start().await?;
    let first = told.recv().await.unwrap();
    assert!(first > 0);
    assert_eq!(told.recv().await.unwrap(), first + 1);
    two.shutdown().await;
    assert_eq!(told.recv().await.unwrap(), first + 2);
    one.shutdown().await;

    let quiet = Server::builder(&client).registered().state(tell).scheduler(false).start().await?;
    while told.try_recv().is_ok() {}
    assert!(tokio::time::timeout(Duration::from_millis(2_100), told.recv()).await.is_err());
    quiet.shutdown().await;
    Ok(())
}
