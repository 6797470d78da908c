#![deny(warnings)]

use asynq::{Client, job};

/// Can be written and not read.
#[derive(serde::Serialize)]
struct Receipt {
    id: u64,
}

#[job]
async fn pay(amount: u64) -> Result<Receipt, String> {
    Ok(Receipt { id: amount })
}

async fn buy(client: &Client) -> asynq::Result<()> {
    let sent = Pay::new(5).enqueue(client).await?;
    sent.wait(client).await?;
    Ok(())
}

fn main() {
    let _ = buy;
}
