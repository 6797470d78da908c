//! A producer: it knows the job and nothing of its handler.

use asynq::Client;
use contract_jobs::SendEmail;

#[tokio::main(flavor = "current_thread")]
async fn main() -> asynq::Result<()> {
    let client = Client::from_env().await?;
    SendEmail { to: "ann@example.com".into(), text: "welcome".into() }.enqueue(&client).await?;
    Ok(())
}
