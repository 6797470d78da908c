//! Unique jobs: `cargo run --example unique`.
//!
//! A job that is unique keeps equal ones out: until it is done, until it starts, or for a whole time. What makes two
//! equal is the payload, some of its arguments, or a key of your own.

use std::time::Duration;

use asynq::{Client, Error, IfAbsent, Server, State, job};
use tokio::sync::mpsc;

type Done = mpsc::Sender<String>;

/// Two mails to one user with one template are the same mail, whatever else they say.
#[job(unique_for = "10m", unique_by(to, template))]
async fn send_email(to: String, template: String, request: u32, State(done): State<Done>) {
    // The receiver waits until all are there.
    drop(done.send(format!("sent {template} to {to}, as request {request} wanted")).await);
}

/// What changes while the index is built needs another run: an equal job is refused only until this one starts.
#[job(unique_for = "1h", unique_until = start)]
async fn build_index(index: String, State(done): State<Done>) {
    drop(done.send(format!("building {index}")).await);
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// At most one a day, even when it is done in a moment.
#[job(unique_for = "1d", unique_until = ttl)]
async fn send_digest(user: String, State(done): State<Done>) {
    drop(done.send(format!("digest for {user}")).await);
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = Client::in_memory();

    let first = SendEmail::new("ann", "welcome", 1).enqueue(&client).await?;
    match SendEmail::new("ann", "welcome", 2).enqueue(&client).await {
        Err(Error::DuplicateTask { holder, .. }) if first.id == holder.as_str() => {
            println!("refused: the first one still waits");
        }
        other => anyhow::bail!("expected a duplicate, got {other:?}"),
    }

    // For those who only want it to be there.
    let more = ["bob", "bob", "ann"].map(|to| SendEmail::new(to, "welcome", 3));
    for (result, to) in client.enqueue_all(more).await.into_iter().zip(["bob", "bob", "ann"]) {
        println!("{to}: {}", if result.if_absent()?.is_some() { "enqueued" } else { "there already" });
    }

    // A key of one's own, for one call.
    for request in [4, 5] {
        let stored = SendEmail::new("eve", "receipt", request)
            .enqueue(&client)
            .unique_key("order:42")
            .if_absent()
            .await?;
        println!("receipt of order 42: {}", if stored.is_some() { "enqueued" } else { "there already" });
    }
    BuildIndex::new("books").enqueue(&client).await?;
    SendDigest::new("ann").enqueue(&client).await?;

    let (sender, mut done) = mpsc::channel::<String>(10);
    let server = Server::builder(&client).registered().state(sender).concurrency(4).start().await?;
    let mut index_built = 0;
    for _ in 0..6 {
        let Some(what) = done.recv().await else { break };
        println!("{what}");
        if what == "building books" && index_built == 0 {
            // It runs: another one may wait for its turn.
            BuildIndex::new("books").enqueue(&client).await?;
            index_built += 1;
        }
    }
    server.shutdown().await;

    let digest = SendDigest::new("ann").enqueue(&client).if_absent().await?;
    println!("another digest: {}", if digest.is_some() { "enqueued" } else { "not today" });
    println!("everything once");
    Ok(())
}
