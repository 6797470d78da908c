#![allow(missing_docs, clippy::all, clippy::pedantic)]
use asynq_core::client::*;
use asynq_core::router::*;
use asynq_core::server::*;
use asynq_core::task::*;
use std::sync::atomic::*;
use std::time::*;
static N: AtomicUsize = AtomicUsize::new(0);
#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let mode = std::env::args().nth(2).unwrap();
    let n: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let c: usize = std::env::args().nth(4).unwrap().parse().unwrap();
    let client = Client::connect(&url).await.unwrap();
    if mode == "fill" {
        let t = Instant::now();
        let payload = "{\"id\":10000000,\"ts\":1795388454240216426,\"pad\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}";
        let r = client.enqueue_all((0..n).map(|_| Task::new("bench:noop", payload).unwrap())).await;
        assert!(r.iter().all(|r| r.is_ok()), "{:?}", r.iter().find(|r| r.is_err()));
        println!("fill {}/s", n as f64 / t.elapsed().as_secs_f64());
        return;
    }
    if mode == "enq" {
        let t = Instant::now();
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..c {
            let client = client.clone();
            set.spawn(async move { for _ in 0..n / c { client.enqueue(Task::new("bench:noop", "{\"id\":10000000,\"ts\":1795388454240216426,\"pad\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}").unwrap()).await.unwrap(); } });
        }
        while set.join_next().await.is_some() {}
        println!("enqueue p={c} {}/s", n as f64 / t.elapsed().as_secs_f64());
        return;
    }
    let router = Router::new()
        .route("bench:", async |ctx: Ctx| {
            let _: serde_json::Value = serde_json::from_slice(ctx.payload()).unwrap();
            N.fetch_add(1, Ordering::SeqCst);
            Ok::<(), String>(())
        })
        .unwrap();
    let t = Instant::now();
    let server = Server::builder(&client).router(router).concurrency(c).start().await.unwrap();
    while N.load(Ordering::SeqCst) < n {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("drain {}/s", n as f64 / t.elapsed().as_secs_f64());
    server.shutdown().await;
}
