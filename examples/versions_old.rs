//! A program before a change of its jobs; `versions_new` is the same after it. Both run side by side on one Redis, as in
//! a rolling deploy: `cargo run --example versions_old -- produce 3`, `cargo run --example versions_old -- work`.

use std::time::Duration;

use asynq::{BadPayloads, Client, Server, job};

#[job(name = "versions:greet")]
async fn greet(name: String) {
    println!("old program: hello {name}");
}

#[job(name = "versions:invoice")]
async fn send_invoice(customer: String, cents: u64) {
    println!("old program: {cents} cents from {customer}");
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("produce") {
        let client = Client::from_env().await?;
        let count = args.next().and_then(|count| count.parse().ok()).unwrap_or(1);
        for number in 1..=count {
            Greet::new(format!("old{number}")).enqueue(&client).await?;
            SendInvoice::new(format!("old{number}"), number).enqueue(&client).await?;
        }
        return Ok(());
    }
    // What only the new program can read waits for it.
    let put_back = BadPayloads::PutBack { delay: Duration::from_secs(1), limit: 3_600 };
    Server::from_env()?.registered().bad_payloads(put_back).run().await
}
