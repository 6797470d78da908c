//! A program that names the library has its jobs.

use contract_jobs::SendEmail;
use contract_worker as _;

#[tokio::test]
async fn the_handler_runs_what_the_contract_enqueues() {
    asynq::assert_registered!(SendEmail);
    let rig = asynq::testing::Rig::new();
    SendEmail { to: "ann".into(), text: "hello".into() }.enqueue(&rig).await.unwrap();
    assert_eq!(rig.drain().await.succeeded(), 1);
}
