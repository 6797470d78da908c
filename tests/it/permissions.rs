//! The permissions that `docs/operations.md` says are enough are.

use std::time::Duration;

use asynq::broker::BrokerErrorKind;
use asynq::client::WaitError;
use asynq::inspector::Inspector;
use asynq::{Client, Ctx, Error, QueueName, Task, TaskOptions, TaskState};
use asynq_testkit::{RedisServer, eventually};

use crate::support::{chain, doing, in_state, worker};

/// A user as the document makes it, but with a password.
async fn user(redis: &RedisServer, name: &str) -> Client {
    let document = include_str!("../../docs/operations.md");
    let line = document.lines().find(|line| line.starts_with(&format!("ACL SETUSER {name} "))).unwrap();
    let line = line.replace(">PASSWORD", ">secret");
    redis.command::<()>(&line.split(' ').collect::<Vec<_>>()).await;
    Client::connect(&format!("redis://{name}:secret@127.0.0.1:{}", redis.port())).await.unwrap()
}

fn task(id: &str) -> TaskOptions {
    TaskOptions::new().task_id(id)
}

async fn enqueue(client: &Client, task_type: &str, options: TaskOptions) {
    client.enqueue(Task::new(task_type, "").unwrap().options(options)).await.unwrap();
}

async fn enqueue_of_every_kind(client: &Client) {
    enqueue(client, "good", task("pending").retention(Duration::from_secs(600))).await;
    enqueue(client, "good", task("unique").unique(Duration::from_secs(600))).await;
    enqueue(client, "good", task("due").process_in(Duration::from_secs(1))).await;
    enqueue(client, "good", task("later").process_in(Duration::from_secs(600))).await;
    enqueue(client, "good", task("grouped").group("g")).await;
    enqueue(client, "bad", task("again").max_retry(1)).await;
    enqueue(client, "bad", task("archived").max_retry(0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_document_grants_is_enough() {
    let redis = RedisServer::start().await;
    let client = user(&redis, "asynq-client").await;
    enqueue_of_every_kind(&client).await;
    assert_eq!(redis.denied().await, Vec::<String>::new());

    let workers = user(&redis, "asynq-worker").await;
    let (router, _told) = doing(&["good", "bad", "cancelled"], |ctx: &Ctx| {
        if ctx.task_type() == "good" { Ok(()) } else { Err("fails".into()) }
    });
    let server = worker(&workers, router, &["default"]).start().await.unwrap();
    let waiter = user(&redis, "asynq-waiter").await;
    waiter.wait::<Task>("default", "pending").await.unwrap();
    let options = task("slow").process_in(Duration::from_secs(1)).retention(Duration::from_secs(600));
    let slow = waiter.enqueue(Task::new("good", "").unwrap().options(options)).await.unwrap();
    slow.wait(&waiter).await.unwrap();
    in_state(&workers, "default", "pending", TaskState::Completed).await;
    in_state(&workers, "default", "archived", TaskState::Archived).await;
    in_state(&workers, "default", "again", TaskState::Archived).await;
    assert_eq!(redis.denied().await, Vec::<String>::new());

    let inspector = user(&redis, "asynq-inspector").await;
    let inspect = Inspector::new(&inspector);
    let queue = QueueName::new("default").unwrap();
    assert_eq!(inspect.queues().await.unwrap(), std::slice::from_ref(&queue));
    eventually("the server is seen", async || inspect.servers().await.unwrap().first().map(|_| ())).await;
    let info = inspect.queue_info(&queue).await.unwrap();
    assert_eq!((info.archived, info.completed), (2, 2));
    assert!(info.memory_usage.is_some());
    inspect.history(&queue, 2).await.unwrap();
    inspect.task(&queue, "archived").await.unwrap();
    inspect.pause(&queue).await.unwrap();
    inspect.run(&queue, "archived").await.unwrap();
    inspect.archive(&queue, "later").await.unwrap();
    enqueue(&client, "good", task("watched").process_in(Duration::from_secs(600))).await;
    let waited = waiter.wait::<Task>("default", "watched").timeout(Duration::from_secs(60)).into_future();
    let delete = async {
        redis.until(&["EXISTS", "asynq:{default}:x:waits"], |found: &u32| *found == 1).await;
        inspect.delete(&queue, "watched").await.unwrap();
    };
    let (waited, ()) = tokio::join!(waited, delete);
    assert!(matches!(waited, Err(WaitError::Gone { .. })), "{waited:?}");
    inspect.delete(&queue, "later").await.unwrap();
    inspect.cancel("archived").await.unwrap();
    server.shutdown().await;
    inspect.resume(&queue).await.unwrap();
    inspect.force_delete_queue(&queue).await.unwrap();
    assert_eq!(redis.denied().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_denied_is_named_and_the_password_never() {
    let redis = RedisServer::start().await;
    redis.command::<()>(&["ACL", "SETUSER", "u", "on", ">hunter2", "~*", "+ping"]).await;
    let url = |login: &str| format!("redis://{login}@127.0.0.1:{}", redis.port());
    let client = Client::connect(&url("u:hunter2")).await.unwrap();
    let error = client.enqueue(Task::new("t", "").unwrap()).await.unwrap_err();
    let Error::Broker(broker) = &error else { panic!("{error}") };
    assert_eq!(broker.kind(), BrokerErrorKind::Denied);
    let text = chain(&error);
    assert!(text.contains("evalsha") && !text.contains("hunter2"), "{text}");
    for login in ["u:hunter3", "nobody:hunter3", ":hunter3"] {
        let error = Client::connect(&url(login)).await.unwrap_err();
        let text = format!("{} {error:?}", chain(&error));
        assert!(text.contains("denied") && !text.contains("hunter3"), "{login}: {text}");
        assert!(text.contains("user name or password is wrong"), "{login}: {text}");
    }
}
