//! A Redis with tasks in every state, a server that runs one of them, and a scheduler.

use std::future::pending;
use std::time::Duration;

use asynq_core::inspector::Inspector;
use asynq_core::router::{Ctx, RetryPolicy, Router};
use asynq_core::scheduler::{PeriodicTask, Scheduler};
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::{RedisServer, eventually};

use super::seeded;

/// The tasks of [`seeded`], and in queue `work` one that runs, one that failed and one that is done.
pub(super) struct World {
    pub(super) redis: RedisServer,
    pub(super) inspector: Inspector,
    /// Dropped, they are gone as after a crash.
    _server: Server,
    pub(super) scheduler: Scheduler,
}

pub(super) async fn lively() -> World {
    let (redis, client) = seeded().await;
    let router = Router::new()
        .route("slow", async |_: Ctx| {
            pending::<()>().await;
            Ok::<_, String>(())
        })
        .and_then(|router| router.route("fails", async |_: Ctx| Err::<(), _>("no such user: ann")))
        .and_then(|router| router.route("gives", async |_: Ctx| Ok::<_, String>(42)))
        .unwrap();
    let server = Server::builder(&client).router(router).queues([("work", 2)]).concurrency(3);
    // What failed is still waiting when it is looked at.
    let server = server.retry_policy(RetryPolicy::of(|_, _| Duration::from_secs(3_600)));
    let server = server.start().await.unwrap();
    for (task_type, id) in [("slow", "w1"), ("fails", "w2"), ("gives", "w3")] {
        let options = TaskOptions::new().queue("work").task_id(id).retention(Duration::from_secs(3_600));
        let options = options.timeout(Duration::from_secs(3_600));
        client.enqueue(Task::new(task_type, "{}").unwrap().options(options)).await.unwrap();
    }
    let scheduler = Scheduler::builder(&client).build().unwrap();
    for (spec, task_type) in [("@every 720h", "report"), ("0 9 * * mon", "cleanup")] {
        let task = PeriodicTask::new(spec, Task::new(task_type, r#"{"all":true}"#).unwrap());
        scheduler.register(task.options(|options| options.queue("low").max_retry(3))).unwrap();
    }
    scheduler.start().unwrap();
    let inspector = Inspector::new(&client);
    eventually("everything is there", async || {
        let work = inspector.queue_info("work").await.unwrap();
        let servers = inspector.servers().await.unwrap();
        let entries = inspector.scheduler_entries().await.unwrap();
        let is_run = servers.first().is_some_and(|server| server.running.len() == 1);
        let is_there = (work.active, work.retry, work.completed, entries.len()) == (1, 1, 1, 2) && is_run;
        is_there.then_some(())
    })
    .await;
    World { redis, inspector, _server: server, scheduler }
}
