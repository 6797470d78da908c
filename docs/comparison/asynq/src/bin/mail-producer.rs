//! Enqueues one mail.

use asynq::Client;
use comparison::SendMail;

#[tokio::main(flavor = "current_thread")]
async fn main() -> asynq::Result<()> {
    let client = Client::from_env().await?;
    match SendMail::new("ann@example.com", "Welcome").enqueue(&client).if_absent().await? {
        Some(task) => println!("enqueued {}", task.id),
        None => println!("it is there already"),
    }
    Ok(())
}
