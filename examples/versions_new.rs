//! A program after a change of its jobs; `versions_old` is the same before it. Both run side by side on one Redis, as in
//! a rolling deploy: `cargo run --example versions_new -- produce 3`, `cargo run --example versions_new -- work`.

use asynq::{Client, Server, job};
use serde::{Deserialize, Serialize};

/// An argument was added: tasks of the old program have its default, and the old program ignores it.
#[job(name = "versions:greet")]
async fn greet(name: String, #[serde(default = "english")] language: String) {
    println!("new program: hello {name} in {language}");
}

fn english() -> String {
    "English".to_owned()
}

/// All the arguments are others: tasks of the old program become those of this one.
#[job(name = "versions:invoice", from = OldSendInvoice)]
async fn send_invoice(customers: Vec<String>, amount: Amount) {
    println!("new program: {} {} from {}", amount.cents, amount.currency, customers.join(" and "));
}

#[derive(Deserialize, Serialize)]
struct Amount {
    cents: u64,
    currency: String,
}

/// What the arguments of [`send_invoice`] were.
#[derive(Deserialize, Serialize)]
struct OldSendInvoice {
    customer: String,
    cents: u64,
}

impl From<OldSendInvoice> for SendInvoice {
    fn from(OldSendInvoice { customer, cents }: OldSendInvoice) -> Self {
        Self::new(vec![customer], Amount { cents, currency: "EUR".to_owned() })
    }
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("produce") {
        let client = Client::from_env().await?;
        let count = args.next().and_then(|count| count.parse().ok()).unwrap_or(1);
        for cents in 1..=count {
            Greet::new(format!("new{cents}"), "Italian").enqueue(&client).await?;
            let amount = Amount { cents, currency: "USD".to_owned() };
            SendInvoice::new(vec![format!("new{cents}"), "bob".to_owned()], amount).enqueue(&client).await?;
        }
        return Ok(());
    }
    Server::from_env()?.registered().run().await
}
