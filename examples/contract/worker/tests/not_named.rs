//! A program that only depends on the library has none of its jobs, and a server says so.

use asynq::{Client, Server};

#[tokio::test]
async fn a_library_that_nothing_names_is_not_linked() {
    assert!(asynq::jobs().unwrap().is_empty());
    let error = Server::builder(&Client::in_memory()).registered().start().await.unwrap_err();
    assert!(error.to_string().contains("use my_jobs as _;"), "{error}");
}
