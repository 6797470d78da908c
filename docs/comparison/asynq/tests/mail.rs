//! A mail is enqueued once, and sent at the third attempt.

use std::time::Duration;

use asynq::testing::Rig;
use comparison::{Mailer, SendMail};

#[tokio::test]
async fn a_mail_is_sent_at_the_third_attempt() {
    let rig = Rig::new().state(Mailer);
    let mail = || SendMail::new("ann@example.com", "Welcome").enqueue(&rig).if_absent();
    assert!(mail().await.unwrap().is_some());
    assert!(mail().await.unwrap().is_none());
    rig.fail_attempt::<SendMail>(1, "no answer");
    rig.fail_attempt::<SendMail>(2, "no answer");
    let report = rig.advance(Duration::from_secs(60)).await;
    assert_eq!((report.retried(), report.succeeded()), (2, 1));
}
