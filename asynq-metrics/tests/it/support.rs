//! What several of these tests use.

use std::collections::BTreeMap;
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::router::{BoxError, Ctx, Router};
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions};

/// A task of type `t` in this queue.
pub(crate) fn task(queue: &str, id: &str, options: TaskOptions) -> Task {
    Task::new("t", "payload").unwrap().options(options.queue(queue).task_id(id))
}

/// A worker whose handler fails for IDs that begin with `bad`.
pub(crate) fn router() -> Router {
    Router::new()
        .route("t", async |ctx: Ctx| {
            if ctx.task_id().as_str().starts_with("bad") { Err(BoxError::from("it broke")) } else { Ok(()) }
        })
        .unwrap()
}

/// Tasks in every state: two queues, one of which has an odd name and is paused.
pub(crate) async fn seed(client: &Client) {
    let inspector = Inspector::new(client);
    let odd = "od\"d\\ name";
    let later = TaskOptions::new().process_in(Duration::from_secs(3_600));
    let kept = TaskOptions::new().retention(Duration::from_secs(3_600));
    for (id, options) in [
        ("done", kept.clone()),
        ("bad-1", TaskOptions::new().max_retry(5)),
        ("bad-2", TaskOptions::new().max_retry(0)),
        ("gone", TaskOptions::new()),
    ] {
        client.enqueue(task("mail", id, options)).await.unwrap();
    }
    let server = Server::builder(client).router(router()).queues([("mail", 1)]).start().await.unwrap();
    asynq_testkit::eventually("four runs have ended", async || {
        let info = inspector.queue_info("mail").await.unwrap();
        (info.processed_total == 4 && info.active == 0).then_some(())
    })
    .await;
    server.shutdown().await;
    for id in ["p1", "p2", "p3"] {
        client.enqueue(task("mail", id, TaskOptions::new())).await.unwrap();
    }
    client.enqueue(task("mail", "s1", later.clone())).await.unwrap();
    client.enqueue(task("mail", "g1", TaskOptions::new().group("users"))).await.unwrap();
    client.enqueue(task(odd, "s2", later)).await.unwrap();
    inspector.pause(odd).await.unwrap();
}

/// The samples of a scrape: name with labels, and value.
pub(crate) fn samples(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(name, value)| (name.into(), value.into())).collect()
}
