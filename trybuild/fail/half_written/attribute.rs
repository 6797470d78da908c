//! One option is not finished: the struct, its methods and its place in the list of jobs are there all the same.

use asynq::{Client, job};

#[job(queue = , retry = 3)]
async fn send_email(to: String) {
    drop(to);
}

async fn signup(client: &Client) -> asynq::Result<()> {
    SendEmail { to: String::new() }.enqueue(client).await?;
    SendEmail::new("ann").enqueue(client).queue("low").await?;
    send_email("ann".into()).await;
    Ok(())
}

fn main() {
    let _ = signup;
    let _ = asynq::jobs![SendEmail];
}
