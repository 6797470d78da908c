//! Enqueues mails on Redis for `worker` to send: `cargo run --example producer -- 3`.
//!
//! `ASYNQ_REDIS_URL` says where Redis is; default: `redis://127.0.0.1:6379`.

mod shared;

use asynq::Client;
use shared::SendEmail;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let count: u32 = std::env::args().nth(1).map_or(Ok(3), |count| count.parse())?;
    let client = Client::from_env().await?;
    for number in 1..=count {
        let info = SendEmail::new(format!("user{number}@example.com"), "Welcome").enqueue(&client).await?;
        println!("enqueued {} in queue {}", info.id, info.queue);
    }
    Ok(())
}
