//! What a job returns, and waiting for it: `cargo run --example results`.

use std::time::Duration;

use asynq::{Client, Ctx, Outcome, Server, Task, WaitError, job};
use serde::{Deserialize, Serialize};

/// What comes of an order; stored as JSON, which Go programs can read too.
#[derive(Debug, Deserialize, Serialize)]
struct Receipt {
    item: String,
    cents: u32,
}

/// The retention says for how long the result is kept.
#[job(queue = "orders", retry = 1, retention = "10m")]
async fn place_order(item: String, cents: u32) -> anyhow::Result<Receipt> {
    anyhow::ensure!(cents > 0, "{item} has no price");
    Ok(Receipt { item, cents })
}

/// A job that waits for others.
#[job(queue = "carts", retention = "10m")]
async fn check_out(items: Vec<String>, ctx: &Ctx) -> anyhow::Result<u32> {
    let mut orders = Vec::new();
    for item in items {
        orders.push(PlaceOrder::new(item, 250).enqueue(ctx).await?);
    }
    let mut total = 0;
    for order in orders {
        total += order.wait(ctx).timeout(Duration::from_secs(30)).await?.cents;
    }
    Ok(total)
}

/// Bytes that are stored as they are.
#[job(queue = "orders", retention = "10m")]
async fn draw_label(text: String) -> anyhow::Result<Outcome> {
    Ok(Outcome { result: Some(text.into_bytes().into()) })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // In production: Client::connect("redis://127.0.0.1:6379").await?
    let client = Client::in_memory();
    let server = Server::builder(&client).registered().concurrency(10).start().await?;

    // The type of the result is that of the function.
    let order = PlaceOrder::new("tea", 450).enqueue(&client).await?;
    let receipt = order.wait(&client).await?;
    println!("{} for {} cents", receipt.item, receipt.cents);

    let cart = CheckOut::new(vec!["cup".to_owned(), "pot".to_owned()]).enqueue(&client).await?;
    println!("a cart for {} cents", cart.wait(&client).timeout(Duration::from_secs(60)).await?);

    // Another process knows the queue and the ID; without the type it gets the bytes.
    let label = DrawLabel::new("TEA").enqueue(&client).await?;
    let outcome = client.wait::<Task>("orders", &label.id).await?;
    println!("{} bytes of label", outcome.result.unwrap_or_default().len());

    // Failures that are retried are not the end: time runs out first here.
    let free = PlaceOrder::new("water", 0).enqueue(&client).await?;
    match free.wait(&client).timeout(Duration::from_secs(1)).await {
        Err(WaitError::TimedOut { state, .. }) => println!("not yet: the order is in state {state}"),
        other => println!("unexpected: {other:?}"),
    }
    let gone = PlaceOrder::new("water", 0).enqueue(&client).retry(0).await?;
    if let Err(error @ WaitError::Failed { .. }) = gone.wait(&client).await {
        println!("{}", error.to_string().replace(gone.id.as_str(), "…"));
    }
    server.shutdown().await;
    println!("all results are in");
    Ok(())
}
