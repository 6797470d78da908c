//! Whole programs on a Redis that has no command that came after 4.0.

use std::time::Duration;

use asynq::inspector::{Class, Inspector};
use asynq::{Client, GroupSettings, PeriodicTask, Scheduler, Task, TaskOptions, TaskState};
use asynq_testkit::RedisServer;

use crate::support::{in_state, telling, worker};

#[tokio::test]
async fn everything_works_as_of_redis_4_0() {
    let redis = RedisServer::start_as_of("4.0").await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let (router, mut told) = telling(&["t", "tick", "digest"]);
    let server = worker(&client, router, &["default"])
        .groups(GroupSettings::new().grace(Duration::from_secs(1)))
        .aggregator(|_: String, tasks: Vec<Task>| async move { Task::new("digest", tasks.len().to_string()) })
        .start()
        .await
        .unwrap();
    let keep = |id: &str| TaskOptions::new().task_id(id).retention(Duration::from_secs(600));
    let enqueue =
        async |options: TaskOptions| client.enqueue(Task::new("t", "").unwrap().options(options)).await;
    // The worker has nothing to do by now, and looks every second.
    let sent = enqueue(keep("waited").unique(Duration::from_secs(60))).await.unwrap();
    sent.wait(&client).await.unwrap();
    enqueue(keep("due").process_in(Duration::from_secs(1))).await.unwrap();
    in_state(&client, "default", "due", TaskState::Completed).await;
    enqueue(TaskOptions::new().group("g")).await.unwrap();
    let scheduler = Scheduler::builder(&client).build().unwrap();
    scheduler.register(PeriodicTask::new("@every 1s", Task::new("tick", "").unwrap())).unwrap();
    scheduler.start().unwrap();
    let mut missing = vec!["tick", "digest"];
    while !missing.is_empty() {
        let ctx = told.recv().await.unwrap();
        missing.retain(|task_type| *task_type != ctx.task_type());
    }
    scheduler.shutdown().await;
    server.shutdown().await;
    let inspector = Inspector::new(&client);
    assert!(inspector.queue_info("default").await.unwrap().memory_usage.is_some());
    redis.command::<()>(&["LPUSH", "asynq:{default}:pending", "ghost"]).await;
    redis.command::<()>(&["LPUSH", "asynq:{default}:pending", "ghost"]).await;
    assert_eq!(inspector.repair(Class::Ghost).await.unwrap().mended, 1);
    assert_eq!(inspector.examine().await.unwrap().findings, []);
    inspector.force_delete_queue("default").await.unwrap();
    assert!(inspector.queues().await.unwrap().is_empty());
}
