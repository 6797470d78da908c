//! Runs what is enqueued.

use std::time::Duration;

use apalis::prelude::*;
use comparison_apalis::{Mailer, retries, send_mail, storage};

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let storage = storage(&std::env::var("REDIS_URL")?).await?;
    let mailer = move |run: usize| {
        WorkerBuilder::new(format!("mailer-{run}"))
            .backend(storage.clone())
            .retry(retries())
            .timeout(Duration::from_secs(30))
            .catch_panic()
            .data(Mailer)
            .build(send_mail)
    };
    Monitor::new().register(mailer).run_with_signal(tokio::signal::ctrl_c()).await?;
    Ok(())
}
