//! Enqueues one mail.

use apalis::prelude::*;
use comparison_apalis::{Mail, storage, task};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxDynError> {
    let mut storage = storage(&std::env::var("REDIS_URL")?).await?;
    let mail = Mail { to: "ann@example.com".into(), subject: "Welcome".into() };
    storage.push_task(task(mail)).await?;
    println!("enqueued, or there already");
    Ok(())
}
