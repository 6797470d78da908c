//! The worker: `cargo run -p service --bin worker`.

use anyhow::Result;
use asynq::Server;
use service::jobs::worker;
use service::settings::Settings;

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let settings = Settings::from_env()?;
    worker(Server::from_env()?, &settings)?.run().await?;
    Ok(())
}
