//! Many tasks made into one: `cargo run --example groups`.
//!
//! Notices wait in a group for each recipient. When none was added for a second, or when there are three of them, the
//! aggregator makes one mail of them. The program ends when everybody's mail is sent.

use asynq::{Client, Server, State, aggregator, job};
use tokio::sync::mpsc;

/// Notices are not sent one by one: what runs is the mail that the aggregator makes of them.
#[job(queue = "mail")]
async fn send_notice(to: String, text: String) {
    println!("a single notice for {to}: {text}");
}

/// Sends one mail.
#[job(queue = "mail")]
async fn send_digest(
    to: String,
    lines: Vec<String>,
    State(sent): State<mpsc::Sender<usize>>,
) -> Result<(), String> {
    println!("to {to}: {}", lines.join("; "));
    sent.send(lines.len()).await.map_err(|closed| closed.to_string())
}

/// One mail instead of many. If it fails, the notices stay, and it is tried again.
#[aggregator(grace = "1s", max_delay = "1m", max_size = 3)]
async fn digest(group: &str, notices: Vec<SendNotice>) -> SendDigest {
    println!("{} notices for {group}", notices.len());
    SendDigest::new(group, notices.into_iter().map(|notice| notice.text).collect())
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    // In production: Client::connect("redis://127.0.0.1:6379").await?
    let client = Client::in_memory();
    let (sender, mut sent) = mpsc::channel::<usize>(8);
    let server = Server::builder(&client).registered().state(sender).start().await?;

    for number in 1..=4 {
        for to in ["ann", "bob"] {
            let notice = SendNotice::new(to, format!("notice {number}"));
            let info = notice.enqueue(&client).group(to).await?;
            println!("notice {number} for {to} is {}", info.state);
        }
    }

    let mut lines = 0;
    while lines < 8 {
        lines += sent.recv().await.unwrap_or(8);
    }
    server.shutdown().await;
    println!("{lines} notices sent");
    Ok(())
}
