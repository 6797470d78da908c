//! The whole road in one process, without a server: `cargo run --example quickstart`.
//!
//! Three mails are enqueued; one fails at first and is tried again. The program ends when all are sent.

use std::time::Duration;

use asynq::{Client, Ctx, RetryPolicy, Server, State, job};
use tokio::sync::mpsc;

/// Sends one e-mail; the mail server is busy the first time Bob's comes along.
#[job(queue = "mail", retry = 3, timeout = "30s")]
async fn send_email(
    to: String,
    subject: String,
    ctx: &Ctx,
    State(sent): State<mpsc::Sender<String>>,
) -> Result<(), String> {
    let attempt = ctx.retried() + 1;
    println!("attempt {attempt}: sending {subject:?} to {to} (task {})", ctx.task_id());
    if to.starts_with("bob") && attempt == 1 {
        println!("attempt {attempt}: failed, the mail server is busy; it will be tried again in a second");
        return Err("the mail server is busy".to_owned());
    }
    sent.send(to).await.map_err(|closed| closed.to_string())
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    // In production: Client::connect("redis://127.0.0.1:6379").await?
    let client = Client::in_memory();

    for to in ["ann@example.com", "bob@example.com"] {
        let info = SendEmail::new(to, "Welcome").enqueue(&client).await?;
        println!("enqueued {} in queue {} as {}", info.id, info.queue, info.state);
    }
    let later = SendEmail::new("eve@example.com", "How do you like it?")
        .enqueue(&client)
        .process_in(Duration::from_secs(2))
        .await?;
    println!("enqueued {} in queue {} as {}", later.id, later.queue, later.state);

    let (sender, mut sent) = mpsc::channel::<String>(3);
    let server = Server::builder(&client)
        .registered()
        .state(sender)
        .concurrency(2)
        .retry_policy(RetryPolicy::Fixed(Duration::from_secs(1)))
        .start()
        .await?;
    for _ in 0..3 {
        if let Some(to) = sent.recv().await {
            println!("sent to {to}");
        }
    }
    server.shutdown().await;
    println!("all sent");
    Ok(())
}
