//! A mail is sent at the third attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apalis::prelude::*;
use comparison_apalis::{Mail, Mailer, retries, send_mail};

/// Fails twice, then does what the job does, and ends the worker.
async fn flaky(
    mail: Mail,
    attempts: Data<Arc<AtomicUsize>>,
    mailer: Data<Mailer>,
    worker: WorkerContext,
) -> Result<(), BoxDynError> {
    if attempts.fetch_add(1, Ordering::SeqCst) < 2 {
        return Err("no answer".into());
    }
    send_mail(mail, mailer).await?;
    worker.stop()?;
    Ok(())
}

#[tokio::test]
async fn a_mail_is_sent_at_the_third_attempt() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let mut storage = MemoryStorage::new();
    storage.push(Mail { to: "ann@example.com".into(), subject: "Welcome".into() }).await.unwrap();
    let worker = WorkerBuilder::new("mailer")
        .backend(storage)
        .retry(retries())
        .data(Mailer)
        .data(Arc::clone(&attempts))
        .build(flaky);
    worker.run().await.unwrap();
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
}
