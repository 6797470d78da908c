//! The body names what is not there yet: everything else is.

use asynq::{Client, job};

#[job]
async fn send_email(to: String) -> Result<(), String> {
    deliver(&to).await
}

async fn signup(client: &Client) -> asynq::Result<()> {
    SendEmail::new("ann").enqueue(client).await?;
    Ok(())
}

fn main() {
    let _ = signup;
    let _ = asynq::jobs![SendEmail];
}
