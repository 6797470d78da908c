//! Sentinels, and a master that dies under load.

use std::time::{Duration, Instant};

use asynq::broker::BrokerErrorKind;
use asynq::{Client, ConnectOptions, Error, Task};
use asynq_testkit::{Load, SentinelSet, eventually_within};

async fn clients(set: &SentinelSet, options: impl Fn(ConnectOptions) -> ConnectOptions) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..2 {
        let options = options(ConnectOptions::new(&set.url()).unwrap());
        clients.push(Client::connect_with(options).await.unwrap());
    }
    clients
}

/// Kills the master under load; how long the sentinels took, and how long the workers took after them.
async fn fail_over(set: &mut SentinelSet, load: &Load) {
    let old = set.master().await;
    let begun = Instant::now();
    set.kill(old).await;
    eventually_within(Duration::from_secs(60), "the sentinels have a new master", async || {
        (set.master().await != old).then_some(())
    })
    .await;
    let by_sentinels = begun.elapsed();
    load.more(50).await;
    eprintln!("fail-over: {by_sentinels:?} for the sentinels, {:?} until tasks run again", begun.elapsed());
    // The longest pause between two tries is two seconds, and a call that was sent is given up after five.
    assert!(begun.elapsed() < by_sentinels + Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_when_the_master_is_killed() {
    for _ in 0..3 {
        let mut set = SentinelSet::start().await;
        let load = Load::start(&clients(&set, |options| options).await, &["default", "low"]).await;
        load.more(300).await;
        fail_over(&mut set, &load).await;
        load.more(300).await;
        let audit = load.end().await;
        let promotions = set.promotions();
        eprintln!("killing the master: {audit}; {promotions} promoted");
        // Sentinels that stood still may put another replica in place of the first, which forgets what it was told in
        // between, as a second death of a master would. Then this was not the death of one.
        if promotions > 1 {
            continue;
        }
        let lost = &audit.lost;
        assert!(lost.len() <= 8, "more than was on its way to the replicas: {lost:?}\n{}", set.log());
        return;
    }
    panic!("the sentinels changed the master more than once, three times in a row");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_has_is_not_lost_with_the_master() {
    let mut set = SentinelSet::start().await;
    let waiting = |options: ConnectOptions| options.wait_replicas(1, Duration::from_secs(1));
    let load = Load::start(&clients(&set, waiting).await, &["default", "low"]).await;
    load.more(300).await;
    fail_over(&mut set, &load).await;
    load.more(100).await;
    let audit = load.end().await;
    // The sentinels choose the replica that has most, so what one has is not lost.
    eprintln!("killing the master, with WAIT for one replica: {audit}");
    assert!(audit.lost.is_empty(), "{:?}", audit.lost);
}

#[tokio::test]
async fn too_few_replicas_is_said() {
    let set = SentinelSet::start().await;
    let options = ConnectOptions::new(&set.url()).unwrap().wait_replicas(3, Duration::from_millis(50));
    let client = Client::connect_with(options).await.unwrap();
    let error = client.enqueue(Task::new("t", "").unwrap()).await.unwrap_err();
    let Error::Broker(broker) = &error else { panic!("{error}") };
    assert_eq!(broker.kind(), BrokerErrorKind::Unavailable);
    let cause = std::error::Error::source(broker).unwrap().to_string();
    assert!(cause.contains("too few replicas") && cause.contains("2 of 3"), "{cause}");
}

#[tokio::test]
async fn a_sentinel_that_is_away_and_a_password_of_the_master_do_no_harm() {
    let mut set = SentinelSet::start_with("secret").await;
    set.kill_sentinel(0).await;
    Client::connect(&format!("{}&password=secret", set.url())).await.unwrap();
    let error = Client::connect(&format!("{}&password=wrong", set.url())).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("denied"), "{cause}");
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_said() {
    let set = SentinelSet::start().await;
    let error = Client::connect(&set.url().replace("mymaster", "another")).await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("no master of this name") && text.contains("`another`"), "{text}");
}
