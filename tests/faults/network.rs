//! Between us and Redis: slow, cut, half-closed, silent, away.

use std::time::Duration;

use asynq_testkit::{Audit, Fault, Proxy, RedisServer};

use crate::form::{Form, ROUNDS, complete};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_slow_costs_time_alone() {
    let audit = complete(slow).await;
    assert_eq!((audit.failures, audit.ran_again), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_cut_are_repeated() {
    let audit = complete(cut_requests).await;
    assert_eq!(audit.ran_again, 0, "what did not arrive was not done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_are_cut_lose_nothing() {
    complete(cut_replies).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_never_come_lose_nothing() {
    complete(drop_replies).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_half_closed_are_left() {
    complete(half_close).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_away_is_waited_for() {
    let audit = complete(away).await;
    assert_eq!(audit.ran_again, 0);
}

pub(crate) async fn slow(form: &Form) -> Audit {
    let delay = Duration::from_millis(u64::try_from(form.random(20..100)).unwrap());
    suffer(form, Fault::Slow(delay)).await
}

pub(crate) async fn cut_requests(form: &Form) -> Audit {
    suffer(form, Fault::CutRequests).await
}

pub(crate) async fn cut_replies(form: &Form) -> Audit {
    suffer(form, Fault::CutReplies).await
}

pub(crate) async fn drop_replies(form: &Form) -> Audit {
    suffer(form, Fault::DropReplies).await
}

pub(crate) async fn half_close(form: &Form) -> Audit {
    suffer(form, Fault::HalfClose).await
}

pub(crate) async fn away(form: &Form) -> Audit {
    suffer(form, Fault::Away).await
}

async fn suffer(form: &Form, fault: Fault) -> Audit {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port()).await;
    let mut load = form.load_behind(&proxy).await;
    for _ in 0..ROUNDS {
        proxy.suffer(fault, form.outage()).await;
        load.resume().await;
        form.go_on(&load).await;
    }
    load.end().await
}
