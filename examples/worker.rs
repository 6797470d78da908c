//! Runs what `producer` enqueues, until Ctrl-C: `cargo run --example worker`.
//!
//! The environment sets it up; see `asynq::env`. `RUST_LOG=asynq=debug` shows more of what it does.

mod shared;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(asynq::run_registered().await?)
}
