//! Servers of many queues.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::tests::{in_memory, telling};
use crate::router::{Ctx, Router};
use crate::server::Server;
use crate::task::{QueueName, Task, TaskOptions};

const MANY: usize = 300;

fn names() -> Vec<String> {
    (0..MANY).map(|n| format!("q{n}")).collect()
}

fn in_queue(queue: &str) -> Task {
    Task::new("t", "").unwrap().options(TaskOptions::new().queue(queue))
}

#[tokio::test(start_paused = true)]
async fn every_task_of_many_queues_is_run_once() {
    let client = in_memory();
    for round in 0..3 {
        for (n, name) in names().iter().enumerate() {
            if (n + round) % 3 != 0 {
                client.enqueue(in_queue(name)).await.unwrap();
            }
        }
    }
    let (server, mut told) = telling(&client, |_| Ok(()));
    let queues = names().into_iter().zip((1..=3).cycle());
    let server = server.queues(queues).queue_concurrency("q7", 1).start().await.unwrap();
    let mut runs = BTreeMap::new();
    for _ in 0..2 * MANY {
        let (ctx, _) = told.recv().await.unwrap();
        *runs.entry(ctx.queue().as_str().to_owned()).or_insert(0) += 1;
    }
    assert!(runs.len() == MANY && runs.values().all(|count| *count == 2));
    // One that comes while all are idle is found at once, wherever it comes.
    for name in ["q0", "q150", "q299"] {
        sleep(Duration::from_secs(5)).await;
        let begun = Instant::now();
        client.enqueue(in_queue(name)).await.unwrap();
        assert_eq!(told.recv().await.unwrap().0.queue().as_str(), name);
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    }
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_among_many_that_was_paused_goes_on() {
    let client = in_memory();
    let paused = QueueName::new("q42").unwrap();
    client.broker().pause(&paused).await.unwrap();
    client.enqueue(in_queue("q42")).await.unwrap();
    let (server, mut told) = telling(&client, |_| Ok(()));
    let server = server.queues(names().into_iter().map(|name| (name, 1))).start().await.unwrap();
    client.enqueue(in_queue("q43")).await.unwrap();
    assert_eq!(told.recv().await.unwrap().0.queue().as_str(), "q43");
    sleep(Duration::from_secs(5)).await;
    assert!(told.try_recv().is_err());
    client.broker().resume(&paused).await.unwrap();
    assert_eq!(told.recv().await.unwrap().0.queue().as_str(), "q42");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn limits_hold_in_many_queues_while_they_are_busy() {
    let client = in_memory();
    for name in names().iter().take(20) {
        for _ in 0..3 {
            client.enqueue(in_queue(name)).await.unwrap();
        }
    }
    let (now, most) = (Arc::new(Mutex::new(BTreeMap::<String, usize>::new())), 1);
    let (counts, (tell, mut told)) = (Arc::clone(&now), mpsc::channel(100));
    let router = Router::new().route("t", move |ctx: Ctx| {
        let (counts, tell, queue) = (Arc::clone(&counts), tell.clone(), ctx.queue().as_str().to_owned());
        async move {
            *counts.lock().unwrap().entry(queue.clone()).or_default() += 1;
            sleep(Duration::from_millis(30)).await;
            let here = counts.lock().unwrap()[&queue];
            *counts.lock().unwrap().get_mut(&queue).unwrap() -= 1;
            tell.send(here).await.unwrap();
        }
    });
    let mut server = Server::builder(&client).router(router.unwrap()).concurrency(10);
    server = server.queues(names().into_iter().map(|name| (name, 1)));
    for name in names().iter().take(20) {
        server = server.queue_concurrency(name, most);
    }
    let server = server.start().await.unwrap();
    for _ in 0..60 {
        assert!(told.recv().await.unwrap() <= most);
    }
    server.shutdown().await;
}
