//! The body is not finished: everything else is.

use asynq::{Client, job};

#[job]
async fn send_email(to: String) -> Result<(), String> {
    let address = to.pars
}

async fn signup(client: &Client) -> asynq::Result<()> {
    SendEmail::new("ann").enqueue(client).await?;
    Ok(())
}

fn main() {
    let _ = signup;
    let _ = asynq::jobs![SendEmail];
}
