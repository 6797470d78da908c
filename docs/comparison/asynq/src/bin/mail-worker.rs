//! Runs what is enqueued.

use asynq::Server;
use comparison::Mailer;

#[tokio::main]
async fn main() -> asynq::Result<()> {
    Server::from_env()?.state(Mailer).registered().run().await
}
